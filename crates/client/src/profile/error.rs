//! Why there is no such profile, in words for the person who wrote it.

use std::fmt;
use std::path::PathBuf;

use hallpass_oauth::identifier::InvalidIdentifier;

use crate::address::AddressError;
use crate::region::RegionError;

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
    /// No region.
    #[error(transparent)]
    Region(#[from] RegionError),
    /// Something without which there is no connection.
    #[error("there is no {setting}")]
    Lacks {
        /// The setting.
        setting: &'static str,
    },
    /// A setting that does nothing without another one.
    #[error("{setting} needs {other} as well")]
    NeedsToo {
        /// What is there.
        setting: &'static str,
        /// What is not.
        other: &'static str,
    },
    /// A setting for another way to authenticate.
    #[error("{setting} is for authentication = \"{wants}\"")]
    Surplus {
        /// What is there.
        setting: &'static str,
        /// What it belongs to.
        wants: &'static str,
    },
    /// A region is one address, and here is another.
    #[error("there are two addresses of the API: that of the region, and {base_url}")]
    TwoPlaces {
        /// The other one.
        base_url: String,
    },
    /// A token URL beside which no workspace has an endpoint.
    #[error("the token URL {token_url} is not that of the workspace")]
    Workspace {
        /// The token URL.
        token_url: String,
    },
    /// Not one place of a secret.
    #[error("`secret` does not name one place")]
    SecretPlace,
    /// A secret, or what looks like one, in a file that is for everything else.
    #[error("{}, line {line}: `{key}` has no place in a file of profiles", path.display())]
    SecretInFile {
        /// The file.
        path: PathBuf,
        /// Where in it, from 1.
        line: usize,
        /// The name of the setting; never its value.
        key: String,
    },
    /// Not for a file that others write as well.
    #[error("{setting} is not taken from a file that is shared")]
    NotShared {
        /// The setting.
        setting: &'static str,
    },
    /// Not a resource.
    #[error("resource number {position} is no absolute URI without a fragment")]
    Resource {
        /// Which one, from 1.
        position: usize,
    },
    /// The profile is no longer as it was when the change began.
    #[error("profile `{name}` was changed or removed meanwhile")]
    Changed {
        /// Its name.
        name: String,
    },
    /// It is there already.
    #[error("a profile `{name}` exists already")]
    Exists {
        /// Its name.
        name: String,
    },
    /// Another differs only in letter case: on some file systems both would be one file.
    #[error("`{name}` differs from the profile `{other}` only in letter case")]
    SameButCase {
        /// The new name.
        name: String,
        /// The one that is there.
        other: String,
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
    /// A client certificate that cannot be shown.
    #[error("{} cannot be used as a client certificate: {reason}", path.display())]
    ClientCertificate {
        /// The file of the certificate, or that of its key.
        path: PathBuf,
        /// What is wrong.
        reason: String,
    },
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
            Self::Authentication { .. } => "use `body`, `basic` or `private_key_jwt`",
            Self::Region(error) => return Some(error.hint()),
            Self::ClientId(_)
            | Self::Lacks {
                setting: "client_id",
            } => "copy the client id from the console",
            Self::Lacks { .. } => {
                "name the region, such as us1; for another API give both token_url and base_url"
            }
            Self::NeedsToo { .. } => "set both, or neither",
            Self::Surplus { .. } => "leave it out, or change the way to authenticate",
            Self::TwoPlaces { .. } => "leave one of them out",
            Self::Workspace { .. } => {
                "leave the workspace out: the token URL already says whom to ask"
            }
            Self::SecretPlace => {
                "write secret = { store = \"keyring\" } (or encrypted, or file), { env = \"NAME\" }, \
                 { file = \"PATH\" } or { command = [\"PROGRAM\", …] }"
            }
            Self::SecretInFile { .. } => {
                "take it out and reset the secret if anybody else saw the file; store the new one \
                 with `hallpass profile set-secret NAME`"
            }
            Self::NotShared {
                setting: "secret.env",
            } => {
                "name a variable that begins with HALLPASS_ and is for nothing else, or put the \
                 profile into your own file"
            }
            Self::NotShared { .. } => "put the profile into your own file: `hallpass profile add`",
            Self::Resource { .. } => "write it as in https://api.example.com/ (RFC 8707 section 2)",
            Self::Changed { .. } => "look at it with `hallpass profile show`, and try again",
            Self::SameButCase { .. } => {
                "choose another name: some file systems would keep the secrets of both in one file"
            }
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
            Self::ClientCertificate { .. } => {
                "certificate and key have to be PEM, and belong to each other"
            }
            Self::CaFile { .. } => "the file has to hold certificates in PEM form",
            Self::File { .. } => return None,
        };
        Some(hint.to_owned())
    }
}

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
