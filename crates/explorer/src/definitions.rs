//! The definitions of a workspace: bringing them in, and having them read.

use std::sync::Arc;

use aws_lc_rs::digest;
use axum::Router;
use hallpass_client::SystemRandom;
use hallpass_openapi::{Definition, Problem, Reading};
use quick_cache::sync::Cache;

use crate::Explorer;
use crate::answer::Failure;
use crate::drawer::Document;
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::Imported;

pub(crate) fn routes() -> Router<Arc<Explorer>> {
    Router::new()
}

/// A definition that was read, with its text.
pub struct Loaded {
    /// The definition.
    pub definition: Definition,
    /// What is wrong with it.
    pub problems: Vec<Problem>,
    /// The text.
    pub text: Vec<u8>,
}

/// Definitions that were read lately, by the digest of their text. They are the same for everybody.
pub(crate) struct Shelf(Cache<String, Arc<Loaded>>);

impl Default for Shelf {
    fn default() -> Self {
        Self(Cache::new(MOST_LOADED))
    }
}

impl Explorer {
    /// A definition of a workspace, read.
    pub(crate) async fn definition(
        &self,
        visitor: &Visitor,
        workspace: &Id,
        definition: &Id,
    ) -> Result<Arc<Loaded>, Failure> {
        let known = self.workspace(visitor, workspace).await?;
        let known = known
            .definitions
            .into_iter()
            .find(|one| one.id == *definition);
        let known = known.ok_or_else(|| Failure::not_found("definition of this name"))?;
        if let Some(loaded) = self.shelf.0.get(&known.digest) {
            return Ok(loaded);
        }
        let document = Document::Definition(definition.clone());
        let bytes = visitor.drawer.read(workspace, &document).await?;
        let bytes = bytes.ok_or_else(|| {
            Failure::wrong(
                format!("the text of {:?} is missing", known.title),
                "import the definition again",
            )
        })?;
        self.read(&known.source, bytes).await
    }

    /// Brings a definition into a workspace.
    pub(crate) async fn import(
        &self,
        visitor: &Visitor,
        workspace: &Id,
        source: &str,
        bytes: Vec<u8>,
        documentation: bool,
    ) -> Result<Imported, Failure> {
        let loaded = self.read(source, bytes).await?;
        let id = Id::generate(&mut SystemRandom);
        let imported = Imported {
            id: id.clone(),
            title: loaded.definition.title().to_owned(),
            version: loaded.definition.version().to_owned(),
            format: format(&loaded.definition),
            source: source.to_owned(),
            documentation,
            digest: fingerprint(&loaded.text),
        };
        let text = loaded.text.clone();
        let document = Document::Definition(id);
        visitor.drawer.write(workspace, &document, text).await?;
        self.change(visitor, workspace, |workspace| {
            workspace.definitions.push(imported.clone());
            Ok(())
        })
        .await?;
        Ok(imported)
    }

    /// Reads a definition, away from the threads that answer requests.
    pub(crate) async fn read(&self, source: &str, bytes: Vec<u8>) -> Result<Arc<Loaded>, Failure> {
        let key = fingerprint(&bytes);
        if let Some(loaded) = self.shelf.0.get(&key) {
            return Ok(loaded);
        }
        let source = source.to_owned();
        let read = tokio::task::spawn_blocking(move || {
            let no_others = "other files are not read".to_owned();
            let reading = Definition::read_from(&source, &bytes, &mut |_| Err(no_others.clone()));
            reading.map(|reading| (reading, bytes))
        });
        let (
            Reading {
                definition,
                problems,
            },
            text,
        ) = read
            .await
            .map_err(|_| Failure::wrong("the definition could not be read", "try another one"))?
            .map_err(|error| {
                let hint = error.hint.clone();
                let hint = hint.unwrap_or_else(|| "check that it is an OpenAPI definition".into());
                Failure::wrong(error.to_string(), hint)
            })?;
        let loaded = Arc::new(Loaded {
            definition,
            problems,
            text,
        });
        self.shelf.0.insert(key, loaded.clone());
        Ok(loaded)
    }
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

fn fingerprint(bytes: &[u8]) -> String {
    let digest = digest::digest(&digest::SHA256, bytes);
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        use std::fmt::Write as _;
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

/// How many definitions are held at once.
const MOST_LOADED: usize = 8;
