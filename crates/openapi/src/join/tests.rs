//! Definitions side by side: what each says alone, it says beside others.

use http::Method;
use serde_json::{Value, json};

use crate::testing::{SMALL, small};
use crate::{Definition, Fill, JoinError, Operation, Route};

/// Schemas with the names of `SMALL`'s that say other things, a circle, and a server with a path.
const LIBRARY: &str = r##"
openapi: 3.0.3
info: { title: Library, version: "7" }
servers: [{ url: "https://library.example.com/v2" }]
security: [{ key: [] }]
paths:
  /books:
    parameters: [{ $ref: "#/components/parameters/limit" }]
    get:
      operationId: listBooks
      tags: [books]
      responses: { "200": { $ref: "#/components/responses/Books" } }
    post:
      operationId: addBook
      requestBody: { $ref: "#/components/requestBodies/Book" }
      responses: { "201": { description: made } }
  /books/{id}: { $ref: "#/x-items/book" }
x-items:
  book:
    delete:
      operationId: removeBook
      parameters: [{ name: id, in: path, required: true, schema: { $ref: "#/x-items/id" } }]
      responses: { "204": { description: gone } }
  id: { type: string, maxLength: 3 }
components:
  parameters:
    limit: { name: limit, in: query, schema: { $ref: "#/components/schemas/Size" } }
  requestBodies:
    Book: { content: { application/json: { schema: { $ref: "#/components/schemas/System" } } } }
  responses:
    Books:
      description: all
      content:
        application/json:
          schema:
            type: object
            properties: { items: { type: array, items: { $ref: "#/components/schemas/System" } } }
  schemas:
    Size: { type: integer, maximum: 9 }
    System:
      oneOf: [{ $ref: "#/components/schemas/Novel" }, { $ref: "#/components/schemas/Map" }]
      discriminator:
        propertyName: kind
        mapping: { novel: Novel, map: "#/components/schemas/Map" }
    Novel:
      type: object
      required: [kind, pages]
      properties:
        kind: { type: string, enum: [novel] }
        pages: { $ref: "#/components/schemas/Size" }
        next: { $ref: "#/components/schemas/System" }
    Map:
      type: object
      required: [kind]
      properties: { kind: { type: string, enum: [map] } }
      additionalProperties: false
"##;

fn read(text: &str) -> Definition {
    Definition::read(text).unwrap().definition
}

fn pair(first: &Definition, second: &Definition) -> Definition {
    Definition::join(&[("a.yaml", first), ("b.yaml", second)]).unwrap()
}

fn refused(first: &str, second: &str) -> JoinError {
    let (first, second) = (read(first), read(second));
    Definition::join(&[("a.yaml", &first), ("b.yaml", &second)]).unwrap_err()
}

fn paths(paths: &str) -> String {
    format!("openapi: 3.0.3\ninfo: {{ title: T, version: '1' }}\npaths: {paths}\n")
}

fn found(definition: &Definition, method: &Method, path: &str) -> String {
    match definition.routes().find(method, path) {
        Route::Found { operation, .. } => definition.operations()[operation].id().to_owned(),
        Route::WrongMethod { allow } => format!("{allow:?}"),
        Route::Unknown => "unknown".to_owned(),
    }
}

fn complaints(definition: &Definition, id: &str, body: &Value) -> Vec<String> {
    let operation = definition.operation(id).unwrap();
    let violations = definition.check_body(operation, body);
    violations.into_iter().map(|one| one.message).collect()
}

#[test]
fn every_operation_says_beside_others_what_it_says_alone() {
    let (small, library) = (small(), read(LIBRARY));
    for (first, second) in [(&small, &library), (&library, &small)] {
        let both = pair(first, second);
        let ids = |one: &Definition| -> Vec<String> {
            let operations = one.operations().iter();
            operations.map(|one| one.id().to_owned()).collect()
        };
        assert_eq!(ids(&both), [ids(first), ids(second)].concat());
        for (origin, alone) in [first, second].into_iter().enumerate() {
            for operation in alone.operations() {
                let joined = both.operation(operation.id()).unwrap();
                assert_eq!(both.origin(joined), origin);
                assert_same((alone, operation), (&both, joined));
            }
        }
    }
}

