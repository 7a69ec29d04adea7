//! A secret in a file that is encrypted under a passphrase: for machines without a key store, where
//! a backup or another administrator may read files.
//!
//! AES-256-GCM (NIST SP 800-38D) with a key that Argon2id (RFC 9106) makes of the passphrase. The
//! parameters stand in the file, so they can grow without making old files unreadable. Half of what
//! Argon2id gives is not the key but a check value, stored in clear: with it a wrong passphrase is
//! told from a file that somebody changed. A guesser gains nothing by it, since trying to decrypt
//! tells the same.

use std::path::{Path, PathBuf};

use argon2::{Algorithm, Argon2, Params, Version};
use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::constant_time;
use hallpass_oauth::Secret;
use hallpass_oauth::identifier::hex;
use rand_core::CryptoRng;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{Passphrase, Slot};
use crate::credential_source::CredentialError;
use crate::private_file::{Durable, PrivateDirectory};

/// A secret's encrypted file: `encrypted/SLOT` in the data directory.
#[derive(Debug, Clone)]
pub struct EncryptedFile {
    directory: PrivateDirectory,
    slot: Slot,
    passphrase: Passphrase,
}

impl EncryptedFile {
    /// The place for a secret; nothing is read or made yet.
    pub fn new(data_directory: &Path, slot: Slot, passphrase: Passphrase) -> Self {
        Self {
            directory: PrivateDirectory::new(data_directory.join("encrypted")),
            slot,
            passphrase,
        }
    }

    /// The file.
    pub fn path(&self) -> PathBuf {
        self.directory.path(self.slot.as_str())
    }

    /// Whether opening it may ask a person for the passphrase.
    pub fn may_ask(&self) -> bool {
        self.passphrase.asks_person
    }

    /// Keeps the secret, in place of the one kept before.
    pub fn store(&self, secret: &Secret, rng: &mut dyn CryptoRng) -> Result<(), CredentialError> {
        let passphrase = self.passphrase.ask(true)?;
        let sealed = seal(secret, &passphrase, self.slot.as_str(), Cost::NEW, rng);
        let content = sealed.map_err(|reason| self.failed(reason))?;
        Ok(self
            .directory
            .replace(self.slot.as_str(), content.as_bytes(), Durable::Yes)?)
    }

    /// Forgets the secret; says whether there was one.
    pub fn remove(&self) -> Result<bool, CredentialError> {
        Ok(self.directory.remove(self.slot.as_str())?)
    }

    /// The secret. Nobody is asked for a passphrase when there is nothing to open.
    pub fn load(&self) -> Result<Secret, CredentialError> {
        let Some(content) = self.directory.read(self.slot.as_str())? else {
            return Err(CredentialError::Absent {
                profile: self.slot.profile().to_owned(),
            });
        };
        let sealed = Sealed::parse(&content).map_err(|reason| self.failed(reason))?;
        let passphrase = self.passphrase.ask(false)?;
        open(&sealed, &passphrase, self.slot.as_str()).map_err(|reason| self.failed(reason))
    }

    fn failed(&self, reason: EncryptedFileError) -> CredentialError {
        CredentialError::Encrypted {
            path: self.path(),
            reason,
        }
    }
}

/// Why an encrypted file gives no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EncryptedFileError {
    /// Not what was chosen when it was made.
    #[error("the passphrase is wrong, or the head of the file was changed")]
    Passphrase,
    /// The passphrase is right, but the content does not fit.
    #[error("the file was changed after it was written, or belongs to another profile")]
    Changed,
    /// No encrypted file of this program.
    #[error("it is no encrypted secret")]
    Shape,
    /// Made by a later version.
    #[error("it was written by a newer version of this program")]
    Version,
    /// Parameters that nobody uses; following them would take all memory or for ever.
    #[error("its parameters are out of bounds")]
    Cost,
    /// The library refused.
    #[error("the cryptographic library refused")]
    Library,
}

/// What making a key of a passphrase costs (RFC 9106 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// The second choice of RFC 9106 section 4, with one lane: 64 MiB, three passes.
    const NEW: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };

    fn is_bearable(self) -> bool {
        self.memory_kib <= 1024 * 1024 && (1..=64).contains(&self.passes) && self.lanes <= 16
    }
}

