//! What was sent, the newest first, without a secret in it. It stays with the person.

use std::sync::Arc;

use axum::extract::{Path, State};
use hallpass_client::SystemRandom;
use serde::Serialize;
use serde_json::Value;

use super::answered::Answered;
use super::secrecy::Secrets;
use crate::Explorer;
use crate::answer::{Answer, Failure, done, told};
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::Draft;

#[derive(Serialize)]
struct Entry<'a> {
    id: Id,
    at: String,
    method: &'a str,
    url: String,
    status: u16,
    milliseconds: u64,
    operation: Option<&'a str>,
    definition: Option<&'a Id>,
    draft: Draft,
}

pub(super) async fn list(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(workspace): Path<String>,
) -> Answer {
    let workspace = Id::parse(&workspace)?;
    explorer.workspace(&visitor, &workspace).await?;
    told(&explorer.own(&visitor, &workspace).await?.history)
}

pub(super) async fn clear(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(workspace): Path<String>,
) -> Answer {
    let workspace = Id::parse(&workspace)?;
    explorer
        .change_own(&visitor, &workspace, |own| {
            own.history.clear();
            Ok(())
        })
        .await?;
    done()
}

pub(super) async fn remove(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((workspace, id)): Path<(String, String)>,
) -> Answer {
    let workspace = Id::parse(&workspace)?;
    explorer
        .change_own(&visitor, &workspace, |own| {
            own.history.retain(|entry| entry["id"] != id.as_str());
            Ok(())
        })
        .await?;
    done()
}

impl Explorer {
    /// Takes a request that was sent into the history.
    pub(super) async fn remember(
        &self,
        visitor: &Visitor,
        id: &Id,
        draft: &Draft,
        answered: &Answered,
        secrets: &Secrets,
    ) -> Result<(), Failure> {
        let mut kept = secrets.taken_from(draft);
        let too_long = |body: &crate::workspace::DraftBody| body.text.len() > LONGEST_BODY;
        if kept.body.as_ref().is_some_and(too_long) {
            kept.body = None;
        }
        let entry = Entry {
            id: Id::generate(&mut SystemRandom),
            at: self.now().to_string(),
            method: &answered.method,
            url: secrets.masked(&answered.url),
            status: answered.status,
            milliseconds: answered.milliseconds,
            operation: answered.operation.as_deref(),
            definition: answered.definition.as_ref(),
            draft: kept,
        };
        let entry = serde_json::to_value(entry)
            .map_err(|error| Failure::wrong(error.to_string(), "send it again"))?;
        self.change_own(visitor, id, |own| {
            own.history.insert(0, entry);
            shorten(&mut own.history);
            Ok(())
        })
        .await
    }
}

/// Forgets the oldest where there are too many, or where they take too much room.
fn shorten(history: &mut Vec<Value>) {
    history.truncate(MOST);
    let mut room = MOST_BYTES;
    let fits = |entry: &Value| {
        let size = entry.to_string().len();
        let fits = size <= room;
        room = room.saturating_sub(size);
        fits
    };
    let fitting = history.iter().map(fits).take_while(|fits| *fits).count();
    history.truncate(fitting);
}

/// How many requests are remembered, and how much room they take.
const MOST: usize = 200;
const MOST_BYTES: usize = 1024 * 1024;

/// A longer body is not remembered.
const LONGEST_BODY: usize = 16 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_are_forgotten() {
        let mut many: Vec<Value> = (0..300).map(Value::from).collect();
        shorten(&mut many);
        assert_eq!((many.len(), &many[0]), (200, &Value::from(0)));
        let mut large = vec![Value::from("x".repeat(MOST_BYTES / 2)); 5];
        shorten(&mut large);
        assert_eq!(large.len(), 1);
    }
}
