//! Client assertions (RFC 7523) as a client of others would make them: header and claims are written
//! here, member by member, so that a test can send any.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_oauth::{ClientId, JwkSet, KeySpec, SigningKey};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::world::{GRANT, ISSUER};

/// A signing key of the quick kind.
pub(crate) fn key() -> SigningKey {
    SigningKey::generate(KeySpec::EcP256).unwrap()
}

/// The public halves as a client registers them.
pub(crate) fn registered(keys: &[&SigningKey]) -> String {
    JwkSet::new(keys.iter().map(|key| key.public_key().unwrap())).to_json()
}

/// The claims of a good assertion, good once.
pub(crate) fn good_claims(client: &ClientId, now: Timestamp, jti: &str) -> Value {
    json!({
        "iss": client.as_str(),
        "sub": client.as_str(),
        "aud": ISSUER,
        "jti": jti,
        "exp": now.as_second() + 60,
    })
}

/// The header of a good assertion.
pub(crate) fn good_header(key: &SigningKey) -> Value {
    json!({"alg": key.algorithm().as_str(), "kid": key.id().as_str()})
}

pub(crate) fn signed(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let input = unsigned(header, claims);
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

/// Header and claims without a signature.
pub(crate) fn unsigned(header: &Value, claims: &Value) -> String {
    let encode = |part: &Value| URL_SAFE_NO_PAD.encode(part.to_string());
    format!("{}.{}", encode(header), encode(claims))
}

/// A good assertion.
pub(crate) fn good(client: &ClientId, key: &SigningKey, now: Timestamp, jti: &str) -> String {
    signed(&good_header(key), &good_claims(client, now, jti), key)
}

/// The parameters that carry an assertion.
pub(crate) fn parameters(assertion: &str) -> String {
    format!(
        "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer\
         &client_assertion={assertion}"
    )
}

/// A token request with an assertion.
pub(crate) fn form(assertion: &str) -> String {
    format!("{GRANT}&{}", parameters(assertion))
}
