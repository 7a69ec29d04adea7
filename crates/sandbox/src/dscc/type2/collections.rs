//! Volume collections: volumes that are protected together. A volume is in one at most.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::super::relation::COLLECTED;
use super::super::routes::{Named, Row};
use super::super::tasks::{self, Work, WorkCheck, merge, reference, still_there};
use super::super::{Call, collection, ids};
use super::collection_view::{SAME, VolumeCollection, uri};
use super::{
    check, known, name_is_free, named, of_system, on_system, put, read, remove, system, work,
};
use crate::change::{Change, Requirement};
use crate::rest::{Envelope, Item, Refusal, flag};
use crate::sandbox::Outcome;
use crate::state::State;
use crate::stored::{Fields, Stored};

pub(in crate::dscc) const ROWS: &[Row] = &[
    Row::new(
        "GET",
        "storage-systems/device-type2/{}/volume-collections",
        &[Named::DeviceType2],
        |call| list(call),
    ),
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/volume-collections",
        &[Named::DeviceType2],
        create,
    ),
    Row::new(
        "GET",
        "storage-systems/device-type2/{}/volume-collections/{}",
        &[Named::DeviceType2, Named::VolumeCollection],
        |call| get(call),
    ),
    Row::new(
        "PUT",
        "storage-systems/device-type2/{}/volume-collections/{}",
        &[Named::DeviceType2, Named::VolumeCollection],
        edit,
    ),
    Row::new(
        "DELETE",
        "storage-systems/device-type2/{}/volume-collections/{}",
        &[Named::DeviceType2, Named::VolumeCollection],
        delete,
    ),
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/volume-collections/{}/actions/add-volumes",
        &[Named::DeviceType2, Named::VolumeCollection],
        add_volumes,
    ),
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/volume-collections/{}/actions/remove-volumes",
        &[Named::DeviceType2, Named::VolumeCollection],
        remove_volumes,
    ),
];

/// The volumes of a collection.
pub(in crate::dscc) fn volumes<'s>(
    state: &'s State,
    id: &str,
) -> impl Iterator<Item = &'s Stored> + use<'s> {
    let volumes = COLLECTED.to(state, id);
    volumes.filter_map(|id| state.get(collection::VOLUMES, id))
}

/// A volume collection as it is kept; `body` says what its maker wanted.
pub(in crate::dscc) fn kept(
    id: &str,
    system: &str,
    name: &str,
    body: &Value,
    created: i64,
) -> Value {
    let mut kept = json!({
        "id": id,
        "systemId": system,
        "name": name,
        "partner": "",
        "handover": "",
        "handoverPartner": "",
        "created": created,
        "generation": created,
        "app_id": "inval",
        "app_sync": "none",
        "description": "",
        "is_standalone_volcoll": true,
        "metadata": [],
        "replication_type": "periodic_snapshot",
    });
    if let Value::Object(kept) = &mut kept {
        kept.extend(said(body));
    }
    kept
}

pub(super) fn addressed<'a>(call: &Call<'a, '_>) -> Result<(&'a Stored, &'a Stored), Refusal> {
    let what = "volume collection of this system";
    on_system(call, collection::VOLUME_COLLECTIONS, what)
}

/// Work on a collection, which must still be there when it ends.
pub(super) fn work_on(system: &Stored, stored: &Stored, verb: &str) -> Work {
    let name = stored.text("name");
    let there = still_there(collection::VOLUME_COLLECTIONS, "volume collection", stored);
    let resource = reference("volume-collection", name, uri(stored));
    work(
        system,
        format!("{verb} volume collection {name}"),
        resource,
        vec![there],
    )
}

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = system(call)?;
    let question = call.question()?;
    let filter = question.filter.as_ref();
    let found = of_system(call, collection::VOLUME_COLLECTIONS, system, filter)
        .map(|stored| VolumeCollection::new(call, stored));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(found, envelope)))
}

fn get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (_, stored) = addressed(call)?;
    call.one(VolumeCollection::new(call, stored).render())
}

fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = system(call)?;
    let system_id = system.text("id");
    let body = read(call)?;
    let name = named(&body, "name")?;
    let id = ids::device_type2(call.rng);
    let stored = kept(
        &id,
        system_id,
        &name,
        &body,
        tasks::end(call).as_millisecond(),
    );
    let mut checks = vec![free(system, &name, None)];
    let mut then = vec![put(collection::VOLUME_COLLECTIONS, stored)];
    take_in(
        call,
        system,
        &id,
        ids_in(&body, "volume_list"),
        &mut checks,
        &mut then,
    )?;
    let address =
        format!("/api/v1/storage-systems/device-type2/{system_id}/volume-collections/{id}");
    let resource = reference("volume-collection", &name, address);
    let mut work = work(
        system,
        format!("Create volume collection {name}"),
        resource,
        checks,
    );
    work.then = then;
    tasks::start(call, work)
}

