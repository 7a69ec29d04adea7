//! The error answer of the token endpoint (RFC 6749 section 5.2), printed and parsed; revocation
//! (RFC 7009 section 2.2.1), introspection (RFC 7662 section 2.3) and token exchange (RFC 8693
//! section 2.2.2) answer in the same form.

use serde::{Deserialize, Serialize};

use crate::token_request::GrantType;

/// Why no token was issued, in the words of RFC 6749 section 5.2 and its extensions;
/// `temporarily_unavailable` is borrowed from its section 4.1.2.1, since 5.2 has no word for the
/// server's own trouble.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {description}", self.code())]
pub struct TokenError {
    kind: Kind,
    description: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    InvalidRequest,
    InvalidClient { with_header: bool },
    UnauthorizedClient,
    UnsupportedGrantType,
    InvalidScope,
    InvalidTarget,
    TooManyRequests { retry_after: u64 },
    Unavailable { retry_after: Option<u64> },
    Other(String),
}

/// How error bodies are written; statuses and codes are the same in both. A setting of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wording {
    /// `error_description` comes first, as the real server writes it (domain facts, section 2.5).
    #[default]
    PingFederate,
    /// `error` comes first, as in the examples of RFC 6749 section 5.2.
    Rfc6749,
}

#[derive(Serialize)]
struct PingFederateBody<'a> {
    error_description: &'a str,
    error: &'a str,
}

#[derive(Serialize)]
struct RfcBody<'a> {
    error: &'a str,
    error_description: &'a str,
}

#[derive(Deserialize)]
struct ParsedBody {
    error: String,
    error_description: Option<String>,
}

impl TokenError {
    /// The request is malformed: a parameter is missing, repeated or not form-encoded.
    pub fn invalid_request(description: impl Into<String>) -> Self {
        Self {
            kind: Kind::InvalidRequest,
            description: printable(&description.into()),
        }
    }

    /// Client authentication failed. Unknown client, wrong secret and disabled client all sound
    /// like this, so that nobody can probe for client ids. `with_header` says whether the client
    /// used the `Authorization` header, which then asks for a challenge.
    pub fn invalid_client(with_header: bool) -> Self {
        Self {
            kind: Kind::InvalidClient { with_header },
            description: "Invalid client or client credentials.".to_owned(),
        }
    }

    /// The client may not use this grant or this endpoint.
    pub fn unauthorized_client(description: impl Into<String>) -> Self {
        Self {
            kind: Kind::UnauthorizedClient,
            description: printable(&description.into()),
        }
    }

    /// The server does not know the grant.
    pub fn unsupported_grant_type() -> Self {
        Self {
            kind: Kind::UnsupportedGrantType,
            description: format!(
                "the server supports {} and {}",
                GrantType::CLIENT_CREDENTIALS,
                GrantType::TOKEN_EXCHANGE
            ),
        }
    }

    /// The scope asked for is malformed, unknown or more than the client may have.
    pub fn invalid_scope(description: impl Into<String>) -> Self {
        Self {
            kind: Kind::InvalidScope,
            description: printable(&description.into()),
        }
    }

    /// The server will not issue a token for the target asked for (RFC 8693 section 2.2.2).
    pub fn invalid_target(description: impl Into<String>) -> Self {
        Self {
            kind: Kind::InvalidTarget,
            description: printable(&description.into()),
        }
    }

    /// The caller asked more often than it may. RFC 6749 has no word for it either, so the code is
    /// that of [`Self::unavailable`]; the status tells the two apart.
    pub fn too_many_requests(retry_after_seconds: u64) -> Self {
        Self {
            kind: Kind::TooManyRequests {
                retry_after: retry_after_seconds,
            },
            description: "too many requests, try again later".to_owned(),
        }
    }

    /// The server has more to do than it can, and says so at once.
    pub fn overloaded() -> Self {
        Self {
            kind: Kind::Unavailable {
                retry_after: Some(1),
            },
            description: "the server has too much to do at the moment, try again".to_owned(),
        }
    }

