//! What to make of a token endpoint's answer. Pure: knows neither the connection nor the clock.
//!
//! Looks at `error` whatever the status says, and shows nothing of an answer that could hold a secret
//! or a token.

use std::time::Duration;

use hallpass_oauth::token_request::EncodedRequest;
use hallpass_oauth::token_response::ResponseError;
use hallpass_oauth::{Secret, TokenError, TokenResponse};
use jiff::Timestamp;
use reqwest::Url;

use crate::redact::first_line;
use crate::response::Response;
use crate::token_failure::TokenFailure;

/// What the answer says. Pure.
pub(crate) fn interpret(
    answer: &Response,
    secret: &str,
    encoded: &EncodedRequest,
    now: Timestamp,
) -> Result<TokenResponse, TokenFailure> {
    let status = answer.status().as_u16();
    let excerpt = |text: &str| excerpt(text, secret, encoded);
    if answer.status().is_redirection() {
        return Err(TokenFailure::Redirected {
            status,
            to: excerpt(&target(answer)),
        });
    }
    if matches!(status, 429 | 503) {
        return Err(TokenFailure::Busy {
            status,
            retry_after: retry_after(answer, now),
        });
    }
    if let Some(error) = TokenError::from_json(answer.body()) {
        return Err(TokenFailure::Refused {
            status,
            code: excerpt(error.code()),
            description: excerpt(error.description()),
        });
    }
    let content_type = excerpt(answer.header("content-type").unwrap_or("no content type"));
    if !answer.status().is_success() {
        let excerpt = excerpt(&answer.text());
        return Err(TokenFailure::Unexpected {
            status,
            content_type,
            excerpt,
        });
    }
    // The token's own end is by the server's clock.
    let at_server = server_time(answer).unwrap_or(now);
    let mut granted = TokenResponse::parse(answer.body(), at_server).map_err(|error| {
        let reason = match error {
            // The error holds a shortened value, in which an echoed secret would not be found.
            ResponseError::Lifetime(_) => "the token answer's expires_in is no number".to_owned(),
            other => excerpt(&other.to_string()),
        };
        TokenFailure::Unusable {
            status,
            content_type,
            reason,
        }
    })?;
    granted.scope = granted.scope.as_deref().map(excerpt);
    Ok(granted)
}

/// A line of the answer, without the credential in any of the forms in which it was sent: an error
/// page may show the request it did not understand.
fn excerpt(text: &str, secret: &str, encoded: &EncodedRequest) -> String {
    let form: String = form_urlencoded::byte_serialize(secret.as_bytes()).collect();
    let header = encoded
        .authorization
        .as_ref()
        .map_or("", |value| value.expose());
    let basic = header.trim_start_matches("Basic ");
    let assertion = form_urlencoded::parse(encoded.body.expose().as_bytes())
        .find(|(name, _)| name == "client_assertion")
        .map(|(_, assertion)| Secret::from(assertion.into_owned()));
    let assertion = assertion
        .as_ref()
        .map_or("", |assertion| assertion.expose());
    first_line(text, &[basic, &form, secret, assertion])
}

/// Where a redirect leads, without the path and query that could repeat what was sent.
fn target(answer: &Response) -> String {
    let location = answer
        .header("location")
        .and_then(|text| Url::parse(text).ok());
    match location {
        Some(url) => url.origin().ascii_serialization(),
        None => "another path".to_owned(),
    }
}

/// `Retry-After` in either of its forms (RFC 9110 section 10.2.3).
pub(crate) fn retry_after(answer: &Response, now: Timestamp) -> Option<Duration> {
    let text = answer.header("retry-after")?.trim();
    if let Ok(seconds) = text.parse() {
        return Some(Duration::from_secs(seconds));
    }
    let wait = date(text)?.duration_since(now);
    Some(wait.try_into().unwrap_or(Duration::ZERO))
}

/// By how many seconds this machine's clock, which says `now`, is ahead of the server's; `None` while
/// they agree well enough. An answer that lay in some cache (`Age`) tells nothing.
pub(crate) fn clock_skew(answer: &Response, now: Timestamp) -> Option<i64> {
    let ahead = now.as_second() - server_time(answer)?.as_second();
    (ahead.abs() > MOST_SKEW && answer.header("age").is_none()).then_some(ahead)
}

fn server_time(answer: &Response) -> Option<Timestamp> {
    date(answer.header("date")?)
}

/// A date of HTTP (RFC 9110 section 5.6.7) in the form that everybody writes today.
fn date(text: &str) -> Option<Timestamp> {
    let parser = jiff::fmt::rfc2822::DateTimeParser::new();
    parser.parse_timestamp(text).ok()
}

/// How far apart clocks may be before it is worth a word, in seconds. Tokens are believed a while
/// longer or shorter, and assertions are refused.
const MOST_SKEW: i64 = 60;

#[cfg(test)]
mod tests {
    use hallpass_oauth::token_request::AuthenticationMethod;
    use hallpass_oauth::{ClientId, TokenRequest};
    use http::{HeaderMap, HeaderValue, StatusCode};

