//! Where the client secret of a profile comes from. Opened only when a token has to be asked for: a
//! cached token needs no secret.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use hallpass_oauth::Secret;
use zeroize::{Zeroize as _, Zeroizing};

use crate::private_file::{Durable, PrivateDirectory, PrivateFileError};
use crate::profile::ProfileName;

/// Where a client secret comes from.
#[derive(Debug, Clone)]
pub enum CredentialSource {
    /// It was handed over, by an environment variable or by a prompt.
    Given(Secret),
    /// A file that somebody else looks after, such as a container's mounted secret. Its permissions
    /// are theirs to choose.
    File(PathBuf),
    /// The file kept for a profile.
    SecretFile(SecretFile),
    /// There is none: the client authenticates with a key.
    None,
}

impl CredentialSource {
    /// The secret when it is at hand without opening anything.
    pub fn known(&self) -> Option<&Secret> {
        match self {
            Self::Given(secret) => Some(secret),
            Self::File(_) | Self::SecretFile(_) | Self::None => None,
        }
    }

    /// The secret.
    pub fn load(&self) -> Result<Secret, CredentialError> {
        match self {
            Self::Given(secret) => Ok(secret.clone()),
            Self::File(path) => text(mounted(path)?, path),
            Self::SecretFile(file) => file.load(),
            Self::None => Err(CredentialError::None),
        }
    }
}

/// The file in which a profile's secret is kept: `secrets/NAME` in the data directory, for its
/// owner's eyes only.
#[derive(Debug, Clone)]
pub struct SecretFile {
    directory: PrivateDirectory,
    name: ProfileName,
}

impl SecretFile {
    /// The place for `name`'s secret; nothing is read or made yet.
    pub fn new(data_directory: &Path, name: &ProfileName) -> Self {
        Self {
            directory: PrivateDirectory::new(data_directory.join("secrets")),
            name: name.clone(),
        }
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.directory.path(self.name.as_str())
    }

    /// Keeps the secret, in place of the one kept before.
    pub fn store(&self, secret: &Secret) -> Result<(), CredentialError> {
        let content = secret.expose().as_bytes();
        Ok(self
            .directory
            .replace(self.name.as_str(), content, Durable::Yes)?)
    }

    /// Forgets the secret; says whether there was one.
    pub fn remove(&self) -> Result<bool, CredentialError> {
        Ok(self.directory.remove(self.name.as_str())?)
    }

    fn load(&self) -> Result<Secret, CredentialError> {
        let content = self.directory.read(self.name.as_str())?;
        let absent = || CredentialError::Absent {
            profile: self.name.to_string(),
        };
        text(content.ok_or_else(absent)?, &self.path())
    }
}

/// Why there is no secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CredentialError {
    /// The connection has none.
    #[error("this connection has no client secret")]
    None,
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
            Self::Absent { .. } => Some(
                "store it with `hallpass profile add`, or set HALLPASS_CLIENT_SECRET".to_owned(),
            ),
            Self::Unreadable { .. } => Some("check the path and who may read it".to_owned()),
            Self::Empty { .. } => {
                Some("the file has to hold the secret and nothing else".to_owned())
            }
            Self::File(error) => error.hint(),
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
fn text(mut content: Zeroizing<Vec<u8>>, path: &Path) -> Result<Secret, CredentialError> {
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

    fn secret(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    #[test]
    fn a_kept_secret_is_read_back_until_it_is_removed() {
        let data = tempfile::tempdir().unwrap();
        let file = SecretFile::new(data.path(), &ProfileName::parse("us1").unwrap());
        let source = CredentialSource::SecretFile(file.clone());
        assert!(matches!(source.load(), Err(CredentialError::Absent { .. })));
        file.store(&secret("planted")).unwrap();
        assert_eq!(source.load().unwrap().expose(), "planted");
        assert_eq!(
            fs::metadata(file.path()).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(!format!("{source:?}").contains("planted"));
        assert!(file.remove().unwrap());
        assert!(source.load().is_err());
    }

    #[test]
    fn a_kept_secret_that_others_can_read_is_refused_with_the_cure() {
        let data = tempfile::tempdir().unwrap();
        let file = SecretFile::new(data.path(), &ProfileName::parse("us1").unwrap());
        file.store(&secret("planted")).unwrap();
        fs::set_permissions(file.path(), Permissions::from_mode(0o644)).unwrap();
        let error = CredentialSource::SecretFile(file).load().unwrap_err();
        assert!(error.hint().unwrap().starts_with("chmod 600 "), "{error}");
        assert!(!format!("{error} {error:?}").contains("planted"));
    }

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
