//! Environments: variables that stand for what differs from place to place, such as `{{baseUrl}}`.

use serde::{Deserialize, Serialize};

use crate::id::Id;

/// Variables that belong together.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Environment {
    /// Its name here.
    pub id: Id,
    /// What the person calls it.
    pub name: String,
    /// Its variables, in order.
    #[serde(default)]
    pub variables: Vec<Variable>,
}

/// A variable.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Variable {
    /// What stands between the braces; letter case counts.
    pub name: String,
    /// Whether it is used.
    pub on: bool,
    /// Its value is a secret, kept apart under [`secret_name`]; `initial` is empty then.
    #[serde(default)]
    pub secret: bool,
    /// The value that is shared. A person's own goes before it.
    #[serde(default)]
    pub initial: String,
}

/// Under which name the drawer keeps the value of a secret variable.
pub(crate) fn secret_name(environment: &Id, variable: &str) -> String {
    let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    let variable: String = variable
        .chars()
        .map(|letter| {
            if plain(letter) {
                letter.to_string()
            } else {
                format!(".{:x}.", u32::from(letter))
            }
        })
        .collect();
    format!("environment/{environment}/{variable}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_variables_share_a_secret() {
        let environment = Id::parse("e").unwrap();
        let name = |variable| secret_name(&environment, variable);
        assert_eq!(name("client-secret_1"), "environment/e/client-secret_1");
        assert_ne!(name("ä"), name(".e4."));
        assert_ne!(name("a.b"), name("a-b"));
        assert!(
            name("ä.b")
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-./".contains(&byte))
        );
    }
}
