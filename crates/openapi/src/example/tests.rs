use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::testing::{operation, small};

/// A definition with one operation whose body and answer have this schema.
fn with_schema(version: &str, schema: &Value, schemas: &Value) -> Definition {
    let content = json!({"application/json": {"schema": schema}});
    let document = json!({
        "openapi": version,
        "info": {"title": "T", "version": "1"},
        "paths": {"/a": {"post": {
            "operationId": "Do",
            "requestBody": {"required": true, "content": content},
            "responses": {"200": {"description": "Done", "content": content}},
        }}},
        "components": {"schemas": schemas},
    });
    Definition::read(&document.to_string()).unwrap().definition
}

#[track_caller]
fn body(schema: &Value, schemas: &Value, fill: Fill) -> Value {
    let definition = with_schema("3.0.3", schema, schemas);
    let operation = operation(&definition, "Do");
    let body = definition.example_body(operation, fill).unwrap();
    assert_eq!(definition.check_body(operation, &body), [], "{body}");
    body
}

#[track_caller]
fn all(schema: &Value) -> Value {
    body(schema, &json!({}), Fill::All)
}

#[test]
fn what_the_definition_shows_is_taken() {
    let shown = json!({
        "type": "object",
        "properties": {
            "own": {"type": "string", "example": "shown"},
            "list": {"type": "array", "items": {"type": "integer", "example": 7}},
            "fallback": {"type": "integer", "default": 3},
            "choice": {"type": "string", "enum": [null, "THIN", "FULL"], "nullable": true},
            "empty": {"type": "string", "example": null, "nullable": true},
        },
    });
    let wanted =
        json!({"own": "shown", "list": [7], "fallback": 3, "choice": "THIN", "empty": "empty"});
    assert_eq!(all(&shown), wanted);
    let whole = json!({"type": "object", "example": {"a": 1}, "properties": {"a": {}, "b": {}}});
    assert_eq!(all(&whole), json!({"a": 1}));
}

#[test]
fn an_example_that_breaks_its_schema_is_not_believed() {
    let schema = json!({
        "type": "object",
        "example": {"sizeMib": "large", "name": "x"},
        "required": ["sizeMib"],
        "properties": {
            "sizeMib": {"type": "integer", "minimum": 16, "example": "16 MiB"},
            "name": {"type": "string", "minLength": 3, "example": "good"},
        },
    });
    assert_eq!(all(&schema), json!({"sizeMib": 16, "name": "good"}));
}

#[test]
fn only_what_must_be_there_with_the_values_that_are_shown_around_it() {
    let schema = json!({
        "type": "object",
        "example": {"name": "nightly", "comment": "c"},
        "required": ["name", "id", "tags", "more"],
        "properties": {
            "id": {"type": "integer", "readOnly": true},
            "name": {"type": "string"},
            "comment": {"type": "string"},
            "tags": {"type": "object", "required": ["key"], "properties": {
                "key": {"type": "string"}, "value": {"type": "string"},
            }},
        },
    });
    assert_eq!(
        body(&schema, &json!({}), Fill::Required),
        json!({"name": "nightly", "tags": {"key": "key"}, "more": "more"})
    );
    let advised_against = json!({"type": "object", "required": ["b"], "properties": {
        "a": {"type": "string", "deprecated": true}, "b": {"type": "string", "deprecated": true},
    }});
    assert_eq!(all(&advised_against), json!({"b": "b"}));
}

#[test]
fn what_is_shown_besides_what_must_be_there() {
    let schema = json!({"type": "object", "required": ["name"], "properties": {
        "name": {"type": "string"},
        "size": {"type": "integer", "example": 16},
        "count": {"type": "number"},
        "hosts": {"type": "array", "items": {"type": "object", "properties": {
            "id": {"type": "string", "example": "h1"}, "note": {"type": "string"},
        }}},
        "gone": {"type": "string", "example": "x", "deprecated": true},
    }});
    assert_eq!(
        body(&schema, &json!({}), Fill::Shown),
        json!({"name": "name", "size": 16, "hosts": [{"id": "h1"}]})
    );
    assert_eq!(
        all(&schema)["count"],
        json!(1),
        "no fraction where none is needed"
    );
}

#[test]
fn circles_end() {
    let schemas = json!({
        "Node": {"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"},
            "parent": {"$ref": "#/components/schemas/Node"},
            "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
            "peer": {"nullable": true, "allOf": [{"$ref": "#/components/schemas/Node"}]},
        }},
        "Self": {"$ref": "#/components/schemas/Self"},
        "Endless": {"type": "object", "required": ["next"], "properties": {
            "next": {"$ref": "#/components/schemas/Endless"},
        }},
    });
    let node = json!({"$ref": "#/components/schemas/Node"});
    let made = body(&node, &schemas, Fill::All);
    assert_eq!(made, json!({"name": "name", "children": [], "peer": null}));
    let itself = json!({"$ref": "#/components/schemas/Self"});
    let definition = with_schema("3.0.3", &itself, &schemas);
    let made = definition.example_body(operation(&definition, "Do"), Fill::All);
    assert_eq!(made, Some(json!("text")));
    let endless = json!({"$ref": "#/components/schemas/Endless"});
    let definition = with_schema("3.0.3", &endless, &schemas);
    let made = definition.example_body(operation(&definition, "Do"), Fill::All);
    assert_eq!(made, Some(Value::Null), "no value fits it");
}

