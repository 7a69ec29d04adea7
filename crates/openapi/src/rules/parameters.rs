//! Parameters: those of the path, those that are ignored, those that are there twice.

use std::collections::HashMap;

use serde_json::Value;

use super::Findings;
use super::catalogue::{
    PARAMETER_DUPLICATE, PARAMETER_HEADER_IGNORED, PARAMETER_LOCATION, PARAMETER_NAME_CASE,
    PARAMETER_WITHOUT_SCHEMA, PATH_PARAMETER_OPTIONAL, PATH_PARAMETER_UNDECLARED,
    PATH_PARAMETER_UNUSED,
};
use super::tour::Node;
use crate::document::join;
use crate::operation::{Location, Operation};
use crate::reference::resolve;
use crate::route::{Piece, pieces};

/// What is wrong with a parameter whatever operation it belongs to.
pub(super) fn one(findings: &mut Findings<'_>, node: &Node<'_, '_>) {
    let name = node.text("name").unwrap_or_default();
    let location = node.text("in").unwrap_or_default();
    if !["path", "query", "header", "cookie"].contains(&location) && !location.is_empty() {
        findings.add(
            &PARAMETER_LOCATION,
            node.at("in"),
            format!("a parameter cannot be in `{location}`"),
            "write path, query, header or cookie; a body belongs under `requestBody`",
        );
    }
    if location == "path" && !node.is_set("required") {
        findings.add(
            &PATH_PARAMETER_OPTIONAL,
            node.pointer(),
            format!("the path parameter `{name}` is not marked as required"),
            "add `required: true`: a path is not complete without it",
        );
    }
    let ignored = ["accept", "authorization", "content-type"];
    if location == "header" && ignored.contains(&name.to_ascii_lowercase().as_str()) {
        findings.add(
            &PARAMETER_HEADER_IGNORED,
            node.pointer(),
            format!("a header parameter `{name}` is ignored (OpenAPI 3.0.3, Parameter Object)"),
            "say it with `content` or `security`, which send this header",
        );
    }
    if !node.object.contains_key("schema") && !node.object.contains_key("content") {
        findings.add(
            &PARAMETER_WITHOUT_SCHEMA,
            node.pointer(),
            format!("nothing says what the parameter `{name}` may be"),
            "add a `schema`",
        );
    }
}

pub(super) fn of_operations(findings: &mut Findings<'_>, root: &Value, operations: &[Operation]) {
    let mut path = "";
    for operation in operations {
        in_template(findings, operation);
        let own = |pointer: &str| Some((join(pointer, "parameters"), root.pointer(pointer)?));
        let item = operation
            .pointer()
            .rsplit_once('/')
            .map_or("", |(item, _)| item);
        if item != path {
            path = item;
            if let Some((at, item)) = own(item) {
                twice(findings, root, &at, item);
            }
        }
        if let Some((at, operation)) = own(operation.pointer()) {
            twice(findings, root, &at, operation);
        }
        letter_case(findings, operation);
    }
}

fn in_template(findings: &mut Findings<'_>, operation: &Operation) {
    let template = pieces(operation.path());
    let declared = || {
        operation
            .parameters()
            .iter()
            .filter(|one| one.location == Location::Path)
    };
    for piece in &template {
        let Piece::Parameter(name) = piece else {
            continue;
        };
        if !declared().any(|one| one.name == *name) {
            findings.add(
                &PATH_PARAMETER_UNDECLARED,
                operation.pointer().to_owned(),
                format!("the path has `{{{name}}}`, but no path parameter is called `{name}`"),
                "declare it under `parameters` with `in: path`, in the same letter case",
            );
        }
    }
    for parameter in declared() {
        let name = &parameter.name;
        if !template.contains(&Piece::Parameter(name)) {
            findings.add(
                &PATH_PARAMETER_UNUSED,
                operation.pointer().to_owned(),
                format!(
                    "the path parameter `{name}` does not occur in the path {}",
                    operation.path()
                ),
                "write it into the path in braces, or remove it",
            );
        }
    }
}

/// The same name in the same place of one list; what an operation has again from its path
/// replaces it, which is allowed.
fn twice(findings: &mut Findings<'_>, root: &Value, at: &str, holder: &Value) {
    let list = holder.get("parameters").and_then(Value::as_array);
    let mut known = std::collections::HashSet::new();
    for (index, parameter) in list.into_iter().flatten().enumerate() {
        let parameter = resolve(root, parameter);
        let text = |key: &str| parameter.get(key).and_then(Value::as_str);
        let (Some(name), Some(location)) = (text("name"), text("in")) else {
            continue;
        };
        if !known.insert((name, location)) {
            findings.add(
                &PARAMETER_DUPLICATE,
                format!("{at}/{index}"),
                format!("the {location} parameter `{name}` is declared twice"),
                "remove one of the two; the last one counts",
            );
        }
    }
}

fn letter_case(findings: &mut Findings<'_>, operation: &Operation) {
    let mut by_lower: HashMap<String, &str> = HashMap::new();
    for parameter in operation.parameters() {
        let name = parameter.name.as_str();
        match by_lower.insert(name.to_lowercase(), name) {
            Some(twin) if twin != name => findings.add(
                &PARAMETER_NAME_CASE,
                operation.pointer().to_owned(),
                format!("the parameters `{twin}` and `{name}` differ only in letter case"),
                "rename one: generated code merges them",
            ),
            _ => {}
        }
    }
}
