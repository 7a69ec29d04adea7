//! What a schema says, for the page: the fields of a body or an answer as a tree.

use hallpass_openapi::{Inside, Shape};
use serde_json::{Map, Value, json};

/// Which way a value goes: fields that never go that way are left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    /// To the server: without what is in answers only.
    Sent,
    /// From the server: without what is in requests only.
    Answered,
}

/// How many layers of fields are told at once.
pub(crate) const DEPTH: usize = 6;

/// A shape as JSON. What it does not say is left out, but for `kind` and `fields`.
pub(crate) fn told(of: &Shape, way: Way) -> Value {
    let mut told = Map::new();
    told.insert("kind".to_owned(), json!(of.kind));
    let mut say = |name: &str, value: Value| {
        if value != json!(false) && value != json!("") && value != json!([]) && !value.is_null() {
            told.insert(name.to_owned(), value);
        }
    };
    say("format", json!(of.format));
    say("values", json!(of.values));
    say("nullable", json!(of.nullable));
    say("readOnly", json!(of.read_only));
    say("writeOnly", json!(of.write_only));
    say("deprecated", json!(of.deprecated));
    say("description", json!(of.description));
    say("example", json!(of.example));
    say("limits", json!(of.limits));
    let fields = match &of.inside {
        Inside::Nothing => Value::Null,
        Inside::Again(name) => {
            say("again", json!(name));
            Value::Null
        }
        Inside::Deeper => {
            say("deeper", json!(true));
            Value::Null
        }
        Inside::Fields(fields) => {
            let goes = |one: &Shape| match way {
                Way::Sent => !one.read_only,
                Way::Answered => !one.write_only,
            };
            let fields = fields.iter().filter(|field| goes(&field.shape));
            let tell = |field: &hallpass_openapi::Field| {
                json!({
                    "name": field.name,
                    "required": field.required,
                    "shape": self::told(&field.shape, way),
                })
            };
            Value::Array(fields.map(tell).collect())
        }
    };
    told.insert("fields".to_owned(), fields);
    Value::Object(told)
}

/// A value as a person types it: a text without quotes, the items of a list one below the other.
pub(crate) fn typed(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(items) if items.iter().all(is_single) => {
            items.iter().map(typed).collect::<Vec<_>>().join("\n")
        }
        other => other.to_string(),
    }
}

fn is_single(value: &Value) -> bool {
    match value {
        Value::String(text) => !text.contains('\n'),
        other => !other.is_array() && !other.is_object(),
    }
}

/// A value as text over several lines.
pub(crate) fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_openapi::Definition;

    const TEXT: &str = "openapi: 3.0.3\ncomponents:\n  schemas:\n    A:\n      required: [name]\n      \
         properties:\n        id: {type: string, readOnly: true}\n        \
         name: {type: string, maxLength: 5, description: Its name}\n        \
         secret: {type: string, writeOnly: true}\n        child: {$ref: '#/components/schemas/A'}\n";

    fn names(told: &Value) -> Vec<&str> {
        let fields = told["fields"].as_array().unwrap().iter();
        fields.map(|one| one["name"].as_str().unwrap()).collect()
    }

    #[test]
    fn fields_go_one_way_or_both() {
        let definition = Definition::read(TEXT).unwrap().definition;
        let schema = &definition.document()["components"]["schemas"]["A"];
        let shape = definition.shape(schema, 3);
        let sent = told(&shape, Way::Sent);
        assert_eq!(names(&sent), ["name", "secret", "child"]);
        assert_eq!(names(&told(&shape, Way::Answered)), ["id", "name", "child"]);
        let name = &sent["fields"][0];
        assert_eq!(name["required"], true);
        assert_eq!(
            name["shape"],
            json!({"kind": "string", "description": "Its name", "limits": ["at most 5 characters"], "fields": null})
        );
        assert!(sent["fields"][2]["shape"]["again"].is_string(), "{sent}");
    }

    #[test]
    fn values_are_as_they_are_typed() {
        assert_eq!(typed(&json!("a b")), "a b");
        assert_eq!(typed(&json!(["a", 1, true])), "a\n1\ntrue");
        assert_eq!(typed(&json!(["a\nb"])), r#"["a\nb"]"#);
        assert_eq!(typed(&json!({"a": 1})), r#"{"a":1}"#);
    }
}
