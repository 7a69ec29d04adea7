//! Where this program keeps a client secret: the key store of the desktop, an encrypted file, or a
//! file that only its owner may read. Which one is chosen when the secret is put there, and the
//! profile remembers it.
//!
//! Nothing here is opened for a call that has a cached token.

mod encrypted_file;
mod key_ring;
mod secret_file;

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use aws_lc_rs::digest;
use hallpass_oauth::Secret;
use hallpass_oauth::identifier::hex;
use rand_core::CryptoRng;

use crate::credential_source::CredentialError;
use crate::profile::{Profile, ProfileError, ProfileName, Proxy};

pub use encrypted_file::{EncryptedFile, EncryptedFileError};
pub use key_ring::{KeyRing, KeyRingError};
pub use secret_file::SecretFile;

/// A kind of place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Store {
    /// The operating system's key store.
    KeyRing,
    /// A file encrypted under a passphrase.
    Encrypted,
    /// A file that only its owner may read.
    File,
}

impl Store {
    /// All kinds, the best first.
    pub const ALL: [Self; 3] = [Self::KeyRing, Self::Encrypted, Self::File];
    /// The words for them, in the same order.
    pub const WORDS: [&str; 3] = ["keyring", "encrypted", "file"];

    /// The word in the profile and on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::KeyRing => Self::WORDS[0],
            Self::Encrypted => Self::WORDS[1],
            Self::File => Self::WORDS[2],
        }
    }

    /// Reads the word.
    pub fn parse(word: &str) -> Result<Self, ProfileError> {
        Self::ALL
            .into_iter()
            .find(|store| store.word() == word)
            .ok_or(ProfileError::SecretPlace)
    }
}

/// Which secret: the name under which all stores keep it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Slot(String);

impl Slot {
    /// The secret of a profile. A shared one ([`Profile::is_shared`]) has the whole way that secret
    /// and token take in its name: whoever writes its file must not get at another profile's secret
    /// by taking its name, nor have it sent somewhere else by changing an address later.
    pub fn of(profile: &Profile) -> Self {
        if profile.is_shared() {
            Self(format!("{}@{}", profile.name(), way(profile)))
        } else {
            Self::from(profile.name())
        }
    }

    /// A secret of one of the explorer's workspaces. The folder that the workspace is in is part of it:
    /// a workspace that somebody else wrote must not get at another one's secret by taking its id.
    pub fn of_workspace(folder: &str, workspace: &str, name: &str) -> Self {
        let parts = digest_of(&[folder, workspace, name]);
        // No profile is called so.
        Self(format!("{WORKSPACE}{workspace}@{parts}"))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What it is the secret of, for people.
    pub(crate) fn label(&self) -> String {
        match self.0.strip_prefix(WORKSPACE) {
            Some(_) => format!("Hallpass secret of the explorer's workspace {}", self.0),
            None => format!("Hallpass client secret of profile {}", self.0),
        }
    }

    /// The profile's part of it, for people.
    pub(crate) fn profile(&self) -> &str {
        self.0.split('@').next().unwrap_or_default()
    }
}

impl From<&ProfileName> for Slot {
    fn from(name: &ProfileName) -> Self {
        Self(name.to_string())
    }
}

/// A digest over all that decides where a shared profile's secret and tokens go. What else could
/// (files of certificates) is not taken from a shared file.
fn way(profile: &Profile) -> String {
    digest_of(&[
        profile.token_url().as_str(),
        profile.client_id().as_str(),
        profile.base_url().as_str(),
        profile.proxy().map_or("", Proxy::as_str),
    ])
}

/// A digest that no other texts have, in hexadecimal.
fn digest_of(parts: &[&str]) -> String {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(&(part.len() as u64).to_be_bytes());
        context.update(part.as_bytes());
    }
    hex(&context.finish().as_ref()[..16])
}

/// Begins the names of workspaces' secrets.
const WORKSPACE: char = '+';

/// How the passphrase of an encrypted file is had. Called only when it is needed; the argument says
/// whether one is being chosen, so that it is asked for twice. The error is in words.
#[derive(Clone)]
pub struct Passphrase {
    ask: Arc<AskPassphrase>,
    asks_person: bool,
}

type AskPassphrase = dyn Fn(bool) -> Result<Secret, String> + Send + Sync;

impl Passphrase {
    /// Had by calling `ask`.
    pub fn new(ask: impl Fn(bool) -> Result<Secret, String> + Send + Sync + 'static) -> Self {
        Self {
            ask: Arc::new(ask),
            asks_person: true,
        }
    }

    /// The same when `ask` knows it and asks nobody.
    #[must_use]
    pub fn without_asking(mut self) -> Self {
        self.asks_person = false;
        self
    }

    fn ask(&self, new: bool) -> Result<Secret, CredentialError> {
        (self.ask)(new).map_err(|reason| CredentialError::Passphrase { reason })
    }
}

impl fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Passphrase(…)")
    }
}

/// What the stores need from the outside.
#[derive(Debug, Clone)]
pub struct Stores {
    data_directory: PathBuf,
    bus: Option<String>,
    passphrase: Passphrase,
}

