//! Figures of domain.md sections 6.2 and 7, read from the published definition.
//!
//! The file belongs to HPE and is no part of this project: without it, each test says that it is
//! skipped and passes.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use hallpass_openapi::collection::CollectionSettings;
use hallpass_openapi::{
    Argument, Definition, Fill, Location, LookupError, Operation, Reading, Route, Values,
};

static JSON: LazyLock<Option<Reading>> = LazyLock::new(|| read("storage-api.json"));
static YAML: LazyLock<Option<Reading>> = LazyLock::new(|| read("storage-api.yaml"));

#[expect(clippy::print_stdout, reason = "a skipped test must say so")]
fn read(name: &str) -> Option<Reading> {
    let path = format!("{}/../../../shared/data/{name}", env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {path} is not there");
        return None;
    };
    Some(Definition::read(&text).expect("it is an OpenAPI 3.0.3 document"))
}

fn list<'a>(definition: &'a Definition, path: &str) -> &'a Operation {
    let is_it = |one: &&Operation| one.path() == path && one.method() == http::Method::GET;
    definition
        .operations()
        .iter()
        .find(is_it)
        .expect("the path is in the definition")
}

#[test]
fn the_numbers_are_right() {
    let Some(Reading { definition, .. }) = &*JSON else {
        return;
    };
    assert_eq!(definition.operations().len(), 349);
    assert_eq!(definition.servers().count(), 3);
    let mut methods = BTreeMap::new();
    for operation in definition.operations() {
        *methods.entry(operation.method().as_str()).or_insert(0) += 1;
        assert!(operation.tag().is_some());
    }
    assert_eq!(
        methods,
        BTreeMap::from([("DELETE", 25), ("GET", 192), ("POST", 96), ("PUT", 36)])
    );
    assert_eq!(
        definition
            .operations()
            .iter()
            .filter(|one| one.body().is_some())
            .count(),
        125
    );
}

#[test]
fn json_and_yaml_are_the_same() {
    let (Some(json), Some(yaml)) = (&*JSON, &*YAML) else {
        return;
    };
    assert_eq!(json.definition.document(), yaml.definition.document());
    let rules = |reading: &Reading| {
        let mut found: Vec<_> = reading
            .problems
            .iter()
            .map(|one| (one.rule, one.pointer.clone()))
            .collect();
        found.sort();
        found
    };
    assert_eq!(rules(json), rules(yaml));
}

#[test]
fn its_known_problems_are_found() {
    let Some(Reading { problems, .. }) = &*JSON else {
        return;
    };
    let mut counts = BTreeMap::new();
    for problem in problems {
        *counts.entry(problem.rule).or_insert(0) += 1;
    }
    assert_eq!(
        counts,
        BTreeMap::from([
            ("accepted-without-task", 3),
            ("component-name-case", 2),
            ("contact-missing", 1),
            ("example-unknown-field", 2),
            ("format-type", 1),
            ("format-unknown", 331),
            ("items-without-array", 2),
            ("license-missing", 1),
            ("nullable-without-type", 16),
            ("oauth-flow-missing", 1),
            ("operation-id-case", 1),
            ("path-ambiguous", 38),
            ("path-overlap", 56),
            ("schema-name-case", 5),
        ])
    );
}

#[test]
fn every_operation_is_built_and_found_again() {
    let Some(Reading { definition, .. }) = &*JSON else {
        return;
    };
    for operation in definition.operations() {
        let wanted = operation
            .parameters()
            .iter()
            .filter(|one| one.location == Location::Path || one.required);
        let placed = wanted.map(|one| {
            let place = if one.location == Location::Path {
                "path"
            } else {
                "query"
            };
            Argument::placed(place, &one.name, "a/b ü")
        });
        let values = Values::new(placed.collect());
        let body = operation.body().map(|_| b"{}".to_vec());
        let request = definition
            .request(operation, &values.with_body(body).unchecked())
            .unwrap();
        let path = request.path_and_query.split('?').next().unwrap();
        match definition.routes().find(&request.method, path) {
            Route::Found {
                operation: found,
                path,
            } => {
                assert_eq!(found, operation.index(), "{}", operation.id());
                assert!(path.iter().all(|(_, value)| value == "a/b ü"));
            }
            other => panic!("{}: {other:?}", operation.id()),
        }
    }
}

#[test]
fn literal_segments_win() {
    let Some(Reading { definition, .. }) = &*JSON else {
        return;
    };
    let path = "/api/v1/storage-systems/device-type1";
    let Route::Found {
        operation,
        path: values,
    } = definition.routes().find(&http::Method::GET, path)
    else {
        panic!("{path} is not found");
    };
    assert_eq!(definition.operations()[operation].path(), path);
    assert_eq!(values, []);
}

