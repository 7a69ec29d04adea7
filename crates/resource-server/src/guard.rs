//! Walk 2: from the request to the answer, step by step.

use std::net::SocketAddr;
use std::sync::Arc;

use hallpass_oauth::Challenge;
use hallpass_oauth::bearer::PresentedToken;
use hallpass_oauth::random::SystemRandom;
use hallpass_openapi::Route;
use hallpass_store::audit::AuditResource;
use hallpass_store::{AuditEvent, AuditState, StoreError, VerifiedCaller};
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use jiff::Timestamp;
use tracing::Instrument as _;

use crate::listener::{BodyError, TraceContext};
use crate::own::Own;
use crate::permitted::{Call, Denied, permit};
use crate::reply::{Body, Refusal, json_response};
use crate::target::Target;
use crate::{ResourceServer, access_answers, audit_events};

/// Longest request body, in bytes.
const LONGEST_BODY: usize = 1024 * 1024;

impl ResourceServer {
    /// Answers one request.
    pub async fn handle<B>(
        self: &Arc<Self>,
        request: Request<B>,
        peer: SocketAddr,
    ) -> Response<Body>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let now = (self.clock)();
        // The listener put it there, and it stands beside whatever is logged about the call.
        let trace = request.extensions().get().copied();
        let trace = trace.unwrap_or_else(|| TraceContext::new(&mut SystemRandom));
        let trace_id = trace.trace_id().to_string();
        let response = match self.call(request, peer, now, &trace_id).await {
            Ok(response) => response,
            Err(refusal) => {
                self.metrics.refused(refusal.reason());
                tracing::debug!(reason = refusal.reason(), "request refused");
                refusal.response(&trace_id)
            }
        };
        self.metrics.answered(response.status());
        response
    }

    async fn call<B>(
        self: &Arc<Self>,
        request: Request<B>,
        peer: SocketAddr,
        now: Timestamp,
        trace_id: &str,
    ) -> Result<Response<Body>, Refusal>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let target = Target::read(&head.uri, head.headers.get(HOST))?;
        let target = target.asked_by(head.extensions.get().cloned());
        let presented = self.presented_token(&head, &target, peer, now)?;

        let caller = self.verified(&presented, peer, now)?;
        let (operation, path) = self.match_operation(&head.method, &target)?;
        let permitted = permit(caller, &self.definition, operation, &self.permissions);
        if let Err(denied) = permitted {
            return Err(self.deny(&denied, &target, peer, now).await);
        }

        let body = read_body(body).await?;
        // Decided again: a body may take long to arrive, and whoever could do this when it began
        // may have lost the right since.
        let now = (self.clock)();
        let caller = self.verified(&presented, peer, now)?;
        let permitted = permit(caller, &self.definition, operation, &self.permissions);
        let permitted = match permitted {
            Ok(permitted) => permitted,
            Err(denied) => return Err(self.deny(&denied, &target, peer, now).await),
        };
        let call = Call {
            permitted,
            path,
            target,
            body,
            peer,
        };
        let answer = if is_safe(call.permitted.operation().method()) {
            self.read(&call, now).await?
        } else {
            self.change(call, now).await?
        };
        Ok(json_response(answer.status, &answer.traced(trace_id).body))
    }

    /// Answers a call that only reads. It is audited where that was asked for, and then not
    /// answered unless it is written down.
    async fn read(&self, call: &Call, now: Timestamp) -> Result<Answer, Refusal> {
        let answer = self.origin(call, now).await;
        if self.audit_reads {
            let good = answer
                .as_ref()
                .is_ok_and(|answer| answer.status.is_success());
            let state = if good {
                AuditState::Success
            } else {
                AuditState::Failure
            };
            self.record(call, state, None, now).await?;
        }
        answer
    }

    /// Makes a changing call, between the two events that tell of it. It has a task of its own: a
    /// caller that goes away must not leave half a change, or one whose end nobody wrote down.
    async fn change(self: &Arc<Self>, call: Call, now: Timestamp) -> Result<Answer, Refusal> {
        let server = self.clone();
        let change = async move {
            let initiated = AuditState::Initiated;
            server.record(&call, initiated, None, now).await?;
            let answer = server.origin(&call, now).await;
            let (state, task) = match &answer {
                Ok(answer) if answer.status.is_success() => {
                    (AuditState::Success, answer.task.clone())
                }
                _ => (AuditState::Failure, None),
            };
            let end = (server.clock)();
            // The change is made, and so is its answer: a caller told to try again would make it
            // twice. That the end was not written down has been logged.
            let _ = server.record(&call, state, task, end).await;
            answer
        };
        let under_way = self.changes.clone().read_owned().await;
        let change = async move {
            let _under_way = under_way;
            change.await
        };
        let task = tokio::spawn(change.in_current_span());
        task.await.unwrap_or_else(|error| {
            tracing::error!(error = %error, "a changing call stopped half way");
            Err(Refusal::Unavailable)
        })
    }

    /// The caller behind a token: its signature from memory or checked, everything that can change
    /// looked up now.
    fn verified(
        &self,
        presented: &PresentedToken,
        peer: SocketAddr,
        now: Timestamp,
    ) -> Result<VerifiedCaller, Refusal> {
        let keys = self.keys.current();
        self.verified
            .signed(presented, &keys, &self.expectation, now)
            .and_then(|signed| {
                self.principals
                    .verify(&signed, &keys, &self.expectation, now)
            })
            .map_err(|refusal| self.count_refusal(Challenge::InvalidToken(refusal), peer, now))
    }

    /// Waits until the changes under way have come to their end, those included whose caller is
    /// gone.
    pub async fn settle(&self) {
        drop(self.changes.write().await);
    }

    fn presented_token(
        &self,
        head: &Parts,
        target: &Target,
        peer: SocketAddr,
        now: Timestamp,
    ) -> Result<PresentedToken, Refusal> {
        // What stands in a URL ends up in logs, the audit log of this server among them.
        if target
            .query()
            .iter()
            .any(|(name, _)| name == "access_token")
        {
            let refusal = Challenge::InvalidRequest(
                "an access token belongs into the Authorization header, not into the URL",
            );
            return Err(self.count_refusal(refusal, peer, now));
        }
        let headers = head.headers.get_all(AUTHORIZATION);
        PresentedToken::read(headers.iter().map(HeaderValue::as_bytes))
            .map_err(|error| self.count_refusal(error.into(), peer, now))
    }

    /// No match is a refusal. It comes after the token, so a stranger learns nothing about which
    /// paths exist.
    fn match_operation(
        &self,
        method: &Method,
        target: &Target,
    ) -> Result<(usize, Vec<(String, String)>), Refusal> {
        match self.definition.routes().find(method, target.path()) {
            Route::Found { operation, path } => Ok((operation, path)),
            Route::WrongMethod { allow } => Err(Refusal::WrongMethod(allow)),
            Route::Unknown => Err(Refusal::UnknownOperation),
        }
    }

    /// Where the answer comes from: three operations are about the caller's own rights and the
    /// audit log, which this server knows best; the stand-in answers the rest.
    async fn origin(&self, call: &Call, now: Timestamp) -> Result<Answer, Refusal> {
        let Call {
            permitted, target, ..
        } = call;
        let operation = permitted.operation();
        let own = match Own::of(operation) {
            Some(Own::AccessControls) => {
                access_answers::access_controls(permitted, &self.permissions, target.query())
            }
            Some(Own::ResourceTypes) => {
                access_answers::resource_types(permitted, &self.permissions)
            }
            Some(Own::AuditEvents) => {
                let owner = permitted.principal();
                let (workspace, customer) = (&owner.workspace, &owner.customer);
                audit_events::list(&self.audit, workspace, customer, target.query()).await?
            }
            None => return self.stand_in(call, now).await,
        };
        Ok(Answer {
            status: StatusCode::OK,
            body: own,
            task: None,
        })
    }

    async fn stand_in(&self, call: &Call, now: Timestamp) -> Result<Answer, Refusal> {
        let outcome = self.sandboxes.answer(call, &self.base_url, now).await;
        let response = outcome
            .map_err(|error| {
                let error: &(dyn std::error::Error + 'static) = &error;
                tracing::error!(error, "the stand-in did not answer");
                Refusal::Unavailable
            })?
            .response;
        Ok(Answer {
            status: response.status,
            body: response.body.unwrap_or_default(),
            task: response.task,
        })
    }

    /// Writes down that a call begins, or how it ended.
    async fn record(
        &self,
        call: &Call,
        state: AuditState,
        task: Option<String>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let permitted = &call.permitted;
        let operation = permitted.operation();
        let what = if operation.summary().is_empty() {
            operation.id()
        } else {
            operation.summary()
        };
        let word = match state {
            AuditState::Initiated => "Initiated",
            AuditState::Success => "Completed",
            AuditState::Failure | AuditState::PermissionDenied => "Failed",
        };
        let mut event = self.event(state, &format!("{what} - {word}"), call.peer, now);
        let owner = permitted.principal();
        event.workspace = Some(owner.workspace.clone());
        event.user_email = owner.email.to_string();
        event.client_id = permitted.client_id().to_string();
        permitted.permission().clone_into(&mut event.permission);
        event.task_id = task.unwrap_or_default();
        event.resource = AuditResource {
            id: call.target.uri_for_log(),
            name: operation.id().to_owned(),
            kind: permitted
                .permission()
                .split('.')
                .next()
                .unwrap_or_default()
                .to_owned(),
        };
        self.audit
            .record(event)
            .await
            .map_err(|error| unwritten(&error))
    }

    /// Writes the refusal of a verified identity down (domain facts, section 4.4).
    async fn deny(
        &self,
        denied: &Denied,
        target: &Target,
        peer: SocketAddr,
        now: Timestamp,
    ) -> Refusal {
        let state = AuditState::PermissionDenied;
        let mut event = self.event(state, "Unauthorized user access", peer, now);
        "Unauthorized privilege".clone_into(&mut event.code);
        event.workspace = Some(denied.caller.principal().workspace.clone());
        event.user_email = denied.caller.principal().email.to_string();
        event.client_id = denied.caller.client_id().to_string();
        event.permission.clone_from(&denied.permission);
        event.resource.id = target.uri_for_log();
        match self.audit.record(event).await {
            Ok(()) => denied.challenge().into(),
            Err(error) => unwritten(&error),
        }
    }

    /// Counts the refusal of a stranger, per reason and address.
    fn count_refusal(&self, challenge: Challenge, peer: SocketAddr, now: Timestamp) -> Refusal {
        let refusal = Refusal::Challenge(challenge);
        let reason = refusal.reason();
        let message = format!("API request refused: {reason}");
        let event = self.event(AuditState::Failure, &message, peer, now);
        self.audit
            .count(event.per_minute(&format!("{} {reason} {}", self.base_url, peer.ip())));
        refusal
    }

    fn event(
        &self,
        state: AuditState,
        message: &str,
        peer: SocketAddr,
        now: Timestamp,
    ) -> AuditEvent {
        let source = self.base_url.as_str();
        let mut event = AuditEvent::new(state, message, source, now, &mut SystemRandom);
        event.source_ip = peer.ip().to_string();
        event
    }
}

