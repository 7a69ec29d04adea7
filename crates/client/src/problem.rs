//! An API's complaint in one shape, whichever of its families it was written in: plain and traced
//! (`error`, `errorCode`, `traceId`), new (`message`, `errorCode`, `debugId`, `errorDetails`), RFC 9457
//! problems, an `error` that is an object of its own, and the plain text or the page of a gateway that
//! stands in front (domain facts, section 6.4).

use std::fmt;

use http::StatusCode;
use serde_json::Value;

use crate::error::Kind;
use crate::redact::first_line;
use crate::response::Response;

/// What the API complains about.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "HTTP {status}{}: {message}{}{}",
    Code(code),
    Details(details),
    Trace(trace_id)
)]
pub struct ApiProblem {
    status: u16,
    code: Option<String>,
    message: String,
    details: Vec<String>,
    trace_id: Option<String>,
    challenge: Option<String>,
    retry_after: Option<String>,
    body: Vec<u8>,
}

/// How many details are worth reading.
const MOST_DETAILS: usize = 10;

/// Headers that name a request when the body does not, the telling ones first.
const ID_HEADERS: [&str; 5] = [
    "x-request-id",
    "x-trace-id",
    "x-correlation-id",
    "x-b3-traceid",
    "request-id",
];

impl ApiProblem {
    /// Reads the complaint out of an answer with an error status.
    pub fn read(response: &Response) -> Self {
        let status = response.status();
        let body: Option<Value> = serde_json::from_slice(response.body()).ok();
        let said = body.as_ref();
        // Some services put all of it one level deeper.
        let inner = said.and_then(|body| body.get("error").filter(|error| error.is_object()));
        let text = |names: &[&str]| {
            let here = names.iter().find_map(|name| word(said?.get(name)?));
            here.or_else(|| names.iter().find_map(|name| word(inner?.get(name)?)))
        };
        let header = |name: &str| {
            let value = response.header(name).map(|value| first_line(value, &[]));
            value.filter(|value| !value.is_empty())
        };
        Self {
            status: status.as_u16(),
            code: text(&["errorCode", "code"]),
            message: text(&["message", "detail", "error_description", "error", "title"])
                .unwrap_or_else(|| without_json(response, body.is_some())),
            details: said
                .into_iter()
                .chain(inner)
                .flat_map(details)
                .take(MOST_DETAILS)
                .collect(),
            trace_id: text(&["traceId", "debugId", "requestId", "trace_id", "request_id"])
                .or_else(|| ID_HEADERS.iter().find_map(|name| header(name))),
            challenge: header("www-authenticate"),
            retry_after: header("retry-after"),
            body: response.body().to_vec(),
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

    /// What it says about single fields.
    pub fn details(&self) -> &[String] {
        &self.details
    }

    /// What to quote to the API's people.
    pub fn trace_id(&self) -> Option<&str> {
        self.trace_id.as_deref()
    }

    /// The challenge that came with a 401 (RFC 6750 section 3).
    pub fn challenge(&self) -> Option<&str> {
        self.challenge.as_deref()
    }

    /// The body as it came.
    pub fn body(&self) -> &[u8] {
        &self.body
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
            400 | 422 => "the server does not take these values; `--dry-run` shows what is sent",
            401 => {
                return Some(match &self.challenge {
                    Some(challenge) => format!("{WRONG_TOKEN}; the API said: {challenge}"),
                    None => WRONG_TOKEN.to_owned(),
                });
            }
            403 => "the credential's owner lacks the permission; ask an administrator for the role",
            404 => "check the id, and that the base URL is the region it lives in",
            405 => "this path does not take this method; check the path and the definition",
            406 | 415 => "the server does not know this media type; check the definition",
            409 | 412 => "something else changed it, or is about to: read it again, then try again",
            413 => "the body is too large for the server; send less at once",
            429 => return Some(self.too_many()),
            500 => {
                "the fault is the server's; whether the call acted is not known: look before you repeat it"
            }
            502 | 504 => "a gateway got no good answer from the server behind it; try again later",
            503 => "the service or the array is in maintenance; try again later",
            _ => return None,
        };
        Some(hint.to_owned())
    }

    fn too_many(&self) -> String {
        match self.retry_after.as_deref() {
            Some(wait) if wait.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("too many requests; try again after {wait} s")
            }
            Some(date) => format!("too many requests; try again after {date}"),
            None => "too many requests; try again later".to_owned(),
        }
    }
}

/// The hint for a 401 that a fresh token did not cure.
const WRONG_TOKEN: &str =
    "a fresh token was refused as well; is the credential of this region and service?";