    /// The server cannot answer at the moment. Never `invalid_client`: a client would throw a good
    /// credential away.
    pub fn unavailable() -> Self {
        Self {
            kind: Kind::Unavailable {
                retry_after: Some(1),
            },
            description: "the server cannot issue tokens at the moment, try again".to_owned(),
        }
    }

    /// The code of the `error` member.
    pub fn code(&self) -> &str {
        match &self.kind {
            Kind::InvalidRequest => "invalid_request",
            Kind::InvalidClient { .. } => "invalid_client",
            Kind::UnauthorizedClient => "unauthorized_client",
            Kind::UnsupportedGrantType => "unsupported_grant_type",
            Kind::InvalidScope => "invalid_scope",
            Kind::InvalidTarget => "invalid_target",
            Kind::TooManyRequests { .. } | Kind::Unavailable { .. } => "temporarily_unavailable",
            Kind::Other(code) => code,
        }
    }

    /// What the caller is told besides the code.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The HTTP status: 401 for failed client authentication, 429 for too many requests (RFC 6585
    /// section 4), 503 when it is the server's fault.
    pub fn status(&self) -> u16 {
        match self.kind {
            Kind::InvalidClient { .. } => 401,
            Kind::TooManyRequests { .. } => 429,
            Kind::Unavailable { .. } => 503,
            _ => 400,
        }
    }

    /// The seconds of the `Retry-After` header (RFC 9110 section 10.2.3). An error that was read
    /// from a body has none: there the header itself counts.
    pub fn retry_after(&self) -> Option<u64> {
        match self.kind {
            Kind::TooManyRequests { retry_after } => Some(retry_after),
            Kind::Unavailable { retry_after } => retry_after,
            _ => None,
        }
    }

    /// The `WWW-Authenticate` value that goes with the answer (RFC 6749 section 5.2).
    pub fn challenge(&self) -> Option<&'static str> {
        match self.kind {
            Kind::InvalidClient { with_header: true } => Some("Basic realm=\"token\""),
            _ => None,
        }
    }

    /// The JSON body in the default wording.
    pub fn to_json(&self) -> String {
        self.to_json_in(Wording::default())
    }

    /// The JSON body.
    pub fn to_json_in(&self, wording: Wording) -> String {
        let (error, error_description) = (self.code(), self.description());
        match wording {
            Wording::PingFederate => serde_json::to_string(&PingFederateBody {
                error_description,
                error,
            }),
            Wording::Rfc6749 => serde_json::to_string(&RfcBody {
                error,
                error_description,
            }),
        }
        .unwrap_or_default()
    }

    /// Reads an error body, whatever its status was; `None` when it is none.
    pub fn from_json(body: &[u8]) -> Option<Self> {
        let body: ParsedBody = serde_json::from_slice(body).ok()?;
        let kind = match body.error.as_str() {
            "invalid_request" => Kind::InvalidRequest,
            "invalid_client" => Kind::InvalidClient { with_header: false },
            "unauthorized_client" => Kind::UnauthorizedClient,
            "unsupported_grant_type" => Kind::UnsupportedGrantType,
            "invalid_scope" => Kind::InvalidScope,
            "invalid_target" => Kind::InvalidTarget,
            "temporarily_unavailable" => Kind::Unavailable { retry_after: None },
            other => Kind::Other(other.to_owned()),
        };
        Some(Self {
            kind,
            description: body.error_description.unwrap_or_default(),
        })
    }

    /// Whether the client's id or secret was refused.
    pub fn is_invalid_client(&self) -> bool {
        matches!(self.kind, Kind::InvalidClient { .. })
    }
}

