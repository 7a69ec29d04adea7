//! One public key as JSON (RFC 7517 section 4, RFC 7518 section 6, RFC 8037 section 2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use super::public::{PublicMaterial, VerifyingKey};
use super::weakness::Weakness;
use super::{Algorithm, KeyError};
use crate::identifier::KeyId;

/// A key as it is printed. Only public members exist, so a private one cannot be published.
#[derive(Serialize)]
pub(super) struct PrintedJwk<'a> {
    kty: &'static str,
    #[serde(rename = "use")]
    key_use: &'static str,
    alg: &'static str,
    kid: &'a str,
    #[serde(flatten)]
    members: PrintedMembers,
}

#[derive(Serialize)]
#[serde(untagged)]
enum PrintedMembers {
    Rsa {
        n: String,
        e: String,
    },
    Ec {
        crv: &'static str,
        x: String,
        y: String,
    },
    Okp {
        crv: &'static str,
        x: String,
    },
}

impl<'a> From<&'a VerifyingKey> for PrintedJwk<'a> {
    fn from(key: &'a VerifyingKey) -> Self {
        let text = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        let (kty, members) = match key.material() {
            PublicMaterial::Rsa { modulus, exponent } => (
                "RSA",
                PrintedMembers::Rsa {
                    n: text(modulus),
                    e: text(exponent),
                },
            ),
            PublicMaterial::EcP256 { x, y } => (
                "EC",
                PrintedMembers::Ec {
                    crv: "P-256",
                    x: text(x),
                    y: text(y),
                },
            ),
            PublicMaterial::Ed25519 { x } => (
                "OKP",
                PrintedMembers::Okp {
                    crv: "Ed25519",
                    x: text(x),
                },
            ),
        };
        Self {
            kty,
            key_use: "sig",
            alg: key.algorithm().as_str(),
            kid: key.id().as_str(),
            members,
        }
    }
}

/// A key as somebody else wrote it. Of private members only their presence is kept.
#[derive(Deserialize)]
pub(super) struct ReadJwk {
    kty: String,
    #[serde(rename = "use")]
    key_use: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    pub(super) kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<IgnoredAny>,
    p: Option<IgnoredAny>,
    q: Option<IgnoredAny>,
    dp: Option<IgnoredAny>,
    dq: Option<IgnoredAny>,
    qi: Option<IgnoredAny>,
    oth: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
    #[serde(rename = "priv")]
    private: Option<IgnoredAny>,
}

