//! Signing keys and the set of public keys that is published (RFC 7517).
//!
//! A key is parsed once and held: parsing it for every signature costs more than half of what the
//! machine can sign (design, section 7).

use aws_lc_rs::encoding::{AsDer as _, Pkcs8V1Der};
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{
    KeyPair as _, ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    RsaPublicKeyComponents,
};
use aws_lc_rs::{digest, rand};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use crate::identifier::KeyId;

/// A private key that signs tokens with RS256 (RFC 7518 section 3.3).
pub struct SigningKey {
    id: KeyId,
    pair: KeyPair,
}

/// The key material was refused or the signature could not be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not an RSA private key of 2048 to 8192 bits in PKCS#8.
    #[error("the private key is no RSA key of at least 2048 bits in PKCS#8")]
    Rejected,
    /// The cryptographic library failed.
    #[error("the cryptographic library failed")]
    Failed,
    /// A public key that is no usable RSA key.
    #[error("the public key is no RSA key of at least 2048 bits with base64url members")]
    PublicRejected,
}

impl SigningKey {
    /// Makes a new RSA-2048 key. aws-lc-rs draws the primes from its own system generator.
    pub fn generate() -> Result<Self, KeyError> {
        let pair = KeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::Failed)?;
        Ok(Self::new(pair))
    }

    /// Reads a private key in PKCS#8 DER.
    pub fn from_pkcs8(der: &[u8]) -> Result<Self, KeyError> {
        KeyPair::from_pkcs8(der)
            .map(Self::new)
            .map_err(|_| KeyError::Rejected)
    }

    /// The private key in PKCS#8 DER, for the store to encrypt.
    pub fn to_pkcs8(&self) -> Result<Zeroizing<Vec<u8>>, KeyError> {
        let der: Pkcs8V1Der<'_> = self.pair.as_der().map_err(|_| KeyError::Failed)?;
        Ok(Zeroizing::new(der.as_ref().to_vec()))
    }

    /// The key's id: what tokens carry as `kid`.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// The public half.
    pub fn public_key(&self) -> Result<VerifyingKey, KeyError> {
        let components: RsaPublicKeyComponents<Vec<u8>> = self.pair.public_key().into();
        VerifyingKey::from_components(components.n, components.e)
    }

    /// Signs with RSASSA-PKCS1-v1_5 and SHA-256.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, KeyError> {
        let mut signature = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(
                &RSA_PKCS1_SHA256,
                &rand::SystemRandom::new(),
                message,
                &mut signature,
            )
            .map_err(|_| KeyError::Failed)?;
        Ok(signature)
    }

    fn new(pair: KeyPair) -> Self {
        let components: RsaPublicKeyComponents<Vec<u8>> = pair.public_key().into();
        Self {
            id: thumbprint(&components.n, &components.e),
            pair,
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.id)
    }
}

/// A public key that verifies tokens, parsed once.
pub struct VerifyingKey {
    id: KeyId,
    modulus: Vec<u8>,
    exponent: Vec<u8>,
    parsed: ParsedPublicKey,
}

impl VerifyingKey {
    /// Takes modulus and exponent, big-endian without leading zeros.
    pub fn from_components(modulus: Vec<u8>, exponent: Vec<u8>) -> Result<Self, KeyError> {
        // 2048 bits is the floor of RFC 7518 section 3.3; the library checks it only on use.
        if modulus.len() < 256 || modulus.len() > 1024 || modulus.first() == Some(&0) {
            return Err(KeyError::PublicRejected);
        }
        let parsed = RsaPublicKeyComponents {
            n: &modulus,
            e: &exponent,
        }
        .to_parsed_public_key(&RSA_PKCS1_2048_8192_SHA256)
        .map_err(|_| KeyError::PublicRejected)?;
        Ok(Self {
            id: thumbprint(&modulus, &exponent),
            modulus,
            exponent,
            parsed,
        })
    }

    /// The key's id.
    pub fn id(&self) -> &KeyId {
        &self.id
    }

    /// Whether `signature` is this key's over `message`.
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        self.parsed.verify_sig(message, signature).is_ok()
    }

    fn to_jwk(&self) -> Jwk {
        Jwk {
            kty: "RSA".to_owned(),
            key_use: Some("sig".to_owned()),
            alg: Some("RS256".to_owned()),
            kid: Some(self.id.as_str().to_owned()),
            n: Some(URL_SAFE_NO_PAD.encode(&self.modulus)),
            e: Some(URL_SAFE_NO_PAD.encode(&self.exponent)),
        }
    }

    fn from_jwk(jwk: &Jwk) -> Option<Self> {
        if jwk.kty != "RSA" || jwk.key_use.as_deref().is_some_and(|word| word != "sig") {
            return None;
        }
        let member = |text: &Option<String>| URL_SAFE_NO_PAD.decode(text.as_deref()?).ok();
        let key = Self::from_components(member(&jwk.n)?, member(&jwk.e)?).ok()?;
        let id = jwk.kid.as_deref().and_then(|kid| KeyId::parse(kid).ok());
        Some(Self {
            id: id.unwrap_or(key.id),
            ..key
        })
    }
}

