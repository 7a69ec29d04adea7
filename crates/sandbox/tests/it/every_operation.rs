//! Every operation of a definition with its own examples, each on a fresh copy of the state. The
//! service's own definition is used when it is at hand.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use hallpass_openapi::{Definition, Operation};
use hallpass_sandbox::Level;
use http::Method;
use serde_json::{Value, json};

use crate::stand::Stand;
use crate::world;

pub(crate) const SKIPPED: &str = "skipped: ../shared/data/storage-api.json is not there";

/// The service's own definition; it is never part of the project.
pub(crate) fn published() -> Option<Arc<Definition>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/storage-api.json");
    let text = std::fs::read_to_string(&path).ok()?;
    Some(Arc::new(Definition::read(&text).unwrap().definition))
}

/// A request of the definition's own examples that cannot be right, and what its sender has to
/// choose. The list may only shrink: what is answered 2xx untouched is no exception.
struct Exception {
    operation: &'static str,
    reason: &'static str,
    /// The request as its sender would make it; what has to be done before it is done.
    choose: fn(&mut Stand, &mut String, &mut Value),
}

/// Those of the service's own definition. The shipped one has none.
const EXCEPTIONS: &[Exception] = &[
    Exception {
        operation: "POST device-type1/{}/applicationsets/{}/export",
        reason: "no host group is an example, and the body must name one",
        choose: |stand, _, body| body["hostGroupIds"] = group(stand),
    },
    Exception {
        operation: "DELETE device-type1/{}/volumes/{}/snapshots/{}",
        reason: "the snapshot is the one that is to be un-exported",
        choose: |_, path, _| path.push_str("?force=true"),
    },
    Exception {
        operation: "DELETE device-type1/{}/volumes/{}",
        reason: "what is below the volume is an example too: a VLUN and a snapshot",
        choose: |_, path, _| path.push_str("?unExport=true&cascade=true"),
    },
    Exception {
        operation: "PUT device-type1/{}/volumes/{}",
        reason: "a volume of more than 1 MiB does not shrink to that",
        choose: |stand, path, body| body["sizeMib"] = stand.get(path).1["sizeMiB"].clone(),
    },
];

/// A host group that is listed; the first one reaches volumes already.
fn group(stand: &mut Stand) -> Value {
    json!([ids(&stand.get("/api/v1/host-initiator-groups").1)[1]])
}

/// The method and the path of an operation below the systems, whatever its parameters are called.
fn short(operation: &Operation) -> String {
    let step = |step| if is_parameter(step) { "{}" } else { step };
    let steps: Vec<&str> = operation.path().split('/').map(step).collect();
    let path = steps.join("/");
    let path = path
        .strip_prefix("/api/v1/storage-systems/")
        .unwrap_or(&path);
    format!("{} {path}", operation.method())
}

