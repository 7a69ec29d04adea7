//! One operation out of the compiled form does what it does in the whole definition, and bytes that
//! are no compiled form are never taken for one.

use std::fmt::Write as _;
use std::sync::LazyLock;

use hallpass_openapi::{
    Brief, Chosen, Compiled, Definition, Digest, Distrust, Index, Location, Operation, Source,
    Values,
};
use proptest::prelude::*;
use serde_json::{Value, json};

const SMALL: &str = include_str!("../data/small.yaml");
const BUILT_IN: &str = include_str!("../../../../api/storage-api.yaml");

fn read(text: &str) -> Definition {
    Definition::read(text).unwrap().definition
}

fn compile(definition: &Definition) -> Vec<u8> {
    Compiled::compile(definition, Digest::of(b""), &[]).unwrap()
}

fn open(bytes: &[u8]) -> Result<Compiled, Distrust> {
    Compiled::read(bytes.to_vec(), Digest::of(b""), |_| true)
}

/// Bodies that say something about every type.
fn bodies(brief: &Brief) -> Vec<Value> {
    let names = brief.inputs.iter().map(|input| input.name.clone());
    let wrong = names
        .clone()
        .map(|name| (name, json!([{"a": null}])))
        .collect();
    let texts = names.map(|name| (name, json!("1"))).collect();
    vec![
        json!(7),
        json!({}),
        Value::Object(wrong),
        Value::Object(texts),
    ]
}

/// What is asked of a definition about one operation, as text.
fn answers(definition: &Definition, operation: &Operation, brief: &Brief) -> String {
    let parameters = operation.parameters().iter();
    let needed = parameters.filter(|one| one.location == Location::Path || one.required);
    let named = needed.map(|one| (&*one.name, "a/b")).collect();
    let all = brief.inputs.iter().map(|one| (&*one.name, "1")).collect();
    let mut said = String::new();
    let mut say = |answer: &dyn std::fmt::Debug| writeln!(said, "{answer:?}").unwrap();
    say(&(operation.id(), operation.pointer(), operation.parameters()));
    say(&(operation.method(), operation.path()));
    say(&(
        operation.bodies(),
        operation.needs_body(),
        operation.responses(),
    ));
    say(&(
        operation.tag(),
        operation.summary(),
        operation.description(),
        operation.is_list(),
    ));
    for named in [Vec::new(), named, all, vec![("nonsense", "")]] {
        say(&definition.request(operation, &Values::literal(named)));
    }
    for body in bodies(brief) {
        say(&definition.check_body(operation, &body));
        say(&definition.tolerant(operation, body.clone()));
        for (status, schema) in operation.responses() {
            say(&definition.check_response(operation, status.parse().unwrap_or(599), &body));
            say(&schema.as_ref().map(|schema| definition.shape(schema, 4)));
        }
    }
    say(&definition.marks(operation));
    say(&(
        definition.title(),
        definition.version(),
        definition.servers().collect::<Vec<_>>(),
    ));
    said
}

/// How large the documents of single operations are, in the order of the definition.
fn assert_same(whole: &Definition) -> Vec<usize> {
    let compiled = open(&compile(whole)).unwrap();
    assert_eq!(compiled.index().entries(), Index::of(whole).entries());
    let check = |operation: &Operation| {
        let position = compiled.index().find(operation.id()).unwrap();
        assert_eq!(position, operation.index());
        let brief = compiled.brief(position).unwrap();
        assert_eq!(brief, Brief::of(whole, operation));
        let chosen = compiled.operation(position).unwrap();
        assert_eq!(chosen.definition().operations().len(), 1);
        assert_eq!(
            answers(chosen.definition(), chosen.operation(), &brief),
            answers(whole, operation, &brief),
        );
        assert_in_order(chosen.definition().document(), whole.document());
        chosen.definition().document().to_string().len()
    };
    whole.operations().iter().map(check).collect()
}

/// Every member of the part is in the whole, the same and in the same order.
#[track_caller]
fn assert_in_order(part: &Value, whole: &Value) {
    match (part, whole) {
        (Value::Object(part), Value::Object(whole)) => {
            let mut places = part
                .keys()
                .map(|key| whole.keys().position(|one| one == key).unwrap());
            let first = places.next().unwrap_or_default();
            let ascending = places.try_fold(first, |last, next| (next > last).then_some(next));
            assert!(ascending.is_some(), "{:?}", part.keys());
            part.iter()
                .for_each(|(key, value)| assert_in_order(value, &whole[key]));
        }
        (Value::Array(part), Value::Array(whole)) => {
            assert_eq!(part.len(), whole.len());
            part.iter()
                .zip(whole)
                .for_each(|(part, whole)| assert_in_order(part, whole));
        }
        _ => assert_eq!(part.to_string(), whole.to_string()),
    }
}

