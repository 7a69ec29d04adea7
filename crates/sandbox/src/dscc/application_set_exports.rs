//! Volume sets of device-type1 exported and withdrawn as a whole: each member has a task of its own
//! below the one for the set.
//!
//! The set is exported as it is now; a volume that joins later is not exported by that.

use serde_json::Value;

use super::application_sets::{addressed, is_a_member, members, set_reference};
use super::exports::{Export, Luns, groups, withdrawal};
use super::routes::{Named, Row};
use super::tasks::{self, Work, still_there};
use super::volumes::{resource, system_reference};
use super::{Call, collection, some_where};
use crate::rest::{Refusal, body};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/applicationsets/{}/export",
        &[Named::DeviceType1, Named::VolumeSet],
        export,
    ),
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/applicationsets/{}/un-export",
        &[Named::DeviceType1, Named::VolumeSet],
        un_export,
    ),
];

/// Members that a group reaches already are left as they are.
fn export(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, set) = addressed(call)?;
    let body = body(call.definition, call.request, call.settings)?;
    let export = Export::parse(call, body, Some(set.text("id")))?;
    let mut luns = Luns::default();
    let mut parts = Vec::new();
    for volume in members(call.state, set.text("id")) {
        let missing = export.groups.iter().copied();
        let missing: Vec<&Stored> = missing
            .filter(|group| !is_exported(call, volume, group))
            .collect();
        if !missing.is_empty() {
            let mut work = export.to(missing).work(call, system, volume, &mut luns)?;
            work.checks.push(is_a_member(set, volume));
            parts.push(work);
        }
    }
    if parts.is_empty() {
        return Err(Refusal::BadRequest(format!(
            "the volume set {} has no member that is not exported to these host groups already",
            set.text("name")
        )));
    }
    let mut work = whole("Export", system, set);
    work.first = luns.taken();
    tasks::start_in_parts(call, work, parts)
}

fn un_export(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, set) = addressed(call)?;
    let body = body(call.definition, call.request, call.settings)?;
    let groups = groups(call, &Value::Object(body))?;
    let mut parts = Vec::new();
    for volume in members(call.state, set.text("id")) {
        let reached = groups.iter().copied();
        let reached: Vec<&Stored> = reached
            .filter(|group| is_exported(call, volume, group))
            .collect();
        if !reached.is_empty() {
            parts.push(withdrawal(system, volume, resource(volume), &reached));
        }
    }
    if parts.is_empty() {
        return Err(Refusal::BadRequest(format!(
            "the volume set {} has no member that is exported to these host groups",
            set.text("name")
        )));
    }
    let work = whole("Unexport", system, set);
    tasks::start_in_parts(call, work, parts)
}

fn is_exported(call: &Call<'_, '_>, volume: &Stored, group: &Stored) -> bool {
    let fields = [
        ("ofVolume", volume.text("id")),
        ("ofGroup", group.text("id")),
    ];
    call.state.holds(&some_where(collection::VLUNS, &fields))
}

fn whole(verb: &str, system: &Stored, set: &Stored) -> Work {
    Work {
        title: format!("{verb} volume set {}", set.text("name")),
        source: system_reference(system),
        resources: vec![set_reference(set)],
        checks: vec![still_there(collection::SETS, "volume set", set)],
        first: Vec::new(),
        then: Vec::new(),
        on_failure: Vec::new(),
    }
}
