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

#[cfg(test)]
mod tests {
    use aws_lc_rs::encoding::{AsDer as _, EcPrivateKeyRfc5915Der};
    use aws_lc_rs::signature::{
        ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P256K1_SHA256_FIXED_SIGNING,
        ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
        EcdsaSigningAlgorithm,
    };
    use proptest::prelude::*;

    use super::*;
    use crate::key::pem::tests::block;
    use crate::key::weakness::Weakness;
    use crate::key::{KeySpec, SigningKey};

    /// Pkcs8 and SEC1 of a new key on some curve.
    fn on_curve(curve: &'static EcdsaSigningAlgorithm) -> (Vec<u8>, Vec<u8>) {
        let pair = EcdsaKeyPair::generate(curve).unwrap();
        let sec1: EcPrivateKeyRfc5915Der<'_> = pair.private_key().as_der().unwrap();
        let pkcs8 = pair.to_pkcs8v1().unwrap();
        (pkcs8.as_ref().to_vec(), sec1.as_ref().to_vec())
    }

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).unwrap().to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    }

    fn pkcs1(modulus: &[u8], exponent: &[u8]) -> Vec<u8> {
        let number = |bytes: &[u8]| element(2, &[&[0], bytes].concat());
        let rest = number(&[1]);
        element(
            SEQUENCE,
            &[
                &element(2, &[0]),
                &number(modulus),
                &number(exponent),
                &rest,
            ]
            .into_iter()
            .flatten()
            .copied()
            .collect::<Vec<u8>>(),
        )
    }

    fn pkcs8(algorithm: &[u8], key: &[u8]) -> Vec<u8> {
        let algorithm = element(SEQUENCE, &element(OBJECT_IDENTIFIER, algorithm));
        let key = element(OCTET_STRING, key);
        element(SEQUENCE, &[element(2, &[0]), algorithm, key].concat())
    }

    #[test]
    fn the_older_forms_are_read_as_the_same_key() {
        let (eight, sec1) = on_curve(&ECDSA_P256_SHA256_FIXED_SIGNING);
        let imported = SigningKey::from_pem(&block("EC PRIVATE KEY", &sec1)).unwrap();
        assert_eq!(imported.id(), SigningKey::from_pkcs8(&eight).unwrap().id());

        let key = SigningKey::generate(KeySpec::Rsa2048).unwrap();
        let stored = key.to_pkcs8().unwrap();
        let (_, _, one) = private_key_info(&stored).unwrap();
        let imported = SigningKey::from_pem(&block("RSA PRIVATE KEY", one)).unwrap();
        assert_eq!(imported.id(), key.id());
    }

    #[test]
    fn other_curves_are_named_with_the_command_that_makes_a_good_key() {
        for (curve, name) in [
            (&ECDSA_P384_SHA384_FIXED_SIGNING, "P-384"),
            (&ECDSA_P521_SHA512_FIXED_SIGNING, "P-521"),
            (&ECDSA_P256K1_SHA256_FIXED_SIGNING, "secp256k1"),
        ] {
            let (eight, sec1) = on_curve(curve);
            for text in [block("PRIVATE KEY", &eight), block("EC PRIVATE KEY", &sec1)] {
                let message = SigningKey::from_pem(&text).unwrap_err().to_string();
                assert!(
                    message.contains(name) && message.contains("ec_paramgen_curve:P-256"),
                    "{message}"
                );
            }
        }
    }

    #[test]
    fn other_kinds_of_keys_are_named() {
        for (algorithm, name) in [
            (oid::RSA_PSS, "PSS"),
            (oid::ED448, "Ed448"),
            (oid::X25519, "X25519"),
            (oid::DSA, "DSA"),
            (&[0x2a, 3], "unknown kind"),
        ] {
            let error = SigningKey::from_pkcs8(&pkcs8(algorithm, &[])).unwrap_err();
            let message = error.to_string();
            assert!(
                message.contains(name) && message.contains("openssl genpkey"),
                "{message}"
            );
        }
        let spelled_out = SigningKey::from_pkcs8(&pkcs8(oid::EC, &[])).unwrap_err();
        assert!(spelled_out.to_string().contains("spelled out"));
    }

    #[test]
    fn weak_rsa_keys_are_refused_by_their_numbers() {
        let short = pkcs1(&[0xff; 128], &[1, 0, 1]);
        let three = pkcs1(&[0xff; 256], &[3]);
        let long = pkcs1(&[0xff; 1024], &[1, 0, 1]);
        for (der, weakness) in [
            (short, Weakness::RsaBits(1024)),
            (three, Weakness::RsaExponent),
            (long, Weakness::RsaBits(8192)),
        ] {
            let expected = Some(KeyError::Weak(weakness));
            let one = SigningKey::from_pem(&block("RSA PRIVATE KEY", &der));
            assert_eq!(one.err(), expected);
            let eight = SigningKey::from_pkcs8(&pkcs8(oid::RSA, &der));
            assert_eq!(eight.err(), expected);
        }
        // Numbers of the right size that are no key.
        let broken = SigningKey::from_pkcs8(&pkcs8(oid::RSA, &pkcs1(&[0xff; 256], &[1, 0, 1])));
        assert_eq!(broken.err(), Some(KeyError::Unreadable("PKCS#8")));
    }

    #[test]
    fn nothing_may_follow_the_key() {
        for spec in [KeySpec::EcP256, KeySpec::Ed25519] {
            let mut der = SigningKey::generate(spec)
                .unwrap()
                .to_pkcs8()
                .unwrap()
                .to_vec();
            der.push(0);
            assert_eq!(
                SigningKey::from_pkcs8(&der).err(),
                Some(KeyError::Unreadable("PKCS#8")),
                "{spec}"
            );
        }
    }

    proptest! {
        #[test]
        fn no_damaged_key_panics(
            spec in 0..2_usize,
            at in any::<proptest::sample::Index>(),
            byte in any::<u8>(),
            cut in any::<proptest::sample::Index>(),
        ) {
            let spec = [KeySpec::EcP256, KeySpec::Ed25519][spec];
            let mut der = SigningKey::generate(spec).unwrap().to_pkcs8().unwrap().to_vec();
            let cut_short = der[..cut.index(der.len())].to_vec();
            prop_assert!(SigningKey::from_pkcs8(&cut_short).is_err());
            let at = at.index(der.len());
            der[at] = byte;
            let _ = SigningKey::from_pkcs8(&der);
            let _ = SigningKey::from_pem(&block("EC PRIVATE KEY", &der));
        }
    }
}