fn assert_same(
    (alone, operation): (&Definition, &Operation),
    (both, joined): (&Definition, &Operation),
) {
    let id = operation.id();
    let declared = |of: &Definition, one: &Operation| {
        let own = of.document().pointer(one.pointer()).cloned();
        own.and_then(|own| own.get("operationId").cloned())
    };
    assert_eq!(declared(alone, operation), declared(both, joined));
    assert_eq!(operation.path(), joined.path());
    assert_eq!(operation.summary(), joined.summary());
    let inputs = |of: &Definition, one: &Operation| -> Vec<String> {
        let parameters = one.parameters().iter();
        let parameters = parameters.map(|one| {
            format!(
                "{} {:?} {:?} {:?}",
                one.name,
                one.location,
                one.example,
                of.shape(&one.schema, 5)
            )
        });
        parameters.collect()
    };
    assert_eq!(inputs(alone, operation), inputs(both, joined), "{id}");
    let shapes = |of: &Definition, one: &Operation| -> Vec<String> {
        let bodies = one.bodies().iter().map(|body| &body.schema);
        let answers = one
            .responses()
            .iter()
            .filter_map(|(_, schema)| schema.as_ref());
        let all = bodies.chain(answers);
        all.map(|schema| format!("{:?}", of.shape(schema, 5)))
            .collect()
    };
    assert_eq!(shapes(alone, operation), shapes(both, joined), "{id}");
    assert_eq!(
        alone.example_body(operation, Fill::All),
        both.example_body(joined, Fill::All),
        "{id}"
    );
    for status in [200, 201, 404] {
        assert_eq!(
            alone.example_answer(operation, status),
            both.example_answer(joined, status)
        );
    }
    assert_eq!(operation.is_list(), joined.is_list());
}

#[test]
fn components_of_the_same_name_stay_apart_and_circles_close_in_their_own_document() {
    let both = pair(&small(), &read(LIBRARY));
    let novel = |pages: u32| json!({"kind": "novel", "pages": 1, "next": {"kind": "novel", "pages": pages}});
    assert_eq!(complaints(&both, "addBook", &novel(9)), [""; 0]);
    assert_eq!(complaints(&both, "addBook", &novel(10)).len(), 1);
    let odd = json!({"kind": "map", "pages": 1});
    let told = complaints(&both, "addBook", &odd).concat();
    assert!(
        told.contains("pages"),
        "the mapping tells which is meant: {told}"
    );
    let delete = both.operation("removeBook").unwrap();
    assert_eq!(both.check_parameter(delete, "id", &json!("abcd")).len(), 1);
    let said = |pointer: &str| both.document().pointer(pointer).cloned();
    assert_eq!(
        said("/x-hallpass-definitions/1/security"),
        Some(json!([{"key": []}]))
    );
    let of_all = ["/security", "/components", "/servers"].map(said);
    assert_eq!(of_all, [None, None, None]);
    let mapping = both
        .document()
        .pointer("/x-hallpass-definitions/1/components/schemas/System");
    let mapping = &mapping.unwrap()["discriminator"]["mapping"];
    for target in mapping.as_object().unwrap().values() {
        let pointer = target.as_str().unwrap().strip_prefix('#').unwrap();
        assert!(both.document().pointer(pointer).is_some(), "{pointer}");
    }
}

