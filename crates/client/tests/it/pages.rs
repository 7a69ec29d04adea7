//! Lists read to their end, also from servers that page badly.

use hallpass_client::{Doubt, Kind};
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
    let items = client
        .all_items::<Value>(get("/v?filter=a%20b"))
        .await
        .unwrap();
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
    assert_eq!(
        client.all_items::<Value>(get("/v")).await.unwrap().len(),
        12
    );
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
    assert_eq!(client.all_items::<Value>(get("/v")).await.unwrap().len(), 2);
    assert_eq!(world.calls().len(), 2);

    let world = World::start(|_| ok(r#"{"items":[1,2],"total":5}"#)).await;
    let (client, _) = world.client(None);
    let error = client.all_items::<Value>(get("/v")).await.unwrap_err();
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
    let error = client.all_items::<Value>(get("/v")).await.unwrap_err();
    assert!(error.to_string().contains("disk"), "{error}");
    let post = request(Method::POST, "/v", Some("{}"));
    assert_eq!(
        client.all_items::<Value>(post).await.unwrap_err().kind(),
        Kind::Usage
    );
    let world = World::quiet().await;
    let (client, _) = world.client(None);
    assert_eq!(
        client
            .all_items::<Value>(get("/v"))
            .await
            .unwrap_err()
            .kind(),
        Kind::Api
    );
}

#[tokio::test]
async fn a_cursor_is_followed_in_every_form_but_never_to_another_server() {
    let forms = |call: &Call, form: &str| match asked(call, "page") {
        None => form.replace("PAGE", "1"),
        Some(1) => form.replace("PAGE", "2"),
        Some(_) => "null".to_owned(),
    };
    for form in [
        r#""/v?page=PAGE""#,
        r#""?page=PAGE""#,
        r#""BASE/v?page=PAGE""#,
    ] {
        let world = World::start(move |call| {
            let base = format!("http://{}", call.headers["host"].to_str().unwrap());
            let next = forms(call, form).replace("BASE", &base);
            let number = asked(call, "page").unwrap_or(0);
            // The same item again and again is no circle when a cursor leads on.
            ok(&format!(
                r#"{{"items":[{{"n":{number}}},{{"state":"OK"}}],"next":{next}}}"#
            ))
        })
        .await;
        let (client, _) = world.client(None);
        let items = client.all_items::<Value>(get("/v")).await.unwrap();
        assert_eq!(items.len(), 6, "{form}: {items:?}");
        assert_eq!((&items[0], &items[4]), (&json!({"n": 0}), &json!({"n": 2})));
    }

    let world = World::start(|_| ok(r#"{"items":[1],"next":"https://evil.example/v"}"#)).await;
    let (client, _) = world.client(None);
    let mut pages = client.pages(get("/v")).unwrap();
    assert_eq!(pages.next().await.unwrap().unwrap().items.len(), 1);
    let error = pages.next().await.unwrap_err();
    assert!(error.to_string().contains("another server"), "{error}");
    assert_eq!(world.calls().len(), 1);
}

#[tokio::test]
async fn a_cursor_may_be_a_word_and_must_lead_on() {
    let world = World::start(|call| match call.path_and_query.split_once("next=") {
        None => ok(r#"{"items":[1],"next":"a/b=="}"#),
        Some((_, "a%2Fb%3D%3D")) => ok(r#"{"items":[],"next":"z"}"#),
        Some((_, "z")) => ok(r#"{"items":[2],"next":""}"#),
        Some((_, other)) => answer(400, &json!({"error": other}).to_string()),
    })
    .await;
    let (client, _) = world.client(None);
    let items = client
        .all_items::<u8>(get("/v?limit=1&offset=0"))
        .await
        .unwrap();
    assert_eq!(items, [1, 2], "an empty page before the end is no end");
    assert_eq!(
        world.calls()[1].path_and_query,
        "/v?limit=1&next=a%2Fb%3D%3D"
    );

    let world = World::start(|_| ok(r#"{"items":[1],"next":"same"}"#)).await;
    let (client, _) = world.client(None);
    let error = client.all_items::<u8>(get("/v")).await.unwrap_err();
    assert!(
        error.to_string().contains("leads to a page that came"),
        "{error}"
    );
    assert_eq!(world.calls().len(), 2);
}

#[tokio::test]
async fn links_that_lead_round_or_to_the_same_items_are_not_followed_for_ever() {
    // A leads to B and B to A; each page is another.
    let count = std::sync::atomic::AtomicUsize::new(0);
    let world = World::start(move |call| {
        let item = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        let next = if call.path_and_query.ends_with('b') {
            "a"
        } else {
            "b"
        };
        ok(&json!({"items": [item], "next": format!("/v?p={next}")}).to_string())
    })
    .await;
    let (client, _) = world.client(None);
    let error = client.all_items::<u8>(get("/v?p=a")).await.unwrap_err();
    assert!(
        error.to_string().contains("came already; 2 items"),
        "{error}"
    );
    assert_eq!(world.calls().len(), 2);

    // Every link is another, and every page the same.
    let world = World::start(|call| {
        let next = asked(call, "p").unwrap_or(0) + 1;
        ok(&json!({"items": [{"id": "a"}], "next": format!("/v?p={next}")}).to_string())
    })
    .await;
    let (client, _) = world.client(None);
    let error = client.all_items::<Value>(get("/v")).await.unwrap_err();
    assert!(
        error.to_string().contains("came already; 1 items"),
        "{error}"
    );
    assert_eq!(world.calls().len(), 2);
}

#[tokio::test]
async fn the_newer_envelope_ends_with_its_remaining_records() {
    let world = World::start(|call| {
        let offset = asked(call, "offset").unwrap_or(0);
        let remaining = 4 - offset;
        ok(
            &json!({"items": [offset, offset + 1], "count": 2, "offset": offset,
            "remainingRecords": remaining})
            .to_string(),
        )
    })
    .await;
    let (client, _) = world.client(None);
    let items = client.all_items::<u8>(get("/v")).await.unwrap();
    assert_eq!(items, [0, 1, 2, 3, 4, 5]);
    assert_eq!(world.calls().len(), 3);
}

#[tokio::test]
async fn pages_of_equal_items_are_pages_when_the_server_echoes_the_offset() {
    let world = World::start(|call| {
        let offset = asked(call, "offset").unwrap_or(0);
        ok(&json!({"items": [{"state": "OK"}], "total": 3, "pageOffset": offset}).to_string())
    })
    .await;
    let (client, _) = world.client(None);
    let items = client
        .all_items::<Value>(get("/v?select=state"))
        .await
        .unwrap();
    assert_eq!(items.len(), 3);
}

#[tokio::test]
async fn a_repeated_page_is_known_by_its_ids_when_the_items_change() {
    let count = std::sync::atomic::AtomicUsize::new(0);
    let world = World::start(move |_| {
        let now = count.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        ok(&json!({"items": [{"id": "a", "t": now}, {"id": "b", "t": now}]}).to_string())
    })
    .await;
    let (client, _) = world.client(None);
    assert_eq!(client.all_items::<Value>(get("/v")).await.unwrap().len(), 2);
    assert_eq!(world.calls().len(), 2);
}

#[tokio::test]
async fn a_list_that_changes_or_ends_early_is_doubtful() {
    let doubt = async |growing: bool, said: usize, total: usize| {
        let world = World::start(move |call| {
            let mut page = page(call, total, 10);
            let later = growing && asked(call, "offset").is_some();
            page["total"] = json!(said + usize::from(later));
            ok(&page.to_string())
        })
        .await;
        let (client, _) = world.client(None);
        let mut pages = client.pages(get("/v")).unwrap();
        while pages.next().await.unwrap().is_some() {}
        pages.doubt()
    };
    assert_eq!(doubt(false, 25, 25).await, None);
    let (first, later) = (25, 26);
    assert_eq!(
        doubt(true, 25, 26).await,
        Some(Doubt::Changed { first, later })
    );
    let (received, total) = (25, 100);
    assert_eq!(
        doubt(false, 100, 25).await,
        Some(Doubt::Short { received, total })
    );
}

#[tokio::test]
async fn a_single_page_names_the_one_after_it() {
    let world = World::start(|call| {
        let last = call.path_and_query.contains("offset=2");
        let items = if last {
            r#"[{"id":3}]"#
        } else {
            r#"[{"id":1},{"id":2}]"#
        };
        ok(&format!(r#"{{"items":{items},"total":3}}"#))
    })
    .await;
    let (client, _) = world.client(None);
    let request = get("/v1/items?limit=2");
    let answer = client.send(&request).await.unwrap();
    let page = client.page_of(&request, &answer).unwrap();
    assert_eq!((page.items, page.offset, page.total), (2, 0, Some(3)));
    let next = page.next.unwrap();
    assert_eq!(next, "/v1/items?limit=2&offset=2");
    let request = get(&next);
    let answer = client.send(&request).await.unwrap();
    let last = client.page_of(&request, &answer).unwrap();
    assert_eq!((last.items, last.offset, last.next), (1, 2, None));
}
