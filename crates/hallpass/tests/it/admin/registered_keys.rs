//! Credentials that authenticate with registered keys.

use super::{key_pair, word};
use crate::world::{ANN, World, text};

const CREATE: [&str; 8] = [
    "credential",
    "create",
    "--owner",
    ANN,
    "--instance",
    "us1",
    "--name",
    "signed",
];

fn key_id(jwks: &str) -> String {
    let set: serde_json::Value = serde_json::from_str(jwks).unwrap();
    word(&set["keys"][0], "kid").to_owned()
}

#[test]
fn a_credential_with_keys_has_no_secret_and_its_keys_can_be_replaced() {
    let world = World::owner();
    let file = world.path("jwks.json");
    let (_, jwks) = key_pair();
    std::fs::write(&file, &jwks).unwrap();
    let made = world.admin(&[&CREATE[..], &["--jwks", text(&file)]].concat());
    assert!(made.get("clientSecret").is_none(), "{made}");
    assert_eq!(made["authentication"], "private_key_jwt");
    assert_eq!(made["keys"][0], key_id(&jwks));
    let id = word(&made, "clientId");
    world
        .try_admin(&["credential", "reset", id])
        .ended(1)
        .says(&["has no secret", "hint: ", "--jwks"]);

    let (_, next) = key_pair();
    std::fs::write(&file, &next).unwrap();
    let changed = world.admin(&["credential", "change", id, "--jwks", text(&file)]);
    assert_eq!(changed["keys"], serde_json::json!([key_id(&next)]));

    let with_secret = world.create_credential(ANN, "us1", "nightly");
    let change = ["credential", "change", &with_secret.client_id, "--jwks"];
    world
        .try_admin(&[&change[..], &[text(&file)]].concat())
        .ended(1)
        .says(&["no keys to replace", "hint: "]);
}

#[test]
fn keys_and_methods_must_go_together() {
    let world = World::owner();
    let file = world.path("jwks.json");
    std::fs::write(&file, key_pair().1).unwrap();
    let create = |more: &[&str]| world.try_admin(&[&CREATE[..], more].concat());
    create(&["--method", "private_key_jwt"])
        .ended(2)
        .says(&["public keys", "hint: add --jwks FILE"]);
    create(&["--method", "client_secret_basic", "--jwks", text(&file)])
        .ended(2)
        .says(&["no secret", "hint: "]);
    create(&["--method", "tls_client_auth"])
        .ended(2)
        .says(&["client_secret_basic, client_secret_post, private_key_jwt"]);
    std::fs::write(&file, "{\"keys\":[]}").unwrap();
    create(&["--jwks", text(&file)])
        .ended(1)
        .says(&["the set has no key"]);
    std::fs::write(&file, key_pair().1).unwrap();
    create(&["--method", "private_key_jwt", "--jwks", text(&file)]).ok();
}
