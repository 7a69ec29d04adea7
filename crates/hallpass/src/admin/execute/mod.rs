//! What each administrative command does, whether it was sent to a running server or not. The
//! answers are JSON; the addresses in them are the real ones when a server runs.

mod audit;
mod credentials;
mod instances;
mod keys;
mod people;
mod refusals;
mod roles;
mod sandboxes;
mod workspaces;

use std::sync::Arc;

use hallpass_resource_server::ResourceServer;
use hallpass_store::{Actor, Store};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::admin::{AdminCommand, AuditCommand};
use crate::command::CommandError;
use crate::serve::{Addresses, Config};

/// What commands work on, and the time they are executed at.
pub(crate) struct Administrator<'a> {
    pub(crate) store: &'a Store,
    pub(crate) addresses: &'a Addresses,
    /// How long verifiers may keep the published keys.
    pub(crate) keys_max_age: SignedDuration,
    /// The guards that run in this process, by the short name of their instance.
    pub(crate) running: &'a [(String, Arc<ResourceServer>)],
    pub(crate) config: &'a Config,
    pub(crate) now: Timestamp,
}

impl Administrator<'_> {
    /// Executes a command.
    pub(crate) async fn execute(&self, command: &AdminCommand) -> Result<Value, CommandError> {
        match command {
            AdminCommand::Init => Ok(self.init()),
            AdminCommand::User(command) => self.user(command).await,
            AdminCommand::Role(command) => self.role(command).await,
            AdminCommand::Workspace(command) => self.workspace(command).await,
            AdminCommand::Instance(command) => self.instance(command).await,
            AdminCommand::Credential(command) => self.credential(command).await,
            AdminCommand::Key(command) => self.key(command).await,
            AdminCommand::Audit(AuditCommand::List(wanted)) => self.audit(wanted).await,
            AdminCommand::Sandbox(command) => self.sandbox(command).await,
            AdminCommand::Addresses => {
                let instances = self.store.workspaces().instances();
                Ok(json!(self.addresses.knowing(&instances)))
            }
        }
    }

    fn init(&self) -> Value {
        json!({
            "workspaces": self.store.workspaces().list().len(),
            "instances": self.store.workspaces().instances().len(),
            "tokenUrl": self.addresses.token_url,
        })
    }
}

/// Whoever may open the data directory may do everything; the log says it was them.
pub(crate) fn actor() -> Actor {
    Actor {
        email: "local administrator".to_owned(),
        client_id: String::new(),
        address: String::new(),
        source: "hallpass admin",
    }
}

/// A time in answers: RFC 3339, to the second.
fn time(time: Timestamp) -> String {
    format!("{time:.0}")
}
