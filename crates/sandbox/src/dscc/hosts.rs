//! Hosts. They are made at once; changing and deleting them takes a task (domain.md 6.5 and 7.8).
//!
//! A host is kept without its initiators and groups: those relations are kept by themselves.

use serde_json::{Map, Value};

use super::Call;
use super::host_family::{self, find};
use super::host_input::{Making, name_is_free, named};
use super::host_views::{self, Kind, OF_HOSTS};
use super::relation::{MEMBERS, PORTS};
use super::routes::{Named, Row};
use super::tasks::{WorkCheck, require};
use crate::rest::{Refusal, Virtual, body, flag};
use crate::sandbox::Outcome;
use crate::stored::Fields;

pub(super) const ROWS: &[Row] = &[
    Row::new("GET", "host-initiators", &[], |call| {
        host_family::list(call, Kind::Host)
    })
    .filtered_by(Virtual::These(OF_HOSTS)),
    Row::new("POST", "host-initiators", &[], create),
    Row::new("GET", "host-initiators/{}", &[Named::Host], |call| {
        host_family::get(call, Kind::Host)
    }),
    Row::new("PUT", "host-initiators/{}", &[Named::Host], update),
    Row::new("DELETE", "host-initiators/{}", &[Named::Host], delete),
];

fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let body = Value::Object(body(call.definition, call.request, call.settings)?);
    let mut making = Making::default();
    let host = making.host(call, &body)?;
    require(call.state, &making.checks)?;
    let customer = call.request.caller.customer_id;
    let groups = host.groups(call.state);
    let answer = host_views::host(&host.kept, &host.initiators, &groups, customer);
    Ok(Outcome {
        changes: making.changes,
        ..Outcome::ok(answer)
    })
}

/// `updatedInitiators` are those that the host is to have from now on; `initiatorsToCreate` come on
/// top.
fn update(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let stored = find(call, Kind::Host)?;
    let id = stored.text("id");
    let body = Value::Object(body(call.definition, call.request, call.settings)?);
    let mut making = Making::default();
    let mut fields = Map::new();
    if !body.field("name").is_null() {
        let name = named(&body, "name")?;
        making
            .checks
            .push(name_is_free(Kind::Host, &name, Some(id)));
        fields.insert("name".to_owned(), name.into());
    }
    if !body.field("updatedInitiators").is_null() {
        making.changes.push(PORTS.forget_from(id));
    }
    for initiator in making.known(call.state, &body, "updatedInitiators", Kind::Initiator)? {
        making.changes.push(PORTS.add(id, &initiator));
    }
    for initiator in making.initiators(call, &body)? {
        making.changes.push(PORTS.add(id, initiator.text("id")));
    }
    host_family::update(
        call,
        Kind::Host,
        stored,
        fields,
        making.checks,
        making.changes,
    )
}

/// With `force` the host leaves its groups. Its initiators stay: they are there without it.
fn delete(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let stored = find(call, Kind::Host)?;
    let (id, name) = (stored.text("id"), stored.text("name"));
    let mut checks = Vec::new();
    if !flag(call.request, "force")? {
        checks.push(WorkCheck {
            requirement: MEMBERS.none_to(id),
            complaint: format!(
                "the host {name} belongs to a host group; take it out first or send force=true"
            ),
            recommendation: "Take the host out of its groups, or delete it with force=true.",
        });
    }
    let then = vec![MEMBERS.forget_to(id), PORTS.forget_from(id)];
    host_family::delete(call, Kind::Host, stored, checks, then)
}
