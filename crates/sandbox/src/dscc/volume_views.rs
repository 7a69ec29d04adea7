//! How a volume is shown: in the fleet's form, and as its device-type1 system describes it.
//!
//! A volume is kept as `{id, systemId, poolId, name, number, sizeMiB, usedSizeMiB, …}`, and a clone
//! with `copyOf`, the volume it was made from; without what follows from it, so that ten thousand of them stay small. Filters find the attributes that are
//! marked for them without rendering the volume; only what is on the page is rendered.

use std::borrow::Cow;
use std::fmt::Arguments;

use hallpass_query::{AttributePath, Lookup};
use serde::Serialize;
use serde_json::{Value, json};

use super::relation::COLLECTED;
use super::systems::{TYPE1, TYPE2};
use super::{application_sets, collection, exports, link, plain, rounded, type2};
use crate::rest::{Item, write};
use crate::state::State;
use crate::stored::{Fields, Stored};

/// Fields that are kept as both forms show them.
const SAME: &[&str] = &[
    "id",
    "name",
    "systemId",
    "sizeMiB",
    "usedSizeMiB",
    "wwn",
    "generation",
];

/// Volumes here are never ill; the two forms say it differently (domain.md 7.2).
const HEALTHY: &str = "NORMAL";
const HEALTHY_NUMBER: i64 = 1;

/// A volume in the form that all device types share.
pub(super) struct Fleet<'a> {
    pub(super) stored: &'a Stored,
    pub(super) state: &'a State,
    pub(super) customer: &'a str,
}

/// A volume as its device-type1 system describes it.
pub(super) struct Device<'a>(pub(super) Fleet<'a>);

impl Lookup for Fleet<'_> {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        let quick = only_step(path).and_then(|name| match name {
            "hostWrittenCapacityMiB" => self.stored.get("writtenMiB").map(Stored::unpack),
            "usedCapacityPercent" => Some(used_percent(self.stored)),
            "healthState" => Some(HEALTHY.into()),
            "isSystemVolume" | "isInternal" => Some(false.into()),
            name => same(self.stored, name),
        });
        quick.or_else(|| in_rendered(self, path)).map(Cow::Owned)
    }
}

impl Lookup for Device<'_> {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        let stored = self.0.stored;
        let quick = only_step(path).and_then(|name| match name {
            "hostWrittenMiB" => stored.get("writtenMiB").map(Stored::unpack),
            "usedCapacity" => Some(used_percent(stored)),
            "healthState" => Some(HEALTHY_NUMBER.into()),
            "parentID" => Some(self.parent_number()),
            name => same(stored, name),
        });
        quick.or_else(|| in_rendered(self, path)).map(Cow::Owned)
    }
}

impl Item for Fleet<'_> {
    fn render(&self) -> Value {
        self.shown(|shown| serde_json::to_value(shown).unwrap_or_default())
    }

    fn write(&self, out: &mut Vec<u8>) {
        let (forms, id) = (self.state.forms(), self.stored.text("id"));
        forms.write(self.customer, id, out, |out| {
            self.shown(|shown| write(out, shown));
        });
    }
}

/// The fields of a volume in the fleet's form. They are written as they stand here, without a value
/// of their own in between: lists of volumes are what a stand-in is asked for most.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FleetVolume<'a> {
    id: &'a str,
    name: Option<&'a Stored>,
    r#type: &'static str,
    volume_type: &'static str,
    sub_type: &'static str,
    product_family: &'static str,
    system_id: &'a str,
    #[serde(rename = "sizeMiB")]
    size: Option<&'a Stored>,
    #[serde(rename = "usedSizeMiB")]
    used_size: Option<&'a Stored>,
    used_capacity_percent: Value,
    #[serde(rename = "hostWrittenCapacityMiB")]
    host_written_capacity: Option<&'a Stored>,
    space_warning: Option<&'a Stored>,
    health_state: &'static str,
    is_system_volume: bool,
    is_internal: bool,
    thin_savings: String,
    wwn: Option<&'a Stored>,
    initiators: Value,
    volume_set_id: Value,
    customer_id: &'a str,
    generation: Option<&'a Stored>,
    resource_uri: Arguments<'a>,
    console_uri: Arguments<'a>,
    associated_links: [Link<'a>; 2],
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Link<'a> {
    r#type: &'static str,
    resource_uri: Arguments<'a>,
}

impl Item for Device<'_> {
    fn render(&self) -> Value {
        let stored = self.0.stored;
        let pool = self.0.state.get(collection::POOLS, stored.text("poolId"));
        let system = format!(
            "/api/v1/storage-systems/device-type1/{}",
            stored.text("systemId")
        );
        let reduced = is_reduced(stored);
        json!({
            "id": stored.field("id"),
            "name": stored.field("name"),
            "displayname": format!("Virtual Volume {}", stored.text("name")),
            "type": "volume",
            "devType": pool.map(|pool| pool.field("diskType")),
            "volumeId": stored.field("number"),
            "volumeType": kind(stored),
            "provType": provisioning(stored),
            "thinProvisioned": true,
            "dataReduction": if reduced { "YES" } else { "NO" },
            "systemId": stored.field("systemId"),
            "parentID": self.parent_number(),
            "copyOfID": self.parent_number(),
            "physicalCopy": is_clone(stored),
            "userCpgID": pool.map(|pool| pool.field("number")),
            "userCpgName": pool.map(|pool| pool.field("name")),
            "snapshotCpgName": stored.field("snapCpg"),
            "sizeMiB": stored.field("sizeMiB"),
            "usedSizeMiB": stored.field("usedSizeMiB"),
            "usedCapacity": used_percent(stored),
            "hostWrittenMiB": stored.field("writtenMiB"),
            "totalReservedMiB": stored.field("usedSizeMiB"),
            "userAllocWarning": stored.field("userAllocWarning"),
            "snapshotAllocWarning": stored.field("snapshotAllocWarning"),
            "healthState": HEALTHY_NUMBER,
            "state": {"overall": "STATE_NORMAL", "detailed": []},
            "readOnly": false,
            "comment": stored.field("comment"),
            "wwn": stored.field("wwn"),
            "creationTime": {"ms": stored.field("created"), "tz": "UTC"},
            "initiators": exports::initiators(self.0.state, stored.text("id")),
            "customerId": self.0.customer,
            "generation": stored.field("generation"),
            "resourceUri": format!("{system}/volumes/{}", stored.text("id")),
            "associatedLinks": [
                link("storage-systems", system.clone()),
                link("storage-pools", format!("{system}/storage-pools/{}", stored.text("poolId"))),
            ],
        })
    }
}

