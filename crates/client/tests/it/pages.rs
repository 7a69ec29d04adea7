//! Lists read to their end, also from servers that page badly.

use hallpass_client::Kind;
use http::Method;
use serde_json::{Value, json};

use crate::server::{Call, World, get, json as answer, ok, request};

fn asked(call: &Call, name: &str) -> Option<usize> {
    let query = call.path_and_query.split_once('?')?.1;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix(name)?.strip_prefix('=')?.parse().ok())
}

/// A page of the numbers up to `total`.
fn page(call: &Call, total: usize, size: usize) -> Value {
    let offset = asked(call, "offset").unwrap_or(0).min(total);
    let end = (offset + asked(call, "limit").unwrap_or(size)).min(total);
    json!({"items": (offset..end).collect::<Vec<_>>(), "total": total, "pageOffset": offset})
}

#[tokio::test]
async fn all_items_come_once_and_in_order() {
    let world = World::start(|call| ok(&page(call, 25, 10).to_string())).await;
    let (client, _) = world.client(None);
    let items = client.all_items(get("/v?filter=a%20b")).await.unwrap();
    assert_eq!(items, (0..25).map(Value::from).collect::<Vec<_>>());
    let asked: Vec<_> = world
        .calls()
        .into_iter()
        .map(|call| call.path_and_query)
        .collect();
    assert_eq!(
        asked,
        [
            "/v?filter=a%20b",
            "/v?filter=a%20b&offset=10",
            "/v?filter=a%20b&offset=20"
        ]
    );
}

#[tokio::test]
async fn the_callers_limit_is_the_page_and_the_callers_offset_the_start() {
    let world = World::start(|call| ok(&page(call, 25, 10).to_string())).await;
    let (client, _) = world.client(None);
    let mut pages = client.pages(get("/v?limit=7&offset=10")).unwrap();
    let mut sizes = Vec::new();
    while let Some(page) = pages.next().await.unwrap() {
        assert_eq!(page.total, Some(25));
        sizes.push((page.offset, page.items.len()));
    }
    assert_eq!(sizes, [(10, 7), (17, 7), (24, 1)]);
    assert!(pages.next().await.unwrap().is_none());
}

#[tokio::test]
async fn an_empty_page_ends_the_list_whatever_the_total_says() {
    let short = |call: &Call| {
        let mut page = page(call, 12, 10);
        page["total"] = json!(1000);
        ok(&page.to_string())
    };
    let world = World::start(short).await;
    let (client, _) = world.client(None);
    assert_eq!(client.all_items(get("/v")).await.unwrap().len(), 12);
    assert_eq!(world.calls().len(), 3);

    let world = World::start(|_| ok(r#"{"items":[],"total":0}"#)).await;
    let (client, _) = world.client(None);
    let page = client
        .pages(get("/v"))
        .unwrap()
        .next()
        .await
        .unwrap()
        .unwrap();
    assert_eq!((page.items.len(), world.calls().len()), (0, 1));
}

#[tokio::test]
async fn a_server_that_does_not_page_does_not_keep_us_busy() {
    let world = World::start(|_| ok(r#"{"items":[1,2],"requestUri":"x"}"#)).await;
    let (client, _) = world.client(None);
    assert_eq!(client.all_items(get("/v")).await.unwrap().len(), 2);
    assert_eq!(world.calls().len(), 2);

    let world = World::start(|_| ok(r#"{"items":[1,2],"total":5}"#)).await;
    let (client, _) = world.client(None);
    let error = client.all_items(get("/v")).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Api);
    assert!(error.to_string().contains("2 of 5"), "{error}");
    assert_eq!(world.calls().len(), 2);
}

#[tokio::test]
async fn what_is_no_list_or_fails_in_between_is_an_error() {
    let world = World::start(|call| match asked(call, "offset") {
        None => ok(r#"{"items":[1],"total":2}"#),
        Some(_) => answer(500, r#"{"error":"disk","errorCode":"INTERNAL_ERROR"}"#),
    })
    .await;
    let (client, _) = world.client(None);
    let error = client.all_items(get("/v")).await.unwrap_err();
    assert!(error.to_string().contains("disk"), "{error}");
    let post = request(Method::POST, "/v", Some("{}"));
    assert_eq!(
        client.all_items(post).await.unwrap_err().kind(),
        Kind::Usage
    );
    let world = World::quiet().await;
    let (client, _) = world.client(None);
    assert_eq!(
        client.all_items(get("/v")).await.unwrap_err().kind(),
        Kind::Usage
    );
}
