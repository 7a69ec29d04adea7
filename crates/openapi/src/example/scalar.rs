//! Texts and numbers that nobody gave an example for.

use serde_json::{Number, Value};

use super::layers::Layers;

/// What a text of a known format can look like: documentation's own names and addresses (RFC 2606,
/// RFC 5737, RFC 3849).
const FORMATS: [(&str, &str); 14] = [
    ("date-time", "2030-01-02T03:04:05Z"),
    ("date", "2030-01-02"),
    ("time", "03:04:05Z"),
    ("duration", "PT5M"),
    ("email", "someone@example.com"),
    ("hostname", "host.example.com"),
    ("ipv4", "192.0.2.1"),
    ("ipv6", "2001:db8::1"),
    ("uri", "https://example.com/"),
    ("uri-reference", "https://example.com/"),
    ("uuid", "00000000-0000-4000-8000-000000000001"),
    ("byte", "ZXhhbXBsZQ=="),
    ("json-pointer", "/example"),
    ("regex", ".*"),
];

/// A text: of the format, else the name of the property, as long as it has to be.
pub(super) fn text(layers: &Layers<'_>, name: &str) -> Value {
    let format = layers.first("format").and_then(Value::as_str);
    if let Some((_, text)) = FORMATS.iter().find(|(known, _)| Some(*known) == format) {
        return Value::from(*text);
    }
    let mut text = if name.is_empty() { "text" } else { name }.to_owned();
    if let Some(limit) = layers.least("maxLength") {
        text = text
            .chars()
            .zip(1_u32..)
            .take_while(|(_, at)| f64::from(*at) <= limit)
            .map(|(letter, _)| letter)
            .collect();
    }
    let missing = layers
        .count("minLength")
        .unwrap_or_default()
        .saturating_sub(text.chars().count());
    text.extend(std::iter::repeat_n('x', missing.min(LONGEST)));
    Value::from(text)
}

/// Longer texts are not made up.
const LONGEST: usize = 10_000;

/// The whole number nearest to one that the limits allow.
pub(super) fn integer(layers: &Layers<'_>) -> Value {
    let (lower, upper) = limits(layers, 1.0);
    let step = step(layers).map_or(1.0, f64::ceil);
    whole(stepped(lower.map(f64::ceil), upper.map(f64::floor), step))
}

fn whole(number: f64) -> Value {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "a cast of a float goes to the nearest integer there is"
    )]
    let number = number as i64;
    Value::from(number)
}

/// The number nearest to one that the limits allow.
pub(super) fn number(layers: &Layers<'_>) -> Value {
    let (lower, upper) = limits(layers, 0.001);
    let number = match step(layers) {
        Some(step) => stepped(lower, upper, step),
        None => within(1.0, lower, upper),
    };
    if number.fract() == 0.0 {
        return whole(number);
    }
    Number::from_f64(number).map_or(Value::Null, Value::Number)
}

fn step(layers: &Layers<'_>) -> Option<f64> {
    layers.most("multipleOf").filter(|step| *step > 0.0)
}

/// A multiple of `step` that the limits allow, if there is one; one itself if it can be.
fn stepped(lower: Option<f64>, upper: Option<f64>, step: f64) -> f64 {
    let wanted = within(1.0, lower, upper);
    let above = (wanted / step).ceil() * step;
    if upper.is_some_and(|upper| above > upper) {
        (wanted / step).floor() * step
    } else {
        above
    }
}

fn within(number: f64, lower: Option<f64>, upper: Option<f64>) -> f64 {
    let number = lower.map_or(number, |lower| number.max(lower));
    upper.map_or(number, |upper| number.min(upper))
}

/// The limits, themselves allowed. A limit that is excluded, with a flag (3.0) or as a keyword of
/// its own (3.1), moves by `aside`.
fn limits(layers: &Layers<'_>, aside: f64) -> (Option<f64>, Option<f64>) {
    let excluded = |flag, limit: Option<f64>, aside: f64| {
        limit.map(|limit| {
            if layers.flag(flag) {
                limit + aside
            } else {
                limit
            }
        })
    };
    let lower = excluded("exclusiveMinimum", layers.most("minimum"), aside);
    let upper = excluded("exclusiveMaximum", layers.least("maximum"), -aside);
    let above = layers.most("exclusiveMinimum").map(|limit| limit + aside);
    let below = layers.least("exclusiveMaximum").map(|limit| limit - aside);
    let larger = lower.into_iter().chain(above).reduce(f64::max);
    let smaller = upper.into_iter().chain(below).reduce(f64::min);
    (larger, smaller)
}
