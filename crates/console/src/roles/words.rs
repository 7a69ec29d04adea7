//! Whether the words of a role mean something here: a mistyped one would make a role that permits
//! nothing, and nobody would notice. What a role has already may stay: another definition may have been
//! loaded when it was made. Does not know whether a text is a permission at all; that is read before.

use std::collections::BTreeSet;

use hallpass_access::{Permission, PermissionPattern, PermissionSet, Role};
use hallpass_openapi::near;

use crate::Console;
use crate::operations::permissions;

/// A word that no operation asks for.
#[derive(Debug, thiserror::Error)]
#[error("no operation asks for `{word}`{}", meant(.near))]
pub(super) struct UnknownWord {
    word: String,
    /// Words that look like it.
    near: Vec<String>,
}

impl Console {
    /// Refuses a word that stands for no operation, unless the role `before` had it.
    pub(super) fn check_words(
        &self,
        wanted: &PermissionSet,
        before: Option<&PermissionSet>,
    ) -> Result<(), UnknownWord> {
        let known = permissions([&*self.operations, &*self.platform_operations]);
        let words = wanted.words().into_iter();
        let mut unknown = words.filter(|word| {
            let had = before.is_some_and(|before| permits_all(before, word));
            !had && !is_known(word, &known)
        });
        match unknown.next() {
            None => Ok(()),
            Some(word) => Err(UnknownWord {
                near: like(&word, &known),
                word,
            }),
        }
    }
}

fn permits_all(before: &PermissionSet, word: &str) -> bool {
    let set = word.parse::<PermissionSet>();
    set.is_ok_and(|set| set.without(before).is_empty())
}

/// Whether an operation asks for it, or a role that is built in names it: whoever makes one like that is
/// to find its words good.
fn is_known(word: &str, known: &BTreeSet<Permission>) -> bool {
    let Ok(pattern) = word.parse::<PermissionPattern>() else {
        return false;
    };
    let Some(resource) = pattern.resource() else {
        return true;
    };
    let asked = known.iter().any(|permission| pattern.covers(permission));
    let named = |role: Role| {
        let set = role.permissions();
        let verb = pattern.verb();
        verb.is_some_and(|verb| set.names(resource, verb))
    };
    asked || Role::ALL.into_iter().any(named)
}

/// Single permissions and all of a resource, as they look like a word.
fn like(word: &str, known: &BTreeSet<Permission>) -> Vec<String> {
    let single = known.iter().map(ToString::to_string);
    let all = known.iter().map(|one| format!("{}.*", one.resource()));
    let words: BTreeSet<String> = if word.ends_with(".*") {
        all.collect()
    } else {
        single.collect()
    };
    near(word, words.iter().map(String::as_str))
}

fn meant(near: &[String]) -> String {
    match near {
        [] => String::new(),
        near => format!("; did you mean `{}`?", near.join("` or `")),
    }
}
