//! Clones: volumes that begin as a snapshot of another, which must stay as long as they do.

use serde_json::{Value, json};

use super::super::relation::{BASES, CLONES};
use super::super::routes::{Named, Row};
use super::super::tasks::{self, Work, reference, still_there};
use super::super::volume_changes::within_pool;
use super::super::{Call, collection, ids, set};
use super::exports::Grant;
use super::input::Creation;
use super::volumes::{free, pool_stays};
use super::{check, named, put, read, snapshots, volume, volume_uri, work};
use crate::change::Requirement;
use crate::rest::Refusal;
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

pub(in crate::dscc) const ROWS: &[Row] = &[Row::new(
    "POST",
    "storage-systems/device-type2/{}/volumes/{}/clone",
    &[Named::DeviceType2, Named::Volume],
    from_volume,
)];

/// A new volume that is a clone of a snapshot that there is.
pub(super) fn from_snapshot(
    call: &mut Call<'_, '_>,
    system: &Stored,
    creation: &Creation<'_>,
    snapshot: &Stored,
) -> Result<Outcome, Refusal> {
    let id = ids::device_type2(call.rng);
    let wwn = ids::volume_wwn(call.rng);
    let kept = creation.volume(&id, &wwn, tasks::end(call).as_millisecond());
    let mut work = begin(system, &id, creation.name());
    work.checks
        .push(still_there(collection::SNAPSHOTS2, "snapshot", snapshot));
    work.checks.push(pool_stays(creation));
    work.then = vec![
        put(collection::VOLUMES, kept),
        CLONES.add(snapshot.text("ofVolume"), &id),
        BASES.add(snapshot.text("id"), &id),
    ];
    tasks::start(call, work)
}

/// A snapshot is taken for the clone; it has the clone's name. With a host group the clone is
/// exported as well.
fn from_volume(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, parent) = volume(call)?;
    let body = read(call)?;
    let name = named(&body, "clone_volume_name")?;
    let size = parent.number("sizeMiB");
    within_pool(call.state, parent.text("poolId"), "size", size)?;
    let (id, base) = (ids::device_type2(call.rng), ids::device_type2(call.rng));
    let (wwn, serial) = (ids::volume_wwn(call.rng), ids::volume_wwn(call.rng));
    let done = tasks::end(call).as_millisecond();
    let mut work = begin(system, &id, &name);
    work.checks
        .push(still_there(collection::VOLUMES, "volume", parent));
    let within = ("ofVolume", parent.text("id"));
    let what = "snapshot of this volume";
    let free = super::name_is_free(collection::SNAPSHOTS2, what, within, &name, None);
    work.checks.push(free);
    let snapshot = snapshots::kept(&base, parent, &name, &json!({}), &serial, done);
    work.then = vec![
        put(collection::SNAPSHOTS2, snapshot),
        put(collection::VOLUMES, copy(parent, &id, &name, &wwn, done)),
        CLONES.add(parent.text("id"), &id),
        BASES.add(&base, &id),
    ];
    export(call, &mut work, &id, &body)?;
    tasks::start(call, work)
}

fn begin(system: &Stored, id: &str, name: &str) -> Work {
    let uri = volume_uri(system.text("id"), id);
    let resource = reference("volume", name, uri);
    let checks = vec![free(system, name, None)];
    work(system, format!("Clone volume {name}"), resource, checks)
}

/// The parent as it is kept, but for what makes a volume itself. Nothing was written to it.
fn copy(parent: &Stored, id: &str, name: &str, wwn: &str, created: i64) -> Value {
    let mut copy = parent.unpack();
    set(&mut copy, "id", id);
    set(&mut copy, "name", name);
    set(&mut copy, "wwn", wwn);
    set(&mut copy, "usedSizeMiB", 0);
    set(&mut copy, "writtenMiB", 0);
    set(&mut copy, "state", super::ONLINE);
    set(&mut copy, "replication_role", "no_replication");
    for moment in ["created", "modified", "generation"] {
        set(&mut copy, moment, created);
    }
    copy
}

fn export(call: &mut Call<'_, '_>, work: &mut Work, id: &str, body: &Value) -> Result<(), Refusal> {
    let group = body.text("host_group_id");
    if group.is_empty() {
        return Ok(());
    }
    let lun = body.get("lun").and_then(Value::as_i64);
    if lun.is_some_and(|lun| !(0..2048).contains(&lun)) {
        let message = "lun: is not from 0 to 2047";
        return Err(Refusal::BadRequest(message.to_owned()));
    }
    work.checks.push(check(
        Requirement::Exists {
            collection: collection::HOST_GROUPS.to_owned(),
            id: group.to_owned(),
        },
        format!("host_group_id: there is no host group {group}"),
        "Look whether somebody else deleted it.",
    ));
    let grant = Grant {
        of: id,
        volume: id,
        group,
        lun,
    };
    grant.add_to(call, work)
}
