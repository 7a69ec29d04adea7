//! A token that a person gets with a client's secret in their hands: as good as one that the client
//! asked for, and as hard to get.

use std::net::IpAddr;

use hallpass_oauth::client_authentication::ClientAuthenticationMethods;
use hallpass_oauth::{AccessToken, Secret, TokenError};
use hallpass_store::credentials::{CredentialOptions, IssuedCredential};

use crate::world::World;

const DESK: &str = "192.0.2.7";

async fn by_hand(
    world: &World,
    credential: &IssuedCredential,
    secret: &str,
) -> Result<AccessToken, TokenError> {
    let desk: IpAddr = DESK.parse().unwrap();
    let client_id = &credential.credential.client_id;
    let secret = Secret::from(secret.to_owned());
    world.server.token_by_hand(client_id, &secret, desk).await
}

async fn is_active(world: &World, token: &str) -> bool {
    let answer = world.introspect(&world.credential, token).await;
    answer.json()["active"].as_bool().unwrap()
}

#[tokio::test]
async fn it_takes_over_from_the_clients_token_and_is_audited_like_it() {
    let world = World::new().await;
    let before = world.token().await;
    let secret = world.credential.secret.expose();
    let token = by_hand(&world, &world.credential, secret).await.unwrap();
    let client_id = world.credential.credential.client_id.to_string();
    let stored = world.store.credentials().find(&client_id).unwrap();
    assert_eq!(stored.last_used_from.as_deref(), Some(DESK));
    assert!(is_active(&world, token.expose()).await);
    assert!(!is_active(&world, &before).await, "one token at a time");

    let events = world.audit().await;
    let issued = events.iter().filter(|stored| {
        stored.event.message == format!("Access token issued to client {client_id}")
    });
    // One row per credential and minute, which counts both.
    let counts: Vec<_> = issued.map(|stored| stored.event.count).collect();
    assert_eq!(counts, [2]);
}

#[tokio::test]
async fn wrong_secrets_count_and_are_limited_like_the_clients_own() {
    let world = World::with(|plan| plan.settings.limits.failures_per_client = 2).await;
    for _ in 0..2 {
        let refused = by_hand(&world, &world.credential, "wrong").await;
        assert!(refused.unwrap_err().is_invalid_client());
    }
    let refused = by_hand(&world, &world.credential, "wrong").await;
    assert!(refused.unwrap_err().retry_after().is_some());
    let failed = |stored: &&hallpass_store::audit::StoredEvent| {
        stored.event.message.contains("authentication failed") && stored.event.source_ip == DESK
    };
    let failures: u64 = world
        .audit()
        .await
        .iter()
        .filter(failed)
        .map(|s| s.event.count)
        .sum();
    assert_eq!(failures, 3);
    // The right secret is never locked out.
    let secret = world.credential.secret.expose();
    assert!(by_hand(&world, &world.credential, secret).await.is_ok());
}

#[tokio::test]
async fn a_quota_holds_for_a_person_too() {
    let world = World::with(|plan| plan.settings.limits.tokens_per_credential = 2).await;
    let secret = world.credential.secret.expose();
    for _ in 0..4 {
        assert!(by_hand(&world, &world.credential, secret).await.is_ok());
    }
    let refused = by_hand(&world, &world.credential, secret).await;
    assert_eq!(refused.unwrap_err().status(), 429);
}

#[tokio::test]
async fn the_secret_goes_where_the_client_may_send_it() {
    let world = World::new().await;
    for methods in ["client_secret_basic", "client_secret_post"] {
        let methods: ClientAuthenticationMethods = methods.parse().unwrap();
        let options = CredentialOptions {
            methods: Some(methods),
            ..CredentialOptions::default()
        };
        let name = methods.to_string();
        let credential = world.credential_with("us1", &name, options).await;
        let token = by_hand(&world, &credential, credential.secret.expose()).await;
        assert!(token.is_ok(), "{name}");
        world.enable(&credential.credential.client_id, false).await;
        let refused = by_hand(&world, &credential, credential.secret.expose()).await;
        assert!(refused.unwrap_err().is_invalid_client());
    }
}
