//! The authorization decision: what an authenticated client gets (RFC 6749 section 4.4), and what
//! the holder of a token gets in exchange for it (RFC 8693).

use std::ops::Deref;

use jiff::{SignedDuration, Timestamp};

use crate::client_authentication::{AuthenticatedClient, ClientRegistration};
use crate::scope::ScopeSet;
use crate::token_error::TokenError;
use crate::token_id::TokenId;
use crate::token_request::{GrantType, TokenRequest};
use crate::verify::VerifiedToken;
use crate::{ApplicationInstanceId, ClientId, CustomerId, Subject, WorkspaceId};

/// A decision to issue one token. Only [`Grant::authorize`] and [`Grant::exchange`] make one: out of
/// a client that authenticated, or out of a token that was verified.
#[derive(Debug)]
pub struct Grant {
    client_id: ClientId,
    subject: Subject,
    customer: CustomerId,
    workspace: WorkspaceId,
    instance: ApplicationInstanceId,
    lifetime: SignedDuration,
    /// The token must not live beyond this.
    not_after: Option<Timestamp>,
    scope: Option<ScopeSet>,
    exchanged_for: Option<TokenId>,
}

/// The workspace that an exchange is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    /// The workspace.
    pub workspace: WorkspaceId,
    /// What it is called inside tokens.
    pub customer: CustomerId,
}

impl Grant {
    /// Decides on a client-credentials request. `endpoint` is the workspace whose token endpoint was
    /// called, where there is one (domain facts, section 2.6).
    pub fn authorize<R: Deref<Target = ClientRegistration>>(
        client: &AuthenticatedClient<R>,
        request: &TokenRequest,
        endpoint: Option<&WorkspaceId>,
    ) -> Result<Self, TokenError> {
        if request.grant_type != GrantType::ClientCredentials {
            return Err(TokenError::unsupported_grant_type());
        }
        let registration = client.registration();
        if endpoint.is_some_and(|workspace| *workspace != registration.workspace) {
            return Err(TokenError::unauthorized_client(
                "the client belongs to another workspace than the one in the token URL",
            ));
        }
        Ok(Self {
            scope: granted_scope(registration.scopes.as_ref(), request)?,
            exchanged_for: None,
            ..Self::within(registration)
        })
    }

    /// Decides on a token exchange for a tenant that the client's workspace manages (domain facts,
    /// section 2.7). What comes of it never outlives the subject token, has no more scope and cannot be
    /// exchanged again.
    pub fn exchange(
        subject_token: &VerifiedToken<'_>,
        registration: &ClientRegistration,
        tenant: &Tenant,
        request: &TokenRequest,
    ) -> Result<Self, TokenError> {
        let id = subject_token.token_id();
        if id.is_exchanged() {
            return Err(TokenError::invalid_request(
                "the subject token was itself got by exchange; exchange the first one again",
            ));
        }
        // Without scopes on either side the word means nothing, as in `granted_scope`.
        let scoped = subject_token.scope().is_some() || registration.scopes.is_some();
        let allowed = scoped.then(|| still_allowed(subject_token.scope(), registration));
        Ok(Self {
            workspace: tenant.workspace.clone(),
            customer: tenant.customer.clone(),
            not_after: Some(subject_token.expires_at()),
            scope: granted_scope(allowed.as_ref(), request)?,
            exchanged_for: Some(id),
            ..Self::within(registration)
        })
    }

    fn within(registration: &ClientRegistration) -> Self {
        Self {
            client_id: registration.client_id.clone(),
            subject: registration.subject.clone(),
            customer: registration.customer.clone(),
            workspace: registration.workspace.clone(),
            instance: registration.instance.clone(),
            lifetime: registration.token_lifetime,
            not_after: registration.expires_at,
            scope: None,
            exchanged_for: None,
        }
    }

    /// The client the token is for.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }

    /// The scope granted; `None` when the client has no scopes and asked for none that count.
    pub fn scope(&self) -> Option<&ScopeSet> {
        self.scope.as_ref()
    }

    /// The id of the token that this one is got for.
    pub fn exchanged_for(&self) -> Option<&TokenId> {
        self.exchanged_for.as_ref()
    }

    pub(crate) fn subject(&self) -> &Subject {
        &self.subject
    }

    pub(crate) fn customer(&self) -> &CustomerId {
        &self.customer
    }

    pub(crate) fn workspace(&self) -> &WorkspaceId {
        &self.workspace
    }

    pub(crate) fn instance(&self) -> &ApplicationInstanceId {
        &self.instance
    }

    /// When a token issued at `issued_at` dies, in seconds since 1970.
    pub(crate) fn expires_at(&self, issued_at: i64) -> i64 {
        let full = issued_at.saturating_add(self.lifetime.as_secs());
        self.not_after
            .map_or(full, |limit| full.min(limit.as_second()))
    }
}

/// What of a token's scope the client may still have.
fn still_allowed(scope: Option<&ScopeSet>, registration: &ClientRegistration) -> ScopeSet {
    let words = scope.into_iter().flat_map(ScopeSet::iter);
    let kept = words.filter(|word| {
        let allowed = registration.scopes.as_ref();
        allowed.is_none_or(|allowed| allowed.contains(word))
    });
    // Part of a set is no larger than the set.
    ScopeSet::of(kept.cloned()).unwrap_or_default()
}

/// RFC 6749 section 3.3: no scope asked for is the client's default, all that it may have. A client
/// without scopes is one of the real system's, which ignores the word (domain facts, section 2.5).
fn granted_scope(
    allowed: Option<&ScopeSet>,
    request: &TokenRequest,
) -> Result<Option<ScopeSet>, TokenError> {
    let Some(allowed) = allowed else {
        return Ok(None);
    };
    let Some(asked) = &request.scope else {
        return Ok(Some(allowed.clone()));
    };
    let asked: ScopeSet = asked
        .parse()
        .map_err(|error| TokenError::invalid_scope(format!("{error}")))?;
    let beyond = asked.missing_from(allowed);
    if beyond.is_empty() {
        Ok(Some(asked))
    } else {
        Err(TokenError::invalid_scope(format!(
            "the client may not have the scope {beyond}"
        )))
    }
}
