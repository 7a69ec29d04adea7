//! A definition as a Postman collection (format 2.1) with an environment: a tree of requests that
//! Postman, newman and others import.
//!
//! Optional parameters are there but off, since prefilled ones find nothing (domain.md section 9,
//! step 17); required ones have values from examples, so that a request can be sent as it is. The
//! same definition gives the same text: ids are made from what they name, so that two exports can be
//! compared.
//!
//! How requests get their authorization is handed in; this module does not know what it means.

mod body;
mod folders;
mod id;
mod request;

use serde_json::{Value, json};

use crate::definition::Definition;
use crate::operation::Operation;
use id::id;

/// The schema that the format is checked against.
const SCHEMA: &str = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json";

/// The variable that holds the server, without a slash at its end.
pub const BASE_URL: &str = "baseUrl";

/// What a collection has besides its requests.
#[derive(Debug, Clone, Default)]
pub struct CollectionSettings {
    /// What stands above all requests, for those who open the collection.
    pub description: String,
    /// The `auth` of the whole collection, which every request inherits.
    pub auth: Option<Value>,
    /// JavaScript, line by line, that runs before each request.
    pub before_each_request: Vec<String>,
    /// JavaScript that runs after each answer.
    pub after_each_request: Vec<String>,
    /// Variables with their values.
    pub variables: Vec<Variable>,
}

/// A variable of a collection and of its environment.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name, written `{{name}}` where it is used.
    pub name: String,
    /// Its value; of a secret, none.
    pub value: Option<String>,
}

impl Variable {
    /// A variable that anybody may see.
    pub fn open(name: &str, value: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: Some(value.to_owned()),
        }
    }

    /// A variable whose value is never written and is typed in by the user.
    pub fn secret(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            value: None,
        }
    }
}

impl Definition {
    /// The collection of these operations, in their order.
    pub fn collection(&self, operations: &[&Operation], settings: &CollectionSettings) -> Value {
        let title = if self.title().is_empty() {
            "API"
        } else {
            self.title()
        };
        let mut collection = json!({
            "info": {
                "_postman_id": id(&["collection", title]),
                "name": title,
                "description": settings.description,
                "version": self.version(),
                "schema": SCHEMA,
            },
            "item": folders::tree(self, operations),
            "variable": settings.variables.iter().map(variable).collect::<Value>(),
        });
        if self.version().is_empty() {
            let info = collection["info"].as_object_mut();
            info.and_then(|info| info.remove("version"));
        }
        if let Some(auth) = &settings.auth {
            collection["auth"] = auth.clone();
        }
        let scripts = [
            ("prerequest", &settings.before_each_request),
            ("test", &settings.after_each_request),
        ];
        let scripts = scripts.into_iter().filter(|(_, lines)| !lines.is_empty());
        let events: Vec<Value> = scripts.map(|(when, lines)| event(when, lines)).collect();
        if !events.is_empty() {
            collection["event"] = events.into();
        }
        collection
    }
}

/// An environment with these variables.
pub fn environment(name: &str, variables: &[Variable]) -> Value {
    let values = variables.iter().map(|one| {
        json!({
            "key": one.name,
            "value": one.value.as_deref().unwrap_or_default(),
            "type": if one.value.is_none() { "secret" } else { "default" },
            "enabled": true,
        })
    });
    json!({
        "id": id(&["environment", name]),
        "name": name,
        "values": values.collect::<Value>(),
        "_postman_variable_scope": "environment",
    })
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

fn event(when: &str, lines: &[String]) -> Value {
    json!({"listen": when, "script": {"type": "text/javascript", "exec": lines}})
}

fn variable(one: &Variable) -> Value {
    json!({
        "key": one.name,
        "value": one.value.as_deref().unwrap_or_default(),
        "type": if one.value.is_none() { "secret" } else { "string" },
    })
}
