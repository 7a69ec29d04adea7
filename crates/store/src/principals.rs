//! Credentials and their owners as whoever verifies a token sees them: how the credential stands,
//! and what its owner may do at this moment. No secret, no digest.

use std::sync::Arc;

use hallpass_access::Roles;
use hallpass_oauth::{ApplicationInstanceId, ClientId, CustomerId, Standing, Subject, WorkspaceId};

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

impl Principals {
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
