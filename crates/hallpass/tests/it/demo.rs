//! `hallpass demo`: the walk ends well, tells what it does, shows no secret twice and leaves nothing
//! behind, however it ends.

use std::io::{Read as _, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};

use crate::server::Running;
use crate::world::{Done, World, eventually, run, signal};

/// Title and statuses of each step; a command of the program itself has no status.
const STORY: [(&str, &[Option<u16>]); 13] = [
    ("The system is running", &[Some(200)]),
    (
        "A resource owner exists: Ann, an administrator",
        &[None, None],
    ),
    (
        "Ann creates an API credential for her program",
        &[Some(201)],
    ),
    ("The program asks for an access token", &[Some(200)]),
    ("What the token says", &[None]),
    ("The program lists the storage systems", &[Some(200)]),
    ("The program creates a volume", &[Some(202), Some(200)]),
    ("The program finds the volume with a filter", &[Some(200)]),
    ("Bob may look, but not create", &[Some(403)]),
    ("The refusal is in the audit log", &[Some(200)]),
    ("Ann resets the secret", &[Some(200)]),
    (
        "The old token and the old secret stopped working",
        &[Some(401), Some(401)],
    ),
    (
        "The new secret works, and everything is written down",
        &[Some(200)],
    ),
];

#[test]
fn the_walk_is_told_in_words() {
    let world = World::new();
    let done = world.run(&["demo"]).ok();
    for (number, (title, statuses)) in (1..).zip(STORY) {
        let heading = format!("\n{number:>2}  {title}\n");
        let (_, rest) = done
            .stdout
            .split_once(&heading)
            .unwrap_or_else(|| panic!("{heading}"));
        let step = rest.split("\n\n").next().unwrap();
        let shown = step.lines().filter_map(|line| line.strip_prefix("    -> "));
        let shown: Vec<u16> = shown.map(|line| line[..3].parse().unwrap()).collect();
        let told: Vec<u16> = statuses.iter().copied().flatten().collect();
        assert_eq!(shown, told, "{step}");
    }
    assert!(
        done.stdout
            .ends_with("\nDone: 13 steps, all as expected.\n"),
        "{}",
        done.stdout
    );
    assert_eq!(done.stderr, "");
    assert!(!done.stdout.contains('\u{1b}'), "colours in a pipe");
    shows_one_secret_once(&done.stdout);
    assert_eq!(left_behind(&world), Vec::<PathBuf>::new());
}

#[test]
fn the_walk_is_told_to_programs() {
    let world = World::new();
    let done = world.run(&["demo", "--json"]).ok();
    let steps: Vec<Value> = done.stdout.lines().map(read).collect();
    assert_eq!(steps.len(), STORY.len());
    for (step, (number, (title, told))) in steps.iter().zip((1..).zip(STORY)) {
        assert_eq!(
            (&step["step"], &step["title"]),
            (&json!(number), &json!(title))
        );
        let exchanges = step["exchanges"].as_array().unwrap();
        for exchange in exchanges {
            assert!(
                exchange["request"].is_string() && exchange["words"].is_string(),
                "{step}"
            );
        }
        let shown: Vec<&Value> = exchanges
            .iter()
            .map(|exchange| &exchange["status"])
            .collect();
        assert_eq!(json!(shown), json!(told), "{step}");
        let last = told.iter().copied().flatten().next_back();
        assert_eq!(step["status"], json!(last), "{step}");
        assert_eq!(step.get("error"), None);
    }
    shows_one_secret_once(&done.stdout);
    assert_eq!(left_behind(&world), Vec::<PathBuf>::new());
}

