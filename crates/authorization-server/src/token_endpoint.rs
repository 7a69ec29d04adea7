//! The token endpoint (RFC 6749 section 3.2) and its twin per workspace.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::response::Response;
use hallpass_oauth::form::Form;
use hallpass_oauth::token_request::ExchangeRequest;
use hallpass_oauth::token_response::Additions;
use hallpass_oauth::{
    AccessToken, ClientRegistration, Grant, Profile, ScopeSet, TokenError, TokenRequest,
    TokenResponse, WorkspaceId,
};

use crate::admission::Permit;
use crate::answer::Refusal;
use crate::client::{Caller, Submission, event_of, too_many};
use crate::description::{self, Failure};
use crate::metrics::{CLIENT_CREDENTIALS, TOKEN_EXCHANGE};
use crate::{AuthorizationServer, TOKEN_PATH, WORKSPACE_TOKEN_PATH};

/// Get an access token
///
/// With the client credentials grant (RFC 6749 section 4.4). A new token ends the credential's earlier
/// ones, unless the server is configured otherwise.
#[utoipa::path(
    post,
    path = TOKEN_PATH,
    tag = "Tokens",
    operation_id = "getToken",
    request_body(content = description::TokenRequest, content_type = "application/x-www-form-urlencoded"),
    security(("client" = []), ()),
    responses(
        (status = 200, description = "The token", body = description::TokenResponse),
        (status = 400, description = "The request is wrong", body = Failure),
        (status = 401, description = "The client is unknown, or its secret wrong", body = Failure),
        (status = 413, description = "The body is too long", body = Failure),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again", body = Failure),
        (status = 503, description = "Not available at this moment; `Retry-After` says when to try again", body = Failure),
    )
)]
pub(crate) async fn classic(
    State(server): State<Arc<AuthorizationServer>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    server.token_answer(request, Ok(None), peer.ip()).await
}

/// Get an access token for a workspace
///
/// With the client credentials grant, for a credential of that workspace; or by token exchange (RFC
/// 8693), with a token of the workspace that manages it.
#[utoipa::path(
    post,
    path = WORKSPACE_TOKEN_PATH,
    tag = "Tokens",
    operation_id = "getWorkspaceToken",
    params(("workspaceId" = String, Path, description = "The workspace's id: 32 hexadecimal digits", example = "e8a4da2eefc311eba02cb603422bc0a0")),
    request_body(content = description::TokenRequest, content_type = "application/x-www-form-urlencoded"),
    security(("client" = []), ()),
    responses(
        (status = 200, description = "The token", body = description::TokenResponse),
        (status = 400, description = "The request is wrong", body = Failure),
        (status = 401, description = "The client is unknown, or its secret wrong", body = Failure),
        (status = 413, description = "The body is too long", body = Failure),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again", body = Failure),
        (status = 503, description = "Not available at this moment; `Retry-After` says when to try again", body = Failure),
    )
)]
pub(crate) async fn of_workspace(
    State(server): State<Arc<AuthorizationServer>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    workspace: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let endpoint = read_workspace(workspace).map(Some);
    server.token_answer(request, endpoint, peer.ip()).await
}

/// The documented id has no hyphens, and clients that forget to strip them exist.
fn read_workspace(segment: Result<Path<String>, PathRejection>) -> Result<WorkspaceId, TokenError> {
    let Path(text) = segment
        .map_err(|_| TokenError::invalid_request("the workspace id in the token URL is no text"))?;
    WorkspaceId::parse(&text.replace('-', "").to_ascii_lowercase())
        .map_err(|error| TokenError::invalid_request(error.to_string()))
}

impl AuthorizationServer {
    async fn token_answer(
        &self,
        request: Request,
        endpoint: Result<Option<WorkspaceId>, TokenError>,
        address: IpAddr,
    ) -> Response {
        let began = (self.clock)();
        let outcome = match endpoint {
            Ok(endpoint) => self.token(request, endpoint.as_ref(), address).await,
            Err(error) => Err(error.into()),
        };
        if let Err(refusal) = &outcome {
            self.metrics.refused("token", refusal);
        }
        self.metrics.took(outcome.is_ok(), began, (self.clock)());
        self.answer(outcome.map(Some))
    }

