//! What holds for every answer of the endpoints that clients authenticate at: RFC 6749 sections 5.1
//! and 5.2, RFC 7009 section 2.2, RFC 7662 section 2.2, RFC 8693 section 2.2.

use hallpass_authorization_server::{INTROSPECTION_PATH, REVOCATION_PATH};
use hallpass_oauth::token_error::Wording;
use serde_json::Value;

use crate::wire::Answer;

/// What the answer is to.
pub(crate) struct Asked<'a> {
    pub(crate) target: &'a str,
    pub(crate) body: &'a str,
    pub(crate) with_header: bool,
    pub(crate) wording: Wording,
}

pub(crate) fn check(answer: &Answer, asked: &Asked<'_>) {
    check_headers(answer, asked);
    let path = asked.target.split('?').next().unwrap();
    match (answer.status, path) {
        (200, REVOCATION_PATH) => assert_eq!(answer.body, ""),
        (200, INTROSPECTION_PATH) => check_introspection(answer),
        (200, _) => check_token(answer, asked),
        _ => check_error(answer, asked.wording),
    }
}

fn check_headers(answer: &Answer, asked: &Asked<'_>) {
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("pragma"), Some("no-cache"));
    let kind = (!answer.body.is_empty()).then_some("application/json");
    assert_eq!(answer.header("content-type"), kind);
    assert_eq!(answer.header("access-control-allow-origin"), None);
    assert_eq!(
        answer.header("www-authenticate").is_some(),
        answer.status == 401 && asked.with_header,
        "a challenge answers an Authorization header"
    );
    let later = answer.header("retry-after").map(str::parse::<u64>);
    assert_eq!(
        later.is_some(),
        matches!(answer.status, 429 | 503),
        "{}: when to come back is told with the statuses that ask for it",
        answer.status
    );
    if let Some(seconds) = later {
        assert!(seconds.unwrap() > 0);
    }
    let allowed = answer.header("allow");
    assert_eq!(allowed, (answer.status == 405).then_some("POST"));
}

fn check_token(answer: &Answer, asked: &Asked<'_>) {
    let body = answer.json();
    let exchanged = asked.body.contains("token-exchange");
    let with_scope = body.get("scope").is_some();
    let mut expected = vec!["access_token"];
    expected.extend(exchanged.then_some("issued_token_type"));
    expected.extend(["token_type", "expires_in"]);
    expected.extend(with_scope.then_some("scope"));
    assert_eq!(members(answer), expected);
    assert_eq!(body["token_type"], "Bearer");
    assert!(body["expires_in"].is_u64());
    assert!(!body["access_token"].as_str().unwrap().is_empty());
    if with_scope {
        let scope = body["scope"].as_str().unwrap();
        assert!(!scope.is_empty() && scope.split(' ').all(|word| !word.is_empty()));
    }
}

fn check_introspection(answer: &Answer) {
    let active = answer.json()["active"].as_bool().unwrap();
    if !active {
        assert_eq!(answer.body, r#"{"active":false}"#);
    }
    members(answer);
}

fn check_error(answer: &Answer, wording: Wording) {
    let expected = match wording {
        Wording::PingFederate => ["error_description", "error"],
        Wording::Rfc6749 => ["error", "error_description"],
    };
    assert_eq!(members(answer), expected);
    let body = answer.json();
    let error = body["error"].as_str().unwrap();
    let statuses: &[u16] = match error {
        "invalid_client" => &[401],
        "temporarily_unavailable" => &[429, 503],
        "invalid_request" => &[400, 405, 408, 413],
        "unauthorized_client" | "unsupported_grant_type" | "invalid_scope" | "invalid_target" => {
            &[400]
        }
        other => panic!("{other} is no code of these endpoints"),
    };
    assert!(
        statuses.contains(&answer.status),
        "{error} {}",
        answer.status
    );
    check_characters(&body["error"]);
    check_characters(&body["error_description"]);
}

/// RFC 6749 section 5.2: visible ASCII and blanks, without quotes and backslashes.
fn check_characters(value: &Value) {
    let text = value.as_str().unwrap();
    let allowed = |c: char| matches!(c, ' '..='~') && c != '"' && c != '\\';
    assert!(!text.is_empty() && text.chars().all(allowed), "{text}");
}

/// The names of an answer's members in their order. A parsed object could not show a name that
/// stands twice (RFC 6749 section 3.2), so each is looked for in the text too.
fn members(answer: &Answer) -> Vec<String> {
    let body = answer.json();
    let names: Vec<String> = body.as_object().unwrap().keys().cloned().collect();
    for name in &names {
        let count = answer.body.matches(&format!("\"{name}\":")).count();
        assert_eq!(count, 1, "{name} in {}", answer.body);
    }
    names
}
