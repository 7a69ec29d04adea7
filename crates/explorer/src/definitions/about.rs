//! A definition as a whole: what it says of itself, its outline beside the source, and its problems.

use std::sync::Arc;

use axum::extract::{Path, State};
use hallpass_openapi::{Definition, Problem, Severity};
use serde_json::{Map, Value, json};

use super::Loaded;
use crate::Explorer;
use crate::answer::{Answer, told};
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::Imported;

pub(super) async fn show(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((workspace, definition)): Path<(String, String)>,
) -> Answer {
    let (workspace, definition) = (Id::parse(&workspace)?, Id::parse(&definition)?);
    let known = explorer.imported(&visitor, &workspace, &definition).await?;
    let loaded = explorer.loaded(&visitor, &workspace, &known).await?;
    told(&about(&known, &loaded))
}

fn about(known: &Imported, loaded: &Loaded) -> Value {
    let definition = &loaded.definition;
    let description = definition.document().pointer("/info/description");
    let texts = loaded.texts.all();
    json!({
        "id": known.id,
        "title": known.title,
        "version": known.version,
        "format": known.format,
        "source": known.source,
        "documentation": known.documentation,
        "description": description.and_then(Value::as_str).unwrap_or_default(),
        "operations": definition.operations().len(),
        "servers": servers(definition),
        "security": security(definition),
        "outline": outline(definition),
        "problems": loaded.problems.iter().take(MOST_PROBLEMS).map(problem).collect::<Vec<_>>(),
        "problemCount": counted(&loaded.problems),
        "bytes": texts.iter().map(|text| text.bytes().len()).sum::<usize>(),
        "lines": loaded.texts.main().line_count(),
        "files": texts.iter().map(|text| &text.location).collect::<Vec<_>>(),
    })
}

/// How many problems of each kind there are.
pub(super) fn counted(problems: &[Problem]) -> Value {
    let count = |severity| {
        problems
            .iter()
            .filter(|one| one.severity == severity)
            .count()
    };
    json!({
        "errors": count(Severity::Error),
        "warnings": count(Severity::Warning),
        "notes": count(Severity::Note),
    })
}

/// The addresses of servers that can be sent to.
pub(super) fn servers(definition: &Definition) -> Vec<String> {
    let mut urls = definition.server_urls();
    urls.retain(|url| super::is_address(url) && !url.contains('{'));
    urls
}

/// The ways to authenticate that the definition names.
pub(super) fn security(definition: &Definition) -> Vec<Value> {
    let schemes = definition
        .document()
        .pointer("/components/securitySchemes")
        .and_then(Value::as_object);
    let schemes = schemes.into_iter().flatten();
    schemes
        .map(|(name, scheme)| scheme_told(name, definition.resolve(scheme)))
        .collect()
}

fn scheme_told(name: &str, scheme: &Value) -> Value {
    let text = |key: &str| scheme.get(key).and_then(Value::as_str);
    let flows = scheme.get("flows");
    let flow = flows.and_then(|flows| flows.get("clientCredentials"));
    let token_url = flow.and_then(|flow| flow.get("tokenUrl")?.as_str());
    let scopes = flow.and_then(|flow| flow.get("scopes")?.as_object());
    let scopes = scopes.into_iter().flatten();
    json!({
        "name": name,
        "type": text("type"),
        "scheme": text("scheme"),
        "description": text("description").unwrap_or_default(),
        "clientCredentials": flow.is_some(),
        "tokenUrl": token_url,
        "scopes": scopes.map(|(name, about)| json!({"name": name, "description": about})).collect::<Vec<_>>(),
    })
}

/// The parts of a definition with the lines at which they begin.
fn outline(definition: &Definition) -> Vec<Value> {
    let root = definition.document();
    let parts = [
        ("General", "/info"),
        ("Servers", "/servers"),
        ("Tags", "/tags"),
        ("Security", "/security"),
        ("Paths", "/paths"),
        ("Webhooks", "/webhooks"),
        ("Components", "/components"),
    ];
    parts
        .iter()
        .filter_map(|(title, pointer)| {
            let value = root.pointer(pointer)?;
            Some(json!({
                "title": title,
                "count": count(title, value),
                "line": definition.position(pointer).line,
                "parts": inside(definition, title, pointer, value),
            }))
        })
        .collect()
}

fn count(title: &str, value: &Value) -> usize {
    let members = |value: &Value| match value {
        Value::Array(items) => items.len(),
        Value::Object(members) => members.len(),
        _ => 1,
    };
    match (title, value) {
        ("General", _) => 1,
        ("Components", Value::Object(kinds)) => kinds.values().map(members).sum(),
        _ => members(value),
    }
}

/// What is inside a part that has parts of its own, each once more with its line.
fn inside(definition: &Definition, title: &str, pointer: &str, value: &Value) -> Vec<Value> {
    let told = |pointer: &str, members: &Map<String, Value>, deeper: bool| {
        let members = members.iter();
        members
            .map(|(name, value)| {
                let pointer = format!("{pointer}/{}", escaped(name));
                let inner = value.as_object().filter(|_| deeper);
                let parts = inner.map(|inner| {
                    let inner = inner.keys();
                    inner
                        .map(|name| {
                            let pointer = format!("{pointer}/{}", escaped(name));
                            json!({"title": name, "line": definition.position(&pointer).line})
                        })
                        .collect::<Vec<_>>()
                });
                let count = inner.map(Map::len);
                let line = definition.position(&pointer).line;
                json!({"title": name, "line": line, "count": count, "parts": parts.unwrap_or_default()})
            })
            .collect()
    };
    match (title, value.as_object()) {
        ("Paths" | "Webhooks", Some(members)) => told(pointer, members, false),
        ("Components", Some(members)) => told(pointer, members, true),
        _ => Vec::new(),
    }
}

/// A step of a JSON pointer (RFC 6901, section 4).
fn escaped(name: &str) -> String {
    name.replace('~', "~0").replace('/', "~1")
}

fn problem(problem: &Problem) -> Value {
    json!({
        "severity": problem.severity.to_string(),
        "rule": problem.rule,
        "message": problem.message,
        "advice": problem.advice,
        "pointer": problem.pointer,
        "line": problem.line,
        "column": problem.column,
        "part": problem.part,
    })
}

/// How many problems are told; a text that is broken everywhere has more than anybody reads.
const MOST_PROBLEMS: usize = 1_000;
