//! What the REST API for people reads and prints.

use hallpass_oauth::ApplicationInstanceId;
use hallpass_store::people::Assignment;
use hallpass_store::roles::{AssignedRole, RoleKey};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Entry, UnknownInstance};
use crate::Console;
use crate::answer::Refusal;
use crate::operations::Listed;

/// A page of a list.
#[derive(Serialize, ToSchema)]
#[schema(as = UserList)]
pub(super) struct UserList {
    items: Vec<UserItem>,
    count: usize,
    offset: usize,
    /// How many there are in all.
    total: usize,
}

/// A person.
#[derive(Serialize, ToSchema)]
#[schema(as = User)]
#[serde(rename_all = "camelCase")]
pub(crate) struct UserItem {
    id: String,
    email: String,
    /// `active`, `invited` (no password chosen yet) or `disabled`.
    state: String,
    #[schema(format = DateTime)]
    created_at: Option<String>,
    #[schema(format = DateTime)]
    last_sign_in_at: Option<String>,
    /// Whether a second factor is asked of them when they sign in.
    second_factor: bool,
    /// How many credentials they have.
    credentials: usize,
    roles: Vec<AssignmentItem>,
    /// The one-time link with which they choose a password: only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    setup_url: Option<String>,
}

/// A role that a person has, and where.
#[derive(Serialize, ToSchema)]
#[schema(as = RoleAssignment)]
#[serde(rename_all = "camelCase")]
pub(crate) struct AssignmentItem {
    /// Names the assignment: role and instance.
    id: String,
    role_id: String,
    role_name: String,
    /// `null`: on every application instance.
    instance_id: Option<String>,
    instance_name: Option<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = RoleAssignmentList)]
pub(super) struct AssignmentList {
    items: Vec<AssignmentItem>,
    count: usize,
    offset: usize,
    total: usize,
}

/// An operation and whether a person may do it.
#[derive(Serialize, ToSchema)]
#[schema(as = AllowedOperation)]
#[serde(rename_all = "camelCase")]
pub(super) struct OperationItem {
    operation_id: String,
    method: String,
    path: String,
    /// What it asks for; absent: any role is enough.
    permission: Option<String>,
    allowed: bool,
    /// The names of the roles that allow it; none when it is allowed for what is their own alone, signed in.
    allowed_by: Vec<String>,
}

#[derive(Serialize, ToSchema)]
#[schema(as = AllowedOperationList)]
pub(super) struct OperationList {
    items: Vec<OperationItem>,
    count: usize,
    offset: usize,
    total: usize,
}

/// A new one-time link.
#[derive(Serialize, ToSchema)]
#[schema(as = SetupLink)]
#[serde(rename_all = "camelCase")]
pub(super) struct SetupLink {
    pub(super) setup_url: String,
}

/// Somebody to be added.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewUser)]
#[serde(deny_unknown_fields)]
pub(super) struct NewUser {
    pub(super) email: String,
    #[serde(default)]
    pub(super) roles: Vec<NewAssignment>,
}

/// A role to be assigned.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewRoleAssignment)]
#[serde(deny_unknown_fields)]
pub(super) struct NewAssignment {
    /// Name or id of the role.
    role: String,
    /// Name or id of the application instance; absent: every one.
    instance: Option<String>,
}

/// What to change of a person.
#[derive(Deserialize, ToSchema)]
#[schema(as = UserChange)]
#[serde(deny_unknown_fields)]
pub(super) struct UserChange {
    /// `false` signs them out and refuses their credentials and tokens, until it is `true` again.
    pub(super) enabled: bool,
}

impl UserList {
    pub(super) fn new(items: Vec<UserItem>, offset: usize, total: usize) -> Self {
        let count = items.len();
        Self {
            items,
            count,
            offset,
            total,
        }
    }
}

impl AssignmentList {
    pub(super) fn new(items: Vec<AssignmentItem>) -> Self {
        let count = items.len();
        Self {
            items,
            count,
            offset: 0,
            total: count,
        }
    }
}

