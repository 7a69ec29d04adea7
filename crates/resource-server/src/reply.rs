//! Answers: the one place where a refusal becomes a status, a challenge and a body.

use bytes::Bytes;
use hallpass_oauth::Challenge;
use http::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderName, HeaderValue, Method, Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};

use crate::target::TargetError;

/// Why a request got no answer from the API.
#[derive(Debug)]
pub(crate) enum Refusal {
    /// No token, or one that is no good, or one whose owner may not do this.
    Challenge(Challenge),
    /// The target is ambiguous.
    Target(TargetError),
    /// The API has no such operation. Said only to those who have a good token.
    UnknownOperation,
    /// The path exists, with other methods.
    WrongMethod(Vec<Method>),
    /// The request is wrong in some other way.
    BadRequest(String),
    /// The head is too long or malformed.
    Head(StatusCode, &'static str),
    /// The body is too long or came too slowly.
    Body(StatusCode, String),
    /// A fault that was asked for, and how many seconds the caller is told to wait.
    Fault(StatusCode, Option<u32>),
    /// The stand-in has no room for more.
    Full(StatusCode, String),
    /// What stands behind this server gave no answer.
    NoUpstream(StatusCode, String),
    /// An administrator has switched the application instance off.
    SwitchedOff,
    /// Our fault, for the moment.
    Unavailable,
}

impl From<TargetError> for Refusal {
    fn from(error: TargetError) -> Self {
        Self::Target(error)
    }
}

impl From<Challenge> for Refusal {
    fn from(challenge: Challenge) -> Self {
        Self::Challenge(challenge)
    }
}

impl Refusal {
    /// The answer on the wire. Bodies have the three members that satisfy every client of the real
    /// system (domain facts, section 6.4).
    pub(crate) fn response(&self, trace_id: &str) -> Response<Full<Bytes>> {
        self.answer(trace_id).map(Full::new)
    }

    /// The same with its body as bytes.
    pub(crate) fn answer(&self, trace_id: &str) -> Response<Bytes> {
        let (status, code, text) = self.words();
        let body = json!({"error": text, "errorCode": code, "traceId": trace_id});
        let mut response = json_answer(status, &body);
        let headers = response.headers_mut();
        match self {
            Self::Challenge(challenge) => {
                if let Ok(value) = HeaderValue::from_str(&challenge.to_string()) {
                    headers.insert(WWW_AUTHENTICATE, value);
                }
            }
            Self::WrongMethod(allow) => {
                headers.extend(allow_header(allow));
            }
            Self::Fault(_, Some(seconds)) => {
                headers.insert(RETRY_AFTER, HeaderValue::from(*seconds));
            }
            Self::Unavailable => {
                headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            _ => {}
        }
        response
    }

    /// A word for the counters.
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Self::Challenge(Challenge::Missing) => "no_token",
            Self::Challenge(Challenge::InvalidRequest(_)) => "bad_authorization",
            Self::Challenge(Challenge::InvalidToken(refusal)) => refusal.reason(),
            Self::Challenge(Challenge::InsufficientScope(_) | Challenge::NotByToken) => {
                "permission_denied"
            }
            Self::Target(_) => "target",
            Self::UnknownOperation => "unknown_operation",
            Self::WrongMethod(_) => "wrong_method",
            Self::BadRequest(_) => "bad_request",
            Self::Head(..) => "head",
            Self::Body(..) => "body",
            Self::Fault(..) => "fault",
            Self::Full(..) => "full",
            Self::NoUpstream(..) => "upstream",
            Self::SwitchedOff => "switched_off",
            Self::Unavailable => "unavailable",
        }
    }

    fn words(&self) -> (StatusCode, &'static str, String) {
        match self {
            Self::Challenge(challenge) => {
                let status =
                    StatusCode::from_u16(challenge.status()).unwrap_or(StatusCode::UNAUTHORIZED);
                let code = match status {
                    StatusCode::FORBIDDEN => "FORBIDDEN",
                    StatusCode::BAD_REQUEST => "BAD_REQUEST",
                    _ => "UNAUTHENTICATED",
                };
                (status, code, challenge.description())
            }
            Self::Target(error) => (StatusCode::BAD_REQUEST, "BAD_REQUEST", error.to_string()),
            Self::UnknownOperation => (
                StatusCode::NOT_FOUND,
                "NOT_FOUND",
                "the API has no such operation".to_owned(),
            ),
            Self::WrongMethod(_) => (
                StatusCode::METHOD_NOT_ALLOWED,
                "METHOD_NOT_ALLOWED",
                "the path exists, but not with this method".to_owned(),
            ),
            Self::BadRequest(text) => (StatusCode::BAD_REQUEST, "BAD_REQUEST", text.clone()),
            Self::Full(status, text) => (*status, "INSUFFICIENT_STORAGE", text.clone()),
            Self::Head(status, text) => (*status, "BAD_REQUEST", (*text).to_owned()),
            Self::Body(status, text) => (*status, "BAD_REQUEST", text.clone()),
            Self::Fault(status, _) => (
                *status,
                code_of(*status),
                "a fault that was asked for (Hallpass-Fault, or a rule of this server)".to_owned(),
            ),
            Self::NoUpstream(status, text) => (*status, code_of(*status), text.clone()),
            Self::SwitchedOff => (
                StatusCode::SERVICE_UNAVAILABLE,
                "INSTANCE_DISABLED",
                "an administrator has switched this application instance off".to_owned(),
            ),
            Self::Unavailable => (
                StatusCode::SERVICE_UNAVAILABLE,
                "SERVICE_UNAVAILABLE",
                "the service cannot answer at the moment, try again".to_owned(),
            ),
        }
    }
}

/// The word for a status that somebody chose.
fn code_of(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "NOT_FOUND",
        StatusCode::CONFLICT => "CONFLICT",
        StatusCode::TOO_MANY_REQUESTS => "TOO_MANY_REQUESTS",
        StatusCode::SERVICE_UNAVAILABLE => "SERVICE_UNAVAILABLE",
        StatusCode::BAD_GATEWAY => "BAD_GATEWAY",
        StatusCode::GATEWAY_TIMEOUT => "GATEWAY_TIMEOUT",
        status if status.is_server_error() => "INTERNAL_ERROR",
        _ => "BAD_REQUEST",
    }
}

/// What a path allows (RFC 9110 section 9.3.7): nothing else is to be said about it.
pub(crate) fn allowed(methods: &[Method]) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = StatusCode::NO_CONTENT;
    let headers = response.headers_mut();
    headers.extend(allow_header(methods));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// The methods of a path as the definition has them, and those that are answered everywhere: HEAD where
/// there is a GET, and OPTIONS.
fn allow_header(methods: &[Method]) -> Option<(HeaderName, HeaderValue)> {
    let mut words: Vec<&str> = methods.iter().map(Method::as_str).collect();
    let implied = [
        methods.contains(&Method::GET).then_some("HEAD"),
        Some("OPTIONS"),
    ];
    for word in implied.into_iter().flatten() {
        if !words.contains(&word) {
            words.push(word);
        }
    }
    let value = HeaderValue::from_str(&words.join(", ")).ok()?;
    Some((ALLOW, value))
}

/// A JSON answer.
pub(crate) fn json_answer(status: StatusCode, body: &Value) -> Response<Bytes> {
    json_text(status, body.to_string())
}

/// The same from its text.
pub(crate) fn json_text(status: StatusCode, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// An answer without a body, such as a 204.
pub(crate) fn empty(status: StatusCode) -> Response<Bytes> {
    let mut response = Response::new(Bytes::new());
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
