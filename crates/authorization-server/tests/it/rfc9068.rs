//! RFC 9068, JWT Profile for OAuth 2.0 Access Tokens: the profile `rfc9068`, and beside each rule what
//! `greenlake` does instead.
//!
//! Proved beside the code: reading and checking, `crates/oauth/src/verify.rs` and `crates/oauth/tests/it`;
//! at the resource server, section 4, by `crates/resource-server/tests/it/rfc9068.rs` and `tokens.rs`.
//!
//! Sections 2.2.1 and 2.2.2 (authentication information, identity claims) concern people who sign in.
//! The parameter `resource` of section 3 is RFC 8707's, which is not offered: the resource is the
//! credential's own, the default that section 3 requires. Encryption (section 4) is not offered.

use hallpass_authorization_server::JWKS_PATHS;
use hallpass_oauth::KeySpec;
use hallpass_store::credentials::CredentialOptions;
use serde_json::json;

use crate::assertion::signed;
use crate::world::{BEGINNING, ISSUER, OWNER, World, claims, header, parts};

#[tokio::test]
async fn rfc9068_2_1_the_type_is_at_jwt() {
    let world = World::rfc9068().await;
    let header = header(&world.token().await);
    assert_eq!(header["typ"], "at+jwt");
    let names: Vec<&String> = header.as_object().unwrap().keys().collect();
    assert_eq!(
        names,
        ["typ", "alg", "kid"],
        "no address of a key among them"
    );
}

#[tokio::test]
async fn rfc9068_2_1_greenlake_has_no_type() {
    let world = World::new().await;
    let header = header(&world.token().await);
    let names: Vec<&String> = header.as_object().unwrap().keys().collect();
    assert_eq!(names, ["alg", "kid", "pi.atm"]);
}

#[tokio::test]
async fn rfc9068_2_1_tokens_are_signed_asymmetrically_with_a_published_key() {
    for (spec, algorithm) in [
        (KeySpec::Rsa2048, "RS256"),
        (KeySpec::EcP256, "ES256"),
        (KeySpec::Ed25519, "EdDSA"),
    ] {
        let world = World::with(|plan| {
            plan.rfc9068();
            plan.policy.keys.spec = spec;
        })
        .await;
        let token = world.token().await;
        let header = header(&token);
        assert_eq!(header["alg"], algorithm);
        let published = world.send("GET", JWKS_PATHS[0], &[], "").await.json();
        let key = &published["keys"][0];
        assert_eq!((&key["kid"], &key["alg"]), (&header["kid"], &header["alg"]));
        assert!(world.is_active(&token).await);
    }
}

#[tokio::test]
async fn rfc9068_2_2_every_required_claim_is_there() {
    let world = World::rfc9068().await;
    let token = world.token().await;
    let credential = &world.credential.credential;
    let claims = claims(&token);
    let expected = json!({
        "iss": ISSUER,
        "sub": credential.client_id.as_str(),
        "aud": format!("urn:uuid:{}", credential.instance),
        "exp": BEGINNING + 7200,
        "iat": BEGINNING,
        "jti": claims["jti"],
        "client_id": credential.client_id.as_str(),
    });
    assert_eq!(claims, expected);
    assert!(!claims["jti"].as_str().unwrap().is_empty());
}

/// Section 5: a subject that a client could choose might pass for a person's.
#[tokio::test]
async fn rfc9068_2_2_the_subject_is_the_client_and_never_a_person() {
    let world = World::rfc9068().await;
    let token = world.token().await;
    let (header, payload) = parts(&token);
    assert!(
        !header.contains(OWNER) && !payload.contains('@'),
        "{payload}"
    );

    let world = World::new().await;
    assert_eq!(
        claims(&world.token().await)["sub"],
        OWNER,
        "as the real system has it"
    );
}

#[tokio::test]
async fn rfc9068_2_2_ids_are_unique() {
    let world = World::rfc9068().await;
    let mut ids = std::collections::HashSet::new();
    for _ in 0..50 {
        let claims = claims(&world.token().await);
        assert!(ids.insert(claims["jti"].as_str().unwrap().to_owned()));
    }
}

#[tokio::test]
async fn rfc9068_2_2_3_the_scope_granted_stands_in_the_token() {
    let world = World::rfc9068().await;
    let options = CredentialOptions {
        scopes: Some("read write".parse().unwrap()),
        ..CredentialOptions::default()
    };
    let scoped = world.credential_with("us1", "scoped", options).await;
    let all = claims(&world.token_of(&scoped).await);
    assert_eq!(all["scope"], "read write");
    let less = format!("{}&scope=write", crate::world::form_of(&scoped));
    let less = claims(&world.form(&less).await.token());
    assert_eq!(less["scope"], "write");
    assert!(claims(&world.token().await).get("scope").is_none());
}

/// "MUST use a default resource indicator in the aud claim": one resource, by a URI of its own
/// (section 5: distinct for distinct resources).
#[tokio::test]
async fn rfc9068_3_the_audience_is_the_one_resource_of_the_credential() {
    let world = World::rfc9068().await;
    let mut audiences = std::collections::HashSet::new();
    for instance in ["us1", "eu1", "jp1", "global"] {
        let credential = world.credential_for(instance, instance).await;
        let claims = claims(&world.token_of(&credential).await);
        let expected = format!("urn:uuid:{}", credential.credential.instance);
        assert_eq!(claims["aud"], expected.as_str());
        assert!(audiences.insert(expected));
    }
    let world = World::new().await;
    assert_eq!(claims(&world.token().await)["aud"], "external_api");
}

#[tokio::test]
async fn rfc9068_4_where_tokens_come_in_the_type_is_required() {
    let world = World::rfc9068().await;
    let token = world.token().await;
    let own = world.store.signing_keys().active();
    let typed = |typ: Option<&str>| {
        let mut header = header(&token);
        header.as_object_mut().unwrap().remove("typ");
        if let Some(typ) = typ {
            header["typ"] = json!(typ);
        }
        signed(&header, &claims(&token), &own)
    };
    for good in ["at+jwt", "AT+JWT", "application/at+jwt"] {
        assert!(world.is_active(&typed(Some(good))).await, "{good}");
    }
    for bad in [None, Some("JWT"), Some("jwt"), Some("at+jwt+x")] {
        assert!(!world.is_active(&typed(bad)).await, "{bad:?}");
    }
}

#[tokio::test]
async fn rfc9068_4_every_claim_it_relies_on_is_required() {
    let world = World::rfc9068().await;
    let token = world.token().await;
    let own = world.store.signing_keys().active();
    for name in ["iss", "sub", "aud", "exp", "iat", "jti", "client_id"] {
        let mut claims = claims(&token);
        claims.as_object_mut().unwrap().remove(name);
        let without = signed(&header(&token), &claims, &own);
        assert!(!world.is_active(&without).await, "{name}");
    }
}

/// The secrets of the profile: 256 bits behind a prefix that scanners know; `greenlake` has the real
/// system's 32 hexadecimal digits.
#[tokio::test]
async fn secrets_have_the_shape_of_their_profile() {
    let world = World::rfc9068().await;
    assert!(world.credential.secret.expose().starts_with("hps_"));
    let world = World::new().await;
    let secret = world.credential.secret.expose();
    let hexadecimal = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
    assert!(secret.len() == 32 && secret.bytes().all(hexadecimal));
}
