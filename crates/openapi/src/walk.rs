//! Walking a document with the difference between keywords and names in mind.
//!
//! A property called `default` or `$ref` is a name, and an example that looks like a schema is
//! data; neither may be taken for a part of the definition.

use serde_json::Value;

use crate::document::join;

/// An object of the definition: not data, and not a mere list of named objects.
pub(crate) struct Visit<'v, 'w> {
    pub(crate) value: &'v Value,
    /// Where the walk began.
    start: &'w str,
    path: &'w [Token<'v>],
}

impl Visit<'_, '_> {
    /// JSON pointer (RFC 6901) to the object.
    pub(crate) fn pointer(&self) -> String {
        let mut pointer = self.start.to_owned();
        for token in self.path {
            pointer = match token {
                Token::Key(key) => join(&pointer, key),
                Token::Index(index) => join(&pointer, &index.to_string()),
            };
        }
        pointer
    }

    /// How many steps it is from where the walk began.
    pub(crate) fn depth(&self) -> usize {
        self.path.len()
    }
}

#[derive(Clone, Copy)]
enum Token<'v> {
    Key(&'v str),
    Index(usize),
}

/// Keywords whose members are named by the author.
const NAMED: [&str; 21] = [
    "$defs",
    "callbacks",
    "content",
    "definitions",
    "dependentSchemas",
    "encoding",
    "examples",
    "headers",
    "links",
    "mapping",
    "parameters",
    "pathItems",
    "paths",
    "patternProperties",
    "properties",
    "requestBodies",
    "responses",
    "schemas",
    "securitySchemes",
    "variables",
    "webhooks",
];

/// Keywords that hold data.
const DATA: [&str; 5] = ["const", "default", "enum", "example", "value"];

/// Calls `visit` for `value`, which `start` points to, and for each object inside it for as long as
/// `visit` wants to see what is inside.
pub(crate) fn walk_from<'v>(
    value: &'v Value,
    start: &str,
    visit: &mut impl FnMut(Visit<'v, '_>) -> bool,
) {
    let mut walker = Walker {
        start,
        path: Vec::new(),
        visit,
    };
    step(value, &mut walker);
}

struct Walker<'v, 'w, F> {
    start: &'w str,
    path: Vec<Token<'v>>,
    visit: &'w mut F,
}

fn step<'v, F>(value: &'v Value, walker: &mut Walker<'v, '_, F>)
where
    F: FnMut(Visit<'v, '_>) -> bool,
{
    match value {
        Value::Object(members) => {
            let visit = Visit {
                value,
                start: walker.start,
                path: &walker.path,
            };
            if !(walker.visit)(visit) {
                return;
            }
            for (key, member) in members {
                walker.path.push(Token::Key(key));
                match member {
                    Value::Object(named) if NAMED.contains(&key.as_str()) => {
                        for (name, member) in named {
                            walker.path.push(Token::Key(name));
                            step(member, walker);
                            walker.path.pop();
                        }
                    }
                    // In 3.1, the examples of a schema are a list of data.
                    Value::Array(_) if key == "examples" => {}
                    _ if DATA.contains(&key.as_str()) || key.starts_with("x-") => {}
                    Value::Object(_) | Value::Array(_) => step(member, walker),
                    _ => {}
                }
                walker.path.pop();
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walker.path.push(Token::Index(index));
                step(item, walker);
                walker.path.pop();
            }
        }
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn names_and_data_are_not_taken_for_keywords() {
        let root = json!({
            "components": {"schemas": {
                "example": {"properties": {"default": {"enum": [{"a": 1}]}, "value": {}}},
                "A/b": {"example": {"c": {}}, "examples": [{}], "x-note": {}, "allOf": [{}]},
            }},
        });
        let mut pointers = Vec::new();
        walk_from(&root, "", &mut |visit| {
            pointers.push(visit.pointer());
            true
        });
        assert_eq!(
            pointers,
            [
                "",
                "/components",
                "/components/schemas/example",
                "/components/schemas/example/properties/default",
                "/components/schemas/example/properties/value",
                "/components/schemas/A~1b",
                "/components/schemas/A~1b/allOf/0",
            ]
        );
    }
}
