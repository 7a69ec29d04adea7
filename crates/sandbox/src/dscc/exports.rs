//! Exports of device-type1: which host groups reach a volume, and under which LUN (domain.md 7.8).
//!
//! An export is kept as one VLUN per volume and host group,
//! `{id, systemId, ofVolume, ofGroup, ofSet, name, lun, …}`; that of a snapshot has `ofSnapshot` and
//! `copyOf`, its volume, in the place of `ofVolume`. Whatever else is shown of it, at the
//! volume, the set or the host, follows from the VLUNs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::routes::{Named, Row};
use super::tasks::{self, Work, WorkCheck, still_there};
use super::volumes::{addressed, resource, system_reference};
use super::{Call, collection, ids, none_where, put, remove_where, set, some_where};
use crate::change::{Change, Requirement};
use crate::rest::{Refusal, body};
use crate::sandbox::Outcome;
use crate::state::State;
use crate::stored::{Fields, Stored};

/// The highest LUN that a group can have.
const LAST_LUN: i64 = 16_383;

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/volumes/{}/export",
        &[Named::DeviceType1, Named::Volume],
        export,
    ),
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/volumes/{}/un-export",
        &[Named::DeviceType1, Named::Volume],
        un_export,
    ),
];

fn export(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, volume) = addressed(call)?;
    let body = body(call.definition, call.request, call.settings)?;
    let export = Export::parse(call, body, None)?;
    let mut luns = Luns::default();
    let mut work = export.work(call, system, volume, &mut luns)?;
    work.first = luns.taken();
    tasks::start(call, work)
}

fn un_export(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, volume) = addressed(call)?;
    let body = body(call.definition, call.request, call.settings)?;
    let groups = groups(call, &Value::Object(body))?;
    let work = withdrawal(system, volume, resource(volume), &groups);
    tasks::start(call, work)
}

/// The VLUNs of a host group, oldest first.
pub(super) fn of_group<'a>(state: &'a State, group: &str) -> impl Iterator<Item = &'a Stored> {
    state.with(collection::VLUNS, "ofGroup", group)
}

/// The VLUNs of a volume, oldest first.
pub(super) fn of_volume<'a>(state: &'a State, volume: &str) -> impl Iterator<Item = &'a Stored> {
    state.with(collection::VLUNS, "ofVolume", volume)
}

/// The host groups that reach a volume, as the volume names them.
pub(super) fn initiators(state: &State, volume: &str) -> Value {
    of_volume(state, volume)
        .map(|vlun| initiator(state, vlun))
        .collect()
}

/// The host groups that reach a snapshot.
pub(super) fn initiators_of_snapshot(state: &State, snapshot: &str) -> Value {
    let vluns = state.with(collection::VLUNS, "ofSnapshot", snapshot);
    vluns.map(|vlun| initiator(state, vlun)).collect()
}

/// What is exported: the word for it, and the field in which its VLUNs name it. A snapshot is told by
/// the volume that it is of.
fn kind(exported: &impl Fields) -> (&'static str, &'static str) {
    if exported.text("ofVolume").is_empty() {
        ("volume", "ofVolume")
    } else {
        ("snapshot", "ofSnapshot")
    }
}

/// The host group of a VLUN, as volumes and VLUNs name it.
pub(super) fn initiator(state: &State, vlun: &Stored) -> Value {
    let id = vlun.text("ofGroup");
    let group = state.get(collection::HOST_GROUPS, id);
    json!({
        "id": id,
        "deviceDiscoveredName": group.map(|group| group.field("name")),
        "type": "host-initiator-groups",
        "resourceUri": format!("/api/v1/host-initiator-groups/{id}"),
    })
}

/// What an export asks for. `autoLun`, `maxAutoLun`, `noVcn` and `position` have nothing to decide:
/// every group has one free LUN after the other.
pub(super) struct Export<'a> {
    pub(super) groups: Vec<&'a Stored>,
    /// The set through which its members are exported.
    set: Option<String>,
    replaces: bool,
    proximity: String,
    position: Value,
}

