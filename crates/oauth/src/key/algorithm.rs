//! The closed list of signature algorithms and the kinds of keys that go with them.
//!
//! RFC 8725 section 3.1 asks for a list of the server's own; this is it. Whatever is not here,
//! above all `none` and the symmetric algorithms, has no name inside this program.

use std::fmt;
use std::str::FromStr;

/// How a token is signed (RFC 7518 section 3.1, RFC 8037 section 3.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256 (RFC 7518 section 3.3).
    Rs256,
    /// ECDSA on P-256 with SHA-256 (RFC 7518 section 3.4).
    Es256,
    /// EdDSA, here always with Ed25519 (RFC 8037 section 3.1).
    EdDSA,
}

impl Algorithm {
    /// All of them, in the order in which they are advertised.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Es256, Self::EdDSA];

    /// The value of `alg`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
            Self::EdDSA => "EdDSA",
        }
    }

    /// The values of `alg` that mean it, the one written here first. RFC 9864 section 2.2 gives
    /// EdDSA with Ed25519 a name of its own; new libraries write that one, older verifiers know only
    /// the other.
    pub fn names(self) -> &'static [&'static str] {
        match self {
            Self::Rs256 => &["RS256"],
            Self::Es256 => &["ES256"],
            Self::EdDSA => &["EdDSA", "Ed25519"],
        }
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A signature algorithm outside the list. The word itself is not kept: it may be anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the signature algorithm is none of RS256, ES256 and EdDSA")]
pub struct UnknownAlgorithm;

impl FromStr for Algorithm {
    type Err = UnknownAlgorithm;

    /// Case matters (RFC 7515 section 4.1.1).
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|algorithm| algorithm.names().contains(&text))
            .ok_or(UnknownAlgorithm)
    }
}

/// What kind of key to make; in a configuration file, the name that [`Self::as_str`] gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum KeySpec {
    /// RSA with 2048 bits, as the real system has it: every verifier knows RS256.
    #[default]
    Rsa2048,
    /// RSA with 3072 bits.
    Rsa3072,
    /// RSA with 4096 bits.
    Rsa4096,
    /// The NIST curve P-256.
    EcP256,
    /// The Edwards curve of RFC 8032.
    Ed25519,
}

impl KeySpec {
    /// All of them.
    pub const ALL: [Self; 5] = [
        Self::Rsa2048,
        Self::Rsa3072,
        Self::Rsa4096,
        Self::EcP256,
        Self::Ed25519,
    ];

    /// What a key of this kind signs with.
    pub fn algorithm(self) -> Algorithm {
        match self {
            Self::Rsa2048 | Self::Rsa3072 | Self::Rsa4096 => Algorithm::Rs256,
            Self::EcP256 => Algorithm::Es256,
            Self::Ed25519 => Algorithm::EdDSA,
        }
    }

    /// The name in a configuration file.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rsa2048 => "rsa-2048",
            Self::Rsa3072 => "rsa-3072",
            Self::Rsa4096 => "rsa-4096",
            Self::EcP256 => "ec-p256",
            Self::Ed25519 => "ed25519",
        }
    }
}

impl fmt::Display for KeySpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that no kind of key has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no kind of key: use rsa-2048, rsa-3072 or rsa-4096 (RS256), ec-p256 (ES256) or ed25519 (EdDSA)"
)]
pub struct UnknownKeySpec(String);

impl FromStr for KeySpec {
    type Err = UnknownKeySpec;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|spec| spec.as_str() == text)
            .ok_or_else(|| UnknownKeySpec(text.chars().take(64).collect()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_listed_algorithms_have_a_name_and_case_matters() {
        for algorithm in Algorithm::ALL {
            assert_eq!(algorithm.names()[0], algorithm.as_str());
            for name in algorithm.names() {
                assert_eq!(name.parse(), Ok(algorithm));
            }
        }
        assert_eq!("Ed25519".parse(), Ok(Algorithm::EdDSA));
        for word in [
            "none", "None", "HS256", "rs256", "PS256", "ES384", "eddsa", "Ed448", "",
        ] {
            let error = word.parse::<Algorithm>().unwrap_err().to_string();
            assert!(error.contains("RS256, ES256 and EdDSA"), "{word}: {error}");
        }
    }

    #[test]
    fn kinds_of_keys_are_read_by_the_names_they_print() {
        for spec in KeySpec::ALL {
            assert_eq!(spec.to_string().parse(), Ok(spec));
        }
        assert_eq!(KeySpec::default().to_string(), "rsa-2048");
        assert_eq!(KeySpec::EcP256.algorithm().as_str(), "ES256");
        assert_eq!(KeySpec::Ed25519.algorithm().as_str(), "EdDSA");
        let error = "rsa-1024".parse::<KeySpec>().unwrap_err().to_string();
        assert!(
            error.contains("rsa-1024") && error.contains("ec-p256"),
            "{error}"
        );
    }
}
