//! Operations: their names, their answers, their bodies.

use std::collections::{HashMap, HashSet};

use serde_json::{Map, Value};

use super::Findings;
use super::catalogue::{
    ACCEPTED_WITHOUT_TASK, BODY_MEDIA_TYPES, BODY_UNEXPECTED, BODY_WITHOUT_JSON, LINK_BROKEN,
    OPERATION_ID_CASE, OPERATION_ID_DUPLICATE, OPERATION_ID_MISSING, OPERATION_ID_UNSAFE,
    OPERATION_UNTAGGED, RESPONSE_ERROR_MISSING, RESPONSE_STATUS_INVALID, RESPONSE_SUCCESS_MISSING,
    RESPONSES_MISSING, SUMMARY_MISSING, TAG_UNDECLARED,
};
use super::tour::Node;
use crate::document::join;
use crate::marks::each_property;
use crate::operation::Operation;
use crate::reference::resolve;

/// What one operation says of itself.
pub(super) fn one(findings: &mut Findings<'_>, node: &Node<'_, '_>) {
    if !["summary", "description"]
        .iter()
        .any(|key| node.text(key).is_some_and(|text| !text.trim().is_empty()))
    {
        findings.add(
            &SUMMARY_MISSING,
            node.pointer(),
            "the operation has neither summary nor description",
            "add a `summary` of one line",
        );
    }
    let untagged = node
        .object
        .get("tags")
        .is_none_or(|tags| tags.get(0).is_none());
    if untagged {
        findings.add(
            &OPERATION_UNTAGGED,
            node.pointer(),
            "the operation has no tag",
            "add the tag under which people will look for it",
        );
    }
    if node.object.contains_key("requestBody")
        && let Some(method @ ("get" | "head" | "delete")) = node.key()
    {
        findings.add(
            &BODY_UNEXPECTED,
            node.at("requestBody"),
            format!("a {} has a request body", method.to_uppercase()),
            "say it with parameters, or use POST (RFC 9110, section 9.3)",
        );
    }
    responses(findings, node);
}

fn responses(findings: &mut Findings<'_>, node: &Node<'_, '_>) {
    let declared = node.object.get("responses").and_then(Value::as_object);
    let keys: Vec<&String> = declared
        .into_iter()
        .flat_map(Map::keys)
        .filter(|key| !key.starts_with("x-"))
        .collect();
    if keys.is_empty() {
        findings.add(
            &RESPONSES_MISSING,
            node.pointer(),
            "the operation declares no responses",
            "declare at least the one of success",
        );
        return;
    }
    for key in &keys {
        if !is_status(key) {
            findings.add(
                &RESPONSE_STATUS_INVALID,
                join(&node.at("responses"), key),
                format!("`{key}` is no status of an answer"),
                "write a status such as 404, a range such as 4XX, or default",
            );
        }
    }
    let of = |class: &str| keys.iter().any(|key| key.starts_with(class));
    let default = of("default");
    if !of("2") && !of("3") && !default {
        findings.add(
            &RESPONSE_SUCCESS_MISSING,
            node.at("responses"),
            "the operation declares no successful response",
            "declare what is answered when all goes well",
        );
    }
    if !of("4") && !default {
        findings.add(
            &RESPONSE_ERROR_MISSING,
            node.at("responses"),
            "the operation does not say how a refusal looks",
            "declare the statuses of 4XX that it answers, or default",
        );
    }
}

fn is_status(key: &str) -> bool {
    match key.as_bytes() {
        [b'1'..=b'5', b'X' | b'x', b'X' | b'x'] => true,
        [b'1'..=b'5', tens, ones] => tens.is_ascii_digit() && ones.is_ascii_digit(),
        _ => key == "default",
    }
}

/// The media types of a request body.
pub(super) fn body(findings: &mut Findings<'_>, node: &Node<'_, '_>) {
    let Some(content) = node.object.get("content").and_then(Value::as_object) else {
        return;
    };
    if content.len() > 1 {
        let names: Vec<&str> = content.keys().map(String::as_str).collect();
        findings.add(
            &BODY_MEDIA_TYPES,
            node.at("content"),
            format!(
                "the body can be sent in {} ways: {}",
                names.len(),
                names.join(", ")
            ),
            "if all mean the same, keep the JSON one; Hallpass sends that",
        );
    }
    let is_built = |name: &String| {
        let essence = name
            .split(';')
            .next()
            .unwrap_or_default()
            .trim()
            .to_ascii_lowercase();
        essence == "application/json"
            || essence.ends_with("+json")
            || essence == "application/x-www-form-urlencoded"
            || essence == "multipart/form-data"
            || essence == "*/*"
            || essence == "application/*"
    };
    if !content.is_empty() && !content.keys().any(is_built) {
        findings.add(
            &BODY_WITHOUT_JSON,
            node.at("content"),
            "the body can be sent neither as JSON nor as a form",
            "add `application/json` if the API takes it; until then the body must be given whole",
        );
    }
}

pub(super) fn link(findings: &mut Findings<'_>, root: &Value, node: &Node<'_, '_>) {
    let Some(id) = node.text("operationId") else {
        return;
    };
    let paths = root.get("paths").and_then(Value::as_object);
    let mut operations = paths
        .into_iter()
        .flat_map(Map::values)
        .filter_map(Value::as_object)
        .flat_map(Map::values);
    if !operations.any(|one| one.get("operationId").and_then(Value::as_str) == Some(id)) {
        findings.add(
            &LINK_BROKEN,
            node.at("operationId"),
            format!("there is no operation `{id}`"),
            "correct the spelling (letter case counts)",
        );
    }
}

