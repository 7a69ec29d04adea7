//! `hallpass credential`: one's API credentials on a server elsewhere, over its REST API (domain facts,
//! section 3.6). A secret that comes back goes straight into a profile's key store, or is printed once.

mod options;
mod remote;

use clap::{Args, Subcommand, ValueEnum};
use hallpass_client::Client;
use hallpass_oauth::Secret;
use serde_json::{Value, json};

use crate::admin::typed::{Period, Typed};
use crate::client::ConnectionArgs;
use crate::client::profile::{NewProfile, StoreArgs};
use crate::command::CommandError;
use crate::output;
use crate::serve::system_time;
use options::OptionArgs;
use remote::{Credential, Instance, Remote};

/// Manage your API credentials on a server, over its REST API
///
/// The profile must be one of the platform itself: made from a credential for the instance `global`,
/// with the address of the console as base URL. A credential is named by its client id, or by its name.
#[derive(Debug, Args)]
pub(crate) struct CredentialArgs {
    #[command(subcommand)]
    command: CredentialCommand,
}

#[derive(Debug, Subcommand)]
enum CredentialCommand {
    /// List your credentials
    List(ListArgs),
    /// Show a credential
    Show(OneArgs),
    /// Make a credential; its secret is told once
    Create(CreateArgs),
    /// Give a credential a new secret; the old one and all its tokens stop working at once
    Reset(ResetArgs),
    /// Change when a credential ends, how long its tokens live and which scopes it may ask for
    Change(ChangeArgs),
    /// Switch a credential off; its tokens stop working at once
    Disable(OneArgs),
    /// Let a credential that was switched off get tokens again
    Enable(OneArgs),
    /// Delete a credential; its tokens stop working at once
    Delete(DeleteArgs),
}

