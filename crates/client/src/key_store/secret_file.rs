//! A secret in a file of its own, for its owner's eyes only: the last resort, and what every machine
//! has.

use std::path::{Path, PathBuf};

use hallpass_oauth::Secret;

use super::Slot;
use crate::credential_source::{CredentialError, text};
use crate::private_file::{Durable, PrivateDirectory};

/// A secret's file: `secrets/SLOT` in the data directory.
#[derive(Debug, Clone)]
pub struct SecretFile {
    directory: PrivateDirectory,
    slot: Slot,
}

impl SecretFile {
    /// The place for a secret; nothing is read or made yet.
    pub fn new(data_directory: &Path, slot: impl Into<Slot>) -> Self {
        Self {
            directory: PrivateDirectory::new(data_directory.join("secrets")),
            slot: slot.into(),
        }
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.directory.path(self.slot.as_str())
    }

    /// Keeps the secret, in place of the one kept before.
    pub fn store(&self, secret: &Secret) -> Result<(), CredentialError> {
        let content = secret.expose().as_bytes();
        Ok(self
            .directory
            .replace(self.slot.as_str(), content, Durable::Yes)?)
    }

    /// Forgets the secret; says whether there was one.
    pub fn remove(&self) -> Result<bool, CredentialError> {
        Ok(self.directory.remove(self.slot.as_str())?)
    }

    /// The secret.
    pub fn load(&self) -> Result<Secret, CredentialError> {
        let content = self.directory.read(self.slot.as_str())?;
        let absent = || CredentialError::Absent {
            profile: self.slot.profile().to_owned(),
        };
        text(content.ok_or_else(absent)?, &self.path())
    }
}

#[cfg(test)]
mod tests {
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;
    use crate::profile::ProfileName;

    fn kept() -> (tempfile::TempDir, SecretFile) {
        let data = tempfile::tempdir().unwrap();
        let file = SecretFile::new(data.path(), &ProfileName::parse("us1").unwrap());
        (data, file)
    }

    #[test]
    fn a_kept_secret_is_read_back_until_it_is_removed() {
        let (_data, file) = kept();
        assert!(matches!(file.load(), Err(CredentialError::Absent { .. })));
        file.store(&Secret::from("planted".to_owned())).unwrap();
        assert_eq!(file.load().unwrap().expose(), "planted");
        assert_eq!(
            fs::metadata(file.path()).unwrap().permissions().mode() & 0o777,
            0o600
        );
        assert!(!format!("{file:?}").contains("planted"));
        assert!(file.remove().unwrap());
        assert!(file.load().is_err());
    }

    #[test]
    fn a_kept_secret_that_others_can_read_is_refused_with_the_cure() {
        let (_data, file) = kept();
        file.store(&Secret::from("planted".to_owned())).unwrap();
        fs::set_permissions(file.path(), Permissions::from_mode(0o644)).unwrap();
        let error = file.load().unwrap_err();
        assert!(error.hint().unwrap().starts_with("chmod 600 "), "{error}");
        assert!(!format!("{error} {error:?}").contains("planted"));
    }
}
