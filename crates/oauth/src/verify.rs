//! Verifying an access token at a resource server.
//!
//! Two steps, because two kinds of facts are in play. [`check`] establishes what never changes
//! about a token: that a key of ours signed exactly these claims. Its result, [`SignedToken`], may
//! be remembered. [`SignedToken::verify`] compares what does change, and is done on every request:
//! the time, whether the key is still trusted, the credential's standing. So nothing that is
//! remembered can outlive a revocation.

use jiff::{SignedDuration, Timestamp};

use crate::claims::{Claims, TokenId};
use crate::jws::UnverifiedToken;
use crate::{
    ApplicationInstanceId, Audience, ClientId, CustomerId, Issuer, JwkSet, KeyId, Subject,
    WorkspaceId,
};

/// How far two clocks may differ before a token is refused.
pub const LEEWAY: SignedDuration = SignedDuration::from_secs(30);

/// What a resource server asks of every token.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// The issuers it trusts: the present one, and for as long as their tokens may live, those the
    /// same server had before its address changed.
    pub issuers: Vec<Issuer>,
    /// The audience it answers to.
    pub audience: Audience,
    /// The service and region it is.
    pub instance: ApplicationInstanceId,
}

/// How a credential stands at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Standing {
    /// The first place in the credential's token sequence that is still good. Minting under the
    /// single-active rule and resetting the secret move it.
    pub live_from: u64,
}

/// Why a token is no good. [`Self::description`] is what the caller is told (RFC 6750 section 3.1,
/// always `invalid_token`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenRefusal {
    /// Not a token of the right form.
    #[error("the token is malformed: {0}")]
    Malformed(&'static str),
    /// Signed with a key that is not among the published ones.
    #[error("the token names an unknown signing key")]
    UnknownKey,
    /// The signature is not the key's.
    #[error("the token's signature is wrong")]
    Signature,
    /// From another issuer.
    #[error("the token is from another issuer")]
    Issuer,
    /// For another audience.
    #[error("the token is for another audience")]
    Audience,
    /// For another service or region.
    #[error("the token is for another application instance")]
    Instance,
    /// Past its end.
    #[error("the token has expired")]
    Expired,
    /// Before its beginning.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// The credential is gone.
    #[error("the token's credential does not exist any more")]
    CredentialGone,
    /// A newer token or a reset made it invalid.
    #[error("the token was superseded by a newer one or by a reset of the secret")]
    Superseded,
}

impl TokenRefusal {
    /// What the caller is told.
    pub fn description(self) -> &'static str {
        match self {
            Self::Malformed(_) => "the access token is malformed",
            Self::Expired => "the access token expired",
            Self::Instance => "the access token is for another application instance (region)",
            Self::Superseded | Self::CredentialGone => "the access token was revoked",
            _ => "the access token is invalid",
        }
    }

    /// A word for counters and logs.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::UnknownKey => "unknown_key",
            Self::Signature => "signature",
            Self::Issuer => "issuer",
            Self::Audience => "audience",
            Self::Instance => "instance",
            Self::Expired => "expired",
            Self::NotYetValid => "not_yet_valid",
            Self::CredentialGone => "credential_gone",
            Self::Superseded => "superseded",
        }
    }
}

/// A token that one of our keys signed. An immutable fact: whether the token may be used *now* is
/// for [`Self::verify`] to say.
#[derive(Debug)]
pub struct SignedToken {
    key_id: KeyId,
    issuer: Issuer,
    audience: Audience,
    instance: ApplicationInstanceId,
    identity: Identity,
    token_id: TokenId,
    expires_at: i64,
    not_before: Option<i64>,
}

/// Whom a token speaks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The client.
    pub client_id: ClientId,
    /// The resource owner.
    pub subject: Subject,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// The workspace's name in tasks and audit events.
    pub customer: CustomerId,
}

/// A token that is good for this request. Only [`SignedToken::verify`] makes one.
#[derive(Debug)]
pub struct VerifiedToken<'a>(&'a SignedToken);

impl VerifiedToken<'_> {
    /// Whom it speaks for.
    pub fn identity(&self) -> &Identity {
        &self.0.identity
    }
}

