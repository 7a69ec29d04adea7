//! Volumes as they are seen: across the fleet, on their system, in their pool.

use serde_json::Value;

use super::routes::{Named, Row};
use super::systems::{self, Kind};
use super::tasks::reference;
use super::volume_views::{Device, Fleet};
use super::{Call, collection, not_found, pools, set};
use crate::rest::{Envelope, Item, Refusal};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "GET",
        "storage-systems/{}/storage-pools/{}/volumes",
        &[Named::System, Named::Pool],
        |call| pool_list(call),
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/storage-pools/{}/volumes",
        &[Named::DeviceType1, Named::Pool],
        |call| device_pool_list(call),
    ),
    Row::new("GET", "volumes", &[], |call| fleet_list(call)),
    Row::new("GET", "volumes/{}", &[Named::Volume], |call| {
        fleet_get(call)
    }),
    Row::new(
        "GET",
        "storage-systems/{}/volumes",
        &[Named::System],
        |call| system_list(call),
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/volumes",
        &[Named::DeviceType1],
        |call| device_list(call),
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/volumes/{}",
        &[Named::DeviceType1, Named::Volume],
        |call| device_get(call),
    ),
];

fn fleet_list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    list(call, None, fleet)
}

fn system_list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = systems::find(call, call.path(0), Kind::Fleet)?;
    list(call, Some(("systemId", system.text("id"))), fleet)
}

fn device_list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = systems::find(call, call.path(0), Kind::DeviceType1)?;
    list(call, Some(("systemId", system.text("id"))), device)
}

fn pool_list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let pool = pools::addressed(call, Kind::Fleet)?;
    list(call, Some(("poolId", pool.text("id"))), fleet)
}

fn device_pool_list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let pool = pools::addressed(call, Kind::DeviceType1)?;
    list(call, Some(("poolId", pool.text("id"))), device)
}

fn fleet_get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let id = call.path(0);
    let stored = call
        .state
        .get(collection::VOLUMES, id)
        .ok_or_else(|| not_found("volume", id))?;
    let mut shown = fleet(call, stored).render();
    set(&mut shown, "requestUri", call.request.uri);
    call.one(shown)
}

fn device_get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (_, stored) = addressed(call)?;
    let device = fleet(call, stored);
    let console = device.render().get("consoleUri").cloned();
    let mut shown = Device(device).render();
    set(&mut shown, "consoleUri", console.unwrap_or_default());
    set(&mut shown, "requestUri", call.request.uri);
    call.one(shown)
}

/// Attributes that are indexed, and that all forms of a volume show as they are kept.
const AS_KEPT: &[&str] = &["name", "systemId"];

fn list<'a, T: Item>(
    call: &Call<'a, '_>,
    owner: Option<(&'static str, &'a str)>,
    view: impl Fn(&Call<'a, '_>, &'a Stored) -> T,
) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let filter = question.filter.as_ref();
    let envelope = Envelope::WithUri(call.request.uri);
    if let Some(found) = call.indexed(collection::VOLUMES, owner, filter, AS_KEPT) {
        let total = found.total;
        let from = |skipped| found.after(skipped).map(|volume| view(call, volume));
        return Ok(Outcome::ok(question.answer_all(from, total, envelope)));
    }
    let volumes = match owner {
        Some(owner) => call.candidates_of(collection::VOLUMES, owner, filter),
        None => call.candidates(collection::VOLUMES, filter),
    };
    let shown = volumes.map(|volume| view(call, volume));
    Ok(Outcome::ok(question.answer(shown, envelope)))
}

/// The volume in the fleet's form.
pub(super) fn fleet<'a>(call: &Call<'a, '_>, stored: &'a Stored) -> Fleet<'a> {
    Fleet {
        stored,
        state: call.state,
        customer: call.request.caller.customer_id,
    }
}

/// The volume as its device-type1 system describes it.
pub(super) fn device<'a>(call: &Call<'a, '_>, stored: &'a Stored) -> Device<'a> {
    Device(fleet(call, stored))
}

/// The device-type1 system and its volume that the path names.
pub(super) fn addressed<'a>(call: &Call<'a, '_>) -> Result<(&'a Stored, &'a Stored), Refusal> {
    let system = systems::find(call, call.path(0), Kind::DeviceType1)?;
    let id = call.path(1);
    let volume = call
        .state
        .get(collection::VOLUMES, id)
        .filter(|volume| volume.text("systemId") == system.text("id"))
        .ok_or_else(|| not_found("volume of this system", id))?;
    Ok((system, volume))
}

/// How other resources refer to a volume of device-type1.
pub(super) fn resource(volume: &Stored) -> Value {
    resource_of(
        volume.text("systemId"),
        volume.text("name"),
        volume.text("id"),
    )
}

/// The same for a volume that is still to be made.
pub(super) fn resource_of(system: &str, name: &str, id: &str) -> Value {
    let uri = format!("/api/v1/storage-systems/device-type1/{system}/volumes/{id}");
    reference("volume", name, uri)
}

pub(super) fn system_reference(system: &Stored) -> Value {
    reference("storage-system", system.text("name"), systems::uri(system))
}
