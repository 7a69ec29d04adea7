//! Pools, and how much of them is used.
//!
//! What is used is never kept: it is the sum over the volumes, so the numbers of volumes, pools and
//! systems cannot disagree. A pool is kept as `{id, systemId, name, number, totalSizeMiB, …}`.

use serde_json::{Value, json};

use super::routes::{Named, Row};
use super::systems::{self, Kind};
use super::{Call, Rendered, collection, link, not_found, plain, rounded, set};
use crate::rest::{Envelope, Refusal};
use crate::sandbox::Outcome;
use crate::state::State;
use crate::stored::{Fields, Stored};

/// In which form pools are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum PoolKind {
    /// The form that all device types share.
    Fleet,
    /// As a device-type1 system describes its own.
    DeviceType1,
}

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "GET",
        "storage-systems/{}/storage-pools",
        &[Named::System],
        |call| list(call, PoolKind::Fleet),
    ),
    Row::new(
        "GET",
        "storage-systems/{}/storage-pools/{}",
        &[Named::System, Named::Pool],
        |call| get(call, PoolKind::Fleet),
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/storage-pools",
        &[Named::DeviceType1],
        |call| list(call, PoolKind::DeviceType1),
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/storage-pools/{}",
        &[Named::DeviceType1, Named::Pool],
        |call| get(call, PoolKind::DeviceType1),
    ),
];

fn list(call: &Call<'_, '_>, kind: PoolKind) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let system = systems::find(call, call.path(0), kind.of_system())?;
    let pools = of_system(call.state, system.text("id"))
        .map(|pool| Rendered(view(call, system, pool, kind)));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(pools, envelope)))
}

fn get(call: &Call<'_, '_>, kind: PoolKind) -> Result<Outcome, Refusal> {
    let system = systems::find(call, call.path(0), kind.of_system())?;
    let pool = addressed(call, kind.of_system())?;
    let mut shown = view(call, system, pool, kind);
    let system_uri = systems::uri(system);
    let links = json!([
        link("storage-systems", system_uri.clone()),
        link(
            "volumes",
            format!("{system_uri}/storage-pools/{}/volumes", pool.text("id"))
        ),
    ]);
    set(&mut shown, "associatedLinks", links);
    call.one(shown)
}

/// The pool that the path names, on the system that it names.
pub(super) fn addressed<'a>(call: &Call<'a, '_>, kind: Kind) -> Result<&'a Stored, Refusal> {
    let system = systems::find(call, call.path(0), kind)?;
    let id = call.path(1);
    call.state
        .get(collection::POOLS, id)
        .filter(|pool| pool.text("systemId") == system.text("id"))
        .ok_or_else(|| not_found("pool of this system", id))
}

/// The pools of a system, oldest first.
pub(super) fn of_system<'a>(state: &'a State, system: &'a str) -> impl Iterator<Item = &'a Stored> {
    state.with(collection::POOLS, "systemId", system)
}

/// The pool of that name, or a refusal that says which there are.
pub(super) fn by_name<'a>(
    state: &'a State,
    system: &'a str,
    name: &str,
) -> Result<&'a Stored, Refusal> {
    let mut pools = of_system(state, system);
    pools.find(|pool| pool.text("name") == name).ok_or_else(|| {
        let names: Vec<&str> = of_system(state, system)
            .map(|pool| pool.text("name"))
            .collect();
        Refusal::BadRequest(format!(
            "the system {system} has no pool named {name}; it has {}",
            names.join(", ")
        ))
    })
}

/// How much there is, and how much of it is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(super) struct Usage {
    pub(super) total_mib: f64,
    pub(super) used_mib: f64,
    pub(super) provisioned_mib: f64,
    thin: f64,
    reduced: f64,
}

impl Usage {
    pub(super) fn of_system(state: &State, system: &str) -> Self {
        Self::of_pools(state, of_system(state, system))
    }

