//! The published keys, and a library of others that verifies with them.

use std::collections::HashSet;

use hallpass_oauth::KeySpec;
use hallpass_oauth::random::SystemRandom;
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::Value;

use crate::world::{ISSUER, OWNER, World, actor, forged, header};

const PLACES: [&str; 2] = ["/pf/JWKS", "/.well-known/jwks.json"];

#[tokio::test]
async fn the_published_key_verifies_the_token() {
    let world = World::new().await;
    let token = world.token().await;
    let kid = jsonwebtoken::decode_header(&token).unwrap().kid.unwrap();
    for place in PLACES {
        let document = world.send("GET", place, &[], "").await.json();
        let keys = document["keys"].as_array().unwrap();
        let key = keys.iter().find(|key| key["kid"] == kid.as_str()).unwrap();
        let member = |name: &str| key[name].as_str().unwrap();
        let key = DecodingKey::from_rsa_components(member("n"), member("e")).unwrap();
        let mut validation = Validation::new(Algorithm::RS256);
        validation.set_audience(&["external_api"]);
        validation.set_issuer(&[ISSUER]);
        // The test's clock is not the library's.
        validation.validate_exp = false;
        let verified = decode::<Value>(&token, &key, &validation).unwrap();
        assert_eq!(verified.claims["sub"], OWNER);
        assert!(decode::<Value>(&forged(&token), &key, &validation).is_err());
    }
}

#[tokio::test]
async fn nothing_private_is_published() {
    let world = World::new().await;
    for place in PLACES {
        let answer = world.send("GET", place, &[], "").await;
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.header("content-type"),
            Some("application/jwk-set+json")
        );
        assert!(answer.header("cache-control").unwrap().contains("max-age="));
        let document = answer.json();
        let keys = document["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 1);
        let members: Vec<&str> = keys[0]
            .as_object()
            .unwrap()
            .keys()
            .map(String::as_str)
            .collect();
        assert_eq!(members, ["kty", "use", "alg", "kid", "n", "e"]);
    }
}

#[tokio::test]
async fn verifiers_may_keep_the_keys_and_ask_whether_they_changed() {
    let world = World::new().await;
    for place in PLACES {
        let answer = world.send("GET", place, &[], "").await;
        assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        let etag = answer.header("etag").unwrap();
        for same in [
            etag.to_owned(),
            format!("W/{etag}"),
            format!("\"other\", {etag}"),
            "*".to_owned(),
        ] {
            let headers = [("If-None-Match", same.as_str())];
            let answer = world.send("GET", place, &headers, "").await;
            assert_eq!((answer.status, answer.body.as_str()), (304, ""), "{same}");
            // RFC 9110 section 15.4.5: what a 200 would have had.
            assert_eq!(answer.header("etag"), Some(etag));
            assert_eq!(answer.header("cache-control"), Some("public, max-age=300"));
        }
        let headers = [("If-None-Match", "\"other\"")];
        assert_eq!(world.send("GET", place, &headers, "").await.status, 200);
        assert_eq!(world.send("POST", place, &[], "").await.status, 405);
    }
    let before = world.send("GET", PLACES[0], &[], "").await;
    rotate(&world).await;
    let headers = [("If-None-Match", before.header("etag").unwrap())];
    let after = world.send("GET", PLACES[0], &headers, "").await;
    assert_eq!(after.status, 200);
    assert_ne!(after.header("etag"), before.header("etag"));
}

#[tokio::test]
async fn max_age_is_a_setting() {
    let world = World::with(|plan| {
        plan.settings.jwks_max_age = SignedDuration::from_secs(42);
    })
    .await;
    let answer = world.send("GET", PLACES[0], &[], "").await;
    assert_eq!(answer.header("cache-control"), Some("public, max-age=42"));
}

#[tokio::test]
async fn keys_stand_in_the_order_of_their_publication() {
    let world = World::with(|plan| plan.policy.keys.spec = KeySpec::EcP256).await;
    let first = published_ids(&world).await.remove(0);
    let second = rotate(&world).await;
    assert_eq!(published_ids(&world).await, [first.as_str(), &second]);
    assert_eq!(
        kid(&world.token().await),
        first,
        "published before it signs"
    );
    world.wait(SignedDuration::from_mins(10));
    maintain(&world).await;
    assert_eq!(kid(&world.token().await), second);
    let third = rotate(&world).await;
    assert_eq!(
        published_ids(&world).await,
        [first.as_str(), &second, &third]
    );
    let world = world.restart().await;
    assert_eq!(
        published_ids(&world).await,
        [first.as_str(), &second, &third]
    );
}

