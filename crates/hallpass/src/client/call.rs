//! `hallpass call` and `hallpass get`: walk 3, from typed arguments to a rendered answer.

use std::io::Read as _;

use clap::Args;
use hallpass_openapi::{Argument, BuiltRequest, Definition, LookupError, Values};
use http::Method;
use serde_json::Value;

use crate::client::ConnectionArgs;
use crate::client::answer::{AnswerArgs, send};
use crate::command::{CommandError, chain};

/// Call an operation of the profile's API definition by its name
///
/// Values are written name=value, for parameters and for properties of the body alike; a name that
/// takes a list may be repeated.
#[derive(Debug, Args)]
pub(crate) struct CallArgs {
    /// Operation: its operationId in any case, or the beginning of it
    operation: String,
    /// Parameters and body properties
    #[arg(value_name = "NAME=VALUE", value_parser = name_and_value)]
    values: Vec<(String, String)>,
    /// Body: JSON text, @FILE, or - for standard input
    #[arg(long, value_name = "JSON")]
    data: Option<String>,
    #[command(flatten)]
    answer: AnswerArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

/// GET a path of the profile's API
#[derive(Debug, Args)]
pub(crate) struct GetArgs {
    /// Path, such as /api/v1/storage-systems
    path: String,
    /// Query parameters
    #[arg(value_name = "NAME=VALUE", value_parser = name_and_value)]
    values: Vec<(String, String)>,
    #[command(flatten)]
    answer: AnswerArgs,
    #[command(flatten)]
    connection: ConnectionArgs,
}

fn name_and_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write it as NAME=VALUE".to_owned()),
    }
}

/// Runs `hallpass call`.
pub(crate) async fn call(args: CallArgs) -> Result<(), CommandError> {
    let client = args.connection.connect()?;
    let definition = crate::definition::load(client.profile().api())?.definition;
    let body = args.data.as_deref().map(read_body).transpose()?;
    let request = build(
        &definition,
        &args.operation,
        &Values::new(literal(&args.values)).with_body(body),
    )?;
    send(&client, request, &args.answer).await
}

fn literal(values: &[(String, String)]) -> Vec<Argument> {
    let values = values.iter();
    values
        .map(|(name, value)| Argument::literal(name, value))
        .collect()
}

/// Runs `hallpass get`.
pub(crate) async fn get(args: GetArgs) -> Result<(), CommandError> {
    let client = args.connection.connect()?;
    if !args.path.starts_with('/') {
        return Err(CommandError::usage(format!("`{}` is no path", args.path))
            .hint("write it with the slash, such as /api/v1/storage-systems"));
    }
    let mut path_and_query = args.path;
    for (name, value) in &args.values {
        let mark = if path_and_query.contains('?') {
            '&'
        } else {
            '?'
        };
        path_and_query.push(mark);
        path_and_query.push_str(&encode(name));
        path_and_query.push('=');
        path_and_query.push_str(&encode(value));
    }
    let request = BuiltRequest {
        method: Method::GET,
        path_and_query,
        headers: Vec::new(),
        body: None,
    };
    send(&client, request, &args.answer).await
}

fn encode(text: &str) -> String {
    percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Builds the request of an operation.
pub(crate) fn build(
    definition: &Definition,
    operation: &str,
    values: &Values,
) -> Result<BuiltRequest, CommandError> {
    let operation = definition
        .operation(operation)
        .map_err(|error: LookupError| {
            CommandError::usage(chain(&error)).hint(format!(
                "some of the {} operations of this definition: {}",
                definition.operations().len(),
                some_operations(definition)
            ))
        })?;
    definition
        .request(operation, values)
        .map_err(|error| CommandError::usage(chain(&error)))
}

/// The names of the operations that need nothing: a place to start from.
fn some_operations(definition: &Definition) -> String {
    let simple = definition
        .operations()
        .iter()
        .filter(|operation| operation.method() == Method::GET && !operation.path().contains('{'))
        .map(hallpass_openapi::Operation::id);
    simple.take(12).collect::<Vec<_>>().join(", ")
}

fn read_body(text: &str) -> Result<Vec<u8>, CommandError> {
    let (name, text) = match text.strip_prefix('@') {
        Some(file) => {
            let read = std::fs::read_to_string(file);
            let text = read.map_err(|error| {
                CommandError::usage(format!("the body cannot be read from {file}: {error}"))
            })?;
            (file, text)
        }
        None if text == "-" => {
            let mut read = String::new();
            std::io::stdin()
                .read_to_string(&mut read)
                .map_err(|error| {
                    CommandError::usage(format!(
                        "the body cannot be read from standard input: {error}"
                    ))
                })?;
            ("standard input", read)
        }
        None => ("--data", text.to_owned()),
    };
    match serde_json::from_str::<Value>(&text) {
        Ok(_) => Ok(text.into_bytes()),
        Err(error) => {
            let message = format!("the body in {name} is no JSON: {error}");
            Err(CommandError::usage(message))
        }
    }
}
