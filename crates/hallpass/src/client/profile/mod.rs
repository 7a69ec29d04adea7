//! `hallpass profile`: named connections. The profile file never holds a secret.

mod settings;

use std::io::{IsTerminal as _, Read as _};
use std::path::Path;

use clap::{Args, Subcommand};
use hallpass_client::credential_source::{CredentialSource, SecretFile};
use hallpass_client::profile::{Authentication, Profile, ProfileError, ProfileName, Proxy};
use hallpass_client::profiles::{Existing, Profiles};
use hallpass_client::send::Client;
use hallpass_oauth::Secret;
use serde_json::{Value, json};

use self::settings::SettingsArgs;
use crate::client::{config_directory, data_directory, library, options};
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
    /// Add a profile; its secret is asked for and kept in a file for you only
    Add(AddArgs),
    /// List the profiles
    List {
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a profile
    Show {
        /// Its name [default: the current one]
        name: Option<String>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Make a profile the current one
    Use {
        /// Its name
        name: String,
    },
    /// Remove a profile, its secret and its cached token
    Remove {
        /// Its name
        name: String,
    },
}

#[derive(Debug, Args)]
struct AddArgs {
    /// Its name
    name: String,
    #[command(flatten)]
    settings: SettingsArgs,
    /// Read the client secret from FILE, or from standard input with `-`, instead of asking for it
    #[arg(long, value_name = "FILE")]
    secret_file: Option<String>,
    /// Replace a profile of the same name
    #[arg(long)]
    replace: bool,
}

/// Runs one command.
pub(crate) fn run(args: ProfileArgs) -> Result<(), CommandError> {
    match args.command {
        ProfileCommand::Add(args) => add(&args),
        ProfileCommand::List { json } => list(json),
        ProfileCommand::Show { name, json } => show(name.as_deref(), json),
        ProfileCommand::Use { name } => {
            Profiles::update(&config_directory()?, |profiles| profiles.use_profile(&name))
                .map_err(library)
        }
        ProfileCommand::Remove { name } => remove(&name),
    }
}

fn add(args: &AddArgs) -> Result<(), CommandError> {
    let usage = |error: &dyn std::error::Error| CommandError::usage(chain(error));
    let name = ProfileName::parse(&args.name).map_err(library)?;
    // Nothing is below the root that was not absolute before.
    let profile = args
        .settings
        .settings()?
        .read(name.clone(), Path::new("/"))
        .map_err(library)?;
    if let Some(file) = profile.api() {
        crate::definition::load(Some(file))?;
    }
    let existing = if args.replace {
        Existing::Replace
    } else {
        Existing::Keep
    };
    let directory = config_directory()?;
    // Refused before the secret is asked for, so that nobody types it in vain.
    Profiles::load(&directory)
        .and_then(|mut profiles| profiles.add(profile.clone(), existing))
        .map_err(not_added)?;
    let secret = read_secret(args.secret_file.as_deref())?;
    let file = SecretFile::new(&data_directory()?, &name);
    // The secret is kept in the same step as the profile: of two that add one name at a time, one
    // gets both.
    let (replaced, stored) = Profiles::update(&directory, |profiles| {
        let before = profiles.iter().find(|known| *known.name() == name).cloned();
        profiles.add(profile, existing)?;
        Ok((before, file.store(&secret)))
    })
    .map_err(not_added)?;
    stored.map_err(|error| usage(&error).maybe_hint(error.hint()))?;
    if let Some(replaced) = replaced {
        forget_token(&replaced, &file)?;
    }
    output::words(&format!(
        "The secret is kept in {}, which only you can read; anybody who can act as you can read it too.",
        file.path().display()
    ));
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

fn read_secret(file: Option<&str>) -> Result<Secret, CommandError> {
    let text = match file {
        Some("-") => {
            let mut text = String::new();
            std::io::stdin()
                .read_to_string(&mut text)
                .map_err(|error| {
                    CommandError::usage(format!(
                        "the secret cannot be read from standard input: {error}"
                    ))
                })?;
            text
        }
        Some(path) => std::fs::read_to_string(path).map_err(|error| {
            CommandError::usage(format!("the secret cannot be read from {path}: {error}"))
        })?,
        None if std::io::stdin().is_terminal() => rpassword::prompt_password("Client secret: ")
            .map_err(|error| CommandError::usage(format!("the secret cannot be read: {error}")))?,
        None => {
            return Err(CommandError::usage("there is no terminal to ask for the client secret")
                .hint("name a file with --secret-file FILE, or pipe the secret in with --secret-file -"));
        }
    };
    let secret = text.trim();
    if secret.is_empty() {
        return Err(CommandError::usage("the client secret is empty"));
    }
    Ok(Secret::from(secret.to_owned()))
}

fn list(json: bool) -> Result<(), CommandError> {
    let profiles = Profiles::load(&config_directory()?).map_err(library)?;
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

fn show(name: Option<&str>, json: bool) -> Result<(), CommandError> {
    let profiles = Profiles::load(&config_directory()?).map_err(library)?;
    let profile = profiles.select(name).map_err(library)?;
    let file = SecretFile::new(&data_directory()?, profile.name()).path();
    let mut shown = value(profile);
    shown["secret"] = if file.exists() {
        json!(format!("in {}", file.display()))
    } else {
        json!("none stored")
    };
    print(&shown, json)
}

fn remove(name: &str) -> Result<(), CommandError> {
    let removed = Profiles::update(&config_directory()?, |profiles| profiles.remove(name))
        .map_err(library)?;
    let file = SecretFile::new(&data_directory()?, removed.name());
    forget_token(&removed, &file)?;
    file.remove()
        .map_err(|error| CommandError::usage(chain(&error)))?;
    Ok(())
}

/// A profile that is gone or replaced must not leave a living token behind.
fn forget_token(profile: &Profile, file: &SecretFile) -> Result<(), CommandError> {
    let credential = CredentialSource::SecretFile(file.clone());
    let client = Client::new(profile.clone(), credential, &options())?;
    client.tokens().forget().map_err(library)?;
    Ok(())
}

fn value(profile: &Profile) -> Value {
    let method = profile.authentication();
    let key = method.private_key();
    let own = profile.client_certificate();
    let mut value = json!({
        "name": profile.name().as_str(),
        "region": profile.region().map(|region| region.name()),
        "tokenUrl": profile.token_url().as_str(),
        "baseUrl": profile.base_url().as_str(),
        "clientId": profile.client_id().as_str(),
        "workspace": profile.workspace().map(|workspace| workspace.as_str()),
        "authentication": method.word(),
        "unencoded": (*method == Authentication::BasicUnencoded).then_some(true),
        "privateKey": key.map(|key| key.file()),
        "keyId": key.and_then(|key| key.id()),
        "scope": profile.scope(),
        "audience": profile.audience(),
        "resources": (!profile.resources().is_empty()).then_some(profile.resources()),
        "proxy": profile.proxy().map(Proxy::as_str),
        "caFile": profile.ca_file(),
        "clientCertificate": own.map(|own| own.certificate()),
        "clientKey": own.map(|own| own.key()),
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
