//! Signing keys and the sets of public keys that belong to them.
//!
//! A private key is parsed once and held: parsing it for every signature costs more than half of
//! what the machine can sign (design, section 7). A key knows its one algorithm (RFC 8725 section
//! 3.1), and weak keys do not get in. Nothing here knows when a key is published or retired, or how
//! it is kept.
//!
//! | Subject | Module |
//! | --- | --- |
//! | the closed list of algorithms, the kinds of keys | [`Algorithm`], [`KeySpec`] |
//! | private keys | [`SigningKey`]; what they look like from outside: `pem`, `encoding`, `der` |
//! | public keys | [`VerifyingKey`], [`JwkSet`] |
//! | what is refused and why | [`KeyError`], [`Weakness`], [`JwkSetError`] |

mod algorithm;
mod der;
mod encoding;
mod jwk;
mod jwk_set;
mod nobody;
mod pem;
mod public;
mod weakness;

use std::fmt;

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair as RsaKeyPair, KeySize};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RSA_PKCS1_SHA256,
    RsaPublicKeyComponents,
};
use zeroize::Zeroizing;

use crate::identifier::KeyId;
use encoding::Kind;
use pem::Form;
use public::PublicMaterial;

pub use algorithm::{Algorithm, KeySpec, UnknownAlgorithm, UnknownKeySpec};
pub use jwk::JwkProblem;
pub use jwk_set::{JwkSet, JwkSetError, MOST_REGISTERED_KEYS};
pub(crate) use nobody::nobodys_key;
pub use public::VerifyingKey;
pub use weakness::Weakness;

/// The key material was refused or the signature could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Failed,
    /// The text is no PEM with one private key.
    #[error("the text is no private key in PEM: {0}")]
    Pem(&'static str),
    /// The DER does not have the form it should have.
    #[error(
        "the private key is damaged, or not in {0}; `openssl pkey -in FILE -check` tells more, and with `-out key.pem` writes it in PKCS#8"
    )]
    Unreadable(&'static str),
    /// Something else, or a key that cannot sign with one of the listed algorithms.
    #[error("this is {found}: {advice}")]
    Foreign {
        /// What it is.
        found: &'static str,
        /// What to do.
        advice: &'static str,
    },
    /// Too weak.
    #[error("the key {0}")]
    Weak(Weakness),
    /// A public key whose numbers are none.
    #[error("the numbers of the public key are no such key")]
    PublicRejected,
}

// By hand: a source would be printed a second time by whoever prints the chain.
impl From<Weakness> for KeyError {
    fn from(weakness: Weakness) -> Self {
        Self::Weak(weakness)
    }
}

/// A private key that signs tokens.
pub struct SigningKey {
    id: KeyId,
    pair: Pair,
    public: PublicMaterial,
}

/// The parsed key. The library wipes its memory when it is dropped.
enum Pair {
    Rsa(RsaKeyPair),
    EcP256(EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl SigningKey {
    /// Makes a new key. aws-lc-rs draws the numbers from its own system generator.
    pub fn generate(spec: KeySpec) -> Result<Self, KeyError> {
        let rsa = |size| RsaKeyPair::generate(size).map(Pair::Rsa);
        let pair = match spec {
            KeySpec::Rsa2048 => rsa(KeySize::Rsa2048),
            KeySpec::Rsa3072 => rsa(KeySize::Rsa3072),
            KeySpec::Rsa4096 => rsa(KeySize::Rsa4096),
            KeySpec::EcP256 => {
                EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).map(Pair::EcP256)
            }
            KeySpec::Ed25519 => Ed25519KeyPair::generate().map(Pair::Ed25519),
        };
        Self::new(pair.map_err(|_| KeyError::Failed)?)
    }

    /// Reads a private key in PKCS#8 DER (RFC 5958); which kind it is, it says itself.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        let pair = match encoding::inspect_pkcs8(der)? {
            Kind::Rsa => RsaKeyPair::from_pkcs8(der).map(Pair::Rsa),
            Kind::EcP256 => {
                EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der).map(Pair::EcP256)
            }
            Kind::Ed25519 => Ed25519KeyPair::from_pkcs8(der).map(Pair::Ed25519),
        };
        Self::new(pair.map_err(|_| KeyError::Unreadable("PKCS#8"))?)
    }

    /// Reads a private key that another program wrote: one PEM block with PKCS#8, PKCS#1 or SEC1.
    /// The text itself is the caller's to wipe.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        let (form, der) = pem::private_key(text)?;
        match form {
            Form::Pkcs8 => Self::from_pkcs8(&der),
            Form::Pkcs1 => {
                encoding::inspect_pkcs1(&der)?;
                let pair =
                    RsaKeyPair::from_der(&der).map_err(|_| KeyError::Unreadable("PKCS#1"))?;
                Self::new(Pair::Rsa(pair))
            }
            Form::Sec1 => {
                encoding::inspect_sec1(&der)?;
                let pair =
                    EcdsaKeyPair::from_private_key_der(&ECDSA_P256_SHA256_FIXED_SIGNING, &der)
                        .map_err(|_| KeyError::Unreadable("SEC1"))?;
                Self::new(Pair::EcP256(pair))
            }
        }
    }

    /// The private key in PKCS#8 DER, for the store to encrypt.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let copy = |der: &[u8]| Zeroizing::new(der.to_vec());
        let der = match &self.pair {
            Pair::Rsa(pair) => pair.as_der().map(|der: Pkcs8V1Der<'_>| copy(der.as_ref())),
            Pair::EcP256(pair) => pair.to_pkcs8v1().map(|der| copy(der.as_ref())),
            Pair::Ed25519(pair) => pair.to_pkcs8v1().map(|der| copy(der.as_ref())),
        };
        der.map_err(|_| KeyError::Failed)
    }

    /// The key's id: what tokens carry as `kid`.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// What it signs with.
    pub fn algorithm(&self) -> Algorithm {
        self.public.algorithm()
    }

    /// What kind of key it is, in the words of [`KeySpec`]; an RSA key from elsewhere may have a size
    /// that none is made of here.
    pub fn kind(&self) -> String {
        match &self.pair {
            Pair::Rsa(pair) => format!("rsa-{}", pair.public_modulus_len() * 8),
            Pair::EcP256(_) => KeySpec::EcP256.to_string(),
            Pair::Ed25519(_) => KeySpec::Ed25519.to_string(),
        }
    }

    /// The public half.
    pub fn public_key(&self) -> Result<VerifyingKey, KeyError> {
        VerifyingKey::new(self.public.clone())
    }

    /// Signs. The signature has the form that RFC 7518 sections 3.3 and 3.4 and RFC 8037 section 3.1
    /// give it; for ES256 that is r and s at full length, not the DER that other protocols use.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        // The library takes its randomness from the system and ignores this argument.
        let random = SystemRandom::new();
        let signature = match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, message, &mut signature)
                    .map(|()| signature)
            }
            Pair::EcP256(pair) => pair
                .sign(&random, message)
                .map(|signature| signature.as_ref().to_vec()),
            Pair::Ed25519(pair) => pair
                .try_sign(message)
                .map(|signature| signature.as_ref().to_vec()),
        };
        signature.map_err(|_| KeyError::Failed)
    }

    fn new(pair: Pair) -> Result<Self, KeyError> {
        let public = pair.public().ok_or(KeyError::Failed)?;
        weakness::check(&public)?;
        Ok(Self {
            id: public.id(),
            pair,
            public,
        })
    }
}

