//! A named connection: where tokens come from, where the API is, and as whom.
//!
//! A profile never holds a secret, so it may be printed, copied and shared; the secret's place is
//! the `credential_source` module's business.

use std::fmt;
use std::path::{Path, PathBuf};

use hallpass_oauth::ClientId;
use hallpass_oauth::identifier::InvalidIdentifier;
use hallpass_oauth::token_request::AuthenticationMethod;

use crate::address::{AddressError, BaseUrl, TokenUrl};

/// What a connection is called on the command line. It becomes a file name as well.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProfileName(String);

impl ProfileName {
    /// Letters, digits, `-`, `_` and `.`, at most 64, starting with a letter or digit: what every
    /// file system takes and no path walks with.
    pub fn parse(text: &str) -> Result<Self, ProfileError> {
        let good = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let first = text
            .chars()
            .next()
            .is_some_and(|c| c.is_ascii_alphanumeric());
        if first && text.len() <= LONGEST_NAME && text.chars().all(good) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ProfileError::Name {
                name: text.chars().take(LONGEST_NAME).collect(),
            })
        }
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProfileName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Profile {
    name: ProfileName,
    token_url: TokenUrl,
    base_url: BaseUrl,
    client_id: ClientId,
    authentication: AuthenticationMethod,
    scope: Option<String>,
    api: Option<PathBuf>,
    ca_file: Option<PathBuf>,
}

impl Profile {
    /// A connection that authenticates in the body and asks for no scope.
    pub fn new(
        name: ProfileName,
        token_url: TokenUrl,
        base_url: BaseUrl,
        client_id: ClientId,
    ) -> Self {
        Self {
            name,
            token_url,
            base_url,
            client_id,
            authentication: AuthenticationMethod::default(),
            scope: None,
            api: None,
            ca_file: None,
        }
    }

    /// The same with another way to authenticate.
    #[must_use]
    pub fn with_authentication(mut self, method: AuthenticationMethod) -> Self {
        self.authentication = method;
        self
    }

    /// The same asking for a scope; a blank one is none.
    #[must_use]
    pub fn with_scope(mut self, scope: Option<&str>) -> Self {
        self.scope = scope
            .map(str::trim)
            .filter(|s| !s.is_empty())
            .map(str::to_owned);
        self
    }

    /// The same with the file of its API definition.
    #[must_use]
    pub fn with_api(mut self, file: Option<PathBuf>) -> Self {
        self.api = file;
        self
    }

    /// The same trusting the certificate authorities in a PEM file besides those of the system.
    #[must_use]
    pub fn with_ca_file(mut self, file: Option<PathBuf>) -> Self {
        self.ca_file = file;
        self
    }

    /// What it is called.
    pub fn name(&self) -> &ProfileName {
        &self.name
    }

    /// Where tokens are asked for.
    pub fn token_url(&self) -> &TokenUrl {
        &self.token_url
    }

    /// Where the API is.
    pub fn base_url(&self) -> &BaseUrl {
        &self.base_url
    }

    /// As whom.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// How the client says who it is.
    pub fn authentication(&self) -> AuthenticationMethod {
        self.authentication
    }

    /// The scope asked for.
    pub fn scope(&self) -> Option<&str> {
        self.scope.as_deref()
    }

    /// The file of the API definition.
    pub fn api(&self) -> Option<&Path> {
        self.api.as_deref()
    }

    /// Further certificate authorities.
    pub fn ca_file(&self) -> Option<&Path> {
        self.ca_file.as_deref()
    }
}

/// The word for a method in the profile file, in the environment and on the command line.
pub fn authentication_word(method: AuthenticationMethod) -> &'static str {
    match method {
        AuthenticationMethod::Body => "body",
        AuthenticationMethod::Basic => "basic",
    }
}

/// Reads the word.
pub fn parse_authentication(word: &str) -> Result<AuthenticationMethod, ProfileError> {
    match word {
        "body" => Ok(AuthenticationMethod::Body),
        "basic" => Ok(AuthenticationMethod::Basic),
        other => Err(ProfileError::Authentication {
            word: other.chars().take(32).collect(),
        }),
    }
}

