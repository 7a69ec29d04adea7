//! `docs/security-audit.md` against the sources: every statement has one row, every test that a row
//! names exists, and every test that carries a number stands in the row of that number.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use crate::world::files;

const STATEMENTS: u32 = 46;

/// What the column "Result" may say.
const RESULTS: [&str; 4] = ["holds", "holds in part", "not done yet", "does not apply"];

/// A row of one of the document's tables.
struct Row {
    tests: BTreeSet<String>,
    result: String,
}

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The rows, by number. A number that comes twice is a mistake.
fn rows() -> BTreeMap<u32, Row> {
    let document = std::fs::read_to_string(root().join("docs/security-audit.md")).unwrap();
    let mut rows = BTreeMap::new();
    for line in document.lines() {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let Ok(number) = cells[0].parse::<u32>() else {
            continue;
        };
        let [_, statement, tests, result, _] = cells.as_slice() else {
            panic!("five columns: {line}");
        };
        assert!(!statement.is_empty(), "{line}");
        let row = Row {
            tests: quoted(tests),
            result: (*result).to_owned(),
        };
        assert!(rows.insert(number, row).is_none(), "{number} comes twice");
    }
    rows
}

/// The names in backquotes.
fn quoted(cell: &str) -> BTreeSet<String> {
    let names = cell.split('`').skip(1).step_by(2);
    names.map(str::to_owned).collect()
}

/// Every test function of the workspace.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for file in files(&root().join("crates")) {
        if file.extension().is_none_or(|kind| kind != "rs") {
            continue;
        }
        found.extend(tests_in(&std::fs::read_to_string(&file).unwrap()));
    }
    found
}

/// The functions that an attribute makes tests, be it inside `proptest!` or not: the next one after it.
fn tests_in(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim_start) {
        is_test |= line.starts_with("#[test]") || line.starts_with("#[tokio::test");
        let function = line.strip_prefix("async ").unwrap_or(line);
        if let Some(rest) = function.strip_prefix("fn ") {
            if is_test {
                found.push(rest.split(['(', '<']).next().unwrap().to_owned());
            }
            is_test = false;
        }
    }
    found
}

/// The number that a test carries.
fn number(test: &str) -> Option<u32> {
    let digits = test.strip_prefix("audit_")?.get(..2)?;
    digits.parse().ok()
}

#[test]
fn what_is_no_test_is_not_taken_for_one() {
    let source = "fn helper() {}\n#[test]\nfn one() {}\nfn second_helper() {}\nproptest! {\n    #[test]\n    \
                  fn two(a in 0..9) {}\n    fn no_test(a: u8) {}\n}\n#[tokio::test]\nasync fn three() {}\n";
    assert_eq!(tests_in(source), ["one", "two", "three"]);
}

#[test]
fn every_statement_stands_in_the_document_once() {
    let rows = rows();
    let numbers: Vec<u32> = rows.keys().copied().collect();
    assert_eq!(numbers, (1..=STATEMENTS).collect::<Vec<_>>());
    for (number, row) in &rows {
        assert!(
            RESULTS.contains(&row.result.as_str()),
            "{number}: {}",
            row.result
        );
        let proved = row.result.starts_with("holds");
        assert!(!proved || !row.tests.is_empty(), "{number} has no test");
    }
}

#[test]
fn every_test_in_the_document_exists_and_every_numbered_test_stands_there() {
    let (rows, tests) = (rows(), tests());
    assert!(tests.len() > 300, "the sources were read: {}", tests.len());
    for (number, row) in &rows {
        for test in &row.tests {
            assert!(tests.contains(test), "{number}: there is no test {test}");
        }
    }
    let numbered = tests.iter().filter_map(|test| Some((number(test)?, test)));
    for (number, test) in numbered {
        let row = rows.get(&number);
        let named = row.is_some_and(|row| row.tests.contains(test));
        assert!(named, "{test} is not in row {number}");
    }
}

#[test]
fn every_row_that_holds_has_a_test_of_its_number() {
    for (row_number, row) in rows() {
        let own = row
            .tests
            .iter()
            .any(|test| number(test) == Some(row_number));
        let must = row.result.starts_with("holds");
        assert!(own || !must, "{row_number}: {:?}", row.tests);
    }
    // These hold in one profile and are turned round in the other.
    let rows = rows();
    for number in [4, 10, 15, 21, 22, 23] {
        for profile in ["rfc9068", "greenlake"] {
            let prefix = format!("audit_{number:02}_{profile}_");
            let tests = &rows[&number].tests;
            assert!(
                tests.iter().any(|test| test.starts_with(&prefix)),
                "{prefix}"
            );
        }
    }
}
