//! What a command does with the API's answer: reads the list to its end, waits for the task, prints.

use std::time::Duration;

use clap::{Args, ValueEnum};
use hallpass_client::response::Response;
use hallpass_client::send::Client;
use hallpass_client::task::{Task, Waiting, task_id};
use hallpass_openapi::BuiltRequest;
use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::command::CommandError;
use crate::output;

/// What to do with the answer.
#[derive(Debug, Args)]
pub(crate) struct AnswerArgs {
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

/// Sends the request and renders what comes back.
pub(crate) async fn send(
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
