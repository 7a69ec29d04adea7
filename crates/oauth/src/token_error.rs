//! The error answer of the token endpoint (RFC 6749 section 5.2), printed and parsed.

use serde::{Deserialize, Serialize};

/// Why no token was issued, in the words of RFC 6749 section 5.2; `temporarily_unavailable` is
/// borrowed from its section 4.1.2.1, since 5.2 has no word for the server's own trouble.
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
    Unavailable,
    Other(String),
}

/// The body on the wire. `error_description` comes first, as the real server writes it (domain
/// facts, section 2.5).
#[derive(Serialize, Deserialize)]
struct Body {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    error_description: Option<String>,
    error: String,
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
            description: "the server supports client_credentials".to_owned(),
        }
    }

    /// The server cannot answer at the moment. Never `invalid_client`: a client would throw a good
    /// credential away.
    pub fn unavailable() -> Self {
        Self {
            kind: Kind::Unavailable,
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
            Kind::Unavailable => "temporarily_unavailable",
            Kind::Other(code) => code,
        }
    }

    /// What the caller is told besides the code.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// The HTTP status: 401 for failed client authentication, 503 when it is the server's fault.
    pub fn status(&self) -> u16 {
        match self.kind {
            Kind::InvalidClient { .. } => 401,
            Kind::Unavailable => 503,
            _ => 400,
        }
    }

    /// The `WWW-Authenticate` value that goes with the answer (RFC 6749 section 5.2).
    pub fn challenge(&self) -> Option<&'static str> {
        match self.kind {
            Kind::InvalidClient { with_header: true } => Some("Basic realm=\"token\""),
            _ => None,
        }
    }

    /// The JSON body.
    pub fn to_json(&self) -> String {
        let body = Body {
            error_description: Some(self.description.clone()),
            error: self.code().to_owned(),
        };
        serde_json::to_string(&body).unwrap_or_default()
    }

    /// Reads an error body, whatever its status was; `None` when it is none.
    pub fn from_json(body: &[u8]) -> Option<Self> {
        let body: Body = serde_json::from_slice(body).ok()?;
        let kind = match body.error.as_str() {
            "invalid_request" => Kind::InvalidRequest,
            "invalid_client" => Kind::InvalidClient { with_header: false },
            "unauthorized_client" => Kind::UnauthorizedClient,
            "unsupported_grant_type" => Kind::UnsupportedGrantType,
            "temporarily_unavailable" => Kind::Unavailable,
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
        let error = TokenError::from_json(br#"{"error":"invalid_target","x":1}"#).unwrap();
        assert_eq!((error.code(), error.status()), ("invalid_target", 400));
        assert!(TokenError::from_json(b"<html>").is_none());
        assert_eq!(TokenError::unavailable().status(), 503);
    }
}
