//! Bearer tokens on the wire (RFC 6750): read from the `Authorization` header, and the challenge
//! that goes with a refusal.

use std::fmt;

use aws_lc_rs::digest;

use crate::Secret;
use crate::verify::TokenRefusal;

/// A token as it came with a request. Nothing about it is known yet.
#[derive(Debug)]
pub struct PresentedToken(Secret);

/// Why a request has no token that could be looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BearerError {
    /// No `Authorization` header.
    #[error("the request has no Authorization header")]
    Missing,
    /// Two of them: a proxy and this server could believe different ones.
    #[error("the request has more than one Authorization header")]
    Repeated,
    /// Another way to authenticate than a bearer token.
    #[error("the Authorization header is of another scheme than Bearer")]
    OtherScheme,
    /// Nothing usable behind `Bearer`.
    #[error("the Authorization header is not of the form `Bearer <token>`")]
    NotBearer,
}

impl PresentedToken {
    /// Reads the token (RFC 6750 section 2.1). The scheme is compared without case (RFC 9110
    /// section 11.1). Tokens in the query or the body are not looked for: they end up in logs.
    pub fn read<'a>(headers: impl IntoIterator<Item = &'a [u8]>) -> Result<Self, BearerError> {
        let mut headers = headers.into_iter();
        let header = headers.next().ok_or(BearerError::Missing)?;
        if headers.next().is_some() {
            return Err(BearerError::Repeated);
        }
        let text = std::str::from_utf8(header).map_err(|_| BearerError::NotBearer)?;
        let (scheme, token) = text.split_once(' ').unwrap_or((text, ""));
        if !scheme.eq_ignore_ascii_case("bearer") {
            return Err(BearerError::OtherScheme);
        }
        let token = token.trim_matches(' ');
        if token.is_empty() || token.contains(' ') {
            return Err(BearerError::NotBearer);
        }
        Ok(Self(Secret::from(token.to_owned())))
    }

    /// The token's text.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// SHA-256 of the text: what a cache of verified tokens goes by, so that it holds no token.
    pub fn fingerprint(&self) -> [u8; 32] {
        let hash = digest::digest(&digest::SHA256, self.expose().as_bytes());
        let mut fingerprint = [0; 32];
        fingerprint.copy_from_slice(hash.as_ref());
        fingerprint
    }
}

/// The `WWW-Authenticate` value of a refusal (RFC 6750 section 3).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Challenge {
    /// No credentials came, so no error is named (RFC 6750 section 3.1, last paragraph).
    Missing,
    /// The request itself is wrong.
    InvalidRequest(&'static str),
    /// The token is no good.
    InvalidToken(TokenRefusal),
    /// The token is good and its owner may not do this; the scope says what it takes.
    InsufficientScope(String),
    /// The token is good, and no token does this, whatever its owner may do. So no scope is named
    /// (RFC 6750 section 3.1 leaves it out freely).
    NotByToken,
}

impl Challenge {
    /// The HTTP status that goes with it (RFC 6750 section 3.1).
    pub fn status(&self) -> u16 {
        match self {
            Self::Missing | Self::InvalidToken(_) => 401,
            Self::InvalidRequest(_) => 400,
            Self::InsufficientScope(_) | Self::NotByToken => 403,
        }
    }

    /// The words for the body of the answer.
    pub fn description(&self) -> String {
        match self {
            Self::Missing => {
                "the request needs an access token: Authorization: Bearer <token>".to_owned()
            }
            Self::InvalidRequest(what) => (*what).to_owned(),
            Self::InvalidToken(refusal) => refusal.description().to_owned(),
            Self::InsufficientScope(scope) => {
                format!("the credential's owner lacks the permission {scope}")
            }
            Self::NotByToken => "no access token does this, whatever its owner may do".to_owned(),
        }
    }
}

impl From<BearerError> for Challenge {
    fn from(error: BearerError) -> Self {
        match error {
            // RFC 6750 section 3.1: who tried another method is told of this one, without an error.
            BearerError::Missing | BearerError::OtherScheme => Self::Missing,
            BearerError::Repeated => {
                Self::InvalidRequest("the request has more than one Authorization header")
            }
            BearerError::NotBearer => Self::InvalidToken(TokenRefusal::Malformed(
                "it is not of the form Bearer <token>",
            )),
        }
    }
}

impl fmt::Display for Challenge {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("Bearer realm=\"api\""),
            Self::InvalidRequest(what) => {
                write!(
                    f,
                    "Bearer realm=\"api\", error=\"invalid_request\", error_description=\"{what}\""
                )
            }
            Self::InvalidToken(refusal) => write!(
                f,
                "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"{}\"",
                refusal.description()
            ),
            Self::InsufficientScope(scope) => {
                write!(
                    f,
                    "Bearer realm=\"api\", error=\"insufficient_scope\", scope=\"{scope}\""
                )
            }
            Self::NotByToken => f.write_str("Bearer realm=\"api\", error=\"insufficient_scope\""),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(header: &str) -> Result<String, BearerError> {
        PresentedToken::read([header.as_bytes()]).map(|token| token.expose().to_owned())
    }

    /// RFC 6750 section 2.1: the example request.
    #[test]
    fn the_rfc_example_is_read_in_any_case() {
        for header in [
            "Bearer mF_9.B5f-4.1JqM",
            "bearer mF_9.B5f-4.1JqM",
            "BEARER  mF_9.B5f-4.1JqM",
        ] {
            assert_eq!(read(header).as_deref(), Ok("mF_9.B5f-4.1JqM"), "{header}");
        }
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(PresentedToken::read([]).unwrap_err(), BearerError::Missing);
        let twice = PresentedToken::read([&b"Bearer a"[..], &b"Bearer b"[..]]);
        assert_eq!(twice.unwrap_err(), BearerError::Repeated);
        for header in ["Bearer", "Bearer ", "Bearer a b"] {
            assert_eq!(read(header), Err(BearerError::NotBearer), "{header}");
        }
        for header in ["Basic YTpi", "mF_9"] {
            assert_eq!(read(header), Err(BearerError::OtherScheme), "{header}");
        }
    }

    /// RFC 6750 section 3: the example challenges, for a request without and with a token.
    #[test]
    fn challenges_name_an_error_only_when_a_token_came() {
        assert_eq!(Challenge::Missing.to_string(), "Bearer realm=\"api\"");
        let expired = Challenge::InvalidToken(TokenRefusal::Expired);
        assert_eq!(
            expired.to_string(),
            "Bearer realm=\"api\", error=\"invalid_token\", error_description=\"the access token expired\""
        );
        assert_eq!((expired.status(), Challenge::Missing.status()), (401, 401));
        let denied = Challenge::InsufficientScope("volume.create".to_owned());
        assert_eq!(denied.status(), 403);
        assert!(denied.to_string().ends_with("scope=\"volume.create\""));
        let never = Challenge::NotByToken;
        assert_eq!(never.status(), 403);
        assert!(never.to_string().ends_with("error=\"insufficient_scope\""));
    }
}
