//! Public keys: their numbers, their ids and the checking of signatures.

use std::fmt;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ED25519, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256,
    RsaPublicKeyComponents,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Algorithm, KeyError, weakness};
use crate::identifier::KeyId;

/// The numbers of a public key, as RFC 7518 section 6 and RFC 8037 section 2 name them.
#[derive(Clone)]
pub(super) enum PublicMaterial {
    /// Big-endian without leading zeros.
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    /// The coordinates at full length (RFC 7518 section 6.2.1.2).
    EcP256 { x: [u8; 32], y: [u8; 32] },
    /// The point as RFC 8032 section 5.1.2 encodes it.
    Ed25519 { x: [u8; 32] },
}

impl PublicMaterial {
    pub(super) fn algorithm(&self) -> Algorithm {
        match self {
            Self::Rsa { .. } => Algorithm::Rs256,
            Self::EcP256 { .. } => Algorithm::Es256,
            Self::Ed25519 { .. } => Algorithm::EdDSA,
        }
    }

    /// The thumbprint over the required members in the order of their names (RFC 7638 section 3,
    /// RFC 8037 section 2), base64url.
    pub(super) fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.digest())
    }

    /// The key id: the thumbprint cut to 20 bytes, so that it has the 27 characters of the real
    /// system's key ids (domain facts, section 2.3).
    pub(super) fn id(&self) -> KeyId {
        KeyId::parse(&URL_SAFE_NO_PAD.encode(&self.digest().as_ref()[..20]))
            .expect("base64url of 20 bytes is a key id")
    }

    fn digest(&self) -> digest::Digest {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let members = match self {
            Self::Rsa { modulus, exponent } => format!(
                r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
                text(exponent),
                text(modulus)
            ),
            Self::EcP256 { x, y } => format!(
                r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#,
                text(x),
                text(y)
            ),
            Self::Ed25519 { x } => {
                format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, text(x))
            }
        };
        digest::digest(&digest::SHA256, members.as_bytes())
    }

    fn parse(&self) -> Option<ParsedPublicKey> {
        match self {
            // An even number is no product of two odd primes; the library notices only on use.
            Self::Rsa { modulus, .. } if modulus.last().is_none_or(|byte| byte % 2 == 0) => None,
            Self::Rsa { modulus, exponent } => RsaPublicKeyComponents {
                n: modulus,
                e: exponent,
            }
            .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
            .ok(),
            // Uncompressed, SEC 1 section 2.3.3; the library refuses what is not on the curve.
            Self::EcP256 { x, y } => {
                let point = [&[4], x.as_slice(), y].concat();
                ParsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).ok()
            }
            Self::Ed25519 { x } => ParsedPublicKey::new(&ED25519, x).ok(),
        }
    }
}

/// A public key that verifies tokens, parsed once.
pub struct VerifyingKey {
    id: KeyId,
    material: PublicMaterial,
    parsed: ParsedPublicKey,
}

impl VerifyingKey {
    /// Takes a key that is not weak.
    pub(super) fn new(material: PublicMaterial) -> Result<Self, KeyError> {
        weakness::check(&material)?;
        Self::unchecked(material)
    }

    /// Takes any key; the standards' own examples can only be checked with keys that are refused.
    pub(super) fn unchecked(material: PublicMaterial) -> Result<Self, KeyError> {
        let parsed = material.parse().ok_or(KeyError::PublicRejected)?;
        Ok(Self {
            id: material.id(),
            material,
            parsed,
        })
    }

    /// The same key under the id that its owner gave it.
    pub(super) fn with_id(self, id: KeyId) -> Self {
        Self { id, ..self }
    }

    pub(super) fn material(&self) -> &PublicMaterial {
        &self.material
    }

    /// The key's id: what tokens carry as `kid`.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The one algorithm this key is for (RFC 8725 section 3.1).
    pub fn algorithm(&self) -> Algorithm {
        self.material.algorithm()
    }

    /// Whether `signature` is this key's over `message`. One of the wrong length is not.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({}, {})", self.algorithm(), self.id)
    }
}
