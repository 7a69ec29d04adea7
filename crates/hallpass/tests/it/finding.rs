//! Finding one's way in an API: its operations, their descriptions, completion, man pages.

mod completion;
pub(crate) mod shells;

use serde_json::Value;

use crate::world::{World, files, text};

/// A definition of two operations; the second is in another file.
const TWO: &str = "openapi: 3.0.3\ninfo: { title: Two, version: '1' }\npaths:\n  /things:\n    get: { operationId: \
                   ListThings, summary: All of them, responses: { '200': { description: x } } }\n  /other: { $ref: \
                   'other.yaml' }\n";
const OTHER: &str = "put: { operationId: ChangeOther, responses: { '200': { description: x } } }\n";

/// A world with a profile `local` that nothing answers for.
fn with_profile() -> World {
    let world = World::new();
    std::fs::write(world.path("secret"), "planted").unwrap();
    let secret = world.path("secret");
    let add = [
        "profile",
        "add",
        "local",
        "--client-id",
        "c",
        "--secret-file",
        text(&secret),
    ];
    let addresses = [
        "--token-url",
        "http://127.0.0.1:1/t",
        "--base-url",
        "http://127.0.0.1:1",
        "--no-test",
    ];
    world.run(&[&add[..], &addresses].concat()).ok();
    world
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().unwrap().iter();
    items
        .map(|item| item["operation"].as_str().unwrap())
        .collect()
}

#[test]
fn operations_are_listed_by_what_they_are_about() {
    let world = World::new();
    let list = |words: &[&str]| world.run(&[&["api", "list"], words].concat()).ok();
    let all = list(&["--json"]).json();
    assert!(names(&all).len() > 20);
    let found = list(&["VOLUME", "post", "--json"]).json();
    assert_eq!(
        found["items"].as_array().unwrap().len(),
        0,
        "a method is no word"
    );
    let found = list(&["GROUP", "create", "--json"]).json();
    assert_eq!(names(&found), ["HostGroupCreate"]);
    assert_eq!(found["items"][0]["method"], "POST");
    let readable = list(&["group", "create"]).stdout;
    assert!(
        readable
            .lines()
            .nth(1)
            .unwrap()
            .starts_with("HostGroupCreate"),
        "{readable}"
    );
    list(&["nonsense"]).says(&["none of the "]);
}

#[test]
fn the_tree_has_the_folders_of_the_paths_or_the_tags() {
    let world = World::new();
    let tree = |rest: &[&str]| world.run(&[&["api", "tree"], rest].concat()).ok().stdout;
    let whole = tree(&[]);
    assert!(
        whole.contains("\napi/v1/\n  storage-systems/\n    GET    SystemsList"),
        "{whole}"
    );
    let list = world.run(&["api", "list", "--json"]).ok().json();
    for name in names(&list) {
        assert!(
            whole.contains(&format!(" {name}")),
            "{name} is not in {whole}"
        );
    }
    let short = tree(&["--depth", "1"]);
    assert!(
        short.contains(&format!("api/v1/ ({} operations)", names(&list).len())),
        "{short}"
    );
    assert!(tree(&["--by", "tag", "--depth", "1"]).contains("\nvolumes/ ("));
}

#[test]
fn an_operation_is_described_with_the_permission_it_needs() {
    let world = World::new();
    let shown = world.run(&["api", "show", "volumecreate"]).ok().stdout;
    for told in [
        "POST /api/v1/storage-systems/device-type1/{systemId}/volumes",
        "Needs the permission volume.create.",
        "systemId  path string  required",
        "sizeMib               integer  required",
        "Answer 202, object: ",
        "hallpass call VolumeCreate systemId=",
    ] {
        assert!(shown.contains(told), "{told} is not in {shown}");
    }
    let json = world
        .run(&["api", "show", "VolumesList", "--json"])
        .ok()
        .json();
    assert_eq!(json["permission"], "volume.read");
    assert!(
        json["filterable"]
            .as_array()
            .unwrap()
            .iter()
            .any(|name| name == "sizeMiB")
    );
    assert_eq!(json["answers"][0]["fields"][0]["name"], "items");
    world
        .run(&["api", "show", "VolumeCreat3"])
        .ended(2)
        .says(&["VolumeCreate", "hint: `hallpass api list`"]);
}

