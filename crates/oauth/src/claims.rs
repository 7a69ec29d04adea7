//! The claims of an access token, in the order and shape of the `greenlake` profile (domain facts,
//! section 2.3), with `jti` as the last one.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand_core::CryptoRng;
use serde::{Deserialize, Deserializer, Serialize, de};

/// The payload of a token. The field order is the wire order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Claims {
    /// The client the token was issued to.
    pub client_id: String,
    /// Who issued it.
    pub iss: String,
    /// Who it is for; printed as a string, read as a string or a list.
    #[serde(deserialize_with = "audience")]
    pub aud: String,
    /// The credential's owner.
    pub sub: String,
    /// The customer id of the workspace.
    pub user_ctx: String,
    /// Always `ccs_token_management`.
    pub auth_source: String,
    /// The workspace.
    pub platform_customer_id: String,
    /// When it was issued, seconds since 1970 (RFC 7519 section 2, NumericDate).
    #[serde(deserialize_with = "numeric_date")]
    pub iat: i64,
    /// The service and region it is for.
    pub application_instance_id: String,
    /// When it dies, seconds since 1970.
    #[serde(deserialize_with = "numeric_date")]
    pub exp: i64,
    /// Tells tokens of one second apart and carries their sequence, see [`TokenId`].
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub jti: Option<String>,
    /// Not before; this server never writes it, and obeys it where it stands.
    #[serde(
        skip_serializing_if = "Option::is_none",
        default,
        deserialize_with = "optional_numeric_date"
    )]
    pub nbf: Option<i64>,
}

/// The constant of the `auth_source` claim.
pub const AUTH_SOURCE: &str = "ccs_token_management";

/// The constant audience of the real system's tokens.
pub const AUDIENCE: &str = "external_api";

/// What `jti` says: the token's place in the sequence of its credential and 64 random bits. The
/// watermark of a credential goes by the sequence (design, section 3.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TokenId {
    /// The place in the credential's sequence.
    pub sequence: u64,
    random: u64,
}

impl TokenId {
    /// A new id at that place.
    pub fn generate(sequence: u64, rng: &mut dyn CryptoRng) -> Self {
        Self {
            sequence,
            random: rng.next_u64(),
        }
    }

    /// The claim's text: base64url of both numbers, big-endian.
    pub fn to_claim(self) -> String {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&self.sequence.to_be_bytes());
        bytes[8..].copy_from_slice(&self.random.to_be_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// Reads the claim's text.
    pub fn from_claim(text: &str) -> Option<Self> {
        let bytes: [u8; 16] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (sequence, random) = bytes.split_at(8);
        Some(Self {
            sequence: u64::from_be_bytes(sequence.try_into().ok()?),
            random: u64::from_be_bytes(random.try_into().ok()?),
        })
    }
}

/// NumericDate may be a fraction (RFC 7519 section 2); text is refused, since libraries that let a
/// text through skipped the check altogether (CVE-2026-25537).
fn numeric_date<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    let number = serde_json::Number::deserialize(deserializer)?;
    if let Some(seconds) = number.as_i64() {
        return Ok(seconds);
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "the value was checked to fit"
    )]
    match number.as_f64() {
        Some(seconds) if seconds.abs() < 1e15 => Ok(seconds.floor() as i64),
        _ => Err(de::Error::custom("a time is out of range")),
    }
}

fn optional_numeric_date<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<i64>, D::Error> {
    numeric_date(deserializer).map(Some)
}

/// RFC 7519 section 4.1.3 allows a list. A token for several audiences is not one of ours, but a
/// list of one is the same as the string.
fn audience<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum OneOrMany {
        One(String),
        Many(Vec<String>),
    }
    match OneOrMany::deserialize(deserializer)? {
        OneOrMany::One(audience) => Ok(audience),
        OneOrMany::Many(mut audiences) if audiences.len() == 1 => Ok(audiences.remove(0)),
        OneOrMany::Many(_) => Err(de::Error::custom("aud must name one audience")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::SystemRandom;

    const SAMPLE: &str = r#"{"client_id":"c","iss":"https://i","aud":"external_api","sub":"a@b","user_ctx":"u","auth_source":"ccs_token_management","platform_customer_id":"p","iat":1634779206,"application_instance_id":"i","exp":1634786406,"jti":"AAAAAAAAAAEAAAAAAAAAAg"}"#;

    #[test]
    fn printing_keeps_the_profiles_order() {
        let claims: Claims = serde_json::from_str(SAMPLE).unwrap();
        assert_eq!(serde_json::to_string(&claims).unwrap(), SAMPLE);
    }

    #[test]
    fn the_forms_rfc_7519_allows_are_read_and_the_dangerous_ones_are_not() {
        let with = |from: &str, to: &str| serde_json::from_str::<Claims>(&SAMPLE.replace(from, to));
        assert_eq!(
            with("1634786406", "1634786406.9").unwrap().exp,
            1_634_786_406
        );
        assert_eq!(
            with(r#""external_api""#, r#"["external_api"]"#)
                .unwrap()
                .aud,
            "external_api"
        );
        assert!(with(r#""external_api""#, r#"["a","b"]"#).is_err());
        assert!(with("1634786406", r#""1634786406""#).is_err());
        assert!(
            with(r#""exp":1634786406,"#, "").is_err(),
            "a token without exp"
        );
        assert!(
            with(r#""sub":"a@b""#, r#""sub":"a@b","sub":"c@d""#).is_err(),
            "a claim twice"
        );
    }

    #[test]
    fn the_token_id_carries_its_sequence() {
        let id = TokenId::generate(u64::MAX - 1, &mut SystemRandom);
        assert_eq!(TokenId::from_claim(&id.to_claim()), Some(id));
        assert_eq!(id.to_claim().len(), 22);
        assert_eq!(TokenId::from_claim("short"), None);
    }
}
