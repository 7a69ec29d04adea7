//! A workspace is shared as one file, which holds no secret and takes the place of nothing.

use axum::body::Body;
use axum::http::{Request, StatusCode};
use serde_json::{Value, json};

use crate::memory::FORM_TOKEN;
use crate::world::World;

const EXPORT: &str = "export";

async fn import(world: &World, file: &[u8]) -> (StatusCode, Value) {
    let request = Request::builder()
        .method("POST")
        .uri("/explorer/api/workspaces/import")
        .header("content-type", "application/octet-stream")
        .header("x-csrf-token", FORM_TOKEN)
        .body(Body::from(file.to_vec()))
        .unwrap();
    let (status, bytes) = world.send(request).await;
    (status, serde_json::from_slice(&bytes).unwrap())
}

/// Puts a variable into the first environment of a workspace.
async fn set(world: &World, path: &str, variable: Value) {
    let shown = world.get(path).await;
    let environment = &shown["environments"][0];
    let at = format!(
        "{path}/environments/{}",
        environment["id"].as_str().unwrap()
    );
    let body = json!({"name": environment["name"], "variables": [variable]});
    let (status, told) = world.ask("PUT", &at, &body).await;
    assert_eq!(status, StatusCode::OK, "{told}");
}

async fn refused(world: &World, path: &str) -> String {
    let at = format!("{path}/{EXPORT}");
    let (status, told) = world.ask("GET", &at, &Value::Null).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
    told["error"]["what"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn what_is_exported_is_imported_under_new_names() {
    let world = World::with(&[("eu1", "http://127.0.0.1:1")]);
    let path = world.workspace().await;
    let secret = json!({"name": "clientSecret", "on": true, "secret": true, "value": "pa55-word"});
    set(&world, &path, secret).await;
    let file = world.get(&format!("{path}/{EXPORT}")).await;
    assert!(!file.to_string().contains("pa55-word"));
    let (status, made) = import(&world, file.to_string().as_bytes()).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let other = format!("/explorer/api/w/{}", made["id"].as_str().unwrap());
    assert_ne!(other, path);
    let (before, after) = (world.get(&path).await, world.get(&other).await);
    assert_eq!(after["name"], before["name"]);
    assert_eq!(after["activeEnvironment"], after["environments"][0]["id"]);
    let variable = &after["environments"][0]["variables"][0];
    assert_eq!(
        (&variable["name"], &variable["set"]),
        (&json!("clientSecret"), &json!(false))
    );
    for part in ["definitions", "environments"] {
        assert_ne!(after[part][0]["id"], before[part][0]["id"], "{part}");
    }
    for known in ["title", "digest", "documentation", "source"] {
        let [before, after] = [&before, &after].map(|one| &one["definitions"][0][known]);
        assert_eq!(after, before, "{known}");
    }
    let definition = after["definitions"][0]["id"].as_str().unwrap();
    let library = format!("{other}/definitions/{definition}/library");
    assert!(
        !world.get(&library).await["operations"]
            .as_array()
            .unwrap()
            .is_empty()
    );
}

/// The definition that people share, which is not a part of the project, has long numbers and names in
/// it, and none of them is taken for a secret.
#[tokio::test]
async fn a_workspace_with_the_published_definition_is_shared() {
    let world = World::with(&[("eu1", "http://127.0.0.1:1")]);
    let path = world.workspace().await;
    if world.import_published(&path).await.is_none() {
        return;
    }
    let (status, file) = world
        .ask("GET", &format!("{path}/{EXPORT}"), &Value::Null)
        .await;
    assert_eq!(status, StatusCode::OK, "{}", file["error"]);
    let (status, made) = import(&world, file.to_string().as_bytes()).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    let other = format!("/explorer/api/w/{}", made["id"].as_str().unwrap());
    let (before, after) = (world.get(&path).await, world.get(&other).await);
    let digests = |view: &Value| -> Vec<Value> {
        let definitions = view["definitions"].as_array().unwrap().iter();
        definitions.map(|one| one["digest"].clone()).collect()
    };
    assert_eq!(digests(&after), digests(&before));
    assert_eq!(digests(&after).len(), 2);
}

#[tokio::test]
async fn secrets_are_refused_with_their_place_and_without_themselves() {
    let world = World::with(&[("eu1", "http://127.0.0.1:1")]);
    let path = world.workspace().await;
    for value in [
        "0f1e2d3c4b5a69788796a5b4c3d2e1f0",
        "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl",
        "https://ann:tin+lamp@example.com",
    ] {
        set(
            &world,
            &path,
            json!({"name": "x", "on": true, "initial": value}),
        )
        .await;
        let what = refused(&world, &path).await;
        assert!(
            what.contains("variable \"x\"") && !what.contains(value),
            "{what}"
        );
        // The same in a file that somebody else made.
        let clean = json!({"name": "x", "on": true, "initial": "plain"});
        set(&world, &path, clean).await;
        let mut file = world.get(&format!("{path}/{EXPORT}")).await;
        file["workspace"]["environments"][0]["variables"][0]["initial"] = value.into();
        let (status, told) = import(&world, file.to_string().as_bytes()).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
        assert!(
            told["error"]["what"]
                .as_str()
                .unwrap()
                .contains("variable \"x\"")
        );
    }
    assert_eq!(
        world
            .get("/explorer/api/workspaces")
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
}

#[tokio::test]
async fn the_value_of_a_secret_variable_is_found_where_it_was_typed_again() {
    let world = World::with(&[]);
    let path = world.workspace().await;
    let (status, made) = world
        .ask(
            "POST",
            &format!("{path}/environments"),
            &json!({"name": "E"}),
        )
        .await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    set(
        &world,
        &path,
        json!({"name": "s", "on": true, "secret": true, "value": "pa55-word"}),
    )
    .await;
    world.get(&format!("{path}/{EXPORT}")).await;
    let (status, _) = world
        .ask("PATCH", &path, &json!({"name": "with pa55-word"}))
        .await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    let what = refused(&world, &path).await;
    assert!(
        what.contains("a secret of this workspace in the workspace"),
        "{what}"
    );
    assert!(!what.contains("pa55-word"));
}

#[tokio::test]
async fn a_definition_that_cannot_be_read_leaves_nothing_behind() {
    let world = World::with(&[]);
    let path = world.workspace().await;
    let mut file = world.get(&format!("{path}/{EXPORT}")).await;
    file["definitions"][0]["text"] = "no definition".into();
    let (status, told) = import(&world, file.to_string().as_bytes()).await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
    assert_eq!(
        world
            .get("/explorer/api/workspaces")
            .await
            .as_array()
            .unwrap()
            .len(),
        1
    );
}