#[test]
fn a_value_has_an_end_however_much_it_could_hold() {
    let mut schemas = serde_json::Map::new();
    for level in 0..30 {
        let next = json!({"$ref": format!("#/components/schemas/L{}", level + 1)});
        let twice = json!({"type": "object", "properties": {"a": next, "b": next, "c": next}});
        schemas.insert(format!("L{level}"), twice);
    }
    schemas.insert("L30".to_owned(), json!({"type": "string"}));
    let first = json!({"$ref": "#/components/schemas/L0"});
    let made = body(&first, &Value::Object(schemas), Fill::All).to_string();
    assert!(made.len() < 100_000, "{}", made.len());
}

#[test]
fn branches_are_tried_until_one_fits() {
    let schema = json!({"type": "object", "properties": {"either": {"oneOf": [
        {"type": "object", "required": ["a"], "additionalProperties": false,
         "properties": {"a": {"type": "string", "pattern": "^[0-9]{12}$"}}},
        {"type": "integer", "minimum": 5},
    ]}}});
    assert_eq!(all(&schema), json!({"either": 5}));
    let definition = with_schema("3.1.0", &json!({"type": ["null", "boolean"]}), &json!({}));
    let made = definition.example_body(operation(&definition, "Do"), Fill::All);
    assert_eq!(made, Some(json!(false)));
    let definition = with_schema("3.1.0", &json!({"const": 4}), &json!({}));
    let made = definition.example_body(operation(&definition, "Do"), Fill::All);
    assert_eq!(made, Some(json!(4)));
}

#[test]
fn answers_show_what_only_answers_have() {
    let schema = json!({"type": "object", "properties": {
        "id": {"type": "string", "readOnly": true},
        "password": {"type": "string", "writeOnly": true},
    }});
    let definition = with_schema("3.0.3", &schema, &json!({}));
    let operation = operation(&definition, "Do");
    assert_eq!(
        definition.example_answer(operation, 200),
        Some(json!({"id": "id"}))
    );
    assert_eq!(definition.example_answer(operation, 204), None);
    let sent = definition.example_body(operation, Fill::All);
    assert_eq!(sent, Some(json!({"password": "password"})));
}

#[test]
fn parameters_have_values() {
    let small = small();
    let value = |id, index: usize| {
        let operation = operation(&small, id);
        small.example_value(&operation.parameters()[index])
    };
    assert_eq!(value("ListSystems", 0), json!(10));
    assert_eq!(value("ListSystems", 1), json!("filter"));
    assert_eq!(value("ListSystems", 2), json!(["ids"]));
    assert_eq!(value("GetSystem", 0), json!("2M20"));
}

/// Schemas of what can be made: everything but patterns, and limits that leave room.
fn schema() -> impl Strategy<Value = Value> {
    let bounds =
        |from: i64, room: i64| json!({"type": "integer", "minimum": from, "maximum": from + room});
    let leaf = prop_oneof![
        Just(json!({"type": "boolean"})),
        Just(json!({})),
        Just(json!({"$ref": "#/components/schemas/Node"})),
        (-9_i64..9, 0_i64..9).prop_map(move |(from, room)| bounds(from, room)),
        (1_i64..9).prop_map(|step| json!({"type": "integer", "multipleOf": step, "minimum": 3})),
        (-9_i64..9)
            .prop_map(|from| json!({"type": "number", "minimum": from, "exclusiveMinimum": true})),
        (0_usize..9, 0_usize..9).prop_map(|(least, room)| {
            json!({"type": "string", "minLength": least, "maxLength": least + room})
        }),
        proptest::sample::select(vec![
            "date-time",
            "uuid",
            "ipv4",
            "ipv6",
            "email",
            "uri",
            "Uint64"
        ])
        .prop_map(|format| json!({"type": "string", "format": format})),
        Just(json!({"type": "string", "enum": ["A", "B", "C"], "example": "nonsense"})),
        Just(json!({"type": "integer", "example": "seven"})),
        Just(json!({"type": "string", "nullable": true, "example": null})),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let name = "[a-c/~]{1,2}";
        let properties = proptest::collection::btree_map(name, inner.clone(), 0..4);
        let object = (properties, proptest::collection::vec(name, 0..3)).prop_map(
            |(of, required)| json!({"type": "object", "properties": of, "required": required}),
        );
        let list = (inner.clone(), 0_usize..3)
            .prop_map(|(items, least)| json!({"type": "array", "items": items, "minItems": least}));
        let several = proptest::collection::vec(inner.clone(), 1..3);
        prop_oneof![
            3 => object,
            1 => list,
            1 => several.prop_map(|of| json!({"anyOf": of})),
            1 => inner.prop_map(|of| json!({"allOf": [of], "nullable": true})),
        ]
    })
}

proptest! {
    /// What is made of a schema is valid, whatever the schema.
    #[test]
    fn examples_keep_to_their_schema(schema in schema(), which in 0..3_usize) {
        let node = json!({"type": "object", "required": ["name"], "properties": {
            "name": {"type": "string"}, "next": {"$ref": "#/components/schemas/Node"},
        }});
        let definition = with_schema("3.0.3", &schema, &json!({"Node": node}));
        let operation = operation(&definition, "Do");
        let fill = [Fill::Required, Fill::Shown, Fill::All][which];
        let body = definition.example_body(operation, fill).unwrap();
        prop_assert_eq!(definition.check_body(operation, &body), [], "{}", body);
        let answer = definition.example_answer(operation, 200).unwrap();
        prop_assert_eq!(definition.check_response(operation, 200, &answer), [], "{}", answer);
    }
}
