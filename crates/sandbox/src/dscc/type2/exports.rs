//! Exports: which host groups reach a volume or a snapshot, and by which number (LUN). Each is an
//! access control record; nothing else is kept about it.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::super::host_views::Kind;
use super::super::relation::ACCESS;
use super::super::routes::{Named, Row};
use super::super::tasks::{self, Work, WorkCheck, merge, reference, still_there};
use super::super::{Call, collection, ids};
use super::{OFFLINE, ONLINE, check, read, snapshots, volume, volume_reference, work};
use crate::change::{Change, Requirement};
use crate::rest::Refusal;
use crate::sandbox::Outcome;
use crate::state::State;
use crate::stored::{Fields, Stored};

/// A group reaches this many volumes at most by numbers of its own.
const LUNS: i64 = 2048;

/// The number of a record as a text, which requirements can ask for.
const LUN_KEY: &str = "lunKey";

pub(in crate::dscc) const ROWS: &[Row] = &[
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/volumes/{}/export",
        &[Named::DeviceType2, Named::Volume],
        |call| {
            let (system, volume) = volume(call)?;
            export(call, system, volume, None)
        },
    ),
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/volumes/{}/un-export",
        &[Named::DeviceType2, Named::Volume],
        |call| {
            let (system, volume) = volume(call)?;
            withdraw(call, system, volume, None)
        },
    ),
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/volumes/{}/snapshots/{}/export",
        &[Named::DeviceType2, Named::Volume, Named::Snapshot2],
        |call| {
            let (system, volume, snapshot) = snapshots::addressed(call)?;
            export(call, system, volume, Some(snapshot))
        },
    ),
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/volumes/{}/snapshots/{}/un-export",
        &[Named::DeviceType2, Named::Volume, Named::Snapshot2],
        |call| {
            let (system, volume, snapshot) = snapshots::addressed(call)?;
            withdraw(call, system, volume, Some(snapshot))
        },
    ),
];

/// Access control records as a volume or one of its snapshots shows them.
pub(super) fn records(state: &State, volume: &Stored, snapshot: Option<&Stored>) -> Vec<Value> {
    let of = snapshot.unwrap_or(volume).text("id");
    let kind = if snapshot.is_some() {
        "snapshot"
    } else {
        "volume"
    };
    ACCESS
        .records_from(state, of)
        .map(|record| {
            let group = record.text("to");
            let name = state.get(collection::HOST_GROUPS, group);
            json!({
                "id": record.field("id"),
                "acl_id": record.field("id"),
                "access_protocol": kind,
                "apply_to": kind,
                "initiator_group_id": group,
                "initiator_group_name": name.map(|group| group.field("name")),
                "lun": record.field("lun"),
                "snapluns": [],
                "snap_id": snapshot.map(|snapshot| snapshot.field("id")),
                "snap_name": snapshot.map(|snapshot| snapshot.field("name")),
                "vol_id": volume.field("id"),
                "vol_name": volume.field("name"),
            })
        })
        .collect()
}

/// The groups that reach a volume, as the fleet shows them.
pub(in crate::dscc) fn reaching(state: &State, volume: &str) -> Vec<Value> {
    ACCESS
        .from(state, volume)
        .filter_map(|group| state.get(collection::HOST_GROUPS, group))
        .map(|group| {
            json!({
                "id": group.field("id"),
                "deviceDiscoveredName": group.field("name"),
                "type": "host-initiator-groups",
                "resourceUri": Kind::Group.uri(group.text("id")),
            })
        })
        .collect()
}

/// A record that lets a group reach a volume or a snapshot of it. The number is the one given, or
/// the next that is free.
pub(super) struct Grant<'a> {
    pub(super) of: &'a str,
    pub(super) volume: &'a str,
    pub(super) group: &'a str,
    pub(super) lun: Option<i64>,
}

impl Grant<'_> {
    /// Adds to the work what is changed at once and what when it is done. Numbers are given out when
    /// the work is accepted, so that two exports that overlap get different ones; nobody else may
    /// have the number by then.
    pub(super) fn add_to(&self, call: &mut Call<'_, '_>, work: &mut Work) -> Result<(), Refusal> {
        let group = self.group;
        let counter = format!("lun {group}");
        let taken = taken_luns(call.state, group);
        let lun = match self.lun {
            Some(lun) if taken.contains(&lun) => {
                let message = format!("lun: {lun} is taken; another volume of {group} has it");
                return Err(Refusal::BadRequest(message));
            }
            Some(lun) => lun,
            None => {
                let free = free_lun(call.state, &counter, &taken).ok_or_else(|| {
                    let message = format!("the host group {group} has no free LUN of {LUNS}");
                    Refusal::BadRequest(message)
                })?;
                work.first.push(Change::Put {
                    collection: collection::NUMBERS.to_owned(),
                    id: counter,
                    value: json!((free + 1) % LUNS),
                });
                free
            }
        };
        let key = lun.to_string();
        work.checks.push(check(
            ACCESS.none_to_with(group, LUN_KEY, &key),
            format!("the LUN {lun} of the host group {group} was taken meanwhile"),
            "Ask for another LUN, or for none.",
        ));
        let record = json!({
            "id": ids::device_type2(call.rng),
            "ofVolume": self.volume,
            "lun": lun,
            LUN_KEY: key,
        });
        work.then.push(ACCESS.add_with(self.of, self.group, record));
        Ok(())
    }
}