/// What concerns several operations, or needs their references resolved.
pub(super) fn check(findings: &mut Findings<'_>, root: &Value, operations: &[Operation]) {
    ids(findings, operations);
    tags(findings, root, operations);
    let mut judged = HashMap::new();
    for operation in operations {
        accepted(findings, root, operation, &mut judged);
    }
}

fn ids(findings: &mut Findings<'_>, operations: &[Operation]) {
    let mut by_id: HashMap<&str, &Operation> = HashMap::new();
    let mut by_lower: HashMap<String, &str> = HashMap::new();
    for operation in operations {
        let Some(id) = operation.declared_id() else {
            let (method, path) = (operation.method(), operation.path());
            findings.add(
                &OPERATION_ID_MISSING,
                operation.pointer().to_owned(),
                format!("{method} {path} has no operationId"),
                format!("add one; until then it is called `{}` here", operation.id()),
            );
            continue;
        };
        let at = || join(operation.pointer(), "operationId");
        if let Some(first) = by_id.get(id) {
            let (method, path) = (first.method(), first.path());
            findings.add(
                &OPERATION_ID_DUPLICATE,
                at(),
                format!("the operationId `{id}` is taken by {method} {path}"),
                format!(
                    "give each operation its own; this one is called `{}` here",
                    operation.id()
                ),
            );
            continue;
        }
        by_id.insert(id, operation);
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._~".contains(c);
        if !id.chars().all(plain) {
            findings.add(
                &OPERATION_ID_UNSAFE,
                at(),
                format!(
                    "the operationId `{id}` has characters that shells, URLs and code do not take"
                ),
                "use letters, digits, `-`, `.`, `_` and `~`",
            );
        }
        if let Some(twin) = by_lower.get(&id.to_lowercase()) {
            findings.add(
                &OPERATION_ID_CASE,
                at(),
                format!("the operationIds `{id}` and `{twin}` differ only in letter case"),
                "rename one: code generators and people mix them up",
            );
        } else {
            by_lower.insert(id.to_lowercase(), id);
        }
    }
}

/// Each undeclared tag once, where it is first used.
fn tags(findings: &mut Findings<'_>, root: &Value, operations: &[Operation]) {
    let declared = root.get("tags").and_then(Value::as_array);
    let mut known: HashSet<&str> = declared
        .into_iter()
        .flatten()
        .filter_map(|tag| tag.get("name")?.as_str())
        .collect();
    for operation in operations {
        let tags = root
            .pointer(operation.pointer())
            .and_then(|operation| operation.get("tags")?.as_array());
        for (index, tag) in tags.into_iter().flatten().enumerate() {
            let Some(tag) = tag.as_str().filter(|tag| known.insert(tag)) else {
                continue;
            };
            findings.add(
                &TAG_UNDECLARED,
                format!("{}/tags/{index}", operation.pointer()),
                format!("the tag `{tag}` is not listed under `tags`"),
                "list it there with a description, or correct the spelling",
            );
        }
    }
}

/// A 202 says that the work goes on; its answer must say where one can ask about it: in a property
/// such as `taskUri` or a `Location` header (domain.md sections 6.5 and 7.5).
fn accepted<'v>(
    findings: &mut Findings<'_>,
    root: &'v Value,
    operation: &Operation,
    judged: &mut HashMap<*const Value, bool>,
) {
    let at = join(operation.pointer(), "responses");
    let Some(response) = root.pointer(&at).and_then(|responses| responses.get("202")) else {
        return;
    };
    let response: &'v Value = resolve(root, response);
    let names_task = *judged
        .entry(std::ptr::from_ref(response))
        .or_insert_with(|| says_where(root, response));
    if names_task {
        return;
    }
    findings.add(
        &ACCEPTED_WITHOUT_TASK,
        join(&at, "202"),
        format!(
            "{} {} answers 202, but nothing in it leads to a task",
            operation.method(),
            operation.path()
        ),
        "declare a property such as `taskUri` or a `Location` header, or answer 200 if the work is done",
    );
}

fn says_where(root: &Value, response: &Value) -> bool {
    let headers = response.get("headers").and_then(Value::as_object);
    let located = headers
        .into_iter()
        .flat_map(Map::keys)
        .any(|name| name.eq_ignore_ascii_case("location"));
    let content = response.get("content").and_then(Value::as_object);
    let mut schemas = content
        .into_iter()
        .flat_map(Map::values)
        .filter_map(|media| media.get("schema"));
    located || schemas.any(|schema| names_task(root, schema))
}

fn names_task(root: &Value, schema: &Value) -> bool {
    const ENDINGS: [&str; 4] = ["uri", "id", "url", "href"];
    const THINGS: [&str; 5] = ["task", "job", "operation", "asyncoperation", "status"];
    let mut found = false;
    each_property(root, schema, &mut |name, _| {
        let plain: String = name
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_lowercase())
            .collect();
        let thing = ENDINGS
            .iter()
            .find_map(|ending| plain.strip_suffix(ending))
            .is_some_and(|rest| THINGS.iter().any(|thing| rest.ends_with(thing)));
        found |= thing || plain == "task" || plain == "tasks";
    });
    found
}
