//! One operation as a request, with an answer that it can have.

use http::StatusCode;
use serde_json::{Value, json};

use super::body::body;
use super::id::id;
use super::{BASE_URL, pretty};
use crate::build::style::encode;
use crate::definition::Definition;
use crate::operation::{Location, Operation, Parameter};
use crate::read::plain;
use crate::route::{Piece, pieces};

/// The item of an operation. It is called what the operation is called, because that is unique:
/// twins that differ in letter case only do opposite things (domain.md section 7.3).
pub(super) fn item(definition: &Definition, operation: &Operation) -> Value {
    let mut request = request(definition, operation);
    break_variables(&mut request);
    let answer = answer(definition, operation, &request);
    json!({
        "id": id(&["request", operation.id()]),
        "name": operation.id(),
        "request": request,
        "response": answer.into_iter().collect::<Value>(),
    })
}

fn request(definition: &Definition, operation: &Operation) -> Value {
    let mut headers = Vec::new();
    let mut query = Vec::new();
    let mut path = Vec::new();
    for parameter in operation.parameters() {
        let value = definition.example_value(parameter);
        match parameter.location {
            Location::Path => path.extend(path_variable(operation, parameter, &value)),
            Location::Query => query.extend(query_entries(parameter, &value)),
            Location::Header => headers.push(entry(parameter, &joined(&value))),
            Location::Cookie => {
                let pair = format!("{}={}", parameter.name, encode(&joined(&value)));
                let mut header = entry(parameter, &pair);
                header["key"] = "Cookie".into();
                headers.push(header);
            }
        }
    }
    let answers_json = operation
        .responses()
        .iter()
        .any(|(_, schema)| schema.is_some());
    if answers_json {
        headers.insert(0, json!({"key": "Accept", "value": "application/json"}));
    }
    let (content_type, body) = body(definition, operation).unzip();
    if let Some(content_type) = content_type.flatten() {
        headers.insert(0, json!({"key": "Content-Type", "value": content_type}));
    }
    let mut request = json!({
        "method": operation.method().as_str(),
        "description": description(operation),
        "header": headers,
        "url": url(definition, operation, query, path),
    });
    if let Some(body) = body {
        request["body"] = body;
    }
    request
}

/// Two braces would be taken for a variable, and a definition could have the user's secrets sent to
/// where it wants. Only the base URL, with which an address begins, is meant as one.
fn break_variables(request: &mut Value) {
    match request {
        Value::String(text) => {
            let base = format!("{{{{{BASE_URL}}}}}/");
            let kept = if text.starts_with(&base) {
                base.len()
            } else {
                0
            };
            while let Some(at) = text[kept..].find("{{") {
                text.insert(kept + at + 1, ' ');
            }
        }
        Value::Array(items) => items.iter_mut().for_each(break_variables),
        Value::Object(members) => {
            for (key, member) in members {
                if key != "host" && key != "description" {
                    break_variables(member);
                }
            }
        }
        _ => {}
    }
}

fn description(operation: &Operation) -> String {
    let advice = if operation.deprecated() {
        "Deprecated: the definition advises against using it."
    } else {
        ""
    };
    let parts = [operation.summary(), operation.description(), advice];
    let parts = parts.into_iter().filter(|part| !part.is_empty());
    parts.collect::<Vec<_>>().join("\n\n")
}

