//! Why there is no access token, in words for the person whose credential it is.
//!
//! Cloneable: callers that waited for one token request are all told why it failed.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use crate::credential_source::CredentialError;
use crate::error::Kind;
use crate::transport::TransportError;

/// Why there is no access token.
#[derive(Debug, Clone, thiserror::Error)]
pub enum TokenFailure {
    /// There is no secret to ask with.
    #[error(transparent)]
    Credential(#[from] CredentialError),
    /// The connection to the token endpoint cannot be set up.
    #[error("{reason}")]
    Setup {
        /// What is wrong.
        reason: String,
    },
    /// The token endpoint said no, in the words of RFC 6749 section 5.2.
    #[error(
        "the token endpoint refused: {code}{} (HTTP {status})",
        Described(description)
    )]
    Refused {
        /// The status.
        status: u16,
        /// `invalid_client`, …
        code: String,
        /// What it said besides.
        description: String,
    },
    /// It wanted to send the secret somewhere else.
    #[error("the token endpoint redirects to {to} (HTTP {status}); a secret is not sent after it")]
    Redirected {
        /// The status.
        status: u16,
        /// Where to, without path and query.
        to: String,
    },
    /// The answer is no token answer.
    #[error(
        "the token endpoint answered HTTP {status} with {content_type}{}",
        Described(excerpt)
    )]
    Unexpected {
        /// The status.
        status: u16,
        /// The content type, or `no content type`.
        content_type: String,
        /// How the text begins; empty when it may hold a token.
        excerpt: String,
    },
    /// A good status, but no usable token.
    #[error("{reason} (HTTP {status}, {content_type})")]
    Unusable {
        /// The status.
        status: u16,
        /// The content type, or `no content type`.
        content_type: String,
        /// What is wrong.
        reason: String,
    },
    /// More than any token answer has.
    #[error("the token endpoint's answer is larger than {limit} bytes")]
    TooLarge {
        /// The limit.
        limit: u64,
    },
    /// There is no key to sign with.
    #[error("cannot sign with the key in {}: {reason}", path.display())]
    PrivateKey {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
    /// It asks for patience, more than there is.
    #[error("the token endpoint is busy (HTTP {status}){}", Later(retry_after))]
    Busy {
        /// 429 or 503.
        status: u16,
        /// How long it wants to be left alone.
        retry_after: Option<Duration>,
    },
    /// No answer.
    #[error("no answer from the token endpoint")]
    Transport(#[from] TransportError),
}

impl TokenFailure {
    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Transport(error) => error.kind(),
            Self::Setup { .. } | Self::PrivateKey { .. } => Kind::Usage,
            _ => Kind::Authentication,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Credential(error) => return error.hint(),
            Self::Transport(error) => error.hint(),
            Self::Setup { .. } => {
                "check the profile's proxy and its files of certificates: those have to be PEM"
            }
            Self::PrivateKey { .. } => {
                "the file has to hold one private key in PEM form, without a passphrase"
            }
            Self::Refused { code, .. } => refusal_hint(code)?,
            Self::Redirected { .. } | Self::Unexpected { .. } | Self::TooLarge { .. } => {
                "check the token URL: this does not look like a token endpoint"
            }
            Self::Unusable { .. } => "the server does not issue plain bearer tokens",
            Self::Busy { .. } => "too many token requests; try again later",
        };
        Some(hint.to_owned())
    }
}

fn refusal_hint(code: &str) -> Option<&'static str> {
    match code {
        "invalid_client" => Some(
            "check client id and secret; was the secret reset, or the credential deleted? A \
             credential belongs to one region",
        ),
        "invalid_request" => Some("check the token URL and the way to authenticate"),
        "invalid_scope" => Some("check the profile's scope"),
        "unauthorized_client" | "unsupported_grant_type" => {
            Some("the server does not let this client use the client-credentials grant")
        }
        "temporarily_unavailable" => Some("try again later"),
        _ => None,
    }
}

/// `: text`, or nothing.
struct Described<'a>(&'a str);

impl fmt::Display for Described<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, ": {}", self.0)
        }
    }
}

/// `; it wants …`, or nothing.
struct Later<'a>(&'a Option<Duration>);

impl fmt::Display for Later<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(wait) => write!(f, "; it asks to wait {} s", wait.as_secs()),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn refusals_speak_in_words_and_say_what_to_do() {
        let refused = TokenFailure::Refused {
            status: 401,
            code: "invalid_client".to_owned(),
            description: "Invalid client.".to_owned(),
        };
        assert_eq!(
            refused.to_string(),
            "the token endpoint refused: invalid_client: Invalid client. (HTTP 401)"
        );
        assert!(refused.hint().unwrap().contains("reset"));
        assert_eq!(refused.kind(), Kind::Authentication);
        let busy = TokenFailure::Busy {
            status: 429,
            retry_after: Some(Duration::from_secs(90)),
        };
        assert!(busy.to_string().ends_with("wait 90 s"));
    }
}
