//! `hallpass collection`: the profile's API for Postman, newman and others.
//!
//! The tree of requests is the `openapi` crate's; what is about tokens is added here.

mod authorization;

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use hallpass_client::profile::Profile;
use hallpass_openapi::collection::{BASE_URL, CollectionSettings, Variable, environment};
use hallpass_openapi::{Definition, Operation};
use serde_json::Value;

use crate::client::ConnectionArgs;
use crate::command::{CommandError, Exit};
use crate::output;

/// The API as a Postman collection
#[derive(Debug, Args)]
pub(crate) struct CollectionArgs {
    #[command(subcommand)]
    command: CollectionCommand,
}

#[derive(Debug, Subcommand)]
enum CollectionCommand {
    Export(ExportArgs),
}

/// Write the profile's API definition as a Postman collection (format 2.1)
///
/// Every request inherits one authorization, OAuth 2.0 with client credentials. Optional parameters are
/// there but off; required ones and bodies have values from examples. The client secret is never
/// written: type it into the variable clientSecret. The same definition gives the same file, so that
/// two exports can be compared.
#[derive(Debug, Args)]
struct ExportArgs {
    /// File for the collection; without one, or with -, it goes to standard output
    file: Option<PathBuf>,
    /// File for an environment with the profile's addresses and client id
    #[arg(long, value_name = "FILE")]
    environment: Option<PathBuf>,
    /// Take only this operation; may be repeated
    #[arg(long = "operation", value_name = "OPERATION")]
    operations: Vec<String>,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs the command.
pub(crate) fn run(args: CollectionArgs) -> Result<(), CommandError> {
    match args.command {
        CollectionCommand::Export(args) => export(&args),
    }
}

fn export(args: &ExportArgs) -> Result<(), CommandError> {
    let client = args.connection.connect()?;
    let profile = client.profile();
    let definition = crate::definition::load(profile.api())?.definition;
    let operations = chosen(&definition, &args.operations)?;
    let settings = settings(profile);
    let collection = definition.collection(&operations, &settings);
    if let Some(file) = &args.environment {
        let name = format!("{} ({})", definition.title(), profile.name());
        write(file, &environment(&name, &settings.variables))?;
        output::words(&format!(
            "wrote the environment to {}: put the client secret into its variable {}",
            file.display(),
            authorization::CLIENT_SECRET,
        ));
    }
    let Some(file) = args.file.as_deref().filter(|file| file.as_os_str() != "-") else {
        return output::data(&pretty(&collection));
    };
    write(file, &collection)?;
    let count = operations.len();
    output::words(&format!("wrote {count} requests to {}", file.display()));
    Ok(())
}

/// All operations, or those that were named, each once and in the order of the definition.
fn chosen<'a>(
    definition: &'a Definition,
    names: &[String],
) -> Result<Vec<&'a Operation>, CommandError> {
    let mut chosen = Vec::new();
    for name in names {
        chosen.push(crate::definition::operation(definition, name)?.index());
    }
    let is_chosen = |one: &&Operation| names.is_empty() || chosen.contains(&one.index());
    Ok(definition.operations().iter().filter(is_chosen).collect())
}

fn settings(profile: &Profile) -> CollectionSettings {
    CollectionSettings {
        description: authorization::WORDS.to_owned(),
        auth: Some(authorization::auth(profile)),
        before_each_request: authorization::script(profile),
        after_each_request: authorization::AFTERWARDS.map(str::to_owned).to_vec(),
        variables: vec![
            Variable::open(BASE_URL, profile.base_url().as_str()),
            Variable::open(authorization::TOKEN_URL, profile.token_url().as_str()),
            Variable::open(authorization::CLIENT_ID, profile.client_id().as_str()),
            Variable::secret(authorization::CLIENT_SECRET),
        ],
    }
}

fn write(file: &Path, value: &Value) -> Result<(), CommandError> {
    std::fs::write(file, pretty(value) + "\n").map_err(|error| {
        let what = format!("{} cannot be written", file.display());
        CommandError::caused(Exit::Usage, &what, &error)
    })
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}
