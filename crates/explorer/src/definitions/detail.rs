//! One operation in full: what the request editor and the documentation view draw.

use std::sync::Arc;

use axum::extract::{Path, State};
use hallpass_openapi::{Brief, Definition, Fill, Location, Operation, Parameter, Shape};
use serde_json::{Map, Value, json};

use crate::Explorer;
use crate::answer::{Answer, Failure, told};
use crate::definitions::Loaded;
use crate::definitions::shape::{self, DEPTH, Way, pretty, typed};
use crate::id::Id;
use crate::visitor::Visitor;

pub(super) async fn show(
    State(explorer): State<Arc<Explorer>>,
    visitor: Visitor,
    Path((workspace, definition, operation)): Path<(String, String, String)>,
) -> Answer {
    let (workspace, definition) = (Id::parse(&workspace)?, Id::parse(&definition)?);
    let loaded = explorer
        .definition(&visitor, &workspace, &definition)
        .await?;
    // Examples are checked against their schemas, which takes a moment where those are large.
    let made = tokio::task::spawn_blocking(move || {
        let found = exactly(&loaded.definition, &operation)?;
        Ok::<_, Failure>(detail(&loaded, found))
    });
    let made = made.await.map_err(|_| {
        Failure::wrong(
            "the operation could not be described",
            "look at the problems of its definition",
        )
    })?;
    told(&made?)
}

/// The operation of exactly this name.
pub(crate) fn exactly<'a>(definition: &'a Definition, id: &str) -> Result<&'a Operation, Failure> {
    let mut operations = definition.operations().iter();
    let found = operations.find(|one| one.id() == id);
    found.ok_or_else(|| Failure::not_found(&format!("operation {id:?}")))
}

/// Everything about an operation.
fn detail(loaded: &Loaded, operation: &Operation) -> Value {
    let definition = &loaded.definition;
    let own = definition.document().pointer(operation.pointer());
    let brief = Brief::of(definition, operation);
    let parameters = operation.parameters().iter();
    json!({
        "id": operation.id(),
        "method": operation.method().as_str(),
        "path": operation.path(),
        "tag": operation.tag(),
        "summary": operation.summary(),
        "description": operation.description(),
        "deprecated": operation.deprecated(),
        "list": operation.is_list(),
        "pointer": operation.pointer(),
        "line": definition.position(operation.pointer()).line,
        "part": definition.part(operation.pointer()),
        "parameters": parameters.map(|one| parameter(definition, one)).collect::<Vec<_>>(),
        "bodies": bodies(definition, operation),
        "responses": responses(definition, operation, own),
        "filterable": filterable(definition, operation, &brief),
        "sortable": brief.sortable,
        "selectable": brief.selectable,
    })
}

fn parameter(definition: &Definition, parameter: &Parameter) -> Value {
    let shape = definition.shape(&parameter.schema, 0);
    let schema = definition.resolve(&parameter.schema);
    let example = parameter.example.as_ref().or(shape.example.as_ref());
    let description = [&parameter.description, &shape.description];
    let description = description.iter().find(|text| !text.is_empty());
    json!({
        "name": parameter.name,
        "in": place(parameter.location),
        "required": parameter.required,
        "description": description,
        "kind": shape.kind,
        "values": allowed(&shape),
        "format": shape.format,
        "example": example.map(typed),
        "default": schema.get("default").map(typed),
        "limits": shape.limits,
        "deprecated": parameter.deprecated || shape.deprecated,
    })
}

fn bodies(definition: &Definition, operation: &Operation) -> Vec<Value> {
    let chosen = operation.body().or_else(|| operation.bodies().first());
    let chosen = chosen.map(|body| body.media_type.as_str());
    let bodies = operation.bodies().iter();
    bodies
        .map(|body| {
            let example = (chosen == Some(&body.media_type))
                .then(|| example_body(definition, operation))
                .flatten();
            json!({
                "mediaType": body.media_type,
                "required": operation.needs_body(),
                "example": example,
                "shape": shape::told(&definition.shape(&body.schema, DEPTH), Way::Sent),
            })
        })
        .collect()
}