impl<'a> Export<'a> {
    pub(super) fn parse(
        call: &Call<'a, '_>,
        body: Map<String, Value>,
        set: Option<&str>,
    ) -> Result<Self, Refusal> {
        let body = &Value::Object(body);
        let proximity = match body.text("proximity") {
            "" => "PRIMARY",
            given => given,
        };
        Ok(Self {
            groups: groups(call, body)?,
            set: set.map(str::to_owned),
            replaces: body.get("override") == Some(&Value::Bool(true)),
            proximity: proximity.to_owned(),
            position: body.field("position"),
        })
    }

    /// The same for a part of the groups only.
    pub(super) fn to(&self, groups: Vec<&'a Stored>) -> Self {
        Self {
            groups,
            set: self.set.clone(),
            proximity: self.proximity.clone(),
            position: self.position.clone(),
            ..*self
        }
    }

    /// To export one volume to the groups. The LUNs are taken from `luns`.
    pub(super) fn work(
        &self,
        call: &mut Call<'_, '_>,
        system: &Stored,
        volume: &Stored,
        luns: &mut Luns,
    ) -> Result<Work, Refusal> {
        let mut checks = vec![still_there(collection::VOLUMES, "volume", volume)];
        let (more, then) = self.grants(call, volume, luns)?;
        checks.extend(more);
        Ok(Work {
            title: format!("Export volume {}", volume.text("name")),
            source: system_reference(system),
            resources: vec![resource(volume)],
            checks,
            first: Vec::new(),
            then,
            on_failure: Vec::new(),
        })
    }

    /// What lets the groups reach a volume, which may not be there yet, and what must be true of it.
    pub(super) fn grants(
        &self,
        call: &mut Call<'_, '_>,
        volume: &impl Fields,
        luns: &mut Luns,
    ) -> Result<(Vec<WorkCheck>, Vec<Change>), Refusal> {
        let (mut checks, mut then) = (Vec::new(), Vec::new());
        for group in &self.groups {
            let lun = luns.take(call.state, group)?;
            let vlun = self.vlun(call, volume, group, lun);
            checks.push(still_there(collection::HOST_GROUPS, "host group", group));
            if self.replaces {
                then.push(remove_where(collection::VLUNS, &pair(volume, group)));
            } else {
                checks.push(not_exported_yet(volume, group));
            }
            checks.push(lun_is_free(group, &vlun));
            then.push(put(collection::VLUNS, vlun));
        }
        Ok((checks, then))
    }

    fn vlun(
        &self,
        call: &mut Call<'_, '_>,
        volume: &impl Fields,
        group: &Stored,
        lun: i64,
    ) -> Value {
        let done = tasks::end(call).as_millisecond();
        let (_, names_it) = kind(volume);
        let mut vlun = json!({
            "id": ids::object(call.rng),
            "systemId": volume.field("systemId"),
            "ofVolume": null,
            "ofGroup": group.field("id"),
            "ofSet": self.set,
            "name": lun_name(group.text("id"), lun),
            "lun": lun,
            "proximity": self.proximity,
            "position": self.position,
            "created": done,
            "generation": done,
        });
        set(&mut vlun, names_it, volume.field("id"));
        if names_it == "ofSnapshot" {
            set(&mut vlun, "copyOf", volume.field("ofVolume"));
        }
        vlun
    }
}

/// How the VLUNs of a group are told apart: no two have the same LUN.
pub(super) fn lun_name(group: &str, lun: i64) -> String {
    format!("{group}/{lun}")
}

/// To withdraw a volume or a snapshot from the groups.
pub(super) fn withdrawal(
    system: &Stored,
    volume: &Stored,
    resource: Value,
    groups: &[&Stored],
) -> Work {
    let (what, _) = kind(volume);
    let exported = |group: &&Stored| WorkCheck {
        requirement: some_where(collection::VLUNS, &pair(volume, group)),
        complaint: format!(
            "the {what} {} is not exported to the host group {}",
            volume.text("name"),
            group.text("name")
        ),
        recommendation: "Look at its initiators.",
    };
    Work {
        title: format!("Unexport {what} {}", volume.text("name")),
        source: system_reference(system),
        resources: vec![resource],
        checks: groups.iter().map(exported).collect(),
        first: Vec::new(),
        then: groups
            .iter()
            .map(|group| remove_where(collection::VLUNS, &pair(volume, group)))
            .collect(),
        on_failure: Vec::new(),
    }
}

