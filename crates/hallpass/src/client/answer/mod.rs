//! What a command does with the API's answer: reads the list to its end, waits for the task, prints.
//!
//! | Step | Module |
//! | --- | --- |
//! | the answer as the text it came as | [`text`] |
//! | `--query` | [`query`] |
//! | `--all`, `--wait` | [`list`], [`follow`] |
//! | the forms | [`render`], which asks [`pretty`], [`yaml`], [`rows`] and [`columns`] |
//! | where it goes | [`target`] |
//!
//! How the request came about and how errors look is for others to say.

mod columns;
mod follow;
mod list;
mod pretty;
mod query;
mod render;
mod rows;
mod target;
mod text;
mod yaml;

#[cfg(test)]
mod properties;

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hallpass_client::response::Response;
use hallpass_client::send::Client;
use hallpass_openapi::BuiltRequest;

use crate::client::ConnectionArgs;
use crate::command::{CommandError, Exit};
use crate::output;
pub(crate) use follow::{advance, progress_bar};
use query::Query;
use render::Renderer;
pub(crate) use rows::record as csv_record;
use text::{Json, JsonText};

/// A JSON text as YAML. `None` when it is no JSON, and when it is nested deeper than any answer is.
pub(crate) fn yaml_of(json: &str) -> Option<String> {
    let mut text = Vec::new();
    let value = JsonText::read(json.as_bytes())?.value();
    yaml::write(&mut text, &value).ok()?;
    String::from_utf8(text).ok()
}

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
    wait_timeout: u64,
    /// Form of the answer, json unless said; raw is the answer to the byte, and strings of a query
    /// without quotes
    #[arg(long, short, value_enum)]
    output: Option<Format>,
    /// Columns of a table or of CSV, such as name,health.state [default for CSV: every value; for a
    /// table: what tells most, as much as fits]
    #[arg(long, value_name = "NAME,…", value_delimiter = ',')]
    columns: Option<Vec<String>>,
    /// Print what this filter, in the language of jq, makes of the answer
    #[arg(long, value_name = "JQ")]
    query: Option<String>,
    /// Apply --query to every item of the list instead of the whole answer
    #[arg(long, requires = "query")]
    each: bool,
    /// Write the answer to a file instead of standard output; an existing file is replaced once
    /// everything has come
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    Json,
    Table,
    Yaml,
    Csv,
    Raw,
}

impl AnswerArgs {
    /// Whether JSON was asked for, and not only left at it.
    pub(crate) fn asks_for_json(&self) -> bool {
        self.output == Some(Format::Json)
    }

    fn format(&self) -> Format {
        self.output.unwrap_or(Format::Json)
    }
}

/// Sends the request and renders what comes back. What is known of it are the properties of the items
/// of the list that it is.
pub(crate) async fn send(
    client: &Client,
    connection: &ConnectionArgs,
    request: BuiltRequest,
    args: &AnswerArgs,
    item_properties: Vec<String>,
) -> Result<(), CommandError> {
    if args.columns.is_some() && !matches!(args.format(), Format::Csv | Format::Table) {
        return Err(CommandError::usage("only a table and CSV have columns")
            .hint("add `-o table` or `-o csv`, or choose values with --query"));
    }
    let query = args.query.as_deref().map(Query::compile).transpose()?;
    let mut renderer = Renderer::open(args, item_properties)?;
    let answer = Answer {
        query: query.as_ref(),
        each: args.each,
        connection: &connection.as_typed(),
    };
    let outcome = if args.all {
        list::read(client, request, &answer, &mut renderer).await
    } else {
        let response = client.send(&request).await?.success()?;
        match client.task_of(&response).filter(|_| args.wait) {
            Some(task) => follow::task(client, &task, args, &answer, &mut renderer).await,
            None => answer.render(&mut renderer, response),
        }
    };
    finish(outcome, renderer)
}

/// Ends the output. What came is kept, whatever ended it; a file is written only when all is well.
fn finish(outcome: Result<(), Failure>, renderer: Renderer) -> Result<(), CommandError> {
    match outcome.and_then(|()| renderer.finish()) {
        Ok(()) => Ok(()),
        Err(Failure::Command(error)) => Err(*error),
        // A reader that went away (`| head`) has what it wanted.
        Err(Failure::Write(error)) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        Err(Failure::Write(error)) => Err(CommandError::caused(
            Exit::Refused,
            "the answer could not be written",
            &error,
        )),
    }
}

/// How an answer is looked at.
struct Answer<'a> {
    query: Option<&'a Query>,
    each: bool,
    /// The options of another command to the same API.
    connection: &'a str,
}

impl Answer<'_> {
    /// Renders one answer, which is held once.
    fn render(&self, renderer: &mut Renderer, response: Response) -> Result<(), Failure> {
        let media_type = response.media_type();
        self.render_body(renderer, &response.into_body(), media_type.as_deref())
    }

    fn render_body(
        &self,
        renderer: &mut Renderer,
        body: &[u8],
        media_type: Option<&str>,
    ) -> Result<(), Failure> {
        let Some(text) = JsonText::read(body) else {
            if self.query.is_some() && !body.is_empty() {
                let what = "the answer is no JSON that --query could be applied to";
                return Err(misfit(what, "without --query, --save FILE keeps it").into());
            }
            return renderer.untouched(body, media_type);
        };
        let Some(query) = self.query else {
            return renderer.whole(text, body);
        };
        let value = text.value();
        if self.each {
            let items = items(&value).ok_or_else(|| {
                let what = "--each is for a list, and the answer is none";
                misfit(
                    what,
                    "without --each the filter is applied to the whole answer",
                )
            })?;
            for item in items {
                query.run(item, |found| renderer.value(found))?;
            }
        } else {
            query.run(&value, |found| renderer.value(found))?;
        }
        renderer.end_values()
    }
}

/// The answer is not what the options take it for. That shows only now, when whatever the call does
/// has been done: whoever only repeats it does it twice.
fn misfit(what: &str, hint: &str) -> CommandError {
    CommandError::refused(format!("the call was made, but {what}")).hint(hint)
}

/// The items of a list, in an envelope or without.
fn items<'a, 'b>(value: &'b Json<'a>) -> Option<&'b [Json<'a>]> {
    match value {
        Json::List(items) => Some(items),
        _ => match value.member("items")? {
            Json::List(items) => Some(items),
            _ => None,
        },
    }
}

/// Why an answer was not rendered to its end.
enum Failure {
    Command(Box<CommandError>),
    Write(io::Error),
}

impl From<CommandError> for Failure {
    fn from(error: CommandError) -> Self {
        Self::Command(Box::new(error))
    }
}

impl From<hallpass_client::error::Error> for Failure {
    fn from(error: hallpass_client::error::Error) -> Self {
        CommandError::from(error).into()
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}

/// What a person should know beside the data.
fn warn(text: &str) {
    output::words(&format!("warning: {}", output::printable(text)));
}
