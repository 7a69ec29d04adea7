//! Client secrets and their digests.
//!
//! A generated secret has more entropy than anybody can guess, so one keyed digest is enough at
//! rest; a password hash would only slow the token endpoint down (design, section 5).

use std::fmt;

use aws_lc_rs::{constant_time, digest, hmac};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_core::CryptoRng;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::identifier::hex;

/// A secret in clear. It does not print, compare or dereference; [`Secret::expose`] is the only way
/// in, and the memory is wiped on drop.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Secret(String);

/// What a new client secret looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SecretFormat {
    /// The real system's: 32 lower-case hexadecimal digits, here with 128 random bits (domain facts,
    /// section 3.4).
    #[default]
    Greenlake,
    /// `hps_`, 256 random bits in 43 base64url characters, and 8 hexadecimal digits of a checksum, so
    /// that scanners find a leaked one by `hps_[A-Za-z0-9_-]{43}[0-9a-f]{8}` without false alarms.
    Prefixed,
}

/// What a secret of [`SecretFormat::Prefixed`] begins with.
const PREFIX: &str = "hps_";

impl Secret {
    /// A new secret in the shape of [`SecretFormat::Greenlake`].
    pub fn generate(rng: &mut dyn CryptoRng) -> Self {
        Self::generate_as(SecretFormat::Greenlake, rng)
    }

    /// A new client secret.
    pub fn generate_as(format: SecretFormat, rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = Zeroizing::new([0; 32]);
        match format {
            SecretFormat::Greenlake => {
                rng.fill_bytes(&mut bytes[..16]);
                Self(hex(&bytes[..16]))
            }
            SecretFormat::Prefixed => {
                rng.fill_bytes(bytes.as_mut_slice());
                let mut text = String::with_capacity(PREFIX.len() + 43 + 8);
                text.push_str(PREFIX);
                URL_SAFE_NO_PAD.encode_string(bytes.as_slice(), &mut text);
                let sum = checksum(&text);
                text.push_str(&sum);
                Self(text)
            }
        }
    }

    /// Whether a text is a secret of [`SecretFormat::Prefixed`], by its prefix and checksum.
    pub fn is_prefixed(text: &str) -> bool {
        let parts = text.split_at_checked(PREFIX.len() + 43);
        parts.is_some_and(|(body, sum)| body.starts_with(PREFIX) && checksum(body) == sum)
    }

    /// The secret in clear, for the one place that sends or shows it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

/// The checksum of a prefixed secret: the first 32 bits of the SHA-256 of what stands before it.
fn checksum(text: &str) -> String {
    hex(&digest::digest(&digest::SHA256, text.as_bytes()).as_ref()[..4])
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret([redacted])")
    }
}

/// The server-side key of all secret digests. Without it a stolen database verifies nothing.
#[derive(Zeroize, ZeroizeOnDrop)]
pub struct Pepper([u8; 32]);

impl Pepper {
    /// Takes the key material; 32 bytes, derived from the master key.
    pub fn new(key: [u8; 32]) -> Self {
        Self(key)
    }

    /// The digest of `secret` under the current scheme.
    pub fn digest(&self, secret: &Secret) -> SecretDigest {
        #[cfg(test)]
        crate::work::note(crate::work::Step::Digest);
        let key = hmac::Key::new(hmac::HMAC_SHA256, &self.0);
        let tag = hmac::sign(&key, secret.expose().as_bytes());
        let mut bytes = [0; 32];
        bytes.copy_from_slice(tag.as_ref());
        SecretDigest(bytes)
    }
}

impl fmt::Debug for Pepper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Pepper([redacted])")
    }
}

/// HMAC-SHA-256 of a secret under the [`Pepper`]. The only comparison takes the same time
/// wherever the two differ, so an attacker cannot feel their way to a digest.
#[derive(Clone)]
pub struct SecretDigest([u8; 32]);

