//! Pools and the arrays that they are made of. A pool has what its arrays have: its capacity is the
//! sum of theirs, and what is used is the sum over its volumes.

use serde_json::{Map, Value, json};

use super::super::relation::ASSIGNED;
use super::super::routes::{Named, Row};
use super::super::systems;
use super::super::tasks::{self, WorkCheck, merge, reference, still_there};
use super::super::{Call, collection, ids, plain, pools};
use super::pool_view::{Pool, is_default};
use super::{
    check, known, name_is_free, named, none_where, of_system, on_system, put, read, remove, system,
    truth, work,
};
use crate::change::Change;
use crate::rest::{Envelope, Item, Refusal};
use crate::sandbox::Outcome;
use crate::state::State;
use crate::stored::{Fields, Stored};

pub(in crate::dscc) const ROWS: &[Row] = &[
    Row::new(
        "GET",
        "storage-systems/device-type2/{}/storage-pools",
        &[Named::DeviceType2],
        |call| list(call),
    ),
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/storage-pools",
        &[Named::DeviceType2],
        create,
    ),
    Row::new(
        "GET",
        "storage-systems/device-type2/{}/storage-pools/{}",
        &[Named::DeviceType2, Named::Pool],
        |call| get(call),
    ),
    Row::new(
        "PUT",
        "storage-systems/device-type2/{}/storage-pools/{}",
        &[Named::DeviceType2, Named::Pool],
        edit,
    ),
    Row::new(
        "DELETE",
        "storage-systems/device-type2/{}/storage-pools/{}",
        &[Named::DeviceType2, Named::Pool],
        delete,
    ),
];

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = system(call)?;
    let question = call.question()?;
    let filter = question.filter.as_ref();
    let pools = of_system(call, collection::POOLS, system, filter)
        .map(|stored| Pool::new(call, system, stored));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(pools, envelope)))
}

fn get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = addressed(call)?;
    call.one(Pool::new(call, system, stored).render())
}

/// A pool is made of arrays that are in no other.
fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = system(call)?;
    let system_id = system.text("id");
    let body = read(call)?;
    let name = named(&body, "name")?;
    let id = ids::device_type2(call.rng);
    let arrays = arrays(call, system, &body)?;
    if arrays.is_empty() {
        let message = "array_list: a pool needs an array";
        return Err(Refusal::BadRequest(message.to_owned()));
    }
    let mut checks = vec![free(system, &name, None)];
    checks.extend(
        arrays
            .iter()
            .filter_map(|array| unassigned(call.state, array, &id)),
    );
    let uri = format!("{}/storage-pools/{id}", systems::uri(system));
    let resource = reference("storage-pool", &name, uri);
    let done = tasks::end(call).as_millisecond();
    let mut stored = json!({
        "id": id,
        "systemId": system_id,
        "name": name,
        "number": pools::of_system(call.state, system_id).count(),
        "totalSizeMiB": capacity(&arrays),
        "raidType": "RAID_SIX",
        "diskType": "DEVICE_TYPE_SSD",
        "setSize": "",
        "warnPercent": 80,
        "created": done,
        "generation": done,
    });
    if let Value::Object(stored) = &mut stored {
        stored.extend(said(&body));
    }
    let mut work = work(system, format!("Create pool {name}"), resource, checks);
    work.then.push(put(collection::POOLS, stored));
    let assigned = arrays
        .iter()
        .map(|array| ASSIGNED.add(array.text("id"), &id));
    work.then.extend(assigned);
    tasks::start(call, work)
}

/// `array_list` are the arrays that the pool is to have from now on; it can only do without some
/// while nothing is in it.
fn edit(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = addressed(call)?;
    let id = stored.text("id");
    let body = read(call)?;
    let mut fields = said(&body);
    let mut checks = vec![still_there(collection::POOLS, "pool", stored)];
    let mut then = Vec::new();
    if !body.field("name").is_null() {
        let name = named(&body, "name")?;
        checks.push(free(system, &name, Some(id)));
        fields.insert("name".to_owned(), name.into());
    }
    if !body.field("array_list").is_null() {
        let arrays = arrays(call, system, &body)?;
        checks.extend(
            arrays
                .iter()
                .filter_map(|array| unassigned(call.state, array, id)),
        );
        let stays = |had: &str| arrays.iter().any(|array| array.text("id") == had);
        if !ASSIGNED.to(call.state, id).all(stays) {
            checks.push(empty(stored));
        }
        then.push(ASSIGNED.forget_to(id));
        then.extend(
            arrays
                .iter()
                .map(|array| ASSIGNED.add(array.text("id"), id)),
        );
        fields.insert("totalSizeMiB".to_owned(), capacity(&arrays));
    }
    let done = tasks::end(call).as_millisecond();
    fields.insert("generation".to_owned(), done.into());
    then.push(merge(collection::POOLS, id, Value::Object(fields)));
    let title = format!("Edit pool {}", stored.text("name"));
    let mut work = work(system, title, itself(system, stored), checks);
    work.then = then;
    if super::yes(&body, "is_default") {
        work.then.extend(no_other_default(call.state, system, id));
    }
    tasks::start(call, work)
}

