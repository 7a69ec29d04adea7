//! `hallpass api coverage`: how faithfully the stand-in answers each operation.

use std::fmt::Write as _;
use std::sync::Arc;

use clap::{Args, ValueEnum};
use hallpass_openapi::Operation;
use hallpass_resource_server::level;
use hallpass_sandbox::{Level, Sandbox, Settings};
use serde_json::{Value, json};

use crate::client::answer::csv_record;
use crate::command::CommandError;
use crate::definition::ApiArg;
use crate::output;

/// Show how `hallpass serve` answers each operation
///
/// stateful: by rules written for it; what is changed shows everywhere. generic: by what the definition tells;
/// objects are created, listed, edited and deleted, each on its own. refused: with status 501, and the reason.
/// The counts go to stderr.
#[derive(Debug, Args)]
pub(crate) struct CoverageArgs {
    /// Only operations of this level
    #[arg(long, value_enum, value_name = "LEVEL")]
    level: Option<Wanted>,
    /// Form of the list
    #[arg(long, short, value_enum, default_value_t = Form::Table)]
    output: Form,
    #[command(flatten)]
    api: ApiArg,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Wanted {
    Stateful,
    Generic,
    Refused,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Form {
    Table,
    Json,
    Csv,
}

/// Runs the command.
pub(super) fn run(args: &CoverageArgs) -> Result<(), CommandError> {
    let definition = Arc::new(args.api.read()?);
    let stand_in = Sandbox::new(Arc::clone(&definition), Settings::default());
    let all: Vec<(&Operation, Level)> = definition
        .operations()
        .iter()
        .map(|operation| (operation, level(&stand_in, operation)))
        .collect();
    let shown: Vec<&(&Operation, Level)> = all
        .iter()
        .filter(|(_, level)| {
            args.level
                .is_none_or(|wanted| wanted == Wanted::from(*level))
        })
        .collect();
    match args.output {
        Form::Table if shown.is_empty() => {}
        Form::Table => {
            let reasons = shown.iter().any(|(_, level)| level.reason().is_some());
            let rows: Vec<Value> = shown.iter().map(|one| row(one, reasons)).collect();
            output::data(&output::readable(&json!({ "items": rows })))?;
        }
        Form::Json => {
            let items: Vec<Value> = shown.iter().map(|one| row(one, true)).collect();
            let list = json!({ "items": items });
            output::data(&serde_json::to_string_pretty(&list).unwrap_or_default())?;
        }
        Form::Csv => output::data(csv(&shown).trim_end())?,
    }
    output::words(&counts(&all));
    Ok(())
}

fn row((operation, level): &(&Operation, Level), reasons: bool) -> Value {
    let mut row = json!({
        "level": level.word(),
        "method": operation.method().as_str(),
        "path": operation.path(),
        "operation": operation.id(),
    });
    if reasons {
        row["reason"] = json!(level.reason().map(|reason| reason.to_string()));
    }
    row
}

fn csv(shown: &[&(&Operation, Level)]) -> String {
    let head = ["level", "method", "path", "operation", "reason"];
    let mut out = Vec::new();
    let mut record = |cells: [&str; 5]| {
        // Writing to memory does not fail.
        let _ = csv_record(&mut out, cells.iter().map(ToString::to_string));
    };
    record(head);
    for (operation, level) in shown {
        let reason = level.reason().map(|reason| reason.to_string());
        record([
            level.word(),
            operation.method().as_str(),
            operation.path(),
            operation.id(),
            reason.as_deref().unwrap_or_default(),
        ]);
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn counts(all: &[(&Operation, Level)]) -> String {
    let mut words = format!("{} operations:", all.len());
    for (at, wanted) in Wanted::value_variants().iter().enumerate() {
        let count = all
            .iter()
            .filter(|(_, level)| Wanted::from(*level) == *wanted)
            .count();
        let word = wanted.to_possible_value();
        let word = word.as_ref().map_or("", |value| value.get_name());
        let comma = if at == 0 { "" } else { "," };
        // Writing to a text does not fail.
        let _ = write!(words, "{comma} {count} {word}");
    }
    words
}

impl From<Level> for Wanted {
    fn from(level: Level) -> Self {
        match level {
            Level::Stateful => Self::Stateful,
            Level::Generic => Self::Generic,
            Level::Refused(_) => Self::Refused,
        }
    }
}
