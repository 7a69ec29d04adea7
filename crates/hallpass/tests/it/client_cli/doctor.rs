//! `hallpass doctor`: what is wrong with a connection is named at the step where it is wrong.

use serde_json::Value;

use super::Client;
use crate::world::{ANN, Credential, Done, run, text};

/// Runs the doctor with a credential, and gives back how it ended and its findings.
fn examined(client: &Client, credential: &Credential, code: i32) -> Vec<Value> {
    let done = run(&mut client.command_as(credential, &["doctor", "--json"]));
    findings(&done.ended(code))
}

fn findings(done: &Done) -> Vec<Value> {
    done.json()["findings"].as_array().unwrap().clone()
}

/// The steps that ended so.
fn steps<'a>(findings: &'a [Value], verdict: &str) -> Vec<&'a str> {
    let so = findings.iter().filter(|one| one["verdict"] == verdict);
    so.map(|one| one["step"].as_str().unwrap()).collect()
}

/// The only failure.
#[track_caller]
fn failure<'a>(findings: &'a [Value], step: &str) -> &'a Value {
    assert_eq!(steps(findings, "failed"), [step], "{findings:#?}");
    let failed = findings
        .iter()
        .find(|one| one["verdict"] == "failed")
        .unwrap();
    assert!(
        failed["hint"].as_str().is_some_and(|hint| !hint.is_empty()),
        "{failed}"
    );
    failed
}

#[test]
fn a_connection_that_works_is_fine_at_every_step() {
    let client = Client::new();
    let found = examined(&client, &client.credential, 0);
    let fine = steps(&found, "ok");
    for step in [
        "names",
        "connection",
        "clock",
        "metadata",
        "credential",
        "region",
        "permission",
        "definition",
    ] {
        assert!(fine.contains(&step), "{step}: {found:#?}");
    }
    let told = client.run(&["doctor"]).ok().stdout;
    assert!(
        told.lines()
            .all(|line| line.starts_with("ok ") || line.starts_with("note ")),
        "{told}"
    );
    // The token in the cache was good enough.
    assert_eq!(client.minted(), 1);
    client.run(&["doctor", "--renew"]).ok();
    assert_eq!(client.minted(), 2);
}

#[test]
fn a_wrong_secret_is_the_credentials_fault() {
    let client = Client::new();
    let wrong = Credential {
        client_secret: "0".repeat(32),
        ..client.credential.clone()
    };
    let found = examined(&client, &wrong, 3);
    let failed = failure(&found, "credential");
    assert!(
        failed["message"]
            .as_str()
            .unwrap()
            .contains("invalid_client"),
        "{failed}"
    );
}

#[test]
fn a_token_for_another_region_is_told_from_a_missing_permission() {
    let client = Client::new();
    let elsewhere = Credential {
        base_url: client.server.instance("eu1").to_owned(),
        ..client.credential.clone()
    };
    let found = examined(&client, &elsewhere, 3);
    let failed = failure(&found, "region");
    assert!(
        failed["message"]
            .as_str()
            .unwrap()
            .contains("application instance"),
        "{failed}"
    );

    client
        .world
        .admin(&["role", "revoke", "--user", ANN, "--role", "administrator"]);
    let found = examined(&client, &client.credential, 1);
    assert!(steps(&found, "ok").contains(&"region"));
    failure(&found, "permission");
}

#[test]
fn a_server_that_is_not_there_is_not_reached() {
    let client = Client::new();
    let nowhere = Credential {
        token_url: "https://nowhere.invalid/as/token.oauth2".to_owned(),
        ..client.credential.clone()
    };
    let found = examined(&client, &nowhere, 4);
    failure(&found, "names");
    drop(client.server);
    let mut command = client.world.command(&["doctor", "--json"]);
    let found = findings(&run(command.envs(client.credential.variables())).ended(4));
    assert_eq!(steps(&found, "failed"), ["connection", "connection"]);
}

#[test]
fn an_api_that_is_not_as_defined_is_told() {
    let client = Client::new();
    let definition = client.world.path("other.yaml");
    let other = "openapi: 3.0.3\n\
        info: {title: Another, version: '1'}\n\
        servers: [{url: 'https://elsewhere.example'}]\n\
        paths:\n\
        \x20 /api/v1/storage-systems:\n\
        \x20   get:\n\
        \x20     operationId: SystemsList\n\
        \x20     responses:\n\
        \x20       '200':\n\
        \x20         description: All\n\
        \x20         content:\n\
        \x20           application/json:\n\
        \x20             schema: {type: object, required: [systems]}\n";
    std::fs::write(&definition, other).unwrap();
    let mut command = client.command(&["doctor", "--json"]);
    let found = findings(&run(command.env("HALLPASS_API", text(&definition))).ok());
    assert_eq!(steps(&found, "warning"), ["definition"], "{found:#?}");
    assert_eq!(steps(&found, "note"), ["definition"], "{found:#?}");
}

#[test]
fn a_broken_definition_is_a_finding_and_hides_no_other() {
    let client = Client::new();
    let broken = client.world.path("broken.yaml");
    std::fs::write(&broken, "openapi: [").unwrap();
    for file in [&broken, &client.world.path("none.yaml")] {
        let mut command = client.command(&["doctor", "--json"]);
        let found = findings(&run(command.env("HALLPASS_API", file)).ended(1));
        failure(&found, "definition");
        assert!(steps(&found, "ok").contains(&"credential"), "{found:#?}");
    }
}
