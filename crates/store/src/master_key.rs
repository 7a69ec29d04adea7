//! The one secret to guard: everything else that is secret at rest is derived from it or encrypted
//! under it (design, section 5).

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use aws_lc_rs::hkdf::{self, HKDF_SHA256, Salt};
use hallpass_oauth::Pepper;
use hallpass_oauth::identifier::hex;
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

/// 256 random bits. The derived keys carry a version in their label, so that each can be replaced
/// without touching the others.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct MasterKey([u8; 32]);

/// The text is no master key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a master key is 64 hexadecimal digits")]
pub struct InvalidMasterKey;

const PEPPER_LABEL: &[u8] = b"hallpass client-secret pepper 1";
const SIGNING_KEY_LABEL: &[u8] = b"hallpass signing-key encryption 1";
const SECOND_FACTOR_LABEL: &[u8] = b"hallpass second-factor encryption 1";
const EXPLORER_LABEL: &[u8] = b"hallpass explorer-secret encryption 1";
const NONCE_LENGTH: usize = 12;

impl MasterKey {
    /// A new key.
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; 32];
        rng.fill_bytes(&mut bytes);
        Self(bytes)
    }

    /// Reads the text of a key file.
    pub fn parse(text: &str) -> Result<Self, InvalidMasterKey> {
        let digits = text.trim();
        if digits.len() != 64 || !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return Err(InvalidMasterKey);
        }
        let mut key = Self([0; 32]);
        for (at, byte) in key.0.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16)
                .map_err(|_| InvalidMasterKey)?;
        }
        Ok(key)
    }

    /// The text for the key file.
    pub fn to_text(&self) -> Zeroizing<String> {
        Zeroizing::new(hex(&self.0))
    }

    /// The same key once more, for whoever seals keys while the server runs. Not `Clone`, so that
    /// copies do not come about by accident.
    pub(crate) fn duplicate(&self) -> Self {
        Self(self.0)
    }

    pub(crate) fn pepper(&self) -> Pepper {
        Pepper::new(*self.derive(PEPPER_LABEL))
    }

    /// Encrypts a private key with AES-256-GCM. The key id is bound in, so that a row cannot be
    /// passed off as another key's.
    pub(crate) fn seal(&self, id: &str, plain: &[u8], rng: &mut dyn CryptoRng) -> Option<Vec<u8>> {
        self.seal_under(SIGNING_KEY_LABEL, id, plain, rng)
    }

    /// Decrypts what [`Self::seal`] made; `None` under another master key or another id.
    pub(crate) fn open(&self, id: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.open_under(SIGNING_KEY_LABEL, id, sealed)
    }

    /// Encrypts the secret of a second factor, under a key of its own; `id` is the person.
    pub(crate) fn seal_second_factor(
        &self,
        id: &str,
        plain: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Option<Vec<u8>> {
        self.seal_under(SECOND_FACTOR_LABEL, id, plain, rng)
    }

    /// Decrypts what [`Self::seal_second_factor`] made.
    pub(crate) fn open_second_factor(&self, id: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        self.open_under(SECOND_FACTOR_LABEL, id, sealed)
    }

    /// Encrypts a secret that a person keeps in the explorer, under a key of that person; `place` is
    /// where it belongs.
    pub(crate) fn seal_explorer_secret(
        &self,
        person: &str,
        place: &str,
        plain: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Option<Vec<u8>> {
        self.seal_under(&explorer_label(person), place, plain, rng)
    }

    /// Decrypts what [`Self::seal_explorer_secret`] made.
    pub(crate) fn open_explorer_secret(
        &self,
        person: &str,
        place: &str,
        sealed: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        self.open_under(&explorer_label(person), place, sealed)
    }

    fn seal_under(
        &self,
        label: &[u8],
        id: &str,
        plain: &[u8],
        rng: &mut dyn CryptoRng,
    ) -> Option<Vec<u8>> {
        let mut nonce = [0; NONCE_LENGTH];
        rng.fill_bytes(&mut nonce);
        let mut sealed = Zeroizing::new(plain.to_vec());
        self.cipher(label)?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(id.as_bytes()),
                &mut *sealed,
            )
            .ok()?;
        Some([nonce.as_slice(), sealed.as_slice()].concat())
    }

    fn open_under(&self, label: &[u8], id: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, body) = sealed.split_at_checked(NONCE_LENGTH)?;
        let mut body = Zeroizing::new(body.to_vec());
        let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
        let length = self
            .cipher(label)?
            .open_in_place(nonce, Aad::from(id.as_bytes()), &mut body)
            .ok()?
            .len();
        body.truncate(length);
        Some(body)
    }

    fn cipher(&self, label: &[u8]) -> Option<LessSafeKey> {
        let key = self.derive(label);
        Some(LessSafeKey::new(
            UnboundKey::new(&AES_256_GCM, key.as_slice()).ok()?,
        ))
    }

    /// HKDF-SHA-256 (RFC 5869). The master key is uniformly random, so no salt is needed.
    fn derive(&self, label: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut derived = Zeroizing::new([0; 32]);
        Salt::new(HKDF_SHA256, &[])
            .extract(&self.0)
            .expand(&[label], DerivedLength)
            .and_then(|okm| okm.fill(derived.as_mut_slice()))
            .expect("32 bytes are within the output length of HKDF-SHA-256");
        derived
    }
}

