//! Which members of a list's items become columns, and what stands in a cell.
//!
//! CSV is for programs: every value, nested ones by their dotted path. A table is for people: the
//! few single values that tell items apart and say how they are, as many as fit.

use std::collections::HashSet;

use unicode_width::UnicodeWidthStr as _;

use super::text::Json;
use crate::output::printable;

/// Every value of the rows: the union of their dotted paths, in the order in which they appear.
pub(super) fn all(rows: &[Json<'_>]) -> Vec<String> {
    let mut known = HashSet::new();
    let mut paths = Vec::new();
    for row in rows {
        leaves(row, "", &mut |path| {
            if known.insert(path.clone()) {
                paths.push(path);
            }
        });
    }
    paths
}

fn leaves(value: &Json<'_>, path: &str, each: &mut impl FnMut(String)) {
    for (name, member) in value.members() {
        let name = name.decoded();
        let path = if path.is_empty() {
            name.into_owned()
        } else {
            format!("{path}.{name}")
        };
        match member {
            Json::Object(members) if !members.is_empty() => leaves(member, &path, each),
            _ => each(path),
        }
    }
}

/// The columns of a table `width` wide. `order` is the order of the item schema, if it is known.
///
/// When all single values fit, they stand in the server's order. When they do not, those that tell
/// most come first.
pub(super) fn telling(rows: &[Json<'_>], order: &[String], width: usize) -> Vec<String> {
    let mut candidates = candidates(rows);
    candidates.sort_by_key(|candidate| {
        let known = order.iter().position(|name| *name == candidate.path);
        known.unwrap_or(order.len())
    });
    let top: Vec<&Candidate> = candidates.iter().filter(|one| !one.nested).collect();
    if top.iter().map(|one| one.width + GAP).sum::<usize>() <= width {
        return top.into_iter().map(|one| one.path.clone()).collect();
    }
    candidates.sort_by_key(|one| one.rank);
    let mut left = width;
    let mut chosen = Vec::new();
    for candidate in candidates {
        let taken = candidate.width + GAP;
        let tells_little = candidate.rank >= LITTLE && chosen.len() >= ENOUGH;
        if tells_little || (chosen.len() >= FEWEST && taken > left) {
            continue;
        }
        left = left.saturating_sub(taken);
        chosen.push(candidate.path);
    }
    chosen
}

struct Candidate {
    path: String,
    nested: bool,
    rank: u8,
    /// How wide its column is, as far as it decides what fits.
    width: usize,
}

fn candidates(rows: &[Json<'_>]) -> Vec<Candidate> {
    let mut found: Vec<Candidate> = Vec::new();
    let mut add = |path: String, nested: bool, value: &Json<'_>| {
        let at = found.iter().position(|one| one.path == path);
        let at = at.unwrap_or_else(|| {
            found.push(Candidate {
                // A column without any value tells nothing.
                rank: EMPTY,
                width: path.width(),
                nested,
                path,
            });
            found.len() - 1
        });
        let candidate = &mut found[at];
        candidate.width = candidate.width.max(cell(value).width().min(WIDEST));
        if !matches!(value, Json::Null) {
            candidate.rank = rank(&candidate.path, nested);
        }
    };
    for row in rows {
        for (name, value) in row.members() {
            if value.is_single() {
                add(name.decoded().into_owned(), false, value);
            }
            for (inner, value) in value.members().filter(|(_, value)| value.is_single()) {
                let path = format!("{}.{}", name.decoded(), inner.decoded());
                if rank(&path, true) <= SIZE {
                    add(path, true, value);
                }
            }
        }
    }
    found
}

/// How much a member tells, the most first.
fn rank(path: &str, nested: bool) -> u8 {
    let path = path.to_ascii_lowercase();
    let holds = |parts: &[&str]| parts.iter().any(|part| path.contains(part));
    match path.rsplit('.').next().unwrap_or_default() {
        "name" | "displayname" if !nested => 0,
        "id" if !nested => 1,
        "customerid" | "generation" | "resourceuri" | "requesturi" | "consoleuri" | "type"
        | "id" | "name" | "displayname" => 6,
        _ if holds(&["state", "status", "health", "severity"]) => 2,
        _ if holds(&["size", "capacity", "used", "free", "percent"]) => SIZE,
        _ => 5,
    }
}

const SIZE: u8 = 3;
const LITTLE: u8 = 6;
const EMPTY: u8 = 9;

/// What stands in a cell of a table.
pub(super) fn cell(value: &Json<'_>) -> String {
    printable(&exact(value))
}

/// What stands in a cell of CSV: the value itself.
pub(super) fn exact(value: &Json<'_>) -> String {
    match value {
        Json::Null => String::new(),
        Json::Text(text) => text.decoded().into_owned(),
        other => other.to_string(),
    }
}

/// The space between two columns.
pub(super) const GAP: usize = 2;

/// A longer value does not keep other columns out.
const WIDEST: usize = 40;

/// With so many columns, one that tells little only takes place.
const ENOUGH: usize = 4;

/// How many columns there are however narrow it is.
const FEWEST: usize = 2;

#[cfg(test)]
mod tests {
    use super::super::query::read;
    use super::*;

    const VOLUME: &str = r#"{"customerId":"c","description":"a volume of the test","generation":1700000000,
        "health":{"overall":"OK","id":"x"},"id":"0006b878a5a008ec63000000000000000000000001","links":[],
        "name":"v1","sizeMiB":16384,"state":null,"thin":true}"#;

    #[test]
    fn csv_has_every_value_once_in_order() {
        let rows = [
            read(r#"{"a":{"b":1,"c":{}},"l":[{"x":1}]}"#).unwrap(),
            read(r#"{"a":{"d":2},"e":null}"#).unwrap(),
        ];
        assert_eq!(all(&rows), ["a.b", "a.c", "l", "a.d", "e"]);
    }

    #[test]
    fn what_fits_stays_in_order_and_otherwise_the_telling_come_first() {
        let rows = [read(VOLUME).unwrap()];
        let every = telling(&rows, &[], 500);
        assert_eq!(
            every,
            [
                "customerId",
                "description",
                "generation",
                "id",
                "name",
                "sizeMiB",
                "state",
                "thin"
            ]
        );
        assert_eq!(
            telling(&rows, &["thin".to_owned(), "id".to_owned()], 500)[..2],
            ["thin", "id"]
        );
        assert_eq!(
            telling(&rows, &[], 80),
            ["name", "id", "health.overall", "sizeMiB", "thin"]
        );
        assert_eq!(telling(&rows, &[], 10), ["name", "id"]);
    }
}
