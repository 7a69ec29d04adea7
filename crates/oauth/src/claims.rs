//! The claims of an access token in its two profiles, printed and read.
//!
//! `greenlake` has the claims, the order and the shapes of the real system (domain facts, section
//! 2.3), with `jti` as the last one. `rfc9068` has those of RFC 9068 section 2.2.

use serde::{Deserialize, Deserializer, Serialize, de};

use crate::numeric_date;

/// Which claims a token carries.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// The real system's.
    #[default]
    Greenlake,
    /// RFC 9068's.
    Rfc9068,
}

/// A word that names no profile.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no claim profile; the profiles are greenlake and rfc9068")]
pub struct UnknownProfile(String);

impl Profile {
    /// The word in the configuration.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Greenlake => "greenlake",
            Self::Rfc9068 => "rfc9068",
        }
    }
}

impl std::str::FromStr for Profile {
    type Err = UnknownProfile;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        [Self::Greenlake, Self::Rfc9068]
            .into_iter()
            .find(|profile| profile.as_str() == text)
            .ok_or_else(|| UnknownProfile(text.chars().take(64).collect()))
    }
}

/// The claims of the `greenlake` profile. The field order is the wire order.
#[derive(Debug, Serialize)]
pub(crate) struct GreenlakeClaims<'a> {
    pub(crate) client_id: &'a str,
    pub(crate) iss: &'a str,
    pub(crate) aud: &'a str,
    pub(crate) sub: &'a str,
    pub(crate) user_ctx: &'a str,
    pub(crate) auth_source: &'a str,
    pub(crate) platform_customer_id: &'a str,
    pub(crate) iat: i64,
    pub(crate) application_instance_id: &'a str,
    pub(crate) exp: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) jti: Option<String>,
}

/// The claims of the `rfc9068` profile. `sub` is the client (RFC 9068 section 2.2: there is no
/// resource owner in this grant), so it can never be mistaken for a person.
#[derive(Debug, Serialize)]
pub(crate) struct Rfc9068Claims<'a> {
    pub(crate) iss: &'a str,
    pub(crate) sub: &'a str,
    pub(crate) aud: &'a str,
    pub(crate) exp: i64,
    pub(crate) iat: i64,
    pub(crate) jti: Option<String>,
    pub(crate) client_id: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scope: Option<String>,
    /// The workspace, on tokens got by exchange for another one than the client's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) platform_customer_id: Option<&'a str>,
}

/// The claims of a token of either profile, as read. What a profile does not have is absent.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Claims {
    /// The client the token was issued to.
    pub client_id: String,
    /// Who issued it.
    pub iss: String,
    /// Who it is for; printed as a string, read as a string or a list.
    #[serde(deserialize_with = "audience")]
    pub aud: String,
    /// The credential's owner; in `rfc9068` the client.
    pub sub: String,
    /// The customer id of the workspace (`greenlake`).
    #[serde(default)]
    pub user_ctx: Option<String>,
    /// The workspace (`greenlake`, and tokens got by exchange).
    #[serde(default)]
    pub platform_customer_id: Option<String>,
    /// When it was issued, seconds since 1970 (RFC 7519 section 2, NumericDate).
    #[serde(deserialize_with = "numeric_date::required")]
    pub iat: i64,
    /// The service and region it is for (`greenlake`).
    #[serde(default)]
    pub application_instance_id: Option<String>,
    /// When it dies, seconds since 1970.
    #[serde(deserialize_with = "numeric_date::required")]
    pub exp: i64,
    /// Names the token, see [`crate::token_id::TokenId`].
    #[serde(default)]
    pub jti: Option<String>,
    /// The scope (`rfc9068`), space-delimited.
    #[serde(default)]
    pub scope: Option<String>,
    /// Not before; this server never writes it, and obeys it where it stands.
    #[serde(default, deserialize_with = "numeric_date::optional")]
    pub nbf: Option<i64>,
}

/// The constant of the `auth_source` claim.
pub const AUTH_SOURCE: &str = "ccs_token_management";

/// The constant audience of the real system's tokens.
pub const AUDIENCE: &str = "external_api";

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

    const SAMPLE: &str = r#"{"client_id":"c","iss":"https://i","aud":"external_api","sub":"a@b","user_ctx":"u","auth_source":"ccs_token_management","platform_customer_id":"p","iat":1634779206,"application_instance_id":"i","exp":1634786406,"jti":"AAAAAAAAAAEAAAAAAAAAAg"}"#;

    #[test]
    fn printing_keeps_the_profiles_order() {
        let read: Claims = serde_json::from_str(SAMPLE).unwrap();
        let printed = GreenlakeClaims {
            client_id: &read.client_id,
            iss: &read.iss,
            aud: &read.aud,
            sub: &read.sub,
            user_ctx: read.user_ctx.as_deref().unwrap(),
            auth_source: AUTH_SOURCE,
            platform_customer_id: read.platform_customer_id.as_deref().unwrap(),
            iat: read.iat,
            application_instance_id: read.application_instance_id.as_deref().unwrap(),
            exp: read.exp,
            jti: read.jti.clone(),
        };
        assert_eq!(serde_json::to_string(&printed).unwrap(), SAMPLE);
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
    fn a_profile_is_read_back_from_its_word() {
        assert_eq!("rfc9068".parse(), Ok(Profile::Rfc9068));
        assert_eq!(Profile::default().as_str().parse(), Ok(Profile::Greenlake));
        assert!("jwt".parse::<Profile>().is_err());
    }
}
