//! `hallpass api check`: every problem of a definition, where it is and what to do about it.

use std::collections::HashMap;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use annotate_snippets::Level;
use clap::{Args, ValueEnum};
use hallpass_openapi::{Definition, Problem, ReadError, Severity};
use serde_json::{Value, json};

use super::report::{Lines, Said};
use crate::command::CommandError;
use crate::definition::beside;
use crate::output;

/// How many findings of one rule are shown unless all are asked for.
const SHOWN: usize = 3;

/// Report what is wrong with an API definition
///
/// Every finding says where it is and what to do about it. Of each rule the first three places are
/// shown. The command fails when there are errors, not for warnings and notes.
#[derive(Debug, Args)]
pub(crate) struct CheckArgs {
    /// Definition in JSON or YAML; - for standard input
    file: String,
    /// Leave out what matters less than this
    #[arg(long, value_enum, value_name = "LEVEL", default_value_t = Least::Note)]
    severity: Least,
    /// Show every place of every rule, in the order of the text
    #[arg(long)]
    all: bool,
    /// Print one JSON object with every problem
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
    let mut texts = Texts::open(&args.file)?;
    let problems = match texts.problems() {
        Ok(problems) => problems,
        Err(error) => return Err(unreadable(args, &texts, &error)?),
    };
    let least = Severity::from(args.severity);
    let reported: Vec<&Problem> = problems
        .iter()
        .filter(|problem| problem.severity <= least)
        .collect();
    let counted = Counted::of(&reported);
    if args.json {
        print(
            &args.file,
            &counted,
            reported.iter().map(|one| as_json(one)),
        )?;
    } else {
        texts.print(&reported, args.all)?;
    }
    let file = if args.file == "-" {
        "standard input"
    } else {
        &args.file
    };
    match counted.errors {
        0 if args.json => Ok(()),
        0 => {
            output::words(&format!("{file}: {counted}"));
            Ok(())
        }
        _ => Err(CommandError::refused(format!("{file}: {counted}"))),
    }
}

/// How many of each severity.
struct Counted {
    errors: usize,
    warnings: usize,
    notes: usize,
}

impl Counted {
    fn of(problems: &[&Problem]) -> Self {
        let of = |severity| {
            problems
                .iter()
                .filter(|one| one.severity == severity)
                .count()
        };
        Self {
            errors: of(Severity::Error),
            warnings: of(Severity::Warning),
            notes: of(Severity::Note),
        }
    }
}

impl std::fmt::Display for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let of = |count: usize, word: &str| {
            let plural = if count == 1 { "" } else { "s" };
            format!("{count} {word}{plural}")
        };
        let (errors, warnings) = (of(self.errors, "error"), of(self.warnings, "warning"));
        write!(f, "{errors}, {warnings}, {}", of(self.notes, "note"))
    }
}

/// A definition that cannot be read at all is shown with the place, too.
fn unreadable(
    args: &CheckArgs,
    texts: &Texts,
    error: &ReadError,
) -> Result<CommandError, CommandError> {
    let (line, column) = (error.line, error.column);
    if args.json {
        let counted = Counted {
            errors: 1,
            warnings: 0,
            notes: 0,
        };
        let problem = json!({
            "severity": "error", "rule": "unreadable", "part": null, "pointer": "",
            "line": line, "column": column, "message": error.message, "advice": error.hint,
        });
        print(&args.file, &counted, std::iter::once(problem))?;
    } else {
        let said = Said {
            level: Level::ERROR,
            rule: None,
            message: &error.message,
            advice: error.hint.as_deref(),
            place: (line, column),
        };
        let text = String::from_utf8_lossy(&texts.main);
        let lines = Lines::new(&args.file, &text);
        output::data(&lines.report(&said, output::colour_on_stdout()))?;
    }
    let message = format!("{} cannot be read as an OpenAPI definition", args.file);
    Ok(CommandError::usage(message))
}

fn as_json(problem: &Problem) -> Value {
    json!({
        "severity": problem.severity.to_string(),
        "rule": problem.rule,
        "part": problem.part,
        "pointer": problem.pointer,
        "line": problem.line,
        "column": problem.column,
        "message": problem.message,
        "advice": problem.advice,
    })
}

