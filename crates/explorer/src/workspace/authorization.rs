//! How requests authenticate: set once at the root of a workspace, overridable for one request.
//!
//! The fields and their names are those of the form that people know (domain facts, section 9, rows
//! 10 to 15).

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::variables::are_names;

/// What a request authenticates with.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(
    tag = "type",
    rename_all = "camelCase",
    rename_all_fields = "camelCase"
)]
pub enum AuthorizationSettings {
    /// Nothing.
    None,
    /// An access token that is got with client credentials.
    #[serde(rename = "oauth2")]
    OAuth2(Box<OAuth2>),
    /// A token that somebody got elsewhere. It is kept apart, as a secret.
    Bearer {
        /// What stands before it in the header.
        header_prefix: String,
        /// `{{variable}}`, or a token kept apart.
        token: Literal,
    },
    /// A profile of the command line: its addresses, credential and tokens.
    Profile {
        /// Its name.
        profile: String,
    },
}

/// The form "Configure New Token".
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct OAuth2 {
    /// What a new token is called.
    pub token_name: String,
    /// The only grant there is for programs.
    pub grant_type: GrantType,
    /// Where tokens are asked for. May hold `{{variables}}`, as all texts here.
    pub access_token_url: String,
    /// The client id.
    pub client_id: String,
    /// The client secret: `{{variable}}`, or one kept apart.
    pub client_secret: Literal,
    /// The scope; none if empty.
    pub scope: String,
    /// How id and secret are sent.
    pub client_authentication: ClientAuthentication,
    /// What stands before the token in the header.
    pub header_prefix: String,
    /// Where the token is put.
    pub add_to: AddTo,
    /// Whether a new token is got when the old one has ended or is refused.
    pub renew: bool,
}

/// A text that is either a reference to variables, which may be shared, or a secret, which is kept
/// apart by the drawer. What is read as a reference and is more than names is refused: it would be
/// kept, shared and shown as it is.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind", try_from = "Written")]
pub enum Literal {
    /// There is none.
    #[default]
    Empty,
    /// `{{variable}}`.
    Reference {
        /// The text.
        text: String,
    },
    /// Kept apart, under this name.
    Kept {
        /// The name that the drawer knows it by.
        name: String,
    },
}

/// The same as it stands in JSON.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase", tag = "kind")]
enum Written {
    Empty,
    Reference { text: String },
    Kept { name: String },
}

impl TryFrom<Written> for Literal {
    type Error = &'static str;

    fn try_from(written: Written) -> Result<Self, Self::Error> {
        Ok(match written {
            Written::Empty => Self::Empty,
            Written::Kept { name } => Self::Kept { name },
            Written::Reference { text } if are_names(&text) => Self::Reference { text },
            Written::Reference { .. } => {
                return Err("a reference is {{a name}} and nothing else");
            }
        })
    }
}

impl Literal {
    /// Empties whatever calls itself a reference in stored settings and is none; tells whether there was
    /// something.
    pub(crate) fn empty_texts(stored: &mut Value) -> bool {
        let mut emptied = false;
        for field in ["clientSecret", "token"] {
            let Some(literal) = stored.get_mut(field) else {
                continue;
            };
            let text = literal["text"].as_str().unwrap_or_default();
            if literal["kind"] == "reference" && !are_names(text) {
                *literal = serde_json::json!({ "kind": "empty" });
                emptied = true;
            }
        }
        emptied
    }
}

/// The grants there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// RFC 6749, section 4.4.
    #[default]
    ClientCredentials,
}

/// How id and secret are sent (RFC 6749, section 2.3.1).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum ClientAuthentication {
    /// As fields of the form.
    #[default]
    Body,
    /// As HTTP Basic authentication.
    Basic,
}

/// Where the token is put (RFC 6750, section 2).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum AddTo {
    /// The header `Authorization`.
    #[default]
    Header,
}

impl AuthorizationSettings {
    /// What stands before the token in the header; none where no token is sent.
    pub fn header_prefix(&self) -> Option<&str> {
        match self {
            Self::None => None,
            Self::OAuth2(settings) => Some(&settings.header_prefix),
            Self::Bearer { header_prefix, .. } => Some(header_prefix),
            Self::Profile { .. } => Some("Bearer"),
        }
    }
}

impl Default for OAuth2 {
    fn default() -> Self {
        Self {
            token_name: String::new(),
            grant_type: GrantType::default(),
            access_token_url: String::new(),
            client_id: String::new(),
            client_secret: Literal::default(),
            scope: String::new(),
            client_authentication: ClientAuthentication::default(),
            header_prefix: "Bearer".to_owned(),
            add_to: AddTo::default(),
            renew: true,
        }
    }
}

impl Default for AuthorizationSettings {
    fn default() -> Self {
        Self::OAuth2(Box::default())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_reference_is_names_and_nothing_else() {
        let read = |text: &str| {
            serde_json::from_value::<Literal>(json!({"kind": "reference", "text": text}))
        };
        for text in ["{{a}}", " {{a}}{{ b }} "] {
            let text = text.to_owned();
            assert_eq!(read(&text).unwrap(), Literal::Reference { text });
        }
        for text in ["", "planted", "{{a}}planted", "{{a}", "{{a}} {{b}}"] {
            let refused = read(text).unwrap_err().to_string();
            assert!(!refused.contains("planted"), "{refused}");
        }
        for other in [
            Literal::Empty,
            Literal::Kept {
                name: "n".to_owned(),
            },
        ] {
            let written = serde_json::to_value(&other).unwrap();
            assert_eq!(serde_json::from_value::<Literal>(written).unwrap(), other);
        }
    }
}
