//! The volumes that hosts reach: everything that is exported to their groups, on either device type.
//! Whoever removes a group asks here, too.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::host_family::find;
use super::host_views::Kind;
use super::relation::{ACCESS, MEMBERS, PORTS};
use super::routes::{Named, Row};
use super::tasks::WorkCheck;
use super::{Call, Rendered, collection, systems};
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
    if force {
        return (Vec::new(), vec![ACCESS.forget_to(id)]);
    }
    let check = WorkCheck {
        requirement: ACCESS.none_to(id),
        complaint: format!(
            "volumes are exported to the host group {}; withdraw them first or send force=true",
            group.text("name")
        ),
        recommendation: "Withdraw the volumes from the group, or delete it with force=true.",
    };
    (vec![check], Vec::new())
}

/// The volumes that are exported to a group.
fn exported<'s>(state: &'s State, group: &'s str) -> impl Iterator<Item = &'s Stored> {
    ACCESS
        .to(state, group)
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
