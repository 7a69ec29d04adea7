//! What is said against which value, and what must hold for any schema and any value.

use super::*;
use crate::Definition;
use crate::testing::{operation, small};
use serde_json::json;

fn body(body: &Value) -> Vec<(String, String)> {
    let small = small();
    pairs(small.check_body(operation(&small, "EditVolume"), body))
}

fn system(body: &Value) -> Vec<(String, String)> {
    let small = small();
    pairs(small.check_response(operation(&small, "GetSystem"), 200, body))
}

fn pairs(violations: Vec<Violation>) -> Vec<(String, String)> {
    violations
        .into_iter()
        .map(|one| (one.pointer, one.message))
        .collect()
}

fn one(pointer: &str, message: &str) -> Vec<(String, String)> {
    vec![(pointer.to_owned(), message.to_owned())]
}

#[test]
fn a_good_body_has_no_violations() {
    assert_eq!(
        body(&json!({
            "name": "v", "comment": null, "sizeMib": 17, "ratio": 1, "mode": null,
            "either": 3, "counts": [1], "limits": {"most": 2},
        })),
        []
    );
}

#[test]
fn violations_name_the_field_and_what_is_expected() {
    assert_eq!(body(&json!({})), one("", "the body: `name` is missing"));
    let with = |name: &str, value: Value| {
        let mut object = json!({"name": "v"});
        object[name] = value;
        body(&object)
    };
    assert_eq!(
        with("sizeMib", json!("17")),
        one("/sizeMib", "sizeMib: must be a whole number, got \"17\"")
    );
    assert_eq!(
        with("sizeMib", json!(16)),
        one("/sizeMib", "sizeMib: must be more than 16, got 16")
    );
    assert_eq!(
        with("counts", json!([1, "a"])),
        one("/counts/1", "counts[1]: must be a whole number, got \"a\"")
    );
    assert_eq!(
        with("limits", json!({"most": true})),
        one(
            "/limits/most",
            "limits.most: must be a whole number, got true"
        )
    );
    assert_eq!(
        with("mode", json!("THINN")),
        one(
            "/mode",
            "mode: must be one of \"THIN\", \"FULL\", null, got \"THINN\"; did you mean \"THIN\"?"
        )
    );
    assert_eq!(
        with("either", json!([])),
        one(
            "/either",
            "either: must be text or a whole number, got a list"
        )
    );
    assert_eq!(
        with("other", json!(1)),
        one("/other", "other: unknown field")
    );
    assert_eq!(
        with("name", json!("")),
        one("/name", "name: must have at least 1 character, got 0")
    );
    assert_eq!(
        with("ratio", json!(2)),
        one("/ratio", "ratio: must be at most 1, got 2")
    );
    assert_eq!(
        body(&json!([])),
        one("", "the body: must be an object, got a list")
    );
}

#[test]
fn read_only_is_not_wanted_in_requests_nor_write_only_in_responses() {
    let small = small();
    let edit = operation(&small, "EditVolume");
    assert_eq!(small.check_body(edit, &json!({"name": "v"})), []);
    assert_eq!(
        small.check_response(edit, 202, &json!({"taskUri": "t"})),
        []
    );
    assert_eq!(small.check_response(edit, 202, &json!({})).len(), 1);
    assert_eq!(
        system(&json!({"name": "s"})),
        one("", "the body: `id` is missing")
    );
}

#[test]
fn cyclic_schemas_work_and_null_is_let_through() {
    let good = json!({
        "id": "1", "name": "s", "sizeMiB": null, "owner": null, "state": null,
        "parent": {"id": "2", "name": "t", "parent": {"id": "3", "name": "u", "parent": null}},
    });
    assert_eq!(system(&good), []);
    let bad = json!({
        "id": "1", "name": "s",
        "parent": {"id": "2", "name": "t", "parent": {"id": "3", "name": "too long"}},
    });
    assert_eq!(
        system(&bad),
        one(
            "/parent/parent/name",
            "parent.parent.name: must have at most 5 characters, got 8"
        )
    );
}

