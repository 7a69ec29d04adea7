//! For each rule at least one change of the sound definition that it objects to, and where.
#![expect(
    clippy::needless_pass_by_value,
    reason = "the changes are written where they are passed"
)]

use serde_json::{Value, json};

use super::{merge, sound};

/// A change of the one operation.
pub(super) fn operation(patch: Value) -> Value {
    json!({"paths": {"/a/{id}": {"post": patch}}})
}

/// The property `x` of the schema `A`.
pub(super) fn property(schema: Value) -> Value {
    json!({"components": {"schemas": {"A": {"properties": {"x": schema}}}}})
}

/// The schema `A` as a whole.
pub(super) fn schema(schema: Value) -> Value {
    json!({"components": {"schemas": {"A": schema}}})
}

fn parameters(parameters: Value) -> Value {
    operation(json!({ "parameters": parameters }))
}

/// Another path with an operation of its own.
fn another(path: &str, patch: Value) -> Value {
    let mut operation = sound()["paths"]["/a/{id}"]["post"].clone();
    operation["operationId"] = json!("another");
    merge(&mut operation, patch);
    json!({"paths": {path: {"post": operation}}})
}

const POST: &str = "/paths/~1a~1{id}/post";
pub(super) const X: &str = "/components/schemas/A/properties/x";

