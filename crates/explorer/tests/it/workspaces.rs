//! Workspaces are made, shown, changed and removed.

use axum::http::StatusCode;
use serde_json::{Value, json};

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
