//! `hallpass admin`: people, roles, credentials and keys. While a server runs on the data directory the
//! command goes to it, so that the change acts on its next request; otherwise it is executed here,
//! under the directory's lock.

mod audit;
mod credential;
mod execute;
mod file_text;
mod instance;
mod key;
mod readable;
mod role;
mod sandbox;
pub(crate) mod typed;
mod user;
mod workspace;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::cli::DataArgs;
use crate::command::CommandError;
use crate::output;
use crate::serve::{self, Addresses, Config, DataDirectory};
use file_text::FileText;
use sandbox::SandboxCommand;

pub(crate) use audit::{AuditCommand, AuditList};
pub(crate) use credential::{CredentialCommand, NewCredential};
pub(crate) use execute::{Administrator, actor as local_administrator};
pub(crate) use instance::InstanceCommand;
pub(crate) use key::KeyCommand;
pub(crate) use role::{RoleChange, RoleCommand};
pub(crate) use user::UserCommand;
pub(crate) use workspace::WorkspaceCommand;

/// Administer people, roles, credentials, signing keys and the stand-in
#[derive(Debug, Args)]
pub(crate) struct AdminArgs {
    #[command(flatten)]
    data: DataArgs,
    /// Print the answer as JSON
    #[arg(long, global = true, display_order = 102)]
    json: bool,
    #[command(subcommand)]
    command: AdminCommand,
}

/// A command, as typed and as it travels to a running server.
#[derive(Debug, Clone, Subcommand, Serialize, Deserialize)]
pub(crate) enum AdminCommand {
    /// Make the data directory, its keys and the first workspace
    Init,
    /// The people that credentials act for
    #[command(subcommand)]
    User(UserCommand),
    /// What people may do
    #[command(subcommand)]
    Role(RoleCommand),
    /// Workspaces
    #[command(subcommand)]
    Workspace(WorkspaceCommand),
    /// Application instances: a service in a region
    #[command(subcommand)]
    Instance(InstanceCommand),
    /// API credentials
    #[command(subcommand)]
    Credential(CredentialCommand),
    /// Signing keys
    #[command(subcommand)]
    Key(KeyCommand),
    /// The audit log
    #[command(subcommand)]
    Audit(AuditCommand),
    /// The stand-in: its state, and faults
    #[command(subcommand)]
    Sandbox(SandboxCommand),
    /// The server's addresses. For `hallpass serve --trust`, which is about a server that may run.
    #[command(skip)]
    Addresses,
}

/// Which workspace is meant.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(crate) struct InWorkspace {
    /// Workspace, by name or id; needed where there are several to choose from
    #[arg(long, value_name = "NAME")]
    pub(crate) workspace: Option<String>,
}

/// Which workspaces a list shows.
#[derive(Debug, Clone, Args, Serialize, Deserialize)]
pub(crate) struct OnlyWorkspace {
    /// Only what belongs to this workspace, by name or id [default: every workspace]
    #[arg(long, value_name = "NAME")]
    pub(crate) workspace: Option<String>,
}

impl AdminCommand {
    /// Reads the files that were named: the server that executes the command may not be allowed to.
    fn read_files(&mut self) -> Result<(), CommandError> {
        match self {
            Self::Key(KeyCommand::Import { file }) => {
                if let Some((path, mode)) = file.open_to_others() {
                    output::words(&format!(
                        "warning: {path} can be read by others (mode {mode:o})\n\
                         hint: `chmod 600 {path}`, and think about whether the key is still secret",
                        path = path.display()
                    ));
                }
                file.read()
            }
            Self::Credential(CredentialCommand::Create(new)) => read(new.jwks.as_mut()),
            Self::Credential(CredentialCommand::Change { wanted, .. }) => {
                read(wanted.jwks.as_mut())
            }
            Self::Sandbox(SandboxCommand::Restore { file, .. }) => file.read(),
            _ => Ok(()),
        }
    }
}

fn read(file: Option<&mut FileText>) -> Result<(), CommandError> {
    file.map_or(Ok(()), FileText::read)
}

/// Runs one command.
pub(crate) async fn run(mut args: AdminArgs) -> Result<(), CommandError> {
    let config = Config::load(&args.data)?;
    config.check()?;
    args.command.read_files()?;
    confirm(&args.command)?;
    let data = DataDirectory::create(&config.data)?;
    let mut answer = send_or_execute(&args.command, &config, &data).await?;
    if let AdminCommand::Sandbox(SandboxCommand::Save { file, .. }) = &args.command {
        let document = answer
            .as_object_mut()
            .and_then(|members| members.remove("document"));
        sandbox::write(
            document
                .as_ref()
                .and_then(Value::as_str)
                .unwrap_or_default(),
            file,
        )?;
        if file == Path::new("-") {
            return Ok(());
        }
    }
    if args.json {
        return output::data(&serde_json::to_string_pretty(&answer).unwrap_or_default());
    }
    let text = readable::answer(&args.command, &answer);
    if !text.is_empty() {
        output::data(&text)?;
    }
    for words in readable::words(&args.command, &answer) {
        output::words(&words);
    }
    Ok(())
}

/// Asks before what cannot be taken back and ends the tokens of everybody. A script has said what it
/// wants.
fn confirm(command: &AdminCommand) -> Result<(), CommandError> {
    let AdminCommand::Key(KeyCommand::Remove { id, yes: false }) = command else {
        return Ok(());
    };
    let question = format!(
        "Every token that {id} has signed dies at once, and this cannot be taken back.\n\
         For a change without harm there is `hallpass admin key rotate`. Remove it? [y/N]"
    );
    match output::ask(&question) {
        Some(false) => Err(CommandError::refused("nothing was removed")),
        _ => Ok(()),
    }
}

/// How long a command waits for a server that is starting or another command that is running.
const PATIENCE: Duration = Duration::from_secs(15);

async fn send_or_execute(
    command: &AdminCommand,
    config: &Config,
    data: &DataDirectory,
) -> Result<Value, CommandError> {
    let give_up = tokio::time::Instant::now() + PATIENCE;
    loop {
        if let Some(answer) = serve::ask(&data.admin_socket(), command).await? {
            return Ok(answer);
        }
        let patient = tokio::time::Instant::now() < give_up;
        // Out of patience, the error of the lock says who holds it.
        let lock = if patient {
            data.try_lock()?
        } else {
            Some(data.lock()?)
        };
        if let Some(_lock) = lock {
            let clock: hallpass_store::Clock = Arc::new(serve::system_time);
            let store = serve::open_store(config, data, &clock).await?;
            let addresses = Addresses::configured(config);
            let administrator = Administrator {
                store: &store,
                addresses: &addresses,
                keys_max_age: config.keys_max_age(),
                running: &[],
                config,
                now: clock(),
            };
            let outcome = administrator.execute(command).await;
            store.close().await;
            return outcome;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
