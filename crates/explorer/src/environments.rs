//! Environments as the page changes them (domain facts, section 9, rows 4 and 5): made, copied, filled
//! in, removed; and what their names stand for at the moment.
//!
//! A secret's value goes to where the drawer keeps secrets and comes back to nobody. What is shared (the
//! initial values) and what is a person's own (the current ones) are written apart.

mod change;

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post, put};
use hallpass_client::SystemRandom;
use serde::Deserialize;
use serde_json::json;

use crate::Explorer;
use crate::answer::{Answer, Failure, Json, answer, done, told};
use crate::id::Id;
use crate::visitor::{Region, Visitor};
use crate::workspace::environment::secret_name;
use crate::workspace::{Environment, Variable, Workspace};
use crate::workspaces::named;

use change::Changed;
pub(crate) use change::{LONGEST_VALUE, MOST_VARIABLES, variable_name};

pub(crate) fn routes() -> Router<Arc<Explorer>> {
    let base = "/explorer/api/w/{workspace}";
    Router::new()
        .route(&format!("{base}/environments"), get(list).post(create))
        .route(
            &format!("{base}/environments/{{environment}}"),
            put(change).delete(remove),
        )
        .route(&format!("{base}/variables"), get(variables))
        .route(&format!("{base}/variables/look"), post(look))
}

/// A new environment: empty, for a place where the API is, or like another one.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct New {
    name: String,
    region: Option<String>,
    copy_of: Option<Id>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Texts {
    texts: Vec<String>,
}

