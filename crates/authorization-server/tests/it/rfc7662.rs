//! RFC 7662, OAuth 2.0 Token Introspection.
//!
//! Proved beside the code: what is read and printed, `crates/oauth/src/introspection.rs`
//! (`rfc7662_2_1_…`, `rfc7662_2_2_…`).
//!
//! TLS (sections 2 and 4) is the listener's. Section 2.1's other way in, a bearer token, is not there.
//! No token of this server begins later than it is issued, so that section 4's second check is asked with
//! one that is signed by hand. GET, which section 4 lets a server disallow, is.

use hallpass_authorization_server::INTROSPECTION_PATH;
use hallpass_store::credentials::CredentialOptions;
use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::assertion::signed;
use crate::world::{
    BEGINNING, FORM, ISSUER, OWNER, World, basic_of, claims, forged, form_of, header, pair_of,
};

const INACTIVE: &str = r#"{"active":false}"#;

#[tokio::test]
async fn rfc7662_2_1_the_token_is_required() {
    let world = World::new().await;
    for body in ["x=1", "token="] {
        let body = format!("{body}&{}", pair_of(&world.credential));
        let answer = world.post(INTROSPECTION_PATH, &body).await;
        assert_eq!(answer.error(), "invalid_request");
    }
}

#[tokio::test]
async fn rfc7662_2_1_the_hint_changes_nothing() {
    let world = World::new().await;
    let token = world.token().await;
    for hint in ["access_token", "refresh_token", "something_else"] {
        let asker = &world.credential;
        let body = format!("token={token}&token_type_hint={hint}&{}", pair_of(asker));
        let answer = world.post(INTROSPECTION_PATH, &body).await;
        assert_eq!(answer.json()["active"], true, "{hint}");
    }
}

/// "MUST also require some form of authorization to access this endpoint": or it could be asked
/// whether any text is a token.
#[tokio::test]
async fn rfc7662_2_1_a_stranger_is_told_nothing() {
    let world = World::new().await;
    let token = world.token().await;
    let id = &world.credential.credential.client_id;
    for credential in [
        String::new(),
        format!("&client_id={id}"),
        format!("&client_id={id}&client_secret=wrong"),
        format!("&client_id=nobody&client_secret={token}"),
    ] {
        let live = world
            .post(INTROSPECTION_PATH, &format!("token={token}{credential}"))
            .await;
        let dead = world
            .post(INTROSPECTION_PATH, &format!("token=x{credential}"))
            .await;
        assert_eq!(
            (live.status, live.error().as_str()),
            (401, "invalid_client")
        );
        assert_eq!(live.to_stranger(), dead.to_stranger());
    }
}

#[tokio::test]
async fn rfc7662_2_2_an_active_token_is_described_as_it_is() {
    let world = World::new().await;
    let token = world.token().await;
    let claims = claims(&token);
    let told = world.introspect(&world.credential, &token).await.json();
    let expected = json!({
        "active": true,
        "client_id": claims["client_id"],
        "username": OWNER,
        "token_type": "Bearer",
        "exp": BEGINNING + 7200,
        "iat": BEGINNING,
        "sub": OWNER,
        "aud": "external_api",
        "iss": ISSUER,
        "jti": claims["jti"],
        "application_instance_id": claims["application_instance_id"],
        "platform_customer_id": claims["platform_customer_id"],
    });
    assert_eq!(told, expected);
}

#[tokio::test]
async fn rfc7662_2_2_members_have_the_values_of_the_tokens_claims() {
    let world = World::rfc9068().await;
    let options = CredentialOptions {
        scopes: Some("read write".parse().unwrap()),
        ..CredentialOptions::default()
    };
    let scoped = world.credential_with("us1", "scoped", options).await;
    let token = world.token_of(&scoped).await;
    let claims = claims(&token);
    let told = world.introspect(&scoped, &token).await.json();
    for name in [
        "scope",
        "client_id",
        "exp",
        "iat",
        "sub",
        "aud",
        "iss",
        "jti",
    ] {
        assert_eq!(told[name], claims[name], "{name}");
        assert_ne!(told[name], Value::Null, "{name}");
    }
}

#[tokio::test]
async fn rfc7662_2_2_an_inactive_answer_says_nothing_else() {
    let world = World::new().await;
    let other = world.credential_for("us1", "other").await;
    let foreign = world.token_of(&other).await;
    let dead = world.token().await;
    world.revoke(&world.credential, &dead).await;
    let huge = "x".repeat(10_000);
    let mut answers = Vec::new();
    for token in [
        "x",
        "a.b.c",
        "%00",
        &huge,
        &foreign,
        &dead,
        &forged(&foreign),
    ] {
        let answer = world.introspect(&world.credential, token).await;
        assert_eq!(answer.body, INACTIVE, "{token}");
        answers.push(answer.to_stranger());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "headers tell nothing either");
}

