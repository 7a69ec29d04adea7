//! `hallpass api`: what an API definition says, and what is wrong with it.

mod add;
mod check;
mod coverage;
mod list;
mod report;
mod show;
mod tree;

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
    List(list::ListArgs),
    Tree(tree::TreeArgs),
    Show(show::ShowArgs),
    Add(add::AddArgs),
    Check(check::CheckArgs),
    Coverage(coverage::CoverageArgs),
}

/// Runs `hallpass api`.
pub(crate) fn run(args: ApiArgs) -> Result<(), CommandError> {
    match args.command {
        ApiCommand::List(args) => list::run(&args),
        ApiCommand::Tree(args) => tree::run(&args),
        ApiCommand::Show(args) => show::run(&args),
        ApiCommand::Add(args) => add::run(&args),
        ApiCommand::Check(args) => check::run(&args),
        ApiCommand::Coverage(args) => coverage::run(&args),
    }
}
