//! The token endpoint (RFC 6749 section 3.2) and its twin per workspace.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::header::{
    AUTHORIZATION, CACHE_CONTROL, CONTENT_TYPE, PRAGMA, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use hallpass_oauth::client_authentication::{AuthenticatedClient, authenticate};
use hallpass_oauth::form::Form;
use hallpass_oauth::mint::mint;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{
    AccessToken, ClientRegistration, Grant, PresentedCredential, TokenError, TokenRequest,
    TokenResponse, WorkspaceId,
};
use hallpass_store::{AuditEvent, AuditState, SequenceError};
use jiff::Timestamp;

use crate::AuthorizationServer;

/// Longest body read, in bytes. A request of the largest client is under 1 KiB.
const LONGEST_BODY: usize = 16 * 1024;

/// Names this part of the system in the audit log.
const SOURCE: &str = "authorization-server";

pub(crate) async fn classic(
    State(server): State<Arc<AuthorizationServer>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    answer(&server, server.token(request, None, peer.ip()).await)
}

pub(crate) async fn of_workspace(
    State(server): State<Arc<AuthorizationServer>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    workspace: Result<Path<String>, PathRejection>,
    request: Request,
) -> Response {
    let outcome = match read_workspace(workspace) {
        Ok(workspace) => server.token(request, Some(workspace), peer.ip()).await,
        Err(error) => Err(error),
    };
    answer(&server, outcome)
}

/// Anything but POST. The router adds which method is allowed.
pub(crate) async fn wrong_method(State(server): State<Arc<AuthorizationServer>>) -> Response {
    let error = TokenError::invalid_request("the token endpoint takes POST");
    let mut response = answer(&server, Err(error));
    *response.status_mut() = StatusCode::METHOD_NOT_ALLOWED;
    response
}

/// The documented id has no hyphens, and clients that forget to strip them exist.
fn read_workspace(segment: Result<Path<String>, PathRejection>) -> Result<WorkspaceId, TokenError> {
    let Path(text) = segment
        .map_err(|_| TokenError::invalid_request("the workspace id in the token URL is no text"))?;
    WorkspaceId::parse(&text.replace('-', "").to_ascii_lowercase())
        .map_err(|error| TokenError::invalid_request(error.to_string()))
}

impl AuthorizationServer {
    /// Walk 1: from the request to the token, step by step.
    async fn token(
        &self,
        request: Request,
        endpoint: Option<WorkspaceId>,
        address: IpAddr,
    ) -> Result<String, TokenError> {
        let (head, body) = request.into_parts();
        refuse_query_credentials(head.uri.query())?;
        let body = read_form_body(&head.headers, body).await?;
        let form = Form::parse(&body).map_err(|e| TokenError::invalid_request(e.to_string()))?;

        let token_request = TokenRequest::from_form(&form)?;
        let now = (self.clock)();
        let authorization = head.headers.get_all(AUTHORIZATION);
        let authorization = authorization.iter().map(HeaderValue::as_bytes);
        let presented = PresentedCredential::read(authorization, &form).inspect_err(|error| {
            if error.is_invalid_client() {
                let message = "Client authentication failed: no readable credential";
                self.count_failure(message, error.code(), None, address, now);
            }
        })?;
        let client = self.authenticate(&presented, address, now)?;
        let registration = client.registration();
        let grant =
            Grant::authorize(&client, &token_request, endpoint.as_ref()).inspect_err(|error| {
                let message = format!("Token request refused: {error}");
                self.count_failure(&message, error.code(), Some(registration), address, now);
            })?;
        let token = self.mint(registration, &grant, address, now).await;
        let token = token.map_err(|error| refusal(error, &presented))?;
        Ok(TokenResponse::print(&token, (self.clock)()))
    }