/// The file, as JSON; byte strings in hexadecimal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Sealed {
    version: u32,
    argon2id: Cost,
    salt: String,
    check: String,
    nonce: String,
    sealed: String,
}

impl Sealed {
    fn parse(content: &[u8]) -> Result<Self, EncryptedFileError> {
        #[derive(Deserialize)]
        struct Versioned {
            version: u32,
        }
        let shape = |_| EncryptedFileError::Shape;
        let Versioned { version } = serde_json::from_slice(content).map_err(shape)?;
        if version != VERSION {
            return Err(EncryptedFileError::Version);
        }
        let sealed: Self = serde_json::from_slice(content).map_err(shape)?;
        if sealed.argon2id.is_bearable() {
            Ok(sealed)
        } else {
            Err(EncryptedFileError::Cost)
        }
    }

    /// What is authenticated besides the secret: that it is this profile's. The parameters need no
    /// place here: with others the key is another one.
    fn context(slot: &str) -> Aad<Vec<u8>> {
        Aad::from(format!("hallpass client secret {VERSION}\n{slot}").into_bytes())
    }
}

/// Key and check value, from a passphrase.
struct Derived(Zeroizing<[u8; 48]>);

impl Derived {
    fn of(passphrase: &Secret, salt: &[u8], cost: Cost) -> Result<Self, EncryptedFileError> {
        let params = Params::new(cost.memory_kib, cost.passes, cost.lanes, Some(48))
            .map_err(|_| EncryptedFileError::Cost)?;
        let mut output = Zeroizing::new([0; 48]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into(passphrase.expose().as_bytes(), salt, output.as_mut_slice())
            .map_err(|_| EncryptedFileError::Shape)?;
        Ok(Self(output))
    }

    fn key(&self) -> Result<LessSafeKey, EncryptedFileError> {
        let key = UnboundKey::new(&AES_256_GCM, &self.0[..32]);
        Ok(LessSafeKey::new(
            key.map_err(|_| EncryptedFileError::Library)?,
        ))
    }

    fn check(&self) -> &[u8] {
        &self.0[32..]
    }
}

fn seal(
    secret: &Secret,
    passphrase: &Secret,
    slot: &str,
    cost: Cost,
    rng: &mut dyn CryptoRng,
) -> Result<String, EncryptedFileError> {
    let (mut salt, mut nonce) = ([0; 16], [0; 12]);
    rng.fill_bytes(&mut salt);
    rng.fill_bytes(&mut nonce);
    let derived = Derived::of(passphrase, &salt, cost)?;
    let mut content = Zeroizing::new(secret.expose().as_bytes().to_vec());
    let tag = derived.key()?.seal_in_place_separate_tag(
        Nonce::assume_unique_for_key(nonce),
        Sealed::context(slot),
        &mut content,
    );
    let tag = tag.map_err(|_| EncryptedFileError::Library)?;
    let file = Sealed {
        version: VERSION,
        argon2id: cost,
        salt: hex(&salt),
        check: hex(derived.check()),
        nonce: hex(&nonce),
        sealed: hex(&content) + &hex(tag.as_ref()),
    };
    serde_json::to_string(&file).map_err(|_| EncryptedFileError::Library)
}

fn open(sealed: &Sealed, passphrase: &Secret, slot: &str) -> Result<Secret, EncryptedFileError> {
    let bytes = |text: &str| unhex(text).ok_or(EncryptedFileError::Shape);
    let derived = Derived::of(passphrase, &bytes(&sealed.salt)?, sealed.argon2id)?;
    constant_time::verify_slices_are_equal(derived.check(), &bytes(&sealed.check)?)
        .map_err(|_| EncryptedFileError::Passphrase)?;
    let nonce = Nonce::try_assume_unique_for_key(&bytes(&sealed.nonce)?)
        .map_err(|_| EncryptedFileError::Shape)?;
    let mut content = Zeroizing::new(bytes(&sealed.sealed)?);
    let plain = derived
        .key()?
        .open_in_place(nonce, Sealed::context(slot), content.as_mut_slice())
        .map_err(|_| EncryptedFileError::Changed)?;
    match std::str::from_utf8(plain) {
        Ok(text) if !text.is_empty() => Ok(Secret::from(text.to_owned())),
        _ => Err(EncryptedFileError::Shape),
    }
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let pair = |pair: &[u8]| {
        let [high, low] = pair else { return None };
        u8::try_from(digit(*high)? * 16 + digit(*low)?).ok()
    };
    text.as_bytes().chunks(2).map(pair).collect()
}

/// Written into each file.
const VERSION: u32 = 1;

#[cfg(test)]
mod tests {
    use hallpass_oauth::random::SystemRandom;

