//! `{{name}}` in texts (domain facts, section 9, row 4): what the names stand for, and where from.
//!
//! Names are looked up in the active environment, where a person's current value goes before the
//! initial one that is shared; values may name further variables. Whatever has no value stays as it was
//! typed and is reported. `{{accessToken}}` is the current token, so that nothing has to be scripted. The text that comes out may hold secrets, so it is a [`Secret`]; what is shown
//! is masked.
//!
//! It does not know what the texts are: addresses, headers, bodies or fields of a form.

mod names;
mod substitute;

use std::collections::HashMap;

use hallpass_client::Secret;
use jiff::Timestamp;
use serde::Serialize;

use crate::Explorer;
use crate::answer::Failure;
use crate::id::Id;
use crate::tokens::Kept;
use crate::visitor::Visitor;
use crate::workspace::environment::secret_name;
use crate::workspace::{Current, Environment, Own, Variable, Workspace};

pub(crate) use names::{are_names, names};

/// A text with what its `{{names}}` stand for in their places.
#[derive(Debug)]
pub struct Resolved {
    /// The text, secrets and all.
    pub text: Secret,
    /// The text for people: each secret is `********`.
    pub masked: String,
    /// What was named, in the order in which it stands there, each once.
    pub used: Vec<Used>,
    /// The masked text cut where names stood, for showing where each piece came from.
    pub pieces: Vec<Piece>,
}

impl Resolved {
    /// The first name without a value, if there is one.
    pub fn missing(&self) -> Option<&Used> {
        self.used.iter().find(|used| used.missing)
    }

    /// Whether a secret went into the text.
    pub fn is_secret(&self) -> bool {
        self.used.iter().any(|used| used.secret)
    }
}

/// A variable that a text names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Used {
    /// Its name.
    pub name: String,
    /// Its effective value, masked; none when it is missing.
    pub value: Option<String>,
    /// Whether there is a secret in the value.
    pub secret: bool,
    /// Where the value came from: `environment EU1: baseUrl, current value`. When it is missing, why.
    pub from: String,
    /// Whether there is no value.
    pub missing: bool,
}

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Piece {
    /// The piece, masked.
    pub text: String,
    /// The variable that it came from; none for what was typed.
    pub name: Option<String>,
}

/// What names stand for in a workspace at this moment. For resolving several texts of one request.
pub struct Variables {
    visitor: Visitor,
    workspace: Id,
    now: Timestamp,
    chosen_token: Option<Id>,
    /// The name of the active environment.
    environment: Option<String>,
    known: HashMap<String, Known>,
}

/// What is known of a name.
#[derive(Debug, Clone)]
pub(crate) enum Known {
    /// A text, and where from.
    Plain { value: String, from: String },
    /// A secret that the drawer keeps under this name.
    Kept { name: String, from: String },
    /// There is no value, and why.
    Nothing(String),
}

/// What names turned out to be. Putting them into texts waits for nothing any more.
pub(crate) struct Meanings(HashMap<String, Value>);

impl Meanings {
    /// Puts them in place of the `{{names}}` of a text.
    pub(crate) fn resolve(&self, text: &str) -> Resolved {
        substitute::substitute(text, &self.0)
    }
}

/// What a name that stands in a text turned out to be.
#[derive(Debug, Clone)]
pub(crate) enum Value {
    /// A text, which may name others.
    Plain { value: String, from: String },
    /// A secret. It is taken as it is.
    Secret { value: Secret, from: String },
    /// There is none, and why.
    Nothing(String),
}

impl Explorer {
    /// Puts values in place of the `{{names}}` of a text.
    pub async fn resolve(
        &self,
        visitor: &Visitor,
        workspace: &Id,
        text: &str,
    ) -> Result<Resolved, Failure> {
        let variables = self.variables(visitor, workspace).await?;
        variables.resolve(text).await
    }

    /// What names stand for at this moment.
    pub async fn variables(&self, visitor: &Visitor, id: &Id) -> Result<Variables, Failure> {
        let workspace = self.workspace(visitor, id).await?;
        let own = self.own(visitor, id).await?;
        Ok(Variables::of(self, visitor, id, &workspace, &own))
    }
}

