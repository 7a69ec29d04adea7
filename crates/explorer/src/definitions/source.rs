//! The text of a definition: lines of it for the page, and the whole as a file in either format.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{Path, Query, State};
use bytes::Bytes;
use serde::Deserialize;
use serde_json::json;

use super::Loaded;
use super::shape::pretty;
use super::text::Text;
use super::yaml;
use crate::Explorer;
use crate::answer::{Answer, Failure, told};
use crate::id::Id;
use crate::visitor::Visitor;

#[derive(Deserialize)]
pub(super) struct Which {
    /// Counted from 1.
    #[serde(default = "first")]
    from: usize,
    #[serde(default = "some")]
    lines: usize,
    /// Another file than the main one.
    part: Option<String>,
}

fn first() -> usize {
    1
}

fn some() -> usize {
    200
}

/// How many lines are told at once.
const MOST_LINES: usize = 2_000;

pub(super) async fn lines(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((workspace, definition)): Path<(String, String)>,
    Query(which): Query<Which>,
) -> Answer {
    let (workspace, definition) = (Id::parse(&workspace)?, Id::parse(&definition)?);
    let loaded = explorer
        .definition(&visitor, &workspace, &definition)
        .await?;
    let text = text(&loaded, which.part.as_deref())?;
    let from = which.from.max(1);
    let lines = text.lines(from..from.saturating_add(which.lines.min(MOST_LINES)));
    told(&json!({ "from": from, "total": text.line_count(), "lines": lines }))
}

/// What a definition is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    Yaml,
    Json,
}

#[derive(Deserialize)]
pub(super) struct Wanted {
    format: Format,
}

/// As it came when it is one file in that format; otherwise written anew, with the parts of several files
/// in one.
pub(super) async fn download(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((workspace, definition)): Path<(String, String)>,
    Query(wanted): Query<Wanted>,
) -> Answer {
    let (workspace, definition) = (Id::parse(&workspace)?, Id::parse(&definition)?);
    let loaded = explorer
        .definition(&visitor, &workspace, &definition)
        .await?;
    let (ending, kind) = match wanted.format {
        Format::Yaml => ("yaml", "application/yaml"),
        Format::Json => ("json", "application/json"),
    };
    let name = format!("{}.{ending}", file_name(loaded.definition.title()));
    let text = tokio::task::spawn_blocking(move || written(&loaded, wanted.format));
    let text = text
        .await
        .map_err(|_| Failure::wrong("the definition could not be written", "try again"))?;
    Ok(hallpass_pages::download(&name, kind, Body::from(text)))
}

fn written(loaded: &Loaded, format: Format) -> Bytes {
    let main = loaded.texts.main().bytes();
    let is_json = main.trim_ascii_start().starts_with(b"{");
    let same = is_json == (format == Format::Json);
    if same && loaded.definition.parts().next().is_none() {
        return main.clone();
    }
    let document = loaded.definition.document();
    match format {
        Format::Json => pretty(document).into(),
        Format::Yaml => yaml::write(document).into(),
    }
}

/// A title as the name of a file.
pub(crate) fn file_name(title: &str) -> String {
    let words = title.split(|letter: char| !letter.is_ascii_alphanumeric());
    let words: Vec<String> = words
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    if words.is_empty() {
        return "definition".to_owned();
    }
    words.join("-").chars().take(80).collect()
}

/// The main text, or the part of this name.
fn text<'a>(loaded: &'a Loaded, part: Option<&str>) -> Result<&'a Text, Failure> {
    match part {
        None => Ok(loaded.texts.main()),
        Some(part) => {
            let found = loaded.texts.part(part);
            found.ok_or_else(|| Failure::not_found("file of this name in the definition"))
        }
    }
}
