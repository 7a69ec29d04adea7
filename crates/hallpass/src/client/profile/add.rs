//! `hallpass profile add` and `set-secret`: a credential comes in, is tried, and is kept.

use std::path::Path;

use clap::Args;
use hallpass_client::credential_source::CredentialSource;
use hallpass_client::key_store::Slot;
use hallpass_client::profile::{Profile, ProfileError, ProfileName, SecretPlace};
use hallpass_client::profiles::{Existing, Profiles};
use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;

use super::incoming::{ElsewhereArgs, SecretArgs};
use super::settings::SettingsArgs;
use super::{ask, forget, keep as keeping};
use crate::client::selection::{FileArg, own_to_change};
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
    file: FileArg,
    #[command(flatten)]
    secret: SecretArgs,
}

pub(super) async fn add(args: AddArgs) -> Result<(), CommandError> {
    let name = ProfileName::parse(&args.name).map_err(library)?;
    let directory = own_to_change()?;
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
    Profiles::load(&directory)
        .and_then(|mut profiles| profiles.add(profile.clone(), existing))
        .map_err(not_added)?;
    // A trial says so by itself.
    if profile.insecure() && !args.secret.is_tried() {
        output::words(crate::client::INSECURE);
    }
    if kept_elsewhere || !profile.authentication().needs_secret() {
        let source = credential(&profile)?;
        args.secret.test(&profile, source, None).await?;
        let place = Place::New(existing);
        return keep(&profile, None, place, args.secret.is_tried());
    }
    let (secret, instance) = args.secret.secret(download.as_ref())?;
    let given = CredentialSource::Given(secret.clone());
    args.secret.test(&profile, given, instance).await?;
    let profile = profile.with_secret(SecretPlace::Kept(args.secret.store()?));
    let place = Place::New(existing);
    keep(&profile, Some(&secret), place, args.secret.is_tried())?;
    args.secret.clear_up(download.as_ref())
}

pub(super) async fn set_secret(args: SetSecretArgs) -> Result<(), CommandError> {
    let profiles = args.file.load()?;
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
    if args.file.is_shared() {
        keep_shared(&profile, &secret)?;
        return args.secret.clear_up(download.as_ref());
    }
    let with_secret = SecretPlace::Kept(args.secret.store()?);
    let changed = profile.clone().with_secret(with_secret);
    keep(
        &changed,
        Some(&secret),
        Place::Of(&profile),
        args.secret.is_tried(),
    )?;
    args.secret.clear_up(download.as_ref())
}

/// Where a profile goes.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    /// Under a name of its own.
    New(Existing),
    /// Where this one is, if it is still the same: somebody may have taken their time over a secret.
    Of(&'a Profile),
}

/// Keeps the profile, and its secret in the same step: of two that add one name at a time, one gets
/// both.
pub(super) fn keep(
    profile: &Profile,
    secret: Option<&Secret>,
    meant: Place<'_>,
    tried: bool,
) -> Result<(), CommandError> {
    let slot = Slot::of(profile);
    let place = match profile.secret() {
        SecretPlace::Kept(store) if secret.is_some() => Some(kept(*store, &slot)?),
        _ => None,
    };
    let name = profile.name().clone();
    let (before, stored) = Profiles::update(&config_directory()?, |profiles| {
        let before = profiles.iter().find(|known| *known.name() == name).cloned();
        let existing = match meant {
            Place::New(existing) => existing,
            Place::Of(known) if before.as_ref() == Some(known) => Existing::Replace,
            Place::Of(known) => {
                let name = known.name().to_string();
                return Err(ProfileError::Changed { name });
            }
        };
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
        forget::superseded(&before, profile, tried)?;
    }
    if let Some(place) = &place {
        keeping::tell(place.store(), place);
    }
    Ok(())
}

/// Keeps the secret of a profile whose file is not to be written: in the store that the file names.
fn keep_shared(profile: &Profile, secret: &Secret) -> Result<(), CommandError> {
    let SecretPlace::Kept(store) = profile.secret() else {
        return Err(CommandError::usage(format!(
            "the secret of profile `{}` is not kept by this program: its file says where it is",
            profile.name()
        )));
    };
    let place = kept(*store, &Slot::of(profile))?;
    place
        .keep(secret, &mut SystemRandom)
        .map_err(|error| CommandError::usage(chain(&error)).maybe_hint(error.hint()))?;
    keeping::tell(*store, &place);
    Ok(())
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
