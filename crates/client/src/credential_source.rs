//! Where the client secret of a profile comes from. Opened only when a token has to be asked for: a
//! cached token needs no secret.

mod command;

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use hallpass_oauth::Secret;
use zeroize::{Zeroize as _, Zeroizing};

use crate::key_store::{EncryptedFileError, Kept, KeyRingError, SecretFile};
use crate::private_file::PrivateFileError;

pub use command::{SECRET_VARIABLES, SecretCommand};

/// Where a client secret comes from.
#[derive(Debug, Clone)]
pub enum CredentialSource {
    /// It was handed over, by an environment variable or by a prompt.
    Given(Secret),
    /// A file that somebody else looks after, such as a container's mounted secret. Its permissions
    /// are theirs to choose.
    File(PathBuf),
    /// An environment variable that is not set.
    Unset(String),
    /// A program that prints it.
    Command(SecretCommand),
    /// One of this program's own stores.
    Kept(Kept),
    /// There is none: the client authenticates with a key.
    None,
}

impl CredentialSource {
    /// The secret when it is at hand without opening anything.
    pub fn known(&self) -> Option<&Secret> {
        match self {
            Self::Given(secret) => Some(secret),
            _ => None,
        }
    }

    /// Whether opening it may ask a person for something, who may take any time or not be there.
    pub fn may_ask(&self) -> bool {
        matches!(self, Self::Kept(kept) if kept.may_ask())
    }

    /// The secret.
    pub fn load(&self) -> Result<Secret, CredentialError> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::File(path) => text(mounted(path)?, path),
            Self::Unset(name) => Err(CredentialError::Unset { name: name.clone() }),
            Self::Command(command) => command.load(),
            Self::Kept(place) => place.load(),
            Self::None => Err(CredentialError::None),
        }
    }

    /// The secret, without holding up other work while a program runs or a key store is unlocked.
    pub async fn open(&self) -> Result<Secret, CredentialError> {
        match self {
            Self::Command(_) | Self::Kept(_) => {
                let source = self.clone();
                let opened = tokio::task::spawn_blocking(move || source.load()).await;
                opened.unwrap_or(Err(CredentialError::None))
            }
            Self::Given(_) | Self::File(_) | Self::Unset(_) | Self::None => self.load(),
        }
    }
}

impl From<SecretFile> for CredentialSource {
    fn from(file: SecretFile) -> Self {
        Self::Kept(Kept::File(file))
    }
}

/// Why there is no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The connection has none.
    #[error("this connection has no client secret")]
    None,
    /// The variable that is to hold it is not set.
    #[error("the environment variable {name} is to hold the client secret, but is not set")]
    Unset {
        /// The variable.
        name: String,
    },
    /// The program that is to print it did not.
    #[error("`{program}` gives no client secret: {reason}")]
    Command {
        /// The program, without its arguments.
        program: String,
        /// What is wrong.
        reason: String,
    },
    /// It takes too long to open.
    #[error("the client secret did not come within {seconds} s")]
    TooSlow {
        /// How long was waited.
        seconds: u64,
    },
    /// The key store does not give it.
    #[error(transparent)]
    KeyRing(#[from] KeyRingError),
    /// The encrypted file does not give it.
    #[error("{}: {reason}", path.display())]
    Encrypted {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        reason: EncryptedFileError,
    },
    /// There is no passphrase for the encrypted file.
    #[error("there is no passphrase for the encrypted secret: {reason}")]
    Passphrase {
        /// Why not.
        reason: String,
    },
    /// None is kept for the profile.
    #[error("no client secret is kept for profile `{profile}`")]
    Absent {
        /// The profile.
        profile: String,
    },
    /// The file cannot be read.
    #[error("cannot read the client secret from {}: {reason}", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        reason: String,
    },
    /// The file is empty, or no text.
    #[error("{} holds no client secret", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// The file is not safe to use.
    #[error(transparent)]
    File(#[from] PrivateFileError),
}

impl CredentialError {
    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::None => None,
            Self::TooSlow { .. } => {
                Some("is the key store locked, and its question waiting for an answer?".to_owned())
            }
            Self::Absent { .. } => Some(
                "store it with `hallpass profile set-secret`, or set HALLPASS_CLIENT_SECRET"
                    .to_owned(),
            ),
            Self::Unreadable { .. } => Some("check the path and who may read it".to_owned()),
            Self::Empty { .. } => {
                Some("the file has to hold the secret and nothing else".to_owned())
            }
            Self::File(error) => error.hint(),
            Self::Unset { .. } => {
                Some("set it, or change the profile's `secret` to another place".to_owned())
            }
            Self::Command { .. } => Some("run it by hand to see what it says".to_owned()),
            Self::KeyRing(error) => Some(error.hint().to_owned()),
            Self::Encrypted { reason, .. } => Some(
                match reason {
                    EncryptedFileError::Passphrase => "try the passphrase again",
                    _ => "store the secret again with `hallpass profile set-secret`",
                }
                .to_owned(),
            ),
            Self::Passphrase { .. } => Some(
                "run it on a terminal, or name a file that holds the passphrase with \
                 HALLPASS_PASSPHRASE_FILE"
                    .to_owned(),
            ),
        }
    }
}

fn mounted(path: &Path) -> Result<Zeroizing<Vec<u8>>, CredentialError> {
    let mut content = Zeroizing::new(Vec::with_capacity(LARGEST));
    let read =
        File::open(path).and_then(|file| file.take(LARGEST as u64).read_to_end(&mut content));
    match read {
        Ok(_) => Ok(content),
        Err(error) => Err(CredentialError::Unreadable {
            path: path.to_owned(),
            reason: error.to_string(),
        }),
    }
}

/// The secret in a file's content. Editors and `echo` end a file with a line break that is not part
/// of the secret.
pub(crate) fn text(
    mut content: Zeroizing<Vec<u8>>,
    path: &Path,
) -> Result<Secret, CredentialError> {
    while content
        .last()
        .is_some_and(|byte| matches!(byte, b'\r' | b'\n'))
    {
        content.pop();
    }
    match String::from_utf8(std::mem::take(&mut *content)) {
        Ok(text) if !text.is_empty() => Ok(Secret::from(text)),
        Ok(_) => Err(CredentialError::Empty {
            path: path.to_owned(),
        }),
        Err(error) => {
            error.into_bytes().zeroize();
            Err(CredentialError::Empty {
                path: path.to_owned(),
            })
        }
    }
}

/// Most that is read of a mounted secret, in bytes; no client secret is anywhere near as long.
const LARGEST: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn line_breaks_at_the_end_are_not_part_of_the_secret() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("mounted");
        for (content, read) in [
            (&b"s 1\n"[..], Some("s 1")),
            (b"s\r\n\n", Some("s")),
            (b"\n", None),
            (b"\xff", None),
        ] {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, Permissions::from_mode(0o444)).unwrap();
            let loaded = CredentialSource::File(path.clone()).load();
            assert_eq!(
                loaded.ok().as_ref().map(Secret::expose),
                read,
                "{content:?}"
            );
            fs::remove_file(&path).unwrap();
        }
        assert!(
            CredentialSource::File(path)
                .load()
                .unwrap_err()
                .to_string()
                .contains("mounted")
        );
    }
}
