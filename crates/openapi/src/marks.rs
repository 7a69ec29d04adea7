//! Which properties of a list's items one can filter and sort by.
//!
//! The definition says so nowhere but in words: a property's description carries the mark
//! `Filter`, `Sort` or `Filter, Sort` (domain.md section 6.2). This module finds the marks; what a
//! filter looks like is not its business.

use serde_json::Value;

use crate::layers::{layers, parts, parts_first};
use crate::reference::{resolve, target};

/// Names of properties, dotted where they are nested, in the order of the definition.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Marks {
    /// What a list can be filtered by.
    pub filterable: Vec<String>,
    /// What a list can be sorted by.
    pub sortable: Vec<String>,
}

/// How many schemas deep properties are looked for.
const MAX_DEPTH: usize = 12;

/// How many schemas are looked at: where every schema has properties of every other, there are
/// more paths than anybody can list.
const MAX_STEPS: usize = 20_000;

/// The marks in the item schema of a list whose answer has the schema `answer`.
pub(crate) fn marks(root: &Value, answer: &Value) -> Marks {
    let mut marks = Marks::default();
    if let Some(items) = items_schema(root, answer) {
        collect(root, items, "", &mut Way::default(), &mut marks);
    }
    marks
}

/// The schema of one item, if `answer` is an object with an `items` array.
pub(crate) fn items_schema<'a>(root: &'a Value, answer: &'a Value) -> Option<&'a Value> {
    let mut found = None;
    each_property(root, answer, &mut |name, schema| {
        let schema = resolve(root, schema);
        if name == "items"
            && schema
                .get("type")
                .is_none_or(|kind| is_or_holds(kind, "array"))
        {
            found = schema.get("items");
        }
    });
    found
}

/// `type` may be one word or, since 3.1, a list of them.
pub(crate) fn is_or_holds(kind: &Value, word: &str) -> bool {
    match kind {
        Value::String(text) => text == word,
        Value::Array(words) => words.iter().any(|text| text == word),
        _ => false,
    }
}

/// Calls `visit` for each property of a schema, through references and `allOf`.
pub(crate) fn each_property<'a>(
    root: &'a Value,
    schema: &'a Value,
    visit: &mut impl FnMut(&'a str, &'a Value),
) {
    for layer in parts_first(root, schema, &["allOf"]) {
        for (name, property) in properties(layer) {
            visit(name, property);
        }
    }
}

/// How far the search for marks has come.
#[derive(Default)]
struct Way<'a> {
    /// The schemas around the one that is looked at, which is not looked at again inside itself.
    open: Vec<&'a Value>,
    steps: usize,
}

fn collect<'a>(
    root: &'a Value,
    schema: &'a Value,
    prefix: &str,
    way: &mut Way<'a>,
    marks: &mut Marks,
) {
    way.steps += 1;
    if way.steps > MAX_STEPS {
        return;
    }
    let open = way.open.len();
    // Itself and, where keywords count beside a reference, what it refers to.
    for layer in layers(root, schema, &[]) {
        if way.open.len() <= MAX_DEPTH && !way.open.iter().any(|one| std::ptr::eq(*one, layer)) {
            way.open.push(layer);
        }
    }
    for layer in way.open.split_off(open).into_iter().rev() {
        way.open.push(layer);
        for member in parts(layer, &["allOf"]) {
            collect(root, member, prefix, way, marks);
        }
        for (name, property) in properties(layer) {
            let path = if prefix.is_empty() {
                name.clone()
            } else {
                format!("{prefix}.{name}")
            };
            for mark in descriptions(root, property).flat_map(marks_in) {
                mark.add(&path, marks);
            }
            collect(root, property, &path, way, marks);
        }
    }
    way.open.truncate(open);
}

fn properties(schema: &Value) -> impl Iterator<Item = (&String, &Value)> {
    schema
        .get("properties")
        .and_then(Value::as_object)
        .into_iter()
        .flatten()
}

/// The description beside a reference, and the one at its end.
fn descriptions<'a>(root: &'a Value, property: &'a Value) -> impl Iterator<Item = &'a str> {
    let own = target(property).and(property.get("description"));
    own.into_iter()
        .chain(resolve(root, property).get("description"))
        .filter_map(Value::as_str)
}

/// One mark, as written.
#[derive(Debug, PartialEq, Eq)]
struct Mark<'a> {
    filter: bool,
    sort: bool,
    /// The mark names another attribute than the property it stands at.
    other_name: Option<&'a str>,
}