fn read(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn kept_it_goes_on_with_a_profile_that_works_elsewhere() {
    let world = World::new();
    let mut demo = Running::start(&mut world.command(&["demo", "--keep"]));
    demo.stdout.wait_for("admin credential list --data");
    let told = demo.stdout.text();
    let variables: Vec<(&str, &str)> = told
        .lines()
        .filter_map(|line| line.trim().strip_prefix("export ")?.split_once('='))
        .collect();
    assert_eq!(variables.len(), 4, "{told}");
    for name in ["token URL", "console", "API of us1", "metrics"] {
        assert!(told.contains(&format!("\n  {name} ")), "{name}: {told}");
    }
    let mut call = world.command(&["call", "SystemsList"]);
    let systems = run(call.envs(variables.iter().copied())).ok().json();
    assert_eq!(systems["total"], 3);

    // The data directory is named, and `admin` reaches the running system through it.
    let data = told.lines().last().unwrap().rsplit(' ').next().unwrap();
    let list = world
        .run(&["admin", "credential", "list", "--data", data, "--json"])
        .ok()
        .json();
    assert_eq!(list["items"].as_array().unwrap().len(), 3);

    demo.signal("INT");
    assert_eq!(demo.end().code(), Some(0), "{}", demo.stderr.to_end());
    assert_eq!(left_behind(&world), Vec::<PathBuf>::new());
}

#[test]
fn kept_for_a_program_it_tells_everything_in_one_line() {
    let world = World::new();
    let mut demo = Running::start(&mut world.command(&["demo", "--keep", "--json"]));
    let line = read(&demo.stdout.wait_for("\"step\":\"running\""));
    let profile = line["profile"].as_object().unwrap();
    let variables = profile
        .iter()
        .map(|(name, value)| (name, value.as_str().unwrap()));
    let mut token = world.command(&["token", "--claims", "--json"]);
    let claims = run(token.envs(variables)).ok().json();
    assert_eq!(claims["client_id"], profile["HALLPASS_CLIENT_ID"]);
    assert_eq!(claims["iss"], line["addresses"]["authorizationServer"]);
    assert!(line["addresses"]["instances"]["us1"].is_string());
    demo.signal("TERM");
    assert_eq!(demo.end().code(), Some(0));
    assert_eq!(left_behind(&world), Vec::<PathBuf>::new());
}

#[test]
fn a_step_that_fails_is_named() {
    let world = World::new();
    let (child, output) = held_back(&mut world.command(&["demo", "--json"]));
    let socket = eventually("the demo's socket", || {
        let folder = left_behind(&world).pop()?;
        Some(folder.join("data/admin.sock")).filter(|socket| socket.exists())
    });
    // Without its socket it cannot add Ann.
    std::fs::remove_file(socket).unwrap();
    let done = let_go(child, output).ended(1);
    let last = read(done.stdout.lines().last().unwrap());
    let title = STORY[1].0;
    assert_eq!((&last["step"], &last["title"]), (&json!(2), &json!(title)));
    assert_eq!(last["error"], "the admin socket is not there");
    done.says(&[&format!(
        "error: step 2 ({title}) failed: the admin socket is not there"
    )]);
    assert_eq!(left_behind(&world), Vec::<PathBuf>::new());
}

#[test]
fn a_walk_that_is_interrupted_leaves_nothing_behind() {
    let world = World::new();
    let (child, output) = held_back(&mut world.command(&["demo", "--json"]));
    eventually("the demo's folder", || left_behind(&world).pop());
    signal(child.id(), "INT");
    let done = let_go(child, output).ended(1);
    done.says(&["error: step ", "stopped by a signal"]);
    assert_eq!(left_behind(&world), Vec::<PathBuf>::new());
}

#[test]
fn without_a_place_for_temporary_files_it_says_so() {
    let world = World::new();
    let nowhere = world.path("nowhere");
    let done = run(world.command(&["demo"]).env("TMPDIR", &nowhere)).ended(1);
    done.says(&[
        "error: step 1 (The system is running) failed: there is no place for temporary files",
        nowhere.to_str().unwrap(),
        "hint: ",
    ]);
}

/// What is in the folder for temporary files.
fn left_behind(world: &World) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(world.temporary()).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

/// The one secret that the story shows must be in it once, and nothing else that opens a door.
#[track_caller]
fn shows_one_secret_once(told: &str) {
    let marked: Vec<&str> = told
        .match_indices("clientSecret")
        .map(|(at, name)| told[at + name.len()..].trim_start_matches(['"', '\\', ':', ' ']))
        .filter_map(|rest| rest.get(..32))
        .filter(|value| value.bytes().all(|byte| byte.is_ascii_hexdigit()))
        .collect();
    assert_eq!(marked.len(), 1, "{marked:?}");
    assert_eq!(told.matches(marked[0]).count(), 1, "{}", marked[0]);
    let is_token = |word: &&str| word.starts_with("eyJ") && word.len() > 6;
    let words = told.split(|sign: char| !sign.is_ascii_alphanumeric() && !"-_.".contains(sign));
    assert_eq!(
        words.filter(is_token).collect::<Vec<_>>(),
        Vec::<&str>::new()
    );
    let links = told.split("/setup/").skip(1);
    for link in links {
        assert!(
            link.starts_with(|sign: char| sign.is_ascii_hexdigit()) && link[6..].starts_with('…')
        );
    }
}

/// Starts the demo with an output that takes nothing, so that it stops at its first words until
/// [`let_go`] reads them.
fn held_back(command: &mut Command) -> (Child, UnixStream) {
    let (output, mut full) = UnixStream::pair().unwrap();
    full.set_nonblocking(true).unwrap();
    // Until it would block, down to the last byte.
    for size in [4096, 1] {
        while full.write_all(&vec![b'\n'; size]).is_ok() {}
    }
    full.set_nonblocking(false).unwrap();
    let child = command.stdout(OwnedFd::from(full)).spawn().unwrap();
    // The command holds that end, too, and would keep it open.
    command.stdout(Stdio::null());
    (child, output)
}

fn let_go(child: Child, mut output: UnixStream) -> Done {
    let mut all = String::new();
    output.read_to_string(&mut all).unwrap();
    let mut done = Done::from(child.wait_with_output().unwrap());
    all.trim_start_matches('\n').clone_into(&mut done.stdout);
    done
}