/// Why there is no such profile. The caller's fault, except for `File`.
#[derive(Debug, thiserror::Error)]
pub enum ProfileError {
    /// Not a name.
    #[error("`{name}` cannot be the name of a profile")]
    Name {
        /// What was given.
        name: String,
    },
    /// One of the addresses.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The client id.
    #[error(transparent)]
    ClientId(#[from] InvalidIdentifier),
    /// Not a way to authenticate.
    #[error("`{word}` is no way to authenticate")]
    Authentication {
        /// What was given.
        word: String,
    },
    /// It is there already.
    #[error("a profile `{name}` exists already")]
    Exists {
        /// Its name.
        name: String,
    },
    /// It is not there.
    #[error("there is no profile `{name}`{}", Known(known))]
    Unknown {
        /// The name asked for.
        name: String,
        /// The names there are.
        known: Vec<String>,
    },
    /// No name was given and none is current.
    #[error("no profile is chosen{}", Known(known))]
    NoneChosen {
        /// The names there are.
        known: Vec<String>,
    },
    /// The file's text is wrong.
    #[error("{}, line {line}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where in it, from 1.
        line: usize,
        /// What is wrong; never the line itself, which might hold a misplaced secret.
        message: String,
    },
    /// One profile in the file is wrong.
    #[error("{}, profile `{name}`", path.display())]
    Entry {
        /// The file.
        path: PathBuf,
        /// Which profile.
        name: String,
        /// What is wrong with it.
        source: Box<ProfileError>,
    },
    /// The file cannot be read or written.
    #[error("cannot {action} {}", path.display())]
    File {
        /// `read`, `write` or `lock`.
        action: &'static str,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The environment names a part of a profile only.
    #[error("{missing} is not set, although other HALLPASS_ variables name a connection")]
    Missing {
        /// The variable.
        missing: &'static str,
    },
    /// Two variables for one thing.
    #[error("both HALLPASS_CLIENT_SECRET and HALLPASS_CLIENT_SECRET_FILE are set")]
    TwoSecrets,
    /// A file of certificate authorities that is none.
    #[error("{} holds no usable certificate: {reason}", path.display())]
    CaFile {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
}

impl ProfileError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Name { .. } => {
                "use letters, digits, `-`, `_` and `.`, starting with a letter or digit"
            }
            Self::Address(error) => error.hint(),
            Self::ClientId(_) => "copy the client id from the console",
            Self::Authentication { .. } => "use `body` or `basic`",
            Self::Exists { .. } => "choose another name, or replace the profile with --replace",
            Self::Unknown { known, .. } | Self::NoneChosen { known } if known.is_empty() => {
                "add one with `hallpass profile add`"
            }
            Self::Unknown { .. } => "`hallpass profile list` shows them",
            Self::NoneChosen { .. } => "`hallpass profile use NAME` chooses one",
            Self::Syntax { .. } => "correct the line; secrets have no place in this file",
            Self::Entry { source, .. } => return source.hint(),
            Self::Missing { .. } => {
                "a connection in the environment needs HALLPASS_TOKEN_URL, HALLPASS_BASE_URL, \
                 HALLPASS_CLIENT_ID and a secret"
            }
            Self::TwoSecrets => "unset one of them",
            Self::CaFile { .. } => "the file has to hold certificates in PEM form",
            Self::File { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

/// Longest profile name, in bytes: well below what any file system takes.
const LONGEST_NAME: usize = 64;

/// Prints the names there are, or nothing.
struct Known<'a>(&'a [String]);

impl fmt::Display for Known<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            Ok(())
        } else {
            write!(f, "; there is {}", self.0.join(", "))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_safe_file_names() {
        for name in ["us1", "eu-1_test.x", "7", &"a".repeat(64)] {
            assert_eq!(ProfileName::parse(name).unwrap().as_str(), name);
        }
        for name in [
            "",
            ".",
            "..",
            ".hidden",
            "-p",
            "a/b",
            "a b",
            "ä",
            "a\0",
            &"a".repeat(65),
        ] {
            assert!(ProfileName::parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn words_for_methods_are_read_back() {
        for method in [AuthenticationMethod::Body, AuthenticationMethod::Basic] {
            assert_eq!(
                parse_authentication(authentication_word(method)).unwrap(),
                method
            );
        }
        let error = parse_authentication("Basic").unwrap_err();
        assert!(error.hint().unwrap().contains("`basic`"));
    }
}