fn export<'a>(
    call: &mut Call<'a, '_>,
    system: &Stored,
    volume: &'a Stored,
    snapshot: Option<&'a Stored>,
) -> Result<Outcome, Refusal> {
    let subject = snapshot.unwrap_or(volume);
    let of = subject.text("id");
    let groups = groups(call, &read(call)?)?;
    let title = format!("Export {}", subject.text("name"));
    let resource = subject_reference(volume, snapshot);
    let mut work = work(system, title, resource, still_theres(volume, snapshot));
    for group in &groups {
        let there = check(
            Requirement::Exists {
                collection: collection::HOST_GROUPS.to_owned(),
                id: group.clone(),
            },
            format!("hostGroups: there is no host group {group}"),
            "Look whether somebody else deleted it.",
        );
        tasks::require(call.state, std::slice::from_ref(&there))?;
        work.checks.push(there);
        let name = subject.text("name");
        work.checks.push(check(
            ACCESS.unrelated(of, group),
            format!("{name} is exported to the host group {group} already"),
            "Nothing is left to do.",
        ));
        let grant = Grant {
            of,
            volume: volume.text("id"),
            group,
            lun: None,
        };
        grant.add_to(call, &mut work)?;
    }
    // A snapshot that hosts reach is online as long as they do.
    let reached = snapshot.filter(|_| !groups.is_empty());
    work.then
        .extend(reached.map(|snapshot| turn(call, snapshot, ONLINE)));
    tasks::start(call, work)
}

fn withdraw<'a>(
    call: &mut Call<'a, '_>,
    system: &Stored,
    volume: &'a Stored,
    snapshot: Option<&'a Stored>,
) -> Result<Outcome, Refusal> {
    let subject = snapshot.unwrap_or(volume);
    let of = subject.text("id");
    let groups = groups(call, &read(call)?)?;
    let mut checks = still_theres(volume, snapshot);
    let mut then = Vec::new();
    for group in &groups {
        let name = subject.text("name");
        checks.push(check(
            ACCESS.related(of, group),
            format!("hostGroups: {name} is not exported to the host group {group}"),
            "Nothing is left to do.",
        ));
        then.push(ACCESS.remove(of, group));
    }
    let gone: BTreeSet<&str> = groups.iter().map(String::as_str).collect();
    let last = ACCESS
        .from(call.state, of)
        .all(|group| gone.contains(group));
    then.extend(
        snapshot
            .filter(|_| last && !groups.is_empty())
            .map(|snapshot| turn(call, snapshot, OFFLINE)),
    );
    let title = format!("Un-export {}", subject.text("name"));
    let mut work = work(system, title, subject_reference(volume, snapshot), checks);
    work.then = then;
    tasks::start(call, work)
}

/// The host groups that the body names, each once.
fn groups(call: &Call<'_, '_>, body: &Value) -> Result<Vec<String>, Refusal> {
    let mut groups: Vec<String> = Vec::new();
    let mut seen = BTreeSet::new();
    let named = body.get("hostGroups").and_then(Value::as_array);
    for group in named.into_iter().flatten().filter_map(Value::as_str) {
        if seen.insert(group) {
            groups.push(group.to_owned());
        }
    }
    if groups.is_empty() && !call.is_about_nothing(body, "hostGroups") {
        let message = "hostGroups: names no host group";
        return Err(Refusal::BadRequest(message.to_owned()));
    }
    Ok(groups)
}

fn still_theres(volume: &Stored, snapshot: Option<&Stored>) -> Vec<WorkCheck> {
    let volume = still_there(collection::VOLUMES, "volume", volume);
    let snapshot = snapshot.map(|found| still_there(collection::SNAPSHOTS2, "snapshot", found));
    [volume].into_iter().chain(snapshot).collect()
}

fn subject_reference(volume: &Stored, snapshot: Option<&Stored>) -> Value {
    let volume_reference = volume_reference(volume);
    match snapshot {
        None => volume_reference,
        Some(snapshot) => {
            let volume_uri = volume_reference.text("resourceUri");
            let uri = format!("{volume_uri}/snapshots/{}", snapshot.text("id"));
            reference("snapshot", snapshot.text("name"), uri)
        }
    }
}

fn turn(call: &Call<'_, '_>, snapshot: &Stored, state: &str) -> Change {
    let fields = json!({"state": state, "generation": tasks::end(call).as_millisecond()});
    merge(collection::SNAPSHOTS2, snapshot.text("id"), fields)
}

/// The numbers that records of the group have.
fn taken_luns(state: &State, group: &str) -> BTreeSet<i64> {
    ACCESS
        .records_to(state, group)
        .filter_map(|record| record.get("lun").and_then(Stored::as_i64))
        .collect()
}

/// The next number that is free, if one is.
fn free_lun(state: &State, counter: &str, taken: &BTreeSet<i64>) -> Option<i64> {
    let next = state.get(collection::NUMBERS, counter);
    let next = next.and_then(Stored::as_i64).unwrap_or_default();
    (0..LUNS)
        .map(|step| (next + step) % LUNS)
        .find(|lun| !taken.contains(lun))
}
