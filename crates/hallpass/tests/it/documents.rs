//! Documents that say what the program does by itself.

mod commands;
mod examples;
mod person;
mod stage;

use std::path::Path;

use crate::world::World;

fn document(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    std::fs::read_to_string(path.join(name)).unwrap()
}

/// Every setting of the policy stands in the table of its section, with its default.
#[test]
fn the_policy_is_written_down_as_it_is() {
    let world = World::new();
    let printed = world.run(&["serve", "--print-config"]).ok().stdout;
    let printed: toml::Table = printed.parse().unwrap();
    let document = document("authorization-server.md");
    for section in ["tokens", "keys", "limits", "credentials"] {
        let heading = format!("\n### `[{section}]`\n");
        let (_, text) = document.split_once(&heading).expect(section);
        let text = text.split("\n### ").next().unwrap();
        let rows: Vec<Vec<&str>> = text
            .lines()
            .filter_map(|line| line.strip_prefix("| `"))
            .map(|line| {
                line.split('|')
                    .map(|cell| cell.trim_matches([' ', '`']))
                    .collect()
            })
            .collect();
        let settings = printed[section].as_table().unwrap();
        for (name, value) in settings {
            let row = rows.iter().find(|row| row[0] == name);
            let row = row.unwrap_or_else(|| panic!("{section}.{name} is not written down"));
            assert_eq!(row[1], value.to_string(), "the default of {section}.{name}");
        }
        for row in &rows {
            // The issuer has no value of its own to print.
            let known = settings.contains_key(row[0]) || (section, row[0]) == ("tokens", "issuer");
            assert!(known, "there is no setting {section}.{}", row[0]);
        }
    }
}
