//! How a credential comes in: from a file, from standard input, typed; or not at all, when its secret
//! stays where it is.

use std::path::PathBuf;

use clap::Args;
use hallpass_client::credential_source::CredentialSource;
use hallpass_client::key_store::Store;
use hallpass_client::profile::{CommandText, Profile, SecretTable};
use hallpass_oauth::Secret;

use super::download::Download;
use super::keep::StoreArgs;
use super::{ask, trial};
use crate::command::CommandError;
use crate::output;

/// How the secret comes in, and what happens to it.
#[derive(Debug, Args)]
pub(super) struct SecretArgs {
    /// Read the credential from FILE as it was saved when it was created (`-`: standard input)
    #[arg(long, value_name = "FILE")]
    from: Option<PathBuf>,
    /// Delete that file once the credential is kept, without asking
    #[arg(long, requires = "from", conflicts_with = "keep_file")]
    delete_file: bool,
    /// Leave that file alone, without asking
    #[arg(long, requires = "from")]
    keep_file: bool,
    /// Read the client secret from FILE, or from standard input with `-`, instead of asking for it
    #[arg(long, value_name = "FILE", conflicts_with = "from")]
    secret_file: Option<PathBuf>,
    #[command(flatten)]
    store: StoreArgs,
    /// Do not try the credential
    #[arg(long)]
    no_test: bool,
}

/// Where the secret stays when this program is not to keep it.
#[derive(Debug, Args)]
#[group(multiple = false)]
pub(super) struct ElsewhereArgs {
    /// Keep no secret: take it from this environment variable each time
    #[arg(long, value_name = "NAME", conflicts_with_all = ["secret_file", "store"])]
    secret_env: Option<String>,
    /// Keep no secret: read it from this file each time, such as a mounted one
    #[arg(long, value_name = "FILE", conflicts_with_all = ["secret_file", "store"])]
    secret_path: Option<PathBuf>,
    /// Keep no secret: run this program each time, which prints it; parts are told by blanks
    #[arg(long, value_name = "COMMAND", conflicts_with_all = ["secret_file", "store"])]
    secret_command: Option<String>,
}

impl ElsewhereArgs {
    /// The place, if one was named.
    pub(super) fn table(&self) -> Result<Option<SecretTable>, CommandError> {
        let mut table = SecretTable::default();
        if let Some(name) = &self.secret_env {
            table.env = Some(name.clone());
        } else if let Some(file) = &self.secret_path {
            let file = std::path::absolute(file);
            table.file = Some(file.map_err(|error| CommandError::usage(error.to_string()))?);
        } else if let Some(command) = &self.secret_command {
            let words = command.split_whitespace().map(str::to_owned);
            table.command = Some(CommandText::Words(words.collect()));
        } else {
            return Ok(None);
        }
        Ok(Some(table))
    }
}

impl SecretArgs {
    /// Whether the credential is tried before it is kept.
    pub(super) fn is_tried(&self) -> bool {
        !self.no_test
    }

    /// The store for the secret.
    pub(super) fn store(&self) -> Result<Store, CommandError> {
        self.store.choose()
    }

    pub(super) fn download(&self) -> Result<Option<Download>, CommandError> {
        self.from.as_deref().map(Download::read).transpose()
    }

    /// The secret, and the application instance that it is known to be for.
    pub(super) fn secret<'d>(
        &self,
        download: Option<&'d Download>,
    ) -> Result<(Secret, Option<&'d str>), CommandError> {
        match download {
            Some(download) => Ok((download.secret.clone(), download.instance.as_deref())),
            None => Ok((ask::secret(self.secret_file.as_deref())?, None)),
        }
    }

    /// Tries the credential. One that does not work is kept only if the person says so.
    pub(super) async fn test(
        &self,
        profile: &Profile,
        source: CredentialSource,
        instance: Option<&str>,
    ) -> Result<(), CommandError> {
        if self.no_test {
            return Ok(());
        }
        let Err(error) = trial::run(profile, source, instance).await else {
            return Ok(());
        };
        error.print();
        if output::ask("Keep the profile all the same? [y/N]") == Some(true) {
            return Ok(());
        }
        Err(CommandError::new(
            error.exit(),
            "the credential does not work, so nothing was kept",
        )
        .hint("correct what is said above; --no-test keeps a profile without trying it"))
    }

    /// The file that the credential came in still holds the secret in clear.
    pub(super) fn clear_up(&self, download: Option<&Download>) -> Result<(), CommandError> {
        let Some(file) = download.and_then(|download| download.file.as_deref()) else {
            return Ok(());
        };
        let shown = file.display();
        let delete = self.delete_file
            || (!self.keep_file
                && output::ask(&format!("{shown} still holds the secret. Delete it? [y/N]"))
                    == Some(true));
        if delete {
            std::fs::remove_file(file).map_err(|error| {
                CommandError::refused(format!(
                    "the profile is kept, but {shown} cannot be deleted: {error}"
                ))
                .hint("delete it yourself: it holds the secret")
            })?;
            output::words(&format!("{shown} is deleted."));
        } else {
            output::words(&format!(
                "warning: {shown} still holds the secret in clear; delete it when you need it no more"
            ));
        }
        Ok(())
    }
}