/// What is said about single fields: `errorDetails` of the new family, `errors` as RFC 9457 section 3
/// shows them, `details` elsewhere; texts, or objects with a text and the name of the field.
fn details(body: &Value) -> Vec<String> {
    let lists = ["errorDetails", "errors", "details"]
        .iter()
        .filter_map(|name| body.get(name)?.as_array());
    lists.flatten().filter_map(detail).collect()
}

fn detail(value: &Value) -> Option<String> {
    if let Some(text) = word(value) {
        return Some(text);
    }
    let find = |names: &[&str]| names.iter().find_map(|name| word(value.get(name)?));
    let text = find(&[
        "message",
        "detail",
        "description",
        "error",
        "reason",
        "issue",
    ])?;
    Some(
        match find(&[
            "field",
            "pointer",
            "path",
            "parameter",
            "name",
            "property",
            "source",
        ]) {
            Some(field) => format!("{field}: {text}"),
            None => text,
        },
    )
}

/// A complaint that is no JSON object with known members: a line of plain text is its message, of a
/// page for a browser at most the title.
fn without_json(response: &Response, is_json: bool) -> String {
    let text = response.text();
    let line = first_line(&text, &[]);
    let page = line.starts_with('<');
    if !line.is_empty() && !page && !is_json {
        return line;
    }
    let status = response.status();
    let reason = status.canonical_reason().unwrap_or("no reason given");
    match response.media_type() {
        Some(media_type) if page => match title(&text) {
            Some(title) => format!("{reason}, and a page of {media_type} instead of JSON: {title}"),
            None => format!("{reason}, and a page of {media_type} instead of JSON"),
        },
        _ if status == StatusCode::UNAUTHORIZED => "the token was not accepted".to_owned(),
        _ => reason.to_owned(),
    }
}

/// What stands between `<title>` and its end.
fn title(page: &str) -> Option<String> {
    let lower = page.to_ascii_lowercase();
    let start = lower.find("<title>")? + "<title>".len();
    let end = start + lower[start..].find("</title>")?;
    let title = first_line(page.get(start..end)?, &[]);
    (!title.is_empty()).then_some(title)
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

struct Details<'a>(&'a [String]);

impl fmt::Display for Details<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|detail| write!(f, "; {detail}"))
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
    fn details_follow_the_message() {
        let new = problem(
            400,
            JSON,
            r#"{"errorCode":"C","message":"bad","debugId":"d1","errorDetails":[{"type":"t","issues":[]},{"message":"too long","field":"name"},"also this"]}"#,
        );
        assert_eq!(
            new.to_string(),
            "HTTP 400 C: bad; name: too long; also this (trace d1)"
        );
        let rfc9457 = problem(
            422,
            "application/problem+json",
            r##"{"title":"Your request is not valid.","errors":[{"detail":"must be positive","pointer":"#/age"}]}"##,
        );
        assert_eq!(
            rfc9457.to_string(),
            "HTTP 422: Your request is not valid.; #/age: must be positive"
        );
        let nested = problem(
            404,
            JSON,
            r#"{"error":{"code":404,"message":"gone","details":["a"]}}"#,
        );
        assert_eq!(nested.to_string(), "HTTP 404 404: gone; a");
        let many = serde_json::json!({"errors": vec!["x"; 99]}).to_string();
        assert_eq!(problem(400, JSON, &many).details().len(), MOST_DETAILS);
    }

    #[test]
    fn a_header_names_the_request_when_the_body_does_not() {
        let mut headers = HeaderMap::new();
        headers.insert("x-request-id", http::HeaderValue::from_static("r1"));
        headers.insert(
            "retry-after",
            http::HeaderValue::from_static("Sun, 06 Nov 1994 08:49:37 GMT"),
        );
        let answer = |body: &str| {
            Response::new(
                StatusCode::TOO_MANY_REQUESTS,
                headers.clone(),
                body.as_bytes().to_vec(),
            )
        };
        let problem = ApiProblem::read(&answer(""));
        assert_eq!(
            problem.to_string(),
            "HTTP 429: Too Many Requests (trace r1)"
        );
        assert!(
            problem
                .hint()
                .unwrap()
                .ends_with("after Sun, 06 Nov 1994 08:49:37 GMT")
        );
        let problem = ApiProblem::read(&answer(r#"{"error":"slow","traceId":"t1"}"#));
        assert_eq!(problem.trace_id(), Some("t1"));
        assert_eq!(problem.body(), br#"{"error":"slow","traceId":"t1"}"#);
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
        let titled = "<!DOCTYPE html><html><head><TITLE>\n502 Bad \u{1b}Gateway</TITLE></head>";
        assert_eq!(
            problem(502, "text/html", titled).message(),
            "Bad Gateway, and a page of text/html instead of JSON: 502 Bad Gateway"
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