/// What tells a person's key from everybody else's.
fn explorer_label(person: &str) -> Vec<u8> {
    [EXPLORER_LABEL, b" of ", person.as_bytes()].concat()
}

impl fmt::Debug for MasterKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MasterKey([redacted])")
    }
}

struct DerivedLength;

impl hkdf::KeyType for DerivedLength {
    fn len(&self) -> usize {
        32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_oauth::random::SystemRandom;

    #[test]
    fn the_text_is_read_back_and_nothing_else_is() {
        let key = MasterKey::generate(&mut SystemRandom);
        let text = format!("{}\n", *key.to_text());
        assert_eq!(MasterKey::parse(&text).unwrap().0, key.0);
        assert!(MasterKey::parse("abc").is_err());
        assert!(MasterKey::parse(&"ä".repeat(32)).is_err());
        assert!(!format!("{key:?}").contains(key.to_text().as_str()));
    }

    #[test]
    fn a_sealed_key_opens_only_under_its_master_key_and_its_id() {
        let rng = &mut SystemRandom;
        let key = MasterKey::generate(rng);
        let sealed = key.seal("kid", b"private", rng).unwrap();
        assert!(!sealed.windows(7).any(|w| w == b"private"));
        assert_eq!(key.open("kid", &sealed).unwrap().as_slice(), b"private");
        assert!(key.open("other", &sealed).is_none());
        assert!(MasterKey::generate(rng).open("kid", &sealed).is_none());
        assert!(key.open("kid", b"short").is_none());
        assert!(key.open_second_factor("kid", &sealed).is_none());
        let second = key.seal_second_factor("ann", b"private", rng).unwrap();
        assert!(key.open("ann", &second).is_none());
        let opened = key.open_second_factor("ann", &second).unwrap();
        assert_eq!(opened.as_slice(), b"private");
    }

    #[test]
    fn a_secret_of_the_explorer_opens_only_for_its_person_and_in_its_place() {
        let rng = &mut SystemRandom;
        let key = MasterKey::generate(rng);
        let sealed = key
            .seal_explorer_secret("ann", "w/a", b"private", rng)
            .unwrap();
        let opened = key.open_explorer_secret("ann", "w/a", &sealed).unwrap();
        assert_eq!(opened.as_slice(), b"private");
        assert!(key.open_explorer_secret("bob", "w/a", &sealed).is_none());
        assert!(key.open_explorer_secret("ann", "w/b", &sealed).is_none());
    }
}
