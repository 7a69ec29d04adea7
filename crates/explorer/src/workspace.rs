//! What a workspace is: definitions, environments, saved requests and the settings of authorization.
//!
//! [`Workspace`] is the part that a person may share and commit; it has no field that could hold a
//! secret's value. [`Own`] is the part that stays with the person. Secrets are in neither: the drawer
//! keeps them apart, under the names that [`environment::secret_name`] gives.

pub(crate) mod authorization;
pub(crate) mod draft;
pub(crate) mod environment;
mod view;

use serde::{Deserialize, Serialize};

use crate::id::Id;

pub use crate::trust::Trust;
pub use authorization::{AuthorizationSettings, ClientAuthentication, Literal, OAuth2};
pub use draft::{Draft, DraftBody, Row, RowPlace};
pub use environment::{Environment, Variable};

/// What a person may share.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Workspace {
    /// Which layout of the file this is.
    pub format: u32,
    /// What the person calls it.
    pub name: String,
    /// The definitions, in the order of their import.
    #[serde(default)]
    pub definitions: Vec<Imported>,
    /// The environments, in the order in which they were made.
    #[serde(default)]
    pub environments: Vec<Environment>,
    /// How requests authenticate that do not say otherwise.
    #[serde(default)]
    pub authorization: AuthorizationSettings,
    /// Requests that were saved under a name.
    #[serde(default)]
    pub saved: Vec<Saved>,
}

impl Workspace {
    /// The layout that this program writes.
    pub const FORMAT: u32 = 1;

    /// An empty one.
    pub fn named(name: &str) -> Self {
        Self {
            format: Self::FORMAT,
            name: name.to_owned(),
            definitions: Vec::new(),
            environments: Vec::new(),
            authorization: AuthorizationSettings::default(),
            saved: Vec::new(),
        }
    }
}

/// A definition of a workspace. Its text is a document of its own.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Imported {
    /// Its name here.
    pub id: Id,
    /// Its title.
    pub title: String,
    /// The version of the API that it describes.
    pub version: String,
    /// What it is: `OpenAPI 3.0`.
    pub format: String,
    /// Where it came from: a file's name, a URL, `built-in`, `pasted text`.
    pub source: String,
    /// Whether it is shown as documentation too.
    pub documentation: bool,
    /// SHA-256 of the text, in hex.
    pub digest: String,
}

/// A request that was saved under a name.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Saved {
    /// Its name here.
    pub id: Id,
    /// What the person calls it.
    pub name: String,
    /// The request.
    pub request: Draft,
}

/// What stays with the person.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Own {
    /// The environment whose values are used.
    pub active_environment: Option<Id>,
    /// Values in place of the shared ones, by environment and variable. Never of secrets.
    pub current: Vec<Current>,
    /// Operations that are at hand.
    pub favourites: Vec<Favourite>,
    /// The token that was chosen in place of the newest one.
    pub chosen_token: Option<Id>,
    /// The names of secrets that were typed into settings of authorization, the oldest first.
    pub kept_secrets: Vec<String>,
    /// Where secrets may go.
    pub trust: Trust,
    /// What was sent, the newest first.
    pub history: Vec<serde_json::Value>,
}

/// A value in place of the shared one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Current {
    /// Of which environment.
    pub environment: Id,
    /// Of which variable.
    pub variable: String,
    /// The value.
    pub value: String,
}

/// An operation that is at hand.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Favourite {
    /// Of which definition.
    pub definition: Id,
    /// Its operationId.
    pub operation: String,
}
