//! Snapshots of device-type1 volumes: made, promoted and deleted, by hand or by the clock
//! (domain.md 7.8).
//!
//! A snapshot is kept as `{id, systemId, ofVolume, ofSet, name, number, sizeMiB, expires, retains,
//! …}`; `ofSet` names the set of snapshots that it was made with. It takes nothing from the pool.

use serde_json::{Value, json};

use super::exports::initiators_of_snapshot;
use super::routes::{Named, Row};
use super::snapshot_input::{Keys, New, Wish};
use super::tasks::{self, Work, WorkCheck, merge, still_there};
use super::volume_changes::{fits, names_are_free, next_number, take_numbers};
use super::volumes::{addressed, resource, system_reference};
use super::{Call, Lazy, collection, none_where, not_found, plain, remove, remove_where, set};
use crate::change::{Change, Requirement};
use crate::rest::{Envelope, Refusal, body, body_or_none, flag};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

const KEYS: Keys = ("namePattern", "customName");

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/volumes/{}/snapshots",
        &[Named::DeviceType1, Named::Volume],
        |call| list(call),
    ),
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/volumes/{}/snapshots",
        &[Named::DeviceType1, Named::Volume],
        create,
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/volumes/{}/snapshots/{}",
        &[Named::DeviceType1, Named::Volume, Named::Snapshot],
        |call| get(call),
    ),
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/volumes/{}/snapshots/{}",
        &[Named::DeviceType1, Named::Volume, Named::Snapshot],
        promote,
    ),
    Row::new(
        "DELETE",
        "storage-systems/device-type1/{}/volumes/{}/snapshots/{}",
        &[Named::DeviceType1, Named::Volume, Named::Snapshot],
        delete,
    ),
];

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let (_, volume) = addressed(call)?;
    let owner = ("ofVolume", volume.text("id"));
    let snapshots = call
        .candidates_of(collection::SNAPSHOTS, owner, question.filter.as_ref())
        .map(|snapshot| Lazy::new(|| view(call, volume, snapshot)));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(snapshots, envelope)))
}

fn get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (_, volume) = addressed(call)?;
    let snapshot = found(call, volume)?;
    let mut shown = view(call, volume, snapshot);
    let console = uri(snapshot).replacen("/api/v1", "/data-ops-manager", 1);
    set(&mut shown, "consoleUri", console);
    set(&mut shown, "requestUri", call.request.uri);
    call.one(shown)
}

fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, volume) = addressed(call)?;
    let system_id = system.text("id");
    let body = body(call.definition, call.request, call.settings)?;
    let wish = Wish::parse(body, KEYS, tasks::end(call))?;
    let name = wish.name_of(volume.text("name"));
    let number = next_number(call.state, system_id);
    let new = New::named(name.clone(), number, None, call.rng);
    let mut checks = vec![still_there(collection::VOLUMES, "volume", volume)];
    checks.extend(names_are_free(system_id, &name, None));
    let work = Work {
        title: format!("Create snapshot {name}"),
        source: system_reference(system),
        resources: vec![resource(volume)],
        checks,
        first: vec![take_numbers(system_id, number.saturating_add(1))],
        then: wish.changes(collection::SNAPSHOTS, wish.snapshot(volume, &new)),
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

/// The volume gets back what was used when the snapshot was made; it does not shrink.
fn promote(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, volume) = addressed(call)?;
    let snapshot = found(call, volume)?;
    let body = Value::Object(body_or_none(call.definition, call.request, call.settings)?);
    let (name, target) = (volume.text("name"), body.text("target"));
    if !target.is_empty() && target != name {
        return Err(Refusal::BadRequest(format!(
            "target: a snapshot of {name} can only be promoted to {name}"
        )));
    }
    let used = snapshot.number("parentUsedMiB");
    let more = used - volume.number("usedSizeMiB");
    let work = Work {
        title: format!("Promote snapshot {}", snapshot.text("name")),
        source: system_reference(system),
        resources: vec![resource(volume)],
        checks: vec![
            still_there(collection::VOLUMES, "volume", volume),
            still_there(collection::SNAPSHOTS, "snapshot", snapshot),
            fits(call.state, volume.text("poolId"), more.max(0.0)),
        ],
        first: Vec::new(),
        then: vec![merge(
            collection::VOLUMES,
            volume.text("id"),
            json!({
                "usedSizeMiB": plain(used),
                "writtenMiB": snapshot.field("parentWrittenMiB"),
                "generation": tasks::end(call).as_millisecond(),
            }),
        )],
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

/// With `force`, its exports go with it; that does not shorten the retention.
fn delete(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, volume) = addressed(call)?;
    let snapshot = found(call, volume)?;
    let exports = [("ofSnapshot", snapshot.text("id"))];
    let (more, mut then) = unexported(call, snapshot, &exports)?;
    then.push(remove(collection::SNAPSHOTS, snapshot.text("id")));
    let mut checks = vec![
        still_there(collection::SNAPSHOTS, "snapshot", snapshot),
        not_retained(call, collection::SNAPSHOTS, "snapshot", snapshot),
    ];
    checks.extend(more);
    let work = Work {
        title: format!("Delete snapshot {}", snapshot.text("name")),
        source: system_reference(system),
        resources: vec![resource(volume)],
        checks,
        first: Vec::new(),
        then,
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

/// What must hold before a snapshot, or a set of them, goes, and what goes with it: its exports when
/// the request has `force`; otherwise there must be none.
pub(super) fn unexported(
    call: &Call<'_, '_>,
    object: &Stored,
    exports: &[(&str, &str)],
) -> Result<(Option<WorkCheck>, Vec<Change>), Refusal> {
    if flag(call.request, "force")? {
        return Ok((None, vec![remove_where(collection::VLUNS, exports)]));
    }
    let check = WorkCheck {
        requirement: none_where(collection::VLUNS, exports),
        complaint: format!(
            "{} is exported; withdraw it from its hosts first or send force=true",
            object.text("name")
        ),
        recommendation: "Send force=true.",
    };
    Ok((Some(check), Vec::new()))
}

/// That the retention time of a snapshot, or of a set of them, is over.
pub(super) fn not_retained(
    call: &Call<'_, '_>,
    collection: &str,
    what: &str,
    object: &Stored,
) -> WorkCheck {
    WorkCheck {
        requirement: Requirement::NoneWhere {
            collection: collection.to_owned(),
            fields: vec![
                ("name".to_owned(), object.text("name").to_owned()),
                ("id".to_owned(), object.text("id").to_owned()),
            ],
            above: Some(("retains".to_owned(), super::milliseconds(call.moment.now()))),
        },
        complaint: format!(
            "the {what} {} must be retained for some time yet",
            object.text("name")
        ),
        recommendation: "Wait until its retention time is over.",
    }
}

fn found<'a>(call: &Call<'a, '_>, volume: &Stored) -> Result<&'a Stored, Refusal> {
    let id = call.path(2);
    call.state
        .get(collection::SNAPSHOTS, id)
        .filter(|snapshot| snapshot.text("ofVolume") == volume.text("id"))
        .ok_or_else(|| not_found("snapshot of this volume", id))
}

pub(super) fn uri(snapshot: &Stored) -> String {
    format!(
        "/api/v1/storage-systems/device-type1/{}/volumes/{}/snapshots/{}",
        snapshot.text("systemId"),
        snapshot.text("ofVolume"),
        snapshot.text("id")
    )
}

fn view(call: &Call<'_, '_>, volume: &Stored, snapshot: &Stored) -> Value {
    let pool = call.state.get(collection::POOLS, volume.text("poolId"));
    json!({
        "id": snapshot.field("id"),
        "name": snapshot.field("name"),
        "displayname": format!("Snapshot {}", snapshot.text("name")),
        "type": "snapshot",
        "snapshotType": "VVTYPE_VCOPY",
        "snapshotId": snapshot.field("number"),
        "parentID": volume.field("number"),
        "baseId": volume.field("number"),
        "systemId": snapshot.field("systemId"),
        "sizeMiB": snapshot.field("sizeMiB"),
        "usedSizeMiB": 0,
        "usedCapacity": 0,
        "userCpgName": pool.map(|pool| pool.field("name")),
        "userCpgID": pool.map(|pool| pool.field("number")),
        "readOnly": snapshot.field("readOnly"),
        "comment": snapshot.field("comment"),
        "healthState": 1,
        "state": {"overall": "STATE_NORMAL", "detailed": []},
        "physicalCopy": false,
        "initiators": initiators_of_snapshot(call.state, snapshot.text("id")),
        "wwn": snapshot.field("wwn"),
        "creationTime": time(snapshot, "created"),
        "expirationTime": time(snapshot, "expires"),
        "retentionTime": time(snapshot, "retains"),
        "customerId": call.request.caller.customer_id,
        "generation": snapshot.field("generation"),
        "resourceUri": uri(snapshot),
    })
}

/// A moment as the arrays write it; nothing when there is none.
pub(super) fn time(object: &Stored, field: &str) -> Value {
    match object.field(field) {
        Value::Null => Value::Null,
        milliseconds => json!({"ms": milliseconds, "tz": "UTC"}),
    }
}
