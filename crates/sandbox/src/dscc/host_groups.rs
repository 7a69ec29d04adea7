//! Host groups: what volumes are exported to. They are made at once; changing and deleting them
//! takes a task (domain.md 6.5 and 7.8).

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::host_family::{self, find};
use super::host_input::{Making, elements, group, name_is_free, named};
use super::host_views::{self, Kind, OF_OTHERS, host_summary, initiators_of};
use super::relation::MEMBERS;
use super::routes::{Named, Row};
use super::tasks::require;
use super::{Call, host_volumes, ids, put};
use crate::rest::{Refusal, Virtual, body, flag};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

pub(super) const ROWS: &[Row] = &[
    Row::new("GET", "host-initiator-groups", &[], |call| {
        host_family::list(call, Kind::Group)
    })
    .filtered_by(Virtual::These(OF_OTHERS)),
    Row::new("POST", "host-initiator-groups", &[], create),
    Row::new(
        "GET",
        "host-initiator-groups/{}",
        &[Named::HostGroup],
        |call| host_family::get(call, Kind::Group),
    ),
    Row::new(
        "PUT",
        "host-initiator-groups/{}",
        &[Named::HostGroup],
        update,
    ),
    Row::new(
        "DELETE",
        "host-initiator-groups/{}",
        &[Named::HostGroup],
        delete,
    ),
];

fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let body = Value::Object(body(call.definition, call.request, call.settings)?);
    let mut making = Making::default();
    let name = named(&body, "name")?;
    making.checks.push(name_is_free(Kind::Group, &name, None));
    let id = ids::object(call.rng);
    let mut hosts = Vec::new();
    for known in making.known(call.state, &body, "hostIds", Kind::Host)? {
        making.changes.push(MEMBERS.add(&id, &known));
        let found = call.state.get(Kind::Host.collection(), &known);
        hosts.extend(found.map(|host| host_summary(host, &initiators_of(call.state, &known))));
    }
    for wanted in elements(&body, "hostsToCreate") {
        let host = making.host(call, wanted)?;
        making.changes.push(MEMBERS.add(&id, &host.id));
        hosts.push(host.summary());
    }
    require(call.state, &making.checks)?;
    let kept = group(&id, &body, call.moment.now().as_millisecond());
    let answer = host_views::group(&kept, &hosts, call.request.caller.customer_id);
    making.changes.push(put(Kind::Group.collection(), kept));
    Ok(Outcome {
        changes: making.changes,
        ..Outcome::ok(answer)
    })
}

/// `updatedHosts` and `hostsToCreate` come in, `removedHosts` go.
fn update(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let stored = find(call, Kind::Group)?;
    let id = stored.text("id");
    let body = Value::Object(body(call.definition, call.request, call.settings)?);
    let mut making = Making::default();
    let mut fields = Map::new();
    if !body.field("name").is_null() {
        let name = named(&body, "name")?;
        making
            .checks
            .push(name_is_free(Kind::Group, &name, Some(id)));
        fields.insert("name".to_owned(), name.into());
    }
    let added = making.known(call.state, &body, "updatedHosts", Kind::Host)?;
    let removed = making.known(call.state, &body, "removedHosts", Kind::Host)?;
    let here = |host: &String| call.state.holds(&MEMBERS.related(id, host));
    if let Some(stranger) = removed.iter().find(|host| !here(host)) {
        return Err(refused(stored, "removedHosts", stranger, "is not in it"));
    }
    let coming: BTreeSet<&String> = added.iter().collect();
    if let Some(both) = removed.iter().find(|host| coming.contains(host)) {
        return Err(refused(stored, "removedHosts", both, "is to come in, too"));
    }
    if let Some(values) = proximity(call, stored, &body, &added, &removed)? {
        fields.insert("hostProximityValues".to_owned(), values);
    }
    making
        .changes
        .extend(added.iter().map(|host| MEMBERS.add(id, host)));
    making
        .changes
        .extend(removed.iter().map(|host| MEMBERS.remove(id, host)));
    for wanted in elements(&body, "hostsToCreate") {
        let host = making.host(call, wanted)?;
        making.changes.push(MEMBERS.add(id, &host.id));
    }
    host_family::update(
        call,
        Kind::Group,
        stored,
        fields,
        making.checks,
        making.changes,
    )
}

/// With `force` the volumes that the group reaches are withdrawn from it. Its hosts stay.
fn delete(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let stored = find(call, Kind::Group)?;
    let id = stored.text("id");
    let force = flag(call.request, "force")?;
    let (checks, mut then) = host_volumes::withdrawal(stored, force);
    then.push(MEMBERS.forget_from(id));
    host_family::delete(call, Kind::Group, stored, checks, then)
}

/// How near the hosts are to the systems, as the body says; only hosts that the group will have can
/// be near to anything.
fn proximity(
    call: &Call<'_, '_>,
    stored: &Stored,
    body: &Value,
    added: &[String],
    removed: &[String],
) -> Result<Option<Value>, Refusal> {
    const KEY: &str = "hostProximityValues";
    let values = body.field(KEY);
    if values.is_null() {
        return Ok(None);
    }
    let added: BTreeSet<&str> = added.iter().map(String::as_str).collect();
    let removed: BTreeSet<&str> = removed.iter().map(String::as_str).collect();
    for value in elements(body, KEY) {
        let host = value.text("hostId");
        let is_member = call.state.holds(&MEMBERS.related(stored.text("id"), host));
        let stays = is_member && !removed.contains(host);
        if !stays && !added.contains(host) {
            return Err(refused(stored, KEY, host, "is not in it"));
        }
    }
    Ok(Some(values))
}

fn refused(group: &Stored, key: &str, host: &str, why: &str) -> Refusal {
    let name = group.text("name");
    Refusal::BadRequest(format!("{key}: the host {host} {why}; the group is {name}"))
}
