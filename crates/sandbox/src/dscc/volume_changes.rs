//! Volumes of device-type1 created, edited and deleted; each takes a task (domain.md 7.8).
//!
//! Volumes are thin: what is promised may exceed what a pool has, what is used may not, and no
//! volume may be larger than its whole pool.

use serde_json::json;

use super::routes::{Named, Row};
use super::systems::{self, Kind};
use super::tasks::{self, Work, WorkCheck, merge, still_there};
use super::volume_input::{Creation, Edit};
use super::volumes::{addressed, resource, resource_of, system_reference};
use super::{Call, collection, ids, none_where, put, remove, remove_where};
use crate::change::{Change, Requirement};
use crate::rest::{Refusal, body, flag};
use crate::sandbox::Outcome;
use crate::state::State;
use crate::stored::{Fields, Stored};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/volumes",
        &[Named::DeviceType1],
        create,
    ),
    Row::new(
        "PUT",
        "storage-systems/device-type1/{}/volumes/{}",
        &[Named::DeviceType1, Named::Volume],
        edit,
    ),
    Row::new(
        "DELETE",
        "storage-systems/device-type1/{}/volumes/{}",
        &[Named::DeviceType1, Named::Volume],
        delete,
    ),
];

/// Several volumes are made by a task each, below one task for the whole.
fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = systems::find(call, call.path(0), Kind::DeviceType1)?;
    let system_id = system.text("id");
    let body = body(call.definition, call.request, call.settings)?;
    let creation = Creation::parse(call.state, system_id, &body, call.settings.volumes_per_call)?;
    let names = creation.names();
    let number = next_number(call.state, system_id);
    let numbered = (number..).zip(&names);
    let mut parts: Vec<Work> = numbered
        .map(|(number, name)| creation_of(call, system, &creation, name, number))
        .collect();
    let following = number.saturating_add_unsigned(names.len() as u64);
    let first = vec![take_numbers(system_id, following)];
    if names.len() == 1
        && let Some(mut only) = parts.pop()
    {
        only.first = first;
        return tasks::start(call, only);
    }
    let work = Work {
        title: title("Create", &names),
        source: system_reference(system),
        resources: parts
            .iter()
            .flat_map(|part| part.resources.clone())
            .collect(),
        checks: Vec::new(),
        first,
        then: Vec::new(),
        on_failure: Vec::new(),
    };
    tasks::start_in_parts(call, work, parts)
}

fn creation_of(
    call: &mut Call<'_, '_>,
    system: &Stored,
    creation: &Creation,
    name: &str,
    number: i64,
) -> Work {
    let system_id = system.text("id");
    let done = tasks::end(call).as_millisecond();
    let id = ids::object(call.rng);
    let wwn = ids::volume_wwn(call.rng);
    Work {
        title: format!("Create volume {name}"),
        source: system_reference(system),
        resources: vec![resource_of(system_id, name, &id)],
        checks: names_are_free(system_id, name, None),
        first: Vec::new(),
        then: vec![put(
            collection::VOLUMES,
            creation.volume(&id, name, number, &wwn, done),
        )],
        on_failure: Vec::new(),
    }
}

