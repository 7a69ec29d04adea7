//! The successful answer of the token endpoint (RFC 6749 section 5.1), printed strictly and parsed
//! tolerantly: clients meet servers that write `expires_in` as a string or leave it out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{AccessToken, Secret, jws};

/// What a client gets for a successful token request.
#[derive(Debug, Clone)]
pub struct TokenResponse {
    /// The access token.
    pub access_token: Secret,
    /// How long it lives from now on, in whole seconds, rounded down; `None` when the server did
    /// not say and the token does not either.
    pub expires_in: Option<u64>,
    /// The scope granted, when the server names it.
    pub scope: Option<String>,
}

/// The greenlake answer: these three members, in this order (domain facts, section 2.2).
#[derive(Serialize)]
struct Printed<'a> {
    access_token: &'a str,
    token_type: &'static str,
    expires_in: u64,
}

#[derive(Deserialize)]
struct Parsed {
    access_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<Value>,
    scope: Option<Value>,
}

/// Why an answer with a good status held no usable token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ResponseError {
    /// Not JSON.
    #[error("the token answer is no JSON object")]
    NotJson,
    /// No `access_token`.
    #[error("the token answer has no access_token")]
    NoToken,
    /// A `token_type` other than Bearer.
    #[error("the token answer's token_type is `{0}`; only Bearer can be used")]
    TokenType(String),
    /// `expires_in` is neither a number nor the text of one.
    #[error("the token answer's expires_in is no number of seconds: {0}")]
    Lifetime(String),
}

/// Longest lifetime believed, in seconds: a year. Anything above is a server's mistake.
const LONGEST_LIFETIME: f64 = 31_536_000.0;

impl TokenResponse {
    /// Prints the answer for a token just minted. `expires_in` is the floor of the time left at
    /// `now`, so that a client that trusts it never uses a dead token.
    pub fn print(token: &AccessToken, now: Timestamp) -> String {
        let left = token.expires_at().as_millisecond() - now.as_millisecond();
        let printed = Printed {
            access_token: token.expose(),
            token_type: "Bearer",
            expires_in: u64::try_from(left / 1000).unwrap_or(0),
        };
        serde_json::to_string(&printed).unwrap_or_default()
    }

    /// Reads an answer. When the server gives no `expires_in`, the token's own `exp` serves, read
    /// but not trusted.
    pub fn parse(body: &[u8], now: Timestamp) -> Result<Self, ResponseError> {
        let parsed: Parsed = serde_json::from_slice(body).map_err(|_| ResponseError::NotJson)?;
        let token = parsed
            .access_token
            .filter(|t| !t.is_empty())
            .ok_or(ResponseError::NoToken)?;
        if let Some(kind) = parsed
            .token_type
            .filter(|k| !k.eq_ignore_ascii_case("bearer"))
        {
            return Err(ResponseError::TokenType(kind));
        }
        let expires_in = match parsed.expires_in {
            Some(value) => Some(seconds(&value)?),
            None => jws::peek_expiry(&token)
                .map(|exp| u64::try_from(exp.saturating_sub(now.as_second())).unwrap_or(0)),
        };
        Ok(Self {
            access_token: Secret::from(token),
            expires_in,
            scope: parsed.scope.and_then(scope_text),
        })
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value was checked to lie between 0 and LONGEST_LIFETIME"
)]
fn seconds(value: &Value) -> Result<u64, ResponseError> {
    let number = match value {
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number {
        Some(number) if (0.0..=LONGEST_LIFETIME).contains(&number) => Ok(number as u64),
        _ => Err(ResponseError::Lifetime(
            value.to_string().chars().take(40).collect(),
        )),
    }
}

/// `scope` comes as a string or as a list (domain facts, section 2.6).
fn scope_text(value: Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text),
        Value::Array(words) => Some(
            words
                .iter()
                .filter_map(Value::as_str)
                .collect::<Vec<_>>()
                .join(" "),
        ),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<TokenResponse, ResponseError> {
        TokenResponse::parse(body.as_bytes(), Timestamp::UNIX_EPOCH)
    }

    /// RFC 6749 section 5.1: the example answer (its extra members are ignored).
    #[test]
    fn the_rfc_example_is_read() {
        let response = parse(r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"example"}"#);
        assert_eq!(
            response.unwrap_err(),
            ResponseError::TokenType("example".to_owned())
        );
        let response = parse(
            r#"{"access_token":"2YotnFZFEjr1zCsicMWpAA","token_type":"bearer",
                "expires_in":3600,"example_parameter":"example_value"}"#,
        )
        .unwrap();
        assert_eq!(response.access_token.expose(), "2YotnFZFEjr1zCsicMWpAA");
        assert_eq!(response.expires_in, Some(3600));
    }

    #[test]
    fn lifetimes_are_taken_as_number_text_or_fraction_and_nothing_absurd() {
        for (written, read) in [
            ("7199", 7199),
            ("\"7199\"", 7199),
            ("7199.9", 7199),
            ("0", 0),
        ] {
            let body = format!(r#"{{"access_token":"t","expires_in":{written}}}"#);
            assert_eq!(parse(&body).unwrap().expires_in, Some(read), "{written}");
        }
        for written in ["-1", "1e300", "\"soon\"", "[]"] {
            let body = format!(r#"{{"access_token":"t","expires_in":{written}}}"#);
            assert!(
                matches!(parse(&body), Err(ResponseError::Lifetime(_))),
                "{written}"
            );
        }
    }

    #[test]
    fn an_answer_without_a_token_is_no_token() {
        assert_eq!(parse("{}").unwrap_err(), ResponseError::NoToken);
        assert_eq!(
            parse(r#"{"access_token":""}"#).unwrap_err(),
            ResponseError::NoToken
        );
        assert_eq!(
            parse("<html>log in</html>").unwrap_err(),
            ResponseError::NotJson
        );
        let scopes = parse(r#"{"access_token":"t","scope":["a","b"]}"#)
            .unwrap()
            .scope;
        assert_eq!(scopes.as_deref(), Some("a b"));
    }
}
