//! `hallpass call` and `hallpass get`: from typed words to data on stdout.

use serde_json::json;

use super::{Client, new_volume};
use crate::world::{ANN, run_with_input, text};

#[test]
fn operations_are_called_by_name_in_any_case_or_by_their_beginning() {
    let client = Client::new();
    let systems = client.run(&["call", "SystemsList"]).ok();
    assert_eq!(systems.stderr, "");
    assert_eq!(systems.json()["total"], 3);
    for name in ["systemslist", "SystemsL"] {
        let same = client.run(&["call", name]).ok().json();
        assert_eq!(same["requestUri"], systems.json()["requestUri"], "{name}");
    }

    let table = client
        .run(&["call", "SystemsList", "-o", "table", "select=id,name"])
        .ok();
    let rows: Vec<Vec<&str>> = table
        .stdout
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    assert_eq!(rows[0], ["id", "name"]);
    assert_eq!(rows.len(), 4, "{}", table.stdout);

    let id = systems.json()["items"][0]["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let one = client
        .run(&["call", "SystemGetById", &format!("id={id}")])
        .ok()
        .json();
    assert_eq!(one["id"], json!(id));
    let filter = format!("filter=name eq '{}'", one["name"].as_str().unwrap());
    let found = client.run(&["call", "SystemsList", &filter]).ok().json();
    assert_eq!(found["total"], 1);
}

#[test]
fn a_volume_is_created_and_waited_for() {
    let client = Client::new();
    let system = client.system();
    let values = new_volume(&system, "waited-for");
    let mut arguments = vec!["call", "VolumeCreate"];
    arguments.extend(values.iter().map(String::as_str));
    arguments.push("--wait");
    let done = client.run(&arguments).ok();
    assert_eq!(done.stderr, "", "no bar where nobody looks");
    let task = done.json();
    assert_eq!(
        (&task["state"], &task["progressPercent"]),
        (&json!("SUCCEEDED"), &json!(100))
    );
    let found = client
        .run(&["call", "VolumesList", "filter=name eq waited-for"])
        .ok()
        .json();
    assert_eq!(found["total"], 1);

    // The same with a body, from standard input and from a file.
    let body = json!({"name": "from-input", "sizeMib": 1024, "userCpg": "SSD_r6"}).to_string();
    let system = format!("systemId={system}");
    let mut create = client.command(&["call", "VolumeCreate", &system, "--data", "-"]);
    let accepted = run_with_input(&mut create, &body).ok().json();
    assert_eq!(accepted["status"], "SUBMITTED");
    let file = client.world.path("body.json");
    std::fs::write(&file, body.replace("from-input", "from-file")).unwrap();
    let file = format!("@{}", text(&file));
    let create = [
        "call",
        "VolumeCreate",
        &system,
        "--data",
        &file,
        "--wait",
        "-o",
        "table",
    ];
    let task = client.run(&create).ok().stdout;
    assert!(
        task.lines().any(|line| line.ends_with(" SUCCEEDED")),
        "{task}"
    );
}

#[test]
fn a_path_is_read_and_a_list_to_its_end() {
    let client = Client::new();
    let tasks = client.run(&["get", "/api/v1/tasks"]).ok().json();
    assert!(tasks["items"].is_array(), "{tasks}");
    let volumes = client
        .run(&["get", "/api/v1/volumes", "limit=1000"])
        .ok()
        .json();
    let total = volumes["total"].as_u64().unwrap();
    assert!(total > 2, "more than a page of two");
    assert_eq!(volumes["items"].as_array().unwrap().len() as u64, total);
    let page = client.run(&["call", "VolumesList", "limit=2"]).ok().json();
    assert_eq!(page["items"].as_array().unwrap().len(), 2);
    for command in [
        ["call", "VolumesList", "limit=2", "--all"],
        ["get", "/api/v1/volumes?limit=2", "offset=0", "--all"],
    ] {
        let all = client.run(&command).ok().json();
        assert_eq!(
            (&all["total"], &all["items"]),
            (&json!(total), &volumes["items"])
        );
    }
    // What is typed is one value, whatever signs are in it.
    let filter = "filter=name eq 'a&b=c d'";
    assert_eq!(
        client.run(&["get", "/api/v1/volumes", filter]).ok().json()["total"],
        0
    );
    client
        .run(&["get", "/api/v1/nowhere"])
        .ended(1)
        .says(&["HTTP 404"]);
}

#[test]
fn what_is_sent_is_told_on_stderr_and_data_stays_alone_on_stdout() {
    let client = Client::new();
    let told = client.run(&["call", "SystemsList", "-v"]).ok();
    assert_eq!(told.json()["total"], 3);
    let told = told.says(&["> POST ", "< token, good until", "> GET ", "< 200"]);
    assert!(!told.stderr.contains(&client.credential.client_secret));
    let again = client
        .run(&["call", "SystemsList", "-v"])
        .ok()
        .says(&["token from the cache"]);
    for done in [told, again, client.run(&["call", "Nowhere"])] {
        assert!(
            !done.stdout.contains('\u{1b}') && !done.stderr.contains('\u{1b}'),
            "{done:?}"
        );
    }
    let admin = [
        "admin",
        "credential",
        "create",
        "--owner",
        ANN,
        "--instance",
        "us1",
        "--name",
        "words",
    ];
    let data = client.world.data();
    let made = client
        .world
        .run(&[&admin[..], &["--data", text(&data)]].concat())
        .ok();
    assert!(
        made.stdout
            .lines()
            .any(|line| line.starts_with("clientSecret")),
        "{made:?}"
    );
    made.says(&["cannot be shown again"]);
}

#[test]
fn reads_are_audited_where_that_is_asked_for() {
    for (configuration, rows) in [("", 0), ("[audit]\nreads = true\n", 1)] {
        let client = Client::configured(configuration);
        client.run(&["get", "/api/v1/volumes"]).ok();
        let events = client.world.admin(&["audit", "list"]);
        let events = events["items"].as_array().unwrap();
        let reads = events.iter().filter(|event| {
            event["permission"] == "volume.read" && event["resource"] == "/api/v1/volumes"
        });
        assert_eq!(reads.count(), rows, "{configuration}{events:?}");
    }
}