#[tokio::test]
async fn rfc7662_2_3_an_inactive_token_is_no_error_and_a_wrong_secret_is_401() {
    let world = World::new().await;
    assert_eq!(world.introspect(&world.credential, "x").await.status, 200);
    let header = crate::world::basic(world.credential.credential.client_id.as_str(), "wrong");
    let headers = [("Content-Type", FORM), ("Authorization", header.as_str())];
    let answer = world
        .ask("POST", INTROSPECTION_PATH, &headers, "token=x")
        .await;
    assert_eq!(
        (answer.status, answer.error().as_str()),
        (401, "invalid_client")
    );
}

#[tokio::test]
async fn rfc7662_4_whether_it_expired_is_determined_to_the_second() {
    let world = World::new().await;
    let token = world.token().await;
    world.wait(SignedDuration::from_secs(7199));
    assert!(world.is_active(&token).await);
    world.wait(SignedDuration::from_secs(1));
    assert!(!world.is_active(&token).await);
}

#[tokio::test]
async fn rfc7662_4_whether_it_may_be_used_yet_is_determined() {
    for world in [World::new().await, World::rfc9068().await] {
        let token = world.token().await;
        let own = world.store.signing_keys().active();
        let from = |second: i64| {
            let mut claims = claims(&token);
            claims["nbf"] = json!(second);
            signed(&header(&token), &claims, &own)
        };
        assert!(world.is_active(&from(BEGINNING)).await);
        let later = from(BEGINNING + 600);
        assert!(!world.is_active(&later).await);
        world.wait(SignedDuration::from_mins(10));
        assert!(world.is_active(&later).await, "its time has come");
    }
}

#[tokio::test]
async fn rfc7662_4_whether_it_was_revoked_is_determined() {
    let world = World::new().await;
    let revoked = world.token().await;
    world.revoke(&world.credential, &revoked).await;
    assert!(!world.is_active(&revoked).await);

    let superseded = world.token().await;
    let current = world.token().await;
    assert!(!world.is_active(&superseded).await);
    assert!(world.is_active(&current).await);

    let reset = world.reset(&world.credential.credential.client_id).await;
    assert_eq!(world.introspect(&reset, &current).await.body, INACTIVE);
}

#[tokio::test]
async fn rfc7662_4_the_signature_is_validated() {
    let world = World::new().await;
    let token = world.token().await;
    assert!(!world.is_active(&forged(&token)).await);
    assert!(world.is_active(&token).await);
}

/// "If the token can be used only at certain resource servers, the authorization server MUST determine
/// whether or not the token can be used at the resource server making the introspection call."
#[tokio::test]
async fn rfc7662_4_a_resource_server_sees_only_what_may_be_used_there() {
    for world in [World::new().await, World::rfc9068().await] {
        let introspects = || CredentialOptions {
            introspects: true,
            ..CredentialOptions::default()
        };
        let here = world
            .credential_with("us1", "resource", introspects())
            .await;
        let elsewhere = world
            .credential_with("eu1", "elsewhere", introspects())
            .await;
        let platform = world
            .credential_with("global", "platform", introspects())
            .await;
        let token = world.token().await;
        let told = world.introspect(&here, &token).await.json();
        assert_eq!(told["active"], true);
        let id = world.credential.credential.client_id.as_str();
        assert_eq!(told["client_id"], id);
        for other in [&elsewhere, &platform] {
            assert_eq!(world.introspect(other, &token).await.body, INACTIVE);
        }
        let own = world.form(&form_of(&elsewhere)).await.token();
        assert_eq!(world.introspect(&here, &own).await.body, INACTIVE);
        assert_eq!(
            world.introspect(&elsewhere, &own).await.json()["active"],
            true
        );
    }
}

#[tokio::test]
async fn rfc7662_4_get_is_disallowed_so_that_no_token_stands_in_a_url() {
    let world = World::new().await;
    let token = world.token().await;
    let header = basic_of(&world.credential);
    let target = format!("{INTROSPECTION_PATH}?token={token}");
    let headers = [("Authorization", header.as_str())];
    let answer = world.ask("GET", &target, &headers, "").await;
    assert_eq!(answer.status, 405);
    let headers = [("Content-Type", FORM), ("Authorization", header.as_str())];
    let answer = world.ask("POST", &target, &headers, "").await;
    assert_eq!(answer.error(), "invalid_request");
}
