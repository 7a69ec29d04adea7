//! Which operations this server answers itself, whatever stands behind it: those about the caller's
//! own rights and about the audit log, which it knows and a stand-in can only guess.

use hallpass_openapi::Operation;
use hallpass_sandbox::{Level, Sandbox};
use http::Method;

/// An operation that this server answers itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Own {
    AccessControls,
    ResourceTypes,
    AuditEvents,
}

impl Own {
    pub(crate) fn of(operation: &Operation) -> Option<Self> {
        match (operation.method(), operation.path()) {
            (&Method::GET, "/api/v1/access-controls") => Some(Self::AccessControls),
            (&Method::GET, "/api/v1/resource-types") => Some(Self::ResourceTypes),
            (&Method::GET, "/api/v1/audit-events") => Some(Self::AuditEvents),
            _ => None,
        }
    }
}

/// How an operation is answered by this server with that stand-in behind it.
pub fn level(stand_in: &Sandbox, operation: &Operation) -> Level {
    match Own::of(operation) {
        Some(_) => Level::Stateful,
        None => stand_in.level(operation),
    }
}
