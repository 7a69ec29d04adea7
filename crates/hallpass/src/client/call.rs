//! `hallpass call`: walk 3, from typed arguments to a rendered answer.

mod dry_run;
mod refusal;
mod values;

use clap::Args;
use hallpass_client::Client;
use hallpass_openapi::{BuiltRequest, Chosen, RequestError};

use crate::client::ConnectionArgs;
use crate::client::answer::{AnswerArgs, send};
use crate::command::CommandError;
use crate::definition::Known;
use crate::output;

pub(crate) use values::{SendingArgs, ValueArgs};

/// Call an operation of the profile's API definition by its name
///
/// Values are written NAME=VALUE, for parameters and for properties of the body alike. A dotted name
/// leads into objects and lists (limits.most=4, hosts.0.name=a), a name that takes a list may be
/// repeated, NAME:=JSON gives a value as JSON, NAME=@FILE takes it from a file. Where several things
/// have one name, query.NAME, path.NAME, header.NAME, cookie.NAME and body.NAME say which. A backslash
/// takes the meaning from a sign: `\.` and `\=` in names, `\@` at the beginning of a value.
#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// Operation: its operationId in any case, or the beginning of it
    operation: String,
    #[command(flatten)]
    values: ValueArgs,
    #[command(flatten)]
    sending: SendingArgs,
    #[command(flatten)]
    answer: AnswerArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs `hallpass call`.
pub(crate) async fn call(args: CallArgs) -> Result<(), CommandError> {
    let client = args
        .connection
        .connect_with(|options| args.sending.apply(options))?;
    let known = open(&client, &args.connection)?;
    let position = known.find(&args.operation)?;
    let chosen = known.operation(position)?;
    let request = chosen
        .definition()
        .request(chosen.operation(), &args.values.read()?)
        .map_err(|error| wrong_values(&error))?;
    let (sending, answer) = (&args.sending, &args.answer);
    send_or_show(
        &client,
        &args.connection,
        request,
        Some(&chosen),
        sending,
        answer,
    )
    .await
}

/// The definition of the client's profile.
pub(crate) fn open(client: &Client, connection: &ConnectionArgs) -> Result<Known, CommandError> {
    let known = Known::open(client.profile().api())?;
    if connection.verbose {
        known.tell_remark();
    }
    Ok(known)
}

/// Sends the request and renders the answer, or only shows what would be sent.
pub(crate) async fn send_or_show(
    client: &Client,
    connection: &ConnectionArgs,
    request: BuiltRequest,
    about: Option<&Chosen>,
    sending: &SendingArgs,
    answer: &AnswerArgs,
) -> Result<(), CommandError> {
    if sending.dry_run {
        return dry_run::print(&client.preview(&request)?, answer.asks_for_json());
    }
    let path = request.path_and_query.clone();
    let properties = about.map(|one| one.definition().item_properties(one.operation()));
    let properties = properties.unwrap_or_default();
    let sent = send(client, connection, request, answer, properties).await;
    let told = sent.map_err(|error| match about {
        Some(about) => refusal::explained(error, client.profile().api(), about, &path),
        None => error,
    });
    told.inspect_err(|error| {
        if let (true, Some(body)) = (sending.fail_with_body, error.refused_body()) {
            // What cannot be printed is not worth another error beside the one there is.
            let _ = output::bytes(body);
        }
    })
}

/// What is wrong with the values, and that it could be tried nevertheless.
pub(crate) fn wrong_values(error: &RequestError) -> CommandError {
    let hint = error
        .could_be_sent()
        .then(|| "`--no-check` sends it as it is, and the server decides".to_owned());
    CommandError::usage(error.to_string()).maybe_hint(hint)
}
