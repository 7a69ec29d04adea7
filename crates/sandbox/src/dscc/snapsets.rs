//! Snapshots of all members of a volume set together (domain.md 7.8).
//!
//! A set of snapshots is kept as `{id, systemId, ofSet, name, number, …}`; its snapshots, one per
//! member, name it in their `ofSet`. All are made or none.

use serde_json::{Value, json};

use super::application_sets::{addressed, all_there, members, set_reference};
use super::routes::{Named, Row};
use super::snapshot_input::{Keys, New, Wish, extend};
use super::snapshots::{not_retained, time, unexported};
use super::tasks::{self, Work, still_there};
use super::volume_changes::{names_are_free, next_number, take_numbers};
use super::volumes::system_reference;
use super::{Call, Lazy, collection, ids, not_found, remove, remove_where, set};
use crate::rest::{Envelope, Refusal, body};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

const KEYS: Keys = ("vvNamePattern", "snapshotName");

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/applicationsets/{}/snapsets",
        &[Named::DeviceType1, Named::VolumeSet],
        |call| list(call),
    ),
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/applicationsets/{}/snapsets",
        &[Named::DeviceType1, Named::VolumeSet],
        create,
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/applicationsets/{}/snapsets/{}",
        &[Named::DeviceType1, Named::VolumeSet, Named::Snapset],
        |call| get(call),
    ),
    Row::new(
        "DELETE",
        "storage-systems/device-type1/{}/applicationsets/{}/snapsets/{}",
        &[Named::DeviceType1, Named::VolumeSet, Named::Snapset],
        delete,
    ),
];

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let (_, parent) = addressed(call)?;
    let owner = ("ofSet", parent.text("id"));
    let snapsets = call
        .candidates_of(collection::SNAPSETS, owner, question.filter.as_ref())
        .map(|snapset| Lazy::new(|| view(call, parent, snapset)));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(snapsets, envelope)))
}

fn get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (_, parent) = addressed(call)?;
    let mut shown = view(call, parent, found(call, parent)?);
    set(&mut shown, "requestUri", call.request.uri);
    call.one(shown)
}

fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, parent) = addressed(call)?;
    let system_id = system.text("id");
    let body = body(call.definition, call.request, call.settings)?;
    let wish = Wish::parse(body, KEYS, tasks::end(call))?;
    let volumes: Vec<&Stored> = members(call.state, parent.text("id")).collect();
    if volumes.is_empty() {
        return Err(Refusal::BadRequest(format!(
            "the volume set {} has no members to make snapshots of",
            parent.text("name")
        )));
    }
    let id = ids::object(call.rng);
    let name = wish.name_of(parent.text("name"));
    let mut number = next_number(call.state, system_id);
    let mut checks = vec![still_there(collection::SETS, "volume set", parent)];
    checks.extend(all_there(&volumes));
    let mut snapset = json!({
        "id": id,
        "systemId": system_id,
        "ofSet": parent.field("id"),
        "name": name,
        "number": number,
    });
    extend(&mut snapset, wish.lifetime());
    let mut then = wish.changes(collection::SNAPSETS, snapset);
    for (index, volume) in volumes.iter().enumerate() {
        number = number.saturating_add(1);
        let name = wish.name_in_set(volume.text("name"), index);
        checks.extend(names_are_free(system_id, &name, None));
        let new = New::named(name, number, Some(&id), call.rng);
        then.extend(wish.changes(collection::SNAPSHOTS, wish.snapshot(volume, &new)));
    }
    let work = Work {
        title: format!("Create snapshot set {name}"),
        source: system_reference(system),
        resources: vec![set_reference(parent)],
        checks,
        first: vec![take_numbers(system_id, number.saturating_add(1))],
        then,
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

fn delete(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, parent) = addressed(call)?;
    let snapset = found(call, parent)?;
    let id = snapset.text("id");
    let (more, mut then) = unexported(call, snapset, &[("ofSet", id)])?;
    then.push(remove_where(collection::SNAPSHOTS, &[("ofSet", id)]));
    then.push(remove(collection::SNAPSETS, id));
    let mut checks = vec![
        still_there(collection::SNAPSETS, "snapshot set", snapset),
        not_retained(call, collection::SNAPSETS, "snapshot set", snapset),
    ];
    checks.extend(more);
    let work = Work {
        title: format!("Delete snapshot set {}", snapset.text("name")),
        source: system_reference(system),
        resources: vec![set_reference(parent)],
        checks,
        first: Vec::new(),
        then,
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

fn found<'a>(call: &Call<'a, '_>, parent: &Stored) -> Result<&'a Stored, Refusal> {
    let id = call.path(2);
    call.state
        .get(collection::SNAPSETS, id)
        .filter(|snapset| snapset.text("ofSet") == parent.text("id"))
        .ok_or_else(|| not_found("snapshot set of this volume set", id))
}

fn view(call: &Call<'_, '_>, parent: &Stored, snapset: &Stored) -> Value {
    let (id, name, system) = (
        snapset.text("id"),
        snapset.text("name"),
        snapset.text("systemId"),
    );
    let snapshots = call.state.with(collection::SNAPSHOTS, "ofSet", id);
    json!({
        "id": id,
        "name": name,
        "displayName": format!("Snapshot Set {name}"),
        "type": "snapset",
        "snapSetId": snapset.field("number"),
        "snapSetParentId": parent.field("number"),
        "snapSetParentName": parent.field("name"),
        "appSetName": name,
        "appSetType": parent.field("appType"),
        "appSetImportance": parent.field("importance"),
        "appSetBusinessUnit": parent.field("businessUnit"),
        "appSetComments": snapset.field("comment"),
        "comment": snapset.field("comment"),
        "vvSetType": "SNAPSET",
        "kvPairsPresent": true,
        "exportStatus": "NOT_EXPORTED",
        "members": snapshots.map(|snapshot| snapshot.field("name")).collect::<Value>(),
        "creationTime": time(snapset, "created"),
        "expirationTime": time(snapset, "expires"),
        "retentionTime": time(snapset, "retains"),
        "systemId": system,
        "serialNumber": system,
        "domain": "",
        "customerId": call.request.caller.customer_id,
        "generation": snapset.field("generation"),
    })
}
