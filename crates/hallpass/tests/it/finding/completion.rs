//! What the engine offers, asked as fish asks it.

use super::with_profile;
use crate::world::{World, run, text};

/// What is offered in place of the last word, without the words about it.
#[track_caller]
fn offered(world: &World, words: &[&str]) -> Vec<String> {
    let done = world
        .run(&[&["complete", "fish", "--"], words].concat())
        .ok();
    assert_eq!(done.stderr, "");
    let values = done
        .stdout
        .lines()
        .map(|line| line.split('\t').next().unwrap().to_owned());
    values.collect()
}

#[test]
fn commands_flags_and_their_values() {
    let world = World::new();
    let offered = |words: &[&str]| offered(&world, words);
    let commands = offered(&[""]);
    assert!(
        commands.iter().any(|one| one == "call") && !commands.iter().any(|one| one == "complete")
    );
    assert_eq!(offered(&["api", "s"]), ["show"]);
    assert_eq!(offered(&["call", "--out"]), ["--output"]);
    assert!(offered(&["call", "--output", "js"]).contains(&"json".to_owned()));
    assert!(offered(&["call", "--output=js"]).contains(&"--output=json".to_owned()));
    assert!(offered(&["api", "tree", "--by", ""]).contains(&"tag".to_owned()));
    assert_eq!(
        offered(&["api", "tree", "--by", "tag", "--by"]),
        [] as [&str; 0],
        "given already"
    );
    assert_eq!(
        offered(&["admin", "user", "create", "--da"]),
        ["--data"],
        "a flag of all"
    );
    assert_eq!(offered(&["nonsense", ""]), [] as [&str; 0]);
}

#[test]
fn operations_parameters_and_values() {
    let world = World::new();
    let offered = |words: &[&str]| offered(&world, words);
    assert_eq!(offered(&["call", "volumecr"]), ["VolumeCreate"]);
    assert_eq!(offered(&["api", "show", "VOLUMECR"]), ["VolumeCreate"]);
    let names = offered(&["call", "volumecreate", ""]);
    assert_eq!(
        names[..4],
        ["systemId=", "name=", "sizeMib=", "userCpg="],
        "required ones first"
    );
    let rest = offered(&["call", "VolumeCreate", "name=x", "--all", "systemId=y", ""]);
    assert_eq!(
        rest[..2],
        ["sizeMib=", "userCpg="],
        "given ones are not offered again"
    );
    assert_eq!(offered(&["call", "VolumeCreate", "SIZE"]), ["sizeMib="]);
    assert_eq!(
        offered(&["call", "VolumeCreate", "dataReduction="]),
        ["dataReduction=true", "dataReduction=false"]
    );
    assert_eq!(offered(&["call", "VolumeCreate", "name="]), [] as [&str; 0]);
    assert!(offered(&["call", "VolumesList", "sort=size"]).contains(&"sort=sizeMiB".to_owned()));
    assert!(
        offered(&["call", "VolumesList", "filter=health"])
            .contains(&"filter=healthState".to_owned())
    );
    let fields = offered(&["call", "VolumesList", "select=id,na"]);
    assert_eq!(fields, ["select=id,name"]);
    assert_eq!(offered(&["call", "Nonsense", ""]), [] as [&str; 0]);
    assert!(offered(&["get", "/api/v1/vol"]).contains(&"/api/v1/volumes".to_owned()));
    assert!(offered(&["get", "/api/v1/volumes", "so"]).contains(&"sort=".to_owned()));
}

#[test]
fn paths_are_offered_behind_every_method() {
    let world = with_profile();
    let api = world.home().join("api.yaml");
    let methods = ["get", "post", "put", "patch", "delete"];
    let operations = methods.map(|method| {
        format!("  /for-{method}/a: {{ {method}: {{ responses: {{ '200': {{ description: x }} }} }} }}\n")
    });
    let definition = format!(
        "openapi: 3.0.3\ninfo: {{ title: Five, version: '1' }}\npaths:\n{}",
        operations.concat()
    );
    std::fs::write(&api, definition).unwrap();
    world.run(&["api", "add", text(&api)]).ok();
    for method in methods {
        assert_eq!(
            offered(&world, &[method, "/"]),
            [format!("/for-{method}/a")]
        );
    }
}

#[test]
fn profiles_and_files() {
    let world = with_profile();
    let offered = |words: &[&str]| offered(&world, words);
    assert_eq!(offered(&["profile", "use", "l"]), ["local"]);
    assert_eq!(offered(&["call", "-p", ""]), ["local"]);
    assert_eq!(offered(&["call", "--profile=lo"]), ["--profile=local"]);
    std::fs::create_dir(world.home().join("bodies")).unwrap();
    std::fs::write(world.home().join("bodies/one.json"), "{}").unwrap();
    assert_eq!(
        offered(&["call", "VolumeCreate", "--data", "@bo"]),
        ["@bodies/"]
    );
    assert_eq!(
        offered(&["call", "VolumeCreate", "--data", "@bodies/"]),
        ["@bodies/one.json"]
    );
    assert_eq!(
        offered(&["call", "VolumeCreate", "name=@bodies/o"]),
        ["name=@bodies/one.json"]
    );
    assert_eq!(offered(&["api", "check", "bodies/"]).len(), 1);
}

/// The profile's definition is asked, even without its secret, and nothing is said about what is wrong.
#[test]
fn the_profiles_definition_decides_and_errors_are_not_told() {
    let world = with_profile();
    let api = world.home().join("api.yaml");
    std::fs::write(&api, super::TWO).unwrap();
    world.run(&["api", "add", text(&api)]).ok();
    std::fs::remove_dir_all(world.home().join("share")).unwrap();
    assert_eq!(offered(&world, &["call", "l"]), ["ListThings"]);
    std::fs::write(&api, "no: definition").unwrap();
    assert_eq!(offered(&world, &["call", "l"]), [] as [&str; 0]);
    assert_eq!(
        offered(&world, &["call", "-p", "nobody", "l"]),
        [] as [&str; 0]
    );
    std::fs::write(world.home().join("config/hallpass/profiles.toml"), "broken").unwrap();
    assert_eq!(offered(&world, &["call", "l"]), [] as [&str; 0]);
    let mut homeless = world.command(&["complete", "fish", "--", "call", "volumec"]);
    for variable in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
        homeless.env_remove(variable);
    }
    let done = run(&mut homeless).ok();
    assert!(
        done.stdout.starts_with("VolumeCreate\t") && done.stderr.is_empty(),
        "{done:?}"
    );
}
