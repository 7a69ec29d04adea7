//! Verifying an access token at a resource server.
//!
//! Two steps, because two kinds of facts are in play. [`check`] establishes what never changes
//! about a token: that a key of ours signed exactly these claims. Its result, [`SignedToken`], may
//! be remembered. [`SignedToken::verify`] compares what does change, and is done on every request:
//! the time, whether the key is still trusted, the credential's standing. So nothing that is
//! remembered can outlive a revocation.

use jiff::{SignedDuration, Timestamp};

use crate::claims::Profile;
use crate::jws::UnverifiedToken;
use crate::scope::ScopeSet;
use crate::token_id::{Fingerprint, Link, TokenId, fingerprint};
use crate::{ApplicationInstanceId, Audience, ClientId, Issuer, JwkSet, KeyId, WorkspaceId};

/// How far two clocks may differ before a token is refused; at its end no more than a tenth of its
/// lifetime, so that one of a few seconds ends after those.
pub const LEEWAY: SignedDuration = SignedDuration::from_secs(30);

/// What a resource server asks of every token.
#[derive(Debug, Clone)]
pub struct Expectation {
    /// The issuers it trusts: the present one, and for as long as their tokens may live, those the
    /// same server had before its address changed.
    pub issuers: Vec<Issuer>,
    /// The audience of the `greenlake` profile. In `rfc9068` it is the instance.
    pub audience: Audience,
    /// The service and region it is.
    pub instance: ApplicationInstanceId,
}

/// How a credential stands at this moment, as far as one of its tokens is concerned.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Standing {
    /// The first place in the credential's token sequence that is still good. Minting under the
    /// single-active rule, resetting the secret and disabling the credential move it.
    pub live_from: u64,
    /// The tokens without `jti` that are good.
    pub fingerprints: Vec<Fingerprint>,
    /// Whether this very token, or the one it was got for, was revoked.
    pub revoked: bool,
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
    /// The credential is disabled or has come to its end.
    #[error("the token's credential is disabled or has expired")]
    CredentialEnded,
    /// A newer token or a reset made it invalid.
    #[error("the token was superseded by a newer one or by a reset of the secret")]
    Superseded,
    /// The token itself was revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The token is for a workspace that its owner's does not manage (any more).
    #[error("the token is for a workspace that its owner's workspace does not manage")]
    Tenant,
}

impl TokenRefusal {
    /// What the caller is told.
    pub fn description(self) -> &'static str {
        match self {
            Self::Malformed(_) => "the access token is malformed",
            Self::Expired => "the access token expired",
            Self::Instance => "the access token is for another application instance (region)",
            Self::Superseded
            | Self::CredentialGone
            | Self::CredentialEnded
            | Self::Revoked
            | Self::Tenant => "the access token was revoked",
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
            Self::CredentialEnded => "credential_ended",
            Self::Superseded => "superseded",
            Self::Revoked => "revoked",
            Self::Tenant => "tenant",
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
    profile: Profile,
    client_id: ClientId,
    subject: String,
    workspace: Option<WorkspaceId>,
    scope: Option<ScopeSet>,
    token_id: TokenId,
    issued_at: i64,
    expires_at: i64,
    not_before: Option<i64>,
}

/// A token that is good for this request. Only [`SignedToken::verify`] makes one.
#[derive(Debug)]
pub struct VerifiedToken<'a>(&'a SignedToken);

impl VerifiedToken<'_> {
    /// The client it was issued to.
    pub fn client_id(&self) -> &ClientId {
        &self.0.client_id
    }

    /// Its name.
    pub fn token_id(&self) -> TokenId {
        self.0.token_id
    }

    /// Its scope, in the `rfc9068` profile.
    pub fn scope(&self) -> Option<&ScopeSet> {
        self.0.scope.as_ref()
    }

    /// Who issued it.
    pub fn issuer(&self) -> &Issuer {
        &self.0.issuer
    }

    /// Who it is for.
    pub fn audience(&self) -> &Audience {
        &self.0.audience
    }

    /// The service and region it is for.
    pub fn instance(&self) -> &ApplicationInstanceId {
        &self.0.instance
    }

    /// The `sub` claim.
    pub fn subject(&self) -> &str {
        &self.0.subject
    }

    /// When it was issued.
    pub fn issued_at(&self) -> Timestamp {
        Timestamp::from_second(self.0.issued_at).unwrap_or(Timestamp::MIN)
    }

    /// When it dies.
    pub fn expires_at(&self) -> Timestamp {
        Timestamp::from_second(self.0.expires_at).unwrap_or(Timestamp::MAX)
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
    check_times(claims.iat, claims.exp, claims.nbf, now)?;
    let signed = SignedToken::read(key.id().clone(), token)?;
    signed.check_parties(expectation)?;
    if !token.verify_with(key) {
        return Err(TokenRefusal::Signature);
    }
    Ok(signed)
}

