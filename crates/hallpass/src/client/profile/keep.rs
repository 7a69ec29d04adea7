//! Into which store a secret goes, and what the person is told about it.

use std::io::IsTerminal as _;

use clap::Args;
use hallpass_client::key_store::Store;

use crate::client::stores::{has_passphrase_file, stores};
use crate::command::CommandError;
use crate::output;

/// Where a secret is to be kept.
#[derive(Debug, Args)]
pub(crate) struct StoreArgs {
    /// Keep the secret in the desktop's key store, in a file encrypted under a passphrase, or in a
    /// file that only you can read [default: the first of them that can be used]
    #[arg(long, value_parser = Store::WORDS)]
    store: Option<String>,
}

impl StoreArgs {
    /// The store that was named, else the best that can be used now: the key store if it answers;
    /// the encrypted file if there is a passphrase, or somebody to choose one.
    pub(crate) fn choose(&self) -> Result<Store, CommandError> {
        if let Some(word) = &self.store {
            return Store::parse(word).map_err(crate::client::library);
        }
        let Err(reason) = stores()?.probe_key_ring() else {
            return Ok(Store::KeyRing);
        };
        if has_passphrase_file() {
            return Ok(Store::Encrypted);
        }
        if std::io::stdin().is_terminal() {
            let question = format!(
                "The key store is not used: {reason}. Encrypt the secret under a passphrase that \
                 you type whenever a token is asked for? [y/N]"
            );
            if output::ask(&question) == Some(true) {
                return Ok(Store::Encrypted);
            }
        } else {
            output::words(&format!("The key store is not used: {reason}."));
        }
        Ok(Store::File)
    }
}

/// Says where the secret is.
pub(super) fn tell(store: Store, place: &dyn std::fmt::Display) {
    output::words(&match store {
        Store::KeyRing | Store::Encrypted => format!("The secret is kept in {place}."),
        Store::File => format!(
            "warning: the secret is kept in {place}, which only you can read, but which is not \
             encrypted; anybody who can act as you can read it too."
        ),
    });
}
