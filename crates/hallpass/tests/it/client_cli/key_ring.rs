//! Secrets in the key store of a desktop session: a message bus and GNOME Keyring of the test's own.

use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, Command, Stdio};

use super::Client;
use super::profiles::add_profile;
use crate::world::{World, eventually, files, run, run_with_input};

/// A session bus and a key store, ended with the value.
struct Session {
    bus: Child,
    key_store: Child,
    address: String,
}

impl Session {
    /// `None` where one of the two is not installed.
    fn start(world: &World) -> Option<Self> {
        let socket = format!("--address=unix:path={}", world.path("bus").display());
        let mut bus = Command::new("dbus-daemon")
            .args(["--session", "--nofork", "--print-address", &socket])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .ok()?;
        let mut address = String::new();
        let mut printed = BufReader::new(bus.stdout.take().unwrap());
        printed.read_line(&mut address).unwrap();
        let address = address.trim().to_owned();
        let started = Command::new("gnome-keyring-daemon")
            .args(["--foreground", "--unlock", "--components=secrets"])
            .env_clear()
            .env("HOME", world.path("keys"))
            .env("XDG_RUNTIME_DIR", world.temporary())
            .env("DBUS_SESSION_BUS_ADDRESS", &address)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut key_store) = started else {
            bus.kill().unwrap();
            bus.wait().unwrap();
            return None;
        };
        // The password of the collection that it makes; the end of the input says that it is whole.
        let mut password = key_store.stdin.take().unwrap();
        password.write_all(b"open sesame").unwrap();
        drop(password);
        Some(Self {
            bus,
            key_store,
            address,
        })
    }

    fn command(&self, world: &World, arguments: &[&str]) -> Command {
        let mut command = world.command(arguments);
        command.env("DBUS_SESSION_BUS_ADDRESS", &self.address);
        command
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        for child in [&mut self.key_store, &mut self.bus] {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

#[test]
fn the_key_store_of_the_session_keeps_the_secret() {
    let client = Client::new();
    let (world, credential) = (&client.world, &client.credential);
    std::fs::create_dir(world.path("keys")).unwrap();
    let Some(session) = Session::start(world) else {
        eprintln!("skipped: dbus-daemon or gnome-keyring-daemon is not installed");
        return;
    };
    let add = [
        &add_profile("us1", credential)[..],
        &["--secret-file", "-", "--store", "keyring", "--replace"],
    ]
    .concat();
    // Until the key store has made its collection and taken its name on the bus.
    let added = eventually("the key store to answer", || {
        let mut command = session.command(world, &add);
        Some(run_with_input(&mut command, &credential.client_secret))
            .filter(|it| it.code == Some(0))
    });
    added.says(&["kept in the key store"]);
    let shown = run(&mut session.command(world, &["profile", "show", "--json"]))
        .ok()
        .json();
    assert_eq!(shown["secretIsThere"], true, "{shown}");
    let profiles = world.home().join("config/hallpass/profiles.toml");
    let text = std::fs::read_to_string(profiles).unwrap();
    assert!(text.contains("keyring"), "pinned: {text}");
    for file in files(&world.home()) {
        let content = std::fs::read(&file).unwrap();
        let content = String::from_utf8_lossy(&content);
        assert!(
            !content.contains(&credential.client_secret),
            "{}",
            file.display()
        );
    }

    // Chosen by itself when it answers.
    let by_itself = [
        &add_profile("other", credential)[..],
        &["--secret-file", "-"],
    ]
    .concat();
    run_with_input(
        &mut session.command(world, &by_itself),
        &credential.client_secret,
    )
    .ok()
    .says(&["kept in the key store"]);

    run(&mut session.command(world, &["token", "--renew"])).ok();
    // The cached token needs no key store; a new one does, and says what is missing.
    world.run(&["token"]).ok();
    world
        .run(&["token", "--renew"])
        .ended(3)
        .says(&["no desktop session", "--store"]);
    run(&mut session.command(world, &["profile", "rename", "us1", "renamed"])).ok();
    run(&mut session.command(world, &["token", "--renew"])).ok();
    run(&mut session.command(world, &["profile", "remove", "renamed"])).ok();
    let again = [&add[..], &["--no-test"]].concat();
    let there = |name: &str| {
        let shown = run(&mut session.command(world, &["profile", "show", name, "--json"]));
        shown.ok().json()["secretIsThere"].clone()
    };
    run_with_input(&mut session.command(world, &again), "x").ok();
    assert_eq!(there("us1"), true);
    assert_eq!(there("other"), true, "entries are told apart by profile");
}