/// The groups that the body names: at least one, each there, each once. The published examples have
/// names in the place of ids, so that a name will do; some name none, which the definition allows.
pub(super) fn groups<'a>(call: &Call<'a, '_>, body: &Value) -> Result<Vec<&'a Stored>, Refusal> {
    let state = call.state;
    let listed = body.get("hostGroupIds").and_then(Value::as_array);
    let ids: BTreeSet<&str> = listed
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if ids.is_empty() && !call.is_about_nothing(body, "hostGroupIds") {
        let message = "hostGroupIds: names no host group".to_owned();
        return Err(Refusal::BadRequest(message));
    }
    let found = |id: &str| {
        let group = state.get(collection::HOST_GROUPS, id);
        let named = || state.with(collection::HOST_GROUPS, "name", id).next();
        group.or_else(named).ok_or_else(|| {
            Refusal::BadRequest(format!("hostGroupIds: there is no host group {id}"))
        })
    };
    let found: Result<BTreeMap<&str, &Stored>, Refusal> = ids
        .into_iter()
        .map(|id| found(id).map(|group| (group.text("id"), group)))
        .collect();
    Ok(found?.into_values().collect())
}

/// The LUNs that one call takes. They are given out when a call is accepted, so that two exports
/// that overlap get different ones.
#[derive(Default)]
pub(super) struct Luns {
    next: BTreeMap<String, i64>,
    given: BTreeSet<(String, i64)>,
}

impl Luns {
    fn take(&mut self, state: &State, group: &Stored) -> Result<i64, Refusal> {
        let id = group.text("id");
        let next = self.next.entry(id.to_owned()).or_insert_with(|| {
            let next = state.get(collection::NUMBERS, id);
            next.and_then(|next| next.unpack().as_i64())
                .unwrap_or_default()
        });
        if *next <= LAST_LUN {
            *next += 1;
            return Ok(*next - 1);
        }
        // All have been used once; those of VLUNs that are gone are free again.
        let taken: BTreeSet<i64> = of_group(state, id)
            .filter_map(|vlun| vlun.field("lun").as_i64())
            .collect();
        (0..=LAST_LUN)
            .filter(|lun| !taken.contains(lun))
            .find(|lun| self.given.insert((id.to_owned(), *lun)))
            .ok_or_else(|| {
                let name = group.text("name");
                Refusal::BadRequest(format!("the host group {name} has no free LUN"))
            })
    }

    /// The changes that keep others from taking them too.
    pub(super) fn taken(self) -> Vec<Change> {
        let change = |(group, next): (String, i64)| Change::Put {
            collection: collection::NUMBERS.to_owned(),
            id: group,
            value: json!(next),
        };
        self.next.into_iter().map(change).collect()
    }
}

/// The fields that find the VLUN of a volume, or a snapshot, and a group.
fn pair<'a>(volume: &'a impl Fields, group: &'a Stored) -> [(&'static str, &'a str); 2] {
    let (_, names_it) = kind(volume);
    [(names_it, volume.text("id")), ("ofGroup", group.text("id"))]
}

fn not_exported_yet(volume: &impl Fields, group: &Stored) -> WorkCheck {
    let (what, _) = kind(volume);
    WorkCheck {
        requirement: none_where(collection::VLUNS, &pair(volume, group)),
        complaint: format!(
            "the {what} {} is exported to the host group {} already",
            volume.text("name"),
            group.text("name")
        ),
        recommendation: "Withdraw it first, or send override=true.",
    }
}

fn lun_is_free(group: &Stored, vlun: &Value) -> WorkCheck {
    WorkCheck {
        requirement: Requirement::NameIsFree {
            collection: collection::VLUNS.to_owned(),
            name: vlun.text("name").to_owned(),
            within: None,
            except: None,
        },
        complaint: format!(
            "the host group {} got another volume under the LUN {} meanwhile",
            group.text("name"),
            vlun.field("lun")
        ),
        recommendation: "Export the volume again.",
    }
}
