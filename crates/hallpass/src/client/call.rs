//! `hallpass call` and `hallpass get`: walk 3, from typed arguments to a rendered answer.

use std::io::Read as _;
use std::time::Duration;

use clap::{Args, ValueEnum};
use hallpass_client::response::Response;
use hallpass_client::send::Client;
use hallpass_client::task::{Task, Waiting, task_id};
use hallpass_openapi::{BuiltRequest, Definition, LookupError, Values};
use http::Method;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::client::ConnectionArgs;
use crate::command::{CommandError, chain};
use crate::output;

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

/// What to do with the answer.
#[derive(Debug, Args)]
struct AnswerArgs {
    /// Read a list to its end, page by page
    #[arg(long, conflicts_with = "wait")]
    all: bool,
    /// Wait until the task that the call starts has ended; print the task
    #[arg(long)]
    wait: bool,
    /// How long --wait waits, in seconds
    #[arg(long, value_name = "SECONDS", default_value_t = 600,
          value_parser = clap::value_parser!(u64).range(1..=86_400))]
    timeout: u64,
    /// Form of the answer
    #[arg(long, short, value_enum, default_value_t = Format::Json)]
    output: Format,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Format {
    Json,
    Table,
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
        &Values {
            named: args.values,
            body,
        },
    )?;
    send(&client, request, &args.answer).await
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

fn read_body(text: &str) -> Result<Value, CommandError> {
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
    serde_json::from_str(&text)
        .map_err(|error| CommandError::usage(format!("the body in {name} is no JSON: {error}")))
}

async fn send(
    client: &Client,
    request: BuiltRequest,
    args: &AnswerArgs,
) -> Result<(), CommandError> {
    if args.all {
        let items = client.all_items(request).await?;
        return print(
            &json!({ "items": items, "total": items.len() }),
            args.output,
        );
    }
    let response = client.send(&request).await?.success()?;
    if args.wait
        && let Some(id) = started_task(&response)
    {
        return follow(client, &id, args).await;
    }
    match response.json() {
        Ok(body) => print(&body, args.output),
        Err(_) => output::bytes(response.body()),
    }
}

/// Waits for a task to end and prints it as it was last seen, whatever became of it.
async fn follow(client: &Client, id: &str, args: &AnswerArgs) -> Result<(), CommandError> {
    let waiting = Waiting::at_most(Duration::from_secs(args.timeout));
    let bar = progress_bar();
    let mut last = None;
    let outcome = client
        .wait_for_task(id, waiting, |task| {
            advance(&bar, task);
            last = Some(task.as_json().clone());
        })
        .await;
    bar.finish_and_clear();
    if let Some(task) = last {
        print(&task, args.output)?;
    }
    match outcome?.success() {
        Ok(_) => Ok(()),
        Err(failure) => Err(crate::client::library(failure)
            .hint(format!("look at the task: hallpass get /api/v1/tasks/{id}"))),
    }
}

fn started_task(response: &Response) -> Option<String> {
    (response.status() == http::StatusCode::ACCEPTED)
        .then(|| task_id(&response.json().ok()?))
        .flatten()
}

/// A bar on stderr; draws nothing when that is no terminal.
pub(crate) fn progress_bar() -> ProgressBar {
    let bar = ProgressBar::new(100);
    if let Ok(style) = ProgressStyle::with_template("    {bar:30} {pos:>3} %  {msg}") {
        bar.set_style(style);
    }
    bar
}

/// Shows how far a task is.
pub(crate) fn advance(bar: &ProgressBar, task: &Task) {
    bar.set_position(task.progress().unwrap_or_default().into());
    bar.set_message(format!(
        "{} {}",
        output::printable(task.name()),
        task.state_word()
    ));
}

fn print(body: &Value, format: Format) -> Result<(), CommandError> {
    match format {
        Format::Json => output::data(&serde_json::to_string_pretty(body).unwrap_or_default()),
        Format::Table => output::data(&output::readable(body)),
    }
}
