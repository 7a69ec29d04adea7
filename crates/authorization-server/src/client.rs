//! The first steps of every endpoint that clients authenticate at: read the form, authenticate, count
//! what fails.

use std::net::IpAddr;
use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::http::header::{AUTHORIZATION, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue, Request, StatusCode};
use hallpass_limits::RetryAfter;
use hallpass_oauth::client_authentication::{
    AuthenticatedClient, AuthenticationFailure, Authenticator, authenticate,
};
use hallpass_oauth::form::{Form, is_form};
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::token_request::{ClientCredential, EncodedRequest};
use hallpass_oauth::{ClientRegistration, PresentedCredential, TokenError, TokenRequest};
use hallpass_store::{AuditEvent, AuditState};
use jiff::Timestamp;

use crate::answer::Refusal;
use crate::{AuthorizationServer, TOKEN_PATH};

/// Names this part of the system in the audit log.
pub(crate) const SOURCE: &str = "authorization-server";

/// Longest body read, in bytes. A request of the largest client is under 1 KiB; one with a token and
/// an assertion under 4.
const LONGEST_BODY: usize = 16 * 1024;

/// A client that authenticated, with its registration of this moment.
pub(crate) type Client = AuthenticatedClient<Arc<ClientRegistration>>;

/// Where a request came from, and when.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    pub(crate) address: IpAddr,
    pub(crate) now: Timestamp,
}

/// A form as it came, with the header that may hold a credential.
pub(crate) struct Submission {
    path: String,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Submission {
    /// Reads a request of form type within the bounds.
    pub(crate) async fn read(request: Request<Body>) -> Result<Self, Refusal> {
        let (head, body) = request.into_parts();
        refuse_query_credentials(head.uri.query())?;
        let content_type = head.headers.get(CONTENT_TYPE);
        if !content_type
            .and_then(|value| value.to_str().ok())
            .is_some_and(is_form)
        {
            return Err(TokenError::invalid_request(format!(
                "the body must be sent as {}",
                TokenRequest::CONTENT_TYPE
            ))
            .into());
        }
        let body = to_bytes(body, LONGEST_BODY)
            .await
            .map_err(|error| unreadable(&error))?;
        Ok(Self {
            path: head.uri.path().to_owned(),
            headers: head.headers,
            body: body.into(),
        })
    }

    /// What a client would send to the token endpoint with this credential.
    pub(crate) fn of_client(request: &TokenRequest, credential: &ClientCredential<'_>) -> Self {
        let EncodedRequest {
            authorization,
            body,
        } = request.encode_with(credential);
        let mut headers = HeaderMap::new();
        // Base64 is always a header's value.
        let value = authorization.and_then(|value| HeaderValue::try_from(value.expose()).ok());
        if let Some(mut value) = value {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        Self {
            path: TOKEN_PATH.to_owned(),
            headers,
            body: body.expose().as_bytes().to_vec(),
        }
    }

    pub(crate) fn form(&self) -> Result<Form<'_>, TokenError> {
        Form::parse(&self.body).map_err(|error| TokenError::invalid_request(error.to_string()))
    }

    /// Whether the request proves in any way who it is from. A `client_id` alone only says it (RFC
    /// 6749 section 3.2.1).
    pub(crate) fn has_credential(&self, form: &Form<'_>) -> bool {
        self.headers.contains_key(AUTHORIZATION)
            || ["client_secret", "client_assertion", "client_assertion_type"]
                .iter()
                .any(|name| form.value(name).is_some())
    }
}

impl AuthorizationServer {
    /// Finds out which client sent the form.
    pub(crate) fn authenticate(
        &self,
        submission: &Submission,
        form: &Form<'_>,
        caller: Caller,
    ) -> Result<(Client, PresentedCredential), TokenError> {
        let authorization = submission.headers.get_all(AUTHORIZATION);
        let authorization = authorization.iter().map(HeaderValue::as_bytes);
        let two = self.settings.two_credentials;
        let presented = PresentedCredential::read(authorization, form, two).map_err(|error| {
            if error.is_invalid_client() {
                self.metrics.failed("unreadable");
                let what = "Client authentication failed: no readable credential";
                self.count_failure(what, error.code(), None, caller);
                // There is no id to count by, so the address stands for it too.
                let nobody = caller.address.to_string();
                self.limited(&nobody, caller).unwrap_or(error)
            } else {
                error
            }
        })?;
        let endpoints;
        let mut audiences = vec![self.settings.issuing.issuer.as_str()];
        if self.settings.assertions_for_endpoint {
            endpoints = self.endpoints(submission);
            audiences.extend(endpoints.iter().map(String::as_str));
        }
        let by = Authenticator {
            find: |id: &str| self.clients.find(id),
            pepper: self.clients.pepper(),
            audiences: &audiences,
            longest_assertion: self.settings.limits.assertion_lifetime,
        };
        match authenticate(&presented, &by, caller.now) {
            Ok(client) => Ok((client, presented)),
            Err(failure) => Err(self.failed(&presented, reason(failure), &failure, caller)),
        }
    }

    /// The URLs that an assertion may be for besides the issuer: the token endpoint (RFC 7523 section
    /// 3, point 3) and the endpoint that was asked, since libraries name the address they send to.
    fn endpoints(&self, submission: &Submission) -> [String; 2] {
        [TOKEN_PATH, &submission.path].map(|path| format!("{}{path}", self.settings.base_url))
    }

