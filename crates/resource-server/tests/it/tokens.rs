//! Tokens of all sorts, most of them signed with the right key: what the signature does not say.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hallpass_access::Role;
use hallpass_oauth::SigningKey;
use serde_json::{Value, json};

use crate::world::World;

const TARGET: &str = "/api/v1/volumes";

#[tokio::test]
async fn what_a_good_signature_covers_is_judged_all_the_same() {
    let world = World::new().await;
    let good = world.token("ann", Role::Observer).await;
    let now = world.now().as_second();
    let claims = |change: &dyn Fn(&mut Value)| {
        let mut claims = part(&good, 1);
        change(&mut claims);
        sign(&world, &part(&good, 0).to_string(), &claims.to_string())
    };
    let header = |change: &dyn Fn(&mut Value)| {
        let mut header = part(&good, 0);
        change(&mut header);
        sign(&world, &header.to_string(), &part(&good, 1).to_string())
    };
    let remove = |value: &mut Value, name: &str| {
        value.as_object_mut().unwrap().shift_remove(name).unwrap();
    };
    let fraction: Value = serde_json::from_str(&format!("{}.5", now + 60)).unwrap();
    let doubled = part(&good, 1)
        .to_string()
        .replacen('{', r#"{"sub":"eve@example.com","#, 1);
    let good_header = part(&good, 0).to_string();
    for (what, token, status) in [
        ("unchanged", claims(&|_| {}), 200),
        (
            "aud as a list of one",
            claims(&|c| c["aud"] = json!(["external_api"])),
            200,
        ),
        (
            "exp as a fraction",
            claims(&|c| c["exp"] = fraction.clone()),
            200,
        ),
        ("nbf soon", claims(&|c| c["nbf"] = json!(now + 29)), 200),
        ("typ at+jwt", header(&|h| h["typ"] = json!("at+jwt")), 200),
        (
            "nbf in ten minutes",
            claims(&|c| c["nbf"] = json!(now + 600)),
            401,
        ),
        ("no exp", claims(&|c| remove(c, "exp")), 401),
        (
            "exp as text",
            claims(&|c| c["exp"] = json!("99999999999")),
            401,
        ),
        (
            "another audience",
            claims(&|c| c["aud"] = json!("other")),
            401,
        ),
        (
            "several audiences",
            claims(&|c| c["aud"] = json!(["external_api", "x"])),
            401,
        ),
        (
            "another issuer",
            claims(&|c| c["iss"] = json!("https://sso.example.com/")),
            401,
        ),
        (
            "another client",
            claims(&|c| c["client_id"] = json!("nobody")),
            401,
        ),
        ("no jti", claims(&|c| remove(c, "jti")), 401),
        ("a claim twice", sign(&world, &good_header, &doubled), 401),
        ("crit", header(&|h| h["crit"] = json!(["pi.atm"])), 401),
        ("no kid", header(&|h| remove(h, "kid")), 401),
        (
            "unknown kid",
            header(&|h| h["kid"] = json!("AAAAAAAAAAAAAAAAAAAAAAAAAAA")),
            401,
        ),
        ("an ID token", header(&|h| h["typ"] = json!("id+jwt")), 401),
        ("alg HS256", header(&|h| h["alg"] = json!("HS256")), 401),
        ("alg none", unsigned(&good), 401),
        ("another spelling", respelled(&good), 401),
        ("a fourth part", format!("{good}.x"), 401),
        ("padding", format!("{good}="), 401),
        ("too long", format!("{good}{}", "A".repeat(9000)), 401),
    ] {
        let answer = world.get(TARGET, &token).await;
        assert_eq!(answer.status, status, "{what}");
        if status == 401 {
            let challenge = answer.header("www-authenticate").unwrap();
            assert!(
                challenge.contains("error=\"invalid_token\""),
                "{what}: {challenge}"
            );
        }
    }
    assert_eq!(
        world.get(TARGET, &good).await.status,
        200,
        "none of them ended the good one"
    );
}

pub(crate) fn part(token: &str, index: usize) -> Value {
    let part = token.split('.').nth(index).unwrap();
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).unwrap()).unwrap()
}

pub(crate) fn sign(world: &World, header: &str, claims: &str) -> String {
    sign_with(&world.store.signing_keys().active(), header, claims)
}

pub(crate) fn sign_with(key: &SigningKey, header: &str, claims: &str) -> String {
    let parts = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part));
    let input = parts.join(".");
    let signature = key.sign(input.as_bytes()).unwrap();
    format!("{input}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn unsigned(token: &str) -> String {
    let mut header = part(token, 0);
    header["alg"] = json!("none");
    let claims = token.split('.').nth(1).unwrap();
    format!("{}.{claims}.", URL_SAFE_NO_PAD.encode(header.to_string()))
}

/// The same bytes in another base64url text: the last character has bits that decoders pass over.
fn respelled(token: &str) -> String {
    const ALPHABET: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (text, last) = token.split_at(token.len() - 1);
    let index = ALPHABET.find(last).unwrap();
    format!("{text}{}", ALPHABET.as_bytes()[index ^ 1] as char)
}