/// A rule, the place where it finds something, and the change that makes it.
pub(super) type Case = (&'static str, String, Value);

fn case(rule: &'static str, at: &str, patch: Value) -> Case {
    (rule, at.to_owned(), patch)
}

fn in_operation(rule: &'static str, at: &str, patch: Value) -> Case {
    (rule, format!("{POST}{at}"), operation(patch))
}

fn in_property(rule: &'static str, at: &str, patch: Value) -> Case {
    (rule, format!("{X}{at}"), property(patch))
}

pub(super) fn cases() -> Vec<Case> {
    [
        head(),
        paths(),
        operations(),
        names_and_references(),
        schemas(),
        values(),
    ]
    .concat()
}

fn head() -> Vec<Case> {
    let server = |server: Value| json!({"servers": [server]});
    let scheme = |scheme: Value| json!({"components": {"securitySchemes": {"key": scheme}}});
    let key = "/components/securitySchemes/key";
    let flows = json!({"clientCredentials": {"tokenUrl": "https://x/", "scopes": {"read": ""}}});
    let mut scoped = scheme(json!({"type": "oauth2", "flows": flows}));
    merge(&mut scoped, json!({"security": [{"key": ["write"]}]}));
    vec![
        case(
            "contact-missing",
            "/info",
            json!({"info": {"contact": null}}),
        ),
        case(
            "license-missing",
            "/info",
            json!({"info": {"license": null}}),
        ),
        case("servers-missing", "", json!({"servers": null})),
        case("servers-missing", "/servers", json!({"servers": []})),
        case(
            "server-trailing-slash",
            "/servers/0/url",
            server(json!({"url": "https://a.org/b/"})),
        ),
        case(
            "server-example-host",
            "/servers/0/url",
            server(json!({"url": "https://a.example.com:1/b"})),
        ),
        case(
            "server-variable-undefined",
            "/servers/0/url",
            server(json!({"url": "https://{r}.org"})),
        ),
        case(
            "server-variable-unused",
            "/servers/0/variables/r",
            server(json!({"url": "https://a.org", "variables": {"r": {"default": "eu"}}})),
        ),
        case(
            "server-variable-default",
            "/servers/0/variables/r",
            server(
                json!({"url": "https://{r}.org", "variables": {"r": {"default": "eu", "enum": ["us"]}}}),
            ),
        ),
        case(
            "tag-duplicate",
            "/tags/1",
            json!({"tags": [{"name": "t"}, {"name": "t"}]}),
        ),
        case(
            "tag-undeclared",
            &format!("{POST}/tags/0"),
            json!({"tags": null}),
        ),
        case(
            "oauth-flow-missing",
            key,
            scheme(json!({"type": "http", "scheme": "Bearer"})),
        ),
        case("security-undescribed", POST, json!({"security": null})),
        case(
            "security-scheme-undefined",
            "/security/0/Key",
            json!({"security": [{"Key": []}]}),
        ),
        case("security-scope-undefined", "/security/0/key", scoped),
    ]
}

fn paths() -> Vec<Case> {
    let plain = json!({"parameters": []});
    let id = |name: &str| json!([{"name": name, "in": "path", "required": true, "schema": {}}]);
    vec![
        case(
            "path-without-slash",
            "/paths/b",
            another("b", plain.clone()),
        ),
        case(
            "path-trailing-slash",
            "/paths/~1b~1",
            another("/b/", plain.clone()),
        ),
        case(
            "path-with-query",
            "/paths/~1b?c=d",
            another("/b?c=d", plain.clone()),
        ),
        case(
            "path-template-broken",
            "/paths/~1b~1{}",
            another("/b/{}", plain.clone()),
        ),
        case(
            "path-parameter-repeated",
            "/paths/~1b~1{id}~1{id}",
            another("/b/{id}/{id}", json!({})),
        ),
        case(
            "path-identical",
            "/paths/~1a~1{b}",
            another("/a/{b}", json!({"parameters": id("b")})),
        ),
        case(
            "path-ambiguous",
            "/paths/~1{b}~1c",
            another("/{b}/c", json!({"parameters": id("b")})),
        ),
        case(
            "path-overlap",
            "/paths/~1x~1{y}~1z",
            json!({"paths": {"/{b}/c/{d}": {}, "/x/{y}/z": {}}}),
        ),
        case(
            "operation-unreachable",
            "/paths/~1a~1{b}/post",
            another("/a/{b}", json!({"parameters": id("b")})),
        ),
        case("path-parameter-undeclared", POST, parameters(json!([]))),
        case(
            "path-parameter-unused",
            "/paths/~1b/post",
            another("/b", json!({})),
        ),
        case(
            "path-parameter-optional",
            &format!("{POST}/parameters/0"),
            parameters(json!([{"name": "id", "in": "path", "schema": {}}])),
        ),
    ]
}

fn operations() -> Vec<Case> {
    let mut cases = vec![
        in_operation("operation-id-missing", "", json!({"operationId": null})),
        in_operation(
            "operation-id-unsafe",
            "/operationId",
            json!({"operationId": "do a"}),
        ),
        in_operation("summary-missing", "", json!({"summary": " "})),
        in_operation("operation-untagged", "", json!({"tags": []})),
        in_operation("responses-missing", "", json!({"responses": null})),
        in_operation(
            "response-success-missing",
            "/responses",
            json!({"responses": {"202": null, "default": null, "404": {"description": ""}}}),
        ),
        in_operation(
            "response-error-missing",
            "/responses",
            json!({"responses": {"default": null}}),
        ),
        in_operation(
            "response-status-invalid",
            "/responses/20X",
            json!({"responses": {"20X": {"description": ""}}}),
        ),
        in_operation(
            "accepted-without-task",
            "/responses/202",
            json!({"responses": {"202": {"content": null}}}),
        ),
        in_operation(
            "body-media-types",
            "/requestBody/content",
            json!({"requestBody": {"content": {"text/plain": {}}}}),
        ),
        in_operation(
            "body-without-json",
            "/requestBody/content",
            json!({"requestBody": {"content": {"text/plain": {}, "application/json": null}}}),
        ),
        in_operation(
            "link-broken",
            "/responses/202/links/l/operationId",
            json!({"responses": {"202": {"links": {"l": {"operationId": "DoA"}}}}}),
        ),
        case(
            "operation-id-duplicate",
            "/paths/~1b/post/operationId",
            another("/b", json!({"operationId": "doA"})),
        ),
        case(
            "operation-id-case",
            "/paths/~1b/post/operationId",
            another("/b", json!({"operationId": "DoA"})),
        ),
        case(
            "body-unexpected",
            "/paths/~1b/delete/requestBody",
            json!({"paths": {"/b": {"delete": {"requestBody": {"content": {}}}}}}),
        ),
    ];
    let query = |name: &str| json!({"name": name, "in": "query", "schema": {}});
    for (rule, at, list) in [
        (
            "parameter-duplicate",
            "/parameters/1",
            json!([query("q"), query("q")]),
        ),
        ("parameter-name-case", "", json!([query("q"), query("Q")])),
        (
            "parameter-without-schema",
            "/parameters/0",
            json!([{"name": "q", "in": "query"}]),
        ),
        (
            "parameter-location",
            "/parameters/0/in",
            json!([{"name": "q", "in": "body", "schema": {}}]),
        ),
        (
            "parameter-header-ignored",
            "/parameters/0",
            json!([{"name": "authorization", "in": "header", "schema": {}}]),
        ),
    ] {
        cases.push(in_operation(rule, at, json!({ "parameters": list })));
    }
    cases
}

fn names_and_references() -> Vec<Case> {
    let components = |components: Value| json!({ "components": components });
    let to = |target: &str| json!({ "$ref": target });
    let circle =
        json!({"schemas": {"B": to("#/components/schemas/C"), "C": to("#/components/schemas/B")}});
    let mapping = json!({"propertyName": "x", "mapping": {"b": "#/components/schemas/B"}});
    vec![
        case(
            "schema-name-case",
            "/components/schemas/a",
            components(json!({"schemas": {"a": {}}})),
        ),
        case(
            "component-name-case",
            "/components/responses/r",
            components(json!({"responses": {"R": {"description": ""}, "r": {"description": ""}}})),
        ),
        case(
            "component-name-invalid",
            "/components/schemas/a b",
            components(json!({"schemas": {"a b": {}}})),
        ),
        case(
            "component-unused",
            "/components/schemas/B",
            components(json!({"schemas": {"B": {}}})),
        ),
        case(
            "component-unused",
            "/components/schemas/B",
            components(json!({"schemas": {"B": {"allOf": [{"$ref": "#/components/schemas/A"}]}}})),
        ),
        in_property("reference-dangling", "/$ref", to("#/components/schemas/a")),
        in_operation(
            "reference-dangling",
            "/responses/202/links/l/operationRef",
            json!({"responses": {"202": {"links": {"l": {"operationRef": "#/paths/~1none/get"}}}}}),
        ),
        case(
            "reference-circular",
            "/components/schemas/B/$ref",
            components(circle),
        ),
        in_property("reference-external", "/$ref", to("other.yaml#/x")),
        in_property(
            "reference-kind",
            "/$ref",
            to("#/components/securitySchemes/key"),
        ),
        in_property(
            "reference-sibling",
            "/nullable",
            json!({"$ref": "#/components/schemas/Task", "type": null, "nullable": true}),
        ),
        case(
            "discriminator-dangling",
            "/components/schemas/A/discriminator/mapping/b",
            schema(json!({"discriminator": mapping})),
        ),
        case("member-missing", "/info", json!({"info": {"title": null}})),
        in_property(
            "member-missing",
            "/externalDocs",
            json!({"externalDocs": {}}),
        ),
        in_property("member-type", "/nullable", json!({"nullable": "yes"})),
        in_property(
            "member-type",
            "/items",
            json!({"type": "array", "items": [{}]}),
        ),
        in_property("member-unknown", "/requried", json!({"requried": true})),
        in_property("member-unknown", "/const", json!({"const": 1})),
    ]
}

fn schemas() -> Vec<Case> {
    let typed = |kind: &str, keyword: &str, value: Value| json!({"type": kind, keyword: value});
    vec![
        in_property(
            "nullable-without-type",
            "/nullable",
            json!({"type": null, "nullable": true}),
        ),
        in_property("type-unknown", "/type", json!({"type": "text"})),
        in_property(
            "type-unknown",
            "/type",
            json!({"type": ["string", "integer"]}),
        ),
        in_property(
            "items-without-array",
            "/items",
            typed("object", "items", json!({})),
        ),
        in_property("array-without-items", "", json!({"type": "array"})),
        in_property(
            "keyword-without-effect",
            "/maxLength",
            typed("integer", "maxLength", json!(3)),
        ),
        in_property("format-unknown", "/format", json!({"format": "Uint64"})),
        in_property("format-type", "/format", json!({"format": "int64"})),
        in_property("enum-empty", "/enum", json!({"enum": []})),
        in_property("enum-type", "/enum/1", json!({"enum": ["a", 1]})),
        in_property("enum-type", "/enum/1", json!({"enum": ["a", null]})),
        in_property("enum-duplicate", "/enum/1", json!({"enum": ["a", "a"]})),
        case(
            "required-undeclared",
            "/components/schemas/A/required/0",
            schema(json!({"required": ["X"]})),
        ),
        in_property(
            "bounds-impossible",
            "/minLength",
            json!({"minLength": 3, "maxLength": 2}),
        ),
        in_property(
            "bounds-impossible",
            "/multipleOf",
            typed("integer", "multipleOf", json!(0)),
        ),
        in_property(
            "bounds-impossible",
            "/minimum",
            json!({"type": "integer", "minimum": 2, "exclusiveMinimum": true, "maximum": 2}),
        ),
        in_property("pattern-unusable", "/pattern", json!({"pattern": "("})),
        in_property(
            "read-and-write-only",
            "/writeOnly",
            json!({"readOnly": true, "writeOnly": true}),
        ),
    ]
}

fn values() -> Vec<Case> {
    let media = |media: Value| json!({"requestBody": {"content": {"application/json": media}}});
    vec![
        in_property(
            "example-invalid",
            "/example",
            json!({"type": "integer", "example": "1"}),
        ),
        in_property(
            "example-invalid",
            "/example/1",
            json!({"type": "array", "items": {"type": "integer", "maximum": 3}, "example": [3, 4]}),
        ),
        in_operation(
            "example-invalid",
            "/requestBody/content/application~1json/example/x",
            media(json!({"example": {"x": 1}})),
        ),
        in_operation(
            "example-invalid",
            "/requestBody/content/application~1json/examples/e/value/x",
            media(json!({"examples": {"e": {"value": {"x": 1}}}})),
        ),
        in_operation(
            "example-unknown-field",
            "/requestBody/content/application~1json/example/y",
            media(json!({"example": {"y": 1}})),
        ),
        in_operation(
            "example-twice",
            "/requestBody/content/application~1json/examples",
            media(json!({"example": {}, "examples": {}})),
        ),
        in_property(
            "default-invalid",
            "/default",
            json!({"maxLength": 2, "default": "abc"}),
        ),
    ]
}