/// The application instance that a token says it is for; nothing is verified about it. For the
/// authorization server, which knows the tokens of all instances.
pub fn unverified_instance(token: &UnverifiedToken<'_>) -> Option<ApplicationInstanceId> {
    let claims = token.claims();
    match &claims.application_instance_id {
        Some(id) => ApplicationInstanceId::parse(id).ok(),
        None => Audience::parse(&claims.aud).ok()?.instance(),
    }
}

impl SignedToken {
    /// Takes the claims over into their types.
    fn read(key_id: KeyId, token: &UnverifiedToken<'_>) -> Result<Self, TokenRefusal> {
        let claims = token.claims();
        let foreign = |_| TokenRefusal::Malformed("its claims are not those of a known profile");
        let audience = Audience::parse(&claims.aud).map_err(foreign)?;
        let (profile, instance) = match &claims.application_instance_id {
            Some(id) => (
                Profile::Greenlake,
                ApplicationInstanceId::parse(id).map_err(foreign)?,
            ),
            // RFC 9068 section 4: without the type, an ID token could pass for an access token.
            None if !token.is_typed() => {
                return Err(TokenRefusal::Malformed(
                    "it has neither an application instance nor the type at+jwt",
                ));
            }
            None => (
                Profile::Rfc9068,
                audience.instance().ok_or(TokenRefusal::Audience)?,
            ),
        };
        let token_id = match (&claims.jti, profile) {
            (Some(jti), _) => TokenId::from_claim(jti)
                .ok_or(TokenRefusal::Malformed("its jti is not one of ours"))?,
            (None, Profile::Greenlake) => TokenId::of_bare(fingerprint(token.compact())),
            (None, Profile::Rfc9068) => return Err(TokenRefusal::Malformed("it has no jti")),
        };
        let workspace = claims.platform_customer_id.as_deref();
        let scope = claims.scope.as_deref();
        Ok(Self {
            key_id,
            issuer: Issuer::parse(&claims.iss).map_err(foreign)?,
            audience,
            instance,
            profile,
            client_id: ClientId::parse(&claims.client_id).map_err(foreign)?,
            subject: claims.sub.clone(),
            workspace: workspace
                .map(WorkspaceId::parse)
                .transpose()
                .map_err(foreign)?,
            scope: scope
                .map(str::parse)
                .transpose()
                .map_err(|_| TokenRefusal::Malformed("its scope is no list of scope words"))?,
            token_id,
            issued_at: claims.iat,
            expires_at: claims.exp,
            not_before: claims.nbf,
        })
    }

    /// The client, for looking up the credential's standing.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The service and region it says it is for.
    pub fn instance(&self) -> &ApplicationInstanceId {
        &self.instance
    }

    /// The token's name, for looking up whether it was revoked.
    pub fn token_id(&self) -> TokenId {
        self.token_id
    }

    /// The workspace it is for, where it says so.
    pub fn workspace(&self) -> Option<&WorkspaceId> {
        self.workspace.as_ref()
    }

    /// Decides whether the token is good for this request.
    pub fn verify(
        &self,
        keys: &JwkSet,
        expectation: &Expectation,
        standing: &Standing,
        now: Timestamp,
    ) -> Result<VerifiedToken<'_>, TokenRefusal> {
        if keys.find(self.key_id.as_str()).is_none() {
            return Err(TokenRefusal::UnknownKey);
        }
        check_times(self.issued_at, self.expires_at, self.not_before, now)?;
        self.check_parties(expectation)?;
        let live = match self.token_id.link() {
            Link::Place { sequence, .. } => sequence >= standing.live_from,
            Link::Fingerprint(own) => standing.fingerprints.contains(&own),
        };
        if !live {
            return Err(TokenRefusal::Superseded);
        }
        if standing.revoked {
            return Err(TokenRefusal::Revoked);
        }
        Ok(VerifiedToken(self))
    }

    fn check_parties(&self, expectation: &Expectation) -> Result<(), TokenRefusal> {
        if !expectation.issuers.contains(&self.issuer) {
            return Err(TokenRefusal::Issuer);
        }
        // In `rfc9068` the audience is the instance, which is compared below.
        if self.profile == Profile::Greenlake && self.audience != expectation.audience {
            return Err(TokenRefusal::Audience);
        }
        if self.instance != expectation.instance {
            return Err(TokenRefusal::Instance);
        }
        Ok(())
    }
}

fn check_times(iat: i64, exp: i64, nbf: Option<i64>, now: Timestamp) -> Result<(), TokenRefusal> {
    let (now, leeway) = (now.as_second(), LEEWAY.as_secs());
    let lifetime = exp.saturating_sub(iat).max(0);
    // RFC 7519 section 4.1.4: on or after `exp` it must not be accepted, but for the leeway.
    if now >= exp.saturating_add(leeway.min(lifetime / 10)) {
        return Err(TokenRefusal::Expired);
    }
    if nbf.is_some_and(|nbf| nbf > now.saturating_add(leeway)) {
        return Err(TokenRefusal::NotYetValid);
    }
    Ok(())
}
