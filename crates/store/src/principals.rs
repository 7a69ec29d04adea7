//! Credentials and their owners as whoever verifies a token sees them: how the credential stands,
//! and what its owner may do at this moment. No secret, no digest.

use std::sync::Arc;

use hallpass_access::Roles;
use hallpass_oauth::verify::{SignedToken, TokenRefusal, VerifiedToken};
use hallpass_oauth::{
    ApplicationInstanceId, ClientId, CustomerId, Expectation, JwkSet, Standing, Subject,
    WorkspaceId,
};
use jiff::Timestamp;

use crate::people::PersonId;
use crate::projection::{LiveCredential, Projection};

/// Looks credentials up for verification.
#[derive(Clone)]
pub struct Principals(Arc<Projection>);

/// A credential's owner at this moment.
#[derive(Debug, Clone)]
pub struct Principal {
    /// How the credential stands.
    pub standing: Standing,
    /// The owner.
    pub person: PersonId,
    /// The owner's e-mail address.
    pub email: Subject,
    /// The owner's workspace.
    pub workspace: WorkspaceId,
    /// The workspace's name in tasks and audit events.
    pub customer: CustomerId,
    /// What the owner is on the credential's application instance.
    pub roles: Roles,
}

/// A caller whose token is good at this moment. Only [`Principals::verify`] makes one, so a token
/// and the owner behind it cannot come from two different calls.
#[derive(Debug, Clone)]
pub struct VerifiedCaller {
    principal: Principal,
    client_id: ClientId,
    for_tenant: bool,
}

impl VerifiedCaller {
    /// Whether the token was got for a workspace that the owner's manages. Such a token is for the
    /// tenant's resources and not for what the owner has at home.
    pub fn is_for_tenant(&self) -> bool {
        self.for_tenant
    }

    /// The owner, as they are now.
    pub fn principal(&self) -> &Principal {
        &self.principal
    }

    /// The client that calls for them.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
    }
}

impl Principals {
    /// Decides whether a signed token is good for this request: by its times and parties, and by
    /// how its credential stands now.
    pub fn verify(
        &self,
        signed: &SignedToken,
        keys: &JwkSet,
        expectation: &Expectation,
        now: Timestamp,
    ) -> Result<VerifiedCaller, TokenRefusal> {
        self.verify_token(signed, keys, expectation, now)
            .map(|(caller, _)| caller)
    }

    /// The same, for whoever needs to know what the token says.
    pub fn verify_token<'a>(
        &self,
        signed: &'a SignedToken,
        keys: &JwkSet,
        expectation: &Expectation,
        now: Timestamp,
    ) -> Result<(VerifiedCaller, VerifiedToken<'a>), TokenRefusal> {
        let gone = TokenRefusal::CredentialGone;
        let credential = self.0.credential(signed.client_id().as_str()).ok_or(gone)?;
        let mut principal = self
            .owner(&credential, &expectation.instance, now)
            .ok_or(gone)?;
        principal.standing.revoked = signed
            .token_id()
            .spent_ids()
            .any(|id| self.0.spent.contains(&id));
        let token = signed.verify(keys, expectation, &principal.standing, now)?;
        let client = &credential.registration;
        if !client.enabled || client.expires_at.is_some_and(|end| end <= now) {
            return Err(TokenRefusal::CredentialEnded);
        }
        let client_id = token.client_id().clone();
        let tenant = signed
            .workspace()
            .filter(|workspace| **workspace != principal.workspace);
        if let Some(workspace) = tenant {
            principal = self.of_tenant(principal, workspace)?;
        }
        let caller = VerifiedCaller {
            principal,
            client_id,
            for_tenant: token.token_id().is_exchanged(),
        };
        Ok((caller, token))
    }

    /// The same owner in a workspace that theirs manages, for a token got by exchange. Asked on every
    /// request: a workspace may be managed no more.
    fn of_tenant(
        &self,
        owner: Principal,
        workspace: &WorkspaceId,
    ) -> Result<Principal, TokenRefusal> {
        let tenant = self.0.workspace(workspace).ok_or(TokenRefusal::Tenant)?;
        if tenant.managed_by.as_ref() != Some(&owner.workspace) {
            return Err(TokenRefusal::Tenant);
        }
        Ok(Principal {
            workspace: tenant.id.clone(),
            customer: tenant.customer.clone(),
            ..owner
        })
    }

    pub(crate) fn new(projection: Arc<Projection>) -> Self {
        Self(projection)
    }

    /// The owner behind a client id at `now`; `None` when the credential does not exist (any more), or
    /// its owner is disabled.
    pub fn find(
        &self,
        client_id: &ClientId,
        instance: &ApplicationInstanceId,
        now: Timestamp,
    ) -> Option<Principal> {
        let credential = self.0.credential(client_id.as_str())?;
        self.owner(&credential, instance, now)
    }

    fn owner(
        &self,
        credential: &LiveCredential,
        instance: &ApplicationInstanceId,
        now: Timestamp,
    ) -> Option<Principal> {
        let person = self.0.person(credential.row.person)?;
        if !person.enabled {
            return None;
        }
        Some(Principal {
            standing: credential.sequence.standing(now),
            person: person.id,
            email: person.email.clone(),
            workspace: person.workspace.id.clone(),
            customer: person.workspace.customer.clone(),
            roles: person.roles_on(instance),
        })
    }
}
