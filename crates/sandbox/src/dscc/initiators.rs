//! Initiators: the ports of hosts. They are made and deleted at once (domain.md 6.5 and 7.8).

use serde_json::{Value, json};

use super::host_family::{self, find};
use super::host_input::Making;
use super::host_views::{self, Kind, OF_OTHERS};
use super::relation::PORTS;
use super::routes::{Named, Row};
use super::tasks::{WorkCheck, require};
use super::{Call, remove};
use crate::rest::{Refusal, Virtual, body};
use crate::sandbox::Outcome;
use crate::stored::Fields;

pub(super) const ROWS: &[Row] = &[
    Row::new("GET", "initiators", &[], |call| {
        host_family::list(call, Kind::Initiator)
    })
    .filtered_by(Virtual::These(OF_OTHERS)),
    Row::new("POST", "initiators", &[], create),
    Row::new("GET", "initiators/{}", &[Named::Initiator], |call| {
        host_family::get(call, Kind::Initiator)
    }),
    Row::new("DELETE", "initiators/{}", &[Named::Initiator], |call| {
        delete(call)
    }),
];

fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let body = Value::Object(body(call.definition, call.request, call.settings)?);
    let mut making = Making::default();
    let kept = making.initiator(call, &body)?;
    require(call.state, &making.checks)?;
    let customer = call.request.caller.customer_id;
    Ok(Outcome {
        changes: making.changes,
        ..Outcome::ok(host_views::initiator(&kept, &[], customer))
    })
}

/// An initiator that a host has is refused: the host would lose its way to its volumes unasked.
fn delete(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let stored = find(call, Kind::Initiator)?;
    let (id, name) = (stored.text("id"), stored.text("name"));
    let unused = WorkCheck {
        requirement: PORTS.none_to(id),
        complaint: format!("the initiator {name} belongs to a host; take it away from there first"),
        recommendation: "Update the host without it.",
    };
    require(call.state, &[unused])?;
    Ok(Outcome {
        changes: vec![remove(Kind::Initiator.collection(), id)],
        ..Outcome::ok(json!({"deleteInitiator": true}))
    })
}
