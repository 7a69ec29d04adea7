//! What the guard writes into the audit log: changing calls and how they ended, refusals of verified
//! identities, and how often strangers were refused (domain facts, sections 4.4 and 4.5).

use std::net::SocketAddr;

use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{Challenge, ClientId};
use hallpass_store::audit::AuditResource;
use hallpass_store::{AuditEvent, AuditState, Principal, StoreError};
use http::Method;
use jiff::Timestamp;

use crate::ResourceServer;
use crate::permitted::{Call, Denied};
use crate::reply::Refusal;
use crate::stand_in::JobCaller;
use crate::target::Target;

impl ResourceServer {
    /// Writes down that a call begins, or how it ended.
    pub(crate) async fn record(
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
        let recorded = Recorded {
            what,
            name: operation.id(),
            permission: permitted.permission(),
            principal: permitted.principal(),
            client_id: permitted.client_id(),
            target: &call.target,
            peer: call.peer,
        };
        self.write_down(&recorded, state, task, now).await
    }

    /// Who makes a call, for the events of the tasks that it starts.
    pub(crate) fn job_caller(&self, call: &Call) -> JobCaller {
        let permitted = &call.permitted;
        if permitted.operation().method() == Method::GET {
            return JobCaller::default();
        }
        JobCaller {
            user_email: permitted.principal().email.to_string(),
            client_id: permitted.client_id().to_string(),
            permission: permitted.permission().to_owned(),
            source: self.base_url.clone(),
            source_ip: call.peer.ip().to_string(),
            resource_id: call.target.uri_for_log(),
            resource_name: permitted.operation().id().to_owned(),
            resource_kind: kind(permitted.permission()).to_owned(),
        }
    }

    pub(crate) async fn write_down(
        &self,
        call: &Recorded<'_>,
        state: AuditState,
        task: Option<String>,
        now: Timestamp,
    ) -> Result<(), Refusal> {
        let word = match state {
            AuditState::Initiated => "Initiated",
            AuditState::Success => "Completed",
            AuditState::Failure | AuditState::PermissionDenied => "Failed",
        };
        let mut event = self.event(state, &format!("{} - {word}", call.what), call.peer, now);
        event.workspace = Some(call.principal.workspace.clone());
        event.user_email = call.principal.email.to_string();
        event.client_id = call.client_id.to_string();
        call.permission.clone_into(&mut event.permission);
        event.task_id = task.unwrap_or_default();
        event.resource = AuditResource {
            id: call.target.uri_for_log(),
            name: call.name.to_owned(),
            kind: kind(call.permission).to_owned(),
        };
        self.audit
            .record(event)
            .await
            .map_err(|error| unwritten(&error))
    }

    /// Writes the refusal of a verified identity down (domain facts, section 4.4).
    pub(crate) async fn deny(
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
    pub(crate) fn count_refusal(
        &self,
        challenge: Challenge,
        peer: SocketAddr,
        now: Timestamp,
    ) -> Refusal {
        let refusal = Refusal::Challenge(challenge);
        let reason = refusal.reason();
        let message = format!("API request refused: {reason}");
        let event = self.event(AuditState::Failure, &message, peer, now);
        self.audit
            .count(event.per_minute(&format!("{} {reason} {}", self.base_url(), peer.ip())));
        refusal
    }

    fn event(
        &self,
        state: AuditState,
        message: &str,
        peer: SocketAddr,
        now: Timestamp,
    ) -> AuditEvent {
        let source = self.base_url();
        let mut event = AuditEvent::new(state, message, source, now, &mut SystemRandom);
        event.source_ip = peer.ip().to_string();
        event
    }
}

/// A call as the log has it.
pub(crate) struct Recorded<'a> {
    /// What is done, for people.
    pub(crate) what: &'a str,
    /// The operation.
    pub(crate) name: &'a str,
    pub(crate) permission: &'a str,
    pub(crate) principal: &'a Principal,
    pub(crate) client_id: &'a ClientId,
    pub(crate) target: &'a Target,
    pub(crate) peer: SocketAddr,
}

/// What a permission is about.
fn kind(permission: &str) -> &str {
    permission.split('.').next().unwrap_or_default()
}

fn unwritten(error: &StoreError) -> Refusal {
    let error: &(dyn std::error::Error + 'static) = error;
    tracing::error!(error, "an audit event was not written");
    Refusal::Unavailable
}