#[test]
fn known_formats_are_checked_and_others_ignored() {
    let with = |created: &str| system(&json!({"id": "1", "name": "s", "created": created}));
    assert_eq!(with("2024-02-29T12:00:00Z"), []);
    assert_eq!(
        with("yesterday"),
        one("/created", "created: must be a valid date-time")
    );
    // `sizeMiB` has the format int64.
    let sized = |size: Value| system(&json!({"id": "1", "name": "s", "sizeMiB": size}));
    assert_eq!(sized(json!(i64::MAX)), []);
    assert_eq!(
        sized(json!(1_u64 << 63)),
        one(
            "/sizeMiB",
            "sizeMiB: must be a whole number of 64 bits, got 9223372036854775808"
        )
    );
}

#[test]
fn ranges_of_statuses_count_and_undeclared_ones_allow_anything() {
    let small = small();
    let list = operation(&small, "ListSystems");
    assert_eq!(small.check_response(list, 404, &json!({})).len(), 1);
    assert_eq!(small.check_response(list, 500, &json!({})), []);
    assert_eq!(small.check_body(list, &json!({"any": "thing"})), []);
}

#[test]
fn broken_schemas_are_checked_as_far_as_they_can_be() {
    let text = "
openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          application/json:
            schema:
              required: [a, a, 3]
              properties:
                a: { $ref: '#/nowhere' }
                b: { type: text, pattern: '(', minimum: low, maxLength: 2 }
                c: { allOf: [{ $ref: '#/components/schemas/Self' }] }
                d: 7
components: { schemas: { Self: { allOf: [{ $ref: '#/components/schemas/Self' }] } } }
";
    let definition = Definition::read(text).unwrap().definition;
    let post = &definition.operations()[0];
    let check = |body| pairs(definition.check_body(post, &body));
    assert_eq!(check(json!({"a": 1, "b": "(", "c": 1, "d": 1})), []);
    assert_eq!(check(json!({})), one("", "the body: `a` is missing"));
    assert_eq!(
        check(json!({"a": 1, "b": "long"})),
        one("/b", "b: must have at most 2 characters, got 4")
    );
}

#[test]
fn version_3_1_is_json_schema() {
    let text = "
openapi: 3.1.0
paths:
  /a:
    post:
      requestBody:
        content:
          application/json:
            schema: { $ref: '#/components/schemas/A', maxProperties: 1 }
components:
  schemas:
    A: { type: object, properties: { a: { type: [string, 'null'] }, b: { exclusiveMinimum: 3 }, c: { const: 1 } } }
";
    let definition = Definition::read(text).unwrap().definition;
    let post = &definition.operations()[0];
    let check = |body| pairs(definition.check_body(post, &body));
    assert_eq!(check(json!({"a": null})), []);
    assert_eq!(
        check(json!({"a": 1})),
        one("/a", "a: must be text or null, got 1")
    );
    assert_eq!(
        check(json!({"b": 3})),
        one("/b", "b: must be more than 3, got 3")
    );
    assert_eq!(check(json!({"c": 2})), one("/c", "c: must be 1, got 2"));
    assert_eq!(
        check(json!({"a": "x", "b": 4})).len(),
        1,
        "what stands beside a reference counts"
    );
}

/// What is said about a body whose schema is `schema`, in OpenAPI 3.0.
fn against(schema: &str, value: &Value) -> Vec<(String, String)> {
    let text = format!(
        "
openapi: 3.0.3
paths:
  /a: {{ post: {{ requestBody: {{ content: {{ application/json: {{ schema: {schema} }} }} }} }} }}
components:
  schemas:
    Disk: {{ type: object, required: [kind, size], properties: {{ kind: {{ enum: [disk] }}, size: {{ type: integer }} }} }}
    Tape: {{ type: object, required: [kind, speed], properties: {{ kind: {{ enum: [tape] }}, speed: {{ type: integer }} }} }}
"
    );
    let definition = Definition::read(&text).unwrap().definition;
    pairs(definition.check_body(&definition.operations()[0], value))
}

