//! The table by which the page's builders are tested (`tests/expressions.json`), held against the language
//! itself: what a builder writes means what was read. That the page writes and reads it so is tested in a browser.

use hallpass_query::{Filter, Select, Sort};
use serde_json::Value;

fn table() -> Value {
    serde_json::from_str(include_str!("../expressions.json")).unwrap()
}

/// The texts of the rows that are not blank: as somebody wrote them, and as a builder writes them.
fn rows(table: &Value, of: &str) -> Vec<(String, String)> {
    let text = |row: &Value, member: &str| row[member].as_str().unwrap().to_owned();
    let rows = table[of].as_array().unwrap().iter();
    rows.map(|row| (text(row, "text"), text(row, "written")))
        .filter(|(text, _)| !text.is_empty())
        .collect()
}

#[test]
fn what_the_builders_write_means_what_was_read() {
    let table = table();
    let filters = rows(&table, "filters");
    assert!(filters.len() > 20, "{filters:?}");
    for (text, written) in filters {
        let read = Filter::parse(&text).unwrap().to_string();
        assert_eq!(
            Filter::parse(&written).unwrap().to_string(),
            read,
            "{text} was written {written}"
        );
    }
    for (text, written) in rows(&table, "sorts") {
        assert_eq!(
            Sort::parse(&written).unwrap(),
            Sort::parse(&text).unwrap(),
            "{text}"
        );
    }
    for (text, written) in rows(&table, "selects") {
        assert_eq!(
            Select::parse(&written).unwrap(),
            Select::parse(&text).unwrap(),
            "{text}"
        );
    }
}

#[test]
fn what_is_beyond_the_builders_is_in_the_language_and_what_is_broken_is_not() {
    let table = table();
    let texts = |of: &str| table[of].as_array().unwrap().clone();
    for text in texts("beyond") {
        assert!(Filter::parse(text.as_str().unwrap()).is_ok(), "{text}");
    }
    for text in texts("broken") {
        assert!(Filter::parse(text.as_str().unwrap()).is_err(), "{text}");
    }
}