    /// Walk 1: from the request to the token, step by step.
    async fn token(
        &self,
        request: Request,
        endpoint: Option<&WorkspaceId>,
        address: IpAddr,
    ) -> Result<String, Refusal> {
        let submission = Submission::read(request).await?;
        let form = submission.form()?;
        let token_request = TokenRequest::from_form(&form)?;
        let caller = Caller {
            address,
            now: (self.clock)(),
        };
        if token_request.exchange().is_some() {
            return self
                .token_exchange(&submission, &form, &token_request, endpoint, caller)
                .await;
        }

        let (token, grant, _place) = self
            .client_credentials(&submission, &form, &token_request, endpoint, caller)
            .await?;
        let additions = Additions {
            scope: told_scope(&grant, &token_request),
            issued_token_type: None,
        };
        Ok(self.print(&token, additions))
    }

    /// The grant of a client that speaks for itself: from its proof to its token. The request's place
    /// comes along, to be held until it is answered.
    pub(crate) async fn client_credentials(
        &self,
        submission: &Submission,
        form: &Form<'_>,
        token_request: &TokenRequest,
        endpoint: Option<&WorkspaceId>,
        caller: Caller,
    ) -> Result<(AccessToken, Arc<Grant>, Permit<'_>), TokenError> {
        let (client, presented) = self.authenticate(submission, form, caller)?;
        let registration = client.registration();
        let grant = Grant::authorize(&client, token_request, endpoint)
            .inspect_err(|error| self.count_refused_grant(error, registration, caller))?;
        self.mints
            .admit(registration.client_id.as_str(), caller.now)
            .map_err(too_many)
            .inspect_err(|error| self.count_refused_grant(error, registration, caller))?;
        let place = self.admission.enter().ok_or_else(TokenError::overloaded)?;
        let message = format!("Access token issued to client {}", registration.client_id);
        let event = event_of(message, registration, caller)
            .per_minute(&format!("issued {}", registration.client_id));
        let grant = Arc::new(grant);
        let token = self
            .issue(
                registration,
                client.proof().clone(),
                grant.clone(),
                event,
                caller.now,
            )
            .await
            .map_err(|error| self.not_taken(&error, &presented, caller))?;
        self.metrics.issued(CLIENT_CREDENTIALS);
        Ok((token, grant, place))
    }

    /// The other grant: a token for a token.
    async fn token_exchange(
        &self,
        submission: &Submission,
        form: &Form<'_>,
        request: &TokenRequest,
        endpoint: Option<&WorkspaceId>,
        caller: Caller,
    ) -> Result<String, Refusal> {
        let client_id = if submission.has_credential(form) {
            let client = self.authenticated(submission, form, caller).await?;
            Some(client.client_id.to_string())
        } else {
            form.value("client_id").map(str::to_owned)
        };
        let (token, grant) = self
            .exchange(request, endpoint, client_id.as_deref(), caller)
            .await?;
        self.metrics.issued(TOKEN_EXCHANGE);
        let additions = Additions {
            scope: told_scope(&grant, request),
            issued_token_type: request.exchange().map(ExchangeRequest::issued_token_type),
        };
        Ok(self.print(&token, additions))
    }

    /// The real system counts the whole seconds that are left when it answers; in `rfc9068` it is `exp`
    /// less `iat`, so that an answer and its token agree. Never from before the token was issued: with
    /// a clock that was set back, the client would hear of more than the token's lifetime.
    fn print(&self, token: &AccessToken, additions: Additions<'_>) -> String {
        let told_at = match self.settings.issuing.profile {
            Profile::Greenlake => (self.clock)().max(token.issued_at()),
            Profile::Rfc9068 => token.issued_at(),
        };
        TokenResponse::print_with(token, told_at, additions)
    }

    fn count_refused_grant(
        &self,
        error: &TokenError,
        registration: &ClientRegistration,
        caller: Caller,
    ) {
        // Without what the request said: a client could make rows without end.
        let code = error.code();
        let message = format!("Token request refused: {code}");
        self.count_failure(&message, code, Some(registration), caller);
    }
}

/// RFC 6749 section 5.1: the scope is told when it is not what was asked for.
fn told_scope<'a>(grant: &'a Grant, request: &TokenRequest) -> Option<&'a ScopeSet> {
    let granted = grant.scope()?;
    let asked = request
        .scope
        .as_deref()
        .and_then(|text| text.parse::<ScopeSet>().ok());
    (asked.as_ref() != Some(granted)).then_some(granted)
}
