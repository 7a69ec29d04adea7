//! What the page is shown of a workspace: all of it but the values of secrets, of which it learns
//! whether there are any.

use serde::Serialize;

use crate::Explorer;
use crate::answer::Failure;
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::environment::secret_name;
use crate::workspace::{AuthorizationSettings, Environment, Favourite, Imported, Own, Saved};

/// A workspace as the page knows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct View {
    id: Id,
    name: String,
    /// Whether it runs on the person's own machine.
    local: bool,
    definitions: Vec<Imported>,
    environments: Vec<EnvironmentView>,
    active_environment: Option<Id>,
    authorization: AuthorizationSettings,
    saved: Vec<Saved>,
    favourites: Vec<Favourite>,
    /// The names of the profiles of this person's command line.
    profiles: Vec<String>,
}

/// An environment as the page knows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct EnvironmentView {
    id: Id,
    name: String,
    variables: Vec<VariableView>,
}

/// A variable as the page knows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct VariableView {
    name: String,
    on: bool,
    secret: bool,
    /// The shared value; empty for a secret.
    initial: String,
    /// The person's own value, if there is one; never of a secret.
    current: Option<String>,
    /// Whether there is a value: for a secret, whether one is kept.
    set: bool,
}

impl View {
    /// The environments.
    pub(crate) fn environments(&self) -> &[EnvironmentView] {
        &self.environments
    }
}

impl Explorer {
    /// What the page is shown of a workspace.
    pub(crate) async fn view(&self, visitor: &Visitor, id: &Id) -> Result<View, Failure> {
        let workspace = self.workspace(visitor, id).await?;
        let own = self.own(visitor, id).await?;
        let mut environments = Vec::new();
        for environment in workspace.environments {
            environments.push(
                self.environment_view(visitor, id, environment, &own)
                    .await?,
            );
        }
        Ok(View {
            id: id.clone(),
            name: workspace.name,
            local: self.surroundings.is_local(),
            definitions: workspace.definitions,
            environments,
            active_environment: own.active_environment,
            authorization: workspace.authorization,
            saved: workspace.saved,
            favourites: own.favourites,
            profiles: self.surroundings.profiles(),
        })
    }

    /// What the page is shown of an environment.
    pub(crate) async fn environment_view(
        &self,
        visitor: &Visitor,
        workspace: &Id,
        environment: Environment,
        own: &Own,
    ) -> Result<EnvironmentView, Failure> {
        let mut variables = Vec::new();
        for variable in environment.variables {
            let is_it = |one: &&crate::workspace::Current| {
                one.environment == environment.id && one.variable == variable.name
            };
            let current = own.current.iter().find(is_it).map(|one| one.value.clone());
            let set = if variable.secret {
                let name = secret_name(&environment.id, &variable.name);
                visitor.drawer.secret(workspace, &name).await?.is_some()
            } else {
                current.is_some() || !variable.initial.is_empty()
            };
            variables.push(VariableView {
                name: variable.name,
                on: variable.on,
                secret: variable.secret,
                initial: variable.initial,
                current: current.filter(|_| !variable.secret),
                set,
            });
        }
        Ok(EnvironmentView {
            id: environment.id,
            name: environment.name,
            variables,
        })
    }
}
