//! The schemas that apply to one value together: a schema, what it refers to, and what they are
//! composed of.
//!
//! Since OpenAPI 3.1 keywords count beside `$ref` (JSON Schema 2020-12 section 8.2.3.1); in 3.0 they
//! do not. Schemas may refer to each other in circles and fan out at each step, so each is looked at
//! once, and not by recursion. What is outside the value, or in it, is not known here.

use std::collections::HashSet;

use serde_json::Value;

use crate::reference::{local, resolve, target};
use crate::translate::{is_marked_old, is_old_dialect};

/// The schema first, then what is inside it under `keys` (`allOf`, …), in the order of the text.
pub(crate) fn layers<'a>(root: &'a Value, schema: &'a Value, keys: &[&str]) -> Vec<&'a Value> {
    walk(root, vec![schema], false, |schema| parts(schema, keys))
}

/// As [`layers`], but what a schema is composed of stands before it.
pub(crate) fn parts_first<'a>(root: &'a Value, schema: &'a Value, keys: &[&str]) -> Vec<&'a Value> {
    let mut found = walk(root, vec![schema], true, |schema| parts(schema, keys));
    found.reverse();
    found
}

/// The schemas of `from` and what `next` says that they are composed of, each once.
pub(crate) fn walk<'a>(
    root: &'a Value,
    from: Vec<&'a Value>,
    last_first: bool,
    mut next: impl FnMut(&'a Value) -> Vec<&'a Value>,
) -> Vec<&'a Value> {
    let old = is_old_dialect(root);
    let mut seen = HashSet::new();
    let mut found = Vec::new();
    let mut waiting = from;
    if !last_first {
        waiting.reverse();
    }
    while let Some(schema) = waiting.pop() {
        let schema = if old || is_marked_old(schema) {
            resolve(root, schema)
        } else {
            schema
        };
        if !seen.insert(std::ptr::from_ref(schema)) {
            continue;
        }
        found.push(schema);
        let start = waiting.len();
        if !old {
            waiting.extend(target(schema).and_then(|reference| local(root, reference)));
        }
        waiting.extend(next(schema));
        if !last_first {
            waiting[start..].reverse();
        }
    }
    found
}

/// The members of the lists under `keys`.
pub(crate) fn parts<'a>(schema: &'a Value, keys: &[&str]) -> Vec<&'a Value> {
    let lists = keys.iter().filter_map(|key| schema.get(*key)?.as_array());
    lists.flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn titles(version: &str, mut root: Value, parts_before: bool) -> Vec<String> {
        root["openapi"] = version.into();
        let look = if parts_before { parts_first } else { layers };
        let found = look(&root, &root["A"], &["allOf", "anyOf"]);
        let title = |one: &&Value| one.get("title")?.as_str().map(str::to_owned);
        found.iter().filter_map(title).collect()
    }

    #[test]
    fn each_schema_is_there_once_in_order() {
        let root = json!({
            "A": {"title": "a", "allOf": [{"title": "b"}, {"$ref": "#/C"}, {"$ref": "#/A"}],
                  "anyOf": [{"$ref": "#/C"}, {"title": "d"}]},
            "C": {"title": "c", "allOf": vec![json!({"$ref": "#/A"}); 8]},
        });
        for version in ["3.0.3", "3.1.0"] {
            assert_eq!(titles(version, root.clone(), false), ["a", "b", "c", "d"]);
            assert_eq!(titles(version, root.clone(), true).last().unwrap(), "a");
        }
    }

    #[test]
    fn beside_a_reference_keywords_count_since_3_1() {
        let root = json!({"A": {"title": "a", "$ref": "#/B"}, "B": {"title": "b", "$ref": "#/A"}});
        assert_eq!(titles("3.1.0", root.clone(), false), ["a", "b"]);
        assert_eq!(titles("3.1.0", root, true), ["b", "a"]);
        let root = json!({"A": {"title": "a", "$ref": "#/B"}, "B": {"title": "b"}});
        assert_eq!(titles("3.0.3", root, false), ["b"]);
    }

    #[test]
    fn a_long_chain_ends_by_itself() {
        let mut root = json!({});
        for index in 0..20_000 {
            let next = format!("#/s{}", index + 1);
            root[format!("s{index}")] = json!({"allOf": [{"$ref": &next}, {"$ref": next}]});
        }
        let found = layers(&root, &root["s0"], &["allOf"]);
        assert_eq!(found.len(), 3 * 20_000);
    }
}
