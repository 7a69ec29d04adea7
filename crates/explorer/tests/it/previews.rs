//! A draft is made of an operation, and shown as it will be sent.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::World;

/// A world with one place, its workspace, and the id of its definition.
pub(crate) async fn world(base_url: &str) -> (World, String, String) {
    let token_url = format!("{base_url}/token");
    let world = World::with(&[("eu1", base_url), ("token", &token_url)]);
    let path = world.workspace().await;
    let shown = world.get(&path).await;
    let definition = shown["definitions"][0]["id"].as_str().unwrap().to_owned();
    (world, path, definition)
}

/// A fresh draft of an operation.
pub(crate) async fn draft(world: &World, path: &str, definition: &str, operation: &str) -> Value {
    let wanted = json!({"definition": definition, "operation": operation});
    let (status, made) = world.ask("POST", &format!("{path}/draft"), &wanted).await;
    assert_eq!(status, StatusCode::OK, "{operation}: {made}");
    made["draft"].clone()
}

pub(crate) async fn preview(world: &World, path: &str, draft: &Value) -> Value {
    let (status, shown) = world.ask("POST", &format!("{path}/preview"), draft).await;
    assert_eq!(status, StatusCode::OK, "{draft}: {shown}");
    shown
}

/// The id of the operation of a method and a path.
pub(crate) async fn operation(
    world: &World,
    path: &str,
    definition: &str,
    method: &str,
    template: &str,
) -> String {
    let library = world
        .get(&format!("{path}/definitions/{definition}/library"))
        .await;
    let mut all = library["operations"].as_array().unwrap().iter();
    let found = all.find(|one| one["method"] == method && one["path"] == template);
    found.unwrap()["id"].as_str().unwrap().to_owned()
}

async fn every_fresh_draft_can_be_sent(world: &World, path: &str, definition: &str) -> usize {
    let library = world
        .get(&format!("{path}/definitions/{definition}/library"))
        .await;
    let operations = library["operations"].as_array().unwrap();
    for one in operations {
        let id = one["id"].as_str().unwrap();
        let draft = draft(world, path, definition, id).await;
        let shown = preview(world, path, &draft).await;
        assert_eq!(shown["mistakes"], json!([]), "{id}: {draft}");
        assert_eq!(shown["method"], one["method"]);
        let url = shown["url"].as_str().unwrap();
        assert!(
            url.starts_with("http://127.0.0.1:1/") && !url.contains('{'),
            "{url}"
        );
    }
    operations.len()
}

#[tokio::test]
async fn every_operation_has_a_fresh_draft_that_can_be_sent() {
    let (world, path, definition) = world("http://127.0.0.1:1").await;
    assert!(every_fresh_draft_can_be_sent(&world, &path, &definition).await > 50);
}

#[tokio::test]
async fn so_has_every_operation_of_the_published_definition() {
    let (world, path, _) = world("http://127.0.0.1:1").await;
    let Some(definition) = world.import_published(&path).await else {
        return;
    };
    assert_eq!(
        every_fresh_draft_can_be_sent(&world, &path, &definition).await,
        349
    );
}

#[tokio::test]
async fn a_preview_says_where_each_piece_comes_from() {
    let (world, path, definition) = world("http://127.0.0.1:1").await;
    let id = operation(&world, &path, &definition, "GET", "/api/v1/storage-systems").await;
    let mut draft = draft(&world, &path, &definition, &id).await;
    let rows = draft["parameters"].as_array_mut().unwrap();
    rows.retain(|row| row["name"] == "limit");
    rows[0]["value"] = "2".into();
    rows[0]["on"] = true.into();
    draft["headers"] = json!([{"name": "X-Mine", "value": "1", "on": true}]);
    let shown = preview(&world, &path, &draft).await;
    assert_eq!(
        shown["url"],
        "http://127.0.0.1:1/api/v1/storage-systems?limit=2"
    );
    assert_eq!(
        shown["parts"][1],
        json!({"text": "/api/v1/storage-systems", "from": "definition"})
    );
    assert_eq!(
        shown["parts"][2],
        json!({"text": "?limit=2", "from": "parameter limit"})
    );
    assert_eq!(shown["parts"][0]["text"], "http://127.0.0.1:1");
    assert!(
        shown["parts"][0]["from"]
            .as_str()
            .unwrap()
            .contains("baseUrl"),
        "{shown}"
    );
    let headers = shown["headers"].as_array().unwrap();
    let value = |name: &str| {
        headers
            .iter()
            .find(|one| one["name"] == name)
            .map(|one| &one["value"])
    };
    assert_eq!(value("Authorization").unwrap(), "Bearer ********");
    assert_eq!(value("Accept").unwrap(), "application/json");
    assert_eq!(value("Host").unwrap(), "127.0.0.1:1");
    assert_eq!(value("X-Mine").unwrap(), "1");
    assert_eq!(shown["variables"][0]["name"], "baseUrl");
    assert_eq!(shown["mistakes"], json!([]));
}