/// How to reach the server, and how the answer is shown.
#[derive(Debug, Args)]
struct ShownArgs {
    /// Form of the answer
    #[arg(long, short, value_enum, default_value_t = Form::Table)]
    output: Form,
    /// Print JSON, as `-o json` does
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: ConnectionArgs,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Form {
    Table,
    Json,
}

/// Whose credentials.
#[derive(Debug, Args)]
struct OwnerArgs {
    /// Those of this person, or of `all` in your workspace, if you may govern it [default: yours]
    #[arg(long, value_name = "EMAIL")]
    owner: Option<String>,
}

#[derive(Debug, Args)]
struct ListArgs {
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    shown: ShownArgs,
}

#[derive(Debug, Args)]
struct OneArgs {
    /// Client id, or name
    credential: String,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    shown: ShownArgs,
}

#[derive(Debug, Args)]
struct CreateArgs {
    /// A short name
    name: String,
    /// Application instance it is for, by name (us1) or id; `global` is the platform itself
    #[arg(long, value_name = "INSTANCE")]
    instance: String,
    /// Keep it as a profile of this name, with its secret, and print no secret
    #[arg(long, value_name = "NAME")]
    save_as: Option<String>,
    /// Base URL of that profile [default: the one that the server names for the instance]
    #[arg(long, value_name = "URL", requires = "save_as")]
    base_url: Option<String>,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    store: StoreArgs,
    #[command(flatten)]
    shown: ShownArgs,
}

/// What is not named stays.
#[derive(Debug, Args)]
struct ChangeArgs {
    /// Client id, or name
    credential: String,
    #[command(flatten)]
    options: OptionArgs,
    #[command(flatten)]
    owner: OwnerArgs,
    #[command(flatten)]
    shown: ShownArgs,
}

#[derive(Debug, Args)]
struct ResetArgs {
    /// Client id, or name
    credential: String,
    /// Let the old secret live on for that long, and its tokens too (90s, 12h, 7d)
    #[arg(long, value_name = "DURATION")]
    overlap: Option<Typed<Period>>,
    /// Keep the new secret for this profile of the same client id, and print no secret
    #[arg(long, value_name = "NAME")]
    save_as: Option<String>,
    #[command(flatten)]
    store: StoreArgs,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    shown: ShownArgs,
}

#[derive(Debug, Args)]
struct DeleteArgs {
    /// Client id, or name
    credential: String,
    #[command(flatten)]
    owner: OwnerArgs,
    /// Do not ask
    #[arg(long, short)]
    yes: bool,
    #[command(flatten)]
    shown: ShownArgs,
}

/// Runs one command.
pub(crate) async fn run(args: CredentialArgs) -> Result<(), CommandError> {
    match args.command {
        CredentialCommand::List(args) => list(&args).await,
        CredentialCommand::Show(args) => show(&args).await,
        CredentialCommand::Create(args) => create(&args).await,
        CredentialCommand::Reset(args) => reset(&args).await,
        CredentialCommand::Change(args) => change(&args).await,
        CredentialCommand::Disable(args) => switch(&args, false).await,
        CredentialCommand::Enable(args) => switch(&args, true).await,
        CredentialCommand::Delete(args) => delete(&args).await,
    }
}

async fn list(args: &ListArgs) -> Result<(), CommandError> {
    let shown = &args.shown;
    let client = shown.connection.connect()?;
    let remote = Remote::of(&client).for_owner(args.owner.owner.as_deref());
    let credentials = remote.credentials().await?;
    if shown.is_json() {
        let items: Vec<&Value> = credentials.iter().map(|one| &one.item).collect();
        return shown.print(&json!({ "items": items, "count": items.len() }));
    }
    if credentials.is_empty() {
        output::words("There are none; `hallpass credential create` makes one.");
        return Ok(());
    }
    let instances = remote.instances().await.unwrap_or_default();
    let rows = credentials.iter().map(|one| row(one, &instances));
    shown.print(&Value::Array(rows.collect()))
}

async fn show(args: &OneArgs) -> Result<(), CommandError> {
    let client = args.shown.connection.connect()?;
    let remote = Remote::of(&client).for_owner(args.owner.owner.as_deref());
    let credential = remote.credential(&args.credential).await?;
    args.shown.print_one(&remote, &credential).await
}

async fn create(args: &CreateArgs) -> Result<(), CommandError> {
    // What can be refused is refused before there is a secret that would be lost.
    let profile = args.save_as.as_deref().map(NewProfile::named).transpose()?;
    let client = args.shown.connection.connect()?;
    let remote = Remote::of(&client);
    let instance = remote.instance(&args.instance).await?;
    let base_url = args.base_url.clone().or_else(|| instance.base_url.clone());
    let profile = match profile {
        None => None,
        Some(_) if base_url.is_none() => {
            return Err(CommandError::usage(format!(
                "the server does not say where the API of {} is",
                output::printable(&args.instance)
            ))
            .hint("say it with --base-url"));
        }
        Some(profile) => Some((profile, args.store.choose()?)),
    };
    let options = args.options.members(system_time());
    let (made, secret) = remote.create(&args.name, &instance, options).await?;
    if let Some((profile, store)) = profile {
        let base_url = base_url.unwrap_or_default();
        let kept = profile.keep(&client, &made.id, &base_url, store, &secret);
        kept.map_err(|error| not_kept(&error, &made))?;
        return args.shown.print(&made.item);
    }
    let told = told(&client, made, base_url.as_deref(), &secret);
    args.shown.tell(&told)
}

async fn reset(args: &ResetArgs) -> Result<(), CommandError> {
    let client = args.shown.connection.connect()?;
    let remote = Remote::of(&client);
    let credential = remote.credential(&args.credential).await?;
    let profile = match &args.save_as {
        Some(name) => Some((
            NewProfile::known(name, &credential.id)?,
            args.store.choose()?,
        )),
        None => None,
    };
    let overlap = args.overlap.as_ref().map(|typed| typed.value.duration());
    if overlap.is_none() {
        let question = format!(
            "The secret of {} and all its tokens stop working at once. Reset it? [y/N]",
            output::printable(&credential.name)
        );
        confirm(args.yes, &question, "nothing was reset")?;
    }
    let (changed, secret) = remote.reset(&credential.id, overlap).await?;
    if let Some((profile, store)) = profile {
        let kept = profile.keep_secret(store, &secret);
        kept.map_err(|error| not_kept(&error, &changed))?;
        return args.shown.print(&changed.item);
    }
    let told = told(&client, changed, None, &secret);
    args.shown.tell(&told)
}

async fn change(args: &ChangeArgs) -> Result<(), CommandError> {
    let members = args.options.members(system_time());
    if members.is_empty() {
        return Err(CommandError::usage("it is not said what to change")
            .hint("say --expires, --lifetime or --scope"));
    }
    let client = args.shown.connection.connect()?;
    let remote = Remote::of(&client).for_owner(args.owner.owner.as_deref());
    let credential = remote.credential(&args.credential).await?;
    let changed = remote.change(&credential.id, members).await?;
    args.shown.print_one(&remote, &changed).await
}

async fn switch(args: &OneArgs, on: bool) -> Result<(), CommandError> {
    let client = args.shown.connection.connect()?;
    let remote = Remote::of(&client).for_owner(args.owner.owner.as_deref());
    let credential = remote.credential(&args.credential).await?;
    let switched = [("enabled".to_owned(), json!(on))];
    let changed = remote.change(&credential.id, switched.into_iter().collect());
    args.shown.print_one(&remote, &changed.await?).await
}

async fn delete(args: &DeleteArgs) -> Result<(), CommandError> {
    let client = args.shown.connection.connect()?;
    let remote = Remote::of(&client).for_owner(args.owner.owner.as_deref());
    let credential = remote.credential(&args.credential).await?;
    let question = format!(
        "{} is gone for good, and its tokens stop working at once. Delete it? [y/N]",
        output::printable(&credential.name)
    );
    confirm(args.yes, &question, "nothing was deleted")?;
    remote.delete(&credential.id).await?;
    if args.shown.is_json() {
        return args.shown.print(&json!({ "deleted": credential.id }));
    }
    output::words(&format!("{} is deleted.", credential.id));
    Ok(())
}

impl ShownArgs {
    fn is_json(&self) -> bool {
        self.json || self.output == Form::Json
    }

