//! The volumes that hosts reach: everything that is exported to their groups, on either device type.
//! Whoever removes a group asks here, too.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::host_family::find;
use super::host_views::Kind;
use super::relation::{ACCESS, MEMBERS, PORTS};
use super::routes::{Named, Row};
use super::tasks::WorkCheck;
use super::{Call, Rendered, collection, exports, none_where, remove_where, systems};
use crate::change::Change;
use crate::rest::{Envelope, Refusal};
use crate::sandbox::Outcome;
use crate::state::State;
use crate::stored::{Fields, Stored};

pub(super) const ROWS: &[Row] = &[Row::new(
    "GET",
    "host-initiators/{}/volumes",
    &[Named::Host],
    |call| list(call),
)];

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let host = find(call, Kind::Host)?;
    let question = call.question()?;
    let paths = PORTS.from(call.state, host.text("id")).count();
    let mut seen = BTreeSet::new();
    let volumes = MEMBERS
        .to(call.state, host.text("id"))
        .flat_map(|group| exported(call.state, group))
        .filter(|volume| seen.insert(volume.text("id").to_owned()))
        .map(|volume| Rendered(view(call.state, volume, paths)));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(volumes, envelope)))
}

/// What must hold before a group is removed, and what goes with it: with `force` its exports go, too;
/// without it there must be none.
pub(super) fn withdrawal(group: &Stored, force: bool) -> (Vec<WorkCheck>, Vec<Change>) {
    let id = group.text("id");
    let vluns = [("ofGroup", id)];
    let gone = vec![
        ACCESS.forget_to(id),
        remove_where(collection::VLUNS, &vluns),
    ];
    if force {
        return (Vec::new(), gone);
    }
    let none = [ACCESS.none_to(id), none_where(collection::VLUNS, &vluns)];
    let checks = none.into_iter().map(|requirement| WorkCheck {
        requirement,
        complaint: format!(
            "volumes are exported to the host group {}; withdraw them first or send force=true",
            group.text("name")
        ),
        recommendation: "Withdraw the volumes from the group, or delete it with force=true.",
    });
    (checks.collect(), gone)
}

/// The volumes that are exported to a group, those of device-type1 first.
fn exported<'s>(state: &'s State, group: &'s str) -> impl Iterator<Item = &'s Stored> {
    exports::of_group(state, group)
        .map(|vlun| vlun.text("ofVolume"))
        .chain(ACCESS.to(state, group))
        .filter_map(|id| state.get(collection::VOLUMES, id))
}

/// No host writes to a stand-in, so that there is nothing to measure.
fn view(state: &State, volume: &Stored, paths: usize) -> Value {
    let system = state.get(collection::SYSTEMS, volume.text("systemId"));
    let system_uri = system.map(systems::uri).unwrap_or_default();
    json!({
        "volumeName": volume.field("name"),
        "systemId": volume.field("systemId"),
        "pathCount": paths,
        "iops": 0,
        "latencyMs": 0,
        "throughputKbps": 0,
        "resourceUri": format!("{system_uri}/volumes/{}", volume.text("id")),
    })
}
