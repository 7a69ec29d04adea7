//! The key store of the operating system: on Linux the Secret Service of the desktop session
//! (freedesktop.org), which GNOME Keyring, KWallet and KeePassXC offer, over the session's message
//! bus and without a C library.
//!
//! The kernel's own key rings are no alternative: what they keep is gone after a logout or a restart.
//! What the bus says in its own language is put into words here.

use std::time::Duration;

use hallpass_oauth::Secret;

use super::Slot;
use crate::credential_source::CredentialError;

#[cfg(all(feature = "keyring", target_os = "linux"))]
mod secret_service;
#[cfg(all(feature = "keyring", target_os = "linux"))]
use secret_service as service;

#[cfg(not(all(feature = "keyring", target_os = "linux")))]
mod absent;
#[cfg(not(all(feature = "keyring", target_os = "linux")))]
use absent as service;

/// A secret's entry in the key store.
#[derive(Debug, Clone)]
pub struct KeyRing {
    bus: Option<String>,
    slot: Slot,
}

impl KeyRing {
    /// The entry of a secret; nothing is asked yet.
    pub fn new(bus: Option<String>, slot: Slot) -> Self {
        Self { bus, slot }
    }

    /// Whether there is such an entry; a locked store is not unlocked for it.
    pub fn is_there(&self) -> Result<bool, KeyRingError> {
        service::is_there(self.bus()?, self.slot.as_str(), QUICK)
    }

    /// The secret. A locked store may ask the person to unlock it.
    pub fn load(&self) -> Result<Secret, CredentialError> {
        let found = service::load(self.bus()?, self.slot.as_str(), PATIENCE)?;
        found.ok_or_else(|| CredentialError::Absent {
            profile: self.slot.profile().to_owned(),
        })
    }

    /// Keeps the secret, in place of the one kept before.
    pub fn store(&self, secret: &Secret) -> Result<(), KeyRingError> {
        let label = self.slot.label();
        service::store(self.bus()?, self.slot.as_str(), &label, secret, PATIENCE)
    }

    /// Forgets the secret; says whether there was one.
    pub fn remove(&self) -> Result<bool, KeyRingError> {
        service::remove(self.bus()?, self.slot.as_str(), PATIENCE)
    }

    fn bus(&self) -> Result<&str, KeyRingError> {
        self.bus.as_deref().ok_or(KeyRingError::NoBus)
    }
}

/// Whether the key store can be used now without asking anybody anything.
pub(super) fn probe(bus: Option<&str>) -> Result<(), KeyRingError> {
    service::probe(bus.ok_or(KeyRingError::NoBus)?, QUICK)
}

/// Why the key store is not used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyRingError {
    /// Left out when the program was built, or not known on this system.
    #[error("this program was built without a key store for this system")]
    NotBuilt,
    /// No session, as on a server or in a container.
    #[error("there is no desktop session whose key store could be asked")]
    NoBus,
    /// A session without a key store.
    #[error("no key store answers in this session")]
    NoService,
    /// It has nothing to put an entry into.
    #[error("the key store has no default collection")]
    NoCollection,
    /// It is locked.
    #[error("the key store is locked")]
    Locked,
    /// The person closed its question.
    #[error("the key store was not unlocked")]
    Dismissed,
    /// It does not answer.
    #[error("the key store did not answer within {seconds} s")]
    TimedOut {
        /// How long was waited.
        seconds: u64,
    },
    /// What is there is no text.
    #[error("the key store's entry is no client secret")]
    NotASecret,
    /// Anything else.
    #[error("the key store refused: {reason}")]
    Refused {
        /// In its own words.
        reason: String,
    },
}

impl KeyRingError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Locked | Self::Dismissed => "unlock it, then try again",
            Self::NoCollection => "make a default collection in the key store's own program",
            Self::NotASecret => "store the secret again with `hallpass profile set-secret`",
            _ => {
                "`--store encrypted` keeps the secret in a file under a passphrase, \
                 `--store file` in a file that only you can read"
            }
        }
    }
}

/// How long a question may take that nobody has to be asked for.
const QUICK: Duration = Duration::from_secs(2);

/// How long a person may take to unlock the store.
const PATIENCE: Duration = Duration::from_mins(1);