/// What is wrong with one key of a set; reads on after the name of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum JwkProblem {
    /// A private member: the key is no secret any more.
    #[error(
        "has the private member `{0}`: make a new key, since this one was given away, and register its public half"
    )]
    Private(&'static str),
    /// A symmetric key.
    #[error(
        "is symmetric (kty `oct`): register the public half of an RSA, EC P-256 or Ed25519 key"
    )]
    Symmetric,
    /// Good for something else, or for an algorithm that is not on the list.
    #[error("is not used: {0}")]
    Foreign(&'static str),
    /// Members missing or of the wrong form.
    #[error("is damaged: {0}")]
    Damaged(&'static str),
    /// Too weak.
    #[error("{0}")]
    Weak(Weakness),
}

impl ReadJwk {
    /// The key, if it is one that verifies signatures by one of the listed algorithms.
    pub(super) fn verifying_key(&self) -> Result<VerifyingKey, JwkProblem> {
        if self.kty == "oct" {
            return Err(JwkProblem::Symmetric);
        }
        if let Some(member) = self.private_member() {
            return Err(JwkProblem::Private(member));
        }
        self.check_purpose()?;
        let material = self.material()?;
        self.check_algorithm(material.algorithm())?;
        VerifyingKey::new(material).map_err(|error| match error {
            KeyError::Weak(weakness) => JwkProblem::Weak(weakness),
            _ => JwkProblem::Damaged("its numbers are no public key (a point off the curve?)"),
        })
    }

    /// The id its owner gave it; the error is for one that has not the form of a key id.
    pub(super) fn given_id(&self) -> Result<Option<KeyId>, JwkProblem> {
        let parse = |kid: &String| KeyId::parse(kid);
        self.kid
            .as_ref()
            .map(parse)
            .transpose()
            .map_err(|_| JwkProblem::Damaged(KID))
    }

    fn private_member(&self) -> Option<&'static str> {
        [
            ("d", &self.d),
            ("p", &self.p),
            ("q", &self.q),
            ("dp", &self.dp),
            ("dq", &self.dq),
            ("qi", &self.qi),
            ("oth", &self.oth),
            ("k", &self.k),
            ("priv", &self.private),
        ]
        .into_iter()
        .find_map(|(name, member)| member.as_ref().map(|_| name))
    }

    /// RFC 7517 sections 4.2 and 4.3.
    fn check_purpose(&self) -> Result<(), JwkProblem> {
        if self.key_use.as_deref().is_some_and(|word| word != "sig") {
            return Err(JwkProblem::Foreign("its `use` is not `sig`"));
        }
        let verifies = |operations: &Vec<String>| operations.iter().any(|word| word == "verify");
        if self.key_ops.as_ref().is_some_and(|list| !verifies(list)) {
            return Err(JwkProblem::Foreign("its `key_ops` lack `verify`"));
        }
        Ok(())
    }

    /// RFC 8725 section 3.1: one key, one algorithm. A key that says another is not bent to ours.
    fn check_algorithm(&self, algorithm: Algorithm) -> Result<(), JwkProblem> {
        match &self.alg {
            Some(alg) if !algorithm.names().contains(&alg.as_str()) => Err(JwkProblem::Foreign(
                "its `alg` is not the one of RS256 (RSA), ES256 (EC P-256) and EdDSA (Ed25519) \
                 that goes with its `kty`",
            )),
            _ => Ok(()),
        }
    }

    fn material(&self) -> Result<PublicMaterial, JwkProblem> {
        match (self.kty.as_str(), self.crv.as_deref()) {
            ("RSA", _) => Ok(PublicMaterial::Rsa {
                modulus: number(self.n.as_deref(), RSA)?,
                exponent: number(self.e.as_deref(), RSA)?,
            }),
            ("EC", Some("P-256")) => Ok(PublicMaterial::EcP256 {
                x: coordinate(self.x.as_deref(), EC)?,
                y: coordinate(self.y.as_deref(), EC)?,
            }),
            ("OKP", Some("Ed25519")) => Ok(PublicMaterial::Ed25519 {
                x: coordinate(self.x.as_deref(), OKP)?,
            }),
            ("EC", _) => Err(JwkProblem::Foreign("its `crv` is not P-256")),
            ("OKP", _) => Err(JwkProblem::Foreign("its `crv` is not Ed25519")),
            _ => Err(JwkProblem::Foreign("its `kty` is none of RSA, EC and OKP")),
        }
    }
}

const RSA: &str = "`n` and `e` have to be base64url without padding and without leading zeros \
                   (RFC 7518 section 6.3.1)";
const EC: &str = "`x` and `y` have to be 32 bytes each in base64url without padding \
                  (RFC 7518 section 6.2.1)";
const OKP: &str = "`x` has to be 32 bytes in base64url without padding (RFC 8037 section 2)";
const KID: &str = "`kid` has to be 1 to 64 characters of base64url; rename the key, or leave `kid` \
                   out and the key is named after its thumbprint";

fn number(text: Option<&str>, problem: &'static str) -> Result<Vec<u8>, JwkProblem> {
    let bytes = decode(text, problem)?;
    match bytes.first() {
        None | Some(0) => Err(JwkProblem::Damaged(problem)),
        Some(_) => Ok(bytes),
    }
}

fn coordinate(text: Option<&str>, problem: &'static str) -> Result<[u8; 32], JwkProblem> {
    decode(text, problem)?
        .try_into()
        .map_err(|_| JwkProblem::Damaged(problem))
}

fn decode(text: Option<&str>, problem: &'static str) -> Result<Vec<u8>, JwkProblem> {
    text.and_then(|text| URL_SAFE_NO_PAD.decode(text).ok())
        .ok_or(JwkProblem::Damaged(problem))
}
