//! A definition that nothing was written for, through the real server: served, kept, and told about.

use reqwest::Method;
use serde_json::json;

use crate::http::{bare_request, get_with, send_json, token_of, try_send};
use crate::server::Server;
use crate::world::{ANN, World, text};

/// The definition of three resources that the sandbox's own tests are about, too.
const LIBRARY: &str = include_str!("../../../sandbox/tests/it/library.yaml");

fn with_library() -> World {
    let world = World::owner();
    std::fs::write(world.path("library.yaml"), LIBRARY).unwrap();
    world
}

#[test]
fn what_is_created_is_there_after_the_server_was_killed() {
    let world = with_library();
    let file = world.path("library.yaml");
    let arguments = ["--api", text(&file)];
    let server = Server::start_with(&world, &arguments, &[]);
    let credential = world.create_credential(ANN, "us1", "nightly");
    let token = token_of(&credential);

    let body = json!({"name": "Central", "city": "Porto"});
    let url = server.us1("/v2/libraries");
    let made = send_json(&Method::POST, &url, &token, &body).is(201);
    let library = made.json();
    let one = format!("/libraries/{}", library["id"]);
    assert_eq!(made.headers["location"], format!("/v2{one}"));

    let patch = json!({"motto": "Read"});
    let patched = send_json(&Method::PATCH, &server.us1(&one), &token, &patch)
        .is(200)
        .json();
    assert_eq!(patched["motto"], "Read");
    let delete = bare_request(&Method::DELETE, &server.us1("/libraries/7"), &token);
    let deleted = try_send(delete).unwrap().is(204);
    assert_eq!(
        (deleted.text.as_str(), deleted.content_type.as_str()),
        ("", "")
    );
    server.kill();

    let server = Server::start_with(&world, &arguments, &[]);
    assert_eq!(get_with(&server.us1(&one), &token).is(200).json(), patched);
    let gone = get_with(&server.us1("/libraries/7"), &token).is(404);
    assert_eq!(gone.content_type, "application/problem+json");
    let gone = gone.json();
    assert_eq!(
        (&gone["status"], &gone["title"]),
        (&json!(404), &json!("Not Found"))
    );
}

#[test]
fn each_operation_has_a_level_and_a_refused_one_a_reason() {
    let world = with_library();
    let file = world.path("library.yaml");
    let coverage = |more: &[&str]| world.run(&[&["api", "coverage"], more].concat()).ok();
    let api = ["--api", text(&file)];

    let told = coverage(&api).says(&["17 operations: 0 stateful, 16 generic, 1 refused"]);
    assert!(told.stdout.contains("refused  POST"), "{}", told.stdout);
    let refused = coverage(&[&api[..], &["--level", "refused", "-o", "json"]].concat()).json();
    let [burn] = refused["items"].as_array().unwrap().as_slice() else {
        panic!("{refused}")
    };
    assert_eq!(burn["operation"], "burnBook");
    assert_eq!(
        burn["reason"],
        "the definition does not tell what it changes"
    );
    let csv = coverage(&[&api[..], &["-o", "csv"]].concat()).stdout;
    assert_eq!(csv.lines().count(), 18, "{csv}");
    assert!(
        csv.starts_with("level,method,path,operation,reason\ngeneric,GET,/libraries,"),
        "{csv}"
    );
}

#[test]
fn the_built_in_definition_has_rules_for_all_it_names_but_histories() {
    let world = World::new();
    let rows = world.run(&["api", "coverage", "-o", "json"]).ok().json();
    let items = rows["items"].as_array().unwrap();
    assert!(items.len() > 20);
    for item in items {
        let is_history = item["path"].as_str().unwrap().ends_with("-history");
        let level = if is_history { "generic" } else { "stateful" };
        assert_eq!(item["level"], level, "{item}");
    }
}