#[test]
fn the_path_of_a_server_stands_before_the_paths_of_its_own_definition_only() {
    let text = SMALL.replace("https://eu1.example.com", "https://eu1.example.com/eu");
    let both = pair(&read(&text), &read(LIBRARY));
    let get = |path| found(&both, &Method::GET, path);
    assert_eq!(get("/storage-systems"), "ListSystems");
    assert_eq!(get("/eu/storage-systems"), "ListSystems");
    assert_eq!(get("/v2/books"), "listBooks");
    assert_eq!(get("/books"), "listBooks");
    assert_eq!(get("/v2/storage-systems"), "unknown");
    assert_eq!(get("/eu/books"), "unknown");
    assert_eq!(found(&both, &Method::PUT, "/v2/books"), "[GET, POST]");
}

#[test]
fn two_definitions_may_share_a_path_with_different_methods() {
    let both = pair(
        &read(&paths("{ '/a/{x}': { get: { operationId: one } } }")),
        &read(&paths("{ '/a/{y}': { put: { operationId: two } } }")),
    );
    assert_eq!(found(&both, &Method::GET, "/a/1"), "one");
    assert_eq!(found(&both, &Method::PUT, "/a/1"), "two");
    assert_eq!(found(&both, &Method::DELETE, "/a/1"), "[GET, PUT]");
}

#[test]
fn a_method_that_only_one_has_below_its_server_is_found() {
    let first = paths("{ /v2/a: { get: { operationId: one } } }");
    let second = paths("{ /a: { put: { operationId: two } } }") + "servers: [{ url: /v2 }]";
    for (first, second) in [(&first, &second), (&second, &first)] {
        let both = pair(&read(first), &read(second));
        assert_eq!(found(&both, &Method::GET, "/v2/a"), "one");
        assert_eq!(found(&both, &Method::PUT, "/v2/a"), "two");
    }
}

#[test]
fn a_request_that_two_have_is_refused_with_their_names() {
    let first = paths("{ '/a/{x}': { get: {}, put: {} } }");
    let error = refused(&first, &paths("{ '/a/{y}': { put: { operationId: p } } }"));
    assert_eq!(
        error.to_string(),
        "a.yaml and b.yaml both say what `PUT /a/{y}` does"
    );
    assert!(error.hint().contains("leave one of the two out"));
    let error = refused(&first, &first);
    assert_eq!(
        error.to_string(),
        "a.yaml and b.yaml both say what `GET /a/{x}` does, and 1 more like it"
    );
}

#[test]
fn the_paths_of_servers_count_when_requests_are_compared() {
    let below = |server: &str, path: &str, id: &str| {
        paths(&format!("{{ {path}: {{ get: {{ operationId: {id} }} }} }}"))
            + &format!("servers: [{{ url: {server} }}]")
    };
    let refused =
        |first: &str, second: &str| matches!(refused(first, second), JoinError::SameRequest { .. });
    assert!(refused(&below("/v1", "/a", "x"), &below("/", "/v1/a", "y")));
    assert!(refused(&below("/", "/v1/a", "x"), &below("/v1", "/a", "y")));
    assert!(
        refused(&below("/v1", "/a", "x"), &below("/v2", "/a", "y")),
        "both are /a too"
    );
}

#[test]
fn a_name_that_two_have_is_refused_with_theirs() {
    let error = refused(
        &paths("{ /a: { get: { operationId: list } } }"),
        &paths("{ /b: { get: { operationId: list } } }"),
    );
    assert_eq!(
        error.to_string(),
        "a.yaml and b.yaml both have an operation called `list`"
    );
    assert!(error.hint().contains("operationId"));
}

#[test]
fn a_path_that_cannot_be_told_from_the_other_definitions_is_refused() {
    let first = paths("{ '/a/{x}:run': { post: { operationId: one } } }");
    let error = refused(
        &first,
        &paths("{ '/a/go{x}': { post: { operationId: two } } }"),
    );
    let told = error.to_string();
    assert!(
        told.starts_with("`POST /a/go{x}` of b.yaml cannot be told"),
        "{told}"
    );
    // What cannot be reached alone either is a problem of its own definition.
    let alone = paths("{ '/b/{x}-{y}': { post: { operationId: two } } }");
    pair(&read(&first), &read(&alone));
}

