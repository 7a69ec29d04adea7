//! Sharing a workspace: as one file with everything that a person may share, the texts of the definitions
//! too, and never a secret. Whoever exports and whoever imports is told what looks like one, and where.
//!
//! Names that the explorer gave are given anew on import, so that no file can take the place of anything
//! that is there.

mod file;
mod leaves;
mod limits;
mod suspicion;

use std::collections::HashMap;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use bytes::Bytes;
use hallpass_client::{Secret, SystemRandom};
use serde_json::json;

use crate::Explorer;
use crate::answer::{Answer, Failure, Whole, answer};
use crate::definitions::file_name;
use crate::drawer::Document;
use crate::id::Id;
use crate::requests::{segment, typed};
use crate::tokens::Kept;
use crate::visitor::Visitor;
use crate::workspace::Workspace;
use crate::workspace::environment::secret_name;
use file::{Carried, Shared};

pub(crate) use suspicion::secrets_in;

pub(crate) fn routes() -> Router<Arc<Explorer>> {
    Router::new()
        .route("/explorer/api/w/{workspace}/export", get(export))
        .route(
            "/explorer/api/workspaces/import",
            post(import).layer(DefaultBodyLimit::max(file::LARGEST)),
        )
}

async fn export(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Answer {
    let id = Id::parse(&id)?;
    let shared = explorer.shared(&visitor, &id).await?;
    let name = format!("{}.workspace.json", file_name(&shared.workspace.name));
    let text = away(move || shared.text()).await?;
    Ok(download(&name, text))
}

async fn import(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Whole(bytes): Whole,
) -> Answer {
    let shared = away(move || {
        let shared = Shared::read(&bytes)?;
        let hint = "ask whoever made the file to remove it there, and treat it as known to others";
        suspicion::check(&shared, &[], hint)?;
        Ok(shared)
    });
    let id = explorer.take_in_shared(&visitor, shared.await?).await?;
    Ok(answer(StatusCode::CREATED, &json!({ "id": id })))
}

impl Explorer {
    /// What may be shared of a workspace, once there is nothing in it that looks like a secret.
    async fn shared(&self, visitor: &Visitor, id: &Id) -> Result<Shared, Failure> {
        let mut workspace = self.workspace(visitor, id).await?;
        let kept = self.kept(visitor, id, &workspace).await?;
        let mut definitions = Vec::new();
        for known in &workspace.definitions {
            let document = Document::Definition(known.id.clone());
            let text = visitor.drawer.read(id, &document).await?;
            let text = text.and_then(|text| String::from_utf8(text).ok());
            let text = text.ok_or_else(|| {
                Failure::wrong(
                    format!("the text of {:?} is missing, or is not UTF-8", known.title),
                    "import the definition again, or remove it",
                )
            })?;
            definitions.push(Carried {
                id: known.id.clone(),
                text,
            });
        }
        file::forget_kept(&mut workspace);
        let shared = Shared {
            workspace,
            definitions,
        };
        away(move || {
            let hint = "make it a secret variable, or put {{the name of one}} in its place, and \
                        export again";
            suspicion::check(&shared, &kept, hint)?;
            Ok(shared)
        })
        .await
    }

    /// The values of all secrets of a workspace, its tokens and what was typed into the settings of requests
    /// among them, also as they stand in an address, a form or JSON.
    pub(crate) async fn kept(
        &self,
        visitor: &Visitor,
        id: &Id,
        workspace: &Workspace,
    ) -> Result<Vec<Secret>, Failure> {
        let mut names = file::kept_names(workspace);
        names.extend(self.own(visitor, id).await?.kept_secrets);
        for environment in &workspace.environments {
            let variables = environment.variables.iter();
            names.extend(variables.map(|variable| secret_name(&environment.id, &variable.name)));
        }
        names.sort_unstable();
        names.dedup();
        let mut secrets = Vec::new();
        for name in names {
            secrets.extend(visitor.drawer.secret(id, &name).await?);
        }
        let tokens = Kept::of(visitor, id).await?;
        secrets.extend(tokens.values().cloned());
        let written: Vec<Secret> = secrets.iter().flat_map(written).collect();
        secrets.extend(written);
        Ok(secrets)
    }

    /// Makes a workspace of what somebody shared. All of it or nothing.
    async fn take_in_shared(&self, visitor: &Visitor, shared: Shared) -> Result<Id, Failure> {
        self.has_room(visitor).await?;
        let Shared {
            mut workspace,
            definitions,
        } = shared;
        let known = std::mem::take(&mut workspace.definitions);
        let saved = std::mem::take(&mut workspace.saved);
        for environment in &mut workspace.environments {
            environment.id = Id::generate(&mut SystemRandom);
        }
        let id = Id::generate(&mut SystemRandom);
        self.write(visitor, &id, &Document::Workspace, &workspace)
            .await?;
        let filled = async {
            let mut renamed = HashMap::new();
            for (known, carried) in known.iter().zip(definitions) {
                let text = Bytes::from(carried.text);
                let imported = self
                    .import(visitor, &id, &known.source, text, known.documentation)
                    .await?;
                renamed.insert(carried.id, imported.id);
            }
            self.change(visitor, &id, |workspace| {
                workspace.saved = saved;
                file::rename(&mut workspace.saved, &renamed);
                Ok(())
            })
            .await?;
            if let Some(first) = workspace.environments.first() {
                self.change_own(visitor, &id, |own| {
                    own.active_environment = Some(first.id.clone());
                    Ok(())
                })
                .await?;
            }
            Ok(())
        };
        if let Err(failure) = filled.await {
            visitor.drawer.remove_workspace(&id).await?;
            return Err(failure);
        }
        Ok(id)
    }
}

/// Other ways to write a secret: percent-encoded, as a field of a form, as a text of JSON.
fn written(secret: &Secret) -> impl Iterator<Item = Secret> + use<> {
    let plain = secret.expose();
    let in_form: String = form_urlencoded::byte_serialize(plain.as_bytes()).collect();
    let in_json = serde_json::Value::from(plain).to_string();
    let in_json = in_json.trim_matches('"').to_owned();
    let forms = [segment(plain), typed(plain), in_form, in_json];
    let others: Vec<Secret> = forms
        .into_iter()
        .filter(|form| form != plain)
        .map(Secret::from)
        .collect();
    others.into_iter()
}

/// Does what takes its time with megabytes of text away from the threads that answer requests.
async fn away<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
) -> Result<T, Failure> {
    let done = tokio::task::spawn_blocking(work).await;
    done.map_err(|_| Failure::wrong("the file could not be read or written", "try again"))?
}

fn download(name: &str, text: Vec<u8>) -> Response {
    hallpass_pages::download(name, "application/json", Body::from(text))
}
