//! Who owns a volume collection: this system, or the partner that it was handed over to.
//!
//! The volumes of a collection that a partner owns are offline here. There is no second system
//! behind a partner; what is modelled is this system's side.

use serde_json::{Value, json};

use super::super::Call;
use super::super::collection;
use super::super::routes::{Named, Row};
use super::super::tasks::{self, merge};
use super::collections::{addressed, volumes, work_on};
use super::{OFFLINE, ONLINE, check, named, read};
use crate::change::{Change, Requirement};
use crate::rest::Refusal;
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

/// How far the handover of a collection is.
const NONE: &str = "";
pub(super) const RUNNING: &str = "running";
const ABORTED: &str = "aborted";

pub(in crate::dscc) const ROWS: &[Row] = &[
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/volume-collections/{}/actions/promote",
        &[Named::DeviceType2, Named::VolumeCollection],
        promote,
    ),
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/volume-collections/{}/actions/demote",
        &[Named::DeviceType2, Named::VolumeCollection],
        demote,
    ),
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/volume-collections/{}/actions/handover",
        &[Named::DeviceType2, Named::VolumeCollection],
        hand_over,
    ),
    Row::new(
        "POST",
        "storage-systems/device-type2/{}/volume-collections/{}/actions/abort-handover",
        &[Named::DeviceType2, Named::VolumeCollection],
        abort,
    ),
];

/// This system takes the collection over; its volumes come online.
fn promote(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = addressed(call)?;
    let mut work = work_on(system, stored, "Promote");
    work.then = owned_by(call, stored, "");
    tasks::start(call, work)
}

/// The partner takes the collection over, whatever becomes of it there.
fn demote(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = addressed(call)?;
    let partner = named(&read(call)?, "replication_partner_id")?;
    let mut work = work_on(system, stored, "Demote");
    work.then = owned_by(call, stored, &partner);
    tasks::start(call, work)
}

/// As [`demote`], but it can be aborted until it is done.
fn hand_over(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = addressed(call)?;
    let (id, name) = (stored.text("id"), stored.text("name"));
    let partner = named(&read(call)?, "replication_partner_id")?;
    if stored.text("handover") == RUNNING {
        let message = format!("the volume collection {name} is being handed over already");
        return Err(Refusal::BadRequest(message));
    }
    let mut work = work_on(system, stored, "Hand over");
    work.checks.push(check(
        Requirement::Differs {
            collection: collection::VOLUME_COLLECTIONS.to_owned(),
            id: id.to_owned(),
            field: "handover".to_owned(),
            text: ABORTED.to_owned(),
        },
        format!("a handover of the volume collection {name} was aborted"),
        "Start it again if it is still wanted.",
    ));
    work.first = vec![phase(id, RUNNING, &partner)];
    work.then = owned_by(call, stored, &partner);
    work.then.push(phase(id, NONE, ""));
    work.on_failure = vec![phase(id, NONE, "")];
    tasks::start(call, work)
}

/// Ends a handover that is under way; it fails then. When none is, nothing is left to do.
fn abort(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = addressed(call)?;
    let id = stored.text("id");
    let mut work = work_on(system, stored, "Abort the handover of");
    if stored.text("handover") == RUNNING {
        work.first = vec![phase(id, ABORTED, "")];
        work.then = vec![phase(id, NONE, "")];
    }
    tasks::start(call, work)
}

fn phase(id: &str, phase: &str, partner: &str) -> Change {
    let fields = json!({"handover": phase, "handoverPartner": partner});
    merge(collection::VOLUME_COLLECTIONS, id, fields)
}

/// The collection and its volumes once the partner owns them, or this system when there is none.
fn owned_by(call: &Call<'_, '_>, stored: &Stored, partner: &str) -> Vec<Change> {
    let id = stored.text("id");
    let done = tasks::end(call).as_millisecond();
    let (state, role) = match partner {
        "" => (ONLINE, "no_replication"),
        _ => (OFFLINE, "downstream"),
    };
    let owned = merge(
        collection::VOLUME_COLLECTIONS,
        id,
        json!({"partner": partner, "generation": done}),
    );
    let fields: Value = json!({
        "state": state,
        "replication_role": role,
        "modified": done,
        "generation": done,
    });
    let volumes = volumes(call.state, id)
        .map(|volume| merge(collection::VOLUMES, volume.text("id"), fields.clone()));
    [owned].into_iter().chain(volumes).collect()
}
