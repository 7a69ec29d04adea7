//! The texts of `--help` and `hallpass help`.

use std::fmt::Write as _;

use crate::world::World;

#[test]
fn the_exit_codes_are_written_down() {
    let world = World::new();
    let told = world.run(&["help", "exit-codes"]).ok().stdout;
    for code in 0..=5 {
        let lines = told
            .lines()
            .filter(|line| line.starts_with(&format!("  {code}  ")));
        assert_eq!(lines.count(), 1, "{told}");
    }
    world
        .run(&["help", "nonsense"])
        .ended(2)
        .says(&["no help for `nonsense`", "hint: "]);
    let serve = world.run(&["help", "serve"]).ok().stdout;
    assert_eq!(
        serve.trim_end(),
        world.run(&["serve", "--help"]).ok().stdout.trim_end()
    );
    assert!(
        world
            .run(&["--version"])
            .ok()
            .stdout
            .starts_with("hallpass ")
    );
}

/// The help of every command there is, found by walking down from the first.
#[test]
fn every_command_explains_itself() {
    let world = World::new();
    let mut told = String::new();
    let mut next = vec![Vec::new()];
    while let Some(command) = next.pop() {
        let help = world
            .run(&[&command[..], &["--help".to_owned()]].concat())
            .ok()
            .stdout;
        assert!(
            help.contains(&format!(
                "Usage: {}",
                [&["hallpass".to_owned()], &command[..]].concat().join(" ")
            )),
            "{help}"
        );
        let below = help
            .split_once("\nCommands:\n")
            .map_or("", |(_, rest)| rest);
        let below = below.lines().take_while(|line| !line.is_empty());
        let names = below.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
        let mut below: Vec<Vec<String>> = names
            .filter(|name| !name.is_empty())
            .map(|name| [&command[..], &[name.to_owned()]].concat())
            .collect();
        below.reverse();
        next.extend(below);
        writeln!(told, "$ hallpass {}\n{help}", command.join(" ")).unwrap();
    }
    let lines: Vec<&str> = told.lines().map(str::trim_end).collect();
    insta::assert_snapshot!("help", lines.join("\n"));
}
