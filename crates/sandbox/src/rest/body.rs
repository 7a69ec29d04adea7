//! Bodies and yes-or-no parameters of requests.

use hallpass_openapi::Definition;
use serde_json::{Map, Value};

use crate::rest::Refusal;
use crate::sandbox::Request;

/// How many things that are wrong with a body are told at once.
const TOLD: usize = 5;

/// The body as an object that keeps to the definition. Unless `strict`, strings are read as numbers
/// and booleans where the definition wants those (domain.md 8.4, point 7).
pub(crate) fn body(
    definition: &Definition,
    request: &Request<'_>,
    strict: bool,
) -> Result<Map<String, Value>, Refusal> {
    let bytes = request.body.unwrap_or_default();
    if bytes.is_empty() {
        return Err(Refusal::BadRequest(
            "the request has no body; send a JSON object".to_owned(),
        ));
    }
    let value: Value = serde_json::from_slice(bytes)
        .map_err(|error| Refusal::BadRequest(format!("the body is no JSON: {error}")))?;
    let value = if strict {
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
    strict: bool,
) -> Result<Map<String, Value>, Refusal> {
    let absent = request.body.unwrap_or_default().is_empty();
    if absent && !request.operation.needs_body() {
        return Ok(Map::new());
    }
    body(definition, request, strict)
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
