//! Saving, restoring and resetting the stand-in over HTTP: `/.hallpass/sandbox/state`, for whoever may
//! administer the caller's own workspace. No definition has a path that begins so.

use std::net::SocketAddr;
use std::sync::Arc;

use bytes::Bytes;
use hallpass_access::platform::SANDBOX_UPDATE;
use hallpass_oauth::bearer::PresentedToken;
use hallpass_store::{AuditState, VerifiedCaller};
use http::request::Parts;
use http::{Method, Response, StatusCode};
use http_body_util::BodyExt as _;
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tracing::Instrument as _;

use crate::ResourceServer;
use crate::answer_body::AnswerBody;
use crate::guard::no_origin;
use crate::permitted::Denied;
use crate::record::Recorded;
use crate::reply::{Refusal, allowed, json_answer, json_text};
use crate::stand_in::OriginError;
use crate::target::Target;

/// Where the state is.
const PATH: &str = "/.hallpass/sandbox/state";

/// Longest state that is read, in bytes.
const LONGEST_STATE: usize = 256 * 1024 * 1024;

/// Most volumes of a reset: about what a state of that length holds.
const MOST_VOLUMES: usize = 200_000;

/// A call for the state.
pub(crate) struct StateCall {
    caller: VerifiedCaller,
    target: Target,
    peer: SocketAddr,
}

impl StateCall {
    /// Whether a target is the state.
    pub(crate) fn is_meant(target: &Target) -> bool {
        target.path() == PATH
    }

    pub(crate) fn new(caller: VerifiedCaller, target: Target, peer: SocketAddr) -> Self {
        Self {
            caller,
            target,
            peer,
        }
    }
}

/// What is to become of the state.
enum Wanted {
    Save,
    Change(Change),
}

/// What comes in its place.
enum Change {
    Reset {
        seed: Option<u64>,
        volumes: Option<usize>,
    },
    Restore(Bytes),
}

