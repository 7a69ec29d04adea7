//! How a moment is written in an answer: as a number of something since 1970, or as a text.

use jiff::Timestamp;
use serde_json::Value;

use crate::generic::names;

/// A way to write moments.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stamp {
    /// So many of these make a second.
    Number(i64),
    /// Date and time (RFC 3339).
    Text,
    /// The date alone.
    Date,
}

/// From these numbers on, one is counted in nanoseconds, microseconds and milliseconds since 1970.
const UNITS: [(f64, i64); 3] = [(1e17, 1_000_000_000), (1e14, 1_000_000), (1e11, 1000)];

/// A number below this is no moment, but the example of one that nobody thought about.
const LEAST: f64 = 1e8;

impl Stamp {
    /// How a member of this name is written, going by its example. How large a number is says what it
    /// counts: the real service calls seconds `timestampMs`.
    pub(super) fn of(name: &str, example: &Value) -> Option<Self> {
        match example {
            Value::String(text) if text.parse::<Timestamp>().is_ok() => Some(Self::Text),
            Value::String(text) if text.parse::<jiff::civil::Date>().is_ok() => Some(Self::Date),
            Value::String(_) => None,
            number => Self::of_number(name, number.as_f64()?),
        }
    }

    fn of_number(name: &str, number: f64) -> Option<Self> {
        if number >= LEAST {
            return Some(Self::Number(per_second(number)));
        }
        let words = names::words(name);
        let unit = words.last().map(String::as_str);
        let counts = matches!(unit, Some("ms" | "millis" | "milliseconds"));
        (number.abs() < 1.0).then_some(Self::Number(if counts { 1000 } else { 1 }))
    }

    /// A moment, given in seconds since 1970.
    pub(super) fn write(self, second: i64) -> Value {
        let at = || Timestamp::from_second(second).unwrap_or_default();
        match self {
            Self::Number(per_second) => Value::from(second.saturating_mul(per_second)),
            Self::Text => at().to_string().into(),
            Self::Date => at().strftime("%Y-%m-%d").to_string().into(),
        }
    }
}

/// The second since 1970 that a text means.
pub(super) fn second(text: &str) -> Option<i64> {
    let text = text.trim();
    let at = if let Ok(number) = text.parse::<i64>() {
        #[expect(
            clippy::cast_precision_loss,
            reason = "its magnitude is all that counts"
        )]
        let per_second = per_second(number as f64);
        Timestamp::from_second(number.div_euclid(per_second)).ok()
    } else if let Ok(date) = text.parse::<jiff::civil::Date>()
        && text.len() == DATE.len()
    {
        let midnight = date.to_zoned(jiff::tz::TimeZone::UTC).ok();
        midnight.map(|zoned| zoned.timestamp())
    } else {
        text.parse().ok()
    };
    at.map(Timestamp::as_second)
}

/// How a date without a time is written.
const DATE: &str = "2024-03-01";

fn per_second(number: f64) -> i64 {
    let unit = UNITS.iter().find(|(least, _)| number >= *least);
    unit.map_or(1, |(_, per_second)| *per_second)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn the_example_says_what_a_number_counts_and_the_name_only_where_it_does_not() {
        let cases = [
            ("timestampMs", json!(1_605_063_600), Some(Stamp::Number(1))),
            (
                "at",
                json!(1_605_063_600_000_i64),
                Some(Stamp::Number(1000)),
            ),
            ("at", json!(1.605e18), Some(Stamp::Number(1_000_000_000))),
            ("timeMs", json!(0), Some(Stamp::Number(1000))),
            ("time", json!(0), Some(Stamp::Number(1))),
            ("time", json!("2024-03-01T12:00:00Z"), Some(Stamp::Text)),
            ("date", json!("2024-03-01"), Some(Stamp::Date)),
            ("timeZone", json!("UTC"), None),
            ("times", json!(12), None),
        ];
        for (name, example, stamp) in cases {
            assert_eq!(Stamp::of(name, &example), stamp, "{name} {example}");
        }
    }

    #[test]
    fn moments_are_read_in_every_way_in_which_they_are_written() {
        let noon = 1_709_294_400;
        for stamp in [Stamp::Number(1), Stamp::Number(1000), Stamp::Text] {
            let written = stamp.write(noon);
            let text = written.as_str().map_or(written.to_string(), str::to_owned);
            assert_eq!(second(&text), Some(noon), "{text}");
        }
        assert_eq!(Stamp::Date.write(noon), json!("2024-03-01"));
        assert_eq!(second("2024-03-01"), Some(noon - 43_200));
        for text in ["", "noon", "99999999999999999999", "-9999999999999"] {
            assert_eq!(second(text), None, "{text}");
        }
    }
}
