//! Credentials and their owners as whoever verifies a token sees them: how the credential stands,
//! and what its owner may do at this moment. No secret, no digest.

use std::sync::Arc;

use hallpass_access::Roles;
use hallpass_oauth::verify::{SignedToken, TokenRefusal};
use hallpass_oauth::{
    ApplicationInstanceId, ClientId, CustomerId, Expectation, JwkSet, Standing, Subject,
    WorkspaceId,
};
use jiff::Timestamp;

use crate::people::PersonId;
use crate::projection::Projection;

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
}

impl VerifiedCaller {
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
        let principal = self.find(signed.client_id(), &expectation.instance);
        let standing = principal.as_ref().map(|owner| owner.standing);
        let token = signed.verify(keys, expectation, standing, now)?;
        let principal = principal.ok_or(TokenRefusal::CredentialGone)?;
        let client_id = token.identity().client_id.clone();
        Ok(VerifiedCaller {
            principal,
            client_id,
        })
    }

    pub(crate) fn new(projection: Arc<Projection>) -> Self {
        Self(projection)
    }

    /// The owner behind a client id; `None` when the credential does not exist (any more).
    pub fn find(
        &self,
        client_id: &ClientId,
        instance: &ApplicationInstanceId,
    ) -> Option<Principal> {
        let credential = self.0.credential(client_id.as_str())?;
        let person = self.0.person(credential.row.person)?;
        Some(Principal {
            standing: Standing {
                live_from: credential.sequence.live_from(),
            },
            person: person.id,
            email: person.email.clone(),
            workspace: person.workspace.id.clone(),
            customer: person.workspace.customer.clone(),
            roles: person.roles_on(instance),
        })
    }
}