    fn authenticate(
        &self,
        presented: &PresentedCredential,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<AuthenticatedClient<Arc<ClientRegistration>>, TokenError> {
        let find = |id: &str| self.clients.find(id);
        authenticate(presented, find, self.clients.pepper()).map_err(|failure| {
            let known = self.clients.find(presented.unverified_client_id());
            let refusal = presented.refusal();
            let message = format!("Client authentication failed: {failure}");
            self.count_failure(&message, refusal.code(), known.as_deref(), address, now);
            refusal
        })
    }

    /// Counts a refused token request. An id that no client has is not written down: a stranger
    /// could make rows without end, and some send their secret where the id belongs.
    fn count_failure(
        &self,
        message: &str,
        code: &str,
        client: Option<&ClientRegistration>,
        address: IpAddr,
        now: Timestamp,
    ) {
        let mut event =
            AuditEvent::new(AuditState::Failure, message, SOURCE, now, &mut SystemRandom);
        code.clone_into(&mut event.code);
        event.source_ip = address.to_string();
        if let Some(client) = client {
            event.client_id = client.client_id.to_string();
            event.workspace = Some(client.workspace.clone());
        }
        let key = format!("{message} {} {address}", event.client_id);
        self.audit.count(event.per_minute(&key));
    }

    /// Takes a place in the credential's sequence, signs while that is being written down, and
    /// waits for both: a token that was answered is never forgotten.
    async fn mint(
        &self,
        registration: &ClientRegistration,
        grant: &Grant,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<AccessToken, SequenceError> {
        let event = AuditEvent {
            workspace: Some(registration.workspace.clone()),
            source_ip: address.to_string(),
            user_email: registration.subject.to_string(),
            client_id: registration.client_id.to_string(),
            ..AuditEvent::new(
                AuditState::Success,
                format!("Access token issued to client {}", registration.client_id),
                SOURCE,
                now,
                &mut SystemRandom,
            )
        };
        let event = event.per_minute(&format!("issued {}", registration.client_id));
        let reservation = self.sequences.reserve(registration, event)?;
        let key = self.signing_keys.active();
        let token = mint(
            grant,
            reservation.place(),
            &self.issuing,
            &key,
            now,
            &mut SystemRandom,
        );
        reservation.commit().await?;
        token.map_err(|error| SequenceError::Store(error.into()))
    }
}

/// A client that was reset while it asked has a wrong secret now; everything else is our fault.
fn refusal(error: SequenceError, presented: &PresentedCredential) -> TokenError {
    match error {
        SequenceError::Changed => presented.refusal(),
        SequenceError::Undecided => TokenError::unavailable(),
        SequenceError::Store(error) => {
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::error!(error, "a token was not issued");
            TokenError::unavailable()
        }
    }
}

/// Credentials in a URL end up in logs and histories (RFC 6749 section 2.3.1 forbids them).
fn refuse_query_credentials(query: Option<&str>) -> Result<(), TokenError> {
    let is_credential = |name: &str| {
        ["client_secret", "client_assertion", "client_id"]
            .iter()
            .any(|credential| name.eq_ignore_ascii_case(credential))
    };
    if form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .any(|(name, _)| is_credential(&name))
    {
        return Err(TokenError::invalid_request(
            "client credentials belong into the body or the Authorization header, not into the URL",
        ));
    }
    Ok(())
}

async fn read_form_body(headers: &HeaderMap, body: Body) -> Result<Vec<u8>, TokenError> {
    // Clients add parameters such as charset, so the media type is compared, not the text.
    let form_encoded = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .is_some_and(|kind| kind.trim().eq_ignore_ascii_case(TokenRequest::CONTENT_TYPE));
    if !form_encoded {
        return Err(TokenError::invalid_request(format!(
            "the body must be sent as {}",
            TokenRequest::CONTENT_TYPE
        )));
    }
    let bytes = to_bytes(body, LONGEST_BODY).await.map_err(|_| {
        TokenError::invalid_request(format!(
            "the body could not be read or is over {LONGEST_BODY} bytes"
        ))
    })?;
    Ok(bytes.to_vec())
}

/// The one place where an outcome becomes a wire answer: RFC 6749 sections 5.1 and 5.2.
fn answer(server: &AuthorizationServer, outcome: Result<String, TokenError>) -> Response {
    let no_store = [
        (CONTENT_TYPE, "application/json"),
        (CACHE_CONTROL, "no-store"),
        (PRAGMA, "no-cache"),
    ];
    match outcome {
        Ok(body) => {
            server.metrics.issued();
            (no_store, body).into_response()
        }
        Err(error) => {
            server.metrics.refused(error.code());
            let status = StatusCode::from_u16(error.status()).unwrap_or(StatusCode::BAD_REQUEST);
            let mut response = (status, no_store, error.to_json()).into_response();
            if let Some(challenge) = error.challenge() {
                response
                    .headers_mut()
                    .insert(WWW_AUTHENTICATE, HeaderValue::from_static(challenge));
            }
            if status == StatusCode::SERVICE_UNAVAILABLE {
                response
                    .headers_mut()
                    .insert(RETRY_AFTER, HeaderValue::from_static("1"));
            }
            response
        }
    }
}