fn edit(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = addressed(call)?;
    let id = stored.text("id");
    let body = read(call)?;
    let mut fields = said(&body);
    let mut work = work_on(system, stored, "Edit");
    if !body.field("name").is_null() {
        let name = named(&body, "name")?;
        work.checks.push(free(system, &name, Some(id)));
        fields.insert("name".to_owned(), name.into());
    }
    let done = tasks::end(call).as_millisecond();
    fields.insert("generation".to_owned(), done.into());
    let fields = Value::Object(fields);
    work.then
        .push(merge(collection::VOLUME_COLLECTIONS, id, fields));
    tasks::start(call, work)
}

/// A collection that has volumes is deleted only by force; the volumes stay, unprotected.
fn delete(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = addressed(call)?;
    let id = stored.text("id");
    let mut work = work_on(system, stored, "Delete");
    if !flag(call.request, "force")? {
        let name = stored.text("name");
        work.checks.push(check(
            COLLECTED.none_to(id),
            format!("the volume collection {name} has volumes; take them out or send force=true"),
            "Take the volumes out, or delete it with force=true.",
        ));
    }
    work.then = vec![
        COLLECTED.forget_to(id),
        remove(collection::VOLUME_COLLECTIONS, id),
    ];
    tasks::start(call, work)
}

fn add_volumes(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = addressed(call)?;
    let body = read(call)?;
    let wanted = some_ids(call, &body)?;
    let mut work = work_on(system, stored, "Add volumes to");
    let id = stored.text("id");
    take_in(call, system, id, wanted, &mut work.checks, &mut work.then)?;
    work.then.push(grown(call, id));
    tasks::start(call, work)
}

fn remove_volumes(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = addressed(call)?;
    let body = read(call)?;
    let id = stored.text("id");
    let mut work = work_on(system, stored, "Remove volumes from");
    for volume in some_ids(call, &body)? {
        work.checks.push(check(
            COLLECTED.related(volume, id),
            format!("volume_ids: the volume {volume} is not in the collection"),
            "Nothing is left to do.",
        ));
        work.then.push(COLLECTED.remove(volume, id));
    }
    work.then.push(grown(call, id));
    tasks::start(call, work)
}

/// Puts volumes into a collection. Each must be on the system and in no other collection.
fn take_in(
    call: &Call<'_, '_>,
    system: &Stored,
    id: &str,
    wanted: Vec<&str>,
    checks: &mut Vec<WorkCheck>,
    then: &mut Vec<Change>,
) -> Result<(), Refusal> {
    for volume in wanted {
        if known(call, system, collection::VOLUMES, volume).is_none() {
            let message = format!("the system has no volume with the id {volume}");
            return Err(Refusal::BadRequest(message));
        }
        checks.push(check(
            Requirement::Exists {
                collection: collection::VOLUMES.to_owned(),
                id: volume.to_owned(),
            },
            format!("the volume {volume} is gone"),
            "Look whether somebody else deleted it.",
        ));
        if call.state.holds(&COLLECTED.related(volume, id)) {
            continue;
        }
        checks.push(check(
            COLLECTED.none_from(volume),
            format!("the volume {volume} is in another volume collection"),
            "Take it out of the other collection first.",
        ));
        then.push(COLLECTED.add(volume, id));
    }
    Ok(())
}

fn free(system: &Stored, name: &str, except: Option<&str>) -> WorkCheck {
    let within = ("systemId", system.text("id"));
    let what = "volume collection of this system";
    name_is_free(collection::VOLUME_COLLECTIONS, what, within, name, except)
}

fn grown(call: &Call<'_, '_>, id: &str) -> Change {
    let done = tasks::end(call).as_millisecond();
    merge(
        collection::VOLUME_COLLECTIONS,
        id,
        json!({"generation": done}),
    )
}

/// What the body says about the collection, but for its name.
fn said(body: &Value) -> Map<String, Value> {
    let given = |name: &&str| !body.field(name).is_null();
    let names = SAME.iter().copied().filter(given);
    names
        .map(|name| (name.to_owned(), body.field(name)))
        .collect()
}

fn some_ids<'b>(call: &Call<'_, '_>, body: &'b Value) -> Result<Vec<&'b str>, Refusal> {
    let ids = ids_in(body, "volume_ids");
    if ids.is_empty() && !call.is_about_nothing(body, "volume_ids") {
        let message = "volume_ids: names no volume";
        return Err(Refusal::BadRequest(message.to_owned()));
    }
    Ok(ids)
}

/// The ids that the body lists, each once.
fn ids_in<'b>(body: &'b Value, key: &str) -> Vec<&'b str> {
    let mut ids = Vec::new();
    let mut seen = BTreeSet::new();
    let listed = body.get(key).and_then(Value::as_array);
    for id in listed.into_iter().flatten().filter_map(Value::as_str) {
        if seen.insert(id) {
            ids.push(id);
        }
    }
    ids
}
