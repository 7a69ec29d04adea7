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

    /// Whether every key of `other` is in this set, under whatever id.
    pub fn keeps_all_of(&self, other: &Self) -> bool {
        other
            .iter()
            .all(|key| self.iter().any(|known| known.is_same_key(key)))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::key::tests::{RFC7515_A2_N, RFC7515_A3, RFC7517_A_EC, RFC7638_N, RFC8037_X};
    use crate::key::{KeySpec, SigningKey, Weakness};

    fn jwk(spec: KeySpec) -> Value {
        let key = SigningKey::generate(spec).unwrap();
        let set = JwkSet::new([key.public_key().unwrap()]).to_json();
        serde_json::from_str::<Value>(&set).unwrap()["keys"][0].take()
    }

    fn with(mut jwk: Value, member: &str, value: impl Into<Value>) -> Value {
        jwk[member] = value.into();
        jwk
    }

    fn without(mut jwk: Value, member: &str) -> Value {
        jwk.as_object_mut().unwrap().remove(member).unwrap();
        jwk
    }

    fn register(keys: &[Value]) -> Result<JwkSet, JwkSetError> {
        JwkSet::read_registered(json!({ "keys": keys }).to_string().as_bytes())
    }

    fn problem(keys: &[Value]) -> JwkProblem {
        match register(keys).unwrap_err() {
            JwkSetError::Key { problem, .. } => problem,
            other => panic!("{other}"),
        }
    }

    fn published(keys: &[Value]) -> usize {
        let body = json!({ "keys": keys }).to_string();
        JwkSet::from_json(body.as_bytes()).unwrap().ids().count()
    }

    #[test]
    fn the_members_stand_in_one_order_and_only_public_ones_are_printed() {
        for (spec, members) in [
            (
                KeySpec::Rsa2048,
                &["kty", "use", "alg", "kid", "n", "e"][..],
            ),
            (
                KeySpec::EcP256,
                &["kty", "use", "alg", "kid", "crv", "x", "y"],
            ),
            (KeySpec::Ed25519, &["kty", "use", "alg", "kid", "crv", "x"]),
        ] {
            let jwk = jwk(spec);
            let names: Vec<&String> = jwk.as_object().unwrap().keys().collect();
            assert_eq!(names, members);
            assert_eq!(jwk["alg"], spec.algorithm().as_str());
        }
    }

    #[test]
    fn one_key_stands_in_several_sets() {
        let key = SigningKey::generate(KeySpec::Ed25519).unwrap();
        let key = Arc::new(key.public_key().unwrap());
        let first = JwkSet::new([key.clone()]);
        let second = JwkSet::new(vec![key.clone()]);
        assert!(std::ptr::eq(
            first.find(key.id().as_str()).unwrap(),
            second.clone().iter().next().unwrap()
        ));
        assert!(first.find("other").is_none());
    }

    #[test]
    fn what_somebody_publishes_is_read_with_patience() {
        let good = jwk(KeySpec::EcP256);
        assert_eq!(published(std::slice::from_ref(&good)), 1);
        for odd in [
            with(good.clone(), "use", "enc"),
            with(good.clone(), "alg", "ES384"),
            with(good.clone(), "alg", "RS256"),
            with(good.clone(), "key_ops", json!(["sign"])),
            with(good.clone(), "d", "AAAA"),
            with(good.clone(), "crv", "P-384"),
            with(good.clone(), "kty", "RSA"),
            with(good.clone(), "kty", 7),
            with(good.clone(), "x", "AAAA"),
            without(good.clone(), "y"),
            json!({"kty": "oct", "k": "AAAA"}),
            json!({"kty": "RSA", "n": RFC7638_N, "e": "AQAB"}),
            json!("a word"),
        ] {
            assert_eq!(published(&[odd.clone(), good.clone()]), 1, "{odd}");
        }
        let bare = without(without(good.clone(), "alg"), "use");
        assert_eq!(published(&[bare, jwk(KeySpec::Rsa2048)]), 2);
        let named = with(good, "kid", "the-owners-own_name");
        let body = json!({ "keys": [named] }).to_string();
        let set = JwkSet::from_json(body.as_bytes()).unwrap();
        assert!(set.find("the-owners-own_name").is_some());
        assert!(JwkSet::from_json(b"[]").is_err());
    }

    #[test]
    fn a_client_registers_keys_of_every_algorithm_under_its_own_names() {
        let keys = [
            with(jwk(KeySpec::Rsa2048), "kid", "one"),
            without(jwk(KeySpec::EcP256), "kid"),
            with(jwk(KeySpec::EcP256), "use", "enc"),
            with(jwk(KeySpec::Ed25519), "key_ops", json!(["verify"])),
        ];
        let set = register(&keys).unwrap();
        assert_eq!(
            set.ids().count(),
            3,
            "the one for encryption is passed over"
        );
        assert!(set.find("one").is_some());
        let newly_named = with(jwk(KeySpec::Ed25519), "alg", "Ed25519");
        assert_eq!(register(&[newly_named]).unwrap().ids().count(), 1);
    }

    #[test]
    fn a_private_or_symmetric_key_cannot_be_registered() {
        let good = jwk(KeySpec::EcP256);
        for member in ["d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"] {
            let private = with(good.clone(), member, "c2VjcmV0");
            let error = register(&[good.clone(), private]).unwrap_err().to_string();
            assert!(
                error.contains("key 2") && error.contains(&format!("`{member}`")),
                "{error}"
            );
            assert!(!error.contains("c2VjcmV0"), "{error}");
        }
        let symmetric = json!({"kty": "oct", "k": "c2VjcmV0"});
        assert_eq!(problem(&[good, symmetric]), JwkProblem::Symmetric);
    }

    #[test]
    fn names_have_to_differ_and_to_be_names() {
        let named = |name: &str| with(jwk(KeySpec::Ed25519), "kid", name);
        let error = register(&[named("a"), named("b"), named("a")]).unwrap_err();
        assert!(matches!(&error, JwkSetError::DuplicateId { .. }));
        assert!(error.to_string().contains(r#"key 3 ("a")"#), "{error}");
        for odd in ["", "../../etc", "a\u{0}b", &"x".repeat(65)] {
            assert!(matches!(problem(&[named(odd)]), JwkProblem::Damaged(_)));
        }
    }

    #[test]
    fn the_number_of_keys_is_bounded() {
        let keys: Vec<Value> = (0..=MOST_REGISTERED_KEYS)
            .map(|_| jwk(KeySpec::Ed25519))
            .collect();
        assert_eq!(register(&keys).unwrap_err(), JwkSetError::TooMany(11));
        assert_eq!(register(&keys[1..]).unwrap().ids().count(), 10);
    }

    #[test]
    fn a_set_without_a_usable_key_says_why() {
        assert_eq!(register(&[]).unwrap_err(), JwkSetError::Empty);
        let good = jwk(KeySpec::EcP256);
        for (member, value) in [("alg", "ES384"), ("use", "enc"), ("crv", "P-521")] {
            let error = register(&[with(good.clone(), member, value)]).unwrap_err();
            assert!(
                error.to_string().contains(&format!("`{member}`")),
                "{error}"
            );
        }
    }

    #[test]
    fn damaged_keys_cannot_be_registered() {
        let (ec, rsa) = (jwk(KeySpec::EcP256), jwk(KeySpec::Rsa2048));
        let padded = format!("AAA{}", rsa["n"].as_str().unwrap());
        for damaged in [
            without(ec.clone(), "x"),
            with(ec.clone(), "x", ec["y"].clone()),
            with(ec.clone(), "y", format!("{}=", ec["y"].as_str().unwrap())),
            without(rsa.clone(), "e"),
            with(rsa.clone(), "n", padded),
            with(jwk(KeySpec::Ed25519), "x", "AAAA"),
        ] {
            assert!(
                matches!(
                    problem(std::slice::from_ref(&damaged)),
                    JwkProblem::Damaged(_)
                ),
                "{damaged}"
            );
        }
    }

    #[test]
    fn weak_keys_cannot_be_registered() {
        let rsa = |n: &str, e: &str| json!({"kty": "RSA", "n": n, "e": e});
        let ec = |(x, y): (&str, &str)| json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
        let good = jwk(KeySpec::Rsa2048);
        let n = good["n"].as_str().unwrap();
        for (weak, expected) in [
            (rsa(&n[..172], "AQAB"), Weakness::RsaBits(1032)),
            (rsa(n, "Aw"), Weakness::RsaExponent),
            (
                rsa(RFC7515_A2_N, "AQAB"),
                Weakness::Published("RFC 7515 appendix A.2"),
            ),
            (ec(RFC7515_A3), Weakness::Published("RFC 7515 appendix A.3")),
            (
                rsa(RFC7638_N, "AQAB"),
                Weakness::Published("RFC 7517 appendix A and RFC 7638 section 3.1"),
            ),
            (ec(RFC7517_A_EC), Weakness::Published("RFC 7517 appendix A")),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": RFC8037_X}),
                Weakness::Published("RFC 8037 appendix A.1"),
            ),
            (
                json!({"kty": "OKP", "crv": "Ed25519", "x": "A".repeat(43)}),
                Weakness::SmallOrder,
            ),
        ] {
            assert_eq!(
                problem(&[good.clone(), weak.clone()]),
                JwkProblem::Weak(expected)
            );
            assert_eq!(published(&[weak]), 0);
        }
    }

    #[test]
    fn what_is_no_set_is_refused_without_repeating_it() {
        let jwk = jwk(KeySpec::EcP256).to_string();
        let twice = jwk.replacen('{', r#"{"kty":"oct","#, 1);
        for body in [
            jwk,
            format!(r#"{{"keys":[{twice}]}}"#),
            r#"{"keys":"c2VjcmV0"}"#.to_owned(),
            r#"{"keys":["c2VjcmV0"]}"#.to_owned(),
            "-----BEGIN PRIVATE KEY-----".to_owned(),
            String::new(),
        ] {
            let error = JwkSet::read_registered(body.as_bytes()).unwrap_err();
            assert!(matches!(error, JwkSetError::Unreadable { .. }), "{body}");
            assert!(!error.to_string().contains("c2VjcmV0"));
        }
    }

    proptest! {
        #[test]
        fn no_document_panics(body in ".*") {
            let _ = JwkSet::from_json(body.as_bytes());
            prop_assert!(JwkSet::read_registered(body.as_bytes()).is_err());
        }

        #[test]
        fn no_key_panics(
            kty in "RSA|EC|OKP|oct|[A-Z]{0,3}",
            crv in "P-256|Ed25519|P-384",
            members in proptest::collection::vec("[A-Za-z0-9_=-]{0,50}", 4),
        ) {
            let keys = [json!({
                "kty": kty, "crv": crv, "n": members[0], "e": members[1],
                "x": members[2], "y": members[3],
            })];
            let _ = published(&keys);
            let _ = register(&keys);
        }
    }
}
