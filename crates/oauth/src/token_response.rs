//! The successful answer of the token endpoint (RFC 6749 section 5.1; RFC 8693 section 2.2.1 for a
//! token exchange), printed strictly and parsed tolerantly: clients meet servers that write `expires_in` as a string or leave it out.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::token_request::TokenType;
use crate::{AccessToken, ScopeSet, Secret, jws};

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
    /// What the server calls the token it issued in exchange for another.
    pub issued_token_type: Option<String>,
    /// Whether the server said what kind of token it is, as RFC 6749 section 5.1 requires. Without a
    /// word it is taken for a bearer token.
    pub names_type: bool,
}

/// What an answer says besides the token.
#[derive(Debug, Clone, Copy, Default)]
pub struct Additions<'a> {
    /// The scope granted; RFC 6749 section 5.1 requires it when it is not what was asked for. An
    /// empty set has no spelling on the wire and is left out.
    pub scope: Option<&'a ScopeSet>,
    /// Required in the answer to a token exchange (RFC 8693 section 2.2.1), wrong in any other.
    pub issued_token_type: Option<TokenType>,
}

/// Without additions the greenlake answer: three members, in this order (domain facts, section
/// 2.2).
#[derive(Serialize)]
struct Printed<'a> {
    access_token: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    issued_token_type: Option<&'static str>,
    token_type: &'static str,
    expires_in: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    scope: Option<String>,
}

#[derive(Deserialize)]
struct Parsed {
    access_token: Option<String>,
    token_type: Option<String>,
    expires_in: Option<Value>,
    scope: Option<Value>,
    issued_token_type: Option<Value>,
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
const LONGEST_LIFETIME: u32 = 31_536_000;

impl TokenResponse {
    /// Prints the answer for a token just minted. `expires_in` is the floor of the time left at
    /// `now`, so that a client that trusts it never uses a dead token.
    pub fn print(token: &AccessToken, now: Timestamp) -> String {
        Self::print_with(token, now, Additions::default())
    }

    /// Prints the answer with more than the token.
    pub fn print_with(token: &AccessToken, now: Timestamp, additions: Additions<'_>) -> String {
        let left = token.expires_at().as_millisecond() - now.as_millisecond();
        let expires_in = u64::try_from(left / 1000).unwrap_or(0);
        print(token.expose(), expires_in, additions)
    }

    /// Reads an answer. When the server gives no `expires_in`, the token's own `exp` serves, read
    /// but not trusted: one that lies years ahead counts as none. `now` should then be the server's
    /// time, if that is known.
    pub fn parse(body: &[u8], now: Timestamp) -> Result<Self, ResponseError> {
        let parsed: Parsed = serde_json::from_slice(body).map_err(|_| ResponseError::NotJson)?;
        let token = parsed
            .access_token
            .filter(|t| !t.is_empty())
            .ok_or(ResponseError::NoToken)?;
        let names_type = parsed.token_type.is_some();
        if let Some(kind) = parsed
            .token_type
            .filter(|k| !k.eq_ignore_ascii_case("bearer"))
        {
            return Err(ResponseError::TokenType(kind));
        }
        let expires_in = match parsed.expires_in {
            Some(value) => Some(seconds(&value)?),
            None => lifetime_in(&token, now),
        };
        Ok(Self {
            access_token: Secret::from(token),
            expires_in,
            scope: parsed.scope.and_then(scope_text),
            issued_token_type: parsed
                .issued_token_type
                .and_then(|value| value.as_str().map(str::to_owned)),
            names_type,
        })
    }
}

fn print(access_token: &str, expires_in: u64, additions: Additions<'_>) -> String {
    let scope = additions.scope.filter(|scope| !scope.is_empty());
    let printed = Printed {
        access_token,
        issued_token_type: additions.issued_token_type.map(TokenType::as_str),
        token_type: "Bearer",
        expires_in,
        scope: scope.map(ScopeSet::to_string),
    };
    serde_json::to_string(&printed).unwrap_or_default()
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
        Some(number) if (0.0..=f64::from(LONGEST_LIFETIME)).contains(&number) => Ok(number as u64),
        _ => Err(ResponseError::Lifetime(
            value.to_string().chars().take(40).collect(),
        )),
    }
}

/// What is left of the token by its own word.
fn lifetime_in(token: &str, now: Timestamp) -> Option<u64> {
    let left = jws::peek_expiry(token)?.saturating_sub(now.as_second());
    Some(u64::try_from(left).unwrap_or(0)).filter(|&left| left <= u64::from(LONGEST_LIFETIME))
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
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    use proptest::prelude::*;

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
    fn without_a_lifetime_the_tokens_own_end_counts_unless_it_is_absurd() {
        let now = Timestamp::from_second(1_000).unwrap();
        let left = |claims: &str| {
            let claims = URL_SAFE_NO_PAD.encode(claims);
            let body = format!(r#"{{"access_token":"e30.{claims}.","expires_in":null}}"#);
            let read = TokenResponse::parse(body.as_bytes(), now).unwrap();
            assert!(!read.names_type);
            read.expires_in
        };
        assert_eq!(left(r#"{"exp":1600}"#), Some(600));
        assert_eq!(left(r#"{"exp":1600.5}"#), Some(600));
        assert_eq!(left(r#"{"exp":400}"#), Some(0), "it is dead already");
        for absurd in [
            r#"{"exp":253402300800}"#,
            r#"{"exp":1e300}"#,
            r#"{"exp":"soon"}"#,
            "{}",
            "[]",
        ] {
            assert_eq!(left(absurd), None, "{absurd}");
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

    #[test]
    fn the_plain_answer_has_three_members_in_the_real_systems_order() {
        let empty = ScopeSet::default();
        let additions = Additions {
            scope: Some(&empty),
            ..Additions::default()
        };
        for additions in [Additions::default(), additions] {
            assert_eq!(
                print("t", 7199, additions),
                r#"{"access_token":"t","token_type":"Bearer","expires_in":7199}"#
            );
        }
    }

    /// RFC 8693 section 2.3: the members of the example answer, in its order.
    #[test]
    fn rfc8693_2_2_1_an_exchange_names_the_issued_token_type() {
        let scope = ScopeSet::parse("a b").unwrap();
        let printed = print(
            "t",
            60,
            Additions {
                scope: Some(&scope),
                issued_token_type: Some(TokenType::AccessToken),
            },
        );
        assert_eq!(
            printed,
            r#"{"access_token":"t","issued_token_type":"urn:ietf:params:oauth:token-type:access_token","token_type":"Bearer","expires_in":60,"scope":"a b"}"#
        );
        let read = parse(&printed).unwrap();
        assert_eq!(read.scope.as_deref(), Some("a b"));
        assert_eq!(
            read.issued_token_type.as_deref(),
            Some(TokenType::AccessToken.as_str())
        );
        let strange = parse(r#"{"access_token":"t","issued_token_type":1}"#).unwrap();
        assert_eq!(strange.issued_token_type, None);
    }

    proptest! {
        #[test]
        fn any_answer_is_read_or_refused(body: Vec<u8>) {
            let _ = TokenResponse::parse(&body, Timestamp::UNIX_EPOCH);
        }

        #[test]
        fn what_is_printed_is_read_back(token in "[!-~]{1,60}", left in 0..=7200_u64) {
            let read = parse(&print(&token, left, Additions::default())).unwrap();
            prop_assert_eq!(read.access_token.expose(), &token);
            prop_assert_eq!(read.expires_in, Some(left));
        }
    }
}
