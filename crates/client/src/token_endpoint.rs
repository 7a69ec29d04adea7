//! The token request on the wire (RFC 6749 section 4.4), and what to make of the answer.
//!
//! Never follows a redirect, looks at `error` whatever the status says, takes 64 kB at most, and
//! shows nothing of an answer that could hold a secret or a token.

use std::time::Duration;

use hallpass_oauth::token_request::{AuthenticationMethod, EncodedRequest};
use hallpass_oauth::token_response::ResponseError;
use hallpass_oauth::{Secret, TokenError, TokenRequest, TokenResponse};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use rand_core::Rng;
use reqwest::{Method, Url};

use crate::access_token::AccessToken;
use crate::event::{Event, EventSink};
use crate::profile::{Authentication, Profile};
use crate::redact::first_line;
use crate::response::Response;
use crate::send::Clock;
use crate::token_failure::TokenFailure;
use crate::transport::exchange;

/// What a token request needs besides the secret.
pub(crate) struct TokenEndpoint<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) client: &'a reqwest::Client,
    pub(crate) clock: &'a Clock,
    pub(crate) events: &'a EventSink,
}

impl TokenEndpoint<'_> {
    /// Asks for a token, up to `tries` times while the server asks for patience.
    pub(crate) async fn request(
        &self,
        secret: &Secret,
        tries: u32,
        rng: &mut (dyn Rng + Send),
    ) -> Result<AccessToken, TokenFailure> {
        let mut tried = 1;
        loop {
            let answer = self.once(secret).await;
            let Err(TokenFailure::Busy {
                status,
                retry_after,
            }) = &answer
            else {
                return answer;
            };
            let delay = retry_after.unwrap_or(UNSAID_DELAY * tried);
            if tried >= tries || delay > LONGEST_DELAY {
                return answer;
            }
            let delay =
                delay + delay.mul_f64(f64::from(rng.next_u32()) / f64::from(u32::MAX) / 10.0);
            (self.events)(&Event::Retrying {
                status: *status,
                delay,
            });
            tokio::time::sleep(delay).await;
            tried += 1;
        }
    }

    async fn once(&self, secret: &Secret) -> Result<AccessToken, TokenFailure> {
        let method = match self.profile.authentication() {
            Authentication::Body => AuthenticationMethod::Body,
            Authentication::Basic => AuthenticationMethod::Basic,
            other => {
                let reason = format!("`{}` cannot be used in this form yet", other.word());
                return Err(TokenFailure::Setup { reason });
            }
        };
        let encoded = TokenRequest::client_credentials(self.profile.scope().map(str::to_owned))
            .encode(method, self.profile.client_id(), secret);
        (self.events)(&Event::TokenRequested {
            token_url: self.profile.token_url().to_string(),
            client_id: self.profile.client_id().to_string(),
            authentication: self.profile.authentication().word(),
            scope: self.profile.scope().map(str::to_owned),
        });
        let (now, started) = ((self.clock)(), tokio::time::Instant::now());
        let request = request(self.profile.token_url().url().clone(), &encoded);
        let answer = exchange(self.client, request, LARGEST_ANSWER).await?;
        let granted = interpret(&answer, secret, &encoded, now)?;
        let lifetime = granted.expires_in.unwrap_or(UNSAID_LIFETIME);
        let token = AccessToken::new(granted.access_token, now, later(now, lifetime));
        (self.events)(&Event::TokenReceived {
            status: answer.status().as_u16(),
            expires_in: granted.expires_in,
            expires_at: token.expires_at(),
            scope: granted.scope,
            elapsed: started.elapsed(),
        });
        Ok(token)
    }
}

fn request(url: Url, encoded: &EncodedRequest) -> reqwest::Request {
    let mut request = reqwest::Request::new(Method::POST, url);
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(TokenRequest::CONTENT_TYPE),
    );
    if let Some(authorization) = &encoded.authorization
        && let Ok(mut value) = HeaderValue::from_str(authorization.expose())
    {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    *request.body_mut() = Some(encoded.body.expose().to_owned().into());
    request
}

/// What the answer says. Pure.
fn interpret(
    answer: &Response,
    secret: &Secret,
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
    let mut granted = TokenResponse::parse(answer.body(), now).map_err(|error| {
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
fn excerpt(text: &str, secret: &Secret, encoded: &EncodedRequest) -> String {
    let form: String = form_urlencoded::byte_serialize(secret.expose().as_bytes()).collect();
    let header = encoded
        .authorization
        .as_ref()
        .map_or("", |value| value.expose());
    let basic = header.trim_start_matches("Basic ");
    first_line(text, &[basic, &form, secret.expose()])
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
    let date = jiff::fmt::rfc2822::DateTimeParser::new()
        .parse_timestamp(text)
        .ok()?;
    Some(
        date.duration_since(now)
            .try_into()
            .unwrap_or(Duration::ZERO),
    )
}

fn later(now: Timestamp, seconds: u64) -> Timestamp {
    let lifetime = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX));
    now.saturating_add(lifetime).unwrap_or(Timestamp::MAX)
}

/// Largest token answer taken, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024;

/// How long a token is believed to live when neither the answer nor the token says so.
const UNSAID_LIFETIME: u64 = 300;

/// First pause when the server asks for patience without saying how much; grows with each try.
const UNSAID_DELAY: Duration = Duration::from_millis(500);

/// Longest pause; whoever asks for more is told to the caller instead.
const LONGEST_DELAY: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use hallpass_oauth::ClientId;
    use hallpass_oauth::token_request::AuthenticationMethod;
    use http::{HeaderMap, StatusCode};

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
        interpret(answer, &secret, &encoded, now())
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
}
