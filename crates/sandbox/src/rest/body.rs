//! Bodies and yes-or-no parameters of requests.

use hallpass_openapi::Definition;
use serde_json::{Map, Value};

use crate::rest::Refusal;
use crate::sandbox::{Request, Settings};

/// How many things that are wrong with a body are told at once.
const TOLD: usize = 5;

/// How deeply objects and lists of a body may be nested. What is kept of it stands some levels deeper
/// in journals and snapshots, and those are read with a limit of 128: what is accepted must be
/// readable again.
const DEEPEST: usize = 64;

/// The body as an object that keeps to the definition. Unless it is strict, strings are read as numbers
/// and booleans where the definition wants those (domain.md 8.4, point 7).
pub(crate) fn body(
    definition: &Definition,
    request: &Request<'_>,
    settings: &Settings,
) -> Result<Map<String, Value>, Refusal> {
    let bytes = request.body.unwrap_or_default();
    if bytes.is_empty() {
        return Err(Refusal::BadRequest(
            "the request has no body; send a JSON object".to_owned(),
        ));
    }
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Refusal::BadRequest(format!("the body is no JSON: {error}")))?;
    if is_deeper(&value, DEEPEST) {
        let message = format!("the body is nested more than {DEEPEST} levels deep");
        return Err(Refusal::BadRequest(message));
    }
    if let Some(path) = longer(&value, settings.volumes_per_call) {
        let most = settings.volumes_per_call;
        let message =
            format!("{path}: a list in a body may have {most} elements; send several requests");
        return Err(Refusal::BadRequest(message));
    }
    let value = if settings.strict {
        value
    } else {
        definition.tolerant(request.operation, value)
    };
    let violations = definition.check_body(request.operation, &value);
    match value {
        Value::Object(object) if violations.is_empty() => Ok(object),
        _ if violations.is_empty() => {
            let message = "the body is no JSON object".to_owned();
            Err(Refusal::BadRequest(message))
        }
        _ => {
            let told: Vec<String> = violations
                .into_iter()
                .take(TOLD)
                .map(|violation| violation.message)
                .collect();
            Err(Refusal::BadRequest(told.join("; ")))
        }
    }
}

/// The body, or no fields when there is none and the definition does not ask for one.
pub(crate) fn body_or_none(
    definition: &Definition,
    request: &Request<'_>,
    settings: &Settings,
) -> Result<Map<String, Value>, Refusal> {
    let absent = request.body.unwrap_or_default().is_empty();
    if absent && !request.operation.needs_body() {
        return Ok(Map::new());
    }
    body(definition, request, settings)
}

/// Whether a query parameter says yes; one that is absent or empty says no.
pub(crate) fn flag(request: &Request<'_>, name: &'static str) -> Result<bool, Refusal> {
    let given = request.query.iter().find(|(key, _)| key == name);
    match given
        .map(|(_, value)| value.to_ascii_lowercase())
        .as_deref()
    {
        None | Some("" | "false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Refusal::invalid(name, &"is neither true nor false")),
    }
}

/// Whether more than so many objects and lists are within one another. The reader of JSON has its own
/// limit, which bounds this recursion.
fn is_deeper(value: &Value, levels: usize) -> bool {
    let left = levels.checked_sub(1);
    let below = |value: &Value| left.is_none_or(|left| is_deeper(value, left));
    match value {
        Value::Array(elements) => left.is_none() || elements.iter().any(below),
        Value::Object(members) => left.is_none() || members.values().any(below),
        _ => false,
    }
}

/// The name of the member that is a list of more than so many elements, or holds one.
fn longer(value: &Value, most: usize) -> Option<&str> {
    match value {
        Value::Array(elements) if elements.len() > most => Some("the body"),
        Value::Array(elements) => elements.iter().find_map(|element| longer(element, most)),
        Value::Object(members) => members
            .iter()
            .find_map(|(name, value)| longer(value, most).map(|_| name.as_str())),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn depth_is_counted_in_objects_and_lists() {
        let nested = |levels: usize| -> Value {
            let text = format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
            serde_json::from_str(&text).unwrap()
        };
        assert!(!is_deeper(&nested(0), DEEPEST));
        assert!(!is_deeper(&nested(DEEPEST), DEEPEST));
        assert!(is_deeper(&nested(DEEPEST + 1), DEEPEST));
    }
}