#[test]
fn twins_in_letter_case_are_told_apart() {
    let Some(Reading { definition, .. }) = &*JSON else {
        return;
    };
    let mut twins: BTreeMap<String, Vec<&Operation>> = BTreeMap::new();
    for operation in definition.operations() {
        assert_eq!(
            definition.operation(operation.id()).unwrap().index(),
            operation.index()
        );
        twins
            .entry(operation.id().to_lowercase())
            .or_default()
            .push(operation);
    }
    let twins: Vec<_> = twins
        .into_iter()
        .filter(|(_, several)| several.len() > 1)
        .collect();
    assert_eq!(twins.len(), 1);
    let lookup = definition.operation(&twins[0].0);
    assert!(
        matches!(lookup, Err(LookupError::Ambiguous { candidates, .. }) if candidates.len() == 2)
    );
}

#[test]
fn marks_are_those_of_the_short_list() {
    let Some(Reading { definition, .. }) = &*JSON else {
        return;
    };
    let marks = |path: &str| {
        let mut marks = definition.marks(list(definition, path));
        marks.filterable.sort();
        marks.sortable.sort();
        marks
    };
    assert_eq!(
        marks("/api/v1/storage-systems").filterable,
        ["model", "name", "softwareVersion", "state"]
    );
    let hosts = marks("/api/v1/host-initiators");
    assert_eq!(
        hosts.filterable,
        [
            "editStatus",
            "hostGroupId",
            "id",
            "initiatorId",
            "name",
            "operatingSystem",
            "systems"
        ]
    );
    assert_eq!(hosts.sortable, ["name"]);
    let volumes = marks("/api/v1/volumes");
    assert_eq!(volumes.filterable.len(), 9);
    assert!(!volumes.sortable.contains(&"isInternal".to_owned()));
    assert_eq!(
        marks("/api/v1/storage-systems/device-type2/{systemId}/volumes")
            .filterable
            .len(),
        26
    );
}

#[test]
fn every_schema_compiles_and_refuses_what_it_should() {
    let Some(Reading { definition, .. }) = &*JSON else {
        return;
    };
    let number = serde_json::json!(7);
    // A schema that names no type says nothing about a number.
    let typed = |schema: &serde_json::Value| definition.resolve(schema).get("type").is_some();
    let mut checked = 0;
    for operation in definition.operations() {
        if operation.body().is_some_and(|body| typed(&body.schema)) {
            let violations = definition.check_body(operation, &number);
            assert_ne!(violations, [], "{}", operation.id());
            checked += 1;
        }
        for (status, schema) in operation.responses() {
            let Ok(status) = status.parse() else { continue };
            if schema.as_ref().is_some_and(typed) {
                let violations = definition.check_response(operation, status, &number);
                assert_ne!(violations, [], "{} {status}", operation.id());
                checked += 1;
            }
        }
    }
    assert!(checked > 1_000, "{checked}");
}

/// Nearly everything in it has an example, and what is put together of them is valid.
#[test]
fn examples_of_all_bodies_and_answers_are_valid() {
    let Some(Reading { definition, .. }) = &*JSON else {
        return;
    };
    for operation in definition.operations() {
        for fill in [Fill::Required, Fill::Shown, Fill::All] {
            if let Some(body) = definition.example_body(operation, fill) {
                let violations = definition.check_body(operation, &body);
                assert_eq!(violations, [], "{} {fill:?}: {body}", operation.id());
            }
        }
        for (status, _) in operation.responses() {
            let Ok(status) = status.parse() else { continue };
            if let Some(answer) = definition.example_answer(operation, status) {
                let violations = definition.check_response(operation, status, &answer);
                assert_eq!(violations, [], "{} {status}: {answer}", operation.id());
            }
        }
    }
}

#[test]
fn all_of_it_becomes_a_collection() {
    let Some(Reading { definition, .. }) = &*JSON else {
        return;
    };
    let operations: Vec<&Operation> = definition.operations().iter().collect();
    let collection = definition.collection(&operations, &CollectionSettings::default());
    let requests = crate::collection::requests(&collection);
    assert_eq!(requests.len(), 349);
    assert!(
        requests
            .iter()
            .all(|one| one["response"][0]["body"].is_string())
    );
    // What other converters leave in the place of a value: `<string>`, `<long>`.
    let text = collection.to_string();
    for word in [
        "string", "long", "integer", "number", "boolean", "uuid", "dateTime",
    ] {
        assert!(!text.contains(&format!("<{word}>")), "<{word}>");
    }
    for request in requests {
        for entry in request["request"]["url"]["query"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let off = entry.get("disabled").is_some();
            assert!(off || entry["value"] != "", "{request}");
        }
    }
}

#[test]
fn beside_another_definition_it_says_what_it_says_alone() {
    let Some(Reading { definition, .. }) = &*JSON else {
        return;
    };
    let small = Definition::read(include_str!("../data/small.yaml")).unwrap();
    let small = small.definition;
    let both = Definition::join(&[("small", &small), ("published", definition)]).unwrap();
    assert_eq!(
        both.operations().len(),
        definition.operations().len() + small.operations().len()
    );
    for operation in definition.operations() {
        let joined = both.operation(operation.id()).unwrap();
        assert_eq!(both.origin(joined), 1);
        assert_eq!(operation.path(), joined.path());
        assert_eq!(
            definition.example_body(operation, Fill::All),
            both.example_body(joined, Fill::All),
            "{}",
            operation.id()
        );
        assert_eq!(definition.marks(operation), both.marks(joined));
    }
}