async fn list(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Answer {
    told(
        explorer
            .view(&visitor, &Id::parse(&id)?)
            .await?
            .environments(),
    )
}

async fn create(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(new): Json<New>,
) -> Answer {
    let made = explorer
        .make_environment(&visitor, &Id::parse(&id)?, new)
        .await?;
    Ok(answer(StatusCode::CREATED, &json!({ "id": made })))
}

async fn change(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((id, environment)): Path<(String, String)>,
    Json(changed): Json<Changed>,
) -> Answer {
    let (id, environment) = (Id::parse(&id)?, Id::parse(&environment)?);
    explorer
        .change_environment(&visitor, &id, &environment, changed)
        .await?;
    let workspace = explorer.workspace(&visitor, &id).await?;
    let own = explorer.own(&visitor, &id).await?;
    let changed = find(&workspace, &environment)?.clone();
    let view = explorer.environment_view(&visitor, &id, changed, &own);
    told(&view.await?)
}

async fn remove(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((id, environment)): Path<(String, String)>,
) -> Answer {
    let (id, environment) = (Id::parse(&id)?, Id::parse(&environment)?);
    explorer
        .remove_environment(&visitor, &id, &environment)
        .await?;
    done()
}

async fn variables(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
) -> Answer {
    let variables = explorer.variables(&visitor, &Id::parse(&id)?).await?;
    told(&variables.all().await?)
}

async fn look(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(id): Path<String>,
    Json(Texts { texts }): Json<Texts>,
) -> Answer {
    if texts.len() > MOST_TEXTS || texts.iter().any(|text| text.len() > LONGEST_TEXT) {
        return Err(Failure::wrong(
            format!("at most {MOST_TEXTS} texts of {LONGEST_TEXT} bytes are looked at"),
            "ask for less at once",
        ));
    }
    let variables = explorer.variables(&visitor, &Id::parse(&id)?).await?;
    let mut looked = Vec::new();
    for text in &texts {
        let resolved = variables.resolve(text).await?;
        let (masked, used) = (resolved.masked, resolved.used);
        looked.push(json!({ "masked": masked, "used": used, "pieces": resolved.pieces }));
    }
    told(&looked)
}

impl Environment {
    /// The environment for a place where the API is.
    pub(crate) fn of_region(region: Region, name: Option<String>) -> Self {
        let plain = |name: &str, initial: String| Variable {
            name: name.to_owned(),
            on: true,
            secret: false,
            initial,
        };
        let usual = || format!("{} ({})", region.title, region.name);
        Self {
            id: Id::generate(&mut SystemRandom),
            name: name.unwrap_or_else(usual),
            variables: vec![
                plain("baseUrl", region.base_url),
                plain("region", region.name),
            ],
        }
    }
}

impl Explorer {
    async fn make_environment(&self, visitor: &Visitor, id: &Id, new: New) -> Result<Id, Failure> {
        let name = named(&new.name)?;
        let mut environment = match &new.region {
            Some(wanted) => {
                let mut regions = self.surroundings.regions().into_iter();
                let region = regions.find(|region| region.name == *wanted);
                let region = region.ok_or_else(|| Failure::not_found("region of this name"))?;
                Environment::of_region(region, Some(name.clone()))
            }
            None => Environment {
                id: Id::generate(&mut SystemRandom),
                name: name.clone(),
                variables: Vec::new(),
            },
        };
        let turn = self.turn(visitor, id).await;
        if let Some(other) = &new.copy_of {
            let workspace = self.workspace(visitor, id).await?;
            let other = find(&workspace, other)?;
            environment.variables.clone_from(&other.variables);
            self.copy_secrets(visitor, id, other, &environment).await?;
        }
        let made = environment.id.clone();
        turn.change(|workspace| {
            if workspace.environments.len() >= MOST_ENVIRONMENTS {
                return Err(Failure::wrong(
                    format!("there can be {MOST_ENVIRONMENTS} environments"),
                    "remove one first",
                ));
            }
            free(workspace, &name, None)?;
            workspace.environments.push(environment);
            Ok(())
        })
        .await?;
        turn.change_own(|own| {
            if let Some(other) = &new.copy_of {
                let copies = own.current.iter().filter(|one| one.environment == *other);
                let copies: Vec<_> = copies.cloned().collect();
                own.current.extend(copies.into_iter().map(|mut copy| {
                    copy.environment = made.clone();
                    copy
                }));
            }
            own.active_environment.get_or_insert(made.clone());
            Ok(())
        })
        .await?;
        Ok(made)
    }

    async fn copy_secrets(
        &self,
        visitor: &Visitor,
        id: &Id,
        from: &Environment,
        to: &Environment,
    ) -> Result<(), Failure> {
        for variable in from.variables.iter().filter(|variable| variable.secret) {
            let secret = secret_name(&from.id, &variable.name);
            let secret = visitor.drawer.secret(id, &secret).await?;
            if secret.is_some() {
                let copy = secret_name(&to.id, &variable.name);
                visitor.drawer.keep_secret(id, &copy, secret).await?;
            }
        }
        Ok(())
    }

    async fn remove_environment(
        &self,
        visitor: &Visitor,
        id: &Id,
        environment: &Id,
    ) -> Result<(), Failure> {
        let turn = self.turn(visitor, id).await;
        let (removed, next) = turn
            .change(|workspace| {
                let removed = find(workspace, environment)?.clone();
                workspace.environments.retain(|one| one.id != *environment);
                let next = workspace.environments.first().map(|one| one.id.clone());
                Ok((removed, next))
            })
            .await?;
        turn.change_own(|own| {
            own.current.retain(|one| one.environment != *environment);
            if own.active_environment.as_ref() == Some(environment) {
                own.active_environment = next;
            }
            Ok(())
        })
        .await?;
        for variable in removed.variables.iter().filter(|variable| variable.secret) {
            let secret = secret_name(environment, &variable.name);
            visitor.drawer.keep_secret(id, &secret, None).await?;
        }
        Ok(())
    }
}

/// The environment of this id.
fn find<'a>(workspace: &'a Workspace, id: &Id) -> Result<&'a Environment, Failure> {
    let mut environments = workspace.environments.iter();
    let found = environments.find(|one| one.id == *id);
    found.ok_or_else(|| Failure::not_found("environment of this name"))
}

/// Refuses a name that another environment has: nobody could tell which one is active.
fn free(workspace: &Workspace, name: &str, but: Option<&Id>) -> Result<(), Failure> {
    let mut others = workspace.environments.iter();
    if others.any(|one| one.name == name && Some(&one.id) != but) {
        return Err(Failure::wrong(
            format!("there is an environment {name:?} already"),
            "type another name",
        ));
    }
    Ok(())
}

/// Environments of a workspace.
pub(crate) const MOST_ENVIRONMENTS: usize = 50;
/// How much is looked at in one request.
const MOST_TEXTS: usize = 50;
const LONGEST_TEXT: usize = 32 * 1024;