const DISK: &str = "{ $ref: '#/components/schemas/Disk' }";
const TAPE: &str = "{ $ref: '#/components/schemas/Tape' }";

#[test]
fn missing_fields_are_told_together() {
    assert_eq!(
        against("{ required: [a, b, c] }", &json!({"b": 1})),
        one("", "the body: `a` and `c` are missing")
    );
    assert_eq!(
        against(
            "{ properties: { x: { required: [a, b, c] } } }",
            &json!({"x": {}})
        ),
        one("/x", "x: `a`, `b` and `c` are missing")
    );
}

#[test]
fn an_unknown_field_names_the_nearest() {
    let schema = "{ properties: { sizeMib: {}, name: {} }, additionalProperties: false }";
    assert_eq!(
        against(schema, &json!({"sizeMB": 1, "x": 2})),
        [
            (
                "/sizeMB".to_owned(),
                "sizeMB: unknown field; did you mean `sizeMib`?".to_owned()
            ),
            ("/x".to_owned(), "x: unknown field".to_owned()),
        ]
    );
}

#[test]
fn the_nearest_alternative_is_named() {
    let either = format!("{{ anyOf: [{DISK}, {TAPE}] }}");
    assert_eq!(
        against(&either, &json!({"kind": "tape", "speed": "x"})),
        one(
            "/speed",
            "speed: must be a whole number, got \"x\" (as Tape, the nearest of the 2 alternatives here)"
        )
    );
    assert_eq!(
        against(
            &format!("{{ oneOf: [{DISK}, {{ type: integer, minimum: 3 }}] }}"),
            &json!(1)
        ),
        one(
            "",
            "the body: must be at least 3, got 1 (as alternative 2, the nearest of the 2 alternatives here)"
        )
    );
    assert_eq!(
        against(
            "{ oneOf: [{ type: integer, title: Whole }, { type: number }, { type: string }] }",
            &json!(1)
        ),
        one(
            "",
            "the body: fits several of its alternatives (Whole and alternative 2) and must fit exactly one"
        )
    );
}

#[test]
fn null_beside_one_alternative_is_no_alternative() {
    assert_eq!(
        against(
            "{ anyOf: [{ type: integer, minimum: 3 }], nullable: true }",
            &json!(1)
        ),
        one("", "the body: must be at least 3, got 1")
    );
}

#[test]
fn a_discriminator_decides_which_alternative_is_meant() {
    let schema = |mapping: &str| {
        format!(
            "{{ oneOf: [{DISK}, {TAPE}], discriminator: {{ propertyName: kind, mapping: {mapping} }} }}"
        )
    };
    let mapped = schema("{ disk: '#/components/schemas/Disk', tape: '#/components/schemas/Tape' }");
    assert_eq!(
        against(&mapped, &json!({"kind": "disk"})),
        one("", "the body: `size` is missing (as Disk)")
    );
    assert_eq!(
        against(&mapped, &json!({"kind": "disc"})),
        one(
            "/kind",
            "kind: must be one of \"disk\", \"tape\", got \"disc\""
        )
    );
    assert_eq!(
        against(&schema("null"), &json!({"kind": "Tape", "speed": 1})),
        one(
            "/kind",
            "kind: must be \"tape\", got \"Tape\"; did you mean \"tape\"? (as Tape)"
        )
    );
}

#[test]
fn what_may_be_a_secret_is_not_repeated() {
    let told = against(
        "{ properties: { password: { type: string, maxLength: 3, pattern: '^a' } } }",
        &json!({"password": "hunter2"}),
    );
    assert_eq!(told.len(), 2);
    assert!(
        told.iter().all(|(_, message)| !message.contains("hunter2")),
        "{told:?}"
    );
}

