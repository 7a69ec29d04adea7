//! The published keys, and a library of others that verifies with them.

use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use serde_json::Value;

use crate::world::{ISSUER, OWNER, World, forged};

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
