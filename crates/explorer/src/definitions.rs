//! The definitions of a workspace: bringing them in, having them read, and what the page shows of one.
//!
//! A text is looked at first ([`look`]): what it is, how many operations it has, what is wrong with it,
//! and what would change. Only then it is taken in ([`import`]). What was looked at waits for a while in
//! memory; what was taken in is kept as it came by the drawer.

mod about;
mod changes;
pub(crate) mod detail;
mod files;
mod import;
mod look;
mod recognize;
pub(crate) mod shape;
mod shelf;
mod source;
pub(crate) mod text;
mod yaml;

use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use bytes::Bytes;
use hallpass_openapi::Definition;

use crate::Explorer;
use crate::answer::Failure;
use crate::drawer::Document;
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::Imported;

pub(crate) use import::MOST_DEFINITIONS;
pub use shelf::Loaded;
pub(crate) use shelf::Shelf;
use shelf::fingerprint;
pub(crate) use source::file_name;
use text::Texts;

const ALL: &str = "/explorer/api/w/{workspace}/definitions";
const ONE: &str = "/explorer/api/w/{workspace}/definitions/{definition}";

pub(crate) fn routes() -> Router<Arc<Explorer>> {
    let below = |rest: &str| format!("{ONE}/{rest}");
    Router::new()
        .route(ALL, post(import::import))
        .route(
            &format!("{ALL}/look"),
            post(look::look).layer(DefaultBodyLimit::max(look::MOST_SENT)),
        )
        .route(
            ONE,
            get(about::show)
                .patch(import::change)
                .delete(import::remove),
        )
        .route(&below("download"), get(source::download))
        .route(&below("operations/{operation}"), get(detail::show))
        .route(&below("source"), get(source::lines))
}

impl Explorer {
    /// A definition of a workspace, read.
    pub(crate) async fn definition(
        &self,
        visitor: &Visitor,
        workspace: &Id,
        definition: &Id,
    ) -> Result<Arc<Loaded>, Failure> {
        let known = self.imported(visitor, workspace, definition).await?;
        self.loaded(visitor, workspace, &known).await
    }

    /// What a workspace knows of a definition of it.
    pub(crate) async fn imported(
        &self,
        visitor: &Visitor,
        workspace: &Id,
        definition: &Id,
    ) -> Result<Imported, Failure> {
        let workspace = self.workspace(visitor, workspace).await?;
        let mut known = workspace.definitions.into_iter();
        let found = known.find(|one| one.id == *definition);
        found.ok_or_else(|| Failure::not_found("definition of this name"))
    }

    async fn loaded(
        &self,
        visitor: &Visitor,
        workspace: &Id,
        known: &Imported,
    ) -> Result<Arc<Loaded>, Failure> {
        if let Some(loaded) = self.shelf.get(&place(&known.source, &known.digest)) {
            return Ok(loaded);
        }
        let document = Document::Definition(known.id.clone());
        let bytes = visitor.drawer.read(workspace, &document).await?;
        let bytes = bytes.ok_or_else(|| {
            Failure::wrong(
                format!("the text of {:?} is missing", known.title),
                "import the definition again",
            )
        })?;
        let loaded = self.read(&known.source, bytes.into()).await?;
        loaded.map_err(|error| {
            let hint = error.hint.clone();
            let hint = hint.unwrap_or_else(|| "import the definition again".to_owned());
            Failure::wrong(format!("{}: {error}", known.title), hint)
        })
    }

    /// Reads a definition, away from the threads that answer requests.
    pub(crate) async fn read(
        &self,
        source: &str,
        bytes: Bytes,
    ) -> Result<Result<Arc<Loaded>, hallpass_openapi::ReadError>, Failure> {
        let key = place(source, &fingerprint(&bytes));
        if let Some(loaded) = self.shelf.get(&key) {
            return Ok(Ok(loaded));
        }
        let _turn = self.shelf.reading.acquire().await;
        let texts = Texts::read(source, bytes)?;
        let read = tokio::task::spawn_blocking(move || Loaded::read(texts).map(Arc::new));
        let read = read
            .await
            .map_err(|_| Failure::wrong("the definition could not be read", "try another one"))?;
        if let Ok(loaded) = &read {
            self.shelf.put(key, loaded.clone());
        }
        Ok(read)
    }
}

/// Where a definition stands on the shelf. The same text means something else at another address, because
/// relative addresses of servers resolve against it.
fn place(source: &str, digest: &str) -> String {
    if is_address(source) {
        format!("{digest} {source}")
    } else {
        digest.to_owned()
    }
}

fn is_address(source: &str) -> bool {
    source.starts_with("https://") || source.starts_with("http://")
}

/// What a definition is: `OpenAPI 3.0`.
fn format(definition: &Definition) -> String {
    let version = definition.document().get("openapi");
    let version = version
        .and_then(serde_json::Value::as_str)
        .unwrap_or_default();
    let mut parts = version.splitn(3, '.');
    match (parts.next(), parts.next()) {
        (Some(major), Some(minor)) => format!("OpenAPI {major}.{minor}"),
        _ => "OpenAPI".to_owned(),
    }
}
