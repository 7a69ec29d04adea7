//! Capacity in sums: of a device-type1 system, of its applications, of a volume set (domain.md 7.7).
//!
//! Every number follows from the pools and the volumes, so that all of them add up: what a system
//! has is what its pools have, and that is what is used and what is free.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::application_sets::{addressed, members, uri};
use super::pools::{self, Usage};
use super::routes::{Named, Row};
use super::systems::{self, Kind};
use super::{Call, collection, link, plain, rounded};
use crate::rest::Refusal;
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/capacity-summary",
        &[Named::DeviceType1],
        |call| system_summary(call),
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/application-summary",
        &[Named::DeviceType1],
        |call| application_summary(call),
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/applicationsets/{}/capacity-statistics",
        &[Named::DeviceType1, Named::VolumeSet],
        |call| set_statistics(call),
    ),
];

fn system_summary(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = systems::find(call, call.path(0), Kind::DeviceType1)?;
    let id = system.text("id");
    let tier = |disk: &str| {
        let pools = pools::of_system(call.state, id).filter(|pool| pool.text("diskType") == disk);
        Usage::of_pools(call.state, pools)
    };
    let all = Usage::of_system(call.state, id);
    let (ssd, fast, nearline) = (
        tier("DEVICE_TYPE_SSD"),
        tier("DEVICE_TYPE_FC"),
        tier("DEVICE_TYPE_NL"),
    );
    let resource = format!("{}/capacity-summary", systems::uri(system));
    call.one(json!({
        "id": id,
        "systemId": id,
        "capacitySummary": summary(&all),
        "ssdCapacitySummary": summary(&ssd),
        "fcCapacitySummary": summary(&fast),
        "nlCapacitySummary": summary(&nearline),
        "capacityByTier": {
            "ssdUsed": plain(ssd.used_mib),
            "ssdFree": plain(ssd.free_mib()),
            "fcUsed": plain(fast.used_mib),
            "fcFree": plain(fast.free_mib()),
            "nlUsed": plain(nearline.used_mib),
            "nlFree": plain(nearline.free_mib()),
            "totalUsed": plain(all.used_mib),
            "usableCapacity": plain(all.total_mib),
        },
        "utilizationSummary": {
            "capacityUsageData": {
                "usedSizeMiB": plain(all.used_mib),
                "freeSizeMiB": plain(all.free_mib()),
            },
            "provisionedCapacity": plain(all.provisioned_mib),
        },
        "customerId": call.request.caller.customer_id,
        "requestUri": call.request.uri,
        "resourceUri": resource,
        "associatedLinks": [link("storage-systems", systems::uri(system))],
    }))
}

/// Parts of the total are given as fractions of one, as the service does.
fn summary(usage: &Usage) -> Value {
    let part = |mib: f64| {
        if usage.total_mib > 0.0 {
            plain(mib / usage.total_mib)
        } else {
            plain(0.0)
        }
    };
    json!({
        "total": plain(usage.total_mib),
        "free": plain(usage.free_mib()),
        "freePercentage": part(usage.free_mib()),
        "freeInitialized": plain(usage.free_mib()),
        "freeUninitialized": 0,
        "failed": 0,
        "failedPercentage": 0,
        "unavailable": 0,
        "unavailablePercentage": 0,
        "allocated": {
            "total": plain(usage.used_mib),
            "cpgs": plain(usage.used_mib),
            "cpgsPrivate": plain(usage.used_mib),
            "cpgsShared": 0,
            "cpgsFree": 0,
            "system": 0,
            "unmapped": 0,
        },
        "allocatedPercentage": part(usage.used_mib),
        "overProvisioning": rounded(usage.over_provisioning()),
    })
}

/// A volume counts once for each type of application that it serves.
fn application_summary(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = systems::find(call, call.path(0), Kind::DeviceType1)?;
    let mut volumes: BTreeMap<&str, BTreeMap<&str, &Stored>> = BTreeMap::new();
    for set in call
        .state
        .with(collection::SETS, "systemId", system.text("id"))
    {
        let served = volumes.entry(set.text("appType")).or_default();
        let members = members(call.state, set.text("id"));
        served.extend(members.map(|volume| (volume.text("id"), volume)));
    }
    let items: Vec<Value> = volumes
        .iter()
        .map(|(kind, volumes)| {
            let sum = |field| sum(volumes.values().copied(), field);
            json!({
                "applicationSetType": kind,
                "totalSizeMiB": plain(sum("sizeMiB")),
                "totalUsedSizeMiB": plain(sum("usedSizeMiB")),
                "volumesCount": volumes.len(),
            })
        })
        .collect();
    Ok(Outcome::ok(json!({
        "total": items.len(),
        "items": items,
        "customerId": call.request.caller.customer_id,
        "requestUri": call.request.uri,
    })))
}

fn set_statistics(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, set) = addressed(call)?;
    let volumes: Vec<&Stored> = members(call.state, set.text("id")).collect();
    let sum = |field| sum(volumes.iter().copied(), field);
    let (size, used) = (sum("sizeMiB"), sum("usedSizeMiB"));
    call.one(json!({
        "id": set.field("id"),
        "name": set.field("name"),
        "systemId": system.field("id"),
        "members": volumes.iter().map(|volume| volume.field("name")).collect::<Value>(),
        "capacitySummary": {
            "sizeMiB": plain(size),
            "usedSizeMiB": plain(used),
            "freeMiB": plain(size - used),
        },
        "customerId": call.request.caller.customer_id,
        "requestUri": call.request.uri,
        "associatedLinks": [link("volume-sets", uri(set))],
    }))
}

fn sum<'a>(volumes: impl Iterator<Item = &'a Stored>, field: &str) -> f64 {
    volumes.map(|volume| volume.number(field)).sum()
}
