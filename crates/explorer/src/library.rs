//! The library: the operations of a definition, to be found by path, by tag and by searching.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::routing::get;
use serde_json::{Value, json};

use crate::Explorer;
use crate::answer::{Answer, told};
use crate::id::Id;
use crate::visitor::Visitor;

pub(crate) fn routes() -> Router<Arc<Explorer>> {
    Router::new().route(
        "/explorer/api/w/{workspace}/definitions/{definition}/library",
        get(show),
    )
}

async fn show(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((workspace, definition)): Path<(String, String)>,
) -> Answer {
    let (workspace, definition) = (Id::parse(&workspace)?, Id::parse(&definition)?);
    let loaded = explorer
        .definition(&visitor, &workspace, &definition)
        .await?;
    let operations = loaded.definition.operations().iter();
    let operations: Vec<Value> = operations
        .map(|one| {
            json!({
                "id": one.id(),
                "method": one.method().as_str(),
                "path": one.path(),
                "tag": one.tag(),
                "summary": one.summary(),
                "deprecated": one.deprecated(),
                "list": one.is_list(),
            })
        })
        .collect();
    told(&json!({ "operations": operations }))
}
