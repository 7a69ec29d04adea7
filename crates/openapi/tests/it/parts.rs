//! Definitions of several texts: what refers to what, what is loaded, and what is said about it.

use std::collections::BTreeMap;

use hallpass_openapi::{Definition, Operation, Problem, Reading, Severity};
use serde_json::{Value, json};

/// Reads the text at `api.yaml` among these, and gives the locations that were asked for.
fn read(texts: &[(&str, &str)]) -> (Reading, Vec<String>) {
    let texts: BTreeMap<&str, &str> = texts.iter().copied().collect();
    let mut asked = Vec::new();
    let reading =
        Definition::read_from("api.yaml", texts["api.yaml"].as_bytes(), &mut |location| {
            asked.push(location.to_owned());
            let text = texts.get(location).ok_or("it does not exist")?;
            Ok(text.as_bytes().to_vec())
        });
    (reading.unwrap(), asked)
}

/// Part, line, column and rule of what is wrong with texts and references.
fn found(problems: &[Problem]) -> Vec<(&str, usize, usize, &str)> {
    const RULES: [&str; 6] = [
        "json-invalid",
        "key-twice",
        "nullable-without-type",
        "reference-dangling",
        "reference-external",
        "schema-name-case",
    ];
    let ours = problems.iter().filter(|one| RULES.contains(&one.rule));
    ours.map(|one| {
        let part = one.part.as_deref().unwrap_or_default();
        (part, one.line, one.column, one.rule)
    })
    .collect()
}

fn operation<'a>(definition: &'a Definition, id: &str) -> &'a Operation {
    definition.operation(id).unwrap()
}

const API: &str = "\
openapi: 3.1.0
info: { title: T, version: 1.10 }
paths:
  /volumes:
    $ref: paths/volumes.yaml
  /volumes/{id}:
    $ref: 'paths/volumes.yaml#/one'
    summary: One volume
    parameters:
      - { name: id, in: path, required: true, schema: { type: string } }
components:
  schemas:
    Volume: { $ref: schemas/volume.yaml }
    volume: { type: boolean }
";

const VOLUMES: &str = "\
get:
  operationId: ListVolumes
  responses:
    '200':
      description: ok
      content:
        application/json:
          schema:
            type: object
            properties:
              items: { type: array, items: { $ref: '../api.yaml#/components/schemas/Volume' } }
