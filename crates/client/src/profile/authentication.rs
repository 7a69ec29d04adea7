//! How a client says who it is at the token endpoint (RFC 6749 section 2.3, RFC 7523 section 2.2).

use std::path::{Path, PathBuf};

use hallpass_oauth::token_request::AuthenticationMethod;

use super::ProfileError;

/// How a client says who it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Authentication {
    /// Client id and secret in the body (`client_secret_post`).
    #[default]
    Body,
    /// The `Authorization: Basic` header, both parts form-encoded first, as the standard wants it.
    Basic,
    /// The same with both parts as they are, for servers that do not decode them.
    BasicUnencoded,
    /// An assertion signed with a private key of the client's (`private_key_jwt`).
    PrivateKeyJwt(PrivateKey),
}

/// The private key of a client: a PEM file, opened only when a token has to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PrivateKey {
    file: PathBuf,
    id: Option<String>,
}

impl PrivateKey {
    /// A key in a file; with an id when the server knows several keys of the client.
    pub fn new(file: PathBuf, id: Option<&str>) -> Self {
        Self {
            file,
            id: super::filled(id),
        }
    }

    /// The PEM file.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// What the server calls the key (`kid`).
    pub fn id(&self) -> Option<&str> {
        self.id.as_deref()
    }
}

impl Authentication {
    /// The word in the profile file, in the environment and on the command line.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Body => BODY,
            Self::Basic | Self::BasicUnencoded => BASIC,
            Self::PrivateKeyJwt(_) => PRIVATE_KEY_JWT,
        }
    }

    /// Whether a client secret is what it authenticates with.
    pub fn needs_secret(&self) -> bool {
        !matches!(self, Self::PrivateKeyJwt(_))
    }

    /// The private key it signs with.
    pub fn private_key(&self) -> Option<&PrivateKey> {
        match self {
            Self::PrivateKeyJwt(key) => Some(key),
            Self::Body | Self::Basic | Self::BasicUnencoded => None,
        }
    }

    /// Puts together what was written. A setting that the method has no use for is refused: whoever
    /// wrote it expects something else to happen.
    pub(super) fn read(
        word: Option<&str>,
        unencoded: bool,
        key: Option<PathBuf>,
        key_id: Option<&str>,
    ) -> Result<Self, ProfileError> {
        let word = word.unwrap_or(if key.is_some() { PRIVATE_KEY_JWT } else { BODY });
        let surplus = |setting| ProfileError::Surplus {
            setting,
            wants: if setting == "unencoded" {
                BASIC
            } else {
                PRIVATE_KEY_JWT
            },
        };
        if word != PRIVATE_KEY_JWT {
            match (&key, key_id) {
                (Some(_), _) => return Err(surplus("private_key")),
                (None, Some(_)) => return Err(surplus("key_id")),
                (None, None) => {}
            }
        }
        if unencoded && word != BASIC {
            return Err(surplus("unencoded"));
        }
        match word {
            BODY => Ok(Self::Body),
            BASIC if unencoded => Ok(Self::BasicUnencoded),
            BASIC => Ok(Self::Basic),
            PRIVATE_KEY_JWT => match key {
                Some(file) => Ok(Self::PrivateKeyJwt(PrivateKey::new(file, key_id))),
                None => Err(ProfileError::NeedsToo {
                    setting: "authentication = \"private_key_jwt\"",
                    other: "private_key",
                }),
            },
            other => Err(ProfileError::Authentication {
                word: other.chars().take(32).collect(),
            }),
        }
    }
}

impl From<AuthenticationMethod> for Authentication {
    fn from(method: AuthenticationMethod) -> Self {
        match method {
            AuthenticationMethod::Body => Self::Body,
            AuthenticationMethod::Basic => Self::Basic,
        }
    }
}

/// The words of all methods, in the order in which help names them.
pub const AUTHENTICATION_WORDS: [&str; 3] = [BODY, BASIC, PRIVATE_KEY_JWT];

const BODY: &str = "body";
const BASIC: &str = "basic";
const PRIVATE_KEY_JWT: &str = "private_key_jwt";

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> PathBuf {
        "/tmp/key.pem".into()
    }

    #[test]
    fn words_for_methods_are_read_back() {
        let all = [
            (Authentication::Body, false, None),
            (Authentication::Basic, false, None),
            (Authentication::BasicUnencoded, true, None),
            (
                Authentication::PrivateKeyJwt(PrivateKey::new("/tmp/key.pem".into(), None)),
                false,
                Some(key()),
            ),
        ];
        for (method, unencoded, key) in all {
            let read = Authentication::read(Some(method.word()), unencoded, key, None);
            assert_eq!(read.unwrap(), method);
        }
        let error = Authentication::read(Some("Basic"), false, None, None).unwrap_err();
        assert!(error.hint().unwrap().contains("`basic`"));
    }

    #[test]
    fn a_key_alone_says_how_it_is_used() {
        let read = Authentication::read(None, false, Some(key()), Some("k1")).unwrap();
        assert_eq!(read.private_key().unwrap().id(), Some("k1"));
        assert!(!read.needs_secret());
    }

    #[test]
    fn settings_that_do_not_belong_together_are_refused() {
        for (word, unencoded, file, id) in [
            (Some("body"), true, None, None),
            (Some("basic"), false, Some(key()), None),
            (None, false, None, Some("k1")),
            (Some("private_key_jwt"), true, Some(key()), None),
            (Some("private_key_jwt"), false, None, None),
        ] {
            let read = Authentication::read(word, unencoded, file, id);
            assert!(read.is_err(), "{word:?} {unencoded} {id:?}");
        }
    }
}
