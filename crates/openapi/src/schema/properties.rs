//! What must hold for any schema and any value.

use super::*;
use proptest::prelude::*;
use serde_json::{Map, json};

pub(crate) fn schema() -> impl Strategy<Value = Value> {
    let keyword = prop::sample::select(vec![
        "type",
        "enum",
        "minimum",
        "exclusiveMaximum",
        "multipleOf",
        "maxLength",
        "minItems",
        "uniqueItems",
        "format",
        "pattern",
        "required",
        "properties",
        "patternProperties",
        "items",
        "additionalProperties",
        "not",
        "allOf",
        "anyOf",
        "oneOf",
        "nullable",
        "const",
        "$ref",
        "$defs",
        "$id",
        "$schema",
        "$anchor",
        "if",
        "prefixItems",
        "contains",
        "dependentSchemas",
        "propertyNames",
        "discriminator",
    ]);
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<f32>().prop_map(|number| json!(number)),
        prop::sample::select(vec![
            "string", "null", "(", "a+", "#/x", "#", "int64", "uuid"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::vec((keyword.clone(), inner), 0..4).prop_map(|members| {
                members
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value))
                    .collect()
            }),
        ]
    })
}

/// Anything that JSON can say, small.
pub(crate) fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        (-5..5i64).prop_map(Value::from),
        any::<f64>().prop_map(|number| json!(number)),
        "[a-c]{0,3}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 16, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            prop::collection::hash_map("[a-c]", inner, 0..3)
                .prop_map(|members| members.into_iter().collect()),
        ]
    })
}

/// A well-formed schema and a value made to fit it.
pub(crate) fn fitting() -> impl Strategy<Value = (Value, Value)> {
    let leaf = prop_oneof![
        Just((json!({"type": "null"}), Value::Null)),
        any::<bool>().prop_map(|flag| (json!({"type": "boolean"}), json!(flag))),
        (-5..0i64, 0..5i64).prop_map(|(low, high)| {
            let schema = json!({"type": "integer", "minimum": low, "exclusiveMaximum": high + 1});
            (schema, json!(i64::midpoint(low, high)))
        }),
        ("[a-c]{0,3}", 3..5u64).prop_map(|(text, most)| {
            (
                json!({"type": ["string", "null"], "maxLength": most, "pattern": "^[a-c]*$"}),
                json!(text),
            )
        }),
        (value(), value()).prop_map(|(one, other)| (json!({"enum": [other, one.clone()]}), one)),
        value().prop_map(|only| (json!({"const": only.clone()}), only)),
    ];
    leaf.prop_recursive(3, 24, 3, |inner| {
        prop_oneof![
            (inner.clone(), 0..3usize).prop_map(|((schema, value), count)| {
                let schema = json!({"type": "array", "items": schema, "maxItems": 2});
                (schema, json!(vec![value; count.min(2)]))
            }),
            (
                prop::collection::hash_map("[a-c]", inner.clone(), 0..3),
                any::<bool>()
            )
                .prop_map(|(members, open)| object(&members.into_iter().collect::<Vec<_>>(), open)),
            (inner.clone(), inner.clone()).prop_map(|((schema, value), (other, _))| {
                (json!({"anyOf": [other, schema]}), value)
            }),
            inner.prop_map(|(schema, value)| (json!({"allOf": [schema, {"title": "T"}]}), value)),
        ]
    })
}

fn object(members: &[(String, (Value, Value))], open: bool) -> (Value, Value) {
    let required: Vec<&String> = members.iter().map(|(name, _)| name).collect();
    let schemas: Map<String, Value> = members
        .iter()
        .map(|(name, (schema, _))| (name.clone(), schema.clone()))
        .collect();
    let schema = json!({
        "type": "object", "required": required, "properties": schemas, "additionalProperties": open,
    });
    let value = members
        .iter()
        .map(|(name, (_, value))| (name.clone(), value.clone()))
        .collect();
    (schema, value)
}

pub(crate) fn violations(schema: &Value, value: &Value) -> Vec<Violation> {
    let root = json!({ "openapi": "3.1.0", "x": schema });
    let compiled = CompiledSchema::new(&root, &root["x"], Direction::Request, false);
    compiled.map_or_else(Vec::new, |schema| schema.violations("value", value))
}

proptest! {
    /// However broken a schema is, what is left of it can be compiled.
    #[test]
    fn every_schema_compiles(schema in schema(), old in any::<bool>()) {
        let root = json!({ "x": schema });
        for direction in [Direction::Request, Direction::Response] {
            let translated = translate::translate(&root, &root["x"], direction, old);
            prop_assert!(jsonschema::options().build(&translated).is_ok(), "{}", translated);
        }
    }

    /// However broken a schema is and whatever the value: there is an answer, and it says
    /// something about a place that exists or could.
    #[test]
    fn every_value_is_judged(schema in schema(), value in value(), old in any::<bool>()) {
        let root = json!({ "x": schema });
        let compiled = CompiledSchema::new(&root, &root["x"], Direction::Response, old);
        for violation in compiled.iter().flat_map(|schema| schema.violations("value", &value)) {
            let parent = violation.pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
            prop_assert!(value.pointer(parent).is_some(), "{violation:?}");
            prop_assert!(violation.message.contains(": "), "{violation:?}");
        }
    }

    #[test]
    fn what_fits_is_let_through((schema, value) in fitting()) {
        prop_assert_eq!(violations(&schema, &value), []);
    }

    /// Translating and explaining must neither lose an objection nor make one up.
    #[test]
    fn the_verdict_is_that_of_json_schema((schema, _) in fitting(), value in value()) {
        let fits = jsonschema::draft202012::is_valid(&schema, &value);
        prop_assert_eq!(violations(&schema, &value).is_empty(), fits, "{} {}", schema, value);
    }
}
