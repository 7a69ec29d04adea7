//! Every command and flag. What is typed becomes one value here; the commands see nothing else.

use std::path::PathBuf;

use clap::builder::{OsStringValueParser, TypedValueParser};
use clap::{Args, Parser, Subcommand};
use http::Method;

use crate::command::CommandError;
use crate::{admin, api, client, completion, demo, manual, serve};

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
    Credential(client::credential::CredentialArgs),
    Token(client::token::TokenArgs),
    Call(client::call::CallArgs),
    /// GET a path of the profile's API
    Get(client::raw::RawArgs),
    /// POST to a path of the profile's API
    Post(client::raw::RawArgs),
    /// PUT to a path of the profile's API
    Put(client::raw::RawArgs),
    /// PATCH a path of the profile's API
    Patch(client::raw::RawArgs),
    /// DELETE a path of the profile's API
    Delete(client::raw::RawArgs),
    Proxy(client::proxy::ProxyArgs),
    Explorer(client::explorer::ExplorerArgs),
    Doctor(client::doctor::DoctorArgs),
    Api(api::ApiArgs),
    Sample(client::sample::SampleArgs),
    Collection(client::collection::CollectionArgs),
    Completion(completion::CompletionArgs),
    #[command(hide = true)]
    Complete(completion::CompleteArgs),
    Help(manual::HelpArgs),
}

/// Where a server keeps its things.
#[derive(Debug, Clone, Args)]
pub(crate) struct DataArgs {
    /// Data directory [default: $XDG_DATA_HOME/hallpass, else ~/.local/share/hallpass]
    #[arg(
        long,
        value_name = "DIR",
        env = "HALLPASS_DATA",
        global = true,
        display_order = 100,
        value_parser = path()
    )]
    data: Option<PathBuf>,
    /// Configuration file [default: hallpass.toml in the data directory, if it exists]
    #[arg(
        long,
        value_name = "FILE",
        env = "HALLPASS_CONFIG",
        global = true,
        display_order = 101,
        value_parser = path()
    )]
    config: Option<PathBuf>,
}

/// A path that may be empty: a variable set to nothing counts as not set.
fn path() -> impl TypedValueParser<Value = PathBuf> {
    OsStringValueParser::new().map(PathBuf::from)
}

impl DataArgs {
    /// The data directory that was named.
    pub(crate) fn data(&self) -> Option<&PathBuf> {
        self.data
            .as_ref()
            .filter(|path| !path.as_os_str().is_empty())
    }

    /// The configuration file that was named.
    pub(crate) fn config(&self) -> Option<&PathBuf> {
        self.config
            .as_ref()
            .filter(|path| !path.as_os_str().is_empty())
    }

    /// The flags as they were typed, for other commands on the same data.
    pub(crate) fn as_typed(&self) -> String {
        let flag = |name: &str, value: Option<&PathBuf>| {
            value.map_or_else(String::new, |path| {
                let path = path.display().to_string();
                format!(" --{name} {}", crate::output::shell_word(&path))
            })
        };
        flag("data", self.data()) + &flag("config", self.config())
    }
}

impl Command {
    /// Whether the command has enough to do for several threads.
    pub(crate) fn works_at_length(&self) -> bool {
        matches!(
            self,
            Self::Demo(_) | Self::Serve(_) | Self::Admin(_) | Self::Proxy(_) | Self::Explorer(_)
        )
    }

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
            Command::Profile(args) => client::profile::run(args).await,
            Command::Credential(args) => client::credential::run(args).await,
            Command::Token(args) => client::token::run(args).await,
            Command::Call(args) => client::call::call(args).await,
            Command::Get(args) => client::raw::run(Method::GET, args).await,
            Command::Post(args) => client::raw::run(Method::POST, args).await,
            Command::Put(args) => client::raw::run(Method::PUT, args).await,
            Command::Patch(args) => client::raw::run(Method::PATCH, args).await,
            Command::Delete(args) => client::raw::run(Method::DELETE, args).await,
            Command::Proxy(args) => client::proxy::run(args).await,
            Command::Explorer(args) => client::explorer::run(args).await,
            Command::Doctor(args) => client::doctor::run(args).await,
            Command::Api(args) => api::run(args),
            Command::Sample(args) => client::sample::run(args).await,
            Command::Collection(args) => client::collection::run(args),
            Command::Completion(args) => completion::script(&args),
            Command::Complete(args) => completion::complete(&args),
            Command::Help(args) => manual::run(&args),
        }
    }
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
