//! The stand-in as authors of scripts use it: seeded and sized, saved, restored and reset, with faults,
//! and killed.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, RwLock};

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::http::{bare_request, get_with, json_request, token_of, try_send};
use crate::server::Server;
use crate::world::{ANN, World, eventually, text};

const STATE: &str = "/.hallpass/sandbox/state";
const VOLUMES: &str = "/api/v1/volumes?limit=5000";
const HOSTS: &str = "/api/v1/host-initiators";

/// A server, and a token of its administrator.
struct Running {
    world: World,
    server: Server,
    token: String,
}

impl Running {
    fn start(arguments: &[&str], configuration: &str) -> Self {
        let world = World::owner();
        std::fs::write(world.data().join("hallpass.toml"), configuration).unwrap();
        let server = Server::start_with(&world, arguments, &[]);
        let token = token_of(&world.create_credential(ANN, "us1", "suite"));
        Self {
            world,
            server,
            token,
        }
    }

    fn get(&self, path: &str) -> Value {
        get_with(&self.server.us1(path), &self.token).is(200).json()
    }

    fn names(&self) -> Vec<String> {
        let list = self.get(VOLUMES);
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| format!("{} {}", item["id"], item["name"]))
            .collect()
    }

    fn make_host(&self, name: &str) -> u16 {
        let body = json!({"name": name, "operatingSystem": "Linux", "userCreated": true});
        let url = self.server.us1(HOSTS);
        let request = json_request(&Method::POST, &url, &self.token, &body);
        try_send(request).unwrap().status
    }

    fn hosts(&self) -> BTreeSet<String> {
        let list = self.get(&format!("{HOSTS}?limit=5000"));
        let items = list["items"].as_array().unwrap().iter();
        items
            .map(|item| item["name"].as_str().unwrap().to_owned())
            .collect()
    }

    fn sandbox(&self, arguments: &[&str]) -> Value {
        self.world.admin(&[&["sandbox"], arguments].concat())
    }
}

#[test]
fn one_number_makes_one_state_of_the_size_that_is_asked_for() {
    let arguments = ["--seed", "7", "--volumes", "300"];
    let first = Running::start(&arguments, "");
    let again = Running::start(&arguments, "");
    let other = Running::start(&["--seed", "8", "--volumes", "300"], "");
    assert!(first.names().len() >= 300);
    assert_eq!(first.names(), again.names());
    assert_ne!(first.names(), other.names());
    // A state that is there stays, whatever the next start says.
    let (world, names, token) = (first.world, again.names(), first.token);
    first.server.stop();
    let server = Server::start_with(&world, &["--seed", "9"], &[]);
    let token = token_of(&server.moved(&world.create_credential(ANN, "us1", "next"))) + &token[..0];
    let kept = Running {
        world,
        server,
        token,
    };
    assert_eq!(kept.names(), names);
}

