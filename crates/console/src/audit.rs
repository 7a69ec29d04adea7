//! The audit log, for whoever may read it: pages, files and REST. Everything here reads the events of
//! the caller's own workspace, and for those who look after the whole system those of no workspace;
//! it writes nothing.

mod export;
mod filter;
mod pages;
mod rest;
mod wire;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use hallpass_access::platform::WORKSPACE_UPDATE;
use hallpass_oauth::WorkspaceId;
use hallpass_store::StoreError;
use hallpass_store::audit::{AuditSearch, StoredEvent};

use crate::Console;
use crate::guard::Caller;
use filter::{BadFilter, Filter, Seen};

pub(crate) use rest::Api;

/// Where the pages are.
pub(crate) const AUDIT_PATH: &str = "/console/audit";

/// Where the REST API is.
pub(crate) const EVENTS_PATH: &str = "/workspaces/v1/audit-events";

impl Console {
    /// What a filter asks for, of what somebody may look for.
    fn wanted_events(&self, filter: &Filter, caller: &Caller) -> Result<AuditSearch, BadFilter> {
        let mut search = filter.search(self.seen_events(caller))?;
        if search.text.is_some() {
            search.names = self.client_names(caller.workspace());
        }
        Ok(search)
    }

    /// An event by its place in the log, if the caller may see it.
    async fn event_seen(
        &self,
        caller: &Caller,
        sequence: &str,
    ) -> Result<Option<StoredEvent>, StoreError> {
        let Ok(sequence) = sequence.parse() else {
            return Ok(None);
        };
        let seen = self.seen_events(caller);
        match self.audit.find(seen.workspace, sequence).await? {
            None if seen.nobodys => self.audit.find_nobodys(sequence).await,
            found => Ok(found),
        }
    }

    /// What the credentials of a workspace are called, by their client ids.
    fn client_names(&self, workspace: &WorkspaceId) -> HashMap<String, String> {
        let all = self.credentials.list(None).into_iter();
        let own = all.filter(|credential| credential.workspace == *workspace);
        own.map(|credential| (credential.client_id.to_string(), credential.name))
            .collect()
    }

    /// Whose events somebody may look for: their workspace's, and those that belong to none if they
    /// administer the workspace that operates the system.
    fn seen_events<'a>(&self, caller: &'a Caller) -> Seen<'a> {
        let workspace = caller.workspace();
        Seen {
            workspace,
            nobodys: caller.permits(&WORKSPACE_UPDATE) && self.workspaces.is_operating(workspace),
        }
    }
}

pub(crate) fn pages() -> Router<Arc<Console>> {
    Router::new()
        .route(AUDIT_PATH, get(pages::list))
        .route(&format!("{AUDIT_PATH}/{{sequence}}"), get(pages::details))
        .route(&format!("{AUDIT_PATH}/export.csv"), get(export::csv))
        .route(&format!("{AUDIT_PATH}/export.jsonl"), get(export::lines))
}

pub(crate) fn rest() -> Router<Arc<Console>> {
    Router::new()
        .route(EVENTS_PATH, get(rest::list))
        .route(&format!("{EVENTS_PATH}/{{sequence}}"), get(rest::show))
        .route(&format!("{EVENTS_PATH}/export.csv"), get(rest::csv))
        .route(&format!("{EVENTS_PATH}/export.jsonl"), get(rest::lines))
}
