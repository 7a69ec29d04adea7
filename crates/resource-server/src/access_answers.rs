//! `access-controls` and `resource-types`, answered truthfully from the caller's own roles (domain
//! facts, section 4.3).

use hallpass_access::{OperationPermissions, PermissionPattern, granted};
use serde_json::{Value, json};

use crate::permitted::Permitted;

/// Which of the asked permissions the caller has; all of theirs when none is asked. A word that is no
/// permission is one that nobody has: the operation declares no answer that would say more.
pub(crate) fn access_controls(
    permitted: &Permitted,
    permissions: &OperationPermissions,
    query: &[(String, String)],
) -> Value {
    let words: Vec<&str> = query
        .iter()
        .filter(|(name, _)| name == "permission")
        .map(|(_, word)| word.as_str())
        .collect();
    let asked: Vec<PermissionPattern> = words.iter().filter_map(|word| word.parse().ok()).collect();
    if asked.is_empty() && !words.is_empty() {
        return json!({ "items": [] });
    }
    let roles = &permitted.principal().roles;
    let granted = granted(roles, &asked, &permissions.permissions());
    let items: Vec<String> = granted.iter().map(ToString::to_string).collect();
    json!({ "items": items })
}

/// The kinds of resources the caller has any permission for.
pub(crate) fn resource_types(permitted: &Permitted, permissions: &OperationPermissions) -> Value {
    let roles = &permitted.principal().roles;
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