/// The body that an operation is offered with: what the definition shows, or, when it shows nothing,
/// everything that could be sent, because there is more to see in it than in an empty object.
pub(crate) fn example_body(definition: &Definition, operation: &Operation) -> Option<String> {
    let shown = definition.example_body(operation, Fill::Shown)?;
    let is_empty = shown.as_object().is_some_and(Map::is_empty);
    let example = if is_empty {
        definition.example_body(operation, Fill::All)?
    } else {
        shown
    };
    Some(match example {
        Value::String(text) => text,
        other => pretty(&other),
    })
}

fn responses(definition: &Definition, operation: &Operation, own: Option<&Value>) -> Vec<Value> {
    let declared = own.and_then(|own| own.get("responses"));
    let responses = operation.responses().iter();
    responses
        .map(|(status, schema)| {
            let response = declared
                .and_then(|all| all.get(status))
                .map(|one| definition.resolve(one));
            let description = response.and_then(|one| one.get("description")?.as_str());
            let content = response.and_then(|one| one.get("content")?.as_object());
            let schema = schema.as_ref();
            let shape = schema.map(|schema| definition.shape(schema, DEPTH));
            json!({
                "status": status,
                "description": description.unwrap_or_default(),
                "mediaType": content.and_then(media_type),
                "shape": shape.map(|shape| shape::told(&shape, Way::Answered)),
                "example": example_answer(definition, operation, status).as_ref().map(pretty),
            })
        })
        .collect()
}

/// The media type of an answer; the JSON one if there are several.
fn media_type(content: &Map<String, Value>) -> Option<&String> {
    let mut types = content.keys();
    types
        .find(|one| one.contains("json"))
        .or_else(|| content.keys().next())
}

fn example_answer(definition: &Definition, operation: &Operation, status: &str) -> Option<Value> {
    // A range or the default speaks for a status that nobody else does.
    let code = match status.as_bytes() {
        [class @ b'1'..=b'5', b'X' | b'x', b'X' | b'x'] => u16::from(class - b'0') * 100 + 99,
        _ if status == "default" => 599,
        _ => status.parse().ok()?,
    };
    definition.example_answer(operation, code)
}

/// What a list can be filtered by, with what each property is.
fn filterable(definition: &Definition, operation: &Operation, brief: &Brief) -> Vec<Value> {
    let answers = operation.responses().iter();
    let mut schemas = answers.filter(|(status, _)| status == "200");
    let schema = schemas.find_map(|(_, schema)| schema.as_ref());
    let deepest = brief.filterable.iter().map(|name| name.split('.').count());
    let depth = deepest.max().unwrap_or_default() + 1;
    let shape = schema.map(|schema| definition.shape(schema, depth));
    let items = shape.as_ref().and_then(|shape| field(shape, "items"));
    let names = brief.filterable.iter();
    names
        .map(|name| {
            let found = items.and_then(|items| name.split('.').try_fold(items, field));
            json!({
                "name": name,
                "kind": found.map_or("any", |found| &found.kind),
                "format": found.and_then(|found| found.format.as_ref()),
                "values": found.map(allowed).unwrap_or_default(),
                "description": found.map_or("", |found| &found.description),
            })
        })
        .collect()
}

fn field<'a>(shape: &'a Shape, name: &str) -> Option<&'a Shape> {
    let mut fields = shape.fields().iter();
    Some(&fields.find(|field| field.name == name)?.shape)
}

fn allowed(shape: &Shape) -> Vec<String> {
    shape.values.iter().map(typed).collect()
}

fn place(location: Location) -> &'static str {
    match location {
        Location::Path => "path",
        Location::Query => "query",
        Location::Header => "header",
        Location::Cookie => "cookie",
    }
}
