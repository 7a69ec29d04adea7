//! Volumes: seen across the fleet and on their system, created, edited and deleted on device-type1.

use serde_json::{Value, json};

use super::routes::{Named, Row};
use super::systems::{self, Kind};
use super::tasks::{self, Work, WorkCheck, merge, reference, still_there};
use super::volume_input::{Creation, Edit};
use super::volume_views::{Device, Fleet};
use super::{Call, collection, elements, ids, not_found, set};
use crate::change::{Change, Requirement};
use crate::rest::{Envelope, Item, Refusal, body, flag};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

pub(super) const ROWS: &[Row] = &[
    Row::new("GET", "volumes", &[], |call| fleet_list(call)),
    Row::new("GET", "volumes/{}", &[Named::Volume], |call| {
        fleet_get(call)
    }),
    Row::new(
        "GET",
        "storage-systems/{}/volumes",
        &[Named::System],
        |call| system_list(call),
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/volumes",
        &[Named::DeviceType1],
        |call| device_list(call),
    ),
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/volumes",
        &[Named::DeviceType1],
        create,
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/volumes/{}",
        &[Named::DeviceType1, Named::Volume],
        |call| device_get(call),
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

fn fleet_list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    list(call, None, fleet)
}

fn system_list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = systems::find(call, call.path(0), Kind::Fleet)?;
    list(call, Some(system.text("id")), fleet)
}

fn device_list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = systems::find(call, call.path(0), Kind::DeviceType1)?;
    list(call, Some(system.text("id")), |call, stored| {
        Device(fleet(call, stored))
    })
}

fn fleet_get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let id = call.path(0);
    let stored = call
        .state
        .get(collection::VOLUMES, id)
        .ok_or_else(|| not_found("volume", id))?;
    let mut shown = fleet(call, stored).render();
    set(&mut shown, "requestUri", call.request.uri);
    call.one(shown)
}

fn device_get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (_, stored) = addressed(call)?;
    let device = fleet(call, stored);
    let console = device.render().get("consoleUri").cloned();
    let mut shown = Device(device).render();
    set(&mut shown, "consoleUri", console.unwrap_or_default());
    set(&mut shown, "requestUri", call.request.uri);
    call.one(shown)
}

fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = systems::find(call, call.path(0), Kind::DeviceType1)?;
    let system_id = system.text("id");
    let body = body(call.definition, call.request, call.settings.strict)?;
    let creation = Creation::parse(call.state, system_id, &body, call.settings.volumes_per_call)?;
    let names = creation.names();
    let first_number = next_number(call, system_id);
    let done = tasks::end(call).as_millisecond();

    let mut then = Vec::with_capacity(names.len());
    let mut resources = Vec::with_capacity(names.len());
    for (number, name) in (first_number..).zip(&names) {
        let id = ids::object(call.rng);
        let wwn = ids::volume_wwn(call.rng);
        let value = creation.volume(&id, name, number, &wwn, done);
        resources.push(resource(system_id, name, &id));
        then.push(Change::Put {
            collection: collection::VOLUMES.to_owned(),
            id,
            value,
        });
    }
    let following = first_number.saturating_add_unsigned(names.len() as u64);
    let work = Work {
        title: title("Create", &names),
        source: system_reference(system),
        resources,
        checks: names
            .iter()
            .map(|name| name_is_free(system_id, name, None))
            .collect(),
        first: vec![Change::Put {
            collection: collection::NUMBERS.to_owned(),
            id: system_id.to_owned(),
            value: json!(following),
        }],
        then,
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

fn edit(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = addressed(call)?;
    let (system_id, id) = (system.text("id"), stored.text("id"));
    let body = body(call.definition, call.request, call.settings.strict)?;
    let edit = Edit::parse(call.state, system_id, &body)?;
    let mut checks = vec![still_there(collection::VOLUMES, "volume", stored)];
    if let Some(name) = edit.name() {
        checks.push(name_is_free(system_id, name, Some(id)));
    }
    if let Some(size) = edit.size_mib() {
        checks.push(WorkCheck {
            requirement: Requirement::AtMost {
                collection: collection::VOLUMES.to_owned(),
                id: id.to_owned(),
                field: "sizeMiB".to_owned(),
                limit: size,
            },
            complaint: format!("a volume can only grow, and this one is larger than {size} MiB"),
            recommendation: "Ask for a larger size.",
        });
    }
    let work = Work {
        title: title("Edit", &[stored.text("name").to_owned()]),
        source: system_reference(system),
        resources: vec![resource(system_id, stored.text("name"), id)],
        checks,
        first: Vec::new(),
        then: vec![merge(
            collection::VOLUMES,
            id,
            edit.fields(tasks::end(call).as_millisecond()),
        )],
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

/// There are no snapshots here, so `cascade` has nothing to take along.
fn delete(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, stored) = addressed(call)?;
    let (name, id) = (stored.text("name"), stored.text("id"));
    flag(call.request, "cascade")?;
    let exported = !elements(stored, "initiators").is_empty();
    if !flag(call.request, "unExport")? && exported {
        return Err(Refusal::BadRequest(format!(
            "the volume {name} is exported; withdraw it from its hosts first or send unExport=true"
        )));
    }
    let work = Work {
        title: title("Delete", &[name.to_owned()]),
        source: system_reference(system),
        resources: vec![resource(system.text("id"), name, id)],
        checks: vec![still_there(collection::VOLUMES, "volume", stored)],
        first: Vec::new(),
        then: vec![Change::Remove {
            collection: collection::VOLUMES.to_owned(),
            id: id.to_owned(),
        }],
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

fn list<'a, T: Item>(
    call: &Call<'a, '_>,
    system: Option<&str>,
    view: impl Fn(&Call<'a, '_>, &'a Stored) -> T,
) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let volumes = call
        .candidates(collection::VOLUMES, question.filter.as_ref())
        .filter(|volume| system.is_none_or(|system| volume.text("systemId") == system))
        .map(|volume| view(call, volume));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(volumes, envelope)))
}

fn fleet<'a>(call: &Call<'a, '_>, stored: &'a Stored) -> Fleet<'a> {
    Fleet {
        stored,
        state: call.state,
        customer: call.request.caller.customer_id,
    }
}

/// The device-type1 system and its volume that the path names.
fn addressed<'a>(call: &Call<'a, '_>) -> Result<(&'a Stored, &'a Stored), Refusal> {
    let system = systems::find(call, call.path(0), Kind::DeviceType1)?;
    let id = call.path(1);
    let volume = call
        .state
        .get(collection::VOLUMES, id)
        .filter(|volume| volume.text("systemId") == system.text("id"))
        .ok_or_else(|| not_found("volume of this system", id))?;
    Ok((system, volume))
}

/// Numbers are given out when a creation is accepted, so that two that overlap get different ones.
fn next_number(call: &Call<'_, '_>, system: &str) -> i64 {
    call.state
        .get(collection::NUMBERS, system)
        .and_then(|next| next.unpack().as_i64())
        .unwrap_or_default()
}

fn name_is_free(system: &str, name: &str, except: Option<&str>) -> WorkCheck {
    WorkCheck {
        requirement: Requirement::NameIsFree {
            collection: collection::VOLUMES.to_owned(),
            name: name.to_owned(),
            within: Some(("systemId".to_owned(), system.to_owned())),
            except: except.map(str::to_owned),
        },
        complaint: format!("the system {system} has a volume named {name} already"),
        recommendation: "Choose another name.",
    }
}

fn title(verb: &str, names: &[String]) -> String {
    match names {
        [name] => format!("{verb} volume {name}"),
        [first, .., last] => format!("{verb} {} volumes {first} to {last}", names.len()),
        [] => format!("{verb} no volume"),
    }
}

fn resource(system: &str, name: &str, id: &str) -> Value {
    let uri = format!("/api/v1/storage-systems/device-type1/{system}/volumes/{id}");
    reference("volume", name, uri)
}

fn system_reference(system: &Stored) -> Value {
    reference("storage-system", system.text("name"), systems::uri(system))
}
