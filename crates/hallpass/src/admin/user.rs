//! The arguments of `hallpass admin user`.

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use super::InWorkspace;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub(crate) enum UserCommand {
    /// Add a person; prints a one-time link with which they choose a password
    Create {
        /// E-mail address
        #[arg(long)]
        email: String,
        /// Role on every application instance: administrator, operator, observer, or a role of the
        /// workspace
        #[arg(long)]
        role: Option<String>,
        #[command(flatten)]
        at: InWorkspace,
    },
    /// List people and their roles
    List,
    /// Print a new one-time link for a person; an earlier one stops working
    SetupLink(Who),
    /// Disable a person: signed out at once, and neither their credentials nor their tokens are taken
    /// until they are enabled again
    Disable(Who),
    /// Enable a person who was disabled
    Enable(Who),
    /// Take the second factor from a person who has lost their device and their recovery codes
    ResetSecondFactor(Who),
    /// Remove a person; their credentials and tokens die at once
    Remove(Who),
}

/// Which person is meant.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(crate) struct Who {
    /// E-mail address
    #[arg(long)]
    pub(crate) email: String,
    #[command(flatten)]
    pub(crate) at: InWorkspace,
}
