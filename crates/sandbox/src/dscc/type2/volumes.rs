//! Volumes: listed, created, edited, deleted.

use super::super::relation::{ACCESS, BASES, CLONES, COLLECTED};
use super::super::routes::{Named, Row};
use super::super::tasks::{self, WorkCheck, merge, still_there};
use super::super::volume_changes::within_pool;
use super::super::{Call, collection, ids};
use super::clones;
use super::input::{Creation, Edit};
use super::views::{Of, Volume};
use super::{
    check, is_offline, name_is_free, none_where, of_system, put, read, remove, remove_where,
    system, volume, volume_reference, volume_uri, work,
};
use crate::change::{Change, Requirement};
use crate::rest::{Envelope, Item, Refusal, flag};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

pub(in crate::dscc) const ROWS: &[Row] = &[
    Row::new(
        "GET",
        "storage-systems/device-type2/{}/volumes",
        &[Named::DeviceType2],
        |call| list(call),
    ),
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/volumes",
        &[Named::DeviceType2],
        create,
    ),
    Row::new(
        "GET",
        "storage-systems/device-type2/{}/volumes/{}",
        &[Named::DeviceType2, Named::Volume],
        |call| get(call),
    ),
    Row::new(
        "PUT",
        "storage-systems/device-type2/{}/volumes/{}",
        &[Named::DeviceType2, Named::Volume],
        edit,
    ),
    Row::new(
        "DELETE",
        "storage-systems/device-type2/{}/volumes/{}",
        &[Named::DeviceType2, Named::Volume],
        delete,
    ),
];

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = system(call)?;
    let question = call.question()?;
    let volumes = of_system(call, collection::VOLUMES, system, question.filter.as_ref())
        .map(|stored| Volume(Of::new(call, stored)));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(volumes, envelope)))
}

fn get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (_, stored) = volume(call)?;
    call.one(Volume(Of::new(call, stored)).render())
}

fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = system(call)?;
    let body = read(call)?;
    let creation = Creation::parse(call, system, &body)?;
    if let Some(snapshot) = creation.base() {
        return clones::from_snapshot(call, system, &creation, snapshot);
    }
    let id = ids::device_type2(call.rng);
    let wwn = ids::volume_wwn(call.rng);
    let done = tasks::end(call).as_millisecond();
    let name = creation.name();
    let resource = tasks::reference("volume", name, volume_uri(system.text("id"), &id));
    let checks = vec![free(system, name, None), pool_stays(&creation)];
    let mut work = work(system, format!("Create volume {name}"), resource, checks);
    let kept = creation.volume(&id, &wwn, done);
    work.then.push(put(collection::VOLUMES, kept));
    tasks::start(call, work)
}

/// That the pool is there when the volume is.
pub(super) fn pool_stays(creation: &Creation<'_>) -> WorkCheck {
    check(
        Requirement::Exists {
            collection: collection::POOLS.to_owned(),
            id: creation.pool().to_owned(),
        },
        "the pool is gone".to_owned(),
        "Name another pool.",
    )
}

fn edit(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = volume(call)?;
    let (id, name) = (stored.text("id"), stored.text("name"));
    let edit = Edit::parse(&read(call)?)?;
    if let Some(size) = edit.size_mib() {
        within_pool(call.state, stored.text("poolId"), "size", size)?;
    }
    let mut checks = vec![still_there(collection::VOLUMES, "volume", stored)];
    if let Some(name) = edit.name() {
        checks.push(free(system, name, Some(id)));
    }
    checks.extend(
        edit.needs_force()
            .then(|| unforced(stored, &edit))
            .into_iter()
            .flatten(),
    );
    let title = format!("Edit volume {name}");
    let mut work = work(system, title, volume_reference(stored), checks);
    let fields = edit.fields(stored, tasks::end(call).as_millisecond());
    work.then.push(merge(collection::VOLUMES, id, fields));
    tasks::start(call, work)
}

/// What only `force` overcomes: a smaller size, and going offline under the hosts.
fn unforced(stored: &Stored, edit: &Edit) -> Vec<WorkCheck> {
    let (id, name) = (stored.text("id"), stored.text("name"));
    let mut checks = Vec::new();
    if let Some(size) = edit.size_mib() {
        checks.push(check(
            Requirement::AtMost {
                collection: collection::VOLUMES.to_owned(),
                id: id.to_owned(),
                field: "sizeMiB".to_owned(),
                limit: size,
            },
            format!("the volume {name} is larger than {size} MiB; send force to make it smaller"),
            "Ask for a larger size, or send force.",
        ));
    }
    if edit.goes_offline() {
        checks.push(check(
            ACCESS.none_from(id),
            format!("the volume {name} is exported; send force to take it offline"),
            "Withdraw the volume from its hosts, or send force.",
        ));
    }
    checks
}

/// A volume is deleted when it is offline, reached by no host, in no collection and has no snapshot
/// that is online; `force` sees to all of that, the older `offline` to the first. What was cloned
/// from it needs it in any case.
fn delete(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = volume(call)?;
    let (id, name) = (stored.text("id"), stored.text("name"));
    let (force, offline) = (flag(call.request, "force")?, flag(call.request, "offline")?);
    let mut checks = vec![
        still_there(collection::VOLUMES, "volume", stored),
        check(
            CLONES.none_from(id),
            format!("the volume {name} has clones"),
            "Delete the clones first.",
        ),
    ];
    if !force && !offline {
        let complaint = format!("the volume {name} is online; take it offline or send force=true");
        checks.push(is_offline(collection::VOLUMES, id, complaint));
    }
    if !force {
        checks.extend(untouched(id, name));
    }
    let title = format!("Delete volume {name}");
    let mut work = work(system, title, volume_reference(stored), checks);
    work.then = removal(id);
    tasks::start(call, work)
}

fn untouched(id: &str, name: &str) -> [WorkCheck; 3] {
    [
        check(
            ACCESS.none_from(id),
            format!("the volume {name} is exported; withdraw it or send force=true"),
            "Withdraw the volume from its hosts, or send force=true.",
        ),
        check(
            COLLECTED.none_from(id),
            format!("the volume {name} is in a volume collection; take it out or send force=true"),
            "Take the volume out of its collection, or send force=true.",
        ),
        check(
            none_where(
                collection::SNAPSHOTS2,
                &[("ofVolume", id), ("state", super::ONLINE)],
            ),
            format!("a snapshot of the volume {name} is online; send force=true"),
            "Take the snapshots offline, or send force=true.",
        ),
    ]
}

/// The volume goes with its snapshots and everything that names them.
fn removal(id: &str) -> Vec<Change> {
    vec![
        ACCESS.forget_where("ofVolume", id),
        remove_where(collection::SNAPSHOTS2, &[("ofVolume", id)]),
        COLLECTED.forget_from(id),
        CLONES.forget_to(id),
        BASES.forget_to(id),
        remove(collection::VOLUMES, id),
    ]
}

pub(super) fn free(system: &Stored, name: &str, except: Option<&str>) -> WorkCheck {
    let within = ("systemId", system.text("id"));
    name_is_free(
        collection::VOLUMES,
        "volume of this system",
        within,
        name,
        except,
    )
}