/// A pool with volumes cannot go, nor the one that volumes are made in unless they name another.
fn delete(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = addressed(call)?;
    let (id, name) = (stored.text("id"), stored.text("name"));
    if is_default(call.state, system, stored) {
        let message = format!("the pool {name} is the default pool of the system");
        return Err(Refusal::BadRequest(message));
    }
    let checks = vec![
        still_there(collection::POOLS, "pool", stored),
        empty(stored),
    ];
    let title = format!("Delete pool {name}");
    let mut work = work(system, title, itself(system, stored), checks);
    work.then = vec![ASSIGNED.forget_to(id), remove(collection::POOLS, id)];
    tasks::start(call, work)
}

fn addressed<'a>(call: &Call<'a, '_>) -> Result<(&'a Stored, &'a Stored), Refusal> {
    on_system(call, collection::POOLS, "pool of this system")
}

fn itself(system: &Stored, stored: &Stored) -> Value {
    let uri = format!(
        "{}/storage-pools/{}",
        systems::uri(system),
        stored.text("id")
    );
    reference("storage-pool", stored.text("name"), uri)
}

/// The arrays of the system that the body lists.
fn arrays<'a>(
    call: &Call<'a, '_>,
    system: &Stored,
    body: &Value,
) -> Result<Vec<&'a Stored>, Refusal> {
    let listed = body.get("array_list").and_then(Value::as_array);
    let mut arrays: Vec<&Stored> = Vec::new();
    for id in listed.into_iter().flatten().map(|array| array.text("id")) {
        let array = known(call, system, collection::ARRAYS, id).ok_or_else(|| {
            Refusal::BadRequest(format!(
                "array_list: the system has no array with the id {id}"
            ))
        })?;
        if !arrays.iter().any(|known| known.text("id") == id) {
            arrays.push(array);
        }
    }
    Ok(arrays)
}

/// That an array is in no pool; nothing to check when it is in this one.
fn unassigned(state: &State, array: &Stored, pool: &str) -> Option<WorkCheck> {
    let (id, name) = (array.text("id"), array.text("name"));
    if state.holds(&ASSIGNED.related(id, pool)) {
        return None;
    }
    Some(check(
        ASSIGNED.none_from(id),
        format!("array_list: the array {name} is in another pool"),
        "Take the array out of its pool first.",
    ))
}

fn empty(pool: &Stored) -> WorkCheck {
    check(
        none_where(collection::VOLUMES, &[("poolId", pool.text("id"))]),
        format!("the pool {} has volumes", pool.text("name")),
        "Delete or move its volumes first.",
    )
}

fn free(system: &Stored, name: &str, except: Option<&str>) -> WorkCheck {
    let within = ("systemId", system.text("id"));
    name_is_free(
        collection::POOLS,
        "pool of this system",
        within,
        name,
        except,
    )
}

fn capacity(arrays: &[&Stored]) -> Value {
    plain(arrays.iter().map(|array| array.number("capacityMiB")).sum())
}

/// What the body says about the pool, but for its name and arrays.
fn said(body: &Value) -> Map<String, Value> {
    [
        "description",
        "dedupe_all_volumes",
        "dedupe_capable",
        "is_default",
    ]
    .into_iter()
    .map(|name| (name.to_owned(), body.field(name)))
    .filter(|(_, value)| !value.is_null())
    .collect()
}

/// The other pools, once this one is the default.
fn no_other_default(state: &State, system: &Stored, id: &str) -> Vec<Change> {
    pools::of_system(state, system.text("id"))
        .filter(|pool| pool.text("id") != id && truth(pool, "is_default"))
        .map(|pool| {
            merge(
                collection::POOLS,
                pool.text("id"),
                json!({"is_default": false}),
            )
        })
        .collect()
}
