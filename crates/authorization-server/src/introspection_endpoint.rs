//! The introspection endpoint (RFC 7662): what a token is worth at this moment.
//!
//! A client sees its own tokens. One that was registered for it also sees those of others, if they
//! are for its application instance: a resource server learns nothing about tokens that are not for
//! it. Whatever it may not see looks exactly like a token that is no good.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use hallpass_oauth::introspection::ActiveToken;
use hallpass_oauth::jws::UnverifiedToken;
use hallpass_oauth::verify::VerifiedToken;
use hallpass_oauth::{
    ClientRegistration, IntrospectionRequest, IntrospectionResponse, Secret, TokenError,
};
use hallpass_store::VerifiedCaller;

use crate::answer::Refusal;
use crate::client::{Caller, Submission};
use crate::description::{self, Failure};
use crate::{AuthorizationServer, INTROSPECTION_PATH};

/// Ask what a token is worth
///
/// Token introspection (RFC 7662). A client sees its own tokens; one that was registered for it also
/// those of others for its application instance.
#[utoipa::path(
    post,
    path = INTROSPECTION_PATH,
    tag = "Tokens",
    operation_id = "introspectToken",
    request_body(content = description::TokenQuestion, content_type = "application/x-www-form-urlencoded"),
    security(("client" = []), ()),
    responses(
        (status = 200, description = "What the token is worth", body = description::Introspection),
        (status = 400, description = "The request is wrong", body = Failure),
        (status = 401, description = "The client is unknown, or its secret wrong", body = Failure),
        (status = 413, description = "The body is too long", body = Failure),
        (status = 429, description = "Too many requests; `Retry-After` says when to try again", body = Failure),
        (status = 503, description = "Not available at this moment; `Retry-After` says when to try again", body = Failure),
    )
)]
pub(crate) async fn introspect(
    State(server): State<Arc<AuthorizationServer>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let outcome = server.introspect(request, peer).await;
    server.metrics.introspected(outcome.as_ref().err());
    server.answer(outcome.map(|answer| Some(answer.to_json())))
}

impl AuthorizationServer {
    async fn introspect(
        &self,
        request: Request,
        peer: SocketAddr,
    ) -> Result<IntrospectionResponse, Refusal> {
        let submission = Submission::read(request).await?;
        let form = submission.form()?;
        let asked = IntrospectionRequest::from_form(&form)?;
        let caller = Caller {
            address: peer.ip(),
            now: (self.clock)(),
        };
        // Nobody waits with it but who has authenticated: up to there nothing waits.
        let _place = self.admission.enter().ok_or_else(TokenError::overloaded)?;
        let client = self.authenticated(&submission, &form, caller).await?;
        Ok(self.status_for(&client, &asked.token, caller))
    }

    fn status_for(
        &self,
        client: &ClientRegistration,
        token: &Secret,
        caller: Caller,
    ) -> IntrospectionResponse {
        let inactive = |_| IntrospectionResponse::Inactive;
        let look = || {
            let token = UnverifiedToken::parse(token.expose()).map_err(inactive)?;
            let signed = self.signed(&token, caller.now).map_err(inactive)?;
            let (owner, verified) = self.verified(&signed, caller.now).map_err(inactive)?;
            // RFC 7662 section 4: expired is expired. The leeway of resource servers is for clocks that
            // differ, and the token's times are of this one.
            if may_see(client, &verified) && caller.now < verified.expires_at() {
                Ok(active(&owner, &verified))
            } else {
                Err(IntrospectionResponse::Inactive)
            }
        };
        look().unwrap_or_else(|inactive| inactive)
    }
}

fn may_see(client: &ClientRegistration, token: &VerifiedToken<'_>) -> bool {
    let own = *token.client_id() == client.client_id;
    own || client.introspects && *token.instance() == client.instance
}

fn active(owner: &VerifiedCaller, token: &VerifiedToken<'_>) -> IntrospectionResponse {
    let principal = owner.principal();
    let members = [
        ("application_instance_id", token.instance().to_string()),
        ("platform_customer_id", principal.workspace.to_string()),
    ];
    IntrospectionResponse::Active(Box::new(ActiveToken {
        scope: token.scope().cloned().unwrap_or_default(),
        client_id: Some(token.client_id().to_string()),
        username: Some(principal.email.to_string()),
        token_type: Some("Bearer".to_owned()),
        exp: Some(token.expires_at().as_second()),
        iat: Some(token.issued_at().as_second()),
        nbf: None,
        sub: Some(token.subject().to_owned()),
        aud: vec![token.audience().to_string()],
        iss: Some(token.issuer().to_string()),
        jti: token.token_id().to_claim(),
        extensions: members
            .into_iter()
            .map(|(name, value)| (name.to_owned(), value.into()))
            .collect(),
    }))
}
