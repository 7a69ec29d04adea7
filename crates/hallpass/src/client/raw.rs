//! `hallpass get`, `post`, `put`, `patch` and `delete`: the same machinery by path.
//!
//! A path that the profile's definition knows is typed and checked by its operation. Of any other,
//! values are query parameters, or members of a JSON body where the method is one of POST, PUT and
//! PATCH.

use clap::Args;
use hallpass_client::Client;
use hallpass_openapi::{Argument, BuiltRequest, Chosen, Operation, Route, Values};
use http::Method;
use percent_encoding::percent_decode_str;

use crate::client::ConnectionArgs;
use crate::client::answer::AnswerArgs;
use crate::client::call::{SendingArgs, ValueArgs, open, send_or_show, wrong_values};
use crate::command::CommandError;

/// A path and what to send to it.
#[derive(Debug, Args)]
pub(crate) struct RawArgs {
    /// Path, such as /api/v1/storage-systems, with a query if need be
    path: String,
    #[command(flatten)]
    values: ValueArgs,
    #[command(flatten)]
    sending: SendingArgs,
    #[command(flatten)]
    answer: AnswerArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// Runs the command of this method.
pub(crate) async fn run(method: Method, args: RawArgs) -> Result<(), CommandError> {
    let client = args
        .connection
        .connect_with(|options| args.sending.apply(options))?;
    let path = below_base(&client, &args.path)?;
    let values = args.values.read()?;
    let known = operation(&client, &args, &method, &path)?;
    let request = match &known {
        Some((chosen, path_values)) => by_operation(chosen, path_values, &path, values)?,
        None => {
            BuiltRequest::untyped(method, &path, &values).map_err(|error| wrong_values(&error))?
        }
    };
    let about = known.as_ref().map(|(chosen, _)| chosen);
    let (sending, answer) = (&args.sending, &args.answer);
    send_or_show(&client, &args.connection, request, about, sending, answer).await
}

type PathValues = Vec<(String, String)>;

/// The operation that the path leads to, and its parameters there. What is sent unchecked does not
/// need the definition, so a broken one is in nobody's way then.
fn operation(
    client: &Client,
    args: &RawArgs,
    method: &Method,
    path_and_query: &str,
) -> Result<Option<(Chosen, PathValues)>, CommandError> {
    let known = match open(client, &args.connection) {
        Err(_) if !args.values.checked() => return Ok(None),
        known => known?,
    };
    let path = path_and_query.split('?').next().unwrap_or_default();
    match known.index().route(method, path) {
        Route::Found { operation, path } => Ok(Some((known.operation(operation)?, path))),
        Route::WrongMethod { .. } | Route::Unknown => Ok(None),
    }
}

/// The request as the operation builds it, but with the path as it was typed. Parameters that the
/// operation knows in the typed query are checked with the others; what else stands there is sent as
/// it is.
fn by_operation(
    chosen: &Chosen,
    path_values: &PathValues,
    typed: &str,
    mut values: Values,
) -> Result<BuiltRequest, CommandError> {
    let (path, query) = typed.split_once('?').unwrap_or((typed, ""));
    let mut unknown = Vec::new();
    for (name, value) in path_values {
        values.arguments.push(Argument::placed("path", name, value));
    }
    for pair in query.split('&').filter(|pair| !pair.is_empty()) {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        match (decoded(name), decoded(value)) {
            (Some(name), Some(value)) if takes(chosen.operation(), &name) => {
                values
                    .arguments
                    .push(Argument::placed("query", &name, &value));
            }
            _ => unknown.push(pair),
        }
    }
    let mut request = chosen
        .definition()
        .request(chosen.operation(), &values)
        .map_err(|error| wrong_values(&error))?;
    let built = request
        .path_and_query
        .split_once('?')
        .map_or("", |(_, query)| query);
    let query: Vec<&str> = unknown
        .into_iter()
        .chain(Some(built).filter(|one| !one.is_empty()))
        .collect();
    let mark = if query.is_empty() { "" } else { "?" };
    request.path_and_query = format!("{path}{mark}{}", query.join("&"));
    Ok(request)
}

/// Whether the operation has a plain parameter of this name in its query: what is written out for a
/// list or an object in one of their styles is not taken apart again.
fn takes(operation: &Operation, name: &str) -> bool {
    operation.parameters().iter().any(|one| {
        one.location == hallpass_openapi::Location::Query
            && one.name == name
            && one.content.is_none()
            && !matches!(
                one.schema.get("type").and_then(|kind| kind.as_str()),
                Some("array" | "object")
            )
    })
}

fn decoded(text: &str) -> Option<String> {
    let text = text.replace('+', " ");
    Some(percent_decode_str(&text).decode_utf8().ok()?.into_owned())
}

/// The path below the base URL: as it was typed, or what a whole address adds to the base.
fn below_base(client: &Client, typed: &str) -> Result<String, CommandError> {
    let base = client.profile().base_url().as_str();
    if typed.starts_with('/') {
        return Ok(typed.to_owned());
    }
    if !typed.contains("://") {
        let message = format!("`{typed}` is no path: it does not begin with a slash");
        return Err(CommandError::usage(message).hint(format!("did you mean /{typed}?")));
    }
    match typed.strip_prefix(base) {
        Some("") => Ok("/".to_owned()),
        Some(path) if path.starts_with('/') => Ok(path.to_owned()),
        Some(query) if query.starts_with('?') => Ok(format!("/{query}")),
        _ => Err(CommandError::usage(format!(
            "{typed} is not below the profile's base URL {base}, and the token is for that only"
        ))
        .hint("write the path alone, or choose the profile of that address with --profile")),
    }
}
