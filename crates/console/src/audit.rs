//! The audit log, for whoever may read it: pages, files and REST. Everything here reads the events of
//! the caller's own workspace and writes nothing.

mod export;
mod filter;
mod pages;
mod rest;
mod wire;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;

use crate::Console;

pub(crate) use rest::Api;

/// Where the pages are.
pub(crate) const AUDIT_PATH: &str = "/console/audit";

/// Where the REST API is.
pub(crate) const EVENTS_PATH: &str = "/workspaces/v1/audit-events";

pub(crate) fn pages() -> Router<Arc<Console>> {
    Router::new()
        .route(AUDIT_PATH, get(pages::list))
        .route(&format!("{AUDIT_PATH}/{{sequence}}"), get(pages::details))
        .route(&format!("{AUDIT_PATH}/export.csv"), get(export::csv))
        .route(&format!("{AUDIT_PATH}/export.jsonl"), get(export::lines))
}

pub(crate) fn rest() -> Router<Arc<Console>> {
    Router::new().route(EVENTS_PATH, get(rest::list))
}
