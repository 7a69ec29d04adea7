//! Walking a document with the difference between keywords and names in mind.
//!
//! A property called `default` or `$ref` is a name, and an example that looks like a schema is
//! data; neither may be taken for a part of the definition.

use serde_json::Value;

use crate::document::join;

/// An object of the definition: not data, and not a mere list of named objects.
pub(crate) struct Visit<'v, 'w> {
    pub(crate) value: &'v Value,
    path: &'w [Token<'v>],
}

impl Visit<'_, '_> {
    /// JSON pointer (RFC 6901) to the object.
    pub(crate) fn pointer(&self) -> String {
        let mut pointer = String::new();
        for token in self.path {
            pointer = match token {
                Token::Key(key) => join(&pointer, key),
                Token::Index(index) => join(&pointer, &index.to_string()),
            };
        }
        pointer
    }
}

#[derive(Clone, Copy)]
enum Token<'v> {
    Key(&'v str),
    Index(usize),
}

/// Keywords whose members are named by the author.
const NAMED: [&str; 20] = [
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
];

/// Keywords that hold data.
const DATA: [&str; 5] = ["const", "default", "enum", "example", "value"];

/// Calls `visit` for each object of the definition, in the order of the text.
pub(crate) fn walk<'v>(root: &'v Value, visit: &mut impl FnMut(Visit<'v, '_>)) {
    step(root, &mut Vec::new(), visit);
}

fn step<'v>(value: &'v Value, path: &mut Vec<Token<'v>>, visit: &mut impl FnMut(Visit<'v, '_>)) {
    match value {
        Value::Object(members) => {
            visit(Visit { value, path });
            for (key, member) in members {
                path.push(Token::Key(key));
                match member {
                    Value::Object(named) if NAMED.contains(&key.as_str()) => {
                        for (name, member) in named {
                            path.push(Token::Key(name));
                            step(member, path, visit);
                            path.pop();
                        }
                    }
                    // In 3.1, the examples of a schema are a list of data.
                    Value::Array(_) if key == "examples" => {}
                    _ if DATA.contains(&key.as_str()) || key.starts_with("x-") => {}
                    _ => step(member, path, visit),
                }
                path.pop();
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                path.push(Token::Index(index));
                step(item, path, visit);
                path.pop();
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
        walk(&root, &mut |visit| pointers.push(visit.pointer()));
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
