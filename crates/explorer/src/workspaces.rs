//! Workspaces: listing, making, renaming, removing, and what the page shows of one.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use hallpass_client::SystemRandom;
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::Explorer;
use crate::answer::{Answer, Failure, Json, answer, done, told};
use crate::drawer::Document;
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::authorization::OAuth2;
use crate::workspace::{AuthorizationSettings, Environment, Favourite, Workspace};

pub(crate) fn routes() -> Router<Arc<Explorer>> {
    Router::new()
        .route("/explorer/api/workspaces", get(list).post(create))
        .route(
            "/explorer/api/w/{workspace}",
            get(show).patch(change).delete(remove),
        )
        .route("/explorer/api/w/{workspace}/favourites", put(favourites))
        .route("/explorer/api/regions", get(regions))
}

/// A workspace in a list.
#[derive(Debug, Serialize)]
pub(crate) struct Listed {
    pub(crate) id: Id,
    pub(crate) name: String,
    /// The titles of its definitions.
    pub(crate) definitions: Vec<String>,
    /// Why it cannot be shown. The others can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<String>,
}

/// A new workspace.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct New {
    pub(crate) name: String,
    /// Whether it begins with the definition that comes with the program.
    #[serde(default)]
    pub(crate) built_in: bool,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Changes {
    name: Option<String>,
    active_environment: Option<Id>,
}

async fn list(State(explorer): State<Arc<Explorer>>, visitor: Visitor) -> Answer {
    told(&explorer.list(&visitor).await?)
}

async fn create(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Json(new): Json<New>,
) -> Answer {
    let id = explorer.create(&visitor, new).await?;
    Ok(answer(StatusCode::CREATED, &json!({ "id": id })))
}

async fn show(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Answer {
    let id = Id::parse(&id)?;
    told(&explorer.view(&visitor, &id).await?)
}

async fn change(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(changes): Json<Changes>,
) -> Answer {
    let id = Id::parse(&id)?;
    let workspace = explorer.workspace(&visitor, &id).await?;
    if let Some(name) = changes.name {
        let name = named(&name)?;
        explorer
            .change(&visitor, &id, |workspace| {
                workspace.name = name;
                Ok(())
            })
            .await?;
    }
    if let Some(environment) = changes.active_environment {
        let known = |one: &Environment| one.id == environment;
        if !workspace.environments.iter().any(known) {
            return Err(Failure::not_found("environment of this name"));
        }
        explorer
            .change_own(&visitor, &id, |own| {
                own.active_environment = Some(environment);
                Ok(())
            })
            .await?;
    }
    done()
}

async fn remove(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Answer {
    let id = Id::parse(&id)?;
    let _turn = explorer.turn(&visitor, &id).await;
    // One that cannot be read any more can be removed all the same.
    let there = visitor.drawer.read(&id, &Document::Workspace).await?;
    there.ok_or_else(|| Failure::not_found("workspace of this name"))?;
    visitor.drawer.remove_workspace(&id).await?;
    done()
}

async fn favourites(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(favourites): Json<Vec<Favourite>>,
) -> Answer {
    let id = Id::parse(&id)?;
    if favourites.len() > MOST_FAVOURITES {
        return Err(Failure::wrong(
            format!("there can be {MOST_FAVOURITES} favourites"),
            "remove one first",
        ));
    }
    explorer
        .change_own(&visitor, &id, |own| {
            own.favourites = favourites;
            Ok(())
        })
        .await?;
    done()
}

async fn regions(State(explorer): State<Arc<Explorer>>, _visitor: Visitor) -> Answer {
    told(&explorer.surroundings.regions())
}

impl Explorer {
    /// The visitor's workspaces by name.
    pub(crate) async fn list(&self, visitor: &Visitor) -> Result<Vec<Listed>, Failure> {
        let mut listed = Vec::new();
        for id in visitor.drawer.workspaces().await? {
            let (name, definitions, problem) = match self.workspace(visitor, &id).await {
                Ok(workspace) => (workspace.name, workspace.definitions, None),
                // It was removed in this moment.
                Err(failure) if failure.status() == StatusCode::NOT_FOUND => continue,
                Err(failure) => (id.to_string(), Vec::new(), Some(failure.to_string())),
            };
            listed.push(Listed {
                id,
                name,
                definitions: definitions.into_iter().map(|one| one.title).collect(),
                problem,
            });
        }
        listed.sort_by_cached_key(|one| (one.name.to_lowercase(), one.id.clone()));
        Ok(listed)
    }

    /// Whether there can be one more.
    pub(crate) async fn has_room(&self, visitor: &Visitor) -> Result<(), Failure> {
        if visitor.drawer.workspaces().await?.len() >= MOST_WORKSPACES {
            return Err(Failure::wrong(
                format!("there can be {MOST_WORKSPACES} workspaces"),
                "remove one first",
            ));
        }
        Ok(())
    }

    /// Makes a workspace: with an environment for each place where the API is, and the settings of
    /// authorization filled in as far as they are known.
    pub(crate) async fn create(&self, visitor: &Visitor, new: New) -> Result<Id, Failure> {
        let name = named(&new.name)?;
        self.has_room(visitor).await?;
        let id = Id::generate(&mut SystemRandom);
        let mut workspace = Workspace::named(&name);
        workspace.authorization = AuthorizationSettings::OAuth2(Box::new(OAuth2 {
            access_token_url: self.surroundings.token_url(),
            ..OAuth2::default()
        }));
        let regions = self.surroundings.regions();
        let places = regions.into_iter();
        workspace.environments = places
            .map(|place| Environment::of_region(place, None))
            .collect();
        self.write(visitor, &id, &Document::Workspace, &workspace)
            .await?;
        if let Some(first) = workspace.environments.first() {
            let first = first.id.clone();
            self.change_own(visitor, &id, |own| {
                own.active_environment = Some(first);
                Ok(())
            })
            .await?;
        }
        if new.built_in {
            let text = bytes::Bytes::from_static(self.surroundings.built_in().as_bytes());
            self.import(visitor, &id, "built-in", text, true).await?;
        }
        Ok(id)
    }
}

/// A name of something, as a person types it.
pub(crate) fn named(text: &str) -> Result<String, Failure> {
    let name = text.trim();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(Failure::wrong(
            "a name has 1 to 100 characters and no line breaks",
            "type another name",
        ));
    }
    Ok(name.to_owned())
}

const MOST_WORKSPACES: usize = 50;
const MOST_FAVOURITES: usize = 500;
