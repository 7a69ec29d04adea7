//! An environment as it was edited: checked, its secrets put apart, the rest written.
//!
//! New secrets are kept before the workspace says that there are any, and old ones are forgotten after it
//! says so no more, so whatever stops in between leaves nothing that points nowhere. All of it is one turn:
//! of two who save at once, one sees what the other did.

use std::collections::{HashMap, HashSet};

use hallpass_client::Secret;
use serde::Deserialize;

use super::{find, free};
use crate::Explorer;
use crate::answer::Failure;
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::environment::secret_name;
use crate::workspace::{Current, Environment, Variable};
use crate::workspaces::named;

/// An environment as the page sends it.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Changed {
    name: String,
    variables: Vec<Row>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Row {
    name: String,
    /// What it was called when the page got it; a secret moves along.
    #[serde(default)]
    was: Option<String>,
    on: bool,
    #[serde(default)]
    secret: bool,
    #[serde(default)]
    initial: String,
    #[serde(default)]
    current: Option<String>,
    /// The new value of a secret; empty forgets it. Without it the secret stays as it is.
    #[serde(default)]
    value: Option<String>,
}

/// What becomes of a secret.
enum Kept {
    /// It gets this value.
    New(Secret),
    /// It moves here from another name.
    From(String),
}

/// The parts of an edited environment, each for its place.
struct Parts {
    name: String,
    variables: Vec<Variable>,
    current: Vec<Current>,
    /// By the drawer's name.
    secrets: HashMap<String, Kept>,
    /// Names of secrets that have no value any more.
    forgotten: HashSet<String>,
}

impl Explorer {
    pub(super) async fn change_environment(
        &self,
        visitor: &Visitor,
        id: &Id,
        environment: &Id,
        changed: Changed,
    ) -> Result<(), Failure> {
        let turn = self.turn(visitor, id).await;
        let before = find(&self.workspace(visitor, id).await?, environment)?.clone();
        let parts = changed.into_parts(&before)?;
        let drawer = &visitor.drawer;
        let mut kept = Vec::new();
        for (name, value) in parts.secrets {
            let secret = match value {
                Kept::New(secret) => Some(secret),
                Kept::From(other) => drawer.secret(id, &other).await?,
            };
            kept.push((name, secret));
        }
        for (name, secret) in kept {
            drawer.keep_secret(id, &name, secret).await?;
        }
        let still: HashSet<String> = secrets(environment, &parts.variables).collect();
        turn.change(|workspace| {
            free(workspace, &parts.name, Some(environment))?;
            let mut all = workspace.environments.iter_mut();
            let one = all.find(|one| one.id == *environment);
            let one = one.ok_or_else(|| Failure::not_found("environment of this name"))?;
            one.name = parts.name;
            one.variables = parts.variables;
            Ok(())
        })
        .await?;
        turn.change_own(|own| {
            own.current.retain(|one| one.environment != *environment);
            own.current.extend(parts.current);
            Ok(())
        })
        .await?;
        let gone = secrets(environment, &before.variables).filter(|name| !still.contains(name));
        for name in parts.forgotten.into_iter().chain(gone) {
            drawer.keep_secret(id, &name, None).await?;
        }
        Ok(())
    }
}

impl Changed {
    fn into_parts(self, before: &Environment) -> Result<Parts, Failure> {
        if self.variables.len() > MOST_VARIABLES {
            return Err(Failure::wrong(
                format!("an environment can have {MOST_VARIABLES} variables"),
                "remove one, or make another environment",
            ));
        }
        let mut parts = Parts {
            name: named(&self.name)?,
            variables: Vec::new(),
            current: Vec::new(),
            secrets: HashMap::new(),
            forgotten: HashSet::new(),
        };
        for row in self.variables {
            parts.take(row, before)?;
        }
        Ok(parts)
    }
}

impl Parts {
    fn take(&mut self, row: Row, before: &Environment) -> Result<(), Failure> {
        let name = variable_name(&row.name)?;
        if self.variables.iter().any(|one| one.name == name) {
            return Err(Failure::wrong(
                format!("there are two variables {name}"),
                "give one of them another name",
            ));
        }
        let values = [Some(&row.initial), row.current.as_ref(), row.value.as_ref()];
        if values
            .into_iter()
            .flatten()
            .any(|one| one.len() > LONGEST_VALUE)
        {
            return Err(Failure::wrong(
                format!("the value of {name} is longer than {LONGEST_VALUE} bytes"),
                "make it shorter",
            ));
        }
        if row.secret {
            self.take_secret(row, name, before)
        } else {
            let current = row.current.filter(|value| !value.is_empty());
            self.current.extend(current.map(|value| Current {
                environment: before.id.clone(),
                variable: name.clone(),
                value,
            }));
            self.variables.push(Variable {
                name,
                on: row.on,
                secret: false,
                initial: row.initial,
            });
            Ok(())
        }
    }

    fn take_secret(&mut self, row: Row, name: String, before: &Environment) -> Result<(), Failure> {
        let kept = secret_name(&before.id, &name);
        if kept.len() > 200 {
            return Err(Failure::wrong(
                format!("the name {name} is too long for a secret"),
                "make it shorter",
            ));
        }
        let was = row.was.unwrap_or_else(|| name.clone());
        let earlier = before.variables.iter().find(|one| one.name == was);
        let was_secret = earlier.is_some_and(|one| one.secret);
        // What was plain until now does not stay in the file that is shared.
        let typed = || [row.current, Some(row.initial)].into_iter().flatten();
        let value = row
            .value
            .or_else(|| typed().find(|text| !was_secret && !text.is_empty()));
        match value {
            Some(value) if value.is_empty() => {
                self.forgotten.insert(kept);
            }
            Some(value) => {
                self.secrets.insert(kept, Kept::New(Secret::from(value)));
            }
            None if was_secret && was != name => {
                let from = secret_name(&before.id, &was);
                self.secrets.insert(kept, Kept::From(from));
            }
            None => {}
        }
        self.variables.push(Variable {
            name,
            on: row.on,
            secret: true,
            initial: String::new(),
        });
        Ok(())
    }
}

/// The drawer's names for the secrets among these variables.
fn secrets(environment: &Id, variables: &[Variable]) -> impl Iterator<Item = String> {
    let secret = variables.iter().filter(|variable| variable.secret);
    secret.map(|variable| secret_name(environment, &variable.name))
}

/// A variable's name: what can stand between braces without being taken for something else.
pub(crate) fn variable_name(text: &str) -> Result<String, Failure> {
    let name = text.trim();
    let taken = |letter: char| letter.is_alphanumeric() || "_-.".contains(letter);
    if !(1..=100).contains(&name.chars().count()) || !name.chars().all(taken) {
        let shown: String = name.chars().take(40).collect();
        return Err(Failure::wrong(
            format!("{shown:?} cannot be the name of a variable"),
            "use letters, digits, hyphens, dots and underscores, 100 at most",
        ));
    }
    Ok(name.to_owned())
}

/// Variables of an environment.
pub(crate) const MOST_VARIABLES: usize = 200;
/// The longest value, in bytes.
pub(crate) const LONGEST_VALUE: usize = 16 * 1024;
