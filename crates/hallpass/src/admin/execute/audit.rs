//! The audit log.

use std::collections::HashMap;

use hallpass_store::AuditState;
use hallpass_store::audit::{AuditOf, AuditSearch, StoredEvent};
use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Administrator;
use crate::admin::AuditList;
use crate::command::CommandError;

impl Administrator<'_> {
    pub(super) async fn audit(&self, wanted: &AuditList) -> Result<Value, CommandError> {
        let workspace = self.workspace_id(wanted.only.workspace.as_deref())?;
        let state = wanted.state.as_deref().map(str::parse::<AuditState>);
        let mut search = AuditSearch {
            of: workspace.map_or(AuditOf::All, AuditOf::Workspace),
            oldest_first: false,
            after: None,
            state: state.transpose().ok().flatten(),
            person: wanted.person.as_deref().map(str::to_lowercase),
            client_id: wanted.client_id.clone(),
            source: wanted.source.clone(),
            from: time("--from", wanted.from.as_deref())?,
            to: time("--to", wanted.to.as_deref())?,
            text: wanted.search.clone(),
            names: match wanted.search {
                Some(_) => self.client_names(),
                None => HashMap::new(),
            },
        };
        let log = self.store.audit_log();
        log.settle().await?;
        let limit = usize::try_from(wanted.limit).unwrap_or(usize::MAX);
        let mut items = Vec::new();
        loop {
            let page = log.search(&search, limit - items.len()).await?;
            items.extend(page.events.iter().map(audit_value));
            search.after = page.next;
            if search.after.is_none() || items.len() == limit {
                return Ok(json!({ "items": items }));
            }
        }
    }
}

impl Administrator<'_> {
    /// What credentials are called, by their client ids.
    fn client_names(&self) -> HashMap<String, String> {
        let all = self.store.credentials().list(None).into_iter();
        all.map(|one| (one.client_id.to_string(), one.name))
            .collect()
    }
}

/// A time, or a day as its beginning.
fn time(flag: &str, typed: Option<&str>) -> Result<Option<Timestamp>, CommandError> {
    let Some(typed) = typed else { return Ok(None) };
    let day = |day: Date| Some(day.to_zoned(TimeZone::UTC).ok()?.timestamp());
    let read = typed.parse().ok().or_else(|| day(typed.parse().ok()?));
    read.map(Some).ok_or_else(|| {
        CommandError::usage(format!("{flag} is no time"))
            .hint("write 2026-01-31, or 2026-01-31T08:30:00Z")
    })
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