impl ResourceServer {
    /// Answers a call for the state. One at a time: each may hold a state of many megabytes. Those that
    /// are still on their way hold nobody up, but there are only so many of them.
    pub(crate) async fn state_call<B>(
        self: &Arc<Self>,
        call: StateCall,
        head: &Parts,
        body: B,
        presented: &PresentedToken,
        now: Timestamp,
    ) -> Result<Response<AnswerBody>, Refusal>
    where
        B: http_body::Body + Send,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let methods = [Method::GET, Method::PUT, Method::DELETE];
        if head.method == Method::OPTIONS {
            return Ok(allowed(&methods).map(AnswerBody::from));
        }
        if !methods.contains(&head.method) && head.method != Method::HEAD {
            return Err(Refusal::WrongMethod(methods.to_vec()));
        }
        let call = self.permit_state(call, now).await?;
        let in_memory = place_of(&self.states_in_memory).await?;
        let restored = match head.method {
            Method::PUT => Some(state_body(body).await?),
            _ => None,
        };
        let place = place_of(&self.state_calls).await?;
        // Decided again, as for every call: waiting and reading may have taken long.
        let now = (self.clock)();
        let caller = self.verified(presented, call.peer, now)?;
        let call = self.permit_state(StateCall { caller, ..call }, now).await?;
        let wanted = match restored {
            Some(document) => Wanted::Change(Change::Restore(document)),
            None if head.method == Method::DELETE => Wanted::Change(Change::reset(&call.target)?),
            None => Wanted::Save,
        };
        let server = self.clone();
        let work = async move {
            let _under_way = server.changes.clone().read_owned().await;
            let _place = place;
            let answer = match wanted {
                Wanted::Save => server.save_state(&call, now).await,
                Wanted::Change(change) => server.change_state(&call, change, now).await,
            };
            answer.map(|response| response.map(|body| AnswerBody::from(body).holding(in_memory)))
        };
        // It comes to its end when its caller goes away: a change as every change, and a save because
        // it would hold its places no more, and still be made.
        let done = tokio::spawn(work.in_current_span()).await;
        done.map_err(|_| Refusal::Unavailable)?
    }

    /// Lets administrators through.
    async fn permit_state(&self, call: StateCall, now: Timestamp) -> Result<StateCall, Refusal> {
        if call.caller.principal().roles.permits(&SANDBOX_UPDATE) {
            return Ok(call);
        }
        let denied = Denied {
            caller: call.caller,
            permission: SANDBOX_UPDATE.to_string(),
        };
        Err(self.deny(&denied, &call.target, call.peer, now).await)
    }

    /// It is audited like every call that reads: where that was asked for, and then not answered unless
    /// it is written down.
    async fn save_state(
        &self,
        call: &StateCall,
        now: Timestamp,
    ) -> Result<Response<Bytes>, Refusal> {
        let workspace = &call.caller.principal().workspace;
        let saved = self.stand_ins.save(workspace, now).await;
        if self.audit_reads {
            self.record_state(call, "Save the stand-in", end_of(&saved), now)
                .await?;
        }
        let saved = saved.map_err(|error| no_origin(error, None))?;
        Ok(json_text(StatusCode::OK, saved.document))
    }

    async fn change_state(
        &self,
        call: &StateCall,
        change: Change,
        now: Timestamp,
    ) -> Result<Response<Bytes>, Refusal> {
        let what = match change {
            Change::Reset { .. } => "Reset the stand-in",
            Change::Restore(_) => "Restore the stand-in",
        };
        self.record_state(call, what, AuditState::Initiated, now)
            .await?;
        let workspace = &call.caller.principal().workspace;
        let done = match change {
            Change::Reset { seed, volumes } => {
                self.stand_ins.reset(workspace, seed, volumes, now).await
            }
            Change::Restore(document) => self.stand_ins.restore(workspace, document, now).await,
        };
        // As for every change: that the end was not written down has been logged.
        let _ = self
            .record_state(call, what, end_of(&done), (self.clock)())
            .await;
        let objects = done.map_err(|error| no_origin(error, None))?;
        let body: Value = json!({ "objects": objects });
        Ok(json_answer(StatusCode::OK, &body))
    }

    async fn record_state(
        &self,
        call: &StateCall,
        what: &str,
        state: AuditState,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let permission = SANDBOX_UPDATE.to_string();
        let recorded = Recorded {
            what,
            name: "sandbox",
            permission: &permission,
            principal: call.caller.principal(),
            client_id: call.caller.client_id(),
            target: &call.target,
            peer: call.peer,
        };
        self.write_down(&recorded, state, None, now).await
    }
}

fn end_of<T>(done: &Result<T, OriginError>) -> AuditState {
    match done {
        Ok(_) => AuditState::Success,
        Err(_) => AuditState::Failure,
    }
}

async fn place_of(places: &Arc<Semaphore>) -> Result<OwnedSemaphorePermit, Refusal> {
    let place = places.clone().acquire_owned().await;
    place.map_err(|_| Refusal::Unavailable)
}

impl Change {
    fn reset(target: &Target) -> Result<Self, Refusal> {
        let (mut seed, mut volumes) = (None, None);
        for (name, value) in target.query() {
            let number = value.parse::<u64>().map_err(|_| {
                Refusal::BadRequest(format!("`{name}` must be a whole number from 0 on"))
            });
            match name.as_str() {
                "seed" => seed = Some(number?),
                "volumes" => volumes = Some(usize::try_from(number?).unwrap_or(usize::MAX)),
                _ => {
                    return Err(Refusal::BadRequest(format!(
                        "`{name}` is no parameter of a reset; they are seed and volumes"
                    )));
                }
            }
        }
        if volumes.is_some_and(|volumes| volumes > MOST_VOLUMES) {
            return Err(Refusal::BadRequest(format!(
                "`volumes` may be {MOST_VOLUMES} at most: a larger state cannot be restored here; \
                 use `hallpass admin sandbox reset`"
            )));
        }
        Ok(Self::Reset { seed, volumes })
    }
}

async fn state_body<B>(body: B) -> Result<Bytes, Refusal>
where
    B: http_body::Body + Send,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let limited = http_body_util::Limited::new(body, LONGEST_STATE);
    let collected = limited.collect().await;
    let collected = collected.map_err(|error| crate::guard::body_refusal(&*error, "256 MiB"))?;
    Ok(collected.to_bytes())
}
