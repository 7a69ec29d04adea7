//! `hallpass api`: what an API definition says, and what is wrong with it.

mod check;
mod report;

use clap::{Args, Subcommand};

use crate::command::CommandError;

/// Look into API definitions
#[derive(Debug, Args)]
pub(crate) struct ApiArgs {
    #[command(subcommand)]
    command: ApiCommand,
}

#[derive(Debug, Subcommand)]
enum ApiCommand {
    Check(check::CheckArgs),
}

/// Runs `hallpass api`.
pub(crate) fn run(args: ApiArgs) -> Result<(), CommandError> {
    match args.command {
        ApiCommand::Check(args) => check::run(&args),
    }
}
