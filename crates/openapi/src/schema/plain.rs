//! A quick yes for values of simple schemas.
//!
//! Making a validator takes milliseconds, and a command line checks a few numbers and words. Here a
//! value is only ever found good: whatever is not understood at once is left to the validator, and so
//! are the words for what is wrong.

use serde_json::{Map, Value};

use crate::integers::Integers;

/// Keywords that say nothing about which values are good.
const REMARKS: &[&str] = &[
    "default",
    "deprecated",
    "description",
    "example",
    "examples",
    "title",
];

/// Whether the value is certainly good.
pub(super) fn certainly_fits(schema: &Value, value: &Value) -> bool {
    schema
        .as_object()
        .is_some_and(|schema| schema.iter().all(|keyword| holds(schema, keyword, value)))
}

fn holds(schema: &Map<String, Value>, (name, wanted): (&String, &Value), value: &Value) -> bool {
    match name.as_str() {
        "type" => has_type(wanted, value),
        "enum" => wanted.as_array().is_some_and(|known| known.contains(value)),
        "minimum" => !exclusive(schema) && number(value) >= number(wanted) && wanted.is_number(),
        "maximum" => !exclusive(schema) && number(value) <= number(wanted) && wanted.is_number(),
        "format" => Integers::of(wanted).is_some_and(|it| value.is_number() && it.hold(value)),
        name => REMARKS.contains(&name),
    }
}

/// Beside a bound that is itself no good value, nothing is certain here.
fn exclusive(schema: &Map<String, Value>) -> bool {
    schema.contains_key("exclusiveMinimum") || schema.contains_key("exclusiveMaximum")
}

fn has_type(wanted: &Value, value: &Value) -> bool {
    match wanted.as_str() {
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("integer") => value.is_i64() || value.is_u64(),
        Some("number") => value.is_number(),
        _ => false,
    }
}

/// Not a number compares as false with everything.
fn number(value: &Value) -> f64 {
    value.as_f64().unwrap_or(f64::NAN)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::CompiledSchema;
    use crate::schema::Direction;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn numbers_and_words_are_found_good() {
        let limit = json!({"type": "integer", "format": "int64", "minimum": 0, "example": 10});
        assert!(certainly_fits(&limit, &json!(1)));
        assert!(certainly_fits(
            &json!({"type": "string", "enum": ["a", "b"]}),
            &json!("b")
        ));
        assert!(certainly_fits(
            &json!({"type": "string", "description": "x"}),
            &json!("x")
        ));
        assert!(!certainly_fits(&limit, &json!(-1)));
        assert!(!certainly_fits(&limit, &json!("1")));
        assert!(!certainly_fits(&json!({"$ref": "#/x"}), &json!(1)));
        assert!(!certainly_fits(
            &json!({"type": "string", "pattern": "a"}),
            &json!("a")
        ));
    }

    fn any_schema() -> impl Strategy<Value = Value> {
        let keyword = prop_oneof![
            prop_oneof!["string", "boolean", "integer", "number", "array"]
                .prop_map(|word| ("type", json!(word))),
            prop::collection::vec(any_value(), 1..3).prop_map(|known| ("enum", json!(known))),
            (-3..3).prop_map(|bound| ("minimum", json!(bound))),
            (-3..3).prop_map(|bound| ("maximum", json!(bound))),
            any::<bool>().prop_map(|is| ("exclusiveMinimum", json!(is))),
            prop_oneof!["int32", "int64", "date"].prop_map(|word| ("format", json!(word))),
            any::<bool>().prop_map(|is| ("nullable", json!(is))),
            "[a-z]{0,3}".prop_map(|word| ("pattern", json!(word))),
            Just(("title", json!("t"))),
        ];
        prop::collection::vec(keyword, 0..4).prop_map(|keywords| {
            keywords
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value))
                .collect::<Map<_, _>>()
                .into()
        })
    }

    fn any_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            (-5..5_i64).prop_map(Value::from),
            prop::sample::select(vec![-1 << 31, (1 << 31) - 1, 1 << 31, i64::MIN, i64::MAX])
                .prop_map(Value::from),
            Just(Value::from(u64::MAX)),
            (-5.0..5.0).prop_map(|number: f64| Value::from(number)),
            any::<bool>().prop_map(Value::from),
            "[a-c]{0,2}".prop_map(Value::from),
            Just(Value::Null),
        ]
    }

    proptest! {
        #[test]
        fn what_is_found_good_is_good(schema in any_schema(), value in any_value(), old: bool) {
            if certainly_fits(&schema, &value) {
                let compiled = CompiledSchema::new(&schema, &schema, Direction::Request, old);
                let violations = compiled.map(|it| it.violations("x", &value)).unwrap_or_default();
                prop_assert!(violations.is_empty(), "{schema} {value}");
            }
        }
    }
}
