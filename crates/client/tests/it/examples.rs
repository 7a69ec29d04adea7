//! The examples do what they say.

use crate::server::{CLIENT_ID, CLIENT_SECRET, World, credential, ok};

#[expect(
    dead_code,
    reason = "its main takes its arguments from the environment"
)]
#[path = "../../examples/list_systems.rs"]
mod list_systems;
#[expect(
    dead_code,
    reason = "its main takes its arguments from the environment"
)]
#[path = "../../examples/own_http.rs"]
mod own_http;

#[tokio::test]
async fn three_calls_lead_from_nothing_to_an_answer() {
    let world = World::start(|call| {
        assert_eq!(call.path_and_query, "/api/v1/storage-systems?select=name");
        ok(r#"{"items":[{"name":"array-1"},{"name":"array-2"}],"total":2}"#)
    })
    .await;
    let token_url = format!("{}/token", world.address);
    let secret = CLIENT_SECRET.to_owned();
    let names = list_systems::names(&token_url, &world.address, CLIENT_ID, secret).await;
    assert_eq!(names.unwrap(), ["array-1", "array-2"]);
}

#[tokio::test]
async fn another_http_stack_lives_through_the_end_of_a_token() {
    let world = World::quiet().await;
    let tokens = own_http::token_source(world.profile(), credential());
    let host = world.address.strip_prefix("http://").unwrap();
    for _ in 0..2 {
        let line = own_http::status(&tokens, host, "/api/v1/x").await.unwrap();
        assert!(line.contains(" 200 "), "{line}");
        world.supersede();
    }
    let calls = world.calls();
    assert_eq!(calls.len(), 3, "{calls:?}");
}
