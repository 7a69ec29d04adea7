//! Walk 2: from the request to the answer, step by step.
//!
//! What only some calls do is a future in a box: one that is not would have its room in every call, which
//! is moved several times on its way.

use std::net::SocketAddr;
use std::sync::Arc;

use hallpass_oauth::Challenge;
use hallpass_oauth::bearer::PresentedToken;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::verify::TokenRefusal;
use hallpass_openapi::Route;
use hallpass_sandbox::Outcome;
use hallpass_store::instances::Origin;
use hallpass_store::{ApplicationInstance, AuditState, VerifiedCaller};
use http::header::{AUTHORIZATION, HOST};
use http::request::Parts;
use http::{HeaderValue, Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Limited};
use jiff::Timestamp;
use tracing::Instrument as _;

use crate::answer::{Answer, Content};
use crate::answer_body::AnswerBody;
use crate::faults::{Chosen, Instead, Marked};
use crate::listener::{BodyError, NoAnswer, TraceContext};
use crate::own::Own;
use crate::permitted::{Call, Permitted, permit};
use crate::reply::{Refusal, allowed};
use crate::stand_in::{Answered, OriginError};
use crate::state_calls::StateCall;
use crate::target::{Target, TargetError};
use crate::upstream::Forwarding;
use crate::{ResourceServer, access_answers, audit_events};

/// Longest request body, in bytes.
const LONGEST_BODY: usize = 1024 * 1024;

