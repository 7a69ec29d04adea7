//! The arguments of `hallpass admin role`.

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use super::{InWorkspace, OnlyWorkspace};

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub(crate) enum RoleCommand {
    /// Give a person a role; it acts on the next API call
    Assign(RoleChange),
    /// Take a role from a person; it acts on the next API call
    Revoke(RoleChange),
    /// List the roles and what they permit
    List(OnlyWorkspace),
    /// Make a role of the workspace's own
    Create {
        /// Its name
        name: String,
        /// What it permits: `volume.create`, `volume.*` or `ANY.read`; may be repeated
        #[arg(long = "permission", value_name = "WORD", required = true)]
        permissions: Vec<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT", default_value = "")]
        description: String,
        #[command(flatten)]
        at: InWorkspace,
    },
    /// Show a role and who has it
    Show {
        /// Its name or id
        role: String,
        #[command(flatten)]
        at: InWorkspace,
    },
    /// Change a role of the workspace's own; it acts on the next API call of everybody who has it
    Change {
        /// Its name or id
        role: String,
        /// A new name
        #[arg(long)]
        name: Option<String>,
        /// What it permits from now on, in place of all that it did; may be repeated
        #[arg(long = "permission", value_name = "WORD")]
        permissions: Vec<String>,
        /// What it is for
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
        #[command(flatten)]
        at: InWorkspace,
    },
    /// Remove a role of the workspace's own
    Remove {
        /// Its name or id
        role: String,
        /// Take it away from everybody who has it
        #[arg(long)]
        take_away: bool,
        #[command(flatten)]
        at: InWorkspace,
    },
}

/// A role, a person and where.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(crate) struct RoleChange {
    /// E-mail address
    #[arg(long, alias = "email")]
    pub(crate) user: String,
    /// The role: administrator, operator, observer, or a role of the workspace
    #[arg(long)]
    pub(crate) role: String,
    /// Application instance, by name or id [default: every instance]
    #[arg(long)]
    pub(crate) instance: Option<String>,
    #[command(flatten)]
    pub(crate) at: InWorkspace,
}