#[tokio::test]
async fn mistakes_are_told_at_once_and_at_their_places() {
    let (world, path, definition) = world("http://127.0.0.1:1").await;
    let id = operation(&world, &path, &definition, "GET", "/api/v1/storage-systems").await;
    let mut draft = draft(&world, &path, &definition, &id).await;
    draft["parameters"] = json!([
        {"name": "limit", "in": "query", "value": "many", "on": true},
        {"name": "filter", "in": "query", "value": "nmae eq x", "on": true},
        {"name": "sort", "in": "query", "value": "id,,", "on": true},
        {"name": "nothing", "in": "query", "value": "{{nowhere}}", "on": true},
    ]);
    let shown = preview(&world, &path, &draft).await;
    let mistakes = shown["mistakes"].as_array().unwrap();
    let of = |name: &str| {
        mistakes
            .iter()
            .find(|one| one["parameter"] == name)
            .unwrap()
    };
    assert!(
        of("limit")["what"].as_str().unwrap().contains("integer"),
        "{shown}"
    );
    assert_eq!(
        (&of("filter")["column"], &of("filter")["in"]),
        (&json!(1), &json!("query"))
    );
    assert!(
        of("filter")["hint"].as_str().unwrap().contains("name"),
        "{shown}"
    );
    assert!(of("sort")["column"].is_number(), "{shown}");
    assert!(
        of("nothing")["what"]
            .as_str()
            .unwrap()
            .contains("{{nowhere}} has no value")
    );
    assert!(mistakes.iter().all(|one| one["stops"] == false), "{shown}");
    // The address is shown all the same.
    let url = shown["url"].as_str().unwrap();
    assert!(
        url.contains("limit=many") && url.contains("filter=nmae%20eq%20x"),
        "{url}"
    );
}

#[tokio::test]
async fn a_body_is_checked_where_it_is_wrong() {
    let (world, path, definition) = world("http://127.0.0.1:1").await;
    let id = operation(
        &world,
        &path,
        &definition,
        "POST",
        "/api/v1/host-initiators",
    )
    .await;
    let mut draft = draft(&world, &path, &definition, &id).await;
    let whole = draft["body"]["text"].as_str().unwrap().to_owned();
    let sent = |text: &str| json!({"mediaType": "application/json", "text": text});
    draft["body"] = sent("{\n  \"address\": ,\n}");
    let shown = preview(&world, &path, &draft).await;
    assert_eq!(
        (
            &shown["mistakes"][0]["line"],
            &shown["mistakes"][0]["column"]
        ),
        (&json!(2), &json!(14))
    );
    let mut body: Value = serde_json::from_str(&whole).unwrap();
    body["name"] = 7.into();
    draft["body"] = sent(&body.to_string());
    let shown = preview(&world, &path, &draft).await;
    let mistakes = shown["mistakes"].as_array().unwrap();
    assert!(
        mistakes.iter().any(|one| one["pointer"] == "/name"),
        "{shown}"
    );
}

#[tokio::test]
async fn an_address_without_a_value_is_said_to_lack_one() {
    let world = World::with(&[]);
    let path = world.workspace().await;
    let free = json!({"method": "GET", "url": "{{baseUrl}}/api/v1/x"});
    let shown = preview(&world, &path, &free).await;
    assert_eq!(shown["mistakes"].as_array().unwrap().len(), 1, "{shown}");
    assert_eq!(shown["mistakes"][0]["stops"], true);
    assert_eq!(shown["variables"][0]["missing"], true);
    assert_eq!(shown["url"], "{{baseUrl}}/api/v1/x");
}

#[tokio::test]
async fn a_free_draft_finds_its_operation_by_its_address() {
    let (world, path, _) = world("http://127.0.0.1:1").await;
    let mut free =
        json!({"method": "get", "url": "http://127.0.0.1:1/api/v1/storage-systems?limit=x"});
    let shown = preview(&world, &path, &free).await;
    assert_eq!(shown["mistakes"][0]["parameter"], "limit", "{shown}");
    free["url"] = "http://127.0.0.1:1/elsewhere/{a}?q=a b".into();
    free["parameters"] = json!([{"name": "a", "in": "path", "value": "x/y", "on": true}]);
    let shown = preview(&world, &path, &free).await;
    assert_eq!(shown["url"], "http://127.0.0.1:1/elsewhere/x%2Fy?q=a%20b");
    assert_eq!(shown["mistakes"], json!([]));
}

#[tokio::test]
async fn samples_hold_the_request_and_no_secret() {
    let (world, path, definition) = world("http://127.0.0.1:1").await;
    let shown = world.get(&path).await;
    let mut authorization = shown["authorization"].clone();
    authorization["clientId"] = "a-client".into();
    authorization["clientSecret"] = json!({"kind": "typed", "text": "planted-s3cret"});
    let (status, told) = world
        .ask("PUT", &format!("{path}/authorization"), &authorization)
        .await;
    assert_eq!(status, StatusCode::OK, "{told}");
    let id = operation(&world, &path, &definition, "GET", "/api/v1/storage-systems").await;
    let draft = draft(&world, &path, &definition, &id).await;
    for language in ["curl", "python", "powershell", "javascript", "go", "rust"] {
        let wanted = json!({"request": draft, "language": language});
        let (status, told) = world.ask("POST", &format!("{path}/samples"), &wanted).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        let text = told["text"].as_str().unwrap();
        assert!(
            text.contains("http://127.0.0.1:1/api/v1/storage-systems"),
            "{text}"
        );
        assert!(
            text.contains("a-client") && !text.contains("planted"),
            "{text}"
        );
    }
    for (own, has) in [
        (
            json!({"type": "bearer", "headerPrefix": "Zoo", "token": {"kind": "empty"}}),
            "'Authorization: Zoo '",
        ),
        (json!({"type": "none"}), "The request goes without a token."),
    ] {
        let mut draft = draft.clone();
        draft["authorization"] = own;
        let wanted = json!({"request": draft, "language": "curl"});
        let (status, told) = world.ask("POST", &format!("{path}/samples"), &wanted).await;
        assert_eq!(status, StatusCode::OK, "{told}");
        assert!(told["text"].as_str().unwrap().contains(has), "{told}");
    }
    let (status, _) = world
        .ask(
            "POST",
            &format!("{path}/samples"),
            &json!({"request": draft, "language": "basic"}),
        )
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
}
