//! How far points lie apart: a number of minutes, of hours, of what the parameter's name says; a time
//! such as `5m`; or a word.

use hallpass_openapi::{Definition, Operation, Parameter};
use jiff::{Span, SpanRelativeTo};
use serde_json::Value;

use super::{given, in_query};
use crate::generic::names;
use crate::rest::Refusal;
use crate::sandbox::Request;

pub(super) const HOUR: i64 = 3600;
pub(super) const DAY: i64 = 24 * HOUR;

/// How far points lie apart where the definition does not say.
const STEPS: [i64; 4] = [300, HOUR, DAY, 7 * DAY];

/// How names begin of parameters that say how far points lie apart.
const NAMES: [&str; 4] = ["timeinterval", "interval", "granularity", "resolution"];

/// Words for how far they lie apart.
const SPOKEN: [(&str, i64); 8] = [
    ("minute", 60),
    ("minutely", 60),
    ("hour", HOUR),
    ("hourly", HOUR),
    ("day", DAY),
    ("daily", DAY),
    ("week", 7 * DAY),
    ("weekly", 7 * DAY),
];

/// The parameter that says how far points lie apart, in seconds.
#[derive(Debug)]
pub(super) struct Apart {
    name: String,
    /// What it counts.
    unit: i64,
    default: Option<i64>,
    /// What may be asked for; the least first.
    steps: Vec<i64>,
}

impl Apart {
    /// The parameter of an operation, if it has one.
    pub(super) fn of(definition: &Definition, operation: &Operation) -> Option<Self> {
        let mut parameters = in_query(operation);
        let found = parameters.find(|one| {
            let key = names::key(&one.name);
            NAMES.iter().any(|word| key.starts_with(word))
        });
        found.map(|found| Self::said(definition, found))
    }

    /// The steps among which one can choose; the least first.
    pub(super) fn steps(this: Option<&Self>) -> &[i64] {
        this.map_or(&STEPS[..], |this| &this.steps)
    }

    fn said(definition: &Definition, parameter: &Parameter) -> Self {
        let unit = unit(&parameter.name);
        let schema = definition.resolve(&parameter.schema);
        let listed = schema.get("enum").and_then(Value::as_array);
        let texts = listed.into_iter().flatten().map(text_of);
        let mut steps: Vec<i64> = texts.filter_map(|text| seconds(&text, unit)).collect();
        steps.sort_unstable();
        if steps.is_empty() {
            steps = STEPS.to_vec();
        }
        let default = schema.get("default").map(text_of);
        Self {
            name: parameter.name.clone(),
            unit,
            default: default.and_then(|text| seconds(&text, unit)),
            steps,
        }
    }

    /// The step that a request asks for.
    pub(super) fn asked(
        &self,
        definition: &Definition,
        request: &Request<'_>,
    ) -> Result<Option<i64>, Refusal> {
        let Some(text) = given(request, &self.name) else {
            return Ok(self.default);
        };
        let refused = |message: &str| Refusal::invalid(self.name.clone(), &message);
        let wrong = |value: Value| {
            let wrong = definition.check_parameter(request.operation, &self.name, &value);
            wrong.into_iter().next()
        };
        // Texts of digits are texts for some definitions, and numbers for others.
        let as_number = text.parse::<i64>().ok().map(Value::from);
        let as_number_fits = as_number.is_some_and(|number| wrong(number).is_none());
        if !as_number_fits && let Some(violation) = wrong(Value::from(text)) {
            return Err(refused(&violation.message));
        }
        let step = seconds(text, self.unit);
        let refusal =
            || refused("how far points lie apart is a number above zero, or a time such as 5m");
        step.map(Some).ok_or_else(refusal)
    }
}

fn text_of(value: &Value) -> String {
    value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned)
}

/// What a parameter of this name counts, in seconds.
fn unit(name: &str) -> i64 {
    let words = names::words(name);
    match words.last().map(String::as_str) {
        Some("min" | "mins" | "minute" | "minutes") => 60,
        Some("hour" | "hours") => HOUR,
        Some("day" | "days") => DAY,
        _ => 1,
    }
}

/// How many seconds a text says: a number of units, a time such as `5m` or `PT1H`, or a word.
fn seconds(text: &str, unit: i64) -> Option<i64> {
    let spoken = SPOKEN
        .iter()
        .find(|(word, _)| text.eq_ignore_ascii_case(word));
    let found = match (text.parse::<i64>(), spoken) {
        (Ok(number), _) => number.checked_mul(unit)?,
        (Err(_), Some((_, seconds))) => *seconds,
        (Err(_), None) => {
            let span: Span = text.parse().ok()?;
            let days = SpanRelativeTo::days_are_24_hours();
            span.to_duration(days).ok()?.as_secs()
        }
    };
    // A year apart is as far as it makes sense, and keeps every sum within bounds.
    (1..=366 * DAY).contains(&found).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_are_numbers_of_what_the_name_says_times_or_words() {
        let cases = [
            ("60", "timeIntervalMin", Some(HOUR)),
            ("60", "interval", Some(60)),
            ("2", "interval_hours", Some(2 * HOUR)),
            ("5m", "granularity", Some(300)),
            ("PT1H", "granularity", Some(HOUR)),
            ("1d", "granularity", Some(DAY)),
            ("Hourly", "granularity", Some(HOUR)),
            ("0", "interval", None),
            ("-5m", "interval", None),
            ("9223372036854775807", "interval_hours", None),
            ("soon", "interval", None),
        ];
        for (text, name, expected) in cases {
            assert_eq!(seconds(text, unit(name)), expected, "{name}={text}");
        }
    }
}
