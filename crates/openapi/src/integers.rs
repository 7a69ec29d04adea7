//! The integers that a format holds: `int32` and `int64` of the OpenAPI format registry.
//!
//! JSON Schema has no such formats. Its `minimum` and `maximum` do not do: an integer that 64 bits do
//! not hold is read as the nearest floating-point number, which can be the bound itself.

use std::ops::RangeInclusive;

use jsonschema::paths::Location;
use jsonschema::{Keyword, ValidationError};
use serde_json::{Map, Value};

use crate::marks::is_or_holds;

/// The keyword that stands for such a format in a translated schema; OpenAPI has none of this name.
pub(crate) const KEYWORD: &str = "x-integers";

/// The format of a schema, if it bounds numbers.
pub(crate) fn format_in(schema: &Map<String, Value>) -> Option<&Value> {
    let kind = schema.get("type")?;
    let is_number = is_or_holds(kind, "integer") || is_or_holds(kind, "number");
    let format = schema.get("format").filter(|_| is_number)?;
    Integers::of(format).map(|_| format)
}

/// The integers of a format.
pub(crate) struct Integers {
    known: RangeInclusive<i64>,
    bits: u8,
}

impl Integers {
    pub(crate) fn of(format: &Value) -> Option<Self> {
        match format.as_str()? {
            "int32" => Some(Self {
                known: i32::MIN.into()..=i32::MAX.into(),
                bits: 32,
            }),
            "int64" => Some(Self {
                known: i64::MIN..=i64::MAX,
                bits: 64,
            }),
            _ => None,
        }
    }

    /// Whether it holds the value. What is no number is not its business.
    pub(crate) fn hold(&self, value: &Value) -> bool {
        let Value::Number(number) = value else {
            return true;
        };
        match (number.as_i64(), number.as_f64()) {
            (Some(whole), _) => self.known.contains(&whole),
            // Strictly, because the bound may be what a number beyond it was read as.
            (None, Some(float)) => {
                number.is_f64() && float.abs() < 2_f64.powi(i32::from(self.bits) - 1)
            }
            (None, None) => false,
        }
    }
}

impl Keyword<'_> for Integers {
    fn validate<'i>(&self, instance: &'i Value) -> Result<(), ValidationError<'i>> {
        if self.hold(instance) {
            return Ok(());
        }
        let bits = self.bits;
        let message = format!("must be a whole number of {bits} bits, got {instance}");
        Err(ValidationError::custom(message))
    }

    fn is_valid(&self, instance: &Value) -> bool {
        self.hold(instance)
    }
}

/// What makes [`KEYWORD`] of a schema work.
pub(crate) fn keyword<'a>(
    _: &'a Map<String, Value>,
    format: &'a Value,
    _: Location,
) -> Result<Box<dyn for<'i> Keyword<'i>>, ValidationError<'a>> {
    let integers = Integers::of(format);
    let integers = integers.ok_or_else(|| ValidationError::custom("no format of integers"))?;
    Ok(Box::new(integers))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::properties::violations;
    use serde_json::json;

    fn fits(schema: &Value, number: &str) -> bool {
        violations(schema, &serde_json::from_str(number).unwrap()).is_empty()
    }

    #[test]
    fn a_format_holds_its_integers_and_no_other() {
        let long = json!({"type": ["integer", "null"], "format": "int64"});
        for held in [
            "9223372036854775807",
            "-9223372036854775808",
            "0",
            "5.0",
            "null",
        ] {
            assert!(fits(&long, held), "{held}");
        }
        for beyond in [
            "9223372036854775808",
            "-9223372036854775809",
            "18446744073709551616",
            "1e19",
        ] {
            assert!(!fits(&long, beyond), "{beyond}");
        }
        let short = json!({"type": "integer", "format": "int32"});
        assert!(fits(&short, "-2147483648") && fits(&short, "2147483647"));
        assert!(!fits(&short, "-2147483649") && !fits(&short, "2147483648"));
    }

    #[test]
    fn it_holds_behind_a_reference_and_for_numbers_only() {
        let kinds = json!({"$defs": {"a": {"type": "integer", "format": "int32"}}, "items": {"$ref": "#/x/$defs/a"}});
        assert!(fits(&kinds, "[1]") && !fits(&kinds, "[2147483648]"));
        let text = json!({"type": "string", "format": "int64"});
        assert!(fits(&text, "\"18446744073709551616\""));
        let free = json!({"type": "integer", "format": "uint64"});
        assert!(fits(&free, "18446744073709551615"));
    }
}
