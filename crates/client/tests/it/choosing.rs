//! Requests with the token that somebody chose, and without one.

use std::sync::Arc;

use hallpass_client::{AccessToken, Authorization, Client, Prefix, Tokens};
use hallpass_oauth::Secret;
use jiff::SignedDuration;

use crate::server::{World, credential, get};

fn client(world: &Arc<World>, authorization: Authorization) -> Client {
    let (options, _) = world.options(None);
    Client::authorized(world.profile(), authorization, &options)
}

fn tokens(world: &Arc<World>) -> Tokens {
    let (options, _) = world.options(None);
    Tokens::new(world.profile(), credential(), &options)
}

/// A token that was got `ago` seconds before.
fn got(world: &World, token: &str, ago: i64) -> AccessToken {
    let then = world.now() - SignedDuration::from_secs(ago);
    let end = then + SignedDuration::from_secs(7200);
    AccessToken::new(Secret::from(token.to_owned()), then, end)
}

fn sent(world: &World) -> Vec<Option<String>> {
    let authorization = |call: &crate::server::Call| {
        let value = call.headers.get("authorization")?;
        Some(value.to_str().unwrap().to_owned())
    };
    world.calls().iter().map(authorization).collect()
}

#[tokio::test]
async fn a_fixed_token_is_sent_under_its_prefix_and_never_replaced() {
    let world = World::quiet().await;
    let fixed = Authorization::Fixed {
        token: Secret::from("elsewhere".to_owned()),
        prefix: Prefix::parse("Token").unwrap(),
    };
    let response = client(&world, fixed).send(&get("/x")).await.unwrap();
    assert_eq!(response.status(), 401);
    assert_eq!(sent(&world), [Some("Token elsewhere".to_owned())]);
    assert_eq!(world.token_calls(), 0);
}

#[tokio::test]
async fn without_authorization_only_what_the_request_has_itself_is_sent() {
    let world = World::quiet().await;
    let client = client(&world, Authorization::None);
    client.send(&get("/x")).await.unwrap();
    let mut own = get("/x");
    own.headers = vec![("authorization".to_owned(), "Basic x".to_owned())];
    client.send(&own).await.unwrap();
    assert_eq!(sent(&world), [None, Some("Basic x".to_owned())]);
    assert_eq!(world.token_calls(), 0);
    let preview = client.preview(&own).unwrap();
    let shown = preview
        .headers
        .iter()
        .filter(|(name, _)| name == "authorization");
    assert_eq!(shown.count(), 1);
}

#[tokio::test]
async fn a_chosen_token_is_tried_first_and_the_newest_is_next() {
    let world = World::quiet().await;
    let tokens = tokens(&world);
    tokens.token().await.unwrap();
    let chosen = Authorization::Tokens {
        tokens: tokens.clone(),
        first: Some(got(&world, "older", 60)),
        prefix: Prefix::default(),
    };
    let response = client(&world, chosen).send(&get("/x")).await.unwrap();
    assert_eq!(response.status(), 200);
    let expected = ["Bearer older", "Bearer token-1"].map(|one| Some(one.to_owned()));
    assert_eq!(sent(&world), expected);
    assert_eq!(world.mints(), 1);
}

#[tokio::test]
async fn a_token_kept_from_earlier_is_used_until_a_newer_one_comes() {
    let world = World::quiet().await;
    let kept = world.supersede();
    let tokens = tokens(&world);
    tokens.adopt(&got(&world, &kept, 60));
    let authorization = Authorization::Tokens {
        tokens: tokens.clone(),
        first: None,
        prefix: Prefix::default(),
    };
    let client = client(&world, authorization);
    assert_eq!(client.send(&get("/x")).await.unwrap().status(), 200);
    assert_eq!(world.token_calls(), 0);
    let newer = tokens.renew().await.unwrap();
    tokens.adopt(&got(&world, &kept, 60));
    assert!(tokens.at_hand().unwrap().is(&newer));
    assert_eq!(client.send(&get("/x")).await.unwrap().status(), 200);
}