#[test]
fn a_suite_saves_restores_and_resets_with_or_without_a_server() {
    let running = Running::start(&[], "[audit]\nreads = true\n");
    let file = running.world.path("state.json");
    let at = ["--instance", "us1", "--file", text(&file)];
    assert_eq!(running.make_host("before"), 200);
    let with = running.hosts();
    running.sandbox(&[&["save"], &at[..]].concat());
    assert_eq!(running.make_host("after"), 200);
    running.sandbox(&[&["restore"], &at[..]].concat());
    assert_eq!(running.hosts(), with);
    let reset = running.sandbox(&["reset", "--instance", "us1", "--volumes", "50"]);
    assert!(reset["objects"].as_u64().unwrap() > 50);
    assert!(!running.hosts().contains("before"));
    let listed = running.sandbox(&["list"]);
    assert_eq!(listed["items"][0]["instance"], "us1");
    assert!(listed["items"][0]["snapshotBytes"].as_u64().unwrap() > 10_000);

    // The two ways write the same document.
    let over_http = get_with(&running.server.us1(STATE), &running.token).is(200);
    let printed = running.sandbox(&["save", "--instance", "us1"]);
    assert_eq!(over_http.json()["state"], printed["state"]);

    let cut = running.world.path("cut.json");
    std::fs::write(&cut, &over_http.text[..1000]).unwrap();
    let refused = running.world.try_admin(&[
        "sandbox",
        "restore",
        "--instance",
        "us1",
        "--file",
        text(&cut),
    ]);
    refused
        .ended(2)
        .says(&["no saved state", "line 1 column", "nothing was changed"]);

    let Running {
        world,
        server,
        token: _,
    } = running;
    server.stop();
    world.admin(&[&["sandbox", "restore"], &at[..]].concat());
    let server = Server::start(&world);
    let token = token_of(&server.moved(&world.create_credential(ANN, "us1", "next")));
    let running = Running {
        world,
        server,
        token,
    };
    assert_eq!(running.hosts(), with);
    let log = running.world.admin(&["audit", "list"]);
    let told: Vec<&str> = log["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|item| item["message"].as_str())
        .collect();
    for what in ["Restore the stand-in of us1", "Reset the stand-in of us1"] {
        for word in ["Initiated", "Completed"] {
            let message = format!("{what} - {word}");
            assert!(told.contains(&message.as_str()), "{message}: {told:?}");
        }
    }
    // By the command, and over HTTP.
    for save in ["Save the stand-in of us1", "Save the stand-in"] {
        let message = format!("{save} - Completed");
        assert!(told.contains(&message.as_str()), "{message}: {told:?}");
    }
}

#[test]
fn faults_come_from_the_configuration_the_command_line_and_the_header() {
    let rules = "[[sandbox.faults.rules]]\non = \"HostList\"\nfaults = \"status=503; times=1\"\n";
    let running = Running::start(&[], rules);
    let status = |path: &str| get_with(&running.server.us1(path), &running.token).status;
    assert_eq!([status(HOSTS), status(HOSTS)], [503, 200]);

    let add = ["fault", "add", "status=500; every=2", "--instance", "us1"];
    running.sandbox(&[&add[..], &["--on", "GET /api/v1/vol*"]].concat());
    assert_eq!(
        [status(VOLUMES), status(VOLUMES), status(HOSTS)],
        [200, 500, 200]
    );
    let listed = running.sandbox(&["fault", "list", "--instance", "us1"]);
    assert_eq!(listed["items"][1]["calls"], 2);
    let cleared = running.sandbox(&["fault", "clear", "--instance", "us1"]);
    assert_eq!(cleared["cleared"], 2);
    let log = running.world.admin(&["audit", "list"]).to_string();
    for told in [
        "Add the faults `status=500; every=2` of us1 - Completed",
        "Clear the faults of us1 - Completed",
    ] {
        assert!(log.contains(told), "{told}: {log}");
    }
    assert_eq!([status(VOLUMES), status(VOLUMES)], [200, 200]);
    let wrong = ["sandbox", "fault", "add", "status=2", "--instance", "us1"];
    running
        .world
        .try_admin(&wrong)
        .ended(2)
        .says(&["`status=2` wants"]);

    let send = |fault: &str| {
        let request = bare_request(&Method::GET, &running.server.us1(VOLUMES), &running.token);
        try_send(request.header("Hallpass-Fault", fault))
    };
    assert_eq!(
        send("status=429; retry-after=3").unwrap().headers["retry-after"],
        "3"
    );
    assert!(send("drop").is_err());
    assert!(send("drop=body").is_err());
    assert_eq!(send("explode").unwrap().status, 400);
    let metrics = crate::http::get(running.server.metrics()).text;
    for kind in ["status", "drop"] {
        let counted = format!("hallpass_api_faults_total{{kind=\"{kind}\"}}");
        assert!(metrics.contains(&counted), "{metrics}");
    }
    let (world, server) = (running.world, running.server);
    server.stop();
    let offline = ["sandbox", "fault", "list", "--instance", "us1"];
    world.try_admin(&offline).ended(1).says(&["no server runs"]);
}

#[test]
fn faults_can_be_switched_off_and_tasks_be_named_otherwise() {
    let settings = "[sandbox]\ntask_uri = \"path\"\ntask_milliseconds = 0\n[sandbox.faults]\nenabled = false\n";
    let running = Running::start(&[], settings);
    let request = bare_request(&Method::GET, &running.server.us1(VOLUMES), &running.token);
    let answer = try_send(request.header("Hallpass-Fault", "status=500")).unwrap();
    assert_eq!(answer.status, 200);
    let add = ["sandbox", "fault", "add", "drop", "--instance", "us1"];
    running
        .world
        .try_admin(&add)
        .ended(2)
        .says(&["switched off"]);

    let systems = running.get("/api/v1/storage-systems/device-type1?limit=1");
    let system = systems["items"][0]["id"].as_str().unwrap().to_owned();
    let pools = running.get(&format!(
        "/api/v1/storage-systems/device-type1/{system}/storage-pools?limit=1"
    ));
    let pool = &pools["items"][0]["name"];
    let url = running.server.us1(&format!(
        "/api/v1/storage-systems/device-type1/{system}/volumes"
    ));
    let body = json!({"name": "named", "sizeMib": 16384, "userCpg": pool});
    let made = try_send(json_request(&Method::POST, &url, &running.token, &body)).unwrap();
    let made = made.is(202).json();
    let task = made["taskUri"].as_str().unwrap();
    assert!(task.starts_with("/api/v1/tasks/"), "{task}");
}

/// Expiry in the time of a test: one second, for one credential and for all.
#[test]
fn a_token_can_live_for_a_second() {
    let running = Running::start(&[], "[tokens]\nlifetime_seconds = 1\n");
    let own = running.world.admin(&[
        "credential",
        "create",
        "--owner",
        ANN,
        "--instance",
        "us1",
        "--name",
        "short",
        "--lifetime",
        "1s",
    ]);
    let own = crate::world::Credential::read(&own);
    let asked = std::time::Instant::now();
    for token in [running.token.clone(), token_of(&own)] {
        eventually("the end of a token", || {
            let answer = get_with(&running.server.us1(VOLUMES), &token);
            (answer.status == 401).then_some(answer)
        });
    }
    let took = asked.elapsed();
    assert!(took < std::time::Duration::from_secs(20), "{took:?}");
}

/// Hosts are made while the state is saved and restored, and the server is killed in the midst of it.
/// `HALLPASS_SOAK_ROUNDS` says how often.
#[test]
fn no_accepted_change_is_lost_and_no_restore_is_half_when_the_server_is_killed() {
    // Each round makes a credential.
    let mut running = Running::start(&[], "[credentials]\nper_owner = 1000000\n");
    let rounds = std::env::var("HALLPASS_SOAK_ROUNDS").ok();
    let rounds: u32 = rounds.map_or(4, |rounds| rounds.parse().unwrap());
    let document = get_with(&running.server.us1(STATE), &running.token)
        .is(200)
        .text;
    let base = running.hosts();
    for round in 0..rounds {
        let load = Load {
            url: running.server.us1(""),
            token: running.token.clone(),
            accepted: Mutex::new(running.hosts()),
            unknown: Mutex::default(),
            quiet: RwLock::new(()),
            killed: AtomicBool::new(false),
        };
        let restoring = round % 2 == 0;
        let kill = running.server.process.killer();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let load = &load;
                scope.spawn(move || load.make_hosts(&format!("host-{round}-{thread}")));
            }
            scope.spawn(|| {
                load.wait_for(base.len() + 20);
                load.restore(&document, &base);
                load.wait_for(base.len() + 20);
                load.end(kill, restoring.then_some(&document));
            });
        });
        let Load {
            accepted, unknown, ..
        } = load;
        let Running { world, server, .. } = running;
        server.kill();
        let server = Server::start(&world);
        let name = format!("round {round}");
        let token = token_of(&server.moved(&world.create_credential(ANN, "us1", &name)));
        running = Running {
            world,
            server,
            token,
        };
        let (found, accepted) = (running.hosts(), accepted.into_inner().unwrap());
        let unknown = unknown.into_inner().unwrap();
        let whole = found.is_superset(&accepted)
            && found
                .difference(&accepted)
                .all(|name| unknown.contains(name));
        let restored = restoring && found.difference(&base).all(|name| unknown.contains(name));
        assert!(whole || restored, "found {found:?}, accepted {accepted:?}");
        // Whatever happened, the next change has its place.
        assert_eq!(running.make_host(&format!("after-{round}")), 200);
    }
}

