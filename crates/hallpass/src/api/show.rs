//! `hallpass api show`: what an operation takes and answers, and what it asks of whoever calls it.

mod example;
mod json;
mod words;

use std::path::Path;

use clap::Args;
use hallpass_access::{OperationPermissions, Requirement};
use hallpass_openapi::{Chosen, Definition, Entry, Marks, Operation, Parameter, Shape};
use serde_json::Value;

use crate::command::CommandError;
use crate::definition::{ApiArg, Way};
use crate::output;

/// Describe an operation: parameters, body, answers, and the permission it needs
#[derive(Debug, Args)]
pub(crate) struct ShowArgs {
    /// Operation: its operationId in any case, or the beginning of it
    operation: String,
    /// How many layers of fields to open
    #[arg(long, value_name = "NUMBER", default_value_t = 3)]
    depth: usize,
    #[command(flatten)]
    api: ApiArg,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &ShowArgs) -> Result<(), CommandError> {
    let known = args.api.open()?;
    let position = known.find(&args.operation)?;
    // The permission follows from all paths together, so it is derived before they are let go.
    let permission = permission(known.index().entries(), position);
    let chosen = known.operation(position)?;
    let told = Told::of(&chosen, permission, args);
    if args.json {
        let told = json::value(&told);
        output::data(&serde_json::to_string_pretty(&told).unwrap_or_default())
    } else {
        output::data(&words::text(&told))
    }
}

/// Everything that is told about an operation.
struct Told<'a> {
    operation: &'a Operation,
    /// `None` when any role in the workspace will do.
    permission: Option<String>,
    parameters: Vec<(&'a Parameter, Shape)>,
    bodies: Vec<(&'a str, Shape)>,
    answers: Vec<Answer<'a>>,
    marks: Marks,
    call: String,
    /// What must be done once before it, when no profile has the definition.
    before: Option<String>,
}

struct Answer<'a> {
    status: &'a str,
    description: &'a str,
    shape: Option<Shape>,
}

impl<'a> Told<'a> {
    fn of(chosen: &'a Chosen, permission: Option<String>, args: &ShowArgs) -> Self {
        let (definition, operation) = (chosen.definition(), chosen.operation());
        let (options, before) = match args.api.way() {
            Way::Options(options) => (options, None),
            Way::NoProfile(file) => (Vec::new(), Some(add(&file))),
        };
        let depth = args.depth;
        let parameters = operation.parameters().iter();
        let bodies = operation.bodies().iter();
        let answers = operation.responses().iter();
        Self {
            operation,
            permission,
            parameters: parameters
                .map(|one| (one, definition.shape(&one.schema, 0)))
                .collect(),
            bodies: bodies
                .map(|one| (&*one.media_type, definition.shape(&one.schema, depth)))
                .collect(),
            answers: answers
                .map(|(status, schema)| Answer {
                    status,
                    description: description(definition, operation, status),
                    shape: schema
                        .as_ref()
                        .map(|schema| definition.shape(schema, depth)),
                })
                .collect(),
            marks: definition.marks(operation),
            call: example::call(definition, operation, &options),
            before,
        }
    }
}

/// The command that makes a definition known to calls.
fn add(file: &Path) -> String {
    let file = file.display().to_string();
    format!("hallpass api add {}", output::shell_word(&file))
}

/// The words beside a status.
fn description<'a>(definition: &'a Definition, operation: &Operation, status: &str) -> &'a str {
    let own = definition.document().pointer(operation.pointer());
    let answer = own.and_then(|own| own.get("responses")?.get(status));
    let answer = answer.map(|answer| definition.resolve(answer));
    let text = answer.and_then(|answer| answer.get("description")?.as_str());
    text.unwrap_or_default()
}

fn permission(entries: &[Entry], position: usize) -> Option<String> {
    let operations = entries.iter().map(|entry| (entry.method(), entry.path()));
    match OperationPermissions::of(operations).requirement(position) {
        Requirement::Permission(permission) => Some(permission.to_string()),
        Requirement::AnyRole => None,
    }
}

/// A value as it is typed: a text without quotes.
fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
