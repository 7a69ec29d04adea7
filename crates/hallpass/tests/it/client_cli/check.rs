//! `hallpass api check`: problems with their place, counted, and the exit codes.

use std::fmt::Write as _;

use crate::world::{World, run_with_input, text};

const BAD: &str = "\
openapi: 3.0.3
info: { title: Disks, version: '1', license: { name: MIT }, contact: { name: N } }
servers: [{ url: https://api.example.org }]
paths: {}
components:
  schemas:
    Disk: { type: object, properties: { name: { $ref: '#/components/schemas/name' } } }
    Disks: { type: array, items: { $ref: part.yaml#/Disk } }
    Tape: { $ref: '../outside.yaml#/Tape' }
";

#[test]
fn each_problem_is_shown_where_it_is() {
    let world = World::new();
    std::fs::create_dir(world.path("api")).unwrap();
    let file = world.path("api/bad.yaml");
    std::fs::write(&file, BAD).unwrap();
    std::fs::write(world.path("api/part.yaml"), "Disk:\n  type: text\n").unwrap();
    std::fs::write(world.path("outside.yaml"), "Tape: {}\n").unwrap();
    let file = text(&file);

    let shown = world
        .run(&["api", "check", file])
        .ended(1)
        .says(&["3 errors"])
        .stdout;
    for expected in [
        "error[reference-dangling]: the reference `#/components/schemas/name` leads to nothing",
        &format!("--> {file}:7:49"),
        "= help: correct the spelling",
        "error[type-unknown]: \"text\" is no type",
        "--> part.yaml:2:3",
        "2 |   type: text",
        "it is not in the folder of the definition",
    ] {
        assert!(shown.contains(expected), "{expected}\n{shown}");
    }
    assert!(!shown.contains('\u{1b}'), "no colour but on a terminal");

    let errors = ["api", "check", file, "--json", "--severity", "error"];
    let told = world.run(&errors).ended(1).json();
    assert_eq!((&told["errors"], &told["notes"]), (&3.into(), &0.into()));
    let dangling = told["problems"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["rule"] == "reference-dangling")
        .unwrap();
    assert_eq!(dangling["line"], 7);
    assert_eq!(
        dangling["pointer"],
        "/components/schemas/Disk/properties/name/$ref"
    );
    assert_eq!(dangling["part"], serde_json::Value::Null);
}

#[test]
fn warnings_do_not_fail_and_many_findings_do_not_flood() {
    let world = World::new();
    let mut many = BAD.lines().take(6).collect::<Vec<_>>().join("\n") + "\n";
    for number in 0..10 {
        writeln!(many, "    S{number}: {{ type: string, format: odd }}").unwrap();
    }
    let check = |more: &[&str]| {
        let args = [&["api", "check", "-"], more].concat();
        run_with_input(&mut world.command(&args), &many).ok()
    };
    let few = check(&[]).says(&["0 errors, 0 warnings, 20 notes"]).stdout;
    assert_eq!(few.matches("note[format-unknown]").count(), 3);
    assert!(
        few.contains("7 more of format-unknown; --all shows them"),
        "{few}"
    );
    let all = check(&["--all"]).stdout;
    assert_eq!(all.matches("note[format-unknown]").count(), 10);
    assert_eq!(check(&["--severity", "warning"]).stdout, "");
}

#[test]
fn what_cannot_be_read_is_shown_too() {
    let world = World::new();
    let broken = "openapi: 3.0.3\ninfo:\n  title: a: b\n";
    let check = |more: &[&str]| {
        let args = [&["api", "check", "-"], more].concat();
        run_with_input(&mut world.command(&args), broken).ended(2)
    };
    let shown = check(&[]).stdout;
    assert!(shown.contains("3 |   title: a: b"), "{shown}");
    let told = check(&["--json"]).json();
    assert_eq!(told["problems"][0]["line"], 3);
    world
        .run(&["api", "check", "nothing.yaml"])
        .ended(2)
        .says(&["nothing.yaml cannot be read"]);
}
