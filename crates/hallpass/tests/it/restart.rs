//! What outlives a process: tokens, credentials and the stand-in's state; and what happens without
//! the master key.

use serde_json::{Value, json};

use crate::http::{get_with, send_json, token_of};
use crate::server::Server;
use crate::world::{ANN, World, eventually, run, text};

#[test]
fn a_token_and_a_credential_outlive_a_restart_on_other_ports() {
    let world = World::owner();
    let server = Server::start(&world);
    let credential = world.create_credential(ANN, "us1", "nightly");
    let token = token_of(&credential);
    let before = server.base().to_owned();
    server.stop();

    let server = Server::start(&world);
    assert_ne!(server.base(), before);
    let systems = server.us1("/api/v1/storage-systems");
    get_with(&systems, &token).is(200);
    let fresh = token_of(&server.moved(&credential));
    get_with(&systems, &fresh).is(200);
    // The rule of one token holds over the restart, too.
    get_with(&systems, &token).is(401);
}

#[test]
fn what_was_accepted_is_done_even_if_the_server_is_killed_right_away() {
    let world = World::owner();
    let server = Server::start(&world);
    let credential = world.create_credential(ANN, "us1", "nightly");
    let token = token_of(&credential);
    let systems = server.us1("/api/v1/storage-systems/device-type1?limit=1");
    let systems = get_with(&systems, &token).is(200).json();
    let system = systems["items"][0]["id"].as_str().unwrap();
    let volumes = format!("/api/v1/storage-systems/device-type1/{system}/volumes");
    let body = json!({"name": "survivor", "sizeMib": 16384, "userCpg": "SSD_r6"});
    let accepted = send_json(&reqwest::Method::POST, &server.us1(&volumes), &token, &body);
    let accepted = accepted.is(202).json();
    server.kill();
    assert!(
        world.data().join("admin.sock").exists(),
        "it had no time to tidy up"
    );

    let server = Server::start(&world);
    let task = format!("/api/v1/tasks/{}", accepted["taskUri"].as_str().unwrap());
    let task = eventually("the end of the task", || {
        let task = get_with(&server.us1(&task), &token).is(200).json();
        task["endedAt"].is_string().then_some(task)
    });
    assert_eq!(task["state"], "SUCCEEDED", "{task}");
    let found = server.us1("/api/v1/volumes?filter=name%20eq%20survivor");
    assert_eq!(get_with(&found, &token).is(200).json()["total"], 1);
    let events = server.us1("/api/v1/audit-events?filter=permission%20eq%20volume.create");
    let events = get_with(&events, &token).is(200).json();
    let states: Vec<&Value> = events["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|e| &e["state"])
        .collect();
    assert!(states.contains(&&json!("Success")), "{events}");
}

#[test]
fn without_its_master_key_a_database_stays_closed() {
    let world = World::owner();
    let key = world.data().join("master.key");
    let right = std::fs::read_to_string(&key).unwrap();
    std::fs::remove_file(&key).unwrap();
    let missing = run(&mut Server::command(&world)).ended(2);
    missing.says(&[
        text(&key),
        "is missing",
        "hint: ",
        "HALLPASS_MASTER_KEY_FILE",
    ]);
    assert!(!key.exists(), "a new key would never open the old database");
    world
        .try_admin(&["user", "list"])
        .ended(2)
        .says(&["is missing"]);

    std::fs::write(&key, "a".repeat(64)).unwrap();
    let database = world.data().join("hallpass.db");
    let wrong = run(&mut Server::command(&world)).ended(2);
    wrong.says(&[text(&database), "master key"]);

    std::fs::write(&key, "no key").unwrap();
    let damaged = run(&mut Server::command(&world)).ended(2);
    let damaged = damaged.says(&[text(&key), "64 hexadecimal digits"]);
    assert!(
        !damaged.stderr.contains("no key"),
        "what is in a key file is not repeated"
    );

    std::fs::write(&key, right).unwrap();
    Server::start(&world).stop();
}

#[test]
fn the_master_key_may_live_elsewhere() {
    let world = World::new();
    let key = world.path("key");
    std::fs::write(&key, format!("{}\n", "0123456789abcdef".repeat(4))).unwrap();
    let variables = [("HALLPASS_MASTER_KEY_FILE", text(&key))];
    let nothing: [&str; 0] = [];
    Server::start_with(&world, &nothing, &variables).stop();
    assert!(!world.data().join("master.key").exists());
    let server = Server::start_with(&world, &nothing, &variables);
    server.stop();

    let without = run(&mut Server::command(&world)).ended(2);
    without.says(&["is missing", "HALLPASS_MASTER_KEY_FILE"]);
    let nowhere = world.path("nowhere");
    let named = run(Server::command(&world).env("HALLPASS_MASTER_KEY_FILE", &nowhere)).ended(2);
    named.says(&[text(&nowhere), "cannot be read"]);
}
