//! Answers as people read them. Scripts get the JSON, which has everything.

use serde_json::{Map, Value, json};

use crate::admin::{AdminCommand, CredentialCommand, KeyCommand, UserCommand};
use crate::output;

/// The answer for standard output.
pub(super) fn answer(command: &AdminCommand, answer: &Value) -> String {
    match (command, answer) {
        (AdminCommand::Credential(CredentialCommand::List(_)), Value::Object(list)) => {
            let items = list.get("items").and_then(Value::as_array);
            let rows: Vec<Value> = items.into_iter().flatten().map(credential_row).collect();
            output::readable(&Value::Array(rows))
        }
        (_, Value::Object(members)) if !members.contains_key("items") => object(members),
        _ => output::readable(answer),
    }
}

/// A credential in one line of a table.
fn credential_row(item: &Value) -> Value {
    let mut row = Map::new();
    for name in [
        "clientId",
        "name",
        "owner",
        "instance",
        "state",
        "createdAt",
        "lastUsedAt",
        "expiresAt",
    ] {
        row.insert(name.to_owned(), item[name].clone());
    }
    for name in ["secrets", "keys"] {
        let count = item[name].as_array().map_or(0, Vec::len);
        row.insert(name.to_owned(), json!(count));
    }
    Value::Object(row)
}

/// Lines for the members that say something, then a table for each list of objects.
fn object(members: &Map<String, Value>) -> String {
    let mut lines = Map::new();
    let mut tables = Vec::new();
    for (name, value) in members {
        match value {
            Value::Null => {}
            Value::Array(items) if items.is_empty() => {}
            Value::Array(items) if items.iter().all(Value::is_object) => {
                tables.push(format!("\n\n{name}\n{}", output::readable(value)));
            }
            Value::Array(items) => {
                let words: Vec<&str> = items.iter().filter_map(Value::as_str).collect();
                lines.insert(name.clone(), json!(words.join(" ")));
            }
            _ => {
                lines.insert(name.clone(), value.clone());
            }
        }
    }
    output::readable(&Value::Object(lines)) + &tables.concat()
}

/// What a person should know besides the answer; for standard error.
pub(super) fn words(command: &AdminCommand, answer: &Value) -> Vec<String> {
    let text = |name: &str| answer[name].as_str().unwrap_or_default();
    let mut words = Vec::new();
    if answer.get("clientSecret").is_some() {
        words.push(
            "The secret is not stored and cannot be shown again: copy it to a safe place."
                .to_owned(),
        );
    }
    match command {
        AdminCommand::Credential(CredentialCommand::List(_)) if is_empty_list(answer) => {
            words.push("No credential is like that.".to_owned());
        }
        AdminCommand::Credential(CredentialCommand::Rotate { .. }) => words.push(format!(
            "The old secret {} is good until {}. Tokens stay as they are.",
            text("oldSecretId"),
            text("oldSecretExpiresAt")
        )),
        AdminCommand::Credential(CredentialCommand::Disable { .. }) => words.push(
            "Its tokens are dead for good: `enable` brings back the credential, not them."
                .to_owned(),
        ),
        AdminCommand::Key(KeyCommand::Rotate | KeyCommand::Import { .. }) => words.push(format!(
            "It is published now and signs from {}: verifiers keep the keys for up to {} s and must \
             have seen it by then. Until then {} signs.",
            text("signsFrom"),
            answer["verifiersKeepKeysSeconds"],
            text("signsNow")
        )),
        AdminCommand::User(UserCommand::ResetSecondFactor(_)) => {
            let had = answer["removed"].as_bool() == Some(true);
            words.push(if had {
                "Their password alone opens their account now. They can set up another second factor \
                 on their account page."
                    .to_owned()
            } else {
                "They had no second factor; nothing was changed.".to_owned()
            });
        }
        AdminCommand::Key(KeyCommand::Remove { .. }) => words.push(key_removed(answer)),
        _ => {}
    }
    words
}

fn is_empty_list(answer: &Value) -> bool {
    answer["items"].as_array().is_some_and(Vec::is_empty)
}

fn key_removed(answer: &Value) -> String {
    let text = |name: &str| answer[name].as_str().unwrap_or_default();
    let (id, signer, kept) = (text("id"), text("signsNow"), text("keptElsewhereUntil"));
    if text("was") == "upcoming" {
        return format!("{id} had not signed anything. {signer} signs.");
    }
    format!(
        "Every token that {id} signed is dead here. {signer} signs.\n\
         Verifiers elsewhere that keep the published keys may trust it until {kept}: restart them, or \
         make them fetch the keys again."
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_there_takes_no_line_and_lists_become_tables() {
        let text = object(
            json!({"id": "a", "expiresAt": null, "keys": [], "scopes": ["x", "y"],
                   "secrets": [{"id": "s1", "state": "good"}, {"id": "s2", "state": "expired"}]})
            .as_object()
            .unwrap(),
        );
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines[..2], ["id      a", "scopes  x y"]);
        assert_eq!(lines[2..4], ["", "secrets"]);
        assert!(
            lines[4].starts_with("id") && lines[6].starts_with("s2"),
            "{text}"
        );
        assert_eq!(lines.len(), 7);
    }
}
