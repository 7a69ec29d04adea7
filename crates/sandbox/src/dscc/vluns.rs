//! The VLUNs of a device-type1 volume: seen one by one, and withdrawn one by one.

use serde_json::{Value, json};

use super::routes::{Named, Row};
use super::tasks::{self, Work, still_there};
use super::volumes::{addressed, resource, system_reference};
use super::{Call, Lazy, collection, exports, not_found, remove, set};
use crate::rest::{Envelope, Refusal};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/volumes/{}/vluns",
        &[Named::DeviceType1, Named::Volume],
        |call| list(call),
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/volumes/{}/vluns/{}",
        &[Named::DeviceType1, Named::Volume, Named::Vlun],
        |call| get(call),
    ),
    Row::new(
        "DELETE",
        "storage-systems/device-type1/{}/volumes/{}/vluns/{}",
        &[Named::DeviceType1, Named::Volume, Named::Vlun],
        delete,
    ),
];

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let (_, volume) = addressed(call)?;
    let vluns = exports::of_volume(call.state, volume.text("id"))
        .map(|vlun| Lazy::new(|| view(call, volume, vlun)));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(vluns, envelope)))
}

fn get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (_, volume) = addressed(call)?;
    let vlun = found(call, volume)?;
    let mut shown = view(call, volume, vlun);
    let console = shown
        .text("resourceUri")
        .replacen("/api/v1", "/data-ops-manager", 1);
    set(&mut shown, "consoleUri", console);
    set(&mut shown, "requestUri", call.request.uri);
    call.one(shown)
}

fn delete(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, volume) = addressed(call)?;
    let vlun = found(call, volume)?;
    let work = Work {
        title: format!(
            "Delete VLUN {} of volume {}",
            vlun.field("lun"),
            volume.text("name")
        ),
        source: system_reference(system),
        resources: vec![resource(volume)],
        checks: vec![still_there(collection::VLUNS, "VLUN", vlun)],
        first: Vec::new(),
        then: vec![remove(collection::VLUNS, vlun.text("id"))],
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

fn found<'a>(call: &Call<'a, '_>, volume: &Stored) -> Result<&'a Stored, Refusal> {
    let id = call.path(2);
    call.state
        .get(collection::VLUNS, id)
        .filter(|vlun| vlun.text("ofVolume") == volume.text("id"))
        .ok_or_else(|| not_found("VLUN of this volume", id))
}

fn view(call: &Call<'_, '_>, volume: &Stored, vlun: &Stored) -> Value {
    let (system, volume_id, id) = (vlun.text("systemId"), volume.text("id"), vlun.text("id"));
    let node = vlun.field("lun").as_i64().unwrap_or_default() % 2;
    json!({
        "id": id,
        "type": "vlun",
        "displayname": format!("VLUN {}", vlun.field("lun")),
        "systemId": system,
        "active": true,
        "lun": vlun.field("lun"),
        "vlunType": "HOST_SET",
        "volumeName": volume.field("name"),
        "volumeWWN": volume.field("wwn"),
        "vvSize": volume.field("sizeMiB"),
        "vvReservedUserSpace": volume.field("usedSizeMiB"),
        "usedSpace": volume.field("usedSizeMiB"),
        "initiators": exports::initiator(call.state, vlun),
        "proximity": vlun.field("proximity"),
        "portPos": {"node": node, "slot": 3, "port": 1},
        "remoteName": null,
        "domain": "",
        "multiPathType": "ROUND_ROBIN",
        "failedPathPolicy": "",
        "failedPathInterval": 0,
        "state": {"overall": "STATE_NORMAL", "detailed": []},
        "customerId": call.request.caller.customer_id,
        "generation": vlun.field("generation"),
        "resourceUri": format!(
            "/api/v1/storage-systems/device-type1/{system}/volumes/{volume_id}/vluns/{id}"
        ),
    })
}
