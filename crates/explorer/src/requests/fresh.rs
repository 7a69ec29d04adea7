//! A fresh draft of an operation: what must be given is filled with examples and on; what may be given is
//! offered with them and off, because examples of filters and offsets hide what is there.

use std::sync::Arc;

use axum::extract::{Path, State};
use hallpass_openapi::{Definition, Fill, Location, Operation, Parameter};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::Explorer;
use crate::answer::{Answer, Failure, Json, told};
use crate::id::Id;
use crate::visitor::Visitor;
use crate::workspace::{Draft, DraftBody, Row, RowPlace};

/// Which operation.
#[derive(Deserialize)]
pub(super) struct Wanted {
    definition: Id,
    operation: String,
}

pub(super) async fn make(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path(workspace): Path<String>,
    Json(wanted): Json<Wanted>,
) -> Answer {
    let workspace = Id::parse(&workspace)?;
    let loaded = explorer
        .definition(&visitor, &workspace, &wanted.definition)
        .await?;
    let operation = find(&loaded.definition, &wanted.operation)
        .ok_or_else(|| Failure::not_found("operation of this name"))?;
    let draft = draft(&wanted.definition, &loaded.definition, operation);
    told(&json!({ "draft": draft }))
}

/// The operation that is called exactly this.
pub(super) fn find<'a>(definition: &'a Definition, id: &str) -> Option<&'a Operation> {
    definition.operations().iter().find(|one| one.id() == id)
}

/// A draft with the values that the definition shows.
pub(super) fn draft(id: &Id, definition: &Definition, operation: &Operation) -> Draft {
    let parameters = operation.parameters().iter().filter(|one| is_one(one));
    let parameters = parameters.map(|one| Row {
        name: one.name.clone(),
        place: place(one.location),
        value: plain(&value(definition, one)),
        on: one.required,
    });
    Draft {
        definition: Some(id.clone()),
        operation: Some(operation.id().to_owned()),
        method: operation.method().as_str().to_owned(),
        url: format!("{{{{baseUrl}}}}{}", operation.path()),
        parameters: parameters.collect(),
        headers: Vec::new(),
        body: operation
            .needs_body()
            .then(|| body(definition, operation))
            .flatten(),
        authorization: None,
    }
}

/// Where a parameter goes.
pub(super) fn place(location: Location) -> RowPlace {
    match location {
        Location::Path => RowPlace::Path,
        Location::Query => RowPlace::Query,
        Location::Header => RowPlace::Header,
        Location::Cookie => RowPlace::Cookie,
    }
}

/// A value as it is typed: items of a list one below the other.
pub(super) fn typed(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(typed).collect::<Vec<_>>().join("\n"),
        other => other.to_string(),
    }
}

/// A text in which two braces are no variable: a definition could have a person's secrets sent to where
/// it wants.
fn plain(value: &Value) -> String {
    typed(value).replace("{{", "{ {")
}

/// Headers of these names are no parameters, whatever a definition says (OpenAPI 3.0.3, "Parameter
/// Object").
fn is_one(parameter: &Parameter) -> bool {
    let none = ["accept", "authorization", "content-type"];
    let is_none = |name: &str| parameter.name.eq_ignore_ascii_case(name);
    parameter.location != Location::Header || !none.iter().any(|name| is_none(name))
}

/// What the definition shows; what must be given is made up where it shows nothing.
fn value(definition: &Definition, parameter: &Parameter) -> Value {
    if parameter.required || parameter.example.is_some() {
        return definition.example_value(parameter);
    }
    let shown = |key: &str| definition.resolve(&parameter.schema).get(key).cloned();
    shown("default").unwrap_or_default()
}

fn body(definition: &Definition, operation: &Operation) -> Option<DraftBody> {
    let declared = operation.body().or_else(|| operation.bodies().first())?;
    let example = definition.example_body(operation, Fill::Shown)?;
    // There is more to see in everything that could be sent than in an empty object.
    let is_empty = example.as_object().is_some_and(Map::is_empty);
    let all = || definition.example_body(operation, Fill::All);
    let example = is_empty.then(all).flatten().unwrap_or(example);
    let media_type = &declared.media_type;
    let (media_type, text) = match media_type.split(';').next().unwrap_or_default().trim() {
        "application/x-www-form-urlencoded" => (media_type.clone(), form(&example)),
        kind if kind == "application/json" || kind.contains('*') => {
            ("application/json".to_owned(), pretty(&example))
        }
        kind if kind.ends_with("json") => (media_type.clone(), pretty(&example)),
        _ => (media_type.clone(), plain(&example)),
    };
    Some(DraftBody { media_type, text })
}

fn form(example: &Value) -> String {
    let mut form = form_urlencoded::Serializer::new(String::new());
    for (name, value) in example.as_object().into_iter().flatten() {
        form.append_pair(name, &typed(value));
    }
    form.finish()
}

/// Two braces, which in JSON can only stand in a text, would be taken for a variable.
fn pretty(example: &Value) -> String {
    format!("{example:#}").replace("{{", "{\\u007b")
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEFINITION: &str = "
openapi: 3.0.3
info: {title: T, version: '1'}
paths:
  /things/{id}:
    post:
      operationId: Make
      parameters:
        - {name: id, in: path, required: true, schema: {type: string}, example: 'a{{secret}}'}
        - {name: limit, in: query, schema: {type: integer}, example: 10}
        - {name: ids, in: query, schema: {type: array, items: {type: string}}, example: [a, b]}
        - {name: Authorization, in: header, schema: {type: string}}
      requestBody:
        required: true
        content:
          application/json:
            schema: {type: object, required: [name], properties: {name: {type: string, example: 'x{{token}}'}}}
      responses: {'200': {description: ok}}
";

    fn made() -> Draft {
        let definition = Definition::read(DEFINITION).unwrap().definition;
        let operation = find(&definition, "Make").unwrap();
        draft(&Id::parse("d").unwrap(), &definition, operation)
    }

    #[test]
    fn what_must_be_given_is_on_and_the_rest_is_offered() {
        let draft = made();
        assert_eq!(draft.url, "{{baseUrl}}/things/{id}");
        let rows: Vec<_> = draft
            .parameters
            .iter()
            .map(|one| (&*one.name, one.on))
            .collect();
        assert_eq!(rows, [("id", true), ("limit", false), ("ids", false)]);
        assert_eq!(draft.parameters[1].value, "10");
        assert_eq!(draft.parameters[2].value, "a\nb");
    }

    #[test]
    fn an_example_names_no_variable() {
        let draft = made();
        assert_eq!(draft.parameters[0].value, "a{ {secret}}");
        let text = draft.body.unwrap().text;
        assert!(!text.contains("{{"), "{text}");
        let body: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(body["name"], "x{{token}}");
    }
}
