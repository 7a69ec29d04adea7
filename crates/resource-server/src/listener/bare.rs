//! Answers as bytes, for requests that hyper never handed out: a connection without a place, and a
//! head that is too long or malformed. hyper answers the latter itself, without a body and without
//! an id, and has no setting for it.

use bytes::Bytes;
use http::header::{CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, DATE, HeaderName};
use http::{HeaderValue, Response, StatusCode};

use super::REQUEST_ID;
use super::trace_context::TraceContext;
use crate::reply::Refusal;

/// Longest answer of hyper's own.
const LONGEST: usize = 256;

/// An answer that ends its connection.
pub(super) fn to_bytes(mut response: Response<Bytes>, trace: &TraceContext) -> Vec<u8> {
    let length = HeaderValue::from(response.body().len());
    let headers = response.headers_mut();
    headers.insert(CONTENT_LENGTH, length);
    headers.insert(CONNECTION, HeaderValue::from_static("close"));
    headers.insert(REQUEST_ID, trace.trace_id().header());
    let mut bytes = format!("HTTP/1.1 {}\r\n", response.status()).into_bytes();
    for (name, value) in response.headers() {
        bytes.extend_from_slice(name.as_str().as_bytes());
        bytes.extend_from_slice(b": ");
        bytes.extend_from_slice(value.as_bytes());
        bytes.extend_from_slice(b"\r\n");
    }
    bytes.extend_from_slice(b"\r\n");
    bytes.extend_from_slice(response.body());
    bytes
}

/// What to say in place of bytes that are an answer of hyper's own: all of ours have a content type
/// or an id, and no body of ours is the head of an answer.
pub(super) fn in_place_of(bytes: &[u8], trace: &TraceContext) -> Option<(StatusCode, Vec<u8>)> {
    if bytes.len() > LONGEST || !bytes.starts_with(b"HTTP/1.") || !bytes.ends_with(b"\r\n\r\n") {
        return None;
    }
    let text = std::str::from_utf8(bytes).ok()?;
    let mut lines = text.split("\r\n");
    let status = lines.next()?.split(' ').nth(1)?;
    let fields: Vec<_> = lines.filter_map(|line| line.split_once(": ")).collect();
    let field = |name: &HeaderName| {
        let mut values = fields.iter().filter(|(known, _)| *name == *known);
        values.next().map(|(_, value)| *value)
    };
    if field(&REQUEST_ID).is_some() || field(&CONTENT_TYPE).is_some() {
        return None;
    }
    let (status, words) = match status {
        "400" => (StatusCode::BAD_REQUEST, "the request is not HTTP/1.1"),
        "414" => (StatusCode::URI_TOO_LONG, "the target is too long"),
        "431" => (
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE,
            "the head of the request is too long or has too many fields",
        ),
        _ => return None,
    };
    let mut answer = Refusal::Head(status, words).answer(&trace.trace_id().to_string());
    if let Some(date) = field(&DATE).and_then(|date| HeaderValue::from_str(date).ok()) {
        answer.headers_mut().insert(DATE, date);
    }
    Some((status, to_bytes(answer, trace)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_oauth::random::SystemRandom;

    #[test]
    fn only_answers_of_nobody_are_replaced() {
        let trace = TraceContext::new(&mut SystemRandom);
        let replaced = |text: &str| in_place_of(text.as_bytes(), &trace).map(|(status, _)| status);
        let bare = "content-length: 0\r\ndate: Sun, 01 Mar 2026 12:00:00 GMT\r\n\r\n";
        for status in [400, 414, 431] {
            let text = format!("HTTP/1.1 {status} Some Words\r\nconnection: close\r\n{bare}");
            assert_eq!(replaced(&text).map(|s| s.as_u16()), Some(status));
            let ours = format!("HTTP/1.1 {status} Some Words\r\nx-request-id: 1\r\n{bare}");
            assert_eq!(replaced(&ours), None);
            assert_eq!(replaced(&format!("{text}{{}}")), None);
        }
        assert_eq!(replaced(&format!("HTTP/1.1 100 Continue\r\n{bare}")), None);
        assert_eq!(replaced("HTTP/1.1 100 Continue\r\n\r\n"), None);
        assert_eq!(replaced("{\"items\": []}\r\n\r\n"), None);
    }
}
