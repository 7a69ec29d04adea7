//! What the audit log says of tasks: each part begins, and every task ends, in the name of whoever
//! made the call (domain.md section 4.5).
//!
//! That a task ended is written down in the same transaction as that it was told: whenever the process
//! is killed, there is one event for each end.

use hallpass_oauth::WorkspaceId;
use hallpass_oauth::random::SystemRandom;
use hallpass_sandbox::{Begun, Ended, Place};
use hallpass_store::audit::AuditResource;
use hallpass_store::{AuditEvent, AuditState};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Who made a call that starts tasks, and which, as all its events have it.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Caller {
    pub(crate) user_email: String,
    pub(crate) client_id: String,
    pub(crate) permission: String,
    pub(crate) source: String,
    pub(crate) source_ip: String,
    pub(crate) resource_id: String,
    pub(crate) resource_name: String,
    pub(crate) resource_kind: String,
}

impl Caller {
    /// As the state keeps it.
    pub(super) fn note(&self) -> Value {
        serde_json::to_value(self).unwrap_or_default()
    }

    /// That the parts of a task begin. The call itself has an event already.
    pub(super) fn beginnings(
        &self,
        workspace: &WorkspaceId,
        begun: &[Begun],
        now: Timestamp,
    ) -> Vec<AuditEvent> {
        let parts = begun.iter().filter(|task| task.place == Place::Child);
        parts
            .map(|task| self.event(workspace, task, AuditState::Initiated, now))
            .collect()
    }

    fn event(
        &self,
        workspace: &WorkspaceId,
        task: &Begun,
        state: AuditState,
        at: Timestamp,
    ) -> AuditEvent {
        let whole = match task.place {
            Place::Parent => "Parent Task : ",
            Place::Alone | Place::Child => "",
        };
        let word = match state {
            AuditState::Initiated => "Initiated",
            AuditState::Success => "Completed",
            AuditState::Failure | AuditState::PermissionDenied => "Failed",
        };
        let message = format!("{whole}{} - {word}", task.title);
        let mut event = AuditEvent::new(state, message, &self.source, at, &mut SystemRandom);
        event.workspace = Some(workspace.clone());
        event.task_id.clone_from(&task.task);
        event.user_email.clone_from(&self.user_email);
        event.client_id.clone_from(&self.client_id);
        event.permission.clone_from(&self.permission);
        event.source_ip.clone_from(&self.source_ip);
        event.resource = AuditResource {
            id: self.resource_id.clone(),
            name: self.resource_name.clone(),
            kind: self.resource_kind.clone(),
        };
        event
    }
}

/// That a task ended, in the name of whoever began it.
pub(super) fn ending(workspace: &WorkspaceId, ended: &Ended, now: Timestamp) -> AuditEvent {
    let caller: Caller = serde_json::from_value(ended.note.clone()).unwrap_or_default();
    let state = if ended.succeeded {
        AuditState::Success
    } else {
        AuditState::Failure
    };
    caller.event(workspace, &ended.begun, state, ended.at.unwrap_or(now))
}
