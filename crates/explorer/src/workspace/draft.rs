//! A request as a person fills it in.

use serde::{Deserialize, Serialize};

use crate::id::Id;
use crate::workspace::AuthorizationSettings;

/// A request that is being filled in.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Draft {
    /// The definition and the operation that it is a request of; none when the person wrote the
    /// address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub definition: Option<Id>,
    /// The operationId.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// The method. With an operation, the operation's.
    pub method: String,
    /// The address: `{{baseUrl}}` and the path, with `{names}` of path parameters.
    pub url: String,
    /// Parameters.
    #[serde(default)]
    pub parameters: Vec<Row>,
    /// Headers that no parameter is for.
    #[serde(default)]
    pub headers: Vec<Row>,
    /// The body.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub body: Option<DraftBody>,
    /// How it authenticates, when it does not inherit that from the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub authorization: Option<AuthorizationSettings>,
}

/// A name and a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Row {
    /// The name.
    pub name: String,
    /// Where it goes.
    #[serde(rename = "in", default)]
    pub place: RowPlace,
    /// The value as typed; may hold `{{variables}}`. Of a list, the items one below the other.
    pub value: String,
    /// Whether it is sent.
    pub on: bool,
}

/// Where a value goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RowPlace {
    /// Into the path.
    Path,
    /// Into the query.
    Query,
    /// Into a header.
    #[default]
    Header,
    /// Into a cookie.
    Cookie,
}

/// The body as text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DraftBody {
    /// What it is.
    pub media_type: String,
    /// The text; may hold `{{variables}}`.
    pub text: String,
}
