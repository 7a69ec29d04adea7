//! Workspaces are made, shown, changed and removed.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::memory::FORM_TOKEN;
use crate::world::World;

#[tokio::test]
async fn a_new_workspace_has_places_and_the_definition() {
    let world = World::with(&[
        ("eu1", "http://127.0.0.1:1"),
        ("token", "http://127.0.0.1:2/t"),
    ]);
    let path = world.workspace().await;
    let shown = world.get(&path).await;
    assert_eq!(shown["name"], "Test");
    assert_eq!(shown["authorization"]["type"], "oauth2");
    assert_eq!(
        shown["authorization"]["accessTokenUrl"],
        "http://127.0.0.1:2/t"
    );
    let environment = &shown["environments"][0];
    assert_eq!(environment["name"], "EU1 (eu1)");
    assert_eq!(environment["variables"][0]["name"], "baseUrl");
    assert_eq!(environment["variables"][0]["initial"], "http://127.0.0.1:1");
    assert_eq!(shown["activeEnvironment"], environment["id"]);
    let definition = shown["definitions"][0]["id"].as_str().unwrap();
    let library = world
        .get(&format!("{path}/definitions/{definition}/library"))
        .await;
    let operations = library["operations"].as_array().unwrap();
    let lists_systems = |one: &&Value| one["path"] == "/api/v1/storage-systems";
    let found: Vec<&Value> = operations.iter().filter(lists_systems).collect();
    assert_eq!(found[0]["method"], "GET");
}

#[tokio::test]
async fn workspaces_are_renamed_and_removed() {
    let world = World::with(&[]);
    let path = world.workspace().await;
    let (status, _) = world.ask("PATCH", &path, &json!({"name": " Other "})).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(
        world.get("/explorer/api/workspaces").await[0]["name"],
        "Other"
    );
    let (status, told) = world.ask("PATCH", &path, &json!({"name": " "})).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
    let (status, _) = world.ask("DELETE", &path, &Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let (status, told) = world.ask("GET", &path, &Value::Null).await;
    assert_eq!(status, StatusCode::NOT_FOUND, "{told}");
    assert_eq!(world.get("/explorer/api/workspaces").await, json!([]));
}

/// Whatever is sent, the page can show what came of it.
#[tokio::test]
async fn what_cannot_be_read_is_answered_in_the_explorers_own_words() {
    let world = World::with(&[]);
    let path = world.workspace().await;
    let of_workspace = |rest: &str| format!("{path}/{rest}");
    for (method, at) in [
        ("POST", "/explorer/api/workspaces".to_owned()),
        ("PATCH", path.clone()),
        ("PUT", of_workspace("favourites")),
        ("PUT", of_workspace("authorization")),
        ("POST", of_workspace("authorization/draft")),
        ("POST", of_workspace("environments")),
        ("PUT", of_workspace("environments/e")),
        ("POST", of_workspace("variables/look")),
        ("POST", of_workspace("tokens")),
        ("PATCH", of_workspace("tokens/t")),
        ("POST", of_workspace("definitions")),
        ("PATCH", of_workspace("definitions/d")),
        ("POST", of_workspace("draft")),
        ("POST", of_workspace("preview")),
        ("POST", of_workspace("samples")),
        ("POST", of_workspace("send")),
        ("POST", of_workspace("tasks/look")),
        ("POST", of_workspace("saved")),
        ("PUT", of_workspace("saved/s")),
    ] {
        for (status, kind, body) in [
            (400, "application/json", "x"),
            (415, "text/plain", "{}"),
            (422, "application/json", "7"),
            (413, "application/json", &"[".repeat(9 << 20)),
        ] {
            let request = Request::builder()
                .method(method)
                .uri(&at)
                .header("content-type", kind)
                .header("x-csrf-token", FORM_TOKEN)
                .body(Body::from(body.to_owned()))
                .unwrap();
            let (answered, bytes) = world.send(request).await;
            let told = String::from_utf8_lossy(&bytes).into_owned();
            assert_eq!(answered.as_u16(), status, "{method} {at}: {told}");
            let told: Value = serde_json::from_str(&told).unwrap();
            assert!(told["error"]["what"].is_string(), "{method} {at}: {told}");
            assert!(told["error"]["hint"].is_string(), "{method} {at}: {told}");
        }
    }
    let large = Request::builder()
        .method("POST")
        .uri("/explorer/api/workspaces/import")
        .header("x-csrf-token", FORM_TOKEN)
        .body(Body::from(vec![b' '; (64 << 20) + 1]))
        .unwrap();
    let (status, told) = world.send(large).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert!(String::from_utf8_lossy(&told).contains("too large"));
}
