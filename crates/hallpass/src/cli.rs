//! Every command and flag. What is typed becomes one value here; the commands see nothing else.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

use crate::command::{CommandError, EXIT_CODES};
use crate::{admin, client, demo, output, serve};

/// Both ends of machine-to-machine API access with OAuth 2.0 client credentials
#[derive(Debug, Parser)]
#[command(
    name = "hallpass",
    version,
    disable_help_subcommand = true,
    max_term_width = 100
)]
#[command(after_help = "Start with `hallpass demo`. Exit codes: `hallpass help exit-codes`.")]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Each variant is described where its arguments are.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Demo(demo::DemoArgs),
    Serve(serve::ServeArgs),
    Admin(admin::AdminArgs),
    Profile(client::profile::ProfileArgs),
    Token(client::token::TokenArgs),
    Call(client::call::CallArgs),
    Get(client::call::GetArgs),
    /// Print help for a command or a topic (exit-codes)
    Help(HelpArgs),
}

#[derive(Debug, Args)]
pub(crate) struct HelpArgs {
    /// A command, or `exit-codes`
    words: Vec<String>,
}

/// Where a server keeps its things.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataArgs {
    /// Data directory [default: $XDG_DATA_HOME/hallpass, else ~/.local/share/hallpass]
    #[arg(long, value_name = "DIR", env = "HALLPASS_DATA", global = true)]
    pub(crate) data: Option<PathBuf>,
    /// Configuration file [default: hallpass.toml in the data directory, if it exists]
    #[arg(long, value_name = "FILE", env = "HALLPASS_CONFIG", global = true)]
    pub(crate) config: Option<PathBuf>,
}

impl Command {
    /// Whether the command is a server, whose log is worth seeing.
    pub(crate) fn is_server(&self) -> bool {
        matches!(self, Self::Serve(_))
    }
}

impl Cli {
    /// Runs the command.
    pub(crate) async fn run(self) -> Result<(), CommandError> {
        match self.command {
            Command::Demo(args) => demo::run(args).await,
            Command::Serve(args) => serve::run(args).await,
            Command::Admin(args) => admin::run(args).await,
            Command::Profile(args) => client::profile::run(args),
            Command::Token(args) => client::token::run(args).await,
            Command::Call(args) => client::call::call(args).await,
            Command::Get(args) => client::call::get(args).await,
            Command::Help(args) => help(&args),
        }
    }
}

fn help(args: &HelpArgs) -> Result<(), CommandError> {
    use clap::CommandFactory as _;
    if args.words == ["exit-codes"] {
        output::data(EXIT_CODES);
        return Ok(());
    }
    let mut command = Cli::command();
    command.build();
    for word in &args.words {
        command = command.find_subcommand(word).cloned().ok_or_else(|| {
            CommandError::usage(format!("there is no help for `{word}`"))
                .hint("`hallpass help` lists the commands; `hallpass help exit-codes` the codes")
        })?;
    }
    output::data(&command.render_long_help().to_string());
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory as _;

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
