//! The revocation endpoint (RFC 7009): a client ends one of its own tokens.
//!
//! The answer is 200 whatever the token was (section 2.2): one that is unknown, dead or another
//! client's is as revoked as the asker can have it, and no difference tells what it is.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use hallpass_oauth::jws::UnverifiedToken;
use hallpass_oauth::{ClientRegistration, RevocationRequest, Secret, TokenError};

use crate::answer::Refusal;
use crate::client::{Caller, Submission, event_of};
use crate::description::{self, Failure};
use crate::{AuthorizationServer, REVOCATION_PATH};

/// End a token
///
/// Token revocation (RFC 7009). The answer is the same whatever the token was.
#[utoipa::path(
    post,
    path = REVOCATION_PATH,
    tag = "Tokens",
    operation_id = "revokeToken",
    request_body(content = description::TokenQuestion, content_type = "application/x-www-form-urlencoded"),
    security(("client" = []), ()),
    responses(
        (status = 200, description = "The token is good for nothing any more"),
        (status = 400, description = "The request is wrong", body = Failure),
        (status = 401, description = "The client is unknown, or its secret wrong", body = Failure),
        (status = 413, description = "The body is too long", body = Failure),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again", body = Failure),
        (status = 503, description = "Not available at this moment; `Retry-After` says when to try again", body = Failure),
    )
)]
pub(crate) async fn revoke(
    State(server): State<Arc<AuthorizationServer>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let outcome = server.revoke(request, peer).await;
    server.metrics.revoked(outcome.as_ref().err());
    server.answer(outcome.map(|()| None))
}

impl AuthorizationServer {
    async fn revoke(&self, request: Request, peer: SocketAddr) -> Result<(), Refusal> {
        let submission = Submission::read(request).await?;
        let form = submission.form()?;
        let asked = RevocationRequest::from_form(&form)?;
        let caller = Caller {
            address: peer.ip(),
            now: (self.clock)(),
        };
        // Nobody waits with it but who has authenticated: up to there nothing waits.
        let _place = self.admission.enter().ok_or_else(TokenError::overloaded)?;
        let client = self.authenticated(&submission, &form, caller).await?;
        Ok(self.end(&client, &asked.token, caller).await?)
    }

    async fn end(
        &self,
        client: &ClientRegistration,
        token: &Secret,
        caller: Caller,
    ) -> Result<(), TokenError> {
        let Ok(token) = UnverifiedToken::parse(token.expose()) else {
            return Ok(());
        };
        let Ok(signed) = self.signed(&token, caller.now) else {
            return Ok(());
        };
        let Ok((_, verified)) = self.verified(&signed, caller.now) else {
            return Ok(());
        };
        if *verified.client_id() != client.client_id {
            return Ok(());
        }
        let message = format!("Access token of client {} revoked", client.client_id);
        let event = event_of(message, client, caller);
        self.revocations
            .revoke(&verified, event)
            .await
            .map_err(|error| {
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::error!(error, "a token was not revoked");
                TokenError::unavailable()
            })
    }
}
