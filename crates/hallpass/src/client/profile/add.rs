//! `hallpass profile add` and `set-secret`: a credential comes in, is tried, and is kept.

use std::path::{Path, PathBuf};

use clap::Args;
use hallpass_client::credential_source::CredentialSource;
use hallpass_client::key_store::Slot;
use hallpass_client::profile::{
    CommandText, Profile, ProfileError, ProfileName, SecretPlace, SecretTable,
};
use hallpass_client::profiles::{Existing, Profiles};
use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;

use super::download::Download;
use super::keep::{self, StoreArgs};
use super::settings::SettingsArgs;
use super::{ask, forget, trial};
use crate::client::stores::{credential, kept};
use crate::client::{config_directory, library};
use crate::command::{CommandError, chain};
use crate::output;

#[derive(Debug, Args)]
pub(super) struct AddArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    settings: SettingsArgs,
    #[command(flatten)]
    secret: SecretArgs,
    #[command(flatten)]
    elsewhere: ElsewhereArgs,
    /// Replace a profile of the same name
    #[arg(long)]
    replace: bool,
}

#[derive(Debug, Args)]
pub(super) struct SetSecretArgs {
    /// The profile's name
    name: String,
    #[command(flatten)]
    secret: SecretArgs,
}

/// How the secret comes in, and what happens to it.
#[derive(Debug, Args)]
struct SecretArgs {
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
struct ElsewhereArgs {
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
    fn table(&self) -> Result<Option<SecretTable>, CommandError> {
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

pub(super) async fn add(args: AddArgs) -> Result<(), CommandError> {
    let name = ProfileName::parse(&args.name).map_err(library)?;
    let download = args.secret.download()?;
    let mut settings = args.settings.settings()?;
    if let Some(download) = &download {
        download.fill(&mut settings);
    }
    ask::missing(&mut settings)?;
    settings.secret = args.elsewhere.table()?;
    let kept_elsewhere = settings.secret.is_some();
    // Nothing is below the root that was not absolute before.
    let profile = settings.read(name, Path::new("/")).map_err(library)?;
    if let Some(file) = profile.api() {
        crate::definition::load(Some(file))?;
    }
    let existing = if args.replace {
        Existing::Replace
    } else {
        Existing::Keep
    };
    // Refused before the secret is asked for, so that nobody types it in vain.
    Profiles::load(&config_directory()?)
        .and_then(|mut profiles| profiles.add(profile.clone(), existing))
        .map_err(not_added)?;
    if profile.insecure() {
        output::words(crate::client::INSECURE);
    }
    if kept_elsewhere || !profile.authentication().needs_secret() {
        let source = credential(&profile, &Slot::from(profile.name()))?;
        args.secret.test(&profile, source, None).await?;
        return keep(profile, None, existing).map(drop);
    }
    let (secret, instance) = args.secret.secret(download.as_ref())?;
    let given = CredentialSource::Given(secret.clone());
    args.secret.test(&profile, given, instance).await?;
    let profile = profile.with_secret(SecretPlace::Kept(args.secret.store.choose()?));
    keep(profile, Some(&secret), existing)?;
    args.secret.clear_up(download.as_ref())
}

pub(super) async fn set_secret(args: SetSecretArgs) -> Result<(), CommandError> {
    let profiles = Profiles::load(&config_directory()?).map_err(library)?;
    let profile = profiles.select(Some(&args.name)).map_err(library)?.clone();
    if !profile.authentication().needs_secret() {
        return Err(CommandError::usage(format!(
            "profile `{}` authenticates with a key and has no secret",
            profile.name()
        )));
    }
    let download = args.secret.download()?;
    if let Some(download) = &download
        && download.client_id() != profile.client_id().as_str()
    {
        return Err(CommandError::usage(format!(
            "the file is the credential {}, but profile `{}` is {}",
            output::printable(download.client_id()),
            profile.name(),
            profile.client_id()
        ))
        .hint("`hallpass profile add NAME --from FILE --replace` takes all of the file"));
    }
    let (secret, instance) = args.secret.secret(download.as_ref())?;
    let given = CredentialSource::Given(secret.clone());
    args.secret.test(&profile, given, instance).await?;
    let profile = profile.with_secret(SecretPlace::Kept(args.secret.store.choose()?));
    keep(profile, Some(&secret), Existing::Replace)?;
    args.secret.clear_up(download.as_ref())
}

/// Keeps the profile, and its secret in the same step: of two that add one name at a time, one gets
/// both.
fn keep(profile: Profile, secret: Option<&Secret>, existing: Existing) -> Result<(), CommandError> {
    let slot = Slot::from(profile.name());
    let place = match profile.secret() {
        SecretPlace::Kept(store) if secret.is_some() => Some(kept(*store, &slot)?),
        _ => None,
    };
    let name = profile.name().clone();
    let (before, stored) = Profiles::update(&config_directory()?, |profiles| {
        let before = profiles.iter().find(|known| *known.name() == name).cloned();
        profiles.add(profile.clone(), existing)?;
        let stored = match (&place, secret) {
            (Some(place), Some(secret)) => place.keep(secret, &mut SystemRandom),
            _ => Ok(()),
        };
        if stored.is_err() {
            // A profile without its secret would be of no use.
            profiles.put_back(&name, before.clone());
        }
        Ok((before, stored))
    })
    .map_err(not_added)?;
    stored.map_err(|error| CommandError::usage(chain(&error)).maybe_hint(error.hint()))?;
    if let Some(before) = before {
        forget::superseded(&before, &profile)?;
    }
    if let Some(place) = &place {
        keep::tell(place.store(), place);
    }
    Ok(())
}

impl SecretArgs {
    fn download(&self) -> Result<Option<Download>, CommandError> {
        self.from.as_deref().map(Download::read).transpose()
    }

    /// The secret, and the application instance that it is known to be for.
    fn secret<'d>(
        &self,
        download: Option<&'d Download>,
    ) -> Result<(Secret, Option<&'d str>), CommandError> {
        match download {
            Some(download) => Ok((download.secret.clone(), download.instance.as_deref())),
            None => Ok((ask::secret(self.secret_file.as_deref())?, None)),
        }
    }

    /// Tries the credential. One that does not work is kept only if the person says so.
    async fn test(
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
    fn clear_up(&self, download: Option<&Download>) -> Result<(), CommandError> {
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

/// The library does not know the flag that would have helped.
fn not_added(error: ProfileError) -> CommandError {
    let taken = matches!(error, ProfileError::Exists { .. });
    let error = library(error);
    if taken {
        error.hint("choose another name, or replace it with --replace")
    } else {
        error
    }
}