impl Stores {
    /// Files go below `data_directory`; `bus` is the address of the session's message bus, where
    /// the key store answers.
    pub fn new(data_directory: &Path, bus: Option<String>, passphrase: Passphrase) -> Self {
        Self {
            data_directory: data_directory.to_owned(),
            bus,
            passphrase,
        }
    }

    /// Whether the key store can be used now; if not, why.
    pub fn probe_key_ring(&self) -> Result<(), KeyRingError> {
        key_ring::probe(self.bus.as_deref())
    }

    /// The place for one secret; nothing is opened yet.
    pub fn place(&self, store: Store, slot: &Slot) -> Kept {
        match store {
            Store::KeyRing => Kept::KeyRing(KeyRing::new(self.bus.clone(), slot.clone())),
            Store::Encrypted => Kept::Encrypted(EncryptedFile::new(
                &self.data_directory,
                slot.clone(),
                self.passphrase.clone(),
            )),
            Store::File => Kept::File(SecretFile::new(&self.data_directory, slot.clone())),
        }
    }
}

/// The place of one secret.
#[derive(Debug, Clone)]
pub enum Kept {
    /// In the key store.
    KeyRing(KeyRing),
    /// In an encrypted file.
    Encrypted(EncryptedFile),
    /// In a private file.
    File(SecretFile),
}

impl Kept {
    /// Which kind of place it is.
    pub fn store(&self) -> Store {
        match self {
            Self::KeyRing(_) => Store::KeyRing,
            Self::Encrypted(_) => Store::Encrypted,
            Self::File(_) => Store::File,
        }
    }

    /// Whether a secret is there. Asks for no passphrase and unlocks nothing.
    pub fn is_there(&self) -> Result<bool, CredentialError> {
        match self {
            Self::KeyRing(entry) => Ok(entry.is_there()?),
            Self::Encrypted(file) => Ok(file.path().exists()),
            Self::File(file) => Ok(file.path().exists()),
        }
    }

    /// Whether opening it may ask a person for a passphrase.
    pub fn may_ask(&self) -> bool {
        match self {
            Self::Encrypted(file) => file.may_ask(),
            Self::KeyRing(_) | Self::File(_) => false,
        }
    }

    /// The secret.
    pub fn load(&self) -> Result<Secret, CredentialError> {
        match self {
            Self::KeyRing(entry) => entry.load(),
            Self::Encrypted(file) => file.load(),
            Self::File(file) => file.load(),
        }
    }

    /// Keeps the secret, in place of the one kept before.
    pub fn keep(&self, secret: &Secret, rng: &mut dyn CryptoRng) -> Result<(), CredentialError> {
        match self {
            Self::KeyRing(entry) => Ok(entry.store(secret)?),
            Self::Encrypted(file) => file.store(secret, rng),
            Self::File(file) => file.store(secret),
        }
    }

    /// Forgets the secret; says whether there was one.
    pub fn remove(&self) -> Result<bool, CredentialError> {
        match self {
            Self::KeyRing(entry) => Ok(entry.remove()?),
            Self::Encrypted(file) => file.remove(),
            Self::File(file) => file.remove(),
        }
    }
}

impl fmt::Display for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::KeyRing(_) => f.write_str("the key store of the desktop session"),
            Self::Encrypted(file) => write!(f, "the encrypted file {}", file.path().display()),
            Self::File(file) => write!(f, "{}", file.path().display()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::profile::Settings;

    #[test]
    fn words_of_stores_are_read_back() {
        for store in Store::ALL {
            assert_eq!(Store::parse(store.word()).unwrap(), store);
        }
        assert!(Store::parse("drawer").is_err());
    }

    #[test]
    fn a_shared_profile_gets_no_other_secret_by_its_name_or_by_a_new_way() {
        let slot = |changed: &str, to: &str| {
            let mut settings = Settings {
                token_url: Some("https://sso.example.com/token".to_owned()),
                base_url: Some("https://a.example".to_owned()),
                client_id: Some("c1".to_owned()),
                ..Settings::default()
            };
            match changed {
                "token_url" => settings.token_url = Some(to.to_owned()),
                "base_url" => settings.base_url = Some(to.to_owned()),
                "client_id" => settings.client_id = Some(to.to_owned()),
                "proxy" => settings.proxy = Some(to.to_owned()),
                _ => settings.scope = Some(to.to_owned()),
            }
            let name = ProfileName::parse("us1").unwrap();
            let profile = settings.read(name, Path::new("/")).unwrap();
            assert_eq!(Slot::of(&profile), Slot::from(profile.name()), "one's own");
            Slot::of(&profile.into_shared())
        };
        let ours = slot("scope", "a");
        assert_eq!(ours, slot("scope", "b"));
        for (changed, to) in [
            ("token_url", "https://evil.example.com/token"),
            ("base_url", "https://evil.example.com"),
            ("client_id", "c2"),
            ("proxy", "http://evil.example.com:3128"),
        ] {
            assert_ne!(ours, slot(changed, to), "{changed}");
        }
        assert_ne!(slot("proxy", "none"), slot("proxy", "http://p.example"));
        assert!(ProfileName::parse(ours.as_str()).is_err(), "{ours:?}");
    }
}