impl OperationList {
    pub(super) fn new(items: Vec<OperationItem>) -> Self {
        let count = items.len();
        Self {
            items,
            count,
            offset: 0,
            total: count,
        }
    }
}

impl OperationItem {
    pub(super) fn new(operation: &Listed, allowed: bool, by: Vec<String>) -> Self {
        Self {
            operation_id: operation.id.clone(),
            method: operation.method.clone(),
            path: operation.path.clone(),
            permission: operation.permission().map(ToString::to_string),
            allowed,
            allowed_by: by,
        }
    }
}

impl Console {
    pub(crate) fn user_item(&self, entry: &Entry, setup_url: Option<String>) -> UserItem {
        let facts = entry.facts;
        UserItem {
            id: entry.person.id.to_string(),
            email: entry.person.email.to_string(),
            state: entry.state().as_str().to_owned(),
            created_at: facts.map(|facts| time(facts.created_at)),
            last_sign_in_at: facts.and_then(|facts| facts.last_sign_in_at).map(time),
            second_factor: entry.has_second_factor(),
            credentials: entry.credentials,
            roles: self.assignment_items(&entry.person.roles),
            setup_url,
        }
    }

    pub(super) fn assignment_items(
        &self,
        assigned: &[(Option<ApplicationInstanceId>, AssignedRole)],
    ) -> Vec<AssignmentItem> {
        let items = assigned.iter().map(|(instance, role)| {
            let known = instance.as_ref();
            let known = known.and_then(|id| self.workspaces.find_instance(id.as_str()));
            AssignmentItem {
                id: assignment_id(&(instance.clone(), role.key())),
                role_id: role.key().to_string(),
                role_name: role.to_string(),
                instance_id: instance.as_ref().map(ToString::to_string),
                instance_name: known.map(|instance| instance.name.clone()),
            }
        });
        items.collect()
    }

    /// The role and the instance that were named, for people of that workspace.
    pub(super) fn assignment_meant(
        &self,
        new: &NewAssignment,
        workspace: &hallpass_oauth::WorkspaceId,
    ) -> Result<Assignment, Refusal> {
        let role = self.custom_roles.find(&new.role, workspace);
        let role = role.ok_or_else(|| {
            Refusal::BadRequest(format!(
                "there is no role {}; GET {} lists them",
                new.role,
                crate::roles::ROLES_PATH
            ))
        })?;
        let word = new.instance.as_deref().unwrap_or_default();
        let instance = self.instance_meant(word);
        let instance = instance.map_err(|UnknownInstance| {
            Refusal::BadRequest(format!("there is no application instance {word}"))
        })?;
        Ok((instance.map(|known| known.id.clone()), role.key()))
    }
}

/// What names an assignment on the wire.
pub(super) fn assignment_id((instance, role): &Assignment) -> String {
    let instance = instance.as_ref().map_or("all", |id| id.as_str());
    format!("{role}@{instance}")
}

/// The assignment of that name.
pub(super) fn assignment_of(id: &str) -> Option<Assignment> {
    let (role, instance) = id.split_once('@')?;
    let role: RoleKey = role.parse().ok()?;
    match instance {
        "all" => Some((None, role)),
        id => Some((Some(ApplicationInstanceId::parse(id).ok()?), role)),
    }
}

/// RFC 3339, to the second.
pub(crate) fn time(time: Timestamp) -> String {
    format!("{time:.0}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_assignment_is_named_and_found_again() {
        for id in [
            "observer@all",
            "6f2f8d64-3a0e-4c1e-8f0c-0e1d5a6f7b80@3c18bd03-8306-4c7c-942e-c704a4b8744c",
        ] {
            assert_eq!(assignment_id(&assignment_of(id).unwrap()), id);
        }
        for id in ["", "observer", "root@all", "observer@us1", "@all"] {
            assert!(assignment_of(id).is_none(), "{id}");
        }
    }
}
