//! Workspaces: people of the one that operates the system make, rename and remove them; everybody else
//! sees their own and no other (decision 0021).

pub(crate) mod pages;
pub(crate) mod rest;

use hallpass_store::workspaces::WorkspaceError;

use crate::answer::Refusal;

/// Where the REST API for them is.
pub(crate) const WORKSPACES_PATH: &str = "/workspaces/v1/workspaces";

/// Where their pages are.
pub(crate) const WORKSPACES_PAGE: &str = "/console/workspaces";

/// What is said where there is none of that id, or not for the caller.
const NO_WORKSPACE: &str = "there is no such workspace for you";

impl From<WorkspaceError> for Refusal {
    fn from(error: WorkspaceError) -> Self {
        match error {
            WorkspaceError::BadName(_)
            | WorkspaceError::UnknownManager(_)
            | WorkspaceError::ManagedManager(_) => Self::BadRequest(error.to_string()),
            WorkspaceError::Unknown(_) => Self::NotFound(NO_WORKSPACE),
            WorkspaceError::Store(error) => Self::Unavailable(error),
            conflict => Self::Conflict(conflict.to_string()),
        }
    }
}