impl Variables {
    /// Those of the active environment.
    pub(crate) fn of(
        explorer: &Explorer,
        visitor: &Visitor,
        id: &Id,
        workspace: &Workspace,
        own: &Own,
    ) -> Self {
        let active = own.active_environment.as_ref();
        let mut environments = workspace.environments.iter();
        let environment = environments.find(|one| active == Some(&one.id));
        let known = environment.map(|environment| {
            let known = |variable: &Variable| {
                let known = Known::of(environment, variable, &own.current);
                (variable.name.clone(), known)
            };
            environment.variables.iter().map(known).collect()
        });
        Self {
            visitor: visitor.clone(),
            now: explorer.now(),
            chosen_token: own.chosen_token.clone(),
            workspace: id.clone(),
            environment: environment.map(|one| one.name.clone()),
            known: known.unwrap_or_default(),
        }
    }

    /// Puts values in place of the `{{names}}` of a text.
    pub async fn resolve(&self, text: &str) -> Result<Resolved, Failure> {
        let named = names(text).map(str::to_owned).collect();
        Ok(self.meanings(named).await?.resolve(text))
    }

    /// All names that stand for something, by name; masked.
    pub(crate) async fn all(&self) -> Result<Vec<Used>, Failure> {
        let mut names: Vec<&String> = self.known.keys().collect();
        names.sort_unstable();
        let mut text = String::new();
        for name in names {
            text.extend(["{{", name, "}}"]);
        }
        Ok(self.resolve(&text).await?.used)
    }

    /// The values of names as they are at this moment, and of those that stand in values.
    pub(crate) async fn meanings(&self, mut open: Vec<String>) -> Result<Meanings, Failure> {
        let mut values = HashMap::new();
        while let Some(name) = open.pop() {
            if values.contains_key(&name) {
                continue;
            }
            let value = self.value(&name).await?;
            if let Value::Plain { value, .. } = &value {
                open.extend(names(value).map(str::to_owned));
            }
            values.insert(name, value);
        }
        Ok(Meanings(values))
    }

    async fn value(&self, name: &str) -> Result<Value, Failure> {
        match self.known.get(name) {
            Some(Known::Plain { value, from }) => Ok(Value::Plain {
                value: value.clone(),
                from: from.clone(),
            }),
            Some(Known::Kept { name: kept, from }) => {
                let secret = self.visitor.drawer.secret(&self.workspace, kept).await?;
                Ok(secret.map_or_else(
                    || Value::Nothing(format!("{from} has no value yet")),
                    |value| Value::Secret {
                        value,
                        from: from.clone(),
                    },
                ))
            }
            Some(Known::Nothing(why)) => Ok(Value::Nothing(why.clone())),
            None if name == ACCESS_TOKEN => self.access_token().await,
            None => Ok(Value::Nothing(self.unknown())),
        }
    }

    /// The token that would be used, for those who write the header themselves (row 22).
    async fn access_token(&self) -> Result<Value, Failure> {
        let kept = Kept::of(&self.visitor, &self.workspace).await?;
        let current = kept.current(self.chosen_token.as_ref(), self.now);
        let nothing = "there is no access token that has not ended: press Get New Access Token";
        Ok(current.map_or_else(
            || Value::Nothing(nothing.to_owned()),
            |token| Value::Secret {
                value: token.value().clone(),
                from: "the current access token".to_owned(),
            },
        ))
    }

    fn unknown(&self) -> String {
        match &self.environment {
            Some(environment) => {
                format!("environment {environment} has no variable of this name")
            }
            None => "no environment is chosen".to_owned(),
        }
    }
}

/// What the current token is called, unless the environment has a variable of this name.
const ACCESS_TOKEN: &str = "accessToken";

impl Known {
    fn of(environment: &Environment, variable: &Variable, current: &[Current]) -> Self {
        let from = format!("environment {}: {}", environment.name, variable.name);
        if !variable.on {
            return Self::Nothing(format!("{from} is switched off"));
        }
        if variable.secret {
            return Self::Kept {
                name: secret_name(&environment.id, &variable.name),
                from,
            };
        }
        let is_it =
            |one: &&Current| one.environment == environment.id && one.variable == variable.name;
        let own = current.iter().find(is_it).map(|one| one.value.as_str());
        let plain = |value: &str, which| Self::Plain {
            value: value.to_owned(),
            from: format!("{from}, {which} value"),
        };
        match (own.filter(|value| !value.is_empty()), &*variable.initial) {
            (Some(value), _) => plain(value, "current"),
            (None, "") => Self::Nothing(format!("{from} has no value yet")),
            (None, value) => plain(value, "initial"),
        }
    }
}
