//! Minting: a grant becomes a signed access token.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::Timestamp;

use crate::claims::{AUTH_SOURCE, GreenlakeClaims, Profile, Rfc9068Claims};
use crate::key::KeyError;
use crate::token_id::{Fingerprint, TokenId, fingerprint};
use crate::{Audience, Grant, Issuer, Secret, SigningKey, jws};

/// A token just minted. It is a secret: whoever holds it may use it.
#[derive(Debug)]
pub struct AccessToken {
    compact: Secret,
    issued_at: Timestamp,
    expires_at: Timestamp,
}

impl AccessToken {
    /// The compact form (RFC 7515 section 7.1), for the one answer that carries it.
    pub fn expose(&self) -> &str {
        self.compact.expose()
    }

    /// When it was issued, in whole seconds.
    pub fn issued_at(&self) -> Timestamp {
        self.issued_at
    }

    /// When it dies.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// What names it if it carries no `jti`.
    pub fn fingerprint(&self) -> Fingerprint {
        fingerprint(self.expose())
    }
}

/// Who signs, for whom, and which claims.
#[derive(Debug, Clone)]
pub struct Issuing {
    /// The `iss` claim.
    pub issuer: Issuer,
    /// The `aud` claim of the `greenlake` profile; in `rfc9068` it names the application instance.
    pub audience: Audience,
    /// The claim profile.
    pub profile: Profile,
}

/// Signs a token for `grant`. Without an `id` it carries no `jti`.
///
/// Times are whole seconds, rounded down: a token whose `iat` lies a few milliseconds ahead is
/// refused by strict verifiers.
pub fn mint(
    grant: &Grant,
    id: Option<&TokenId>,
    issuing: &Issuing,
    key: &SigningKey,
    now: Timestamp,
) -> Result<AccessToken, KeyError> {
    let issued_at = now.as_second();
    let expires_at = grant.expires_at(issued_at);
    let payload = payload(grant, id, issuing, (issued_at, expires_at));
    let payload = payload.map_err(|_| KeyError::Failed)?;
    let mut compact = jws::encode_header(key, issuing.profile);
    compact.push('.');
    URL_SAFE_NO_PAD.encode_string(payload, &mut compact);
    let signature = key.sign(compact.as_bytes())?;
    compact.push('.');
    URL_SAFE_NO_PAD.encode_string(signature, &mut compact);
    Ok(AccessToken {
        compact: Secret::from(compact),
        issued_at: Timestamp::from_second(issued_at).unwrap_or(now),
        expires_at: Timestamp::from_second(expires_at).unwrap_or(Timestamp::MAX),
    })
}

fn payload(
    grant: &Grant,
    id: Option<&TokenId>,
    issuing: &Issuing,
    (iat, exp): (i64, i64),
) -> Result<Vec<u8>, serde_json::Error> {
    let jti = id.and_then(TokenId::to_claim);
    match issuing.profile {
        Profile::Greenlake => serde_json::to_vec(&GreenlakeClaims {
            client_id: grant.client_id().as_str(),
            iss: issuing.issuer.as_str(),
            aud: issuing.audience.as_str(),
            sub: grant.subject().as_str(),
            user_ctx: grant.customer().as_str(),
            auth_source: AUTH_SOURCE,
            platform_customer_id: grant.workspace().as_str(),
            iat,
            application_instance_id: grant.instance().as_str(),
            exp,
            jti,
        }),
        Profile::Rfc9068 => serde_json::to_vec(&Rfc9068Claims {
            iss: issuing.issuer.as_str(),
            sub: grant.client_id().as_str(),
            aud: Audience::of_instance(grant.instance()).as_str(),
            exp,
            iat,
            jti,
            client_id: grant.client_id().as_str(),
            scope: grant
                .scope()
                .filter(|scope| !scope.is_empty())
                .map(ToString::to_string),
            platform_customer_id: grant.exchanged_for().map(|_| grant.workspace().as_str()),
        }),
    }
}
