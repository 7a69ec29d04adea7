//! `access-controls` and `resource-types`, answered truthfully from the caller's own roles (domain
//! facts, section 4.3).

use hallpass_access::{OperationPermissions, PermissionPattern, granted};
use serde_json::{Value, json};

use crate::permitted::Permitted;
use crate::reply::Refusal;

/// Which of the asked permissions the caller has; all of theirs when none is asked.
pub(crate) fn access_controls(
    permitted: &Permitted,
    permissions: &OperationPermissions,
    query: &[(String, String)],
) -> Result<Value, Refusal> {
    let asked = query
        .iter()
        .filter(|(name, _)| name == "permission")
        .map(|(_, word)| word.parse::<PermissionPattern>())
        .collect::<Result<Vec<_>, _>>()
        .map_err(|error| Refusal::BadRequest(error.to_string()))?;
    let items: Vec<String> = granted(
        permitted.principal().roles,
        &asked,
        &permissions.permissions(),
    )
    .iter()
    .map(ToString::to_string)
    .collect();
    Ok(json!({ "items": items }))
}

/// The kinds of resources the caller has any permission for.
pub(crate) fn resource_types(permitted: &Permitted, permissions: &OperationPermissions) -> Value {
    let roles = permitted.principal().roles;
    let mut items: Vec<String> = permissions
        .permissions()
        .into_iter()
        .filter(|permission| roles.permits(permission))
        .map(|permission| permission.resource().to_owned())
        .collect();
    items.sort();
    items.dedup();
    json!({ "items": items })
}