fn edit(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, volume) = addressed(call)?;
    let (system_id, id) = (system.text("id"), volume.text("id"));
    let body = body(call.definition, call.request, call.settings)?;
    let edit = Edit::parse(call.state, system_id, volume, &body)?;
    let mut checks = vec![still_there(collection::VOLUMES, "volume", volume)];
    if let Some(name) = edit.name() {
        checks.extend(names_are_free(system_id, name, Some(id)));
    }
    if let Some(size) = edit.size_mib() {
        checks.push(only_grows(id, size));
    }
    if let Some(pool) = edit.pool().filter(|pool| *pool != volume.text("poolId")) {
        checks.push(fits(call.state, pool, volume.number("usedSizeMiB")));
    }
    let done = tasks::end(call).as_millisecond();
    let work = Work {
        title: title("Edit", &[volume.text("name").to_owned()]),
        source: system_reference(system),
        resources: vec![resource(volume)],
        checks,
        first: Vec::new(),
        then: vec![merge(collection::VOLUMES, id, edit.fields(done))],
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

/// With `unExport` the volume is withdrawn from its host groups first, and with `cascade` its
/// snapshots go with it. Nothing takes it out of its sets or parts it from its clones.
fn delete(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, volume) = addressed(call)?;
    let (name, id) = (volume.text("name"), volume.text("id"));
    let mine = [("ofVolume", id)];
    // Those of its snapshots.
    let below = [("copyOf", id)];
    let mut checks = vec![still_there(collection::VOLUMES, "volume", volume)];
    let mut then = Vec::new();
    if flag(call.request, "unExport")? {
        then.push(remove_where(collection::VLUNS, &mine));
        then.push(remove_where(collection::VLUNS, &below));
    } else {
        for (exports, what) in [(mine, "the volume"), (below, "a snapshot of the volume")] {
            checks.push(WorkCheck {
                requirement: none_where(collection::VLUNS, &exports),
                complaint: format!(
                    "{what} {name} is exported; withdraw it from its hosts first or send \
                     unExport=true"
                ),
                recommendation: "Send unExport=true.",
            });
        }
    }
    if flag(call.request, "cascade")? {
        checks.push(none_retained(call, volume));
        then.push(remove_where(collection::SNAPSHOTS, &mine));
    } else {
        checks.push(WorkCheck {
            requirement: none_where(collection::SNAPSHOTS, &mine),
            complaint: format!(
                "the volume {name} has snapshots; delete them first or send cascade=true"
            ),
            recommendation: "Send cascade=true.",
        });
    }
    checks.push(in_no_set(volume));
    checks.push(without_clones(volume));
    then.push(remove(collection::VOLUMES, id));
    let work = Work {
        title: title("Delete", &[name.to_owned()]),
        source: system_reference(system),
        resources: vec![resource(volume)],
        checks,
        first: Vec::new(),
        then,
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

fn none_retained(call: &Call<'_, '_>, volume: &Stored) -> WorkCheck {
    let now = super::milliseconds(call.moment.now());
    WorkCheck {
        requirement: Requirement::NoneWhere {
            collection: collection::SNAPSHOTS.to_owned(),
            fields: vec![("ofVolume".to_owned(), volume.text("id").to_owned())],
            above: Some(("retains".to_owned(), now)),
        },
        complaint: format!(
            "the volume {} has a snapshot that must be retained for some time yet",
            volume.text("name")
        ),
        recommendation: "Wait until its retention time is over.",
    }
}

fn in_no_set(volume: &Stored) -> WorkCheck {
    WorkCheck {
        requirement: none_where(collection::MEMBERS, &[("ofVolume", volume.text("id"))]),
        complaint: format!(
            "the volume {} is a member of a volume set; take it out first",
            volume.text("name")
        ),
        recommendation: "Take the volume out of its sets first.",
    }
}

fn without_clones(volume: &Stored) -> WorkCheck {
    WorkCheck {
        requirement: none_where(collection::VOLUMES, &[("copyOf", volume.text("id"))]),
        complaint: format!(
            "the volume {} has clones; promote or delete them first",
            volume.text("name")
        ),
        recommendation: "Promote the clones, which makes them volumes of their own.",
    }
}

fn only_grows(id: &str, size: f64) -> WorkCheck {
    WorkCheck {
        requirement: Requirement::AtMost {
            collection: collection::VOLUMES.to_owned(),
            id: id.to_owned(),
            field: "sizeMiB".to_owned(),
            limit: size,
        },
        complaint: format!("a volume can only grow, and this one is larger than {size} MiB"),
        recommendation: "Ask for a larger size.",
    }
}

/// That so much more can be used in the pool.
pub(super) fn fits(state: &State, pool: &str, more_mib: f64) -> WorkCheck {
    let pool = state.get(collection::POOLS, pool);
    let (id, name) = pool.map_or(("", ""), |pool| (pool.text("id"), pool.text("name")));
    let total = pool.map_or(0.0, |pool| pool.number("totalSizeMiB"));
    WorkCheck {
        requirement: Requirement::SumAtMost {
            collection: collection::VOLUMES.to_owned(),
            pool: id.to_owned(),
            field: "usedSizeMiB".to_owned(),
            limit: total - more_mib,
        },
        complaint: format!("the pool {name} has no {more_mib} MiB free"),
        recommendation: "Choose another pool, or delete what is not needed.",
    }
}

/// Thin volumes may together be promised more than there is, but each alone could be written full.
pub(super) fn within_pool(
    state: &State,
    pool: &str,
    key: &str,
    size_mib: f64,
) -> Result<(), Refusal> {
    let pool = state.get(collection::POOLS, pool);
    let total = pool.map_or(0.0, |pool| pool.number("totalSizeMiB"));
    if size_mib <= total {
        return Ok(());
    }
    let name = pool.map_or("", |pool| pool.text("name"));
    Err(Refusal::BadRequest(format!(
        "{key}: {size_mib} MiB is more than the whole pool {name} has, {total} MiB"
    )))
}

/// Numbers are given out when a creation is accepted, so that two that overlap get different ones.
pub(super) fn next_number(state: &State, system: &str) -> i64 {
    state
        .get(collection::NUMBERS, system)
        .and_then(|next| next.unpack().as_i64())
        .unwrap_or_default()
}

/// What makes the following number the next to be given out.
pub(super) fn take_numbers(system: &str, following: i64) -> Change {
    Change::Put {
        collection: collection::NUMBERS.to_owned(),
        id: system.to_owned(),
        value: json!(following),
    }
}

/// Volumes and snapshots of a system are told apart by their names, all together.
pub(super) fn names_are_free(system: &str, name: &str, except: Option<&str>) -> Vec<WorkCheck> {
    let check = |(collection, what): (&str, &str)| WorkCheck {
        requirement: Requirement::NameIsFree {
            collection: collection.to_owned(),
            name: name.to_owned(),
            within: Some(("systemId".to_owned(), system.to_owned())),
            except: except.map(str::to_owned),
        },
        complaint: format!("the system {system} has a {what} named {name} already"),
        recommendation: "Choose another name.",
    };
    [
        (collection::VOLUMES, "volume"),
        (collection::SNAPSHOTS, "snapshot"),
    ]
    .map(check)
    .to_vec()
}

fn title(verb: &str, names: &[String]) -> String {
    match names {
        [name] => format!("{verb} volume {name}"),
        [first, .., last] => format!("{verb} {} volumes {first} to {last}", names.len()),
        [] => format!("{verb} no volume"),
    }
}
