//! What every read of the shipped definition that has rules of its own answers, one file for each
//! kind of object (domain.md 7.7), so that any change of an answer is seen in review. Lists are cut
//! short; what the roles and the audit log answer is not the stand-in's.

use std::collections::BTreeMap;
use std::sync::Arc;

use hallpass_openapi::Operation;
use hallpass_sandbox::Level;
use http::Method;
use serde_json::Value;

use crate::stand::Stand;
use crate::world;

/// The kinds, each with a file.
const KINDS: [&str; 24] = [
    "device-type1",
    "device-type1-application-summary",
    "device-type1-applicationsets",
    "device-type1-capacity-summary",
    "device-type1-storage-pools",
    "device-type1-volumes",
    "device-type2",
    "device-type2-storage-pools",
    "device-type2-volume-collections",
    "device-type2-volumes",
    "host-initiator-groups",
    "host-initiators",
    "host-initiators-volumes",
    "initiators",
    "issues",
    "storage-systems",
    "storage-systems-storage-pools",
    "storage-systems-storage-types",
    "storage-systems-volume-sets",
    "storage-systems-volumes",
    "tasks",
    "volume-sets",
    "volume-sets-volumes",
    "volumes",
];

/// What there is of each kind: the requests and their answers.
fn answers() -> BTreeMap<String, BTreeMap<String, Value>> {
    let definition = world::definition();
    let mut stand = Stand::new(Arc::clone(&definition));
    let mut kinds: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for read in definition.operations() {
        if read.method() != Method::GET || stand.sandbox.level(read) != Level::Stateful {
            continue;
        }
        let target = target(&mut stand, read);
        let (status, answer) = stand.get(&target);
        assert_eq!(status, 200, "{target} {answer}");
        let answers = kinds.entry(kind(read)).or_default();
        answers.insert(target, answer);
    }
    kinds
}

/// The example path; the id of an issue, which has no example, is the first of the list.
fn target(stand: &mut Stand, read: &Operation) -> String {
    let path = Stand::path(read, "none");
    if let Some(list) = path.strip_suffix("/none") {
        let (_, found) = stand.get(list);
        return format!("{list}/{}", found["items"][0]["id"].as_str().unwrap());
    }
    let is_list = read.parameters().iter().any(|one| one.name == "limit");
    if is_list {
        format!("{path}?limit=2")
    } else {
        path
    }
}

/// The names in the path that say what kind of object it is about.
fn kind(read: &Operation) -> String {
    let path = read.path().trim_start_matches("/api/v1/");
    let device = path.strip_prefix("storage-systems/");
    let device = device.filter(|rest| rest.starts_with("device-type"));
    let path = device.unwrap_or(path);
    let names = path.split('/').filter(|step| !step.starts_with('{'));
    names.take(2).collect::<Vec<_>>().join("-")
}

#[test]
fn every_read_answers_as_it_did() {
    let answers = answers();
    let kinds: Vec<&str> = answers.keys().map(String::as_str).collect();
    assert_eq!(kinds, KINDS);
    for (kind, answers) in &answers {
        insta::assert_json_snapshot!(kind.as_str(), answers);
    }
}
