//! RFC 7009, OAuth 2.0 Token Revocation.
//!
//! Proved beside the code: what is read and printed, `crates/oauth/src/revocation.rs`.
//!
//! Section 2's duty to revoke refresh tokens, and section 2.1's to revoke what came of them, concern
//! none: there are no refresh tokens. TLS is the listener's. Section 2.3 (JSONP) is optional and not
//! there. Section 2.1 has a token of another client refused with an error; here the answer is 200
//! and nothing happens, since any other answer would tell whose token it is.

use hallpass_authorization_server::REVOCATION_PATH;

use crate::world::{FORM, World, basic_of, forged, pair_of};

#[tokio::test]
async fn rfc7009_2_a_revoked_token_is_dead_at_once_and_the_answer_is_200() {
    for world in [World::new().await, World::rfc9068().await] {
        let token = world.token().await;
        assert!(world.is_active(&token).await);
        let answer = world.revoke(&world.credential, &token).await;
        assert_eq!(answer.status, 200);
        assert!(!world.is_active(&token).await);
    }
}

#[tokio::test]
async fn rfc7009_2_1_the_token_is_required() {
    let world = World::new().await;
    for body in ["x=1", "token="] {
        let body = format!("{body}&{}", pair_of(&world.credential));
        let answer = world.post(REVOCATION_PATH, &body).await;
        assert_eq!(answer.error(), "invalid_request");
    }
}

#[tokio::test]
async fn rfc7009_2_1_the_client_is_authenticated_first() {
    let world = World::new().await;
    let token = world.token().await;
    let id = &world.credential.credential.client_id;
    for credential in [
        String::new(),
        format!("&client_id={id}"),
        format!("&client_id={id}&client_secret=wrong"),
    ] {
        let body = format!("token={token}{credential}");
        let answer = world.post(REVOCATION_PATH, &body).await;
        assert_eq!(
            (answer.status, answer.error().as_str()),
            (401, "invalid_client")
        );
    }
    assert!(world.is_active(&token).await, "a stranger ends nothing");
}

#[tokio::test]
async fn rfc7009_2_1_another_clients_token_is_left_alone() {
    let world = World::new().await;
    let other = world.credential_for("us1", "other").await;
    let token = world.token().await;
    let unknown = world.revoke(&other, "no.such.token").await;
    let foreign = world.revoke(&other, &token).await;
    assert!(world.is_active(&token).await);
    assert_eq!(foreign.to_stranger(), unknown.to_stranger());
}

#[tokio::test]
async fn rfc7009_2_1_the_hint_changes_nothing() {
    let world = World::new().await;
    for hint in ["access_token", "refresh_token", "something_else", ""] {
        let token = world.token().await;
        let pair = pair_of(&world.credential);
        let body = format!("token={token}&token_type_hint={hint}&{pair}");
        assert_eq!(world.post(REVOCATION_PATH, &body).await.status, 200);
        assert!(!world.is_active(&token).await, "{hint}");
    }
}

#[tokio::test]
async fn rfc7009_2_2_an_invalid_token_is_no_error() {
    let world = World::new().await;
    let token = world.token().await;
    world.revoke(&world.credential, &token).await;
    let huge = "x".repeat(10_000);
    let forged = forged(&token);
    let mut answers = Vec::new();
    for invalid in ["x", "a.b.c", &huge, &forged, &token, "%00%FF"] {
        let answer = world.revoke(&world.credential, invalid).await;
        assert_eq!(answer.status, 200, "{invalid}");
        answers.push(answer.to_stranger());
    }
    answers.dedup();
    assert_eq!(answers.len(), 1, "all of them look the same");
}

#[tokio::test]
async fn rfc7009_2_2_a_forged_token_ends_no_real_one() {
    let world = World::new().await;
    let token = world.token().await;
    world.revoke(&world.credential, &forged(&token)).await;
    assert!(world.is_active(&token).await);
}

#[tokio::test]
async fn rfc7009_2_2_1_when_it_cannot_be_written_down_the_answer_is_503() {
    let world = World::new().await;
    let token = world.token().await;
    let header = basic_of(&world.credential);
    world.store.close().await;
    let headers = [("Content-Type", FORM), ("Authorization", header.as_str())];
    let body = format!("token={token}");
    let answer = world.ask("POST", REVOCATION_PATH, &headers, &body).await;
    assert_eq!(answer.status, 503);
    assert_eq!(answer.error(), "temporarily_unavailable");
}
