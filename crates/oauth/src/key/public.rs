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
#[derive(Clone, PartialEq, Eq)]
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
    /// Whether the two are one key, whatever they are called.
    pub(super) fn is_same_key(&self, other: &Self) -> bool {
        self.material == other.material
    }

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
        #[cfg(test)]
        crate::work::note(crate::work::Step::Signature);
        self.parsed.verify_sig(message, signature).is_ok()
    }
}

impl fmt::Debug for VerifyingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "VerifyingKey({}, {})", self.algorithm(), self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key::tests::{RFC7515_A2_N, RFC7515_A3, RFC7638_N, RFC8037_X, bytes};

    fn rsa(n: &str) -> PublicMaterial {
        PublicMaterial::Rsa {
            modulus: bytes(n),
            exponent: vec![1, 0, 1],
        }
    }

    fn p256((x, y): (&str, &str)) -> PublicMaterial {
        PublicMaterial::EcP256 {
            x: bytes(x).try_into().unwrap(),
            y: bytes(y).try_into().unwrap(),
        }
    }

    fn ed25519(x: &str) -> PublicMaterial {
        PublicMaterial::Ed25519 {
            x: bytes(x).try_into().unwrap(),
        }
    }

    /// RFC 7638 section 3.1 and RFC 8037 appendix A.3.
    #[test]
    fn the_key_id_is_the_thumbprint_cut_to_twenty_bytes() {
        for (material, thumbprint) in [
            (
                rsa(RFC7638_N),
                "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs",
            ),
            (
                ed25519(RFC8037_X),
                "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k",
            ),
        ] {
            assert_eq!(material.thumbprint(), thumbprint);
            let id = material.id();
            assert_eq!(id.as_str().len(), 27);
            assert_eq!(bytes(id.as_str()), bytes(thumbprint)[..20]);
        }
    }

    /// RFC 7515 appendices A.2 and A.3, RFC 8037 appendix A.4: each signature is good for its own
    /// message and key and for no other.
    #[test]
    fn the_examples_of_the_standards_verify() {
        let payload = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
                       cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let examples = [
            (
                rsa(RFC7515_A2_N),
                format!("eyJhbGciOiJSUzI1NiJ9.{payload}"),
                "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7\
                 AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4\
                 BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K\
                 0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqv\
                 hJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrB\
                 p0igcN_IoypGlUPQGe77Rw",
            ),
            (
                p256(RFC7515_A3),
                format!("eyJhbGciOiJFUzI1NiJ9.{payload}"),
                "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSA\
                 pmWQxfKTUJqPP3-Kg6NU1Q",
            ),
            (
                ed25519(RFC8037_X),
                "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc".to_owned(),
                "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5B\
                 hVsPt9g7sVvpAr_MuM0KAg",
            ),
        ];
        for (at, (material, _, _)) in examples.iter().enumerate() {
            let key = VerifyingKey::unchecked(material.clone()).unwrap();
            for (other, (_, input, signature)) in examples.iter().enumerate() {
                let verified = key.verifies(input.as_bytes(), &bytes(signature));
                assert_eq!(verified, at == other, "key {at}, example {other}");
            }
        }
    }

    #[test]
    fn numbers_that_are_no_key_are_refused() {
        let refused = |material| VerifyingKey::new(material).unwrap_err();
        assert_eq!(
            refused(PublicMaterial::EcP256 {
                x: [1; 32],
                y: [1; 32]
            }),
            KeyError::PublicRejected,
            "a point off the curve"
        );
        let mut even = vec![0xff; 256];
        even[255] = 0xfe;
        assert_eq!(
            refused(PublicMaterial::Rsa {
                modulus: even,
                exponent: vec![1, 0, 1]
            }),
            KeyError::PublicRejected
        );
    }
}
