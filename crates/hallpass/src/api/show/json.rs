//! What is told about an operation, for programs.

use hallpass_openapi::{Inside, Location, Shape};
use serde_json::{Map, Value, json};

use super::{Answer, Told};

/// All of it as one object.
pub(super) fn value(told: &Told<'_>) -> Value {
    let operation = told.operation;
    let parameters = told.parameters.iter().map(|(parameter, of)| {
        let mut told = shape(of);
        told["name"] = json!(parameter.name);
        told["place"] = json!(place(parameter.location));
        told["required"] = json!(parameter.required);
        if !parameter.description.is_empty() {
            told["description"] = json!(parameter.description);
        }
        if let Some(example) = &parameter.example {
            told["example"] = example.clone();
        }
        told
    });
    let bodies = told.bodies.iter();
    json!({
        "operation": operation.id(),
        "method": operation.method().as_str(),
        "path": operation.path(),
        "tag": operation.tag(),
        "summary": operation.summary(),
        "description": operation.description(),
        "deprecated": operation.deprecated(),
        "permission": told.permission,
        "parameters": parameters.collect::<Vec<_>>(),
        "bodyRequired": operation.needs_body(),
        "bodies": bodies
            .map(|(media_type, of)| {
                let mut body = shape(of);
                body["mediaType"] = json!(media_type);
                body
            })
            .collect::<Vec<_>>(),
        "answers": told.answers.iter().map(answer).collect::<Vec<_>>(),
        "filterable": told.marks.filterable,
        "sortable": told.marks.sortable,
        "call": told.call,
        "beforeCall": told.before,
    })
}

/// Where a parameter goes, in a word.
pub(super) fn place(location: Location) -> &'static str {
    match location {
        Location::Path => "path",
        Location::Query => "query",
        Location::Header => "header",
        Location::Cookie => "cookie",
    }
}

fn answer(answer: &Answer<'_>) -> Value {
    let mut told = answer.shape.as_ref().map_or_else(|| json!({}), shape);
    told["status"] = json!(answer.status);
    told["description"] = json!(answer.description);
    told
}

/// What a schema says; what it does not say is left out.
fn shape(of: &Shape) -> Value {
    let mut told = Map::new();
    told.insert("type".to_owned(), json!(of.kind));
    let mut say = |name: &str, value: Value| {
        if value != json!(false) && value != json!("") && value != json!([]) && !value.is_null() {
            told.insert(name.to_owned(), value);
        }
    };
    say("format", json!(of.format));
    say("values", json!(of.values));
    say("limits", json!(of.limits));
    say("nullable", json!(of.nullable));
    say("readOnly", json!(of.read_only));
    say("writeOnly", json!(of.write_only));
    say("deprecated", json!(of.deprecated));
    say("description", json!(of.description));
    say("example", json!(of.example));
    match &of.inside {
        Inside::Nothing => {}
        Inside::Again(name) => say("again", json!(name)),
        Inside::Deeper => say("deeper", json!(true)),
        Inside::Fields(fields) => {
            let fields = fields.iter().map(|field| {
                let mut told = shape(&field.shape);
                told["name"] = json!(field.name);
                told["required"] = json!(field.required);
                told
            });
            say("fields", fields.collect());
        }
    }
    Value::Object(told)
}
