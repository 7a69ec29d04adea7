//! `hallpass api check`: every problem of a definition, where it is and what to do about it.

use std::io::Read as _;

use clap::{Args, ValueEnum};
use hallpass_openapi::{Definition, Severity};

use crate::command::{CommandError, Exit};
use crate::output;

/// Report what is wrong with an API definition
///
/// Every finding says where it is and what to do about it. The command fails when there are errors.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Definition in JSON or YAML; - for standard input
    file: String,
    /// Leave out what matters less than this
    #[arg(long, value_enum, default_value_t = Least::Note)]
    severity: Least,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

/// How much a problem must matter to be reported.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum Least {
    Error,
    Warning,
    Note,
}

impl From<Least> for Severity {
    fn from(least: Least) -> Self {
        match least {
            Least::Error => Self::Error,
            Least::Warning => Self::Warning,
            Least::Note => Self::Note,
        }
    }
}

/// Runs `hallpass api check`.
pub(crate) fn run(args: &CheckArgs) -> Result<(), CommandError> {
    let text = read(&args.file)?;
    let reading = Definition::read(&text)
        .map_err(|error| CommandError::caused(Exit::Usage, &args.file, &error))?;
    let least = Severity::from(args.severity);
    let problems = reading.problems.iter();
    for problem in problems.filter(|problem| problem.severity <= least) {
        output::data(&problem.to_string())?;
    }
    Ok(())
}

fn read(file: &str) -> Result<String, CommandError> {
    let mut text = String::new();
    let read = if file == "-" {
        std::io::stdin().read_to_string(&mut text).map(|_| ())
    } else {
        std::fs::read_to_string(file).map(|read| text = read)
    };
    read.map_err(|error| CommandError::usage(format!("{file} cannot be read: {error}")))?;
    Ok(text)
}
