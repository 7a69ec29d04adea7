//! What goes wrong is told in words and by the exit code.

use serde_json::json;

use super::{Client, new_volume};
use crate::http::send_json;
use crate::world::{Credential, run};

#[test]
fn wrong_usage_is_exit_2_and_says_what_would_be_right() {
    let client = Client::new();
    let unknown = client.run(&["call", "SystemList"]).ended(2);
    assert_eq!(unknown.stdout, "");
    unknown.says(&[
        "there is no operation \"SystemList\"",
        "SystemsList",
        "hint: ",
    ]);
    client
        .run(&["call", "DeviceType1"])
        .ended(2)
        .says(&["several operations", "DeviceType1SystemsList"]);
    client
        .run(&["call", "SystemGetById"])
        .ended(2)
        .says(&["SystemGetById needs \"id\""]);
    let no_name = client.run(&["call", "SystemsList", "nonsense=1"]).ended(2);
    no_name.says(&["nonsense", "filter"]);
    client
        .run(&["call", "SystemsList", "limit"])
        .ended(2)
        .says(&["NAME=VALUE"]);
    client
        .run(&["call", "VolumeCreate", "systemId=x", "--data", "{"])
        .ended(2)
        .says(&["no JSON"]);
    client
        .run(&["get", "api/v1/tasks"])
        .ended(2)
        .says(&["is no path", "hint: "]);
    client.run(&["frobnicate"]).ended(2);
    let half = run(client
        .world
        .command(&["token"])
        .env("HALLPASS_CLIENT_ID", "x"))
    .ended(2);
    half.says(&["HALLPASS_TOKEN_URL is not set", "hint: "]);
    let none = client.world.run(&["token"]).ended(2);
    none.says(&[
        "no profile is chosen",
        "hint: add one with `hallpass profile add`",
    ]);
}

#[test]
fn a_task_that_fails_or_takes_too_long_is_exit_5() {
    // Long enough for a second creation of the same name to begin before the first has ended.
    let client = Client::configured("[sandbox]\ntask_milliseconds = 6000\n");
    let system = client.system();
    let volumes = format!("/api/v1/storage-systems/device-type1/{system}/volumes");
    let token = client.run(&["token"]).ok().stdout;
    let body = json!({"name": "race", "sizeMib": 16384, "userCpg": "SSD_r6"});
    let first = client.server.us1(&volumes);
    send_json(&reqwest::Method::POST, &first, token.trim(), &body).is(202);
    let values = new_volume(&system, "race");
    let mut arguments = vec!["call", "VolumeCreate", "--wait"];
    arguments.extend(values.iter().map(String::as_str));
    let failed = client.run(&arguments).ended(5);
    assert_eq!(failed.json()["state"], "FAILED");
    failed.says(&[
        "Create volume race",
        "FAILED",
        "has a volume named race already",
    ]);
    // The task is shown as it was last seen, whatever became of it.
    let values = new_volume(&system, "slow");
    let mut arguments = vec!["call", "VolumeCreate", "--wait", "--wait-timeout", "1"];
    arguments.extend(values.iter().map(String::as_str));
    let late = client.run(&arguments).ended(5);
    assert!(late.json()["endedAt"].is_null());
    late.says(&[
        "Create volume slow",
        "is not done after 1 s",
        "hint: ",
        "/api/v1/tasks/",
    ]);
}

#[test]
fn each_way_to_fail_has_its_exit_code() {
    let client = Client::new();
    let system = client.system();
    client.world.create_user("bob@example.com", "observer");
    let bob = client
        .world
        .create_credential("bob@example.com", "us1", "look");
    let mut create = vec!["call", "VolumeCreate"];
    let values = new_volume(&system, "not-for-bob");
    create.extend(values.iter().map(String::as_str));
    let refused = run(&mut client.command_as(&bob, &create)).ended(1);
    assert_eq!(refused.stdout, "");
    refused.says(&["error: HTTP 403", "volume.create", "hint: "]);
    let nothing = client.run(&["call", "VolumeGetById", "id=none"]).ended(1);
    nothing.says(&["error: HTTP 404", "hint: "]);

    let wrong = Credential {
        client_secret: "0".repeat(32),
        ..client.credential.clone()
    };
    let refused = run(&mut client.command_as(&wrong, &["call", "SystemsList"])).ended(3);
    refused.says(&[
        "error: the token endpoint refused: invalid_client",
        "hint: ",
    ]);
    let elsewhere = Credential {
        base_url: client.server.addresses["instances"]["eu1"]
            .as_str()
            .unwrap()
            .to_owned(),
        ..client.credential.clone()
    };
    let refused = run(&mut client.command_as(&elsewhere, &["call", "SystemsList"])).ended(3);
    refused.says(&["error: HTTP 401", "hint: ", "region"]);

    let (world, credential) = (&client.world, client.credential.clone());
    client.run(&["token"]).ok();
    let closed = "http://127.0.0.1:1";
    let no_api = Credential {
        base_url: closed.to_owned(),
        ..credential.clone()
    };
    run(&mut client.command_as(&no_api, &["call", "SystemsList"]))
        .ended(4)
        .says(&[closed, "hint: "]);
    let no_tokens = Credential {
        token_url: format!("{closed}/token"),
        ..credential
    };
    let mut token = world.command(&["token"]);
    run(token.envs(no_tokens.variables()))
        .ended(4)
        .says(&[closed, "hint: "]);
}
