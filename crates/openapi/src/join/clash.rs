//! What keeps definitions from being joined: a request or a name that would mean two operations.

use std::collections::HashMap;
use std::fmt;

use http::Method;
use thiserror::Error;

use crate::Definition;
use crate::operation::Operation;
use crate::route::{Routes, Unreachable, base, pattern};

/// Why definitions cannot be served side by side. Definitions are called as they were named.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum JoinError {
    /// A method and a path that two of them have; names of parameters make no difference.
    #[error("{first} and {second} both say what `{request}` does{}", More(*more))]
    SameRequest {
        /// Where it is first.
        first: String,
        /// Where it is again.
        second: String,
        /// Method and path.
        request: String,
        /// How many more requests any two of them have in common.
        more: usize,
    },
    /// A name that operations of two of them have.
    #[error("{first} and {second} both have an operation called `{id}`{}", More(*more))]
    SameName {
        /// Where it is first.
        first: String,
        /// Where it is again.
        second: String,
        /// The name.
        id: String,
        /// How many more names any two of them have in common.
        more: usize,
    },
    /// A path that cannot be told from those of the definitions before.
    #[error("`{request}` of {of} cannot be told from the paths of the other definitions: {reason}")]
    Ambiguous {
        /// Where it is.
        of: String,
        /// Method and path.
        request: String,
        /// What is in the way.
        reason: String,
    },
}

impl JoinError {
    /// What to do.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::SameRequest { .. } => {
                "a request can have one definition only: leave one of the two out, or take the \
                 operation out of one of them"
            }
            Self::SameName { .. } => {
                "operations are called by their names: give one of the two another `operationId`"
            }
            Self::Ambiguous { .. } => {
                "leave one of the definitions out, or take the operation out of its file"
            }
        }
    }
}

struct More(usize);

impl fmt::Display for More {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0 => Ok(()),
            more => write!(f, ", and {more} more like it"),
        }
    }
}

/// Refuses definitions that have a request or a name in common.
pub(super) fn check(named: &[(&str, &Definition)]) -> Result<(), JoinError> {
    let mut requests: HashMap<(Method, String), usize> = HashMap::new();
    let mut names: HashMap<&str, usize> = HashMap::new();
    let mut same_requests = Vec::new();
    let mut same_names = Vec::new();
    for (index, (_, definition)) in named.iter().enumerate() {
        let servers = definition.server_urls();
        let mut bases: Vec<&str> = servers.iter().map(|server| base(server)).collect();
        bases.push("");
        for operation in definition.operations() {
            let mut others = bases.iter().filter_map(|base| {
                let (pattern, _) = pattern(&[base, operation.path()].concat());
                let key = (operation.method().clone(), pattern);
                let other = *requests.entry(key).or_insert(index);
                (other != index).then_some(other)
            });
            // The iterator is used up, so that every form of the request is known.
            let first = others.next();
            others.for_each(drop);
            same_requests.extend(first.map(|other| (other, index, operation)));
            let other = *names.entry(operation.id()).or_insert(index);
            same_names.extend((other != index).then_some((other, index, operation)));
        }
    }
    let name = |index: usize| named[index].0.to_owned();
    if let Some((first, second, operation)) = same_requests.first() {
        return Err(JoinError::SameRequest {
            first: name(*first),
            second: name(*second),
            request: request(operation),
            more: same_requests.len() - 1,
        });
    }
    if let Some((first, second, operation)) = same_names.first() {
        return Err(JoinError::SameName {
            first: name(*first),
            second: name(*second),
            id: operation.id().to_owned(),
            more: same_names.len() - 1,
        });
    }
    Ok(())
}

/// Refuses operations that only the other definitions keep from being reached.
pub(super) fn check_reachable(
    named: &[(&str, &Definition)],
    operations: &[Operation],
    unreachable: &[Unreachable],
) -> Result<(), JoinError> {
    if unreachable.is_empty() {
        return Ok(());
    }
    let mut start = 0;
    for (name, definition) in named {
        let alone = Routes::new(definition.operations()).1;
        let alone: Vec<usize> = alone.iter().map(|one| start + position(one)).collect();
        let end = start + definition.operations().len();
        let own = unreachable.iter().find(|one| {
            let position = position(one);
            (start..end).contains(&position) && !alone.contains(&position)
        });
        if let Some(Unreachable::Ambiguous { operation, reason }) = own {
            return Err(JoinError::Ambiguous {
                of: (*name).to_owned(),
                request: request(&operations[*operation]),
                reason: reason.clone(),
            });
        }
        start = end;
    }
    Ok(())
}

fn position(unreachable: &Unreachable) -> usize {
    match unreachable {
        Unreachable::SameAs { operation, .. } | Unreachable::Ambiguous { operation, .. } => {
            *operation
        }
    }
}

fn request(operation: &Operation) -> String {
    format!("{} {}", operation.method(), operation.path())
}
