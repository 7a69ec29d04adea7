//! The text of a definition: lines of it for the page.

use std::sync::Arc;

use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::json;

use super::Loaded;
use super::text::Text;
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