#[test]
fn one_parameter_is_checked_under_its_own_name() {
    let small = small();
    let list = operation(&small, "ListSystems");
    let check = |name: &str, value: Value| pairs(small.check_parameter(list, name, &value));
    assert_eq!(check("limit", json!(3)), []);
    assert_eq!(
        check("limit", json!(-1)),
        one("", "limit: must be at least 0, got -1")
    );
    assert_eq!(
        check("limit", json!("x")),
        one("", "limit: must be a whole number, got \"x\"")
    );
    assert_eq!(
        check("ids", json!(["a", 2])),
        one("/1", "ids[1]: must be text, got 2")
    );
    assert_eq!(check("Limit", json!("x")), [], "letter case counts");
}

/// Whether a value fits `A` in a request and in an answer.
fn fits(root: &Value, value: &Value) -> [bool; 2] {
    [Direction::Request, Direction::Response].map(|direction| {
        let old = translate::is_old_dialect(root);
        let schema = CompiledSchema::new(root, &root["A"], direction, old).unwrap();
        schema.violations("it", value).is_empty()
    })
}

#[test]
fn nothing_is_unevaluated_that_a_reference_beside_it_declares() {
    let root = json!({
        "openapi": "3.1.0",
        "A": {"$ref": "#/B", "properties": {"a": {}}, "unevaluatedProperties": false},
        "B": {"properties": {"b": {"type": "integer"}}},
    });
    assert_eq!(fits(&root, &json!({"a": 1, "b": 2})), [true; 2]);
    assert_eq!(fits(&root, &json!({"a": 1, "b": "x"})), [false; 2]);
    assert_eq!(fits(&root, &json!({"c": 1})), [false; 2]);
    let both = json!({
        "openapi": "3.1.0",
        "A": {"$ref": "#/B", "$dynamicRef": "#/C", "unevaluatedProperties": false},
        "B": {"properties": {"b": {"type": "integer"}}},
        "C": {"properties": {"c": {"type": "integer"}}},
    });
    assert_eq!(fits(&both, &json!({"b": 1, "c": 2})), [true; 2]);
    assert_eq!(fits(&both, &json!({"b": 1, "c": "x"})), [false; 2]);
}

#[test]
fn another_part_may_require_what_goes_one_way() {
    let properties = json!({"properties": {
        "id": {"readOnly": true}, "key": {"allOf": [{"writeOnly": true}]}, "n": {},
    }});
    let required = json!({"required": ["id", "key", "n"]});
    for (a, b) in [
        (json!({"allOf": [properties, required]}), json!({})),
        (
            json!({"allOf": [properties, {"$ref": "#/B"}]}),
            required.clone(),
        ),
        (
            json!({"allOf": [{"$ref": "#/B"}, required]}),
            properties.clone(),
        ),
        (
            json!({"properties": properties["properties"], "oneOf": [{"$ref": "#/B"}]}),
            required,
        ),
    ] {
        let root = json!({"openapi": "3.0.3", "A": a, "B": b});
        assert_eq!(
            fits(&root, &json!({"key": 1, "n": 1})),
            [true, false],
            "{root}"
        );
        assert_eq!(
            fits(&root, &json!({"id": 1, "n": 1})),
            [false, true],
            "{root}"
        );
        assert_eq!(
            fits(&root, &json!({"id": 1, "key": 1})),
            [false; 2],
            "{root}"
        );
    }
    let apart = json!({"openapi": "3.0.3", "A": {
        "properties": {"id": {"readOnly": true}, "inner": {"$ref": "#/B"}}, "required": ["id"],
    }, "B": {"required": ["id"]}});
    assert_eq!(fits(&apart, &json!({"id": 1, "inner": {}})), [false; 2]);
}