impl std::fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "VerifyingKey({})", self.id)
    }
}

/// The public keys of an issuer (RFC 7517 section 5).
#[derive(Debug, Default)]
pub struct JwkSet(Vec<VerifyingKey>);

#[derive(Serialize, Deserialize)]
struct JwkSetWire {
    keys: Vec<Jwk>,
}

/// A key as RFC 7517 section 4 and RFC 7518 section 6.3.1 write it. Only public members exist, so
/// a private one can neither be published nor read.
#[derive(Serialize, Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use", default, skip_serializing_if = "Option::is_none")]
    key_use: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    alg: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kid: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    e: Option<String>,
}

impl JwkSet {
    /// A set of these keys.
    pub fn new(keys: Vec<VerifyingKey>) -> Self {
        Self(keys)
    }

    /// The key of that id.
    pub fn find(&self, id: &str) -> Option<&VerifyingKey> {
        self.0.iter().find(|key| key.id.as_str() == id)
    }

    /// The ids, in the order of publication.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.0.iter().map(|key| &key.id)
    }

    /// The published document.
    pub fn to_json(&self) -> String {
        let wire = JwkSetWire {
            keys: self.0.iter().map(VerifyingKey::to_jwk).collect(),
        };
        serde_json::to_string(&wire).unwrap_or_default()
    }

    /// Reads a published document. Keys of other types or uses are passed over, as RFC 7517
    /// section 5 asks.
    pub fn from_json(body: &[u8]) -> Result<Self, serde_json::Error> {
        let wire: JwkSetWire = serde_json::from_slice(body)?;
        Ok(Self(
            wire.keys
                .iter()
                .filter_map(VerifyingKey::from_jwk)
                .collect(),
        ))
    }
}

/// The key id: the RFC 7638 thumbprint over the required members, cut to 20 bytes so that it has
/// the 27 characters of the real system's key ids (domain facts, section 2.3).
fn thumbprint(modulus: &[u8], exponent: &[u8]) -> KeyId {
    let members = format!(
        r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#,
        URL_SAFE_NO_PAD.encode(exponent),
        URL_SAFE_NO_PAD.encode(modulus)
    );
    let hash = digest::digest(&digest::SHA256, members.as_bytes());
    KeyId::parse(&URL_SAFE_NO_PAD.encode(&hash.as_ref()[..20]))
        .expect("base64url of 20 bytes is a key id")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_storage_and_publication_and_verifies_its_own_signatures() {
        let key = SigningKey::generate().unwrap();
        let stored = SigningKey::from_pkcs8(&key.to_pkcs8().unwrap()).unwrap();
        assert_eq!(stored.id(), key.id());
        assert_eq!(key.id().as_str().len(), 27);
        let signature = stored.sign(b"message").unwrap();
        let set = JwkSet::new(vec![key.public_key().unwrap()]);
        let read = JwkSet::from_json(set.to_json().as_bytes()).unwrap();
        let public = read.find(key.id().as_str()).unwrap();
        assert!(public.verifies(b"message", &signature));
        assert!(!public.verifies(b"messagf", &signature));
        assert!(!set.to_json().contains("\"d\""));
    }

    /// RFC 7638 section 3.1: the example key and its thumbprint, of which 20 bytes are used.
    #[test]
    fn the_key_id_is_the_rfc_7638_thumbprint() {
        let n = "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw";
        let modulus = URL_SAFE_NO_PAD.decode(n).unwrap();
        let id = thumbprint(&modulus, &[1, 0, 1]);
        let full = URL_SAFE_NO_PAD
            .decode("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs")
            .unwrap();
        assert_eq!(URL_SAFE_NO_PAD.decode(id.as_str()).unwrap(), full[..20]);
    }

    #[test]
    fn weak_foreign_and_encryption_keys_are_passed_over() {
        assert_eq!(
            VerifyingKey::from_components(vec![0xff; 128], vec![1, 0, 1]).unwrap_err(),
            KeyError::PublicRejected
        );
        let body = br#"{"keys":[{"kty":"EC","crv":"P-256"},{"kty":"RSA","use":"enc","n":"AQAB","e":"AQAB"}]}"#;
        assert_eq!(JwkSet::from_json(body).unwrap().ids().count(), 0);
        assert!(SigningKey::from_pkcs8(b"not a key").is_err());
    }
}