/// Audit statements 28 and 29, with the clock of three rotations: a verifier that fetches the keys no
/// oftener than it may never meets one it does not know, and no living token loses its key.
#[tokio::test]
async fn during_rotations_no_verifier_meets_an_unknown_key_and_no_token_dies() {
    let lifetime = SignedDuration::from_mins(20);
    let world = World::with(|plan| {
        plan.policy.single_active = false;
        plan.policy.token_lifetime = lifetime;
        plan.policy.platform_token_lifetime = lifetime;
        plan.policy.longest_token_lifetime = lifetime;
        plan.policy.keys.spec = KeySpec::EcP256;
        plan.policy.keys.rotate_every = Some(SignedDuration::from_hours(1));
        plan.settings.limits.questions_per_credential = 0;
    })
    .await;
    let max_age = world.plan.settings.jwks_max_age;
    let other = world.credential_for("us1", "other").await;
    let mut cached = published(&world).await;
    let mut fetched_at = world.now();
    let mut living: Vec<(Timestamp, String)> = Vec::new();
    let mut signers = HashSet::new();
    for _ in 0..200 {
        maintain(&world).await;
        let (of_one, of_other) = tokio::join!(world.token(), world.token_of(&other));
        if world.now().duration_since(fetched_at) >= max_age {
            cached = published(&world).await;
            fetched_at = world.now();
        }
        living.retain(|(issued_at, _)| world.now().duration_since(*issued_at) < lifetime);
        living.push((world.now(), of_one));
        living.push((world.now(), of_other));
        for (_, token) in &living {
            assert!(
                verifies(&cached, token),
                "a token that no cached key verifies"
            );
        }
        let (_, oldest) = &living[0];
        assert!(world.is_active(oldest).await);
        signers.insert(kid(&living[living.len() - 1].1));
        world.wait(SignedDuration::from_mins(1));
    }
    assert_eq!(signers.len(), 4, "a new key every hour");
    assert!(
        published_ids(&world).await.len() <= 3,
        "and the old ones go"
    );
}

#[tokio::test]
async fn a_key_that_is_removed_in_an_emergency_is_gone_at_once() {
    let world = World::with(|plan| plan.policy.keys.spec = KeySpec::EcP256).await;
    let token = world.token().await;
    let removed = kid(&token);
    world
        .store
        .keys()
        .remove(&removed, &actor(), world.now(), &mut SystemRandom)
        .await
        .unwrap();
    assert!(!world.is_active(&token).await);
    let published = published_ids(&world).await;
    assert!(!published.contains(&removed));
    let next = world.token().await;
    assert_eq!(published, [kid(&next)]);
    assert!(world.is_active(&next).await);
    let world = world.restart().await;
    assert!(!world.is_active(&token).await, "and stays away");
    assert!(world.is_active(&next).await);
}

#[tokio::test]
async fn when_the_active_key_is_removed_the_upcoming_one_signs() {
    let world = World::with(|plan| plan.policy.keys.spec = KeySpec::EcP256).await;
    let upcoming = rotate(&world).await;
    let active = kid(&world.token().await);
    world
        .store
        .keys()
        .remove(&active, &actor(), world.now(), &mut SystemRandom)
        .await
        .unwrap();
    assert_eq!(kid(&world.token().await), upcoming);
    assert_eq!(published_ids(&world).await, [upcoming]);
}

async fn rotate(world: &World) -> String {
    let keys = world.store.keys();
    let key = keys.rotate(&actor(), world.now(), &mut SystemRandom).await;
    key.unwrap().id.to_string()
}

async fn maintain(world: &World) {
    let done = world.store.maintain(world.now(), &mut SystemRandom).await;
    done.unwrap();
}

fn kid(token: &str) -> String {
    header(token)["kid"].as_str().unwrap().to_owned()
}

async fn published(world: &World) -> Vec<Value> {
    let document = world.send("GET", PLACES[0], &[], "").await.json();
    document["keys"].as_array().unwrap().clone()
}

async fn published_ids(world: &World) -> Vec<String> {
    let keys = published(world).await;
    let ids = keys
        .iter()
        .map(|key| key["kid"].as_str().unwrap().to_owned());
    ids.collect()
}

/// Whether one of the keys, looked up by its id, verifies the token: by a library of others.
fn verifies(keys: &[Value], token: &str) -> bool {
    let id = kid(token);
    let Some(key) = keys.iter().find(|key| key["kid"] == id.as_str()) else {
        return false;
    };
    let member = |name: &str| key[name].as_str().unwrap();
    let key = DecodingKey::from_ec_components(member("x"), member("y")).unwrap();
    let mut validation = Validation::new(Algorithm::ES256);
    validation.set_audience(&["external_api"]);
    // The test's clock is not the library's.
    validation.validate_exp = false;
    decode::<Value>(token, &key, &validation).is_ok()
}
