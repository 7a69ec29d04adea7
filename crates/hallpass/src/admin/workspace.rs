//! The commands for workspaces.

use clap::Subcommand;
use serde::{Deserialize, Serialize};

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub(crate) enum WorkspaceCommand {
    /// Make a workspace
    Create {
        /// Its name
        name: String,
        /// Workspace that manages it, by name or id: its tokens can be exchanged for some of this one
        #[arg(long, value_name = "WORKSPACE")]
        managed_by: Option<String>,
    },
    /// List workspaces
    List,
    /// Show a workspace
    Show {
        /// Workspace, by name or id
        workspace: String,
    },
    /// Give a workspace another name; its id, people and tokens stay
    Rename {
        /// Workspace, by name or id
        workspace: String,
        /// The new name
        name: String,
    },
    /// Remove a workspace that nobody is in, and what its stand-ins have kept
    Remove {
        /// Workspace, by name or id
        workspace: String,
    },
}
