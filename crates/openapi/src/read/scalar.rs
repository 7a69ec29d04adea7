//! What a scalar of YAML means: the core schema of YAML 1.2.2 (section 10.3).
//!
//! Words that only YAML 1.1 knew (`yes`, `on`, dates, octal numbers with a leading zero) are text.

use saphyr_parser::{ScalarStyle, Tag};
use serde_json::{Number, Value};

use super::number;

/// The value of a scalar.
pub(super) struct Scalar {
    pub(super) value: Value,
    /// It is a number that its value does not say as it is written.
    pub(super) inexact: bool,
    /// The tag asks for something else than what is written.
    pub(super) misfit: bool,
}

/// Resolves a scalar by its tag, or else by how it is written.
pub(super) fn resolve(text: &str, style: ScalarStyle, tag: Option<&Tag>) -> Scalar {
    let core = tag.filter(|tag| tag.is_yaml_core_schema());
    let Some(tag) = core else {
        return match style {
            ScalarStyle::Plain => plain(text),
            _ => Scalar::of(Value::String(text.to_owned())),
        };
    };
    let wanted: fn(&Value) -> bool = match tag.suffix.as_str() {
        "null" => Value::is_null,
        "bool" => Value::is_boolean,
        "int" => |value| value.is_i64() || value.is_u64(),
        "float" => Value::is_number,
        _ => return Scalar::of(Value::String(text.to_owned())),
    };
    let found = plain(text);
    if wanted(&found.value) {
        return found;
    }
    Scalar {
        misfit: true,
        ..Scalar::of(Value::String(text.to_owned()))
    }
}

impl Scalar {
    fn of(value: Value) -> Self {
        Self {
            value,
            inexact: false,
            misfit: false,
        }
    }
}

fn plain(text: &str) -> Scalar {
    let value = match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" => Value::Bool(true),
        "false" | "False" | "FALSE" => Value::Bool(false),
        _ => match decimal(text).or_else(|| with_base(text)) {
            Some(number) => {
                return Scalar {
                    inexact: !number::is_exact(&number, text),
                    ..Scalar::of(Value::Number(number))
                };
            }
            // Infinity and NaN exist in YAML only.
            None => Value::String(text.to_owned()),
        },
    };
    Scalar::of(value)
}

/// `[-+]? ( \. [0-9]+ | [0-9]+ ( \. [0-9]* )? ) ( [eE] [-+]? [0-9]+ )?`
fn decimal(text: &str) -> Option<Number> {
    let signs = ['-', '+'];
    let unsigned = text.strip_prefix(signs).unwrap_or(text);
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (mantissa, exponent) = match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, Some(exponent)),
        None => (unsigned, None),
    };
    if let Some(exponent) = exponent {
        let exponent = exponent.strip_prefix(signs).unwrap_or(exponent);
        (!exponent.is_empty() && digits(exponent)).then_some(())?;
    }
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let some = !whole.is_empty() || !fraction.is_empty();
    (some && digits(whole) && digits(fraction)).then_some(())?;
    number::parse(text)
}

fn with_base(text: &str) -> Option<Number> {
    let (digits, base) = match text.strip_prefix("0x") {
        Some(digits) => (digits, 16),
        None => (text.strip_prefix("0o")?, 8),
    };
    // `from_str_radix` takes a sign.
    let unsigned = !digits.starts_with(['-', '+']);
    let number = u64::from_str_radix(digits, base).ok();
    number.filter(|_| unsigned).map(Number::from)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn words_and_numbers_are_those_of_the_core_schema() {
        for (text, value) in [
            ("", json!(null)),
            ("~", json!(null)),
            ("True", json!(true)),
            ("yes", json!("yes")),
            ("12", json!(12)),
            ("+12", json!(12)),
            ("-0", json!(-0.0)),
            ("0o17", json!(15)),
            ("0x1F", json!(31)),
            ("0x-1", json!("0x-1")),
            ("017", json!(17)),
            ("1.", json!(1.0)),
            (".5", json!(0.5)),
            ("1e3", json!(1000.0)),
            ("1e999", json!("1e999")),
            (".", json!(".")),
            ("-", json!("-")),
            ("1e", json!("1e")),
            ("1.2.3", json!("1.2.3")),
            ("1_000", json!("1_000")),
            (".inf", json!(".inf")),
            ("2020-01-31", json!("2020-01-31")),
            ("infinity1", json!("infinity1")),
        ] {
            assert_eq!(
                resolve(text, ScalarStyle::Plain, None).value,
                value,
                "{text}"
            );
        }
        assert!(resolve("1.10", ScalarStyle::Plain, None).inexact);
        let quoted = resolve("1.10", ScalarStyle::SingleQuoted, None);
        assert!(quoted.value == "1.10" && !quoted.inexact);
    }

    #[test]
    fn tags_win_over_what_is_written() {
        let tag = |suffix: &str| Tag {
            handle: "tag:yaml.org,2002:".to_owned(),
            suffix: suffix.to_owned(),
        };
        let tagged = |text, style, suffix| {
            let scalar = resolve(text, style, Some(&tag(suffix)));
            (scalar.value, scalar.misfit)
        };
        let (plain, quoted) = (ScalarStyle::Plain, ScalarStyle::DoubleQuoted);
        assert_eq!(tagged("12", plain, "str"), (json!("12"), false));
        assert_eq!(tagged("12", quoted, "int"), (json!(12), false));
        assert_eq!(tagged("x", plain, "int"), (json!("x"), true));
        assert_eq!(tagged("1.5", plain, "int"), (json!("1.5"), true));
        assert_eq!(tagged("AA==", plain, "binary"), (json!("AA=="), false));
    }
}