#[test]
fn operations_of_our_definitions_are_the_same() {
    assert_same(&read(SMALL));
    assert_same(&read(BUILT_IN));
}

#[test]
fn operations_of_the_published_definition_are_the_same_and_small() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../../shared/data/storage-api.json"
    );
    let Ok(text) = std::fs::read_to_string(path) else {
        println!("skipped: {path} is not there");
        return;
    };
    let whole = read(&text);
    let mut sizes = assert_same(&whole);
    sizes.sort_unstable();
    let (median, largest) = (sizes[sizes.len() / 2], sizes[sizes.len() - 1]);
    println!("median {median}, largest {largest} bytes");
    assert!(median < 20_000 && largest < 120_000, "{median} {largest}");
    let compiled = compile(&whole).len();
    assert!(compiled < text.len(), "{compiled}");
}

#[test]
fn paths_that_share_a_path_item_stay_apart() {
    for (first, second) in [
        ("/v1/volumes", "/v2/volumes"),
        ("/v2/volumes", "/v1/volumes"),
    ] {
        let mut paths = serde_json::Map::new();
        for path in [first, second] {
            let item = if path == "/v1/volumes" {
                json!({"get": {"responses": {"200": {"description": "x"}}}})
            } else {
                json!({"$ref": "#/paths/~1v1~1volumes"})
            };
            paths.insert(path.to_owned(), item);
        }
        let whole = read(&json!({"openapi": "3.0.3", "info": {}, "paths": paths}).to_string());
        let called: Vec<&str> = whole.operations().iter().map(Operation::path).collect();
        assert_eq!(called, [first, second]);
        assert_same(&whole);
        let compiled = open(&compile(&whole)).unwrap();
        for (position, path) in called.iter().enumerate() {
            assert_eq!(
                compiled.operation(position).unwrap().operation().path(),
                *path
            );
        }
    }
}

/// References of every kind: circles, other paths, a whole folder, odd names, numbers at the edge.
const ODD: &str = r"
openapi: 3.0.3
info: { title: Odd, version: 1.10 }
x-note: kept
paths:
  /a/{id}:
    parameters: [{ $ref: '#/components/parameters/id' }]
    get:
      responses:
        '200':
          description: x
          content: { application/json: { schema: { $ref: '#/components/schemas/Tree' } } }
    put:
      requestBody: { $ref: '#/paths/~1b/post/requestBody' }
      responses: { '200': { $ref: '#/components/responses/Odd~1name' } }
  /b:
    post:
      requestBody:
        content: { application/json: { schema: { $ref: '#/components/schemas/A%20b/properties/c' } } }
      responses: { '200': { description: x } }
    delete: { operationId: x, responses: { '200': { $ref: '#/paths/~1b/post/responses/200' } } }
  /c:
    $ref: '#/x-items/c'
  /d:
    get: { operationId: x, responses: { '200': { $ref: '#/nowhere' } } }
components:
  responses:
    Odd/name:
      description: x
      content:
        application/json:
          schema:
            oneOf: [{ $ref: '#/components/schemas/Cat' }]
            discriminator: { propertyName: kind, mapping: { dog: Dog } }
  schemas:
    Tree: { type: object, properties: { items: { type: array, items: { $ref: '#/components/schemas/Tree' } } } }
    A b: { properties: { c: { type: object, required: [n], properties: { n: { type: integer, maximum: 18446744073709551615, minimum: 0.1 } } } } }
    Cat: { type: object }
    Dog: { type: string }
    Unused: { type: string }
  parameters:
    id: { name: id, in: path, required: true, schema: { type: string } }
x-items:
  c: { get: { operationId: c, responses: {} }, put: { operationId: cp, responses: {} } }
";

#[test]
fn odd_references_are_followed() {
    let whole = read(ODD);
    assert_same(&whole);
    let compiled = open(&compile(&whole)).unwrap();
    let document = |name: &str| {
        let position = compiled.index().find(name).unwrap();
        compiled
            .operation(position)
            .unwrap()
            .definition()
            .document()
            .clone()
    };
    let put = document("put-a-id");
    assert!(put["paths"]["/a/{id}"].get("get").is_none());
    assert!(
        put["components"]["schemas"].get("Dog").is_some(),
        "named by a mapping only"
    );
    assert!(put["components"]["schemas"].get("Tree").is_none());
    let tree = document("get-a-id");
    assert!(tree["components"]["schemas"].get("Tree").is_some());
    assert_eq!(tree["components"]["schemas"].as_object().unwrap().len(), 1);
    assert_eq!(tree["x-note"], "kept");
}