/// Checks the signature. The cheap comparisons come first, so that a flood of bad tokens costs
/// little; what they compare is compared again, for good, by [`SignedToken::verify`].
pub fn check(
    token: &UnverifiedToken<'_>,
    keys: &JwkSet,
    expectation: &Expectation,
    now: Timestamp,
) -> Result<SignedToken, TokenRefusal> {
    let key = keys.find(token.key_id()).ok_or(TokenRefusal::UnknownKey)?;
    let claims = token.claims();
    check_times(claims.exp, claims.nbf, now)?;
    check_parties(
        (&claims.iss, &claims.aud, &claims.application_instance_id),
        expectation,
    )?;
    if !token.verify_with(key) {
        return Err(TokenRefusal::Signature);
    }
    SignedToken::new(key.id().clone(), token.claims())
}

impl SignedToken {
    fn new(key_id: KeyId, claims: &Claims) -> Result<Self, TokenRefusal> {
        let foreign = |_| TokenRefusal::Malformed("its claims are not those of this profile");
        let token_id = claims
            .jti
            .as_deref()
            .and_then(TokenId::from_claim)
            .ok_or(TokenRefusal::Malformed("its jti is not one of ours"))?;
        Ok(Self {
            key_id,
            issuer: Issuer::parse(&claims.iss).map_err(foreign)?,
            audience: Audience::parse(&claims.aud).map_err(foreign)?,
            instance: ApplicationInstanceId::parse(&claims.application_instance_id)
                .map_err(foreign)?,
            identity: Identity {
                client_id: ClientId::parse(&claims.client_id).map_err(foreign)?,
                subject: Subject::parse(&claims.sub).map_err(foreign)?,
                workspace: WorkspaceId::parse(&claims.platform_customer_id).map_err(foreign)?,
                customer: CustomerId::parse(&claims.user_ctx).map_err(foreign)?,
            },
            token_id,
            expires_at: claims.exp,
            not_before: claims.nbf,
        })
    }

    /// The client, for looking up the credential's standing.
    pub fn client_id(&self) -> &ClientId {
        &self.identity.client_id
    }

    /// Decides whether the token is good for this request.
    pub fn verify(
        &self,
        keys: &JwkSet,
        expectation: &Expectation,
        standing: Option<Standing>,
        now: Timestamp,
    ) -> Result<VerifiedToken<'_>, TokenRefusal> {
        if keys.find(self.key_id.as_str()).is_none() {
            return Err(TokenRefusal::UnknownKey);
        }
        check_times(self.expires_at, self.not_before, now)?;
        check_parties(
            (
                self.issuer.as_str(),
                self.audience.as_str(),
                self.instance.as_str(),
            ),
            expectation,
        )?;
        let standing = standing.ok_or(TokenRefusal::CredentialGone)?;
        if self.token_id.sequence < standing.live_from {
            return Err(TokenRefusal::Superseded);
        }
        Ok(VerifiedToken(self))
    }
}

fn check_times(exp: i64, nbf: Option<i64>, now: Timestamp) -> Result<(), TokenRefusal> {
    let (now, leeway) = (now.as_second(), LEEWAY.as_secs());
    // RFC 7519 section 4.1.4: on or after `exp` it must not be accepted, but for the leeway.
    if now >= exp.saturating_add(leeway) {
        return Err(TokenRefusal::Expired);
    }
    if nbf.is_some_and(|nbf| nbf > now.saturating_add(leeway)) {
        return Err(TokenRefusal::NotYetValid);
    }
    Ok(())
}

fn check_parties(
    (issuer, audience, instance): (&str, &str, &str),
    expectation: &Expectation,
) -> Result<(), TokenRefusal> {
    if expectation
        .issuers
        .iter()
        .all(|trusted| trusted.as_str() != issuer)
    {
        return Err(TokenRefusal::Issuer);
    }
    if expectation.audience.as_str() != audience {
        return Err(TokenRefusal::Audience);
    }
    if expectation.instance.as_str() != instance {
        return Err(TokenRefusal::Instance);
    }
    Ok(())
}
