//! What the documents say of the command line, held against the command line.
//!
//! Commands that can run here are run, by `tests/it/documents`. These are the others: those in running
//! text and tables, and those for other machines. Each must exist, with the flags it is shown with.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use clap::{Command, CommandFactory as _};

use crate::cli::Cli;

#[test]
fn every_command_that_a_document_names_exists() {
    let (mut wrong, mut found) = (String::new(), 0);
    for document in documents() {
        let text = std::fs::read_to_string(&document).unwrap();
        for (number, line) in text.lines().enumerate() {
            for command in named(line) {
                found += 1;
                if let Err(why) = exists(&command) {
                    let name = document.file_name().unwrap().display();
                    writeln!(wrong, "{name}:{}: hallpass {command}: {why}", number + 1).unwrap();
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong}");
    assert!(found > 100, "only {found} commands were found");
}

/// What users read, in this repository and on the library's page.
fn documents() -> Vec<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let docs = std::fs::read_dir(root.join("docs")).unwrap();
    docs.map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "md"))
        .chain(["README.md", "CHANGELOG.md", "crates/client/README.md"].map(|file| root.join(file)))
        .collect()
}

/// What stands behind `hallpass` in a line: between backticks, or after a prompt.
fn named(line: &str) -> Vec<String> {
    let quoted = line.split('`').skip(1).step_by(2);
    let prompted = line.trim_start().strip_prefix("$ ");
    quoted
        .chain(prompted)
        .filter_map(|text| text.strip_prefix("hallpass "))
        .map(str::to_owned)
        .collect()
}

fn exists(command: &str) -> Result<(), String> {
    // What another program gets, and remarks, are not ours.
    let ours = command
        .split([';', '<', '>', '#', '…', '&'])
        .next()
        .unwrap_or_default();
    let ours = ours.split(" | ").next().unwrap_or_default();
    let whole = Cli::command();
    for first in alternatives(ours) {
        let mut at = vec![&whole];
        let mut words = first.iter().map(String::as_str).peekable();
        while let Some(next) = words
            .peek()
            .and_then(|word| at[at.len() - 1].find_subcommand(word))
        {
            at.push(next);
            words.next();
        }
        let reached = at[at.len() - 1];
        if at.len() == 1 && !words.peek().is_some_and(|word| word.starts_with('-')) {
            return Err(format!("there is no such command: {first:?}"));
        }
        if at.len() > 1 && reached.has_subcommands() && reached.get_name() != "help" {
            let extra = words
                .peek()
                .filter(|word| word.chars().all(|c| c.is_ascii_lowercase()));
            if let Some(word) = extra {
                return Err(format!("`{}` has no command {word}", reached.get_name()));
            }
        }
        for word in words {
            has_flag(&at, word)?;
        }
    }
    Ok(())
}

/// The words; `a|b` in the first that has it stands for one command each.
fn alternatives(text: &str) -> Vec<Vec<String>> {
    let words: Vec<String> = text
        .replace(['[', ']', '"', '\''], " ")
        .split_whitespace()
        .map(str::to_owned)
        .collect();
    let Some(place) = words
        .iter()
        .position(|word| word.contains('|') && !word.starts_with('|'))
    else {
        return vec![words];
    };
    let each = words[place].split('|').map(str::to_owned);
    each.map(|word| {
        let mut words = words.clone();
        words[place] = word;
        words
    })
    .collect()
}

/// A flag of the command itself, or one of those above it that goes for all below.
fn has_flag(at: &[&Command], word: &str) -> Result<(), String> {
    let Some(name) = word.strip_prefix("--").filter(|name| !name.is_empty()) else {
        return Ok(());
    };
    let name = name.split('=').next().unwrap_or_default();
    let known = ["help", "version"].contains(&name)
        || at.iter().enumerate().any(|(depth, command)| {
            let own = depth + 1 == at.len();
            let mut flags = command
                .get_arguments()
                .filter(|flag| own || flag.is_global_set());
            flags.any(|flag| {
                flag.get_long() == Some(name)
                    || flag
                        .get_all_aliases()
                        .is_some_and(|all| all.contains(&name))
            })
        });
    if known {
        Ok(())
    } else {
        Err(format!("`{}` has no --{name}", at[at.len() - 1].get_name()))
    }
}

#[test]
fn a_command_that_is_not_there_is_found_out() {
    for wrong in [
        "cal",
        "api chekc FILE",
        "call OPERATION --dri-run",
        "get|pot PATH",
        "token --headers | cat",
    ] {
        assert!(exists(wrong).is_err(), "{wrong}");
    }
    for right in [
        "get|post PATH",
        "call OPERATION --dry-run",
        "--version",
        "api check",
    ] {
        assert_eq!(exists(right), Ok(()), "{right}");
    }
}
