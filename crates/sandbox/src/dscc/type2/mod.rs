//! Device-type2 systems (Nimble, Alletra 5000 and 6000): their volumes, snapshots, clones, exports,
//! volume collections and pools, all in snake case (domain.md 7.8).
//!
//! A volume is kept with the volumes of the other device type, so that the fleet's lists and the
//! numbers of the pools hold both.

mod clones;
mod collection_view;
mod collections;
mod exports;
mod handover;
mod input;
mod pool_view;
mod pools;
mod snapshots;
mod system;
mod views;
mod volumes;

use hallpass_query::Filter;
use serde_json::{Value, json};

use super::systems::{self, Kind};
use super::tasks::{Work, WorkCheck, reference};
use super::{Call, collection, none_where, not_found, put, remove, remove_where};
use crate::change::Requirement;
use crate::rest::{Refusal, body};
use crate::stored::{Fields, Stored};

pub(super) use clones::ROWS as CLONES;
pub(super) use collection_view::uri as collection_uri;
pub(super) use collections::ROWS as COLLECTIONS;
pub(super) use collections::{kept as kept_collection, volumes as collected};
pub(super) use exports::{ROWS as EXPORTS, reaching};
pub(super) use handover::ROWS as HANDOVERS;
pub(super) use input::kept as kept_volume;
pub(super) use pools::ROWS as POOLS;
pub(super) use snapshots::{ROWS as SNAPSHOTS, kept as kept_snapshot};
pub(super) use system::{ROWS as SYSTEM, settings};
pub(super) use volumes::ROWS as VOLUMES;

/// Volumes and snapshots are one or the other; kept as this text, shown as `online`.
pub(super) const ONLINE: &str = "online";
pub(super) const OFFLINE: &str = "offline";

/// The system that the path begins with.
fn system<'a>(call: &Call<'a, '_>) -> Result<&'a Stored, Refusal> {
    systems::find(call, call.path(0), Kind::DeviceType2)
}

/// The object of that system that the path goes on with.
fn on_system<'a>(
    call: &Call<'a, '_>,
    collection: &'static str,
    what: &str,
) -> Result<(&'a Stored, &'a Stored), Refusal> {
    let system = system(call)?;
    let id = call.path(1);
    let object = known(call, system, collection, id);
    let object = object.ok_or_else(|| not_found(what, id))?;
    Ok((system, object))
}

/// The object of that id, if it is on the system.
fn known<'a>(
    call: &Call<'a, '_>,
    system: &Stored,
    collection: &'static str,
    id: &str,
) -> Option<&'a Stored> {
    let found = call.state.get(collection, id);
    found.filter(|object| object.text("systemId") == system.text("id"))
}

/// The objects of a system that can match. The filter still judges each.
fn of_system<'a>(
    call: &Call<'a, '_>,
    collection: &'static str,
    system: &'a Stored,
    filter: Option<&Filter>,
) -> Box<dyn Iterator<Item = &'a Stored> + 'a> {
    call.candidates_of(collection, ("systemId", system.text("id")), filter)
}

fn volume<'a>(call: &Call<'a, '_>) -> Result<(&'a Stored, &'a Stored), Refusal> {
    on_system(call, collection::VOLUMES, "volume of this system")
}

fn read(call: &Call<'_, '_>) -> Result<Value, Refusal> {
    let body = body(call.definition, call.request, call.settings)?;
    Ok(Value::Object(body))
}

/// Work on one object of a system that changes nothing yet.
fn work(system: &Stored, title: String, resource: Value, checks: Vec<WorkCheck>) -> Work {
    Work {
        title,
        source: reference("storage-system", system.text("name"), systems::uri(system)),
        resources: vec![resource],
        checks,
        first: Vec::new(),
        then: Vec::new(),
        on_failure: Vec::new(),
    }
}

fn volume_uri(system: &str, id: &str) -> String {
    format!("/api/v1/storage-systems/device-type2/{system}/volumes/{id}")
}

fn volume_reference(volume: &Stored) -> Value {
    let uri = volume_uri(volume.text("systemId"), volume.text("id"));
    reference("volume", volume.text("name"), uri)
}

/// That a name is free among what a system, or another object, has of a kind.
fn name_is_free(
    collection: &str,
    what: &str,
    within: (&str, &str),
    name: &str,
    except: Option<&str>,
) -> WorkCheck {
    let (field, owner) = within;
    WorkCheck {
        requirement: Requirement::NameIsFree {
            collection: collection.to_owned(),
            name: name.to_owned(),
            within: Some((field.to_owned(), owner.to_owned())),
            except: except.map(str::to_owned),
        },
        complaint: format!("there is a {what} named {name} already"),
        recommendation: "Choose another name.",
    }
}

/// That a volume or snapshot is offline.
fn is_offline(collection: &str, id: &str, complaint: String) -> WorkCheck {
    WorkCheck {
        requirement: Requirement::Differs {
            collection: collection.to_owned(),
            id: id.to_owned(),
            field: "state".to_owned(),
            text: ONLINE.to_owned(),
        },
        complaint,
        recommendation: "Take it offline first, or send force=true.",
    }
}

fn check(requirement: Requirement, complaint: String, recommendation: &'static str) -> WorkCheck {
    WorkCheck {
        requirement,
        complaint,
        recommendation,
    }
}

/// The name that a body gives, which must not be blank.
fn named(body: &Value, key: &str) -> Result<String, Refusal> {
    super::host_input::named(body, key)
}

/// Whether the body says yes.
fn yes(body: &Value, key: &str) -> bool {
    body.get(key) == Some(&json!(true))
}

fn truth(stored: &Stored, field: &str) -> bool {
    stored.get(field) == Some(&Stored::Bool(true))
}

/// Device-type2 counts seconds.
fn seconds(stored: &Stored, field: &str) -> Value {
    super::plain((stored.number(field) / 1000.0).floor())
}
