//! Minting: a grant becomes a signed access token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;
use rand_core::CryptoRng;

use crate::claims::{AUTH_SOURCE, Claims, TokenId};
use crate::key::KeyError;
use crate::{Audience, Grant, Issuer, Secret, SigningKey, jws};

/// A token just minted. It is a secret: whoever holds it may use it.
#[derive(Debug)]
pub struct AccessToken {
    compact: Secret,
    expires_at: Timestamp,
}

impl AccessToken {
    /// The compact form (RFC 7515 section 7.1), for the one answer that carries it.
    pub fn expose(&self) -> &str {
        self.compact.expose()
    }

    /// When it dies.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }
}

/// Who signs, and for whom.
#[derive(Debug, Clone)]
pub struct Issuing {
    /// The `iss` claim.
    pub issuer: Issuer,
    /// The `aud` claim.
    pub audience: Audience,
}

/// Signs a token for `grant` at place `sequence` of its credential.
///
/// Times are whole seconds, rounded down: a token whose `iat` lies a few milliseconds ahead is
/// refused by strict verifiers.
pub fn mint(
    grant: &Grant,
    sequence: u64,
    issuing: &Issuing,
    key: &SigningKey,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> Result<AccessToken, KeyError> {
    let issued_at = now.as_second();
    let expires_at = issued_at.saturating_add(grant.lifetime().as_secs());
    let claims = Claims {
        client_id: grant.client_id().as_str().to_owned(),
        iss: issuing.issuer.as_str().to_owned(),
        aud: issuing.audience.as_str().to_owned(),
        sub: grant.subject().as_str().to_owned(),
        user_ctx: grant.customer().as_str().to_owned(),
        auth_source: AUTH_SOURCE.to_owned(),
        platform_customer_id: grant.workspace().as_str().to_owned(),
        iat: issued_at,
        application_instance_id: grant.instance().as_str().to_owned(),
        exp: expires_at,
        jti: Some(TokenId::generate(sequence, rng).to_claim()),
        nbf: None,
    };
    let payload = serde_json::to_vec(&claims).map_err(|_| KeyError::Failed)?;
    let mut compact = jws::encode_header(key);
    compact.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut compact);
    let signature = key.sign(compact.as_bytes())?;
    compact.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut compact);
    Ok(AccessToken {
        compact: Secret::from(compact),
        expires_at: Timestamp::from_second(expires_at).unwrap_or(Timestamp::MAX),
    })
}