#[test]
fn other_files_come_along_as_far_as_they_are_needed() {
    let main = "openapi: 3.1.0\npaths:\n  /a: { $ref: 'paths/a.yaml' }\n  /b:\n    get:\n      operationId: b\n      \
                responses: { '200': { description: x, content: { application/json: { schema: { $ref: \
                'common.yaml#/components/schemas/B' } } } } }\n";
    let mut load = |location: &str| {
        match location {
        "paths/a.yaml" => Ok(b"get: { operationId: a, responses: { '200': { $ref: '../common.yaml#/r' } } }\n\
                              put: { operationId: ap, responses: {} }"
            .to_vec()),
        "common.yaml" => Ok(b"r: { description: x, content: { application/json: { schema: { $ref: '#/components/schemas/A' } } } }\n\
                             components: { schemas: { A: { items: { $ref: '#/components/schemas/A' } }, B: { type: string } } }"
            .to_vec()),
        other => Err(format!("there is no {other}")),
    }
    };
    let reading = Definition::read_from("main.yaml", main.as_bytes(), &mut load).unwrap();
    let whole = reading.definition;
    assert_eq!(whole.parts().count(), 2, "{:?}", reading.problems);
    assert_same(&whole);
    let compiled = open(&compile(&whole)).unwrap();
    let b = compiled
        .operation(compiled.index().find("b").unwrap())
        .unwrap();
    let parts = &b.definition().document()["x-hallpass-parts"];
    assert_eq!(
        *parts,
        json!({"common.yaml": {"components": {"schemas": {"B": {"type": "string"}}}}})
    );
}

#[test]
fn what_cannot_be_said_exactly_is_not_compiled() {
    let none = |text: &str| Compiled::compile(&read(text), Digest::of(b""), &[]).is_none();
    let responses = "responses: { '200': { description: x, content: { application/json: { schema:";
    let whole = format!(
        "openapi: 3.0.3\npaths: {{ /a: {{ get: {{ {responses} {{ $ref: '#' }} }} }} }} }} }} }} }}"
    );
    assert!(none(&whole), "an operation that needs the whole document");
    let deep = format!("{}1{}", "[".repeat(150), "]".repeat(150));
    assert!(none(&format!(
        "openapi: 3.0.3\npaths: {{ /a: {{ get: {{ x-deep: {deep} }} }} }}"
    )));
}

#[test]
fn another_text_another_file_and_another_version_are_told_apart() {
    let small = read(SMALL);
    let source = Source {
        location: "parts/volume.yaml".to_owned(),
        digest: Digest::of(b"volume"),
    };
    let text = Digest::of(SMALL.as_bytes());
    let bytes = Compiled::compile(&small, text, std::slice::from_ref(&source)).unwrap();
    let read =
        |text, unchanged| Compiled::read(bytes.clone(), text, |one| *one == source && unchanged);
    assert!(read(text, true).is_ok());
    assert_eq!(read(text, false).unwrap_err(), Distrust::Changed);
    assert_eq!(read(Digest::of(b""), true).unwrap_err(), Distrust::Changed);
    let mut newer = bytes.clone();
    newer[8] += 1;
    assert_eq!(open(&newer).unwrap_err(), Distrust::Version);
    assert_eq!(open(b"openapi: 3.0.3").unwrap_err(), Distrust::Foreign);
    assert_eq!(open(&bytes[..60]).unwrap_err(), Distrust::Damaged);
}

static WHOLE: LazyLock<Vec<u8>> = LazyLock::new(|| compile(&read(SMALL)));

/// Everything that can be had from bytes, as long as they are believed.
fn all_there_is(bytes: &[u8]) -> Option<Vec<(Brief, Value)>> {
    let compiled = open(bytes).ok()?;
    let one = |position| {
        let chosen: Chosen = compiled.operation(position).ok()?;
        Some((
            compiled.brief(position).ok()?,
            chosen.definition().document().clone(),
        ))
    };
    (0..compiled.index().entries().len()).map(one).collect()
}

proptest! {
    #[test]
    fn random_bytes_are_never_believed(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(open(&bytes).is_err());
        let behind_our_header = [&WHOLE[..48], &bytes].concat();
        prop_assert!(open(&behind_our_header).is_err());
    }

    #[test]
    fn changed_and_cut_bytes_are_found_out(at in any::<prop::sample::Index>(), by in 1_u8..) {
        let at = at.index(WHOLE.len());
        let mut changed = WHOLE.clone();
        changed[at] ^= by;
        prop_assert!(all_there_is(&changed).is_none());
        prop_assert!(all_there_is(&WHOLE[..at]).is_none());
    }
}
