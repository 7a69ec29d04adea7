//! Requests that are saved under a name. They belong to the workspace, which may be shared, so they hold no
//! secret.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use hallpass_client::SystemRandom;
use serde::Deserialize;
use serde_json::json;

use crate::Explorer;
use crate::answer::{Answer, Failure, Json, answer, done, told};
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::{Draft, Saved};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    name: String,
    request: Draft,
}

pub(super) async fn list(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(workspace): Path<String>,
) -> Answer {
    let workspace = Id::parse(&workspace)?;
    told(&explorer.workspace(&visitor, &workspace).await?.saved)
}

pub(super) async fn save(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(workspace): Path<String>,
    Json(wanted): Json<Wanted>,
) -> Answer {
    let workspace = Id::parse(&workspace)?;
    let (name, request) = explorer.checked(&visitor, &workspace, wanted).await?;
    let id = Id::generate(&mut SystemRandom);
    let saved = Saved {
        id: id.clone(),
        name,
        request,
    };
    explorer
        .change(&visitor, &workspace, |workspace| {
            if workspace.saved.len() >= MOST_SAVED {
                let what = format!("there are {MOST_SAVED} saved requests already");
                return Err(Failure::wrong(what, "remove some of them"));
            }
            workspace.saved.push(saved);
            Ok(())
        })
        .await?;
    Ok(answer(StatusCode::CREATED, &json!({ "id": id })))
}

pub(super) async fn replace(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((workspace, id)): Path<(String, String)>,
    Json(wanted): Json<Wanted>,
) -> Answer {
    let (workspace, id) = (Id::parse(&workspace)?, Id::parse(&id)?);
    let (name, request) = explorer.checked(&visitor, &workspace, wanted).await?;
    explorer
        .change(&visitor, &workspace, |workspace| {
            let saved = workspace.saved.iter_mut().find(|one| one.id == id);
            let saved = saved.ok_or_else(|| Failure::not_found("saved request of this name"))?;
            saved.name = name;
            saved.request = request;
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
    let (workspace, id) = (Id::parse(&workspace)?, Id::parse(&id)?);
    explorer
        .change(&visitor, &workspace, |workspace| {
            workspace.saved.retain(|one| one.id != id);
            Ok(())
        })
        .await?;
    done()
}

impl Explorer {
    /// A request that may be saved: it has a name and holds no secret.
    async fn checked(
        &self,
        visitor: &Visitor,
        id: &Id,
        wanted: Wanted,
    ) -> Result<(String, Draft), Failure> {
        let name = wanted.name.trim();
        if !is_name(name) {
            return Err(Failure::wrong(
                "a saved request needs a name of at most 100 letters",
                "write one, such as: All volumes of the first array",
            ));
        }
        let secrets = self.secrets(visitor, id).await?;
        if let Some(found) = secrets.found_in(&wanted.request) {
            return Err(Failure::wrong(
                format!("a saved request holds no secrets, but there is {found}"),
                "put the secret into a secret variable of an environment, and write {{its name}} instead",
            ));
        }
        Ok((name.to_owned(), wanted.request))
    }
}

/// Whether a request can be saved under this name.
pub(crate) fn is_name(name: &str) -> bool {
    (1..=LONGEST_NAME).contains(&name.chars().count())
}

/// How many requests a workspace holds.
pub(crate) const MOST_SAVED: usize = 500;

/// How long a name may be, in letters.
const LONGEST_NAME: usize = 100;
