//! `hallpass profile`: named connections. The profile file never holds a secret.

mod add;
mod ask;
mod download;
mod forget;
mod incoming;
mod issued;
mod keep;
mod settings;
mod trial;

use clap::{Args, Subcommand};
use hallpass_client::credential_source::CredentialError;
use hallpass_client::key_store::{Kept, Slot};
use hallpass_client::profile::{
    Authentication, ClientCertificate, PrivateKey, Profile, ProfileName, Proxy, SecretPlace,
};
use hallpass_client::profiles::Profiles;
use hallpass_client::region::Region;
use hallpass_oauth::identifier::WorkspaceId;
use hallpass_oauth::random::SystemRandom;
use serde_json::{Value, json};

pub(crate) use issued::NewProfile;
pub(crate) use keep::StoreArgs;

use crate::client::library;
use crate::client::selection::{FileArg, own_to_change};
use crate::client::stores::kept;
use crate::command::{CommandError, chain};
use crate::output;

/// Profiles: named connections to an API
#[derive(Debug, Args)]
pub(crate) struct ProfileArgs {
    #[command(subcommand)]
    command: ProfileCommand,
}

#[derive(Debug, Subcommand)]
enum ProfileCommand {
    /// Add a profile: what is missing is asked for, the credential is tried, and its secret is kept
    Add(Box<add::AddArgs>),
    /// Keep a new secret for a profile, after it was reset
    SetSecret(add::SetSecretArgs),
    /// List the profiles
    List {
        #[command(flatten)]
        file: FileArg,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a profile
    Show {
        /// Its name [default: the current one]
        name: Option<String>,
        #[command(flatten)]
        file: FileArg,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a profile the current one
    Use {
        /// Its name
        name: String,
    },
    /// Give a profile another name
    Rename {
        /// Its name
        name: String,
        /// Its new name
        to: String,
    },
    /// Remove a profile, its secret and its cached token
    Remove {
        /// Its name
        name: String,
    },
}

/// Runs one command.
pub(crate) async fn run(args: ProfileArgs) -> Result<(), CommandError> {
    match args.command {
        ProfileCommand::Add(args) => add::add(*args).await,
        ProfileCommand::SetSecret(args) => add::set_secret(args).await,
        ProfileCommand::List { file, json } => list(&file, json),
        ProfileCommand::Show { name, file, json } => show(name.as_deref(), &file, json),
        ProfileCommand::Use { name } => {
            Profiles::update(&own_to_change()?, |profiles| profiles.use_profile(&name))
                .map_err(library)
        }
        ProfileCommand::Rename { name, to } => rename(&name, &to),
        ProfileCommand::Remove { name } => {
            let removed = Profiles::update(&own_to_change()?, |profiles| profiles.remove(&name))
                .map_err(library)?;
            forget::everything(&removed)
        }
    }
}

fn list(file: &FileArg, json: bool) -> Result<(), CommandError> {
    let profiles = file.load()?;
    let items: Vec<Value> = profiles
        .iter()
        .map(|profile| {
            let mut item = value(profile);
            item["current"] = json!(profiles.current() == Some(profile.name()));
            item
        })
        .collect();
    if items.is_empty() && !json {
        output::words("there are no profiles; `hallpass profile add` makes one");
        return Ok(());
    }
    print(&json!({ "items": items }), json)
}

fn show(name: Option<&str>, file: &FileArg, json: bool) -> Result<(), CommandError> {
    let profiles = file.load()?;
    let profile = profiles.select(name).map_err(library)?;
    let mut shown = value(profile);
    if profile.authentication().needs_secret() {
        let (place, is_there) = secret_of(profile)?;
        shown["secret"] = json!(place);
        shown["secretIsThere"] = is_there;
    }
    print(&shown, json)
}

/// Where the secret is, and whether it is there; a text when that cannot be told.
fn secret_of(profile: &Profile) -> Result<(String, Value), CommandError> {
    Ok(match profile.secret() {
        SecretPlace::Kept(store) => {
            let place = kept(*store, &Slot::of(profile))?;
            let is_there = match place.is_there() {
                Ok(is_there) => json!(is_there),
                Err(error) => json!(format!("unknown: {error}")),
            };
            (format!("in {place}"), is_there)
        }
        SecretPlace::Variable(name) => {
            let is_there = std::env::var_os(name).is_some_and(|value| !value.is_empty());
            (
                format!("in the environment variable {name}"),
                json!(is_there),
            )
        }
        SecretPlace::File(path) => (format!("in {}", path.display()), json!(path.exists())),
        SecretPlace::Command(command) => (
            format!("printed by `{}`", command.name()),
            json!("unknown: the program was not run"),
        ),
    })
}

/// The secret goes along: it is kept under the profile's name.
fn rename(name: &str, to: &str) -> Result<(), CommandError> {
    let failed =
        |error: &CredentialError| CommandError::usage(chain(error)).maybe_hint(error.hint());
    let to = ProfileName::parse(to).map_err(library)?;
    let moved = Profiles::update(&own_to_change()?, |profiles| {
        let before = profiles.select(Some(name))?.clone();
        let after = before.clone().with_name(to);
        profiles.rename(name, after.clone())?;
        let moved = move_secret(&before, &after);
        if !matches!(moved, Ok(Ok(_))) {
            profiles.rename(after.name().as_str(), before)?;
        }
        Ok(moved)
    });
    let left = moved.map_err(library)??.map_err(|error| failed(&error))?;
    if let Some(place) = left {
        place.remove().map_err(|error| failed(&error))?;
    }
    Ok(())
}

/// Keeps the secret under the new name; the place of the old one.
fn move_secret(
    before: &Profile,
    after: &Profile,
) -> Result<Result<Option<Kept>, CredentialError>, CommandError> {
    let (Some(from), Some(to)) = (forget::place(before)?, forget::place(after)?) else {
        return Ok(Ok(None));
    };
    Ok(match from.load() {
        Ok(secret) => to.keep(&secret, &mut SystemRandom).map(|()| Some(from)),
        Err(CredentialError::Absent { .. }) => Ok(None),
        Err(error) => Err(error),
    })
}

fn value(profile: &Profile) -> Value {
    let method = profile.authentication();
    let key = method.private_key();
    let own = profile.client_certificate();
    let mut value = json!({
        "name": profile.name().as_str(),
        "region": profile.region().map(Region::name),
        "tokenUrl": profile.token_url().as_str(),
        "baseUrl": profile.base_url().as_str(),
        "clientId": profile.client_id().as_str(),
        "workspace": profile.workspace().map(WorkspaceId::as_str),
        "authentication": method.word(),
        "unencoded": (*method == Authentication::BasicUnencoded).then_some(true),
        "privateKey": key.map(PrivateKey::file),
        "keyId": key.and_then(|key| key.id()),
        "scope": profile.scope(),
        "audience": profile.audience(),
        "resources": (!profile.resources().is_empty()).then_some(profile.resources()),
        "proxy": profile.proxy().map(Proxy::as_str),
        "caFile": profile.ca_file(),
        "clientCertificate": own.map(ClientCertificate::certificate),
        "clientKey": own.map(ClientCertificate::key),
        "insecure": profile.insecure().then_some(true),
        "api": profile.api().map_or_else(|| "built-in".to_owned(), |file| file.display().to_string()),
    });
    if let Some(members) = value.as_object_mut() {
        members.retain(|_, value| !value.is_null());
    }
    value
}

fn print(value: &Value, json: bool) -> Result<(), CommandError> {
    if json {
        output::data(&serde_json::to_string_pretty(value).unwrap_or_default())
    } else {
        output::data(&output::readable(value))
    }
}