/// What the origin answered.
struct Answer {
    status: StatusCode,
    body: serde_json::Value,
    /// The task that was started.
    task: Option<String>,
}

impl Answer {
    /// The same with this call's id in an error body, so that one id stands in the answer and in
    /// the log, whoever wrote the body.
    fn traced(mut self, trace_id: &str) -> Self {
        if !self.status.is_success()
            && let Some(id) = self.body.get_mut("traceId")
        {
            *id = trace_id.into();
        }
        self
    }
}

fn unwritten(error: &StoreError) -> Refusal {
    let error: &(dyn std::error::Error + 'static) = error;
    tracing::error!(error, "an audit event was not written");
    Refusal::Unavailable
}

fn is_safe(method: &Method) -> bool {
    matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

async fn read_body<B>(body: B) -> Result<Option<Vec<u8>>, Refusal>
where
    B: http_body::Body + Send,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.is_end_stream() {
        return Ok(None);
    }
    let collected = Limited::new(body, LONGEST_BODY).collect().await;
    let collected = collected.map_err(|error| {
        if error.is::<http_body_util::LengthLimitError>() {
            Refusal::Body(StatusCode::PAYLOAD_TOO_LARGE, "the body is over 1 MiB")
        } else if matches!(error.downcast_ref(), Some(BodyError::TooSlow(_))) {
            Refusal::Body(StatusCode::REQUEST_TIMEOUT, "the body came too slowly")
        } else {
            Refusal::Body(StatusCode::BAD_REQUEST, "the body broke off")
        }
    })?;
    Ok(Some(collected.to_bytes().to_vec()))
}
