//! Points in time in JSON (RFC 7519 section 2, NumericDate), read as whole seconds since 1970.
//!
//! A fraction is allowed and rounded down. Text is refused: libraries that let a text through
//! skipped the check of the time altogether (CVE-2026-25537).

use serde::{Deserialize, Deserializer, de};

/// For `#[serde(default, deserialize_with = …)]` on an `Option`: absent is `None`, `null` is an
/// error.
pub(crate) fn optional<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    required(deserializer).map(Some)
}

/// For `#[serde(deserialize_with = …)]`.
pub(crate) fn required<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    if let Some(seconds) = number.as_i64() {
        return Ok(seconds);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the value was checked to fit"
    )]
    match number.as_f64() {
        Some(seconds) if seconds.abs() < 1e15 => Ok(seconds.floor() as i64),
        _ => Err(de::Error::custom("a time is out of range")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Deserialize)]
    struct Holder {
        #[serde(default, deserialize_with = "optional")]
        at: Option<i64>,
    }

    fn read(json: &str) -> Result<Option<i64>, serde_json::Error> {
        serde_json::from_str::<Holder>(json).map(|holder| holder.at)
    }

    #[test]
    fn rfc7519_2_numbers_and_fractions_are_times_and_nothing_else_is() {
        for (json, time) in [
            ("{}", None),
            (r#"{"at":1419356238}"#, Some(1_419_356_238)),
            (r#"{"at":1419356238.9}"#, Some(1_419_356_238)),
            (r#"{"at":-0.5}"#, Some(-1)),
        ] {
            assert_eq!(read(json).unwrap(), time, "{json}");
        }
        for wrong in [r#""1419356238""#, "null", "[1]", "true", "1e300"] {
            assert!(read(&format!(r#"{{"at":{wrong}}}"#)).is_err(), "{wrong}");
        }
    }
}