#[test]
fn parts_of_other_texts_come_along() {
    let main =
        "openapi: 3.1.0\ninfo: { title: T, version: '1' }\npaths: { /a: { $ref: 'parts/a.yaml' } }";
    let mut load = |location: &str| match location {
        "parts/a.yaml" => Ok(
            b"post: { operationId: add, requestBody: { content: { application/json: \
            { schema: { $ref: 'b.yaml#/$defs/B' } } } } }"
                .to_vec(),
        ),
        "parts/b.yaml" => Ok(
            b"$defs: { B: { properties: { b: { $ref: '#/$defs/B' }, n: { $ref: \
            '#/example' } } } }\nexample: { type: integer }"
                .to_vec(),
        ),
        other => Err(other.to_owned()),
    };
    let alone = Definition::read_from("main.yaml", main.as_bytes(), &mut load).unwrap();
    assert_eq!(
        alone
            .problems
            .iter()
            .filter(|one| one.rule.starts_with("reference"))
            .count(),
        0
    );
    let both = pair(&read(LIBRARY), &alone.definition);
    assert_eq!(
        complaints(&both, "add", &json!({"b": {"b": {"n": 1}}})),
        [""; 0]
    );
    assert_eq!(
        complaints(&both, "add", &json!({"b": {"b": {"n": "x"}}})).len(),
        1
    );
}

#[test]
fn openapi_3_0_and_3_1_are_joined_and_each_is_read_as_its_own() {
    let body = |version: &str, path: &str, schema: &str| {
        read(&format!(
            "openapi: {version}\ninfo: {{ title: T, version: '1' }}\npaths: {{ /{path}: {{ post: {{ \
             operationId: {path}, requestBody: {{ content: {{ application/json: {{ schema: {schema} \
             }} }} }} }} }} }}\ncomponents: {{ schemas: {{ S: {{ type: string }}, F: false }} }}"
        ))
    };
    let schema = "{ properties: { a: { type: string, nullable: true }, b: { type: integer, minimum: 1, \
                  exclusiveMinimum: true }, c: { const: 1 }, d: { $ref: '#/components/schemas/S', \
                  maxLength: 1 }, f: { $ref: '#/components/schemas/F' }, e: { type: [integer, 'null'], exclusiveMinimum: 1 } } }";
    let old = body("3.0.3", "old", schema);
    let new = body("3.1.0", "new", schema);
    for (first, second) in [(&old, &new), (&new, &old)] {
        let both = pair(first, second);
        let wrong = |id: &str, value: Value| !complaints(&both, id, &value).is_empty();
        for (value, of_old, of_new) in [
            (json!({"a": null}), false, true),
            (json!({"b": 1}), true, false),
            (json!({"c": 2}), false, true),
            (json!({"d": "xy"}), false, true),
            (json!({"e": 1}), true, true),
            (json!({"e": null}), false, false),
            (json!({"f": 1}), false, true),
        ] {
            assert_eq!(wrong("old", value.clone()), of_old, "3.0 and {value}");
            assert_eq!(wrong("new", value.clone()), of_new, "3.1 and {value}");
        }
    }
}

#[test]
fn of_three_each_operation_knows_where_it_is_from() {
    let texts =
        ["a", "b", "c"].map(|name| read(&paths(&format!("{{ /{name}: {{ get: {{}} }} }}"))));
    let empty = read(&paths("{}"));
    let all = Definition::join(&[
        ("a", &texts[0]),
        ("none", &empty),
        ("b", &texts[1]),
        ("c", &texts[2]),
    ])
    .unwrap()
    .lean();
    let origins: Vec<usize> = all.operations().iter().map(|one| all.origin(one)).collect();
    assert_eq!(origins, [0, 2, 3]);
    assert_eq!((all.title(), all.version()), ("T, T, T, T", "1, 1, 1, 1"));
    let alone = &texts[0];
    assert_eq!(alone.origin(&alone.operations()[0]), 0);
}