    fn print(&self, value: &Value) -> Result<(), CommandError> {
        if self.is_json() {
            output::data(&serde_json::to_string_pretty(value).unwrap_or_default())
        } else {
            output::data(&output::readable(value))
        }
    }

    /// One credential, with what it may do.
    async fn print_one(
        &self,
        remote: &Remote<'_>,
        credential: &Credential,
    ) -> Result<(), CommandError> {
        if self.is_json() {
            return self.print(&credential.item);
        }
        let instances = remote.instances().await.unwrap_or_default();
        let mut told = row(credential, &instances);
        for member in ["tokenLifetimeSeconds", "scope"] {
            told[member] = credential.item[member].clone();
        }
        self.print(&told)
    }

    /// The same for what cannot be had again.
    fn tell(&self, value: &Value) -> Result<(), CommandError> {
        self.print(value)?;
        output::words(
            "The secret is not stored and cannot be shown again: copy it to a safe place.",
        );
        Ok(())
    }
}

/// A credential in one line.
fn row(credential: &Credential, instances: &[Instance]) -> Value {
    let known = instances.iter().find(|one| one.id == credential.instance);
    let mut row = json!({
        "clientId": credential.id,
        "name": credential.name,
        "instance": known.map_or(&credential.instance, |one| &one.name),
    });
    for member in ["owner", "state", "createdAt", "lastUsedAt", "expiresAt"] {
        row[member] = credential.item[member].clone();
    }
    row
}

/// What `hallpass profile add --from` reads.
fn told(client: &Client, made: Credential, base_url: Option<&str>, secret: &Secret) -> Value {
    let mut item = made.item;
    if let Some(members) = item.as_object_mut() {
        let token_url = client.profile().token_url().as_str();
        members.insert("tokenUrl".to_owned(), json!(token_url));
        if let Some(base_url) = base_url {
            members.insert("baseUrl".to_owned(), json!(base_url));
        }
        members.insert("applicationInstanceId".to_owned(), json!(made.instance));
        members.insert("clientSecret".to_owned(), json!(secret.expose()));
    }
    item
}

/// Asks before what cannot be taken back. A script has said what it wants.
fn confirm(yes: bool, question: &str, otherwise: &str) -> Result<(), CommandError> {
    if !yes && output::ask(question) == Some(false) {
        return Err(CommandError::refused(otherwise));
    }
    Ok(())
}

/// The credential is there, and nobody has its secret.
fn not_kept(error: &CommandError, made: &Credential) -> CommandError {
    error.print();
    CommandError::new(
        error.exit(),
        format!("the secret of {} was not kept, and is lost", made.id),
    )
    .hint(format!(
        "`hallpass credential reset {}` makes another",
        made.id
    ))
}
