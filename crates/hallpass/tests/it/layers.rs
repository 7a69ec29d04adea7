//! The map of ARCHITECTURE.md against the manifests and sources: which crate uses which, and what
//! must not be where.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::world::files;

/// A row of the table.
struct Row {
    /// Where in the table it stands, from the top.
    place: usize,
    level: u32,
    uses: BTreeSet<String>,
}

/// What a manifest asks for, outside of tests.
struct Manifest {
    /// Crates of this workspace, by the name of their folder.
    rooms: BTreeSet<String>,
    others: BTreeSet<String>,
}

/// Crates that take no part in I/O and read no clock (ARCHITECTURE.md, Invariants).
const PURE: [&str; 6] = ["oauth", "openapi", "query", "limits", "access", "sandbox"];

/// What pure sources must not name. The last word of each path is enough after `use std::{`.
const IMPURE: [(&str, &str); 5] = [
    ("", "SystemTime"),
    ("Timestamp", "now"),
    ("std", "fs"),
    ("std", "net"),
    ("std", "env"),
];

/// What would let a resource server get at secrets and private keys.
const SECRET_HANDLES: [&str; 5] = [
    "ClientRegistrations",
    "Credentials",
    "Pepper",
    "SigningKeys",
    "TokenSequences",
];

#[test]
fn every_crate_uses_what_its_row_names_and_nothing_else() {
    let (table, manifests) = (table(), manifests());
    let rows: Vec<&String> = table.keys().collect();
    let crates: Vec<&String> = manifests.keys().collect();
    assert_eq!(rows, crates, "rows of the table and folders of crates/");
    for (name, manifest) in &manifests {
        assert_eq!(
            manifest.rooms, table[name].uses,
            "{name}: its manifest and its row in ARCHITECTURE.md"
        );
    }
}

#[test]
fn no_arrow_runs_down_the_table_and_the_servers_do_not_know_each_other() {
    let table = table();
    for (name, row) in &table {
        for used in &row.uses {
            let used_row = &table[used];
            assert!(
                used_row.place < row.place,
                "{name} uses {used}, further down"
            );
            assert!(
                used_row.level <= row.level,
                "{name} uses {used}, of a higher level"
            );
            assert!(
                used_row.level != 2 || row.level == 3,
                "{name} uses {used}, of level 2"
            );
        }
        assert!(
            row.level != 0 || row.uses.is_empty(),
            "{name} is at the bottom"
        );
    }
    let of_level = |level| table.values().filter(|row| row.level == level).count();
    assert!(of_level(0) > 0 && of_level(1) > 0 && of_level(2) > 0);
    assert_eq!((of_level(3), table["hallpass"].level), (1, 3));
}

#[test]
fn sql_http_and_threads_are_where_they_belong() {
    let (table, manifests) = (table(), manifests());
    let users = |library: &str| -> Vec<&str> {
        let users = manifests.iter();
        users
            .filter(|(_, manifest)| manifest.others.contains(library))
            .map(|(name, _)| name.as_str())
            .collect()
    };
    assert_eq!(users("sqlx"), ["store"]);
    assert_eq!(users("reqwest"), ["client", "explorer", "hallpass"]);
    for name in users("axum") {
        let pages = [
            "pages",
            "authorization-server",
            "console",
            "explorer",
            "hallpass",
        ];
        assert!(pages.contains(&name), "{name} uses the web framework");
    }
    for library in ["axum", "hyper", "reqwest", "sqlx", "tokio"] {
        for name in users(library) {
            let pure = PURE.contains(&name) || table[name].level == 0;
            assert!(!pure, "{name} does no I/O and uses {library}");
        }
    }
}

#[test]
fn pure_crates_name_neither_clock_nor_files_nor_network_nor_environment() {
    for room in PURE {
        for (file, words) in sources(room) {
            if let Some((before, word)) = impure(&words) {
                panic!("{}: {before}::{word}", file.display());
            }
        }
    }
}

#[test]
fn the_resource_server_cannot_name_a_secret_or_a_private_key() {
    for (file, words) in sources("resource-server") {
        for handle in SECRET_HANDLES {
            let named = words.iter().any(|word| word == handle);
            assert!(!named, "{}: {handle}", file.display());
        }
    }
}

#[test]
fn what_is_forbidden_is_seen_in_every_spelling() {
    let seen = |source: &str| impure(&words(source)).is_some();
    for source in [
        "use std::fs;",
        "use std::{collections::BTreeMap, fs};",
        "let x = std :: env :: var(\"A\");",
        "use std::{io, net::{IpAddr, TcpStream}};",
        "let now = jiff::Timestamp::now();",
        "use std::time::{Duration, SystemTime};",
    ] {
        assert!(seen(source), "{source}");
    }
    for source in [
        "// std::fs is not for us\nuse std::fmt;",
        "let now = timestamp;\nself::fs::read();",
        "use std::fmt;\n#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n",
    ] {
        assert!(!seen(source), "{source}");
    }
    let behind = "#[cfg(test)]\nmod testing;\nuse std::fs;\n";
    assert!(
        seen(behind),
        "only a module of tests at the end is left out"
    );
}

