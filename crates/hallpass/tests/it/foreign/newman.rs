//! newman, Postman's runner for the command line, with the collection that `hallpass collection
//! export` writes.

use std::process::{Command, Stdio};

use serde_json::Value;

use super::Stage;
use super::scripts::Installed;
use super::strict::{CLIENT_SECRET, Strict, Wants};
use crate::world::{Done, World, run, text};

/// A collection and its environment, as exported.
struct Exported<'a> {
    world: &'a World,
    installed: Installed,
}

impl<'a> Exported<'a> {
    /// With these operations; all if there are none.
    fn new(stage: &'a Stage, installed: Installed, operations: &[String]) -> Self {
        let client = |arguments: &[&str]| stage.client(arguments);
        let exported = Self::of(&stage.world, installed, client, operations);
        for file in ["c.json", "environment.json"] {
            let written = std::fs::read_to_string(stage.world.path(file)).unwrap();
            assert!(!written.contains(&stage.credential.client_secret));
        }
        exported
    }

    /// The same with a program that has another profile.
    fn of(
        world: &'a World,
        installed: Installed,
        client: impl FnOnce(&[&str]) -> Command,
        operations: &[String],
    ) -> Self {
        let (collection, environment) = (world.path("c.json"), world.path("environment.json"));
        let mut arguments = vec!["collection", "export", text(&collection)];
        arguments.extend(["--environment", text(&environment)]);
        for operation in operations {
            arguments.extend(["--operation", operation]);
        }
        run(&mut client(&arguments))
            .ok()
            .says(&["wrote ", "clientSecret"]);
        Self { world, installed }
    }

    /// Runs all requests, with a variable set as a user would; what newman says and its report.
    fn run(&self, variable: &str, value: &str) -> (Done, Value) {
        let world = self.world;
        let environment = world.path("environment.json");
        let mut told: Value =
            serde_json::from_str(&std::fs::read_to_string(&environment).unwrap()).unwrap();
        let values = told["values"].as_array_mut().unwrap();
        match values.iter_mut().find(|one| one["key"] == variable) {
            Some(one) => one["value"] = value.into(),
            None => values.push(serde_json::json!({"key": variable, "value": value})),
        }
        let told_file = world.path("told.json");
        std::fs::write(&told_file, told.to_string()).unwrap();
        let report = world.path("report.json");
        let mut newman = self.installed.program("node");
        newman
            .arg(self.installed.package("newman/bin/newman.js"))
            .args([
                "run",
                text(&world.path("c.json")),
                "--environment",
                text(&told_file),
            ])
            .args([
                "--reporters",
                "cli,json",
                "--reporter-json-export",
                text(&report),
            ])
            .args(["--timeout", "60000", "--color", "off"])
            .env("HOME", world.home())
            .current_dir(world.home())
            .stdin(Stdio::null());
        let done = run(&mut newman);
        let report = serde_json::from_str(&std::fs::read_to_string(report).unwrap()).unwrap();
        (done, report)
    }
}

/// The operations that only read, by the definition itself.
fn reading_operations() -> Vec<String> {
    let text = include_str!("../../../../../api/storage-api.yaml");
    let definition = hallpass_openapi::Definition::read(text).unwrap().definition;
    let all = definition.operations().iter();
    all.filter(|one| one.method() == http::Method::GET)
        .map(|one| one.id().to_owned())
        .collect()
}

#[test]
fn every_reading_operation_of_the_collection_succeeds() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let stage = Stage::set();
    let reading = reading_operations();
    assert!(reading.len() > 20, "{reading:?}");
    let exported = Exported::new(&stage, installed, &reading);
    let (done, report) = exported.run("clientSecret", &stage.credential.client_secret);
    done.ok();
    let sent = report["run"]["executions"].as_array().unwrap();
    let answered = sent.iter().filter(|one| one["response"]["code"] == 200);
    // The first also has the token request of its script.
    assert_eq!(answered.count(), reading.len() + 1, "{sent:#?}");
    for operation in &reading {
        let named = |one: &&Value| one["item"]["name"] == operation.as_str();
        assert!(sent.iter().any(|one| named(&one)), "{operation}");
    }
    assert_eq!(stage.minted(), 1, "one token for all of them");
}

#[test]
fn what_changes_something_can_be_sent_as_it_is() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let stage = Stage::set();
    let changing = ["VolumeCreate", "HostCreate"].map(str::to_owned);
    let exported = Exported::new(&stage, installed, &changing);
    let (done, _) = exported.run("clientSecret", &stage.credential.client_secret);
    done.ok();
}

/// Also where the server reads a credential in one way only.
#[test]
fn a_collection_sends_an_odd_credential_as_the_profile_does() {
    for wants in Wants::ALL {
        let Some(installed) = Installed::find() else {
            return;
        };
        let strict = Strict::start(wants);
        let world = World::new();
        let export = |arguments: &[&str]| {
            let mut command = world.command(arguments);
            strict.known_to(&mut command);
            command
        };
        let operations = ["ListTasks".to_owned()];
        let exported = Exported::of(&world, installed, export, &operations);
        let (done, report) = exported.run("clientSecret", CLIENT_SECRET);
        done.ok();
        assert_eq!(
            report["run"]["executions"].as_array().unwrap().len(),
            2,
            "{wants:?}"
        );
    }
}

#[test]
fn a_token_that_is_given_is_used_and_no_other_asked_for() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let stage = Stage::set();
    let token = run(&mut stage.client(&["token"])).ok().stdout;
    let exported = Exported::new(&stage, installed, &["ListTasks".to_owned()]);
    let (done, report) = exported.run("accessToken", token.trim());
    done.ok();
    assert_eq!(report["run"]["executions"].as_array().unwrap().len(), 1);
    assert_eq!(stage.minted(), 1);
}

#[test]
fn without_a_token_the_api_is_not_called() {
    let Some(installed) = Installed::find() else {
        return;
    };
    let stage = Stage::set();
    let exported = Exported::new(&stage, installed, &[]);
    let (done, report) = exported.run("clientSecret", "wrong");
    let done = done.ended(1);
    assert!(done.stdout.contains("invalid_client"), "{done:#?}");
    let sent = report["run"]["executions"].as_array().unwrap();
    let urls: Vec<String> = sent
        .iter()
        .map(|one| one["request"]["url"].to_string())
        .collect();
    assert_eq!(sent.len(), 1, "the run ends with it: {urls:?}");
    assert!(urls[0].contains("token.oauth2"), "{urls:?}");
}