impl SecretDigest {
    /// A digest that no secret has: what an unknown client is compared with, so that it costs the
    /// same as a known one with a wrong secret.
    pub const NOBODY: Self = Self([0; 32]);

    /// Whether the two digests are of one secret, in constant time.
    pub fn matches(&self, other: &Self) -> bool {
        #[cfg(test)]
        crate::work::note(crate::work::Step::Comparison);
        constant_time::verify_slices_are_equal(&self.0, &other.0).is_ok()
    }

    /// The form kept in the store: the scheme's version, then the digest.
    pub fn to_stored(&self) -> String {
        format!("{SCHEME}:{}", hex(&self.0))
    }

    /// Reads the stored form; `None` for a scheme this version does not know.
    pub fn from_stored(text: &str) -> Option<Self> {
        let digits = text.strip_prefix(SCHEME)?.strip_prefix(':')?;
        let mut bytes = [0; 32];
        if digits.len() != 64 || !digits.is_ascii() {
            return None;
        }
        for (at, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&digits[2 * at..2 * at + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Debug for SecretDigest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SecretDigest([redacted])")
    }
}

/// Names the digest scheme in the store, so that it can change without locking a client out.
const SCHEME: &str = "hmac-sha256-1";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    #[test]
    fn a_prefixed_secret_can_be_found_by_its_prefix_and_checksum_and_needs_no_escaping() {
        let secret = Secret::generate_as(SecretFormat::Prefixed, &mut SystemRandom);
        let (body, sum) = secret.expose().split_at(4 + 43);
        assert!(body.starts_with("hps_"));
        assert_eq!(sum, checksum(body));
        assert!(Secret::is_prefixed(secret.expose()));
        let changed = secret.expose().replacen(sum, "00000000", 1);
        assert!(!Secret::is_prefixed(&changed) && !Secret::is_prefixed(body));
        assert!(
            body.bytes()
                .all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
        );
    }

    #[test]
    fn a_generated_secret_has_the_real_shape_and_is_never_printed() {
        let secret = Secret::generate(&mut SystemRandom);
        assert_eq!(secret.expose().len(), 32);
        assert!(
            secret
                .expose()
                .bytes()
                .all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
        );
        assert!(!format!("{secret:?}").contains(secret.expose()));
        assert_ne!(
            secret.expose(),
            Secret::generate(&mut SystemRandom).expose()
        );
    }

    #[test]
    fn only_the_same_secret_under_the_same_pepper_matches() {
        let pepper = Pepper::new([7; 32]);
        let secret = Secret::from("b8a1c7de".to_owned());
        let digest = pepper.digest(&secret);
        assert!(digest.matches(&pepper.digest(&secret)));
        assert!(!digest.matches(&Pepper::new([8; 32]).digest(&secret)));
        for near in ["b8a1c7d", "b8a1c7dee", "b8a1c7df", ""] {
            assert!(
                !digest.matches(&pepper.digest(&Secret::from(near.to_owned()))),
                "{near}"
            );
        }
    }

    #[test]
    fn the_stored_form_is_read_back_and_unknown_schemes_are_not() {
        let digest = Pepper::new([7; 32]).digest(&Secret::from("x".to_owned()));
        let stored = digest.to_stored();
        assert!(SecretDigest::from_stored(&stored).unwrap().matches(&digest));
        assert!(SecretDigest::from_stored("md5:00").is_none());
        assert!(SecretDigest::from_stored("hmac-sha256-1:éé").is_none());
        assert!(!SecretDigest::NOBODY.matches(&digest));
    }

    /// RFC 4231 section 4.3, test case 2 (its key, padded with the zeros that HMAC itself adds).
    #[test]
    fn the_digest_is_hmac_sha_256() {
        let mut key = [0; 32];
        key[..4].copy_from_slice(b"Jefe");
        let digest =
            Pepper::new(key).digest(&Secret::from("what do ya want for nothing?".to_owned()));
        assert_eq!(
            digest.to_stored(),
            "hmac-sha256-1:5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
        );
    }
}