/// Descriptions repeat words of the request; `error_description` may hold printable ASCII only,
/// without quotes and backslashes (RFC 6749 section 5.2).
fn printable(description: &str) -> String {
    let allowed = |c: char| match c {
        '"' | '\\' => '\'',
        ' '..='~' => c,
        _ => '?',
    };
    description.chars().map(allowed).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn words_of_the_request_are_repeated_in_the_characters_that_are_allowed() {
        let error = TokenError::invalid_request("the parameter `x\"\\é\n` comes twice");
        assert_eq!(error.description(), "the parameter `x''??` comes twice");
    }

    #[test]
    fn the_failed_client_gets_the_real_systems_body_and_a_challenge_only_for_the_header() {
        let error = TokenError::invalid_client(false);
        assert_eq!(
            error.to_json(),
            r#"{"error_description":"Invalid client or client credentials.","error":"invalid_client"}"#
        );
        assert_eq!((error.status(), error.challenge()), (401, None));
        assert!(
            TokenError::invalid_client(true)
                .challenge()
                .unwrap()
                .starts_with("Basic ")
        );
    }

    /// RFC 6749 section 5.2: the example error, which has no description.
    #[test]
    fn errors_are_read_back_and_unknown_codes_survive() {
        let error = TokenError::from_json(br#"{"error":"invalid_request"}"#).unwrap();
        assert_eq!(error.code(), "invalid_request");
        let error = TokenError::from_json(br#"{"error":"use_dpop_nonce","x":1}"#).unwrap();
        assert_eq!((error.code(), error.status()), ("use_dpop_nonce", 400));
        assert!(TokenError::from_json(b"<html>").is_none());
        assert_eq!(TokenError::unavailable().status(), 503);
    }

    #[test]
    fn rfc6749_5_2_each_kind_has_its_code_and_status_in_both_wordings() {
        for (error, code, status, retry_after) in [
            (
                TokenError::invalid_request("x"),
                "invalid_request",
                400,
                None,
            ),
            (
                TokenError::invalid_client(false),
                "invalid_client",
                401,
                None,
            ),
            (
                TokenError::unauthorized_client("x"),
                "unauthorized_client",
                400,
                None,
            ),
            (
                TokenError::unsupported_grant_type(),
                "unsupported_grant_type",
                400,
                None,
            ),
            (TokenError::invalid_scope("x"), "invalid_scope", 400, None),
            (TokenError::invalid_target("x"), "invalid_target", 400, None),
            (
                TokenError::too_many_requests(7),
                "temporarily_unavailable",
                429,
                Some(7),
            ),
            (
                TokenError::overloaded(),
                "temporarily_unavailable",
                503,
                Some(1),
            ),
            (
                TokenError::unavailable(),
                "temporarily_unavailable",
                503,
                Some(1),
            ),
        ] {
            assert_eq!((error.code(), error.status()), (code, status));
            assert_eq!(error.retry_after(), retry_after, "{error}");
            let description = error.description();
            assert_eq!(
                error.to_json_in(Wording::Rfc6749),
                format!(r#"{{"error":"{code}","error_description":"{description}"}}"#)
            );
            assert_eq!(
                error.to_json_in(Wording::PingFederate),
                format!(r#"{{"error_description":"{description}","error":"{code}"}}"#)
            );
            let read = TokenError::from_json(error.to_json().as_bytes()).unwrap();
            assert_eq!((read.code(), read.description()), (code, description));
        }
    }

    #[test]
    fn the_unsupported_grant_is_told_both_that_are() {
        let error = TokenError::unsupported_grant_type();
        assert_eq!(
            error.description(),
            "the server supports client_credentials and \
             urn:ietf:params:oauth:grant-type:token-exchange"
        );
    }

    proptest! {
        #[test]
        fn rfc6749_5_2_descriptions_hold_only_the_allowed_characters(words in ".{0,100}") {
            let error = TokenError::invalid_scope(words);
            prop_assert!(error.description().bytes()
                .all(|b| matches!(b, 0x20..=0x21 | 0x23..=0x5b | 0x5d..=0x7e)));
            let read = TokenError::from_json(error.to_json().as_bytes()).unwrap();
            prop_assert_eq!(read, error);
        }

        #[test]
        fn no_body_makes_the_reader_panic(body: Vec<u8>) {
            let _ = TokenError::from_json(&body);
        }
    }
}