    use super::*;

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Response {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(*name, HeaderValue::from_str(value).unwrap());
        }
        Response::new(
            StatusCode::from_u16(status).unwrap(),
            map,
            body.as_bytes().to_vec(),
        )
    }

    fn read(answer: &Response) -> Result<TokenResponse, TokenFailure> {
        let secret = Secret::from("pl&nted".to_owned());
        let id = ClientId::parse("c1").unwrap();
        let encoded = TokenRequest::client_credentials(None).encode(
            AuthenticationMethod::Basic,
            &id,
            &secret,
        );
        interpret(answer, secret.expose(), &encoded, now())
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    #[test]
    fn the_error_member_counts_whatever_the_status() {
        for status in [200, 400, 401, 500] {
            let error = read(&answer(status, &[], r#"{"error":"invalid_client"}"#)).unwrap_err();
            assert!(
                matches!(error, TokenFailure::Refused { .. }),
                "{status}: {error}"
            );
        }
    }

    #[test]
    fn redirects_are_refused_and_told_without_their_query() {
        for status in [301, 302, 303, 307, 308] {
            let to = [("location", "https://evil.example/x?client_secret=planted")];
            let error = read(&answer(status, &to, r#"{"access_token":"t"}"#)).unwrap_err();
            assert!(
                error.to_string().contains("https://evil.example"),
                "{error}"
            );
            assert!(!format!("{error} {error:?}").contains("planted"));
        }
    }

    #[test]
    fn pages_and_odd_bodies_are_named_and_nothing_secret_is_repeated() {
        let html = [("content-type", "text/html; charset=utf-8")];
        let error = read(&answer(502, &html, "<h1>Bad Gateway</h1>"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("502 with text/html; charset=utf-8: <h1>Bad Gateway"),
            "{error}"
        );
        let error = read(&answer(200, &html, "<h1>Sign in</h1>"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("no JSON") && error.contains("text/html"),
            "{error}"
        );
        for body in [
            "pl&nted",
            "pl%26nted",
            r#"{"error":"x","error_description":"pl&nted"}"#,
        ] {
            let error = read(&answer(400, &[], body)).unwrap_err();
            assert!(!format!("{error:?}").contains("nted"), "{error:?}");
        }
        for body in [
            "access_token=live&token_type=bearer",
            r#"{"access_token":"live","token_type":"mac"}"#,
        ] {
            let error = read(&answer(200, &[], body)).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("live"), "{error:?}");
        }
        for body in [r#"{"error":{"code":7}}"#, r#"{"error":null}"#, "null", ""] {
            let error = read(&answer(400, &[], body)).unwrap_err();
            assert!(matches!(error, TokenFailure::Unexpected { .. }), "{body}");
        }
    }

    #[test]
    fn retry_after_is_read_in_both_forms() {
        let wait = |text: &str| retry_after(&answer(429, &[("retry-after", text)], ""), now());
        assert_eq!(wait("7"), Some(Duration::from_secs(7)));
        assert_eq!(
            wait("Tue, 14 Nov 2023 22:13:50 GMT"),
            Some(Duration::from_secs(30))
        );
        assert_eq!(wait("Tue, 14 Nov 2023 22:13:00 GMT"), Some(Duration::ZERO));
        assert_eq!(wait("soon"), None);
        assert_eq!(wait("-1"), None);
    }

    #[test]
    fn clocks_that_are_far_apart_are_noticed() {
        let ahead = |date: &str| clock_skew(&answer(200, &[("date", date)], ""), now());
        // now() is Tue, 14 Nov 2023 22:13:20 GMT.
        assert_eq!(ahead("Tue, 14 Nov 2023 22:13:20 GMT"), None);
        assert_eq!(ahead("Tue, 14 Nov 2023 22:14:20 GMT"), None);
        assert_eq!(ahead("Tue, 14 Nov 2023 22:14:21 GMT"), Some(-61));
        assert_eq!(ahead("Tue, 14 Nov 2023 21:13:20 GMT"), Some(3600));
        assert_eq!(ahead("yesterday"), None);
        let cached = [("date", "Tue, 14 Nov 2023 21:13:20 GMT"), ("age", "3600")];
        assert_eq!(clock_skew(&answer(200, &cached, ""), now()), None);
    }

    #[test]
    fn the_tokens_own_end_is_by_the_servers_clock() {
        // {"exp":1700000600}, and a server that is an hour behind.
        let body = r#"{"access_token":"e30.eyJleHAiOjE3MDAwMDA2MDB9."}"#;
        let date = [("date", "Tue, 14 Nov 2023 21:13:20 GMT")];
        let left = |headers| read(&answer(200, headers, body)).unwrap().expires_in;
        assert_eq!(left(&[]), Some(600));
        assert_eq!(left(&date), Some(4200));
    }

    #[test]
    fn an_assertion_that_is_echoed_is_blotted_out() {
        let assertion = Secret::from("e30.planted.x".to_owned());
        let credential = hallpass_oauth::token_request::ClientCredential::Assertion(&assertion);
        let encoded = TokenRequest::client_credentials(None).encode_with(&credential);
        let shown = excerpt("bad assertion e30.planted.x", "", &encoded);
        assert_eq!(shown, "bad assertion [redacted]");
    }
}