    pub(super) fn of_pools<'a>(state: &State, pools: impl Iterator<Item = &'a Stored>) -> Self {
        pools
            .map(|pool| Self::of_pool(state, pool))
            .fold(Self::default(), |sum, pool| Self {
                total_mib: sum.total_mib + pool.total_mib,
                used_mib: sum.used_mib + pool.used_mib,
                provisioned_mib: sum.provisioned_mib + pool.provisioned_mib,
                thin: sum.thin + pool.thin,
                reduced: sum.reduced + pool.reduced,
            })
    }

    fn of_pool(state: &State, pool: &Stored) -> Self {
        let id = pool.text("id");
        let sum = |field| state.sum(collection::VOLUMES, id, field);
        let volumes = state.count(collection::VOLUMES, "poolId", id);
        let reduced = sum("dataReduction");
        #[expect(
            clippy::cast_precision_loss,
            reason = "as many volumes as that fit no memory"
        )]
        let volumes = volumes as f64;
        Self {
            total_mib: pool.number("totalSizeMiB"),
            used_mib: sum("usedSizeMiB"),
            provisioned_mib: sum("sizeMiB"),
            thin: volumes - reduced,
            reduced,
        }
    }

    pub(super) fn free_mib(&self) -> f64 {
        self.total_mib - self.used_mib
    }

    pub(super) fn over_provisioning(&self) -> f64 {
        if self.total_mib > 0.0 {
            self.provisioned_mib / self.total_mib
        } else {
            0.0
        }
    }
}

impl PoolKind {
    fn of_system(self) -> Kind {
        match self {
            Self::Fleet => Kind::Fleet,
            Self::DeviceType1 => Kind::DeviceType1,
        }
    }
}

fn view(call: &Call<'_, '_>, system: &Stored, pool: &Stored, kind: PoolKind) -> Value {
    let usage = Usage::of_pool(call.state, pool);
    let customer = call.request.caller.customer_id;
    match kind {
        PoolKind::Fleet => fleet(system, pool, &usage, customer),
        PoolKind::DeviceType1 => device_type1(system, pool, &usage, customer),
    }
}

fn uri(system: &Stored, pool: &Stored) -> String {
    format!("{}/storage-pools/{}", systems::uri(system), pool.text("id"))
}

fn fleet(system: &Stored, pool: &Stored, usage: &Usage, customer: &str) -> Value {
    json!({
        "id": pool.field("id"),
        "name": pool.field("name"),
        "type": "storage-pool",
        "systemId": pool.field("systemId"),
        "capacityUsed": plain(usage.used_mib.round()),
        "customerId": customer,
        "generation": pool.field("generation"),
        "resourceUri": uri(system, pool),
    })
}

/// Raw sizes are twice the logical ones in a mirror; with RAID 6 a set of eight has six for data.
fn raw_factor(pool: &Stored) -> f64 {
    match pool.text("raidType") {
        "RAID_ONE" => 2.0,
        _ => 8.0 / 6.0,
    }
}

fn device_type1(system: &Stored, pool: &Stored, usage: &Usage, customer: &str) -> Value {
    json!({
        "id": pool.field("id"),
        "name": pool.field("name"),
        "displayname": format!("CPG {}", pool.text("name")),
        "type": "storage-pool",
        "storagePoolId": pool.field("number"),
        "systemId": pool.field("systemId"),
        "domain": "",
        "state": {"overall": "STATE_NORMAL", "detailed": []},
        "allocationSettings": {
            "RAIDType": pool.field("raidType"),
            "deviceType": pool.field("diskType"),
            "setSize": pool.field("setSize"),
        },
        "totalSizeMiB": pool.field("totalSizeMiB"),
        "totalSizeRawMiB": plain((usage.total_mib * raw_factor(pool)).round()),
        "baseSizeMiB": plain(usage.used_mib.round()),
        "freeSizeMiB": plain(usage.total_mib - usage.used_mib.round()),
        "totalReservedMiB": plain(usage.provisioned_mib),
        "freeForAllocationMiB": plain((usage.total_mib - usage.provisioned_mib).max(0.0)),
        "overProvRatio": rounded(usage.over_provisioning()),
        "numberOfTPVV": plain(usage.thin),
        "numberOfTDVV": plain(usage.reduced),
        "dedupCapable": true,
        "warnPercent": pool.field("warnPercent"),
        "customerId": customer,
        "generation": pool.field("generation"),
        "resourceUri": uri(system, pool),
    })
}