/// How the requests of a definition are answered.
#[derive(Default)]
struct Tally {
    /// How often each level is answered with each status.
    counts: BTreeMap<(&'static str, u16), usize>,
    /// The exceptions that are needed.
    excepted: Vec<String>,
    wrong: Vec<String>,
}

fn tally(definition: &Arc<Definition>, exceptions: &[Exception]) -> Tally {
    let mut stand = Stand::new(Arc::clone(definition));
    let fresh = stand.state.clone();
    let mut tally = Tally::default();
    stand.broken = Some(Vec::new());
    for operation in definition.operations() {
        stand.state = fresh.clone();
        let level = stand.sandbox.level(operation);
        let mut path = with_living_ids(&mut stand, operation);
        let mut body = stand.example_body(operation);
        let (mut status, mut answer) = stand.send(operation.method(), &path, body.as_ref());
        *tally.counts.entry((level.word(), status)).or_insert(0) += 1;
        let name = short(operation);
        let exception = exceptions.iter().find(|one| one.operation == name);
        if let Some(exception) = exception.filter(|_| status >= 300) {
            tally.excepted.push(exception.operation.to_owned());
            stand.state = fresh.clone();
            let mut chosen = body.take().unwrap_or_default();
            (exception.choose)(&mut stand, &mut path, &mut chosen);
            body = Some(chosen).filter(|body| !body.is_null());
            (status, answer) = stand.send(operation.method(), &path, body.as_ref());
            if status >= 300 {
                tally.wrong.push(exception.reason.to_owned());
            }
        }
        let is_right = match level {
            Level::Refused(_) => status == 501,
            Level::Stateful | Level::Generic => (200..300).contains(&status),
        };
        if !is_right {
            let told = format!("{} {path} {body:?} {status} {answer}", operation.method());
            tally.wrong.push(told);
        }
    }
    tally.wrong.extend(stand.broken.take().unwrap_or_default());
    tally
}

/// All but the refused level, which is answered 501.
fn all_are_answered_2xx(definition: &Arc<Definition>, exceptions: &[Exception]) {
    let tally = tally(definition, exceptions);
    let (counts, wrong) = (tally.counts, tally.wrong);
    assert!(wrong.is_empty(), "{counts:?}\n{}", wrong.join("\n"));
    let listed = exceptions.iter().map(|one| one.operation.to_owned());
    let listed: BTreeSet<String> = listed.collect();
    let needed: BTreeSet<String> = tally.excepted.into_iter().collect();
    assert_eq!(listed, needed, "an exception that nothing needs has to go");
}

#[test]
fn the_examples_of_the_shipped_definition_are_answered_2xx() {
    all_are_answered_2xx(&world::definition(), &[]);
}

#[test]
fn the_examples_of_the_published_definition_are_answered_2xx_but_for_the_refused_level() {
    match published() {
        Some(definition) => all_are_answered_2xx(&definition, EXCEPTIONS),
        None => println!("{SKIPPED}"),
    }
}

#[test]
fn unknown_ids_are_not_found_at_any_place_of_a_path() {
    let Some(definition) = published() else {
        println!("{SKIPPED}");
        return;
    };
    let mut stand = Stand::new(Arc::clone(&definition));
    let mut tried = 0;
    for operation in generic(&stand, &definition) {
        let names: Vec<&str> = operation
            .path()
            .split('/')
            .filter_map(|step| step.strip_prefix('{')?.strip_suffix('}'))
            .collect();
        for name in names {
            let hole = format!("{{{name}}}");
            let (before, after) = operation.path().split_once(&hole).unwrap();
            let unknown = format!("{before}no-such-id{after}");
            let path = filled(operation, &unknown);
            let body = stand.example_body(operation);
            let (status, answer) = stand.send(operation.method(), &path, body.as_ref());
            assert_eq!(status, 404, "{} {path} {answer}", operation.method());
            tried += 1;
        }
    }
    assert!(tried > 200, "{tried}");
}

#[test]
fn what_is_created_is_listed_and_got_and_edited_and_deleted() {
    let Some(definition) = published() else {
        println!("{SKIPPED}");
        return;
    };
    let mut stand = Stand::new(Arc::clone(&definition));
    let mut walked = 0;
    for creation in generic(&stand, &definition) {
        let find = |method: Method, path: &str| {
            let mut all = generic_operations(&stand, &definition);
            all.find(|one| *one.method() == method && same_path(one.path(), path))
        };
        if creation.method() != Method::POST {
            continue;
        }
        let item = format!("{}/{{}}", creation.path());
        let (Some(list), Some(get)) =
            (find(Method::GET, creation.path()), find(Method::GET, &item))
        else {
            continue;
        };
        let (edit, delete) = (find(Method::PUT, &item), find(Method::DELETE, &item));
        let path = Stand::path(creation, "none");
        let before = ids(&stand.get(&path).1);
        let body = stand.example_body(creation);
        let (status, answer) = stand.send(&Method::POST, &path, body.as_ref());
        assert!(status < 300, "{path} {answer}");
        stand.wait();
        let (_, listed) = stand.get(&path);
        let new: Vec<String> = ids(&listed)
            .into_iter()
            .filter(|id| !before.contains(id))
            .collect();
        assert_eq!(new.len(), 1, "{} {listed:#}", list.id());
        let one = format!("{path}/{}", new[0]);
        let (status, got) = stand.get(&one);
        assert_eq!(status, 200, "{}", get.id());
        shows(body.as_ref(), &got, creation.id());
        if let Some(edit) = edit {
            let mut body = stand.example_body(edit).unwrap();
            if body.get("name").is_some() {
                body["name"] = "edited".into();
            }
            let (status, answer) = stand.send(&Method::PUT, &one, Some(&body));
            assert!(status < 300, "{one} {answer}");
            stand.wait();
            let (_, got) = stand.get(&one);
            if body.get("name").is_some() && got.get("name").is_some() {
                assert_eq!(got["name"], "edited", "{one}");
            }
        }
        if delete.is_some() {
            let (status, answer) = stand.send(&Method::DELETE, &one, None);
            assert!(status < 300, "{one} {answer}");
            stand.wait();
            assert_eq!(stand.get(&one).0, 404, "{one}");
            assert_eq!(ids(&stand.get(&path).1), before, "{one}");
        }
        walked += 1;
    }
    assert!(walked >= 3, "{walked}");
}

#[test]
fn reads_are_the_same_for_the_same_state() {
    let Some(definition) = published() else {
        println!("{SKIPPED}");
        return;
    };
    let (mut one, mut other) = (
        Stand::new(Arc::clone(&definition)),
        Stand::new(Arc::clone(&definition)),
    );
    for operation in generic(&one, &definition) {
        if operation.method() == Method::GET {
            let path = Stand::path(operation, "none");
            assert_eq!(one.get(&path), other.get(&path), "{path}");
        }
    }
}

/// The path of an operation with its examples; an id that has none is one of the list.
fn with_living_ids(stand: &mut Stand, operation: &Operation) -> String {
    let path = Stand::path(operation, "none");
    match path.strip_suffix("/none") {
        Some(list) => format!("{list}/{}", ids(&stand.get(list).1)[0]),
        None => path,
    }
}

fn generic<'a>(stand: &Stand, definition: &'a Arc<Definition>) -> Vec<&'a Operation> {
    generic_operations(stand, definition).collect()
}

