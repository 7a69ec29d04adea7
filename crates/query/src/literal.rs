//! Values in filters, and how a value of an item compares with them.
//!
//! The item decides the kind of comparison, not the quotes: clients put quotes around numbers and
//! leave them off around names (domain.md 6.2). So a literal is a text that also knows which
//! number, boolean or instant it could be.

use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

/// A value as written in a filter.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Literal {
    /// The bare word `null`: no value.
    Null,
    /// Everything else.
    Text(Text),
}

/// A text and what else it can be read as; those are worked out once, when the filter is parsed.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Text {
    text: String,
    number: Option<Number>,
    boolean: Option<bool>,
    instant: Option<Timestamp>,
}

impl Literal {
    /// A bare word, escapes already resolved.
    pub(crate) fn bare(text: String) -> Self {
        if text.eq_ignore_ascii_case("null") {
            Self::Null
        } else {
            Self::quoted(text)
        }
    }

    /// What stood in quotes.
    pub(crate) fn quoted(text: String) -> Self {
        Self::Text(Text::new(text))
    }

    /// How a value of an item compares with this one; nothing when the two are of different kinds.
    pub(crate) fn order(&self, value: &Value) -> Option<Ordering> {
        let Self::Text(literal) = self else {
            return None;
        };
        match value {
            Value::Bool(value) => Some(value.cmp(&literal.boolean?)),
            Value::Number(value) => Some(Number::of(value).cmp(&literal.number?)),
            Value::String(value) => Some(literal.order_text(value)),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }

    /// Is the value of an item this one?
    pub(crate) fn equals(&self, value: &Value) -> bool {
        match self {
            Self::Null => value.is_null(),
            Self::Text(_) => self.order(value) == Some(Ordering::Equal),
        }
    }
}

impl Text {
    pub(crate) fn new(text: String) -> Self {
        Self {
            number: Number::parse(&text),
            boolean: boolean(&text),
            instant: instant(&text),
            text,
        }
    }

    pub(crate) fn as_str(&self) -> &str {
        &self.text
    }

    /// Is it clear without quotes what this is: a number, a boolean or an instant?
    pub(crate) fn speaks_for_itself(&self) -> bool {
        self.number.is_some() || self.boolean.is_some() || self.instant.is_some()
    }

    fn order_text(&self, value: &str) -> Ordering {
        // The value is only looked at as an instant when the literal is one: a list of thousands
        // of names is compared with each item of a list.
        let by_time = self
            .instant
            .and_then(|literal| Some(instant(value)?.cmp(&literal)));
        by_time.unwrap_or_else(|| value.cmp(&self.text))
    }
}

/// A finite number, compared by its value: 64-bit integers are never rounded to floats.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Number {
    Integer(i128),
    Float(f64),
}

impl Number {
    pub(crate) fn of(number: &serde_json::Number) -> Self {
        let integer = number
            .as_i64()
            .map(i128::from)
            .or(number.as_u64().map(i128::from));
        // A JSON number that is no 64-bit integer is a float; serde_json has no other kind.
        integer.map_or_else(
            || Self::Float(number.as_f64().unwrap_or_default()),
            Self::Integer,
        )
    }

