//! The page of an operation: what it takes, what it answers, and what that looks like.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_openapi::{Definition, Fill, Location, Operation, Parameter};
use hallpass_pages::notice;
use serde_json::Value;

use super::prose::Prose;
use super::schema::{Direction, Table, notes, printed};
use super::{Needs, Reader, titled};

#[derive(Template)]
#[template(path = "documentation/operation.html")]
struct Page {
    book: String,
    book_path: String,
    title: String,
    id: String,
    method: String,
    path: String,
    needs: Needs,
    deprecated: bool,
    about: Prose,
    parameters: Vec<Input>,
    needs_body: bool,
    bodies: Vec<Message>,
    answers: Vec<Answer>,
}

struct Input {
    name: String,
    place: &'static str,
    kind: String,
    required: bool,
    notes: String,
    about: Prose,
}

/// A body, as it is sent or answered.
struct Message {
    media_type: String,
    kind: String,
    table: Table,
    example: Option<String>,
}

struct Answer {
    status: String,
    about: Prose,
    body: Option<Message>,
}

pub(super) async fn show(
    State(reader): State<Arc<Reader>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    Path(id): Path<String>,
    request: Request,
) -> Response {
    let operations = reader.book.definition.operations();
    let Some(operation) = operations.iter().find(|one| one.id() == id) else {
        return notice(
            StatusCode::NOT_FOUND,
            "There is no such operation",
            &["The definition may be a newer one. Look for the operation in the documentation."],
        );
    };
    let page = reader.operation(operation);
    let title = format!("{} · {}", page.title, page.book);
    reader
        .console
        .public_page(peer, request, &title, page)
        .await
}

impl Reader {
    fn operation(&self, operation: &Operation) -> Page {
        let definition = &*self.book.definition;
        let title = match operation.summary().trim() {
            "" => operation.id(),
            summary => summary,
        };
        let about = match operation.description() {
            same if same.trim() == title => "",
            more => more,
        };
        let answers = operation.responses().iter();
        Page {
            book: titled(definition),
            book_path: self.book.path.clone(),
            title: title.to_owned(),
            id: operation.id().to_owned(),
            method: operation.method().to_string(),
            path: operation.path().to_owned(),
            needs: self.needs[operation.index()].clone(),
            deprecated: operation.deprecated(),
            about: Prose::read(about),
            parameters: operation
                .parameters()
                .iter()
                .map(|one| input(definition, one))
                .collect(),
            needs_body: operation.needs_body(),
            bodies: bodies(definition, operation),
            answers: answers
                .map(|(status, schema)| answer(definition, operation, status, schema.as_ref()))
                .collect(),
        }
    }
}

fn input(definition: &Definition, parameter: &Parameter) -> Input {
    let shape = definition.shape(&parameter.schema, 0);
    let about = match parameter.description.trim() {
        "" => &shape.description,
        text => text,
    };
    Input {
        name: parameter.name.clone(),
        place: match parameter.location {
            Location::Path => "path",
            Location::Query => "query",
            Location::Header => "header",
            Location::Cookie => "cookie",
        },
        required: parameter.required,
        notes: notes(
            &shape,
            parameter.example.as_ref().or(shape.example.as_ref()),
        ),
        about: Prose::read(about),
        kind: shape.kind,
    }
}

fn bodies(definition: &Definition, operation: &Operation) -> Vec<Message> {
    let json = operation.body().map(|body| &body.media_type);
    let bodies = operation.bodies().iter().map(|body| {
        let shape = definition.shape(&body.schema, DEPTH);
        let is_json = json == Some(&body.media_type);
        let example = is_json.then(|| definition.example_body(operation, Fill::All));
        Message {
            media_type: body.media_type.clone(),
            table: Table::of(&shape, Direction::Request),
            kind: shape.kind,
            example: example.flatten().as_ref().map(printed),
        }
    });
    bodies.collect()
}

fn answer(
    definition: &Definition,
    operation: &Operation,
    status: &str,
    schema: Option<&Value>,
) -> Answer {
    let declared = definition.document().pointer(operation.pointer());
    let declared = declared.and_then(|own| own.get("responses")?.get(status));
    let declared = declared.map(|own| definition.resolve(own));
    let about = declared.and_then(|own| own.get("description")?.as_str());
    let media_type = declared.and_then(|own| own.get("content")?.as_object()?.keys().next());
    let body = schema.map(|schema| {
        let shape = definition.shape(schema, DEPTH);
        // Refusals are alike and explained by their tables.
        let good = status.starts_with('2').then(|| status.parse().ok());
        let example = good
            .flatten()
            .and_then(|status| definition.example_answer(operation, status));
        Message {
            media_type: media_type.cloned().unwrap_or_default(),
            table: Table::of(&shape, Direction::Answer),
            kind: shape.kind,
            example: example.as_ref().map(printed),
        }
    });
    Answer {
        status: status.to_owned(),
        about: Prose::read(about.unwrap_or_default()),
        body,
    }
}

/// How many layers of fields are opened.
const DEPTH: usize = 4;
