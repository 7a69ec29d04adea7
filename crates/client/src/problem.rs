//! An API's complaint in one shape, whichever of its families it was written in: plain and traced
//! (`error`, `errorCode`, `traceId`), new (`message`, `errorCode`, `debugId`), RFC 9457 problems, and
//! the plain text of a gateway that stands in front (domain facts, section 6.4).

use std::fmt;

use http::StatusCode;
use serde_json::Value;

use crate::error::Kind;
use crate::redact::first_line;
use crate::response::Response;

/// What the API complains about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("HTTP {status}{}: {message}{}", Code(code), Trace(trace_id))]
pub struct ApiProblem {
    status: u16,
    code: Option<String>,
    message: String,
    trace_id: Option<String>,
    challenge: Option<String>,
    retry_after: Option<String>,
}

impl ApiProblem {
    /// Reads the complaint out of an answer with an error status.
    pub fn read(response: &Response) -> Self {
        let status = response.status();
        let body: Option<Value> = serde_json::from_slice(response.body()).ok();
        let text = |names: &[&str]| {
            let body = body.as_ref()?;
            names.iter().find_map(|name| word(body.get(name)?))
        };
        Self {
            status: status.as_u16(),
            code: text(&["errorCode", "code"]),
            message: text(&["message", "detail", "error_description", "error", "title"])
                .unwrap_or_else(|| without_json(response, body.is_some())),
            trace_id: text(&["traceId", "debugId"]),
            challenge: response
                .header("www-authenticate")
                .map(|value| first_line(value, &[])),
            retry_after: response
                .header("retry-after")
                .map(|value| first_line(value, &[])),
        }
    }

    /// The HTTP status.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The API's own word for it.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// What it says.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to quote to the API's people.
    pub fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }

    /// The challenge that came with a 401 (RFC 6750 section 3).
    pub fn challenge(&self) -> Option<&str> {
        self.challenge.as_deref()
    }

    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        if self.status == 401 {
            Kind::Authentication
        } else {
            Kind::Api
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self.status {
            300..=399 => "redirects to another address are not followed; check the base URL",
            401 => {
                return Some(match &self.challenge {
                    Some(challenge) => format!("{WRONG_TOKEN}; the API said: {challenge}"),
                    None => WRONG_TOKEN.to_owned(),
                });
            }
            403 => "the credential's owner lacks the permission; ask an administrator for the role",
            404 => "check the id, and that the base URL is the region it lives in",
            429 => {
                return Some(match &self.retry_after {
                    Some(wait) => format!("too many requests; try again after {wait} s"),
                    None => "too many requests; try again later".to_owned(),
                });
            }
            503 => "the service or the array is in maintenance; try again later",
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

/// The hint for a 401 that a fresh token did not cure.
const WRONG_TOKEN: &str =
    "a fresh token was refused as well; is the credential of this region and service?";

/// A complaint that is no JSON object with known members: a line of plain text is its message, a
/// page for a browser is not.
fn without_json(response: &Response, is_json: bool) -> String {
    let line = first_line(&response.text(), &[]);
    let page = line.starts_with('<');
    if !line.is_empty() && !page && !is_json {
        return line;
    }
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or("no reason given");
    match response.media_type() {
        Some(media_type) if page => format!("{reason}, and a page of {media_type} instead of JSON"),
        _ if status == StatusCode::UNAUTHORIZED => "the token was not accepted".to_owned(),
        _ => reason.to_owned(),
    }
}

/// Text, or a number as text; nothing else and nothing empty.
fn word(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => first_line(text, &[]),
        Value::Number(number) => number.to_string(),
        _ => return None,
    };
    (!text.is_empty()).then_some(text)
}

struct Code<'a>(&'a Option<String>);

impl fmt::Display for Code<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_ref().map_or(Ok(()), |code| write!(f, " {code}"))
    }
}

struct Trace<'a>(&'a Option<String>);

impl fmt::Display for Trace<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .as_ref()
            .map_or(Ok(()), |id| write!(f, " (trace {id})"))
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn problem(status: u16, content_type: &'static str, body: &str) -> ApiProblem {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", http::HeaderValue::from_static(content_type));
        let status = StatusCode::from_u16(status).unwrap();
        ApiProblem::read(&Response::new(status, headers, body.as_bytes().to_vec()))
    }

    const JSON: &str = "application/json";

    #[test]
    fn the_families_come_out_alike() {
        let plain = problem(
            404,
            JSON,
            r#"{"error":"no such volume","errorCode":"NOT_FOUND"}"#,
        );
        assert_eq!(plain.to_string(), "HTTP 404 NOT_FOUND: no such volume");
        let traced = problem(
            403,
            JSON,
            r#"{"error":"no","errorCode":"FORBIDDEN","traceId":"0af7"}"#,
        );
        assert_eq!(traced.to_string(), "HTTP 403 FORBIDDEN: no (trace 0af7)");
        assert!(traced.hint().unwrap().contains("role"));
        let new = problem(
            400,
            JSON,
            r#"{"httpStatusCode":400,"errorCode":"HPE_GL_ERROR_BAD_REQUEST","message":"bad filter","debugId":"d1"}"#,
        );
        assert_eq!(
            new.to_string(),
            "HTTP 400 HPE_GL_ERROR_BAD_REQUEST: bad filter (trace d1)"
        );
        let rfc9457 = problem(
            409,
            "application/problem+json",
            r#"{"title":"t","detail":"busy"}"#,
        );
        assert_eq!(rfc9457.message(), "busy");
    }

    #[test]
    fn odd_bodies_still_say_something() {
        let gateway = problem(401, "text/plain", "Jwt is expired\n");
        assert_eq!(
            (gateway.message(), gateway.kind()),
            ("Jwt is expired", Kind::Authentication)
        );
        let page = problem(502, "text/html; charset=utf-8", "<html><h1>Bad</h1></html>");
        assert_eq!(
            page.message(),
            "Bad Gateway, and a page of text/html instead of JSON"
        );
        for body in [
            "",
            "{}",
            "[]",
            "null",
            r#"{"error":{"code":7}}"#,
            r#"{"error":""}"#,
        ] {
            assert_eq!(
                problem(500, JSON, body).message(),
                "Internal Server Error",
                "{body}"
            );
        }
        assert_eq!(
            problem(401, JSON, "").message(),
            "the token was not accepted"
        );
    }
}
