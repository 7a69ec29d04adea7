//! Sets of public keys (RFC 7517 section 5): the one that is published, those that others publish,
//! and those that clients register.
//!
//! What others publish is read with patience, what a client registers without: who registers a key
//! that can never verify should hear of it then and there, and not when the first token is refused.

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::jwk::{JwkProblem, PrintedJwk, ReadJwk};
use super::public::VerifyingKey;
use crate::identifier::KeyId;

/// Most keys that can be registered together: enough for any rotation, and few enough that trying
/// all of them costs little.
pub const MOST_REGISTERED_KEYS: usize = 10;

/// Public keys. The keys are shared, so that one can stand in several sets.
#[derive(Debug, Clone, Default)]
pub struct JwkSet(Vec<Arc<VerifyingKey>>);

#[derive(Serialize)]
struct PrintedSet<'a> {
    keys: Vec<PrintedJwk<'a>>,
}

#[derive(Deserialize)]
struct ReadSet<K> {
    keys: Vec<K>,
}

/// Why a set cannot be registered. What was sent is never repeated: it may hold a private key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum JwkSetError {
    /// Not a set at all.
    #[error(
        "this is no JSON Web Key Set (line {line}, column {column}): write {{\"keys\":[…]}} with one object for each key, each of its members once (RFC 7517 section 5)"
    )]
    Unreadable {
        /// Where reading stopped.
        line: usize,
        /// Where reading stopped.
        column: usize,
    },
    /// More than [`MOST_REGISTERED_KEYS`].
    #[error("the set has {0} keys and may have 10: leave out those that do not sign any more")]
    TooMany(usize),
    /// No key at all.
    #[error("the set has no key: add the public half of an RSA, EC P-256 or Ed25519 key")]
    Empty,
    /// A key that may not be registered, or none that can be used: then it is the first.
    #[error("{key} {problem}")]
    Key {
        /// The place of the key in the set and its `kid`.
        key: String,
        /// What is wrong with it.
        problem: JwkProblem,
    },
    /// Two keys of one name.
    #[error("{key} has the `kid` of an earlier key: give each key a `kid` of its own")]
    DuplicateId {
        /// The place of the second key in the set and its `kid`.
        key: String,
    },
}

impl JwkSet {
    /// A set of these keys, in this order.
    pub fn new<K: Into<Arc<VerifyingKey>>>(keys: impl IntoIterator<Item = K>) -> Self {
        Self(keys.into_iter().map(Into::into).collect())
    }

    /// The key of that id.
    pub fn find(&self, id: &str) -> Option<&VerifyingKey> {
        self.iter().find(|key| key.id().as_str() == id)
    }

    /// The keys, in the order of publication.
    pub fn iter(&self) -> impl Iterator<Item = &VerifyingKey> {
        self.0.iter().map(Arc::as_ref)
    }

    /// The ids, in the order of publication.
    pub fn ids(&self) -> impl Iterator<Item = &KeyId> {
        self.iter().map(VerifyingKey::id)
    }

    /// The published document.
    pub fn to_json(&self) -> String {
        let set = PrintedSet {
            keys: self.iter().map(PrintedJwk::from).collect(),
        };
        serde_json::to_string(&set).unwrap_or_default()
    }

    /// Reads a document that somebody publishes. What cannot be used is passed over, as RFC 7517
    /// section 5 asks: keys of other types, uses and algorithms, damaged and weak ones, and those
    /// whose private half stands there for everybody.
    pub fn from_json(body: &[u8]) -> Result<Self, serde_json::Error> {
        let set: ReadSet<Value> = serde_json::from_slice(body)?;
        Ok(Self::new(set.keys.into_iter().filter_map(|value| {
            let jwk: ReadJwk = serde_json::from_value(value).ok()?;
            let key = jwk.verifying_key().ok()?;
            Some(match jwk.given_id() {
                Ok(Some(id)) => key.with_id(id),
                _ => key,
            })
        })))
    }

    /// Reads the public keys that a client registers. Keys of other types, uses and algorithms are
    /// passed over while another one can be used; everything else that is wrong is an error.
    pub fn read_registered(json: &[u8]) -> Result<Self, JwkSetError> {
        let set: ReadSet<ReadJwk> =
            serde_json::from_slice(json).map_err(|error| JwkSetError::Unreadable {
                line: error.line(),
                column: error.column(),
            })?;
        if set.keys.len() > MOST_REGISTERED_KEYS {
            return Err(JwkSetError::TooMany(set.keys.len()));
        }
        let mut usable = Self::default();
        let mut passed_over = None;
        for (at, jwk) in set.keys.iter().enumerate() {
            let problem = |problem| JwkSetError::Key {
                key: name(at, jwk),
                problem,
            };
            match registered_key(jwk) {
                Ok(key) if usable.find(key.id().as_str()).is_some() => {
                    return Err(JwkSetError::DuplicateId { key: name(at, jwk) });
                }
                Ok(key) => usable.0.push(Arc::new(key)),
                Err(foreign @ JwkProblem::Foreign(_)) => {
                    passed_over.get_or_insert(problem(foreign));
                }
                Err(other) => return Err(problem(other)),
            }
        }
        if usable.0.is_empty() {
            return Err(passed_over.unwrap_or(JwkSetError::Empty));
        }
        Ok(usable)
    }
}

fn registered_key(jwk: &ReadJwk) -> Result<VerifyingKey, JwkProblem> {
    let key = jwk.verifying_key()?;
    Ok(match jwk.given_id()? {
        Some(id) => key.with_id(id),
        None => key,
    })
}

/// How a message calls a key: by its place, counted from one, and its `kid`.
fn name(at: usize, jwk: &ReadJwk) -> String {
    match &jwk.kid {
        Some(kid) => {
            let short: String = kid.chars().take(64).collect();
            format!("key {} ({short:?})", at + 1)
        }
        None => format!("key {}", at + 1),
    }
}
