//! Snapshots of volumes. Nothing writes to a stand-in, so that they take no space.

use serde_json::{Value, json};

use super::super::relation::{ACCESS, BASES};
use super::super::routes::{Named, Row};
use super::super::tasks::{self, reference, still_there};
use super::super::{Call, collection, ids, not_found};
use super::views::{Of, Snapshot};
use super::{
    OFFLINE, ONLINE, check, is_offline, name_is_free, named, put, read, remove, volume, volume_uri,
    work, yes,
};
use crate::rest::{Envelope, Item, Refusal, flag};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

pub(in crate::dscc) const ROWS: &[Row] = &[
    Row::new(
        "GET",
        "storage-systems/device-type2/{}/volumes/{}/snapshots",
        &[Named::DeviceType2, Named::Volume],
        |call| list(call),
    ),
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/volumes/{}/snapshots",
        &[Named::DeviceType2, Named::Volume],
        create,
    ),
    Row::new(
        "GET",
        "storage-systems/device-type2/{}/volumes/{}/snapshots/{}",
        &[Named::DeviceType2, Named::Volume, Named::Snapshot2],
        |call| get(call),
    ),
    Row::new(
        "DELETE",
        "storage-systems/device-type2/{}/volumes/{}/snapshots/{}",
        &[Named::DeviceType2, Named::Volume, Named::Snapshot2],
        delete,
    ),
];

/// The system, its volume and the snapshot that the path names.
pub(super) fn addressed<'a>(
    call: &Call<'a, '_>,
) -> Result<(&'a Stored, &'a Stored, &'a Stored), Refusal> {
    let (system, volume) = volume(call)?;
    let id = call.path(2);
    let snapshot = call
        .state
        .get(collection::SNAPSHOTS2, id)
        .filter(|snapshot| snapshot.text("ofVolume") == volume.text("id"))
        .ok_or_else(|| not_found("snapshot of this volume", id))?;
    Ok((system, volume, snapshot))
}

/// A snapshot of a volume, as it is kept; `body` says what its maker wanted.
pub(in crate::dscc) fn kept(
    id: &str,
    volume: &Stored,
    name: &str,
    body: &Value,
    serial: &str,
    created: i64,
) -> Value {
    let state = if yes(body, "online") { ONLINE } else { OFFLINE };
    let metadata = body.get("metadata").filter(|metadata| metadata.is_array());
    json!({
        "id": id,
        "systemId": volume.field("systemId"),
        "ofVolume": volume.field("id"),
        "name": name,
        "description": body.text("description"),
        "app_uuid": body.text("app_uuid"),
        "metadata": metadata.cloned().unwrap_or_else(|| json!([])),
        "writable": yes(body, "writable"),
        "state": state,
        "sizeMiB": volume.field("sizeMiB"),
        "serial": serial.to_lowercase(),
        "created": created,
        "generation": created,
    })
}

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (_, volume) = volume(call)?;
    let question = call.question()?;
    let snapshots = call
        .state
        .with(collection::SNAPSHOTS2, "ofVolume", volume.text("id"))
        .map(|stored| Snapshot(Of::new(call, stored)));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(snapshots, envelope)))
}

fn get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (_, _, stored) = addressed(call)?;
    call.one(Snapshot(Of::new(call, stored)).render())
}

fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, volume) = volume(call)?;
    let body = read(call)?;
    let name = named(&body, "name")?;
    let id = ids::device_type2(call.rng);
    let serial = ids::volume_wwn(call.rng);
    let (system_id, volume_id) = (system.text("id"), volume.text("id"));
    let within = ("ofVolume", volume_id);
    let checks = vec![
        still_there(collection::VOLUMES, "volume", volume),
        name_is_free(
            collection::SNAPSHOTS2,
            "snapshot of this volume",
            within,
            &name,
            None,
        ),
    ];
    let uri = format!("{}/snapshots/{id}", volume_uri(system_id, volume_id));
    let title = format!("Create snapshot {name} of volume {}", volume.text("name"));
    let done = tasks::end(call).as_millisecond();
    let mut work = work(system, title, reference("snapshot", &name, uri), checks);
    let snapshot = kept(&id, volume, &name, &body, &serial, done);
    work.then.push(put(collection::SNAPSHOTS2, snapshot));
    tasks::start(call, work)
}

/// A snapshot is deleted when it is offline and reached by no host; `force` sees to that. What was
/// cloned from it needs it in any case.
fn delete(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, volume, snapshot) = addressed(call)?;
    let (id, name) = (snapshot.text("id"), snapshot.text("name"));
    let mut checks = vec![
        still_there(collection::SNAPSHOTS2, "snapshot", snapshot),
        check(
            BASES.none_from(id),
            format!("the snapshot {name} has clones"),
            "Delete the clones first.",
        ),
    ];
    if !flag(call.request, "force")? {
        let complaint = format!("the snapshot {name} is online; send force=true");
        checks.push(is_offline(collection::SNAPSHOTS2, id, complaint));
        checks.push(check(
            ACCESS.none_from(id),
            format!("the snapshot {name} is exported; withdraw it or send force=true"),
            "Withdraw the snapshot from its hosts, or send force=true.",
        ));
    }
    let volume_uri = volume_uri(system.text("id"), volume.text("id"));
    let resource = reference("snapshot", name, format!("{volume_uri}/snapshots/{id}"));
    let mut work = work(system, format!("Delete snapshot {name}"), resource, checks);
    work.then = vec![ACCESS.forget_from(id), remove(collection::SNAPSHOTS2, id)];
    tasks::start(call, work)
}