/// The first forbidden pair in a source.
fn impure(words: &[String]) -> Option<(&'static str, &'static str)> {
    for (at, word) in words.iter().enumerate() {
        for (before, forbidden) in IMPURE {
            let alone = before.is_empty();
            if word == forbidden && (alone || leads_to(before, &words[..at])) {
                return Some((before, forbidden));
            }
        }
    }
    None
}

/// Whether a path that ends here starts with `before`: `before::`, or `before::{` and its members.
fn leads_to(before: &str, words: &[String]) -> bool {
    let mut depth = 0;
    let mut direct = true;
    for (at, word) in words.iter().enumerate().rev() {
        match word.as_str() {
            ";" => return false,
            "}" => depth += 1,
            "{" if depth > 0 => depth -= 1,
            "{" => direct = true,
            "," if depth == 0 => direct = false,
            "::" if depth == 0 && direct => {
                let Some(name) = at.checked_sub(1).map(|at| &words[at]) else {
                    return false;
                };
                if name == before {
                    return true;
                }
                // `net` in `std::{io::{net}}` is not `std::net`.
                return false;
            }
            _ if direct => return false,
            _ => {}
        }
    }
    false
}

/// The sources of a crate outside its tests, as words.
fn sources(room: &str) -> Vec<(PathBuf, Vec<String>)> {
    let files = files(&root().join("crates").join(room).join("src"));
    let sources: Vec<_> = files
        .into_iter()
        .filter(|file| file.extension().is_some_and(|kind| kind == "rs"))
        // Modules that are only compiled for tests.
        .filter(|file| !file.ends_with("tests.rs") && !file.ends_with("testing.rs"))
        .map(|file| {
            let words = words(&std::fs::read_to_string(&file).unwrap());
            (file, words)
        })
        .collect();
    assert!(!sources.is_empty(), "{room} has no sources");
    sources
}

/// Names, `::` and every other sign on its own; no comments, and not the module of tests that ends
/// a file.
fn words(source: &str) -> Vec<String> {
    let code = match source.rfind("#[cfg(test)]\nmod ") {
        Some(at)
            if source[at..]
                .lines()
                .nth(1)
                .is_some_and(|l| l.ends_with('{')) =>
        {
            &source[..at]
        }
        _ => source,
    };
    let mut words: Vec<String> = Vec::new();
    for line in code.lines() {
        let line = line.split("//").next().unwrap();
        let mut name = String::new();
        for sign in line.chars().chain([' ']) {
            if sign.is_alphanumeric() || sign == '_' {
                name.push(sign);
                continue;
            }
            if !name.is_empty() {
                words.push(std::mem::take(&mut name));
            }
            match words.last_mut() {
                Some(last) if sign == ':' && last == ":" => last.push(':'),
                _ if sign.is_whitespace() => {}
                _ => words.push(sign.to_string()),
            }
        }
    }
    words
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

/// The table of the code map.
fn table() -> BTreeMap<String, Row> {
    let text = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    let (_, map) = text.split_once("## Code map").unwrap();
    let (map, _) = map.split_once("\n## ").unwrap();
    let rows = map
        .lines()
        .enumerate()
        .filter_map(|(place, line)| row(place, line));
    let table: BTreeMap<String, Row> = rows.collect();
    assert!(!table.is_empty(), "ARCHITECTURE.md has no code map");
    table
}

/// `| 1 | `store` | … | oauth, access |`
fn row(place: usize, line: &str) -> Option<(String, Row)> {
    let cells: Vec<&str> = line
        .trim()
        .trim_matches('|')
        .split('|')
        .map(str::trim)
        .collect();
    let [level, name, .., uses] = cells.as_slice() else {
        return None;
    };
    let level = level.parse().ok()?;
    let uses = uses.split(',').map(str::trim).filter(|used| *used != "–");
    let uses = uses.map(str::to_owned).collect();
    Some((
        name.trim_matches('`').to_owned(),
        Row { place, level, uses },
    ))
}

fn manifests() -> BTreeMap<String, Manifest> {
    let folders = std::fs::read_dir(root().join("crates")).unwrap();
    folders
        .map(|folder| folder.unwrap().path())
        .map(|folder| {
            let text = std::fs::read_to_string(folder.join("Cargo.toml")).unwrap();
            let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
            (name, manifest(&toml::from_str(&text).unwrap()))
        })
        .collect()
}

/// Everything that a crate is built with, on any platform.
fn manifest(manifest: &toml::Table) -> Manifest {
    let named = |table: &toml::Table| -> Vec<String> {
        ["dependencies", "build-dependencies"]
            .iter()
            .filter_map(|kind| table.get(*kind)?.as_table())
            .flat_map(|dependencies| dependencies.keys().cloned())
            .collect()
    };
    let mut all = named(manifest);
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    for target in targets.into_iter().flat_map(toml::Table::values) {
        all.extend(named(target.as_table().unwrap()));
    }
    let (rooms, others): (Vec<String>, Vec<String>) = all
        .into_iter()
        .partition(|name| name.starts_with("hallpass-"));
    let rooms = rooms
        .iter()
        .map(|name| name["hallpass-".len()..].to_owned());
    Manifest {
        rooms: rooms.collect(),
        others: others.into_iter().collect(),
    }
}