one:
  parameters: [ { $ref: ../parameters.json#/trace, description: Where it is seen } ]
  get:
    operationId: GetVolume
    responses:
      '200': { description: ok, content: { application/json: { schema: { $ref: ../schemas/volume.yaml } } } }
  put:
    operationId: PutVolume
    requestBody: { content: { application/json: { schema: { $ref: '#/body' } } } }
    responses: { '200': { description: ok } }
body:
  $ref: ../schemas/volume.yaml
";

const VOLUME: &str = "\
type: object
required: [name]
properties:
  name: { type: [string, 'null'], description: 'Its name. Filter, Sort' }
  parent: { $ref: '#' }
  host: { $ref: 'host%20of.yaml#/Host' }
";

const HOST: &str = "\
Host:
  type: object
  properties:
    volumes: { type: array, items: { $ref: volume.yaml } }
Unused: { $ref: nowhere.yaml }
";

const PARAMETERS: &str =
    r#"{"trace": {"name": "trace", "in": "header", "description": "", "schema": {"const": "x"}}}"#;

const ALL: [(&str, &str); 5] = [
    ("api.yaml", API),
    ("paths/volumes.yaml", VOLUMES),
    ("schemas/volume.yaml", VOLUME),
    ("schemas/host%20of.yaml", HOST),
    ("parameters.json", PARAMETERS),
];

#[test]
fn texts_may_refer_to_each_other_in_circles() {
    let (
        Reading {
            definition,
            problems,
        },
        asked,
    ) = read(&ALL);
    assert_eq!(found(&problems), [("", 14, 5, "schema-name-case")]);
    assert_eq!(
        asked,
        [
            "paths/volumes.yaml",
            "schemas/volume.yaml",
            "parameters.json",
            "schemas/host%20of.yaml",
        ],
        "each once, and only what is referred to"
    );
    assert!(definition.parts().eq(asked.iter().map(String::as_str)));
    assert_eq!(definition.version(), "1.10");

    let list = operation(&definition, "ListVolumes");
    assert!(list.is_list());
    assert_eq!(
        definition.marks(list).filterable,
        ["name", "parent.name", "host.name"][..1]
    );
    let put = operation(&definition, "PutVolume");
    let wrong = json!({"name": null, "host": {"volumes": [{"name": "a", "parent": {"name": 1}}]}});
    let violations = definition.check_body(put, &wrong);
    assert_eq!(violations.len(), 1, "{violations:?}");
    assert_eq!(violations[0].pointer, "/host/volumes/0/parent/name");
}

#[test]
fn a_path_item_may_say_more_than_the_one_it_refers_to() {
    let (Reading { definition, .. }, _) = read(&ALL);
    let get = operation(&definition, "GetVolume");
    assert_eq!((get.path(), get.summary()), ("/volumes/{id}", "One volume"));
    let names: Vec<&str> = get
        .parameters()
        .iter()
        .map(|one| one.name.as_str())
        .collect();
    assert_eq!(names, ["trace", "id"]);
    let trace = &get.parameters()[0];
    assert_eq!(trace.description, "Where it is seen");
    assert_eq!(trace.example, Some(json!("x")));
    assert_eq!(
        definition.document().pointer(get.pointer()).unwrap()["operationId"],
        "GetVolume"
    );
    assert_eq!(
        definition.part(get.pointer()).unwrap(),
        "paths/volumes.yaml"
    );
    assert_eq!(definition.position(get.pointer()).line, 14);
}

#[test]
fn every_reference_that_leads_anywhere_is_inside_the_document() {
    fn references<'a>(value: &'a Value, into: &mut Vec<&'a str>) {
        match value {
            Value::Object(members) => {
                into.extend(members.get("$ref").and_then(Value::as_str));
                members.values().for_each(|one| references(one, into));
            }
            Value::Array(items) => items.iter().for_each(|one| references(one, into)),
            _ => {}
        }
    }
    let (Reading { definition, .. }, _) = read(&ALL);
    let mut all = Vec::new();
    references(definition.document(), &mut all);
    assert_eq!(all.len(), 12);
    for reference in all {
        let resolved = definition.resolve(&json!({ "$ref": reference })).clone();
        let unused = reference == "nowhere.yaml";
        assert_eq!(resolved.get("$ref").is_some(), unused, "{reference}");
    }
}

#[test]
fn what_cannot_be_loaded_is_told_where_it_is_referred_to() {
    let api = "\
openapi: 3.0.3
paths: {}
components:
  schemas:
    A: { $ref: missing.yaml#/A }
    B: { $ref: 'b.yaml#/B' }
    C: { $ref: 'b.yaml#/c' }
    D: { $ref: broken.json }
    E: { $ref: './b.yaml#/E' }
";
    let b = "B:\n  type: object\n  properties:\n    a: { $ref: '#/nothing' }\n    b: { $ref: also/missing.yaml }\n  type: string\nC: {}\nE: { nullable: true }\n";
    let (reading, asked) = read(&[
        ("api.yaml", api),
        ("b.yaml", b),
        ("broken.json", "{\"a\":\n1,}"),
    ]);
    assert_eq!(
        asked,
        ["missing.yaml", "b.yaml", "broken.json", "also/missing.yaml"]
    );
    assert_eq!(
        found(&reading.problems),
        [
            ("", 5, 10, "reference-external"),
            ("", 7, 10, "reference-dangling"),
            ("b.yaml", 4, 10, "reference-dangling"),
            ("b.yaml", 5, 10, "reference-external"),
            ("b.yaml", 6, 3, "key-twice"),
            ("b.yaml", 8, 6, "nullable-without-type"),
            ("broken.json", 2, 3, "json-invalid"),
        ]
    );
    let message = &reading
        .problems
        .iter()
        .find(|one| one.rule == "reference-external")
        .unwrap()
        .message;
    assert!(message.contains("`missing.yaml#/A`") && message.contains("it does not exist"));
    let inside = reading
        .problems
        .iter()
        .find(|one| one.rule == "key-twice")
        .unwrap();
    assert_eq!(inside.pointer, "/B/type");
    assert!(inside.to_string().starts_with("b.yaml:6:3: error: "));
    // What leads nowhere must not lead somewhere else.
    let schemas = &reading.definition.document()["components"]["schemas"];
    assert_eq!(schemas["A"]["$ref"], "missing.yaml#/A");
    let b = reading.definition.resolve(&schemas["B"]);
    assert_eq!(b["properties"]["a"]["$ref"], "b.yaml#/nothing");
}

#[test]
fn without_a_loader_nothing_else_is_read() {
    let text = "openapi: 3.0.3\npaths: {}\ncomponents: {schemas: {A: {$ref: b.yaml}}}";
    let reading = Definition::read(text).unwrap();
    assert_eq!(
        found(&reading.problems),
        [("", 3, 28, "reference-external")]
    );
    assert_eq!(reading.definition.parts().count(), 0);
}

#[test]
fn schemas_refer_by_id_and_anchor_since_3_1() {
    let schemas = "\
paths:
  /a:
    put:
      operationId: Put
      requestBody:
        content:
          application/json:
            schema: { $ref: 'https://example.com/tree' }
components:
  schemas:
    Tree:
      $id: https://example.com/tree
      type: object
      properties:
        size: { $ref: '#size' }
        left: { $ref: '#' }
        right: { $dynamicRef: '#node' }
        leaf: { $ref: 'leaf' }
        name: { $ref: '#/$defs/name' }
      $dynamicAnchor: node
      $defs:
        size: { $anchor: size, type: integer }
        name: { type: string }
    Leaf: { $id: 'https://example.com/leaf', type: boolean }
";
    let modern = format!("openapi: 3.1.0\n{schemas}");
    let (reading, asked) = read(&[("api.yaml", &modern)]);
    assert_eq!((found(&reading.problems), asked), (vec![], vec![]));
    let put = operation(&reading.definition, "Put");
    let good = json!({"size": 1, "left": {"right": {"size": 2}}, "leaf": true, "name": "a"});
    assert_eq!(reading.definition.check_body(put, &good), []);
    for bad in [
        json!({"size": "1"}),
        json!({"left": {"left": {"size": "1"}}}),
        json!({"right": {"size": "1"}}),
        json!({"leaf": 1}),
        json!({"name": 1}),
    ] {
        assert_eq!(reading.definition.check_body(put, &bad).len(), 1, "{bad}");
    }
    // 3.0 knows neither.
    let old = format!("openapi: 3.0.3\n{schemas}");
    let (reading, asked) = read(&[("api.yaml", &old)]);
    assert_eq!(asked, ["https://example.com/tree", "leaf"]);
    let rules: Vec<&str> = found(&reading.problems).iter().map(|one| one.3).collect();
    assert!(rules.contains(&"reference-external") && rules.contains(&"reference-dangling"));
}

#[test]
fn an_id_does_not_hide_the_file_beside() {
    let api = "openapi: 3.1.0\npaths: {}\ncomponents: {schemas: {A: {$ref: s/a.yaml}, N: {$ref: 's/b.yaml#named'}}}";
    let a = "$id: https://example.com/a.yaml\nproperties: { b: { $ref: b.yaml } }";
    let b = "type: integer\n$defs: { n: { $anchor: named, type: string } }";
    let (reading, asked) = read(&[("api.yaml", api), ("s/a.yaml", a), ("s/b.yaml", b)]);
    assert_eq!(found(&reading.problems), []);
    assert_eq!(
        asked,
        ["s/a.yaml", "s/b.yaml", "https://example.com/b.yaml"]
    );
    let definition = &reading.definition;
    let schemas = &definition.document()["components"]["schemas"];
    let a = definition.resolve(&schemas["A"]);
    assert_eq!(definition.resolve(&a["properties"]["b"])["type"], "integer");
    assert_eq!(definition.resolve(&schemas["N"])["type"], "string");
}

#[test]
fn a_chain_of_texts_ends() {
    let api = "openapi: 3.1.0\npaths: {}\ncomponents: {schemas: {A: {$ref: '1'}}}";
    let mut asked = 0;
    let reading = Definition::read_from("api.yaml", api.as_bytes(), &mut |location| {
        asked += 1;
        let next = location.parse::<u32>().unwrap() + 1;
        Ok(format!("$ref: '{next}'").into_bytes())
    });
    let problems = reading.unwrap().problems;
    assert_eq!(asked, 1_000);
    assert!(
        problems
            .iter()
            .any(|one| one.message.contains("more than 1000"))
    );
}

#[test]
fn webhooks_and_path_items_of_components_are_looked_at() {
    let api = "\
openapi: 3.1.0
paths: { /a: { $ref: '#/components/pathItems/default' } }
webhooks:
  default: { post: { requestBody: { content: { application/json: { schema: { $ref: '#/no' } } } } } }
components:
  pathItems:
    default: { get: { operationId: A, responses: { '200': { $ref: '#/none' } } } }
";
    let (reading, _) = read(&[("api.yaml", api)]);
    assert_eq!(
        found(&reading.problems),
        [
            ("", 4, 78, "reference-dangling"),
            ("", 7, 61, "reference-dangling")
        ]
    );
    let ids: Vec<&str> = reading
        .definition
        .operations()
        .iter()
        .map(Operation::id)
        .collect();
    assert_eq!(ids, ["A"], "nobody calls a webhook");
}

#[test]
fn version_3_2_is_read_with_a_note() {
    let (reading, _) = read(&[("api.yaml", "openapi: 3.2.0\npaths: { /a: { get: {} } }")]);
    let note = reading
        .problems
        .iter()
        .find(|one| one.rule == "openapi-3-2")
        .unwrap();
    assert_eq!(
        (note.severity, note.line, note.column),
        (Severity::Note, 1, 1)
    );
    assert_eq!(reading.definition.operations().len(), 1);
}

#[test]
fn relative_servers_begin_where_the_definition_is() {
    let urls = |location: &str, servers: &str| {
        let text = format!("openapi: 3.0.3\npaths: {{}}\n{servers}");
        let nothing = &mut |_: &str| Err(String::new());
        let reading = Definition::read_from(location, text.as_bytes(), nothing);
        reading.unwrap().definition.server_urls()
    };
    let servers = "servers: [{url: /v1}, {url: ../v2}, {url: 'https://{where}.example.com/{x}', \
                   variables: {where: {default: eu1}}}]";
    assert_eq!(
        urls("https://example.com/docs/api/openapi.yaml", servers),
        [
            "https://example.com/v1",
            "https://example.com/docs/v2",
            "https://eu1.example.com/{x}"
        ]
    );
    assert_eq!(
        urls("https://example.com/api.yaml", ""),
        ["https://example.com/"]
    );
    assert_eq!(urls("", "servers: [{url: /v1}]"), ["/v1"]);
}

/// What a discriminator maps to and where a link leads are references too.
#[test]
fn discriminators_and_links_lead_into_other_texts() {
    let api = "\
openapi: 3.0.3
info: { title: T, version: '1' }
paths:
  /pets:
    post:
      operationId: AddPet
      requestBody: { content: { application/json: { schema: { $ref: '#/components/schemas/Pet' } } } }
      responses:
        '200':
          description: Added
          links:
            other: { operationRef: 'paths/more.yaml#/~1vets/get' }
            nowhere: { operationRef: 'paths/more.yaml#/~1vets/put' }
            away: { operationRef: 'https://example.com/api.yaml#/paths/~1a/get' }
components:
  schemas:
    Pet:
      oneOf: [{ $ref: 'pets/pets.yaml#/components/schemas/Cat' }, { $ref: pets/dog.yaml }]
      discriminator:
        propertyName: kind
        mapping:
          cat: 'pets/pets.yaml#/components/schemas/Cat'
          dog: pets/dog.yaml
          bird: pets/bird.yaml
          own.name: Own.Name
    Own.Name: { type: object }
";
    let pets = "\
components:
  schemas:
    Cat:
      type: object
      properties: { kind: { enum: [cat] }, claws: { type: integer } }
      discriminator: { propertyName: kind, mapping: { kitten: Kitten, own: Own.Name } }
    Kitten: { nullable: true }
";
    let dog = "{ type: object, properties: { kind: { enum: [dog] }, bark: { type: boolean } } }";
    let more = "/vets: { get: { operationId: ListVets, responses: {} } }";
    let (reading, asked) = read(&[
        ("api.yaml", api),
        ("pets/pets.yaml", pets),
        ("pets/dog.yaml", dog),
        ("paths/more.yaml", more),
    ]);
    assert_eq!(
        asked,
        [
            "paths/more.yaml",
            "pets/pets.yaml",
            "pets/dog.yaml",
            "pets/bird.yaml"
        ],
    );
    assert_eq!(
        found(&reading.problems),
        [
            ("", 13, 24, "reference-dangling"),
            ("", 24, 11, "reference-external"),
            ("pets/pets.yaml", 7, 15, "nullable-without-type"),
        ]
    );
    let definition = reading.definition;
    let document = definition.document();
    let at = |pointer: &str| document.pointer(pointer).unwrap().as_str().unwrap();
    let link = at("/paths/~1pets/post/responses/200/links/other/operationRef");
    let linked = definition.resolve(&json!({ "$ref": link })).clone();
    assert_eq!(linked["operationId"], "ListVets");
    let mapping = "/components/schemas/Pet/discriminator/mapping";
    assert_eq!(at(&format!("{mapping}/own.name")), "Own.Name");
    let dog = json!({ "$ref": at(&format!("{mapping}/dog")) });
    let dog = definition.resolve(&dog);
    assert!(dog["properties"].get("bark").is_some());

    let post = operation(&definition, "AddPet");
    for (kind, field) in [("dog", "bark"), ("cat", "claws")] {
        let violations = definition.check_body(post, &json!({"kind": kind, field: "x"}));
        assert_eq!(violations.len(), 1, "{violations:?}");
        assert_eq!(violations[0].pointer, format!("/{field}"));
    }
}
