//! Pools and the arrays that they are made of. A pool has what its arrays have: its capacity is the
//! sum of theirs, and what is used is the sum over its volumes.

use std::borrow::Cow;

use hallpass_query::{AttributePath, Lookup};
use serde_json::{Map, Value, json};

use super::super::relation::ASSIGNED;
use super::super::routes::{Named, Row};
use super::super::systems;
use super::super::tasks::{self, WorkCheck, merge, reference, still_there};
use super::super::{Call, collection, ids, link, plain, pools};
use super::{
    check, known, name_is_free, named, none_where, of_system, on_system, put, read, remove,
    seconds, system, truth, work,
};
use crate::change::Change;
use crate::rest::{Envelope, Item, Refusal};
use crate::sandbox::Outcome;
use crate::state::State;
use crate::stored::{Fields, Stored};

const MIB: f64 = 1024.0 * 1024.0;

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

struct Pool<'a> {
    stored: &'a Stored,
    system: &'a Stored,
    state: &'a State,
    customer: &'a str,
}

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

/// The pool that volumes are made in when nobody names one: the one that was said to be, or the
/// oldest.
pub(super) fn default_of<'s>(state: &'s State, system: &'s str) -> Option<&'s Stored> {
    let mut pools = pools::of_system(state, system);
    pools
        .find(|pool| truth(pool, "is_default"))
        .or_else(|| pools::of_system(state, system).next())
}

fn addressed<'a>(call: &Call<'a, '_>) -> Result<(&'a Stored, &'a Stored), Refusal> {
    on_system(call, collection::POOLS, "pool of this system")
}

impl<'a> Pool<'a> {
    fn new(call: &Call<'a, '_>, system: &'a Stored, stored: &'a Stored) -> Self {
        Self {
            stored,
            system,
            state: call.state,
            customer: call.request.caller.customer_id,
        }
    }
}

impl Lookup for Pool<'_> {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        let found = if path.is("id") || path.is("name") {
            self.stored.field(if path.is("id") { "id" } else { "name" })
        } else {
            self.render().lookup(path)?.into_owned()
        };
        Some(Cow::Owned(found))
    }
}

impl Item for Pool<'_> {
    fn render(&self) -> Value {
        let Self { stored, state, .. } = *self;
        let id = stored.text("id");
        let name = stored.field("name");
        let volumes = || state.with(collection::VOLUMES, "poolId", id);
        let used: f64 = volumes().map(|volume| volume.number("usedSizeMiB")).sum();
        let total = stored.number("totalSizeMiB");
        let arrays: Vec<Value> = ASSIGNED
            .to(state, id)
            .filter_map(|array| state.get(collection::ARRAYS, array))
            .map(|array| summary(array, "array"))
            .collect();
        let uri = format!("{}/storage-pools/{id}", systems::uri(self.system));
        let volumes: Vec<Value> = volumes().map(|volume| summary(volume, "vol")).collect();
        json!({
            "id": id,
            "name": name,
            "full_name": name,
            "search_name": name,
            "type": "storage-pool",
            "description": stored.text("description"),
            "is_default": is_default(state, self.system, stored),
            "capacity": plain(total * MIB),
            "usage": plain(used * MIB),
            "free_space": plain((total - used) * MIB),
            "usage_valid": true,
            "unused_reserve": 0,
            "array_count": arrays.len(),
            "array_list": arrays,
            "unassigned_array_list": [],
            "vol_count": volumes.len(),
            "vol_list": volumes,
            "pinned_vol_list": [],
            "folder_list": [],
            "all_flash": stored.text("diskType") == "DEVICE_TYPE_SSD",
            "dedupe_capable": stored.get("dedupe_capable") != Some(&Stored::Bool(false)),
            "dedupe_all_volumes": truth(stored, "dedupe_all_volumes"),
            "clone_ratio": 1,
            "compression_ratio": 1,
            "dedupe_ratio": 1,
            "data_reduction_ratio": 1,
            "savings_ratio": 1,
            "creation_time": seconds(stored, "created"),
            "last_modified": seconds(stored, "generation"),
            "customerId": self.customer,
            "generation": stored.field("generation"),
            "resourceUri": uri,
            "consoleUri": uri.replacen("/api/v1", "/data-ops-manager", 1),
            "associated_links": [link("storage-systems", systems::uri(self.system))],
        })
    }
}

/// An object as a list of its kind names it, under both of its names.
fn summary(object: &Stored, kind: &str) -> Value {
    let (id, name) = (object.field("id"), object.field("name"));
    let mut summary = json!({"id": id, "name": name});
    super::super::set(&mut summary, &format!("{kind}_id"), id);
    super::super::set(&mut summary, &format!("{kind}_name"), name);
    summary
}

fn is_default(state: &State, system: &Stored, pool: &Stored) -> bool {
    let default = default_of(state, system.text("id"));
    default.is_some_and(|default| default.text("id") == pool.text("id"))
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
