//! What each rule finds, and where.

mod cases;

use serde_json::{Value, json};

use self::cases::{X, cases, operation, property, schema};
use super::RULES;
use crate::testing::SMALL;
use crate::{Definition, Severity};

/// A definition that no rule has anything against.
fn sound() -> Value {
    json!({
        "openapi": "3.0.3",
        "info": {"title": "T", "version": "1", "license": {"name": "MIT"}, "contact": {"name": "N"}},
        "servers": [{"url": "https://api.example.org"}],
        "tags": [{"name": "t"}],
        "security": [{"key": []}],
        "paths": {
            "/a/{id}": {"post": {
                "operationId": "doA",
                "summary": "Does a",
                "tags": ["t"],
                "parameters": [
                    {"name": "id", "in": "path", "required": true, "schema": {"type": "string"}},
                ],
                "requestBody": {"content": {"application/json": {
                    "schema": {"$ref": "#/components/schemas/A"},
                }}},
                "responses": {
                    "202": {"description": "d", "content": {"application/json": {
                        "schema": {"$ref": "#/components/schemas/Task"},
                    }}},
                    "default": {"description": "d"},
                },
            }},
        },
        "components": {
            "securitySchemes": {"key": {"type": "apiKey", "in": "header", "name": "X"}},
            "schemas": {
                "A": {"type": "object", "properties": {"x": {"type": "string"}}},
                "Task": {"type": "object", "properties": {"taskUri": {"type": "string"}}},
            },
        },
    })
}

/// RFC 7396: members of `patch` replace those of `target`, null removes.
fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = json!({});
    }
    for (name, value) in patch {
        if value.is_null() {
            target.as_object_mut().unwrap().shift_remove(&name);
        } else {
            merge(&mut target[&name], value);
        }
    }
}

/// Rule and pointer of everything found in the sound definition with a change.
fn found(patch: Value) -> Vec<(&'static str, String)> {
    let mut text = sound();
    merge(&mut text, patch);
    let reading = Definition::read(&text.to_string()).unwrap();
    let problems = reading.problems.into_iter();
    problems.map(|one| (one.rule, one.pointer)).collect()
}

#[test]
fn nothing_is_found_where_nothing_is_wrong() {
    assert_eq!(found(json!({})), []);
}

#[test]
fn each_rule_finds_what_it_is_for() {
    for (rule, at, patch) in cases() {
        let problems = found(patch.clone());
        assert!(
            problems.contains(&(rule, at.clone())),
            "{rule} at {at}: {patch}\n{problems:#?}"
        );
    }
}

/// What is found in a text before it is a document.
const TEXTS: [(&str, &str); 6] = [
    ("openapi-3-2", "openapi: 3.2.0\n"),
    ("json-invalid", "{\"openapi\": \"3.0.3\",}"),
    (
        "key-twice",
        "{\"openapi\": \"3.0.3\", \"info\": {}, \"info\": {}}",
    ),
    ("key-no-text", "openapi: 3.0.3\n? [a]\n: b\n"),
    ("several-documents", "openapi: 3.0.3\n---\na: b\n"),
    ("tag-misfit", "openapi: 3.0.3\nx-a: !!int b\n"),
];

#[test]
fn each_rule_of_texts_finds_what_it_is_for() {
    for (rule, text) in TEXTS {
        let problems = Definition::read(text).unwrap().problems;
        let problem = problems.iter().find(|one| one.rule == rule);
        let known = RULES.iter().find(|known| known.name == rule).unwrap();
        assert_eq!(
            problem.map(|one| one.severity),
            Some(known.severity),
            "{text}"
        );
    }
}

#[test]
fn each_rule_has_a_case() {
    let names: Vec<&str> = cases().iter().map(|(name, ..)| *name).collect();
    let texts: Vec<&str> = TEXTS.iter().map(|(name, _)| *name).collect();
    for rule in RULES {
        let found = names.contains(&rule.name) || texts.contains(&rule.name);
        assert!(found, "{}", rule.name);
    }
}

/// What another file holds is looked at as what the reference wants it to be, and told once.
#[test]
fn external_parts_are_looked_at() {
    let mut main = sound();
    main["components"]["schemas"]["A"] = json!({"$ref": "parts.yaml#/A"});
    main["components"]["schemas"]["Task"]["properties"]["a"] = json!({"$ref": "parts.yaml#/A"});
    let part = "A: { type: object, properties: { b: { $ref: '#/B' } } }\nB: { type: text }\nC: { type: text }\n";
    let reading =
        Definition::read_from("main.json", main.to_string().as_bytes(), &mut |location| {
            assert_eq!(location, "parts.yaml");
            Ok(part.as_bytes().to_vec())
        })
        .unwrap();
    let told: Vec<_> = reading
        .problems
        .iter()
        .map(|one| {
            (
                one.rule,
                one.part.as_deref(),
                one.pointer.as_str(),
                one.line,
            )
        })
        .collect();
    assert_eq!(told, [("type-unknown", Some("parts.yaml"), "/B/type", 2)]);
}

/// An example for several places is looked at in each, and its fault told once.
#[test]
fn what_is_used_twice_is_told_once() {
    let used = json!({
        "schema": {"type": "integer"},
        "examples": {"one": {"$ref": "#/components/examples/one"}},
    });
    let mut patch = operation(json!({"responses": {"202": {"headers": {"a": used, "b": used}}}}));
    merge(
        &mut patch,
        json!({"components": {"examples": {"one": {"value": "no number"}}}}),
    );
    assert_eq!(
        found(patch),
        [(
            "example-invalid",
            "/components/examples/one/value".to_owned()
        )]
    );
}

