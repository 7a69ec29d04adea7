//! Answers to what was done, as the operation declares them: with a task, with the object, or with
//! nothing.

use http::StatusCode;
use serde_json::{Map, Value};

use super::act::Reply;
use super::object;
use super::resource::Resource;
use super::template::{Template, escaped};
use super::view::View;
use super::{Call, Work, names, schema, store};
use crate::change::Change;
use crate::rest::Refusal;
use crate::sandbox::{Body, Outcome, Response};

/// The answer, and the changes that it promises. With a task they happen when it ends.
pub(super) fn give(
    call: &mut Call<'_, '_>,
    resource: &Resource,
    reply: &Reply,
    object: Option<&Map<String, Value>>,
    work: Work,
) -> Result<Outcome, Refusal> {
    let body = match reply {
        Reply::Task(status) => return task(call, *status, work),
        Reply::Empty(_) => None,
        Reply::Made(status) => made(call, *status),
        Reply::Object(view) => {
            let object = object.cloned().unwrap_or_default();
            Some(show(call, resource, view, &object))
        }
    };
    let mut changes = work.first;
    changes.extend(work.then);
    Ok(Outcome {
        response: Response {
            status: status(reply),
            body: body.map(Body::from),
            task: None,
        },
        changes,
    })
}

/// The answer to what shows nowhere.
pub(super) fn outside(
    call: &mut Call<'_, '_>,
    path: &Template,
    reply: &Reply,
) -> Result<Outcome, Refusal> {
    let ids = call.ids();
    call.store().reach(path, &ids)?;
    if path.is_item() && !call.store().is_there(path, &ids) {
        let message = format!(
            "there is no object with the id {}",
            ids.last().unwrap_or(&"")
        );
        return Err(Refusal::NotFound(message));
    }
    let declared = call.request.operation.body().filter(|body| body.required);
    if declared.is_some_and(|body| schema::has_members(call.definition, &body.schema)) {
        crate::rest::body(call.definition, call.request, call.settings)?;
    }
    let work = Work {
        title: call.request.operation.id().to_owned(),
        ..Work::default()
    };
    match reply {
        Reply::Task(status) => task(call, *status, work),
        _ => Ok(Outcome {
            response: Response {
                status: status(reply),
                body: None,
                task: None,
            },
            changes: Vec::new(),
        }),
    }
}

/// An object as this view answers it.
pub(super) fn show(
    call: &Call<'_, '_>,
    resource: &Resource,
    view: &View,
    object: &Map<String, Value>,
) -> Value {
    let shown = object::shown(call.definition, resource, view, object);
    // An answer of this operation alone may ask for more than the resource's own.
    let example = view.example_object(call.definition);
    let mut full = call.addressed(shown);
    for name in &view.required {
        if let (false, Some(value)) = (full.contains_key(name), example.get(name)) {
            full.insert(name.clone(), value.clone());
        }
    }
    let envelope = view.example(call.definition).clone();
    let mut answer = view.holder.around(envelope, Value::Object(full));
    if let Value::Object(members) = &mut answer {
        call.address(members);
    }
    answer
}

/// Where what was created at this URL can be found, if it was an object of a collection.
pub(crate) fn location(uri: &str, changes: &[Change]) -> Option<String> {
    let created = changes.iter().find_map(|change| match change {
        Change::Put { collection, id, .. } if store::is_generic(collection) => Some(id),
        _ => None,
    })?;
    let path = uri.split(['?', '#']).next().unwrap_or(uri);
    let id = Some(created).filter(|id| !id.is_empty())?;
    Some(format!("{}/{}", path.trim_end_matches('/'), escaped(id)))
}

/// A task with the status that the operation declares.
fn task(call: &mut Call<'_, '_>, status: u16, work: Work) -> Result<Outcome, Refusal> {
    let mut outcome = call.neighbours.accept(work, call.rng)?;
    outcome.response.status = StatusCode::from_u16(status).unwrap_or(StatusCode::ACCEPTED);
    Ok(outcome)
}

fn made(call: &Call<'_, '_>, status: u16) -> Option<Value> {
    let mut body = call
        .definition
        .example_answer(call.request.operation, status)?;
    if let Value::Object(members) = &mut body {
        call.address(members);
    }
    Some(body)
}

fn status(reply: &Reply) -> StatusCode {
    let status = match reply {
        Reply::Task(status) | Reply::Made(status) | Reply::Empty(status) => *status,
        Reply::Object(view) => view.status,
    };
    StatusCode::from_u16(status).unwrap_or(StatusCode::OK)
}

/// Whether a member repeats the address that was asked for.
pub(super) fn is_address(name: &str) -> bool {
    matches!(names::key(name).as_str(), "requesturi" | "requesturl")
}
