//! A schema as a table for people: a row for each field, the fields inside it below it.

use askama::Template;
use hallpass_openapi::{Inside, Shape};
use serde_json::Value;

use super::prose::Prose;

/// The fields of a body.
#[derive(Template)]
#[template(path = "documentation/schema.html")]
pub(super) struct Table {
    rows: Vec<Row>,
    is_cut: bool,
}

struct Row {
    /// How far inside, from 0.
    level: usize,
    name: String,
    kind: String,
    required: bool,
    notes: String,
    about: Prose,
}

/// Which way a body goes. Some fields are in one way only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Request,
    Answer,
}

/// Most rows of a table: nobody reads more, and a schema may have any number.
const MOST_ROWS: usize = 300;

/// Longest example shown, in characters.
const LONGEST_EXAMPLE: usize = 20_000;

impl Table {
    pub(super) fn of(shape: &Shape, direction: Direction) -> Self {
        let mut table = Self {
            rows: Vec::new(),
            is_cut: false,
        };
        table.add(shape, direction, 0);
        table
    }

    fn add(&mut self, shape: &Shape, direction: Direction, level: usize) {
        for field in shape.fields() {
            let inside = &field.shape;
            let other_way = match direction {
                Direction::Request => inside.read_only,
                Direction::Answer => inside.write_only,
            };
            if other_way {
                continue;
            }
            if self.rows.len() == MOST_ROWS {
                self.is_cut = true;
                return;
            }
            self.rows.push(Row {
                level,
                name: field.name.clone(),
                kind: inside.kind.clone(),
                required: field.required,
                notes: notes(inside, inside.example.as_ref()),
                about: Prose::read(&inside.description),
            });
            self.add(inside, direction, level + 1);
        }
    }
}

/// What else there is to say about a value, in a few words.
pub(super) fn notes(shape: &Shape, example: Option<&Value>) -> String {
    let mut notes = Vec::new();
    if !shape.values.is_empty() {
        let values: Vec<String> = shape.values.iter().map(plain).collect();
        notes.push(format!("one of {}", values.join(", ")));
    }
    notes.extend(shape.format.clone());
    notes.extend(shape.limits.iter().cloned());
    if shape.nullable {
        notes.push("or null".to_owned());
    }
    if shape.deprecated {
        notes.push("deprecated".to_owned());
    }
    match &shape.inside {
        Inside::Again(name) => notes.push(format!("as {name} around it")),
        Inside::Deeper => notes.push("more inside".to_owned()),
        Inside::Nothing | Inside::Fields(_) => {}
    }
    let single =
        example.filter(|value| !value.is_object() && !value.is_array() && !value.is_null());
    if let Some(example) = single.filter(|_| shape.values.is_empty()) {
        notes.push(format!("such as {}", plain(example)));
    }
    notes.join("; ")
}

/// An example as it is read best. What is very long is cut, and says so.
pub(super) fn printed(value: &Value) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    match text.char_indices().nth(LONGEST_EXAMPLE) {
        Some((end, _)) => format!("{}\n… (cut here: it goes on)", &text[..end]),
        None => text,
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use hallpass_openapi::Definition;
    use serde_json::json;

    use super::*;

    #[test]
    fn fields_stand_below_what_holds_them_and_go_one_way_only() {
        let text = "openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths: {}\n";
        let definition = Definition::read(text).unwrap().definition;
        let schema = json!({"type": "object", "required": ["a"], "properties": {
            "a": {"type": "object", "properties": {"b": {"type": "integer", "minimum": 3}}},
            "secret": {"type": "string", "writeOnly": true},
            "id": {"type": "string", "readOnly": true, "enum": ["x", "y"]},
        }});
        let shape = definition.shape(&schema, 4);
        let names = |direction| {
            let rows = Table::of(&shape, direction).rows.into_iter();
            rows.map(|row| format!("{}{}{}", row.level, row.name, row.notes))
                .collect::<Vec<_>>()
        };
        assert_eq!(names(Direction::Request), ["0a", "1bat least 3", "0secret"]);
        assert_eq!(
            names(Direction::Answer),
            ["0a", "1bat least 3", "0idone of x, y"]
        );
    }

    #[test]
    fn a_table_has_an_end() {
        let fields = (0..400).map(|n| (format!("f{n}"), json!({"type": "string"})));
        let schema =
            json!({"type": "object", "properties": fields.collect::<serde_json::Map<_, _>>()});
        let text = "openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths: {}\n";
        let definition = Definition::read(text).unwrap().definition;
        let table = Table::of(&definition.shape(&schema, 1), Direction::Answer);
        assert_eq!((table.rows.len(), table.is_cut), (MOST_ROWS, true));
    }
}