impl Mark<'_> {
    fn add(&self, path: &str, marks: &mut Marks) {
        let name = self.other_name.unwrap_or(path);
        for (wanted, names) in [
            (self.filter, &mut marks.filterable),
            (self.sort, &mut marks.sortable),
        ] {
            if wanted && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }
}

/// The marks of a description: in backticks anywhere, or bare as its last sentence.
fn marks_in(description: &str) -> Vec<Mark<'_>> {
    let mut marks = Vec::new();
    let mut parts = description.split('`');
    parts.next();
    while let (Some(quoted), Some(after)) = (parts.next(), parts.next()) {
        marks.extend(mark(quoted, after));
    }
    if marks.is_empty() && !description.contains('`') {
        let text = description.trim_end().trim_end_matches('.');
        let sentence = text
            .rfind(['.', '!', '?', ';', ':', '\n', ')'])
            .map_or(text, |at| &text[at + 1..]);
        let sentence = sentence.trim();
        let (words, after) = match sentence.find(" by ") {
            Some(at) => sentence.split_at(at),
            None => (sentence, ""),
        };
        marks.extend(mark(words, after));
    }
    marks
}

/// `Filter`, `Sort`, `Filter, Sort`; `Sort: name` and `Filter … by name` mean another attribute.
fn mark<'a>(words: &'a str, after: &'a str) -> Option<Mark<'a>> {
    let (words, named) = match words.split_once(':') {
        Some((words, name)) => (words, Some(name.trim())),
        None => (words, None),
    };
    let mut mark = Mark {
        filter: false,
        sort: false,
        other_name: None,
    };
    for word in words.split(',') {
        match word.trim() {
            "Filter" => mark.filter = true,
            "Sort" => mark.sort = true,
            _ => return None,
        }
    }
    let by = || {
        let name = after
            .trim_start()
            .strip_prefix("by ")?
            .split_whitespace()
            .next()?;
        Some(name.trim_end_matches(['.', ',', ';']))
    };
    mark.other_name = named.or_else(by).filter(|name| !name.is_empty());
    Some(mark)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{operation, small};

    #[test]
    fn marks_are_found_through_references_and_nesting() {
        let small = small();
        let marks = small.marks(operation(&small, "ListSystems"));
        assert_eq!(
            marks.filterable,
            ["id", "name", "model", "sizeMiB", "hostId"]
        );
        assert_eq!(
            marks.sortable,
            ["id", "name", "sizeMiB", "owner.name", "stateOverall"]
        );
        assert_eq!(
            small.marks(operation(&small, "GetSystem")),
            Marks::default()
        );
    }

    #[test]
    fn schemas_that_fan_out_end() {
        let reference = serde_json::json!({"$ref": "#/A"});
        let every: serde_json::Map<String, Value> = (0..30)
            .map(|index| {
                (
                    format!("p{index}"),
                    serde_json::json!({"$ref": format!("#/S{index}")}),
                )
            })
            .collect();
        let mut root = serde_json::json!({
            "A": {"allOf": vec![reference; 8], "properties": {"items": {"items": {"$ref": "#/S0"}}}},
        });
        for index in 0..30 {
            root[format!("S{index}")] =
                serde_json::json!({"properties": every, "allOf": [{"$ref": "#/A"}]});
        }
        let mut found = Vec::new();
        each_property(&root, &root["A"], &mut |name, _| found.push(name));
        assert_eq!(found, ["items"]);
        let mut way = Way::default();
        collect(&root, &root["S0"], "", &mut way, &mut Marks::default());
        assert!(
            way.steps > MAX_STEPS && way.steps < 100 * MAX_STEPS,
            "{}",
            way.steps
        );
        assert_eq!(marks(&root, &root["A"]), Marks::default());
    }

    #[test]
    fn only_marks_are_marks() {
        let found = |text| {
            marks_in(text)
                .iter()
                .map(|one| (one.filter, one.sort, one.other_name))
                .collect::<Vec<_>>()
        };
        let both = (true, true, None);
        assert_eq!(found("Name of the volume. Filter, Sort"), [both]);
        assert_eq!(found("Its id (short) Filter,Sort."), [both]);
        assert_eq!(found("Sort"), [(false, true, None)]);
        assert_eq!(
            found("An id. `Filter,Sort` Possible values: 'a', 'b'."),
            [both]
        );
        assert_eq!(
            found("The hosts. Filter by hostId."),
            [(true, false, Some("hostId"))]
        );
        assert_eq!(
            found("`Sort: stateOverall`"),
            [(false, true, Some("stateOverall"))]
        );
        for text in [
            "Disk Filter",
            "Disk filter",
            "Number of items the Sort found.",
            "`Filters`",
            "`Filter",
            "",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
    }
}
