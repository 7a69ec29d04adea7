//! The roles of a workspace: those that are built in, which nobody changes, and its own.
//!
//! A role of another workspace answers exactly like one that does not exist.

mod form;
mod grid;
mod list;
pub(crate) mod permissions;
mod rest;
mod words;

use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use hallpass_access::{PermissionSet, Role};
use hallpass_oauth::WorkspaceId;
use hallpass_store::roles::{AssignedRole, RoleKey};

use crate::Console;

pub(crate) use rest::Declared;

/// Where the REST API for roles is.
pub(crate) const ROLES_PATH: &str = "/workspaces/v1/roles";

/// Where the pages about roles are.
pub(crate) const ROLES_PAGE: &str = "/console/roles";

/// The pages.
pub(crate) fn pages() -> Router<Arc<Console>> {
    let at = |rest: &str| format!("{ROLES_PAGE}{rest}");
    Router::new()
        .route(ROLES_PAGE, get(list::show))
        .route(&at("/new"), get(form::blank).post(form::create))
        .route(&at("/{id}"), get(form::show).post(form::change))
        .route(
            &at("/{id}/delete"),
            get(list::ask_to_delete).post(list::delete),
        )
        .method_not_allowed_fallback(crate::start::wrong_method)
}

/// The REST API.
pub(crate) fn rest() -> Router<Arc<Console>> {
    Router::new()
        .route(permissions::PERMISSIONS_PATH, get(permissions::list))
        .route(ROLES_PATH, get(rest::list).post(rest::create))
        .route(
            &format!("{ROLES_PATH}/{{id}}"),
            get(rest::show).put(rest::change).delete(rest::remove),
        )
        .method_not_allowed_fallback(crate::answer::wrong_method)
}

/// What the pages and the REST API show of a role.
pub(crate) struct Known {
    pub(crate) role: AssignedRole,
    pub(crate) people: usize,
}

impl Known {
    pub(crate) fn description(&self) -> &str {
        match &self.role {
            AssignedRole::BuiltIn(role) => described(*role),
            AssignedRole::Custom(role) => role.role.description(),
        }
    }

    pub(crate) fn permissions(&self) -> PermissionSet {
        self.role.permissions()
    }

    pub(crate) fn is_built_in(&self) -> bool {
        matches!(self.role, AssignedRole::BuiltIn(_))
    }
}

impl Console {
    /// All roles of a workspace, the built-in ones first.
    pub(crate) fn roles_of(&self, workspace: &WorkspaceId) -> Vec<Known> {
        let own = self.custom_roles.list(workspace).into_iter();
        let all = Role::ALL.map(AssignedRole::from).into_iter();
        let all = all.chain(own.map(AssignedRole::Custom));
        all.map(|role| self.known_role(role, workspace)).collect()
    }

    /// The role of that id: the word of a built-in one, or the id of one of the workspace.
    pub(crate) fn role_of(&self, workspace: &WorkspaceId, id: &str) -> Option<Known> {
        let role = match id.parse().ok()? {
            RoleKey::BuiltIn(role) => AssignedRole::from(role),
            RoleKey::Custom(id) => AssignedRole::Custom(self.custom_roles.get(id, workspace)?),
        };
        Some(self.known_role(role, workspace))
    }

    pub(crate) fn known_role(&self, role: AssignedRole, workspace: &WorkspaceId) -> Known {
        let people = self.custom_roles.holders(role.key(), workspace).len();
        Known { role, people }
    }
}

fn described(role: Role) -> &'static str {
    match role {
        Role::Administrator => "Does everything, also in this console.",
        Role::Operator => {
            "Reads everything; creates and changes volumes, sets of them, snapshots and hosts."
        }
        Role::Observer => "Reads everything.",
    }
}