impl ResourceServer {
    /// Answers one request.
    pub async fn handle<B>(
        self: &Arc<Self>,
        request: Request<B>,
        peer: SocketAddr,
    ) -> Response<AnswerBody>
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
                refusal.answer(&trace_id).map(AnswerBody::from)
            }
        };
        if response.extensions().get::<NoAnswer>().is_none() {
            self.metrics.answered(response.status());
        }
        response
    }

    async fn call<B>(
        self: &Arc<Self>,
        request: Request<B>,
        peer: SocketAddr,
        now: Timestamp,
        trace_id: &str,
    ) -> Result<Response<AnswerBody>, Refusal>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (head, body) = request.into_parts();
        let target = Target::read(&head.uri, head.headers.get(HOST))?;
        if target.is_server() && head.method != Method::OPTIONS {
            return Err(TargetError::Segment.into());
        }
        let target = target.asked_by(head.extensions.get().cloned());
        let presented = self.presented_token(&head, &target, peer, now)?;

        let caller = self.verified(&presented, peer, now)?;
        self.switched_on()?;
        if target.is_server() {
            return Ok(allowed(&[]).map(AnswerBody::from));
        }
        if StateCall::is_meant(&target) {
            let call = StateCall::new(caller, target, peer);
            let answer = self.state_call(call, &head, body, &presented, now);
            return Box::pin(answer).await;
        }
        let (operation, path) = match self.match_operation(&head.method, &target)? {
            Matched::Operation(operation, path) => (operation, path),
            Matched::Options(methods) => return Ok(allowed(&methods).map(AnswerBody::from)),
        };
        let mut permitted = self
            .permitted(caller, operation, &target, peer, now)
            .await?;
        let fault = self.fault(&head, &target, &presented, operation)?;

        let mut now = now;
        let may_take_long = !body.is_end_stream() || fault.waits();
        let body = read_body(body).await?;
        fault.wait().await;
        if may_take_long {
            // Decided again: whoever could do this when it began may have lost the right since.
            now = (self.clock)();
            let caller = self.verified(&presented, peer, now)?;
            permitted = self
                .permitted(caller, operation, &target, peer, now)
                .await?;
        }
        match fault.instead() {
            Some(Instead::NoAnswer(response)) => return Ok(response),
            Some(Instead::Status(status, retry_after)) => {
                return Err(faulty(status, retry_after, &permitted));
            }
            None => {}
        }
        let forwarding = self.forwarding(&head, &presented)?;
        let call = Call {
            permitted,
            path,
            target,
            body,
            task_fate: fault.task(),
            forwarding,
            peer,
        };
        let response = if is_safe(call.permitted.operation().method()) {
            let answer = self.read(&call, trace_id, now).await?;
            answer.into_reader_response(&head.headers, trace_id)
        } else {
            let answer = Box::pin(self.change(call, trace_id, now)).await?;
            answer.into_response(trace_id)
        };
        Ok(fault.spoil(&head.method, response))
    }

    /// The caller, if they may do this; a refusal is in the audit log before it is told.
    async fn permitted(
        &self,
        caller: VerifiedCaller,
        operation: usize,
        target: &Target,
        peer: SocketAddr,
        now: Timestamp,
    ) -> Result<Permitted, Refusal> {
        match permit(caller, &self.definition, operation, &self.permissions) {
            Ok(permitted) => Ok(permitted),
            Err(denied) => Err(Box::pin(self.deny(&denied, target, peer, now)).await),
        }
    }

    /// What goes wrong with this call because somebody wants it to.
    fn fault(
        &self,
        head: &Parts,
        target: &Target,
        token: &PresentedToken,
        operation: usize,
    ) -> Result<Chosen, Refusal> {
        let call = Marked {
            method: &head.method,
            path: target.path(),
            headers: &head.headers,
            token,
        };
        let operation = &self.definition.operations()[operation];
        self.faults.choose(&call, operation, &self.metrics)
    }

    /// Answers a call that only reads. It is audited where that was asked for, and then not
    /// answered unless it is written down.
    async fn read(&self, call: &Call, trace_id: &str, now: Timestamp) -> Result<Answer, Refusal> {
        let answer = self.origin(call, trace_id, now).await;
        if self.audit_reads {
            let good = answer
                .as_ref()
                .is_ok_and(|answer| answer.status.is_success());
            let state = if good {
                AuditState::Success
            } else {
                AuditState::Failure
            };
            Box::pin(self.record(call, state, None, now)).await?;
        }
        answer
    }

    /// Makes a changing call, between the two events that tell of it. It has a task of its own: a
    /// caller that goes away must not leave half a change, or one whose end nobody wrote down.
    async fn change(
        self: &Arc<Self>,
        call: Call,
        trace_id: &str,
        now: Timestamp,
    ) -> Result<Answer, Refusal> {
        let (server, trace_id) = (self.clone(), trace_id.to_owned());
        let change = async move {
            let initiated = AuditState::Initiated;
            server.record(&call, initiated, None, now).await?;
            let answer = server.origin(&call, &trace_id, now).await;
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

    /// Refuses whoever is known while the instance is switched off; a stranger does not learn that.
    fn switched_on(&self) -> Result<Arc<ApplicationInstance>, Refusal> {
        let instance = self.instances.find(&self.expectation.instance);
        let instance = instance.filter(|instance| instance.enabled);
        instance.ok_or(Refusal::SwitchedOff)
    }

    /// Where the call is passed on to, as an administrator has it at this moment.
    fn forwarding(
        &self,
        head: &Parts,
        token: &PresentedToken,
    ) -> Result<Option<Forwarding>, Refusal> {
        let instance = self.switched_on()?;
        Ok(match &instance.origin {
            Origin::Sandbox => None,
            Origin::Upstream(upstream) => Some(Forwarding::new(upstream, &instance, head, token)),
        })
    }

    /// The caller behind a token: its signature from memory or checked, everything that can change
    /// looked up now.
    pub(crate) fn verified(
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
    fn match_operation(&self, method: &Method, target: &Target) -> Result<Matched, Refusal> {
        match self.definition.routes().find(method, target.path()) {
            Route::Found { operation, path } => Ok(Matched::Operation(operation, path)),
            Route::WrongMethod { allow } if *method == Method::OPTIONS => {
                Ok(Matched::Options(allow))
            }
            Route::WrongMethod { allow } => Err(Refusal::WrongMethod(allow)),
            Route::Unknown => Err(Refusal::UnknownOperation),
        }
    }

    /// Where the answer comes from: three operations are about the caller's own rights and the
    /// audit log, which this server knows best; the upstream or the stand-in answers the rest.
    async fn origin(&self, call: &Call, trace_id: &str, now: Timestamp) -> Result<Answer, Refusal> {
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
                Box::pin(self.stand_ins.tell_ends_of(workspace, now)).await;
                let listed = audit_events::list(&self.audit, workspace, customer, target.query());
                Box::pin(listed).await?
            }
            None => {
                return match &call.forwarding {
                    Some(forwarding) => Box::pin(self.upstream(call, forwarding, trace_id)).await,
                    None => self.stand_in(call, now).await,
                };
            }
        };
        Ok(Answer::ok(own))
    }

    async fn upstream(
        &self,
        call: &Call,
        forwarding: &Forwarding,
        trace_id: &str,
    ) -> Result<Answer, Refusal> {
        let answered = self.forwarder.answer(call, forwarding, trace_id).await;
        answered.map(Answer::passed).map_err(|error| {
            let refusal = Refusal::NoUpstream(error.status(), error.to_string());
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::warn!(error, "an upstream gave no answer");
            refusal
        })
    }

    /// What the definition says that a refusal of the stand-in is, such as a problem of RFC 9457.
    fn media_type(&self, call: &Call, outcome: &Outcome) -> Option<HeaderValue> {
        let status = outcome.response.status;
        if status.is_success() || outcome.response.body.is_none() {
            return None;
        }
        let operation = call.permitted.operation();
        let declared = self
            .definition
            .response_media_type(operation, status.as_u16())?;
        HeaderValue::from_str(declared).ok()
    }

    async fn stand_in(&self, call: &Call, now: Timestamp) -> Result<Answer, Refusal> {
        let answered = self
            .stand_ins
            .answer(call, &self.base_url(), &self.job_caller(call), now)
            .await;
        Ok(
            match answered.map_err(|error| no_origin(error, Some(call)))? {
                Answered::Made(outcome) => Answer {
                    media_type: self.media_type(call, &outcome),
                    location: outcome.location(call.target.path()),
                    status: outcome.response.status,
                    content: outcome.response.body.map(Content::from),
                    task: outcome.response.task,
                },
                Answered::Kept(answer) => Answer::ok(answer),
            },
        )
    }
}

