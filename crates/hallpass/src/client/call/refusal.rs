//! What to do about a refusal, as far as the definition tells: which permission is needed, which id
//! was not found.

use hallpass_access::{OperationPermissions, Requirement};
use hallpass_openapi::{Definition, Operation, Route};

use crate::command::CommandError;

/// The error with a hint that knows the operation.
pub(crate) fn explained(
    error: CommandError,
    about: Option<(&Definition, &Operation)>,
    path_and_query: &str,
) -> CommandError {
    let (Some(status), Some((definition, operation))) = (error.refused_status(), about) else {
        return error;
    };
    let hint = match status {
        403 => permission(definition, operation),
        404 => ids(definition, operation, path_and_query),
        _ => None,
    };
    match hint {
        Some(hint) => error.hint(hint),
        None => error,
    }
}

fn permission(definition: &Definition, operation: &Operation) -> Option<String> {
    let permissions = OperationPermissions::derive(definition);
    match permissions.requirement(operation.index()) {
        Requirement::Permission(permission) => Some(format!(
            "{} needs the permission {permission}, which the credential's owner lacks; ask an \
             administrator for a role that has it",
            operation.id()
        )),
        Requirement::AnyRole => None,
    }
}

fn ids(definition: &Definition, operation: &Operation, path_and_query: &str) -> Option<String> {
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