    use super::*;

    /// Quick enough to try many files.
    const CHEAP: Cost = Cost {
        memory_kib: 8,
        passes: 1,
        lanes: 1,
    };

    fn text(text: &str) -> Secret {
        Secret::from(text.to_owned())
    }

    fn sealed() -> String {
        seal(
            &text("planted"),
            &text("open sesame"),
            "us1",
            CHEAP,
            &mut SystemRandom,
        )
        .unwrap()
    }

    fn read(content: &str, passphrase: &str, slot: &str) -> Result<String, EncryptedFileError> {
        let opened = open(&Sealed::parse(content.as_bytes())?, &text(passphrase), slot)?;
        Ok(opened.expose().to_owned())
    }

    #[test]
    fn what_is_sealed_is_opened_by_the_passphrase_only() {
        let content = sealed();
        assert!(!content.contains("planted") && !content.contains(&hex(b"planted")));
        assert_eq!(read(&content, "open sesame", "us1").unwrap(), "planted");
        let wrong = read(&content, "Open sesame", "us1");
        assert_eq!(wrong, Err(EncryptedFileError::Passphrase));
        let moved = read(&content, "open sesame", "eu1");
        assert_eq!(moved, Err(EncryptedFileError::Changed));
        assert_ne!(sealed(), content, "salt and nonce are new each time");
    }

    #[test]
    fn what_was_changed_is_never_opened_and_the_reason_is_told() {
        let content = sealed();
        let changed = |member: &str, error: EncryptedFileError| {
            let mut file: serde_json::Value = serde_json::from_str(&content).unwrap();
            let value = file[member].as_str().unwrap().to_owned();
            let flipped = if value.starts_with('0') { "1" } else { "0" };
            file[member] = format!("{flipped}{}", &value[1..]).into();
            assert_eq!(
                read(&file.to_string(), "open sesame", "us1"),
                Err(error),
                "{member}"
            );
        };
        changed("sealed", EncryptedFileError::Changed);
        changed("nonce", EncryptedFileError::Changed);
        changed("salt", EncryptedFileError::Passphrase);
        changed("check", EncryptedFileError::Passphrase);
        for (from, to, error) in [
            (
                "\"version\":1",
                "\"version\":2",
                EncryptedFileError::Version,
            ),
            (
                "\"memoryKib\":8",
                "\"memoryKib\":2000000",
                EncryptedFileError::Cost,
            ),
            (
                "\"passes\":1",
                "\"passes\":2",
                EncryptedFileError::Passphrase,
            ),
            ("\"salt\":\"", "\"salt\":\"z", EncryptedFileError::Shape),
            ("{", "[", EncryptedFileError::Shape),
        ] {
            let file = content.replacen(from, to, 1);
            assert_ne!(file, content, "{from}");
            assert_eq!(read(&file, "open sesame", "us1"), Err(error), "{from}");
        }
    }

    #[test]
    fn a_file_is_kept_and_nobody_is_asked_when_there_is_none() {
        let data = tempfile::tempdir().unwrap();
        let slot = Slot("us1".to_owned());
        let silent = Passphrase::new(|_| Err("asked".to_owned()));
        let absent = EncryptedFile::new(data.path(), slot.clone(), silent).load();
        assert!(matches!(absent, Err(CredentialError::Absent { .. })));
        let known = Passphrase::new(|_| Ok(Secret::from("open sesame".to_owned())));
        let file = EncryptedFile::new(data.path(), slot, known);
        file.store(&text("planted"), &mut SystemRandom).unwrap();
        assert_eq!(file.load().unwrap().expose(), "planted");
        assert!(file.remove().unwrap() && file.load().is_err());
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_make_the_reader_panic(content: Vec<u8>, cut in 0_usize..400) {
            let _ = Sealed::parse(&content);
            let whole = sealed();
            let part = &whole[..cut.min(whole.len())];
            let read = read(part, "open sesame", "us1");
            proptest::prop_assert_eq!(read.is_ok(), part.len() == whole.len());
        }
    }
}