/// What a method and a path ask for.
enum Matched {
    /// The position of the operation, and its path parameters.
    Operation(usize, Vec<(String, String)>),
    /// What may be asked for there: the methods of the definition.
    Options(Vec<Method>),
}

/// A fault in the words that the error has otherwise: clients go by them.
fn faulty(status: StatusCode, retry_after: Option<u32>, permitted: &Permitted) -> Refusal {
    match status {
        StatusCode::UNAUTHORIZED => Challenge::InvalidToken(TokenRefusal::Expired).into(),
        StatusCode::FORBIDDEN => {
            Challenge::InsufficientScope(permitted.permission().to_owned()).into()
        }
        _ => Refusal::Fault(status, retry_after),
    }
}

/// Why the stand-in did not answer, for the caller; faults of ours are for the log.
pub(crate) fn no_origin(error: OriginError, call: Option<&Call>) -> Refusal {
    match error {
        OriginError::Full(_) => {
            let declared = call.is_some_and(|call| {
                let mut responses = call.permitted.operation().responses().iter();
                responses.any(|(status, _)| status == "507")
            });
            let status = if declared {
                StatusCode::INSUFFICIENT_STORAGE
            } else {
                StatusCode::BAD_REQUEST
            };
            Refusal::Full(status, error.to_string())
        }
        OriginError::Unrestorable(error) => Refusal::BadRequest(error.to_string()),
        error => {
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::error!(error, "the stand-in did not answer");
            Refusal::Unavailable
        }
    }
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
    let collected = Box::pin(Limited::new(body, LONGEST_BODY).collect()).await;
    let collected = collected.map_err(|error| body_refusal(&*error, "1 MiB"))?;
    Ok(Some(collected.to_bytes().to_vec()))
}

/// Why a body was not read, whose length is bounded.
pub(crate) fn body_refusal(
    error: &(dyn std::error::Error + Send + Sync + 'static),
    most: &str,
) -> Refusal {
    let (status, words) = if error.is::<http_body_util::LengthLimitError>() {
        let words = format!("the body is over {most}");
        (StatusCode::PAYLOAD_TOO_LARGE, words)
    } else if matches!(error.downcast_ref(), Some(BodyError::TooSlow(_))) {
        let words = "the body came too slowly".to_owned();
        (StatusCode::REQUEST_TIMEOUT, words)
    } else {
        (StatusCode::BAD_REQUEST, "the body broke off".to_owned())
    };
    Refusal::Body(status, words)
}