#[test]
fn a_profile_gets_its_definition_and_the_next_command_finds_it_compiled() {
    let world = with_profile();
    let api = world.home().join("two.yaml");
    std::fs::write(&api, TWO).unwrap();
    std::fs::write(world.home().join("other.yaml"), OTHER).unwrap();
    world
        .run(&["api", "add", "two.yaml"])
        .ok()
        .says(&["Profile local has the definition Two 1 with 2 operations"]);
    let shown = world.run(&["profile", "show", "--json"]).ok().json();
    assert_eq!(shown["api"], text(&api));
    let list = world.run(&["api", "list", "--json"]).ok().json();
    assert_eq!(names(&list), ["ListThings", "ChangeOther"]);
    let kept = world.home().join("cache/hallpass/definitions");
    assert_eq!(files(&kept).len(), 1);

    // The other file counts, and so does what somebody makes of the compiled form.
    std::fs::write(
        world.home().join("other.yaml"),
        OTHER.replace("Change", "Edit"),
    )
    .unwrap();
    let list = world.run(&["api", "list", "--json"]).ok().json();
    assert_eq!(names(&list), ["ListThings", "EditOther"]);
    let compiled = files(&kept).pop().unwrap();
    let mut bytes = std::fs::read(&compiled).unwrap();
    let good = bytes.clone();
    let last = bytes.len() - 1;
    (bytes[last], bytes[last / 2]) = (!bytes[last], !bytes[last / 2]);
    std::fs::write(&compiled, &bytes).unwrap();
    let shown = world.run(&["api", "show", "EditOther", "--json"]).ok();
    assert_eq!(
        (shown.json()["method"].as_str(), &*shown.stderr),
        (Some("PUT"), "")
    );
    world.run(&["api", "list"]).ok();
    assert_eq!(std::fs::read(&compiled).unwrap(), good, "written anew");

    let nothing = ["api", "add", "nothing.yaml"];
    world.run(&nothing).ended(2).says(&["cannot be read"]);
    world
        .run(&["api", "add", "two.yaml", "-p", "other"])
        .ended(2)
        .says(&["other"]);
}

#[test]
fn without_a_cache_everything_works_in_silence() {
    let world = World::new();
    let show = ["api", "show", "VolumeCreate"];
    let usual = world.run(&show).ok().stdout;
    for nowhere in ["/dev/null", "/nonexistent/x"] {
        let mut command = world.command(&show);
        let done = crate::world::run(command.env("XDG_CACHE_HOME", nowhere)).ok();
        assert_eq!(
            (done.stdout, done.stderr),
            (usual.clone(), String::new()),
            "{nowhere}"
        );
    }
}

#[test]
fn there_is_a_man_page_for_every_command() {
    let world = World::new();
    world
        .run(&["help", "--man", "pages"])
        .ok()
        .says(&["man pages/hallpass.1"]);
    let page = |name: &str| std::fs::read_to_string(world.home().join("pages").join(name)).unwrap();
    assert!(page("hallpass-api-show.1").contains("How many layers of fields to open"));
    assert!(page("hallpass.1").contains("hallpass\\-doctor(1)"));
    let pages = files(&world.home().join("pages"));
    assert!(
        pages.len() > 40
            && !pages
                .iter()
                .any(|page| page.ends_with("hallpass-complete.1"))
    );
}

#[test]
fn topics_have_help_too() {
    let world = World::new();
    for (topic, told) in [
        ("environment", "HALLPASS_CLIENT_SECRET_FILE"),
        ("files", "profiles.toml"),
    ] {
        assert!(world.run(&["help", topic]).ok().stdout.contains(told));
    }
}

/// The example is of the definition that was looked into: a plain call would take another one.
#[test]
fn an_example_reaches_the_definition_that_was_shown() {
    let world = with_profile();
    let other = world.home().join("my other.yaml");
    std::fs::write(
        &other,
        TWO.replace("  /other: { $ref: 'other.yaml' }\n", ""),
    )
    .unwrap();
    let show = |options: &[&str]| {
        let words = [&["api", "show", "ListThings", "--json"], options].concat();
        world.run(&words).ok().json()
    };
    let nobodys = show(&["--api", text(&other)]);
    assert_eq!(nobodys["call"], "hallpass call ListThings");
    let before = format!("hallpass api add '{}'", text(&other));
    assert_eq!(nobodys["beforeCall"], before);
    let words = ["api", "show", "ListThings", "--api", text(&other)];
    assert!(world.run(&words).ok().stdout.contains(&before));

    world.run(&["api", "add", text(&other)]).ok();
    let current = show(&["--api", text(&other)]);
    assert_eq!(current["call"], "hallpass call ListThings");
    assert_eq!(current["beforeCall"], Value::Null);
    assert_eq!(
        show(&["-p", "local"])["call"],
        "hallpass call ListThings -p local"
    );

    world.run(&["profile", "rename", "local", "away"]).ok();
    let mut elsewhere =
        world.command(&["api", "show", "ListThings", "--json", "--api", text(&other)]);
    elsewhere.env("HALLPASS_TOKEN_URL", "http://127.0.0.1:1/t");
    assert_eq!(
        crate::world::run(&mut elsewhere).ok().json()["call"],
        "hallpass call ListThings -p away"
    );
}

#[test]
fn why_a_definition_is_read_whole_is_said_to_those_who_ask() {
    let world = World::new();
    for command in [
        &["api", "list"][..],
        &["api", "tree"],
        &["api", "show", "VolumesList"],
    ] {
        let _ = std::fs::remove_dir_all(world.home().join("cache"));
        let _ = std::fs::remove_dir_all(world.home().join(".cache"));
        world
            .run(&[command, &["--verbose"]].concat())
            .ok()
            .says(&["is read whole"]);
    }
}
