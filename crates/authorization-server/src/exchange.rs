//! Token exchange for managed tenants (RFC 8693; domain facts, section 2.7): the holder of a token of
//! the managing workspace gets one for a workspace that it manages.

use std::sync::Arc;

use hallpass_oauth::grant::Tenant;
use hallpass_oauth::jws::UnverifiedToken;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::token_request::ExchangeRequest;
use hallpass_oauth::verify::TokenRefusal;
use hallpass_oauth::{
    AccessToken, ClientRegistration, Grant, TokenError, TokenRequest, WorkspaceId,
};
use hallpass_store::SequenceError;

use crate::AuthorizationServer;
use crate::client::{Caller, event_of, too_many};
use crate::issuing::{NotIssued, trouble};

/// A decision to exchange, and for whom.
struct Exchange {
    client: Arc<ClientRegistration>,
    tenant: Tenant,
    grant: Grant,
}

impl AuthorizationServer {
    /// The exchange, step by step. `client_id` is of the client that authenticated or named itself, if
    /// any did: the real system's do neither, some libraries cannot but name one, and it must be the
    /// token's own (RFC 8693 section 2.1 leaves that to the server).
    pub(crate) async fn exchange(
        &self,
        request: &TokenRequest,
        endpoint: Option<&WorkspaceId>,
        client_id: Option<&str>,
        caller: Caller,
    ) -> Result<(AccessToken, Arc<Grant>), TokenError> {
        let asked = request
            .exchange()
            .ok_or_else(TokenError::unsupported_grant_type)?;
        let endpoint = endpoint.ok_or_else(|| {
            TokenError::invalid_request(
                "a token exchange goes to the token URL of the tenant's workspace",
            )
        })?;
        let Exchange {
            client,
            tenant,
            grant,
        } = self.decide_exchange((request, asked), endpoint, client_id, caller)?;
        self.mints
            .admit(client.client_id.as_str(), caller.now)
            .map_err(too_many)?;
        let _place = self.admission.enter().ok_or_else(TokenError::overloaded)?;
        let id = grant
            .exchanged_for()
            .map(|subject| subject.exchange(&mut SystemRandom));
        let grant = Arc::new(grant);
        let told = |error: NotIssued| trouble(&error);
        let signed = self
            .sign(grant.clone(), id, self.issue_time(caller.now))
            .map_err(|error| told(error.into()))?;
        // Written down like any issued token. It takes no place: it supersedes nothing.
        let message = format!(
            "Access token for workspace {} got in exchange by client {}",
            tenant.workspace, client.client_id
        );
        let key = format!("exchanged {} {}", tenant.workspace, client.client_id);
        let event = event_of(message, &client, caller).per_minute(&key);
        let written = self.audit.record(event).await;
        written.map_err(|error| told(SequenceError::from(error).into()))?;
        let token = signed.wait().await.map_err(|error| told(error.into()))?;
        let token = token.map_err(|error| told(error.into()))?;
        Ok((token, grant))
    }

    fn decide_exchange(
        &self,
        (request, asked): (&TokenRequest, &ExchangeRequest),
        endpoint: &WorkspaceId,
        client_id: Option<&str>,
        caller: Caller,
    ) -> Result<Exchange, TokenError> {
        // RFC 8693 section 2.2.2: a subject token that is no good for any reason is invalid_request.
        let invalid = |reason: TokenRefusal| {
            let message = format!("Token exchange refused: {reason}");
            self.count_failure(&message, "invalid_request", None, caller);
            TokenError::invalid_request(format!("subject_token: {}", reason.description()))
        };
        let token = UnverifiedToken::parse(asked.subject_token.expose()).map_err(invalid)?;
        let signed = self.signed(&token, caller.now).map_err(invalid)?;
        let (owner, verified) = self.verified(&signed, caller.now).map_err(invalid)?;
        // The leeway of resource servers is none here: what came of it would be dead already.
        if verified.expires_at() <= caller.now {
            return Err(invalid(TokenRefusal::Expired));
        }
        let client = self
            .clients
            .find(owner.client_id().as_str())
            .ok_or_else(|| invalid(TokenRefusal::CredentialGone))?;
        if client_id.is_some_and(|id| id != client.client_id.as_str()) {
            return Err(TokenError::invalid_request(
                "the subject token was issued to another client",
            ));
        }
        // The client's own workspace manages: a token that was itself got by exchange is for another,
        // and is refused as such and not for its target (RFC 8693 section 2.2.2).
        let tenant = self.tenant(endpoint, &client.workspace)?;
        let grant = Grant::exchange(&verified, &client, &tenant, request)?;
        Ok(Exchange {
            client,
            tenant,
            grant,
        })
    }

    /// The workspace behind the endpoint, which must be managed by the subject's. One that does not
    /// exist sounds the same.
    fn tenant(&self, endpoint: &WorkspaceId, manager: &WorkspaceId) -> Result<Tenant, TokenError> {
        self.clients
            .workspace(endpoint)
            .filter(|workspace| workspace.managed_by.as_ref() == Some(manager))
            .map(|workspace| Tenant {
                workspace: workspace.id.clone(),
                customer: workspace.customer.clone(),
            })
            .ok_or_else(|| {
                TokenError::invalid_target(
                    "the workspace in the token URL is not managed by the subject token's",
                )
            })
    }
}