    fn parse(text: &str) -> Option<Self> {
        // Rust would also read `inf` and `nan`, which are names here.
        let shape = |c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E');
        if !text.chars().all(shape) {
            return None;
        }
        if let Ok(integer) = text.parse() {
            return Some(Self::Integer(integer));
        }
        text.parse()
            .ok()
            .filter(|float: &f64| float.is_finite())
            .map(Self::Float)
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(b),
            (Self::Integer(a), Self::Float(b)) => integer_with_float(*a, *b),
            (Self::Float(a), Self::Integer(b)) => integer_with_float(*b, *a).reverse(),
            // Adding zero makes -0.0 the same as 0.0, which total_cmp would tell apart.
            (Self::Float(a), Self::Float(b)) => (a + 0.0).total_cmp(&(b + 0.0)),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Number {}

/// The instant a text names, when it is an RFC 3339 date-time (section 5.6: date, `T`, time, zone).
pub(crate) fn instant(text: &str) -> Option<Timestamp> {
    let bytes = text.as_bytes();
    let shape = bytes.len() >= "2020-01-01T00:00:00Z".len()
        && bytes[4] == b'-'
        && matches!(bytes[10], b'T' | b't')
        // jiff also reads RFC 9557's `[Europe/Paris]` behind it.
        && !bytes.contains(&b'[');
    if shape { text.parse().ok() } else { None }
}

fn boolean(text: &str) -> Option<bool> {
    // Scripts print their own booleans, Python for one with a capital.
    if text.eq_ignore_ascii_case("true") {
        Some(true)
    } else if text.eq_ignore_ascii_case("false") {
        Some(false)
    } else {
        None
    }
}

/// Exact: the float's whole part is compared as an integer, then its fraction decides.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the range is checked before, and dropping the fraction is the purpose"
)]
fn integer_with_float(integer: i128, float: f64) -> Ordering {
    /// 2 to the power of 127: the first float beyond `i128`.
    const BEYOND: f64 = 170_141_183_460_469_231_731_687_303_715_884_105_728.0;
    if float >= BEYOND {
        return Ordering::Less;
    }
    if float < -BEYOND {
        return Ordering::Greater;
    }
    let fraction = float.fract();
    integer.cmp(&(float.trunc() as i128)).then_with(|| {
        if fraction > 0.0 {
            Ordering::Less
        } else if fraction < 0.0 {
            Ordering::Greater
        } else {
            Ordering::Equal
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn order(value: &Value, literal: &str) -> Option<Ordering> {
        Literal::bare(literal.to_owned()).order(value)
    }

    #[test]
    fn large_integers_are_not_rounded() {
        assert_eq!(
            order(&json!(9_007_199_254_740_993_i64), "9007199254740992"),
            Some(Ordering::Greater)
        );
        assert_eq!(
            order(&json!(u64::MAX), "18446744073709551614"),
            Some(Ordering::Greater)
        );
        assert_eq!(
            order(&json!(u64::MAX), "18446744073709551615"),
            Some(Ordering::Equal)
        );
        assert_eq!(
            order(&json!(u64::MAX), "18446744073709551616"),
            Some(Ordering::Less)
        );
        // As floats these two would be the same.
        assert_eq!(
            order(&json!(9_007_199_254_740_993_i64), "9007199254740992.0"),
            Some(Ordering::Greater)
        );
    }

    #[test]
    fn integers_and_floats_compare_by_value() {
        assert_eq!(order(&json!(2), "2.0"), Some(Ordering::Equal));
        assert_eq!(order(&json!(2), "2.5"), Some(Ordering::Less));
        assert_eq!(order(&json!(-2), "-2.5"), Some(Ordering::Greater));
        assert_eq!(order(&json!(2.5), "2"), Some(Ordering::Greater));
        assert_eq!(order(&json!(0.0), "-0.0"), Some(Ordering::Equal));
        assert_eq!(order(&json!(1), "1e300"), Some(Ordering::Less));
        assert_eq!(order(&json!(1), "-1e300"), Some(Ordering::Greater));
    }

    #[test]
    fn what_is_no_number_does_not_compare_with_one() {
        for text in ["", "inf", "NaN", "1e999", "12px", "--1", "e"] {
            assert_eq!(order(&json!(1), text), None, "{text}");
        }
        assert_eq!(order(&json!({"a": 1}), "1"), None);
    }

    #[test]
    fn strings_stay_strings_however_numeric() {
        assert_eq!(order(&json!("007"), "7"), Some(Ordering::Less));
        assert_eq!(order(&json!("true"), "True"), Some(Ordering::Greater));
        assert_eq!(order(&json!("v1"), "V1"), Some(Ordering::Greater));
    }

    #[test]
    fn instants_compare_across_zones_and_only_with_instants() {
        let value = json!("2024-06-01T12:00:00+02:00");
        assert_eq!(order(&value, "2024-06-01T10:00:00Z"), Some(Ordering::Equal));
        assert_eq!(
            order(&value, "2024-06-01T10:00:00.001z"),
            Some(Ordering::Less)
        );
        assert_eq!(order(&value, "2024-06-01"), Some(Ordering::Greater));
        assert_eq!(instant("2024-06-01T10:00:00Z[UTC]"), None);
        assert_eq!(instant("2024-06-01 10:00:00Z"), None);
        assert_eq!(instant("ä2024-06-01T10:00:00Zäää"), None);
    }

    #[test]
    fn booleans_are_read_in_any_case() {
        assert_eq!(order(&json!(false), "False"), Some(Ordering::Equal));
        assert_eq!(order(&json!(true), "false"), Some(Ordering::Greater));
        assert_eq!(order(&json!(true), "yes"), None);
    }

    #[test]
    fn only_the_bare_word_is_null() {
        assert!(Literal::bare("NULL".to_owned()).equals(&Value::Null));
        assert!(!Literal::quoted("null".to_owned()).equals(&Value::Null));
        assert!(Literal::quoted("null".to_owned()).equals(&json!("null")));
    }
}
