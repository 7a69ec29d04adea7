//! `hallpass admin audit` as it is typed.

use clap::{Args, Subcommand};
use hallpass_store::AuditState;
use serde::{Deserialize, Serialize};

use super::OnlyWorkspace;

#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub(crate) enum AuditCommand {
    /// List the newest events that fit
    List(Box<AuditList>),
}

/// Which events. Several conditions must hold together.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(crate) struct AuditList {
    /// Most events to list
    #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(crate) limit: u32,
    /// Words that all occur somewhere in the event, in any letter case
    #[arg(long, value_name = "WORDS")]
    pub(crate) search: Option<String>,
    /// How it ended
    #[arg(long, value_parser = AuditState::ALL.map(AuditState::as_str))]
    pub(crate) state: Option<String>,
    /// E-mail address of the person
    #[arg(long, value_name = "EMAIL")]
    pub(crate) person: Option<String>,
    /// The client that acted
    #[arg(long, value_name = "ID")]
    pub(crate) client_id: Option<String>,
    /// The part of the system, such as console
    #[arg(long)]
    pub(crate) source: Option<String>,
    /// Not before this time, in UTC: 2026-01-31, 2026-01-31T08:30:00Z
    #[arg(long, value_name = "TIME")]
    pub(crate) from: Option<String>,
    /// Before this time
    #[arg(long, value_name = "TIME")]
    pub(crate) to: Option<String>,
    #[command(flatten)]
    pub(crate) only: OnlyWorkspace,
}