/// What several threads do to one server, and what they were answered.
struct Load {
    url: String,
    token: String,
    accepted: Mutex<BTreeSet<String>>,
    /// Sent, and not answered.
    unknown: Mutex<BTreeSet<String>>,
    /// Held for writing while the whole state is replaced.
    quiet: RwLock<()>,
    killed: AtomicBool,
}

impl Load {
    fn make_hosts(&self, prefix: &str) {
        for number in 0.. {
            if self.killed.load(Ordering::SeqCst) {
                return;
            }
            let name = format!("{prefix}-{number}");
            let body = json!({"name": name, "operatingSystem": "Linux", "userCreated": true});
            let url = format!("{}{HOSTS}", self.url);
            let _begun = self.quiet.read().unwrap();
            match try_send(json_request(&Method::POST, &url, &self.token, &body)) {
                Ok(answer) => {
                    assert_eq!(answer.status, 200, "{}", answer.text);
                    self.accepted.lock().unwrap().insert(name);
                }
                Err(_) => {
                    self.unknown.lock().unwrap().insert(name);
                }
            }
        }
    }

    fn wait_for(&self, accepted: usize) {
        eventually("some hosts", || {
            (self.accepted.lock().unwrap().len() >= accepted).then_some(())
        });
    }

    fn put(&self, document: &str) -> RequestBuilder {
        let url = format!("{}{STATE}", self.url);
        bare_request(&Method::PUT, &url, &self.token).body(document.to_owned())
    }

    fn restore(&self, document: &str, base: &BTreeSet<String>) {
        let _quiet = self.quiet.write().unwrap();
        try_send(self.put(document)).unwrap().is(200);
        self.accepted.lock().unwrap().clone_from(base);
    }

    /// Kills the server, while a document is on its way if there is one.
    fn end(&self, kill: impl FnOnce(), document: Option<&String>) {
        let quiet = document.map(|_| self.quiet.write().unwrap());
        std::thread::scope(|scope| {
            if let Some(document) = document {
                scope.spawn(|| try_send(self.put(document)).is_ok());
            }
            kill();
            self.killed.store(true, Ordering::SeqCst);
        });
        drop(quiet);
    }
}