fn url(
    definition: &Definition,
    operation: &Operation,
    query: Vec<Value>,
    variables: Vec<Value>,
) -> Value {
    let segments: Vec<String> = operation
        .path()
        .split('/')
        .skip(1)
        .map(|segment| path_segment(definition, operation, segment))
        .collect();
    let on = query.iter().filter(|one| one.get("disabled").is_none());
    let on = on.map(|one| format!("{}={}", word(&one["key"]), word(&one["value"])));
    let on = on.collect::<Vec<_>>().join("&");
    let mark = if on.is_empty() { "" } else { "?" };
    let mut url = json!({
        "raw": format!("{{{{{BASE_URL}}}}}/{}{mark}{on}", segments.join("/")),
        "host": [format!("{{{{{BASE_URL}}}}}")],
        "path": segments,
    });
    if !query.is_empty() {
        url["query"] = query.into();
    }
    if !variables.is_empty() {
        url["variable"] = variables.into();
    }
    url
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

/// `:name` for a parameter that is the whole segment. The format knows no parameter within a
/// segment: there the example's value stands.
fn path_segment(definition: &Definition, operation: &Operation, segment: &str) -> String {
    let pieces: Vec<Piece<'_>> = pieces(segment).into_iter().collect();
    if let [Piece::Parameter(name)] = pieces.as_slice() {
        return format!(":{name}");
    }
    let value = |name: &str| {
        let is_it = |one: &&Parameter| one.location == Location::Path && one.name == name;
        let parameter = operation.parameters().iter().find(is_it);
        parameter.map_or_else(String::new, |one| {
            encode(&joined(&definition.example_value(one)))
        })
    };
    let piece = |piece: &Piece<'_>| match piece {
        Piece::Literal(text) => (*text).to_owned(),
        Piece::Parameter(name) => value(name),
    };
    pieces.iter().map(piece).collect()
}

/// A parameter that is a whole segment. Its value is put into the path as it stands.
fn path_variable(operation: &Operation, parameter: &Parameter, value: &Value) -> Option<Value> {
    let segment = format!("{{{}}}", parameter.name);
    operation.path().split('/').find(|one| *one == segment)?;
    Some(json!({
        "key": parameter.name,
        "value": encode(&joined(value)),
        "description": parameter.description,
    }))
}

/// One entry, or one for each item of a list that is sent as repeated parameters.
fn query_entries(parameter: &Parameter, value: &Value) -> Vec<Value> {
    let values = match value {
        Value::Array(items) if parameter.explode => items.iter().map(plain).collect(),
        value => vec![joined(value)],
    };
    let in_query = |value: &String| entry(parameter, &query_encoded(value));
    values.iter().map(in_query).collect()
}

fn entry(parameter: &Parameter, value: &str) -> Value {
    let mut entry = json!({
        "key": parameter.name,
        "value": value,
        "description": parameter.description,
    });
    if !parameter.required {
        entry["disabled"] = true.into();
    }
    entry
}

fn joined(value: &Value) -> String {
    match value {
        Value::Array(items) => items.iter().map(plain).collect::<Vec<_>>().join(","),
        value => plain(value),
    }
}

/// What would end the parameter, or be decoded into something else, is encoded; the rest stays
/// readable, and the program that sends it encodes it.
fn query_encoded(text: &str) -> String {
    let mut kept = String::new();
    for letter in text.chars() {
        if matches!(letter, '%' | '&' | '#' | '+' | '{' | '}') || letter.is_control() {
            kept.push_str(&encode(letter.encode_utf8(&mut [0; 4])));
        } else {
            kept.push(letter);
        }
    }
    kept
}

/// An answer of the first status that means success. Without a schema there is none to show.
fn answer(definition: &Definition, operation: &Operation, request: &Value) -> Option<Value> {
    let statuses = operation.responses().iter();
    let statuses = statuses.filter_map(|(status, _)| status.parse::<StatusCode>().ok());
    let status = statuses.filter(StatusCode::is_success).min()?;
    let body = definition.example_answer(operation, status.as_u16())?;
    let mut request = request.clone();
    if let Some(request) = request.as_object_mut() {
        request.remove("description");
    }
    Some(json!({
        "id": id(&["answer", operation.id(), status.as_str()]),
        "name": status.to_string(),
        "originalRequest": request,
        "status": status.canonical_reason().unwrap_or_default(),
        "code": status.as_u16(),
        "_postman_previewlanguage": "json",
        "header": [{"key": "Content-Type", "value": "application/json"}],
        "cookie": [],
        "body": pretty(&body),
    }))
}
