//! Environments are made, filled in and removed; secrets go in and do not come out.

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::World;

const PLACES: &[(&str, &str)] = &[("eu1", "http://127.0.0.1:1"), ("us1", "http://127.0.0.1:2")];

async fn new(world: &World, path: &str, new: &Value) -> String {
    let path = format!("{path}/environments");
    let (status, made) = world.ask("POST", &path, new).await;
    assert_eq!(status, StatusCode::CREATED, "{made}");
    format!("{path}/{}", made["id"].as_str().unwrap())
}

async fn put(world: &World, path: &str, name: &str, variables: Value) -> Value {
    let body = json!({"name": name, "variables": variables});
    let (status, changed) = world.ask("PUT", path, &body).await;
    assert_eq!(status, StatusCode::OK, "{changed}");
    changed
}

/// What texts look like.
async fn look(world: &World, path: &str, texts: &[&str]) -> Value {
    let body = json!({ "texts": texts });
    let path = format!("{path}/variables/look");
    let (status, looked) = world.ask("POST", &path, &body).await;
    assert_eq!(status, StatusCode::OK, "{looked}");
    looked
}

async fn activate(world: &World, path: &str, environment: &str) {
    let id = environment.rsplit('/').next().unwrap();
    let body = json!({ "activeEnvironment": id });
    let (status, _) = world.ask("PATCH", path, &body).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
}

#[tokio::test]
async fn a_persons_value_goes_before_the_shared_one_and_rows_can_be_off() {
    let world = World::with(PLACES);
    let path = world.workspace().await;
    let environment = new(&world, &path, &json!({"name": "Testing", "region": "us1"})).await;
    activate(&world, &path, &environment).await;
    let looked = look(&world, &path, &["{{baseUrl}}/x?r={{region}}&y={{nothing}}"]).await;
    assert_eq!(
        looked[0]["masked"],
        "http://127.0.0.1:2/x?r=us1&y={{nothing}}"
    );
    assert_eq!(
        looked[0]["used"][0]["from"],
        "environment Testing: baseUrl, initial value"
    );
    assert_eq!(looked[0]["used"][2]["missing"], true);
    let variables = json!([
        {"name": "baseUrl", "on": true, "initial": "http://127.0.0.1:2", "current": "http://127.0.0.1:3/{{part}}"},
        {"name": "part", "on": true, "initial": "p"},
        {"name": "region", "on": false, "initial": "us1", "current": ""},
    ]);
    let changed = put(&world, &environment, "Testing 2", variables).await;
    assert_eq!(changed["variables"][2]["current"], Value::Null);
    let looked = look(&world, &path, &["{{baseUrl}}", "{{ region }}"]).await;
    assert_eq!(looked[0]["masked"], "http://127.0.0.1:3/p");
    assert_eq!(
        looked[0]["used"][0]["from"],
        "environment Testing 2: baseUrl, current value"
    );
    assert_eq!(looked[1]["masked"], "{{ region }}");
    assert_eq!(
        looked[1]["used"][0]["from"],
        "environment Testing 2: region is switched off"
    );
    let shown = world.get(&format!("{path}/variables")).await;
    let names: Vec<_> = shown
        .as_array()
        .unwrap()
        .iter()
        .map(|one| &one["name"])
        .collect();
    assert_eq!(names[..2], ["baseUrl", "part"]);
}