fn generic_operations<'a>(
    stand: &Stand,
    definition: &'a Arc<Definition>,
) -> impl Iterator<Item = &'a Operation> {
    let operations = definition.operations().iter();
    operations.filter(|operation| stand.sandbox.level(operation) == Level::Generic)
}

fn filled(operation: &Operation, path: &str) -> String {
    let mut path = path.to_owned();
    for parameter in operation.parameters() {
        let example = parameter
            .example
            .as_ref()
            .and_then(Value::as_str)
            .unwrap_or("none");
        path = path.replace(
            &format!("{{{}}}", parameter.name),
            &example.replace(' ', "%20"),
        );
    }
    path
}

fn same_path(one: &str, other: &str) -> bool {
    let same = |(one, other)| one == other || is_parameter(one) && is_parameter(other);
    one.split('/').count() == other.split('/').count()
        && one.split('/').zip(other.split('/')).all(same)
}

fn is_parameter(step: &str) -> bool {
    step.starts_with('{')
}

fn ids(list: &Value) -> Vec<String> {
    let items = list["items"].as_array().unwrap();
    items
        .iter()
        .map(|item| item["id"].as_str().unwrap().to_owned())
        .collect()
}

/// Whatever has the same name in the body and in the answer has the same value.
fn shows(body: Option<&Value>, got: &Value, what: &str) {
    let members = body.and_then(Value::as_object).into_iter().flatten();
    // Some bodies hold what is to be created as a list.
    let inner = members
        .clone()
        .filter_map(|(_, value)| value.get(0)?.as_object())
        .flatten();
    let mut same = members
        .chain(inner)
        .filter(|(name, value)| got.get(name) == Some(value));
    assert!(same.next().is_some(), "{what}: {body:?}\n{got:#}");
}
