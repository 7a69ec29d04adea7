//! The audit log.

use hallpass_store::AuditQuery;
use hallpass_store::audit::StoredEvent;
use serde_json::{Value, json};

use super::Administrator;
use crate::admin::OnlyWorkspace;
use crate::command::CommandError;

impl Administrator<'_> {
    pub(super) async fn audit(
        &self,
        limit: u32,
        only: &OnlyWorkspace,
    ) -> Result<Value, CommandError> {
        let query = AuditQuery {
            workspace: self.workspace_id(only.workspace.as_deref())?,
            oldest_first: false,
            after: None,
            limit,
        };
        self.store.audit_log().settle().await?;
        let events = self.store.audit_log().read(&query).await?;
        Ok(json!({ "items": events.iter().map(audit_value).collect::<Vec<_>>() }))
    }
}

fn audit_value(stored: &StoredEvent) -> Value {
    let event = &stored.event;
    json!({
        "occurredAt": event.occurred_at.to_string(),
        "state": event.state.as_str(),
        "message": event.message,
        "count": event.count,
        "user": event.user_email,
        "clientId": event.client_id,
        "permission": event.permission,
        "resource": event.resource.id,
        "taskId": event.task_id,
        "code": event.code,
        "address": event.source_ip,
        "source": event.source,
    })
}
