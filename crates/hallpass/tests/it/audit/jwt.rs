//! Tokens taken apart and put together by hand, so that nothing of the product decides what is in
//! them.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hallpass_oauth::SigningKey;
use hallpass_oauth::key::KeySpec;
use jsonwebtoken::{Algorithm, EncodingKey};
use serde_json::Value;

/// Header and claims of a token.
pub(super) fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.').map(|part| {
        let bytes = URL_SAFE_NO_PAD.decode(part).unwrap();
        serde_json::from_slice(&bytes).unwrap_or(Value::Null)
    });
    (parts.next().unwrap(), parts.next().unwrap())
}

pub(super) fn encoded(text: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(text)
}

pub(super) fn names(object: &Value) -> Vec<&str> {
    let members = object.as_object().unwrap().keys();
    members.map(String::as_str).collect()
}

/// A private key that the test knows in every form.
pub(super) struct Key {
    pub(super) pem: String,
    pub(super) id: String,
    /// The public key as a JWK.
    pub(super) jwk: Value,
    algorithm: Algorithm,
    encoding: EncodingKey,
}

impl Key {
    pub(super) fn generate(spec: KeySpec) -> Self {
        let key = SigningKey::generate(spec).unwrap();
        let der = key.to_pkcs8().unwrap();
        let pem = pem(&der);
        let public = hallpass_oauth::JwkSet::new([key.public_key().unwrap()]).to_json();
        let public: Value = serde_json::from_str(&public).unwrap();
        let (algorithm, encoding) = match spec {
            KeySpec::EcP256 => (Algorithm::ES256, EncodingKey::from_ec_pem(pem.as_bytes())),
            KeySpec::Ed25519 => (Algorithm::EdDSA, EncodingKey::from_ed_pem(pem.as_bytes())),
            _ => (Algorithm::RS256, EncodingKey::from_rsa_pem(pem.as_bytes())),
        };
        Self {
            pem,
            id: key.id().to_string(),
            jwk: public["keys"][0].clone(),
            algorithm,
            encoding: encoding.unwrap(),
        }
    }

    /// The header that goes with it.
    pub(super) fn header(&self) -> Value {
        let name = format!("{:?}", self.algorithm);
        serde_json::json!({ "alg": name, "kid": self.id })
    }

    /// Signs these texts as they are.
    pub(super) fn sign(&self, header: &str, claims: &str) -> String {
        let input = format!("{}.{}", encoded(header), encoded(claims));
        let signature =
            jsonwebtoken::crypto::sign(input.as_bytes(), &self.encoding, self.algorithm).unwrap();
        format!("{input}.{signature}")
    }
}

/// The text form of a private key.
pub(super) fn pem(der: &[u8]) -> String {
    let text = STANDARD.encode(der);
    let lines: Vec<&str> = text
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    format!(
        "-----BEGIN PRIVATE KEY-----\n{}\n-----END PRIVATE KEY-----\n",
        lines.join("\n")
    )
}
