//! The authorization decision: what an authenticated client gets (RFC 6749 section 4.4).

use std::ops::Deref;

use jiff::SignedDuration;

use crate::client_authentication::{AuthenticatedClient, ClientRegistration};
use crate::token_error::TokenError;
use crate::token_request::{GrantType, TokenRequest};
use crate::{ApplicationInstanceId, ClientId, CustomerId, Subject, WorkspaceId};

/// A decision to issue one token. Only [`Grant::authorize`] makes one, and only out of a client
/// that authenticated.
#[derive(Debug)]
pub struct Grant {
    client_id: ClientId,
    subject: Subject,
    customer: CustomerId,
    workspace: WorkspaceId,
    instance: ApplicationInstanceId,
    lifetime: SignedDuration,
}

impl Grant {
    /// Decides on a request. `endpoint` is the workspace whose token endpoint was called, where
    /// there is one (domain facts, section 2.6).
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
            client_id: registration.client_id.clone(),
            subject: registration.subject.clone(),
            customer: registration.customer.clone(),
            workspace: registration.workspace.clone(),
            instance: registration.instance.clone(),
            lifetime: registration.token_lifetime,
        })
    }

    /// The client the token is for.
    pub fn client_id(&self) -> &ClientId {
        &self.client_id
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

    pub(crate) fn lifetime(&self) -> SignedDuration {
        self.lifetime
    }
}