impl Pair {
    fn public(&self) -> Option<PublicMaterial> {
        match self {
            Self::Rsa(pair) => {
                let components: RsaPublicKeyComponents<Vec<u8>> = pair.public_key().into();
                Some(PublicMaterial::Rsa {
                    modulus: components.n,
                    exponent: components.e,
                })
            }
            // The uncompressed point: 4, x, y (SEC 1 section 2.3.3).
            Self::EcP256(pair) => {
                let (x, y) = pair
                    .public_key()
                    .as_ref()
                    .strip_prefix(&[4])?
                    .split_at_checked(32)?;
                Some(PublicMaterial::EcP256 {
                    x: x.try_into().ok()?,
                    y: y.try_into().ok()?,
                })
            }
            Self::Ed25519(pair) => Some(PublicMaterial::Ed25519 {
                x: pair.public_key().as_ref().try_into().ok()?,
            }),
        }
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({}, {})", self.algorithm(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    pub(super) const RFC7515_A2_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
    pub(super) const RFC7638_N: &str = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
    pub(super) const RFC7515_A3: (&str, &str) = (
        "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
    );
    pub(super) const RFC7517_A_EC: (&str, &str) = (
        "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
        "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM",
    );
    pub(super) const RFC8037_X: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";

    pub(super) fn bytes(text: &str) -> Vec<u8> {
        URL_SAFE_NO_PAD.decode(text).unwrap()
    }

    #[test]
    fn every_kind_of_key_survives_storage_and_publication_and_verifies_its_own_signatures() {
        for spec in KeySpec::ALL {
            let key = SigningKey::generate(spec).unwrap();
            let stored = SigningKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
            assert_eq!(stored.id(), key.id(), "{spec}");
            assert_eq!(stored.algorithm(), spec.algorithm());
            let signature = stored.sign(b"message").unwrap();
            let set = JwkSet::new([key.public_key().unwrap()]);
            let read = JwkSet::from_json(set.to_json().as_bytes()).unwrap();
            let public = read.find(key.id().as_str()).unwrap();
            assert_eq!(public.algorithm(), spec.algorithm());
            assert!(public.verifies(b"message", &signature), "{spec}");
            assert!(!public.verifies(b"messagf", &signature), "{spec}");
            let longer = [&signature[..], &[0]].concat();
            for wrong in [&signature[1..], &signature[..10], &[], &longer] {
                assert!(!public.verifies(b"message", wrong), "{spec}");
            }
        }
    }

    #[test]
    fn signatures_have_the_length_that_jose_gives_them() {
        for (spec, length) in [
            (KeySpec::Rsa2048, 256),
            (KeySpec::Rsa3072, 384),
            (KeySpec::EcP256, 64),
            (KeySpec::Ed25519, 64),
        ] {
            let key = SigningKey::generate(spec).unwrap();
            for message in 0..20 {
                assert_eq!(key.sign(&[message]).unwrap().len(), length, "{spec}");
            }
        }
    }

    /// The key of RFC 8037 appendix A.1, as PKCS#8 holds it (RFC 8410 section 7).
    #[test]
    fn a_private_key_that_stands_in_a_standard_is_refused() {
        let mut der = b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20".to_vec();
        der.extend(bytes("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A"));
        let error = SigningKey::from_pkcs8(&der).unwrap_err();
        assert_eq!(
            error,
            KeyError::Weak(Weakness::Published("RFC 8037 appendix A.1"))
        );
        *der.last_mut().unwrap() ^= 1;
        assert!(SigningKey::from_pkcs8(&der).is_ok(), "its neighbour");
    }

    #[test]
    fn no_private_number_is_printed() {
        for spec in [KeySpec::Rsa2048, KeySpec::EcP256, KeySpec::Ed25519] {
            let key = SigningKey::generate(spec).unwrap();
            let printed = format!("{key:?}");
            assert_eq!(
                printed,
                format!("SigningKey({}, {})", spec.algorithm(), key.id())
            );
        }
    }
}
