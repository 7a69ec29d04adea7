//! What a private key's DER says it is: PKCS#8 (RFC 5958), PKCS#1 (RFC 8017 appendix A.1.2) and
//! SEC1 (RFC 5915). The library then reads the key itself; here it is named, so that a refusal can
//! say what the key is instead of what it is not.

use super::der::{CONTEXT_0, OBJECT_IDENTIFIER, OCTET_STRING, Reader, SEQUENCE};
use super::{KeyError, weakness};

/// The kinds of private keys that can sign here.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rsa,
    EcP256,
    Ed25519,
}

/// Names the key in a PKCS#8 `PrivateKeyInfo` and refuses weak numbers.
pub(super) fn inspect_pkcs8(der: &[u8]) -> Result<Kind, KeyError> {
    let damaged = KeyError::Unreadable("PKCS#8");
    let (algorithm, parameters, key) = private_key_info(der).ok_or(damaged)?;
    let kind = match algorithm {
        oid::RSA => Kind::Rsa,
        oid::EC => curve(parameters)?,
        oid::ED25519 => Kind::Ed25519,
        other => return Err(foreign(other)),
    };
    if kind == Kind::Rsa {
        inspect_pkcs1(key)?;
    }
    Ok(kind)
}

/// Refuses weak numbers in a PKCS#1 `RSAPrivateKey`.
pub(super) fn inspect_pkcs1(der: &[u8]) -> Result<(), KeyError> {
    let numbers = || {
        let mut key = Reader::only_sequence(der)?;
        key.unsigned()?;
        Some((key.unsigned()?, key.unsigned()?))
    };
    let (modulus, exponent) = numbers().ok_or(KeyError::Unreadable("PKCS#1"))?;
    Ok(weakness::check_rsa(modulus, exponent)?)
}

/// Names the curve of a SEC1 `ECPrivateKey`. RFC 5915 section 3 demands that it is named.
pub(super) fn inspect_sec1(der: &[u8]) -> Result<Kind, KeyError> {
    let parameters = || {
        let mut key = Reader::only_sequence(der)?;
        key.unsigned()?;
        key.expect(OCTET_STRING)?;
        key.expect(CONTEXT_0)
    };
    curve(parameters().ok_or(KeyError::Unreadable("SEC1 that names its curve"))?)
}

/// Algorithm, its parameters and the key itself.
fn private_key_info(der: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let mut info = Reader::only_sequence(der)?;
    info.unsigned()?;
    let algorithm = info.expect(SEQUENCE)?;
    let key = info.expect(OCTET_STRING)?;
    let mut fields = Reader::new(algorithm);
    let name = fields.expect(OBJECT_IDENTIFIER)?;
    Some((name, fields.rest(), key))
}

fn curve(parameters: &[u8]) -> Result<Kind, KeyError> {
    let name = match Reader::new(parameters).expect(OBJECT_IDENTIFIER) {
        Some(oid::P256) => return Ok(Kind::EcP256),
        Some(oid::P224) => "an elliptic-curve key on P-224",
        Some(oid::P384) => "an elliptic-curve key on P-384",
        Some(oid::P521) => "an elliptic-curve key on P-521",
        Some(oid::SECP256K1) => "an elliptic-curve key on secp256k1",
        Some(_) => "an elliptic-curve key on a curve other than P-256",
        None => "an elliptic-curve key whose curve is spelled out instead of named",
    };
    Err(KeyError::Foreign {
        found: name,
        advice: "make one on P-256 with `openssl genpkey -algorithm EC \
                 -pkeyopt ec_paramgen_curve:P-256`",
    })
}

fn foreign(algorithm: &[u8]) -> KeyError {
    let (found, advice) = match algorithm {
        oid::RSA_PSS => (
            "an RSA key that may sign with PSS only",
            "make one for RS256 with `openssl genpkey -algorithm RSA -pkeyopt rsa_keygen_bits:2048`",
        ),
        oid::ED448 => ("an Ed448 key", MAKE_ED25519),
        oid::X25519 | oid::X448 => (
            "a key for key agreement (X25519, X448), which cannot sign",
            MAKE_ED25519,
        ),
        oid::DSA => ("a DSA key", MAKE_ED25519),
        _ => ("a key of an unknown kind", MAKE_ED25519),
    };
    KeyError::Foreign { found, advice }
}

const MAKE_ED25519: &str =
    "make an RSA, P-256 or Ed25519 key, for example with `openssl genpkey -algorithm ED25519`";

/// Object identifiers in DER.
mod oid {
    /// rsaEncryption, RFC 8017 appendix C.
    pub(super) const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 1];
    /// id-RSASSA-PSS, RFC 8017 appendix C.
    pub(super) const RSA_PSS: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 10];
    /// id-dsa, RFC 3279 section 2.3.2.
    pub(super) const DSA: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
    /// id-ecPublicKey and the curves, RFC 5480 section 2.1.1.
    pub(super) const EC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 2, 1];
    pub(super) const P256: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 3, 1, 7];
    pub(super) const P224: &[u8] = &[0x2b, 0x81, 4, 0, 33];
    pub(super) const P384: &[u8] = &[0x2b, 0x81, 4, 0, 34];
    pub(super) const P521: &[u8] = &[0x2b, 0x81, 4, 0, 35];
    /// SEC 2 appendix A.2.1.
    pub(super) const SECP256K1: &[u8] = &[0x2b, 0x81, 4, 0, 10];
    /// RFC 8410 section 3.
    pub(super) const X25519: &[u8] = &[0x2b, 101, 110];
    pub(super) const X448: &[u8] = &[0x2b, 101, 111];
    pub(super) const ED25519: &[u8] = &[0x2b, 101, 112];
    pub(super) const ED448: &[u8] = &[0x2b, 101, 113];
}
