//! What hosts, host groups and initiators have in common: being listed and looked up, and the edit
//! status that tells how far a change is (domain.md 6.5 and 7.8).

use serde_json::{Map, Value, json};

use super::host_input::IDLE;
use super::host_views::{Kind, Member};
use super::tasks::{self, Work, WorkCheck, merge, reference, still_there};
use super::{Call, not_found, remove, set};
use crate::change::Change;
use crate::rest::{Envelope, Item, Refusal};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

pub(super) fn list(call: &Call<'_, '_>, kind: Kind) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let filter = question.filter.as_ref();
    let found = kind
        .related(call.state, filter)
        .unwrap_or_else(|| call.candidates(kind.collection(), filter));
    let members = found.map(|stored| member(call, kind, stored));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(members, envelope)))
}

pub(super) fn get(call: &Call<'_, '_>, kind: Kind) -> Result<Outcome, Refusal> {
    let mut shown = member(call, kind, find(call, kind)?).render();
    set(&mut shown, "requestUri", call.request.uri);
    call.one(shown)
}

/// The object that the path names.
pub(super) fn find<'a>(call: &Call<'a, '_>, kind: Kind) -> Result<&'a Stored, Refusal> {
    let id = call.path(0);
    call.state
        .get(kind.collection(), id)
        .ok_or_else(|| not_found(kind.word(), id))
}

/// A change of a host or group: its new fields, and what else changes with them.
pub(super) fn update(
    call: &mut Call<'_, '_>,
    kind: Kind,
    stored: &Stored,
    mut fields: Map<String, Value>,
    mut checks: Vec<WorkCheck>,
    mut then: Vec<Change>,
) -> Result<Outcome, Refusal> {
    let id = stored.text("id");
    if stored.get("markedForDelete") == Some(&Stored::Bool(true)) {
        let (what, name) = (kind.word(), stored.text("name"));
        return Err(Refusal::BadRequest(format!(
            "the {what} {name} is being deleted"
        )));
    }
    checks.insert(0, still_there(kind.collection(), kind.word(), stored));
    fields.insert("editStatus".to_owned(), IDLE.into());
    fields.insert(
        "generation".to_owned(),
        tasks::end(call).as_millisecond().into(),
    );
    then.push(merge(kind.collection(), id, Value::Object(fields)));
    let work = Work {
        title: format!("Update {} {}", kind.word(), stored.text("name")),
        source: itself(kind, stored),
        resources: vec![itself(kind, stored)],
        checks,
        first: vec![status(call, kind, id, "Update_In_Progress", false)],
        then,
        on_failure: vec![status(call, kind, id, "Update_Failed", false)],
    };
    tasks::start(call, work)
}

/// The removal of a host or group, and what goes with it.
pub(super) fn delete(
    call: &mut Call<'_, '_>,
    kind: Kind,
    stored: &Stored,
    mut checks: Vec<WorkCheck>,
    mut then: Vec<Change>,
) -> Result<Outcome, Refusal> {
    let id = stored.text("id");
    checks.insert(0, still_there(kind.collection(), kind.word(), stored));
    then.push(remove(kind.collection(), id));
    let work = Work {
        title: format!("Delete {} {}", kind.word(), stored.text("name")),
        source: itself(kind, stored),
        resources: vec![itself(kind, stored)],
        checks,
        first: vec![status(call, kind, id, "Delete_In_Progress", true)],
        then,
        on_failure: vec![status(call, kind, id, "Delete_Failed", false)],
    };
    tasks::start(call, work)
}

fn member<'a>(call: &Call<'a, '_>, kind: Kind, stored: &'a Stored) -> Member<'a> {
    Member {
        kind,
        stored,
        state: call.state,
        customer: call.request.caller.customer_id,
    }
}

fn status(call: &Call<'_, '_>, kind: Kind, id: &str, status: &str, marked: bool) -> Change {
    let fields = json!({
        "editStatus": status,
        "markedForDelete": marked,
        "generation": call.generation(),
    });
    merge(kind.collection(), id, fields)
}

fn itself(kind: Kind, stored: &Stored) -> Value {
    let uri = kind.uri(stored.text("id"));
    reference(kind.name(), stored.text("name"), uri)
}
