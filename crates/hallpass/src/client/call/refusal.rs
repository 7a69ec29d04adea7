//! What to do about a refusal, as far as the definition tells: which permission is needed, which id
//! was not found.

use std::path::Path;

use hallpass_access::{OperationPermissions, Requirement};
use hallpass_openapi::{Chosen, Route};

use crate::command::CommandError;

/// The error with a hint that knows the operation, which is one of the definition in `api`.
pub(crate) fn explained(
    error: CommandError,
    api: Option<&Path>,
    about: &Chosen,
    path_and_query: &str,
) -> CommandError {
    let hint = match error.refused_status() {
        Some(403) => permission(api, about),
        Some(404) => ids(about, path_and_query),
        _ => None,
    };
    error.maybe_hint(hint)
}

/// What the operation asks for follows from all paths of a definition together, so the whole is read:
/// once the call has failed, nobody counts the milliseconds.
fn permission(api: Option<&Path>, about: &Chosen) -> Option<String> {
    let definition = crate::definition::load(api).ok()?.definition;
    let operation = definition.operation(about.operation().id()).ok()?;
    let permissions = OperationPermissions::derive(&definition);
    match permissions.requirement(operation.index()) {
        Requirement::Permission(permission) => Some(format!(
            "{} needs the permission {permission}, which the credential's owner lacks; ask an \
             administrator for a role that has it",
            operation.id()
        )),
        Requirement::AnyRole => None,
    }
}

fn ids(about: &Chosen, path_and_query: &str) -> Option<String> {
    let (definition, operation) = (about.definition(), about.operation());
    let path = path_and_query.split('?').next().unwrap_or_default();
    let Route::Found { path, .. } = definition.routes().find(operation.method(), path) else {
        return None;
    };
    let given: Vec<String> = path
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    if given.is_empty() {
        return None;
    }
    Some(format!(
        "nothing is called {}; check it, and that the base URL is the region it lives in",
        given.join(" ")
    ))
}
