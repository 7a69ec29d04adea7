//! `hallpass api list`: the operations of a definition, or those that words are about.

use clap::Args;
use hallpass_openapi::Entry;
use serde_json::{Value, json};

use crate::command::CommandError;
use crate::definition::ApiArg;
use crate::output;

/// List the operations of an API definition
///
/// With words, only the operations that all of them are about: a word may stand in the name, the path, the
/// summary or the tag, in any case.
#[derive(Debug, Args)]
pub(crate) struct ListArgs {
    /// What the operations are about
    #[arg(value_name = "WORD")]
    words: Vec<String>,
    #[command(flatten)]
    api: ApiArg,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

/// Runs the command.
pub(super) fn run(args: &ListArgs) -> Result<(), CommandError> {
    let known = args.api.open()?;
    let entries = known.index().entries();
    let words: Vec<String> = args.words.iter().map(|word| word.to_lowercase()).collect();
    let found: Vec<&Entry> = entries
        .iter()
        .filter(|entry| is_about(entry, &words))
        .collect();
    if found.is_empty() && !args.json {
        let all = entries.len();
        output::words(&format!("none of the {all} operations is about that"));
        return Ok(());
    }
    if args.json {
        let items: Vec<Value> = found.into_iter().map(value).collect();
        let list = json!({ "items": items });
        return output::data(&serde_json::to_string_pretty(&list).unwrap_or_default());
    }
    output::data(&output::readable(&json!({ "items": rows(&found) })))
}

fn is_about(entry: &Entry, words: &[String]) -> bool {
    let texts = [
        entry.id(),
        entry.path(),
        entry.summary(),
        entry.tag().unwrap_or_default(),
    ];
    let texts = texts.map(str::to_lowercase);
    words
        .iter()
        .all(|word| texts.iter().any(|text| text.contains(word)))
}

/// What a person needs to choose: no column that is the same in every row.
fn rows(entries: &[&Entry]) -> Vec<Value> {
    let deprecated = entries.iter().any(|entry| entry.deprecated());
    let row = |entry: &&Entry| {
        let mut row = json!({
            "operation": entry.id(),
            "method": entry.method().as_str(),
            "path": entry.path(),
            "summary": entry.summary(),
        });
        if deprecated {
            row["note"] = json!(if entry.deprecated() { "deprecated" } else { "" });
        }
        row
    };
    entries.iter().map(row).collect()
}

fn value(entry: &Entry) -> Value {
    json!({
        "operation": entry.id(),
        "method": entry.method().as_str(),
        "path": entry.path(),
        "tag": entry.tag(),
        "summary": entry.summary(),
        "deprecated": entry.deprecated(),
    })
}