#[test]
fn a_problem_says_where_and_what_to_do() {
    let reading = Definition::read(SMALL).unwrap();
    let problem = reading
        .problems
        .iter()
        .find(|one| one.rule == "operation-id-case")
        .unwrap();
    assert_eq!(
        problem.to_string(),
        "121:7: warning: the operationIds `Starthandover` and `StartHandover` differ only in \
         letter case [operation-id-case]"
    );
    assert_eq!(problem.pointer, "/paths/~1handover~1stop/post/operationId");
    for problem in &reading.problems {
        assert!(!problem.advice.is_empty());
        let rule = RULES.iter().find(|rule| rule.name == problem.rule).unwrap();
        assert_eq!(rule.severity, problem.severity);
    }
    assert!(
        reading
            .problems
            .iter()
            .all(|one| one.severity != Severity::Error)
    );
}

/// What looks like a fault and is none.
#[test]
fn no_rule_cries_wolf() {
    let composed = json!({
        "allOf": [{"$ref": "#/components/schemas/Task"}, {"required": ["taskUri", "x"]}],
        "required": ["taskUri"],
        "type": null,
        "example": {"taskUri": "t", "x": "y"},
    });
    for patch in [
        property(json!({"nullable": true, "enum": ["a", null], "example": null})),
        property(
            json!({"type": "object", "properties": {"$ref": {"type": "string"}, "example": {"type": "string"}}}),
        ),
        property(
            json!({"type": "object", "additionalProperties": true, "properties": {"a": {"type": "string"}}, "example": {"b": 1}}),
        ),
        property(
            json!({"type": "object", "required": ["id"], "properties": {"id": {"type": "string", "readOnly": true}}, "example": {}}),
        ),
        property(json!({"type": "integer", "minimum": 2, "maximum": 2, "default": 2})),
        property(
            json!({"type": "string", "format": "date-time", "example": "2024-02-29T12:00:00Z"}),
        ),
        schema(composed),
        json!({"components": {"schemas": {
            "A": {"discriminator": {"propertyName": "x"}},
            "Sub": {"allOf": [{"$ref": "#/components/schemas/A"}, {"type": "object"}]},
            "SubOfSub": {"allOf": [{"$ref": "#/components/schemas/Sub"}]},
        }}}),
        operation(json!({"responses": {"202": {
            "content": {"application/json": {"schema": {
                "$ref": null, "type": "array", "items": {"$ref": "#/components/schemas/Task"},
            }}},
            "headers": {"location": {"schema": {"type": "string"}}},
        }}})),
        operation(json!({"responses": {"x-note": 1}, "x-more": {"$ref": "#/nowhere"}})),
        json!({"paths": {"/b/{c}/d": {"x-a": 1}, "x-a": 1}}),
        json!({"components": {"securitySchemes": {"key": {"type": "oauth2", "flows": {"clientCredentials": {"tokenUrl": "https://x/t", "scopes": {}}}, "in": null, "name": null}}}}),
    ] {
        assert_eq!(found(patch.clone()), [], "{patch}");
    }
}

#[test]
fn schemas_of_3_1_are_json_schema() {
    let modern = |mut patch: Value| {
        merge(&mut patch, json!({"openapi": "3.1.0"}));
        found(patch)
    };
    for fine in [
        json!({"type": ["string", "null"], "const": "a", "examples": ["a"], "anything": 1}),
        json!({"$ref": "#/components/schemas/Task", "description": "d", "type": null}),
        json!({"type": "integer", "exclusiveMinimum": 3}),
    ] {
        assert_eq!(modern(property(fine.clone())), [], "{fine}");
    }
    assert_eq!(
        modern(property(
            json!({"type": "integer", "exclusiveMinimum": 3, "maximum": 3})
        )),
        [("bounds-impossible", format!("{X}/exclusiveMinimum"))]
    );
    assert_eq!(
        modern(property(json!({"examples": ["a", 1]}))),
        [("example-invalid", format!("{X}/examples/1"))]
    );
}

#[test]
fn schemas_over_schemas_are_read_to_the_end() {
    let again = json!({"$ref": "#/components/schemas/A"});
    let mut chain = json!({"s25": {"type": "integer"}});
    for index in 0..25 {
        let next = json!({"$ref": format!("#/components/schemas/s{}", index + 1)});
        chain[format!("s{index}")] = json!({"example": 1, "allOf": [next]});
    }
    for (name, schemas) in [
        ("A", json!({"A": {"allOf": vec![again.clone(); 8]}})),
        ("A", json!({"A": {"example": 1, "allOf": [again, again]}})),
        ("s0", chain),
    ] {
        let answer = json!({"$ref": format!("#/components/schemas/{name}")});
        let text = json!({
            "openapi": "3.0.3", "info": {}, "components": {"schemas": schemas},
            "paths": {"/a": {"get": {"operationId": "a", "responses": {"200": {"description": "d",
                "content": {"application/json": {"schema": answer, "example": 1}}}}}}},
        });
        let reading = Definition::read(&text.to_string()).unwrap();
        let wrong = |one: &crate::Problem| one.rule == "example-invalid";
        assert!(
            !reading.problems.iter().any(wrong),
            "{:?}",
            reading.problems
        );
        let definition = reading.definition;
        assert_eq!(
            definition.marks(&definition.operations()[0]),
            crate::Marks::default()
        );
    }
}

#[test]
fn an_extension_in_a_callback_is_no_path() {
    let mut document = sound();
    document["paths"]["/a/{id}"]["post"]["callbacks"] = json!({"done": {"x-note": "kept"}});
    let reading = Definition::read(&document.to_string()).unwrap();
    let there = |one: &&crate::Problem| one.pointer.contains("x-note");
    assert_eq!(reading.problems.iter().find(there), None);
}