#[tokio::test]
async fn a_secret_is_kept_moved_copied_and_forgotten_and_never_shown() {
    let world = World::with(PLACES);
    let path = world.workspace().await;
    let environment = new(&world, &path, &json!({"name": "Testing"})).await;
    activate(&world, &path, &environment).await;
    let row = |name: &str, more: Value| {
        let mut row = json!({"name": name, "on": true, "secret": true});
        row.as_object_mut()
            .unwrap()
            .extend(more.as_object().unwrap().clone());
        json!([row])
    };
    let typed = row("clientSecret", json!({"value": "planted"}));
    let changed = put(&world, &environment, "Testing", typed).await;
    assert_eq!(changed["variables"][0]["set"], true);
    let masked = async |text: &str| look(&world, &path, &[text]).await[0]["masked"].clone();
    assert_eq!(masked("<{{clientSecret}}>").await, "<********>");
    // Saved again without a value, and under another name.
    put(
        &world,
        &environment,
        "Testing",
        row("clientSecret", json!({})),
    )
    .await;
    let renamed = row("other", json!({"was": "clientSecret"}));
    put(&world, &environment, "Testing", renamed).await;
    assert_eq!(
        masked("{{other}}{{clientSecret}}").await,
        "********{{clientSecret}}"
    );
    assert_eq!(world.secrets().len(), 1);

    let id = environment.rsplit('/').next().unwrap();
    let copy = new(&world, &path, &json!({"name": "Copy", "copyOf": id})).await;
    activate(&world, &path, &copy).await;
    assert_eq!(masked("{{other}}").await, "********");
    let (status, _) = world.ask("DELETE", &environment, &Value::Null).await;
    assert_eq!(status, StatusCode::NO_CONTENT);
    assert_eq!(world.secrets().len(), 1);
    put(&world, &copy, "Copy", row("other", json!({"value": ""}))).await;
    assert_eq!(masked("{{other}}").await, "{{other}}");
    assert!(world.secrets().is_empty());
    assert!(!world.documents().contains("planted"));
}

#[tokio::test]
async fn a_plain_value_that_becomes_a_secret_leaves_the_shared_file() {
    let world = World::with(PLACES);
    let path = world.workspace().await;
    let environment = new(&world, &path, &json!({"name": "Testing"})).await;
    let row = |secret: bool| json!([{"name": "key", "on": true, "secret": secret, "initial": "planted", "current": ""}]);
    put(&world, &environment, "Testing", row(false)).await;
    assert!(world.documents().contains("planted"));
    let changed = put(&world, &environment, "Testing", row(true)).await;
    assert_eq!(changed["variables"][0]["initial"], "");
    assert!(!world.documents().contains("planted"));
    assert_eq!(world.secrets().values().next().unwrap(), "planted");
}

#[tokio::test]
async fn names_are_checked_and_the_active_environment_goes_on() {
    let world = World::with(PLACES);
    let path = world.workspace().await;
    let first = world.get(&path).await["activeEnvironment"].clone();
    let environment = new(&world, &path, &json!({"name": "Testing"})).await;
    let refused = async |variables: Value| {
        let body = json!({"name": "Testing", "variables": variables});
        let (status, told) = world.ask("PUT", &environment, &body).await;
        assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY);
        told["error"]["what"].as_str().unwrap().to_owned()
    };
    for bad in ["", "a b", "a}", "{{a}}", "a\"b"] {
        let what = refused(json!([{"name": bad, "on": true}])).await;
        assert!(what.contains("cannot be the name"), "{what}");
    }
    let twice = json!([{"name": "a", "on": true}, {"name": " a", "on": false}]);
    assert_eq!(refused(twice).await, "there are two variables a");
    let (status, told) = world
        .ask(
            "POST",
            &format!("{path}/environments"),
            &json!({"name": "Testing"}),
        )
        .await;
    assert_eq!(status, StatusCode::UNPROCESSABLE_ENTITY, "{told}");
    activate(&world, &path, &environment).await;
    world.ask("DELETE", &environment, &Value::Null).await;
    assert_eq!(world.get(&path).await["activeEnvironment"], first);
}

#[tokio::test]
async fn of_two_who_save_at_once_neither_takes_the_others_secret_away() {
    let world = World::with(PLACES);
    let path = world.workspace().await;
    let environment = new(&world, &path, &json!({"name": "Testing"})).await;
    let with = json!([{"name": "key", "on": true, "secret": true, "value": "planted"}]);
    for later in 0..30 {
        put(&world, &environment, "Testing", with.clone()).await;
        let removes = put(&world, &environment, "Testing", json!([]));
        let keeps = async {
            for _ in 0..later {
                tokio::task::yield_now().await;
            }
            put(&world, &environment, "Testing", with.clone()).await
        };
        tokio::join!(removes, keeps);
        let shown = world.get(&path).await;
        let all = shown["environments"].as_array().unwrap();
        let it = all.iter().find(|one| one["name"] == "Testing").unwrap();
        let said: Vec<_> = it["variables"].as_array().unwrap().iter().collect();
        let kept = world.secrets().len();
        assert_eq!(kept, said.len(), "{later}: {said:?}");
        assert!(
            said.iter().all(|one| one["set"] == true),
            "{later}: {said:?}"
        );
    }
}
