//! Taking definitions into a workspace, in place of another or beside it, and removing them.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use bytes::Bytes;
use hallpass_client::SystemRandom;
use serde::Deserialize;
use serde_json::json;

use super::about::security;
use super::look::compared;
use super::{Loaded, fingerprint, format};
use crate::Explorer;
use crate::answer::{Answer, Failure, Json, answer, done};
use crate::drawer::Document;
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::{AuthorizationSettings, Imported, Workspace};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Taken {
    look: Id,
    #[serde(default)]
    documentation: bool,
    replaces: Option<Id>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Changed {
    documentation: bool,
}

pub(super) async fn import(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(workspace): Path<String>,
    Json(taken): Json<Taken>,
) -> Answer {
    let workspace = Id::parse(&workspace)?;
    let owner = (visitor.key.clone(), workspace.clone());
    let now = (explorer.clock)();
    let look = explorer.shelf.looks.find(&owner, &taken.look, now);
    let look = look.ok_or_else(|| {
        let what = "the definition that was looked at is not at hand any more";
        Failure::wrong(what, "choose the file again")
    })?;
    let (source, bytes) = (look.source.as_str(), look.bytes.clone());
    let mut changes = serde_json::Value::Null;
    let definition = if let Some(id) = &taken.replaces {
        let old = explorer.definition(&visitor, &workspace, id).await;
        let imported = explorer
            .replace(&visitor, &workspace, id, source, bytes, taken.documentation)
            .await?;
        // What changes in place of a text that is broken is not known.
        if let Ok(old) = old {
            let new = explorer.loaded(&visitor, &workspace, &imported).await?;
            changes = compared(&old, &new).await;
        }
        imported
    } else {
        explorer
            .import(&visitor, &workspace, source, bytes, taken.documentation)
            .await?
    };
    explorer.shelf.looks.forget(&taken.look);
    let body = json!({ "definition": definition, "changes": changes });
    Ok(answer(StatusCode::CREATED, &body))
}

pub(super) async fn change(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((workspace, definition)): Path<(String, String)>,
    Json(changed): Json<Changed>,
) -> Answer {
    let (workspace, definition) = (Id::parse(&workspace)?, Id::parse(&definition)?);
    explorer
        .change(&visitor, &workspace, |workspace| {
            find(workspace, &definition)?.documentation = changed.documentation;
            Ok(())
        })
        .await?;
    done()
}

pub(super) async fn remove(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((workspace, definition)): Path<(String, String)>,
) -> Answer {
    let (workspace, definition) = (Id::parse(&workspace)?, Id::parse(&definition)?);
    let turn = explorer.turn(&visitor, &workspace).await;
    turn.change(|workspace| {
        find(workspace, &definition)?;
        workspace.definitions.retain(|one| one.id != definition);
        Ok(())
    })
    .await?;
    turn.change_own(|own| {
        own.favourites.retain(|one| one.definition != definition);
        Ok(())
    })
    .await?;
    let document = Document::Definition(definition);
    visitor.drawer.remove(&workspace, &document).await?;
    drop(turn);
    done()
}

fn find<'a>(workspace: &'a mut Workspace, id: &Id) -> Result<&'a mut Imported, Failure> {
    let mut known = workspace.definitions.iter_mut();
    let found = known.find(|one| one.id == *id);
    found.ok_or_else(|| Failure::not_found("definition of this name"))
}

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
        let loaded = self.sound(source, bytes).await?;
        let id = Id::generate(&mut SystemRandom);
        let imported = described(id, source, documentation, &loaded);
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
            fill_in(workspace, &loaded);
            Ok(())
        });
        if let Err(failure) = added.await {
            visitor.drawer.remove(workspace, &document).await?;
            return Err(failure);
        }
        Ok(imported)
    }

    /// Puts a definition in the place of another, which keeps its name here, and so its favourites and
    /// saved requests. Text and what the workspace knows of it change together.
    async fn replace(
        &self,
        visitor: &Visitor,
        workspace: &Id,
        id: &Id,
        source: &str,
        bytes: Bytes,
        documentation: bool,
    ) -> Result<Imported, Failure> {
        let loaded = self.sound(source, bytes).await?;
        let imported = described(id.clone(), source, documentation, &loaded);
        let document = Document::Definition(id.clone());
        let text = loaded.texts.bytes().to_vec();
        let drawer = &visitor.drawer;
        let turn = self.turn(visitor, workspace).await;
        self.imported(visitor, workspace, id).await?;
        let before = drawer.read(workspace, &document).await?;
        drawer.write(workspace, &document, text).await?;
        let replaced = turn.change(|workspace| {
            *find(workspace, id)? = imported.clone();
            fill_in(workspace, &loaded);
            Ok(())
        });
        if let Err(failure) = replaced.await {
            if let Some(before) = before {
                drawer.write(workspace, &document, before).await?;
            }
            return Err(failure);
        }
        Ok(imported)
    }

    async fn sound(&self, source: &str, bytes: Bytes) -> Result<Arc<Loaded>, Failure> {
        self.read(source, bytes).await?.map_err(|error| {
            let hint = error.hint.clone();
            let hint = hint.unwrap_or_else(|| "check that it is an OpenAPI definition".into());
            Failure::wrong(error.to_string(), hint)
        })
    }
}

/// Takes from a definition where tokens are got, when nobody has said so yet.
fn fill_in(workspace: &mut Workspace, loaded: &Loaded) {
    let AuthorizationSettings::OAuth2(settings) = &mut workspace.authorization else {
        return;
    };
    if settings.access_token_url.is_empty() {
        let known = security(&loaded.definition);
        let mut urls = known.iter().filter_map(|one| one["tokenUrl"].as_str());
        let first = urls.next().unwrap_or_default();
        first.clone_into(&mut settings.access_token_url);
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

/// Definitions of a workspace.
pub(crate) const MOST_DEFINITIONS: usize = 20;