fn print(
    file: &str,
    counted: &Counted,
    problems: impl Iterator<Item = Value>,
) -> Result<(), CommandError> {
    let object = json!({
        "file": file,
        "errors": counted.errors,
        "warnings": counted.warnings,
        "notes": counted.notes,
        "problems": problems.collect::<Vec<_>>(),
    });
    output::data(&object.to_string())
}

/// The texts of a definition: the main one, and what it refers to beside it.
struct Texts {
    name: String,
    /// Where other files may be; standard input has none.
    folder: Option<PathBuf>,
    main: Vec<u8>,
    parts: HashMap<String, Vec<u8>>,
}

impl Texts {
    fn open(file: &str) -> Result<Self, CommandError> {
        let mut main = Vec::new();
        let read = if file == "-" {
            std::io::stdin().read_to_end(&mut main).map(|_| ())
        } else {
            std::fs::read(file).map(|read| main = read)
        };
        read.map_err(|error| CommandError::usage(format!("{file} cannot be read: {error}")))?;
        let folder = Path::new(file).parent().filter(|_| file != "-");
        let here = |folder: &Path| match folder.as_os_str() {
            empty if empty.is_empty() => PathBuf::from("."),
            _ => folder.to_owned(),
        };
        Ok(Self {
            name: file.to_owned(),
            folder: folder.map(here),
            main,
            parts: HashMap::new(),
        })
    }

    fn problems(&mut self) -> Result<Vec<Problem>, ReadError> {
        let own_name = Path::new(&self.name).file_name().unwrap_or_default();
        let Self { folder, parts, .. } = self;
        let mut load = |location: &str| {
            let Some(folder) = folder else {
                return Err("standard input has no other files beside it".to_owned());
            };
            let bytes = beside(folder, location)?;
            parts.insert(location.to_owned(), bytes.clone());
            Ok(bytes)
        };
        let reading = Definition::read_from(&own_name.to_string_lossy(), &self.main, &mut load)?;
        Ok(reading.problems)
    }

    /// Prints reports: what matters most first, by rule, of each the first few.
    fn print(&self, problems: &[&Problem], all: bool) -> Result<(), CommandError> {
        let name = if self.name == "-" {
            "<stdin>"
        } else {
            &self.name
        };
        let decoded: HashMap<&str, _> = self
            .parts
            .iter()
            .map(|(location, bytes)| (location.as_str(), String::from_utf8_lossy(bytes)))
            .collect();
        let main = String::from_utf8_lossy(&self.main);
        let main = Lines::new(name, &main);
        let parts: HashMap<&str, Lines<'_>> = decoded
            .iter()
            .map(|(location, text)| (*location, Lines::new(location, text)))
            .collect();
        let colour = output::colour_on_stdout();
        let show = |problem: &Problem| {
            let part = problem.part.as_deref().and_then(|part| parts.get(part));
            let said = Said {
                level: level(problem.severity),
                rule: Some(problem.rule),
                message: &problem.message,
                advice: Some(&problem.advice),
                place: (problem.line, problem.column),
            };
            output::data(&(part.unwrap_or(&main).report(&said, colour) + "\n"))
        };
        if all {
            return problems.iter().try_for_each(|problem| show(problem));
        }
        for (rule, group) in by_rule(problems) {
            group
                .iter()
                .take(SHOWN)
                .try_for_each(|problem| show(problem))?;
            if group.len() > SHOWN {
                let more = group.len() - SHOWN;
                output::data(&format!("… and {more} more of {rule}; --all shows them\n"))?;
            }
        }
        Ok(())
    }
}

fn level(severity: Severity) -> Level<'static> {
    match severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    }
}

/// The problems of each rule, errors first, else in the order in which the rules are first met.
fn by_rule<'a>(problems: &[&'a Problem]) -> Vec<(&'static str, Vec<&'a Problem>)> {
    let mut groups: Vec<(&'static str, Vec<&Problem>)> = Vec::new();
    for problem in problems {
        match groups.iter_mut().find(|(rule, _)| *rule == problem.rule) {
            Some((_, group)) => group.push(problem),
            None => groups.push((problem.rule, vec![problem])),
        }
    }
    groups.sort_by_key(|(_, group)| group.first().map(|first| first.severity));
    groups
}
