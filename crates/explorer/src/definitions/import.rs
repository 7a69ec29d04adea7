//! Taking definitions into a workspace, in place of another or beside it, and removing them.

use bytes::Bytes;
use hallpass_client::SystemRandom;

use super::{Loaded, fingerprint, format};
use crate::Explorer;
use crate::answer::Failure;
use crate::drawer::Document;
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::Imported;

impl Explorer {
    /// Brings a definition into a workspace.
    pub(crate) async fn import(
        &self,
        visitor: &Visitor,
        workspace: &Id,
        source: &str,
        bytes: Bytes,
        documentation: bool,
    ) -> Result<Imported, Failure> {
        let loaded = self.read(source, bytes).await?;
        let loaded = loaded.map_err(|error| {
            let hint = error.hint.clone();
            let hint = hint.unwrap_or_else(|| "check that it is an OpenAPI definition".into());
            Failure::wrong(error.to_string(), hint)
        })?;
        let imported = described(
            Id::generate(&mut SystemRandom),
            source,
            documentation,
            &loaded,
        );
        let document = Document::Definition(imported.id.clone());
        let text = loaded.texts.bytes().to_vec();
        visitor.drawer.write(workspace, &document, text).await?;
        let added = self.change(visitor, workspace, |workspace| {
            if workspace.definitions.len() >= MOST_DEFINITIONS {
                return Err(Failure::wrong(
                    format!("there can be {MOST_DEFINITIONS} definitions in a workspace"),
                    "remove one first, or make another workspace",
                ));
            }
            workspace.definitions.push(imported.clone());
            Ok(())
        });
        if let Err(failure) = added.await {
            visitor.drawer.remove(workspace, &document).await?;
            return Err(failure);
        }
        Ok(imported)
    }
}

/// What a workspace knows of a definition.
fn described(id: Id, source: &str, documentation: bool, loaded: &Loaded) -> Imported {
    Imported {
        id,
        title: loaded.definition.title().to_owned(),
        version: loaded.definition.version().to_owned(),
        format: format(&loaded.definition),
        source: source.to_owned(),
        documentation,
        digest: fingerprint(loaded.texts.bytes()),
    }
}

const MOST_DEFINITIONS: usize = 20;