    /// The same for a client that asks for something else than a token of its own: what it proved
    /// itself with is written down, and how often it may ask is bounded.
    pub(crate) async fn authenticated(
        &self,
        submission: &Submission,
        form: &Form<'_>,
        caller: Caller,
    ) -> Result<Arc<ClientRegistration>, TokenError> {
        let (client, presented) = self.authenticate(submission, form, caller)?;
        let registration = Arc::new(client.registration().clone());
        self.questions
            .admit(registration.client_id.as_str(), caller.now)
            .map_err(too_many)?;
        let from = caller.address.to_string();
        self.sequences
            .note_authentication(&registration, client.proof().clone(), &from, caller.now)
            .await
            .map_err(|error| self.not_taken(&error.into(), &presented, caller))?;
        Ok(registration)
    }

    /// What a client that did not authenticate is told; `reason` is the counters' word for the cause. Over
    /// the limits that is to come back later; a good credential never gets here, so nobody is locked
    /// out by another's failures.
    pub(crate) fn failed(
        &self,
        presented: &PresentedCredential,
        reason: &'static str,
        cause: &dyn std::fmt::Display,
        caller: Caller,
    ) -> TokenError {
        let id = presented.unverified_client_id();
        let known = self.clients.find(id);
        let refusal = presented.refusal();
        self.metrics.failed(reason);
        let message = format!("Client authentication failed: {cause}");
        self.count_failure(&message, refusal.code(), known.as_deref(), caller);
        self.limited(id, caller).unwrap_or(refusal)
    }

    fn limited(&self, client_id: &str, caller: Caller) -> Option<TokenError> {
        let Caller { address, now } = caller;
        let wait = self.failures.failed(client_id, address, now)?;
        let message = "Too many failed client authentications";
        self.count_failure(message, "too_many_failures", None, caller);
        Some(too_many(wait))
    }

    /// Counts a refused request. An id that no client has is not written down: a stranger could make
    /// rows without end, and some send their secret where the id belongs.
    pub(crate) fn count_failure(
        &self,
        message: &str,
        code: &str,
        client: Option<&ClientRegistration>,
        caller: Caller,
    ) {
        let mut event = event(AuditState::Failure, message.to_owned(), caller);
        code.clone_into(&mut event.code);
        if let Some(client) = client {
            event.client_id = client.client_id.to_string();
            event.workspace = Some(client.workspace.clone());
        }
        let key = format!("{message} {} {}", event.client_id, caller.address);
        self.audit.count(event.per_minute(&key));
    }
}

/// An event about what a client did with its credential.
pub(crate) fn event_of(message: String, client: &ClientRegistration, caller: Caller) -> AuditEvent {
    AuditEvent {
        workspace: Some(client.workspace.clone()),
        user_email: client.subject.to_string(),
        client_id: client.client_id.to_string(),
        ..event(AuditState::Success, message, caller)
    }
}

fn event(state: AuditState, message: String, caller: Caller) -> AuditEvent {
    let mut event = AuditEvent::new(state, message, SOURCE, caller.now, &mut SystemRandom);
    event.source_ip = caller.address.to_string();
    event
}

pub(crate) fn too_many(wait: RetryAfter) -> TokenError {
    TokenError::too_many_requests(wait.seconds())
}

/// A word for the counters.
fn reason(failure: AuthenticationFailure) -> &'static str {
    match failure {
        AuthenticationFailure::UnknownClient => "unknown_client",
        AuthenticationFailure::WrongSecret => "wrong_secret",
        AuthenticationFailure::ExpiredSecret => "expired_secret",
        AuthenticationFailure::Disabled => "disabled",
        AuthenticationFailure::Expired => "expired",
        AuthenticationFailure::Method => "method",
        AuthenticationFailure::Assertion(_) => "assertion",
    }
}

/// Credentials in a URL end up in logs and histories (RFC 6749 section 2.3.1 forbids them), and so do
/// tokens (RFC 7662 section 4).
fn refuse_query_credentials(query: Option<&str>) -> Result<(), TokenError> {
    const SECRET: [&str; 5] = [
        "client_secret",
        "client_assertion",
        "client_id",
        "subject_token",
        "token",
    ];
    let is_secret = |name: &str| SECRET.iter().any(|known| name.eq_ignore_ascii_case(known));
    if form_urlencoded::parse(query.unwrap_or_default().as_bytes())
        .any(|(name, _)| is_secret(&name))
    {
        return Err(TokenError::invalid_request(
            "client credentials and tokens belong into the body or the Authorization header, not \
             into the URL",
        ));
    }
    Ok(())
}

fn unreadable(error: &axum::Error) -> Refusal {
    let mut cause: Option<&(dyn std::error::Error + 'static)> = Some(error);
    while let Some(error) = cause {
        if error.is::<http_body_util::LengthLimitError>() {
            let error =
                TokenError::invalid_request(format!("the body is over {LONGEST_BODY} bytes"));
            return Refusal::http(StatusCode::PAYLOAD_TOO_LARGE, error);
        }
        if let Some(error) = error.downcast_ref::<std::io::Error>()
            && error.kind() == std::io::ErrorKind::TimedOut
        {
            let error = TokenError::invalid_request("the body came too slowly");
            return Refusal::http(StatusCode::REQUEST_TIMEOUT, error);
        }
        cause = error.source();
    }
    TokenError::invalid_request("the body broke off").into()
}