impl Device<'_> {
    /// The number of the volume that a clone was made from.
    fn parent_number(&self) -> Value {
        let parent = self.0.stored.text("copyOf");
        let parent = self.0.state.get(collection::VOLUMES, parent);
        parent.map_or(Value::Null, |parent| parent.field("number"))
    }
}

impl Fleet<'_> {
    fn shown<R>(&self, take: impl FnOnce(&FleetVolume<'_>) -> R) -> R {
        let stored = self.stored;
        let (id, system, pool) = (
            stored.text("id"),
            stored.text("systemId"),
            stored.text("poolId"),
        );
        let is_type2 = self.is_device_type2();
        let (segment, initiators, set) = if is_type2 {
            let mut collections = COLLECTED.from(self.state, id);
            let set = collections.next().map(Value::from).unwrap_or_default();
            ("device-type2", type2::reaching(self.state, id).into(), set)
        } else {
            let set = application_sets::first_of(self.state, id);
            ("device-type1", exports::initiators(self.state, id), set)
        };
        let systems = "/api/v1/storage-systems";
        take(&FleetVolume {
            id,
            name: stored.get("name"),
            r#type: "volume",
            volume_type: kind(stored),
            sub_type: provisioning(stored),
            product_family: if is_type2 { TYPE2 } else { TYPE1 },
            system_id: system,
            size: stored.get("sizeMiB"),
            used_size: stored.get("usedSizeMiB"),
            used_capacity_percent: used_percent(stored),
            host_written_capacity: stored.get("writtenMiB"),
            space_warning: stored.get("userAllocWarning"),
            health_state: HEALTHY,
            is_system_volume: false,
            is_internal: false,
            thin_savings: savings(stored),
            wwn: stored.get("wwn"),
            initiators,
            volume_set_id: set,
            customer_id: self.customer,
            generation: stored.get("generation"),
            resource_uri: format_args!("{systems}/{segment}/{system}/volumes/{id}"),
            console_uri: format_args!(
                "/data-ops-manager/storage-systems/{segment}/{system}/volumes/{id}"
            ),
            associated_links: [
                Link {
                    r#type: "storage-systems",
                    resource_uri: format_args!("{systems}/{system}"),
                },
                Link {
                    r#type: "storage-pools",
                    resource_uri: format_args!("{systems}/{system}/storage-pools/{pool}"),
                },
            ],
        })
    }

    fn is_device_type2(&self) -> bool {
        self.state
            .get(collection::SYSTEMS, self.stored.text("systemId"))
            .is_some_and(|system| system.text("deviceType") == TYPE2)
    }
}

/// The attribute, when it is no part of another.
fn only_step(path: &AttributePath) -> Option<&str> {
    let mut steps = path.steps();
    steps.next().filter(|_| steps.next().is_none())
}

/// The attribute, when it is kept under the name by which it is shown.
fn same(stored: &Stored, name: &str) -> Option<Value> {
    let kept = SAME.contains(&name).then(|| stored.get(name))?;
    kept.map(Stored::unpack)
}

/// Any attribute there is, in any letter case; slow.
fn in_rendered(item: &impl Item, path: &AttributePath) -> Option<Value> {
    item.render().lookup(path).map(Cow::into_owned)
}

fn is_reduced(stored: &Stored) -> bool {
    stored.get("dataReduction") == Some(&Stored::Bool(true))
}

fn provisioning(stored: &Stored) -> &'static str {
    if is_reduced(stored) {
        "PROVTYPE_DDS"
    } else {
        "PROVTYPE_TPVV"
    }
}

fn used_percent(stored: &Stored) -> Value {
    let size = stored.number("sizeMiB");
    if size > 0.0 {
        rounded(stored.number("usedSizeMiB") / size * 100.0)
    } else {
        plain(0.0)
    }
}

/// What hosts wrote against what it takes.
fn savings(stored: &Stored) -> String {
    let (written, used) = (stored.number("writtenMiB"), stored.number("usedSizeMiB"));
    if used > 0.0 && written > used {
        format!("{}:1", (written / used * 10.0).round() / 10.0)
    } else {
        "1:1".to_owned()
    }
}

/// Whether it was copied from a volume and has not been parted from it.
pub(super) fn is_clone(stored: &Stored) -> bool {
    !stored.text("copyOf").is_empty()
}

fn kind(stored: &Stored) -> &'static str {
    if is_clone(stored) {
        "VVTYPE_PCOPY"
    } else {
        "VVTYPE_BASE"
    }
}
