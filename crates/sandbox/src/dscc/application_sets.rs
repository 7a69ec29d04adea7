//! Volume sets of device-type1, which the arrays call application sets (domain.md 7.8).
//!
//! A set is kept as `{id, systemId, name, number, appType, …}` without its members: each membership
//! is an object of its own, so that a volume finds its sets as quickly as a set its volumes.

use serde_json::{Value, json};

use super::application_set_input::{NewSet, SetEdit};
use super::routes::{Named, Row};
use super::systems::{self, Kind};
use super::tasks::{self, Work, WorkCheck, merge, reference, still_there};
use super::volume_changes::{next_number, take_numbers};
use super::volumes::{self, system_reference};
use super::{
    Call, Lazy, collection, exports, ids, link, none_where, not_found, plain, put, remove,
    remove_where, set, some_where,
};
use crate::change::{Change, Requirement};
use crate::rest::{Envelope, Refusal, body};
use crate::sandbox::Outcome;
use crate::state::State;
use crate::stored::{Fields, Stored};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/applicationsets",
        &[Named::DeviceType1],
        |call| list(call),
    ),
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/applicationsets",
        &[Named::DeviceType1],
        create,
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/applicationsets/{}",
        &[Named::DeviceType1, Named::VolumeSet],
        |call| get(call),
    ),
    Row::new(
        "PUT",
        "storage-systems/device-type1/{}/applicationsets/{}",
        &[Named::DeviceType1, Named::VolumeSet],
        edit,
    ),
    Row::new(
        "DELETE",
        "storage-systems/device-type1/{}/applicationsets/{}",
        &[Named::DeviceType1, Named::VolumeSet],
        delete,
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/applicationsets/{}/volumes",
        &[Named::DeviceType1, Named::VolumeSet],
        |call| members_list(call),
    ),
];

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let system = systems::find(call, call.path(0), Kind::DeviceType1)?;
    let owner = ("systemId", system.text("id"));
    let sets = call
        .candidates_of(collection::SETS, owner, question.filter.as_ref())
        .map(|set| Lazy::new(|| view(call, set)));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(sets, envelope)))
}

fn get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (_, found) = addressed(call)?;
    let mut shown = view(call, found);
    let console = uri(found).replacen("/api/v1", "/data-ops-manager", 1);
    set(&mut shown, "consoleUri", console);
    set(&mut shown, "requestUri", call.request.uri);
    call.one(shown)
}

/// The list stands one level deeper than elsewhere.
fn members_list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let (_, found) = addressed(call)?;
    let volumes = members(call.state, found.text("id")).map(|one| volumes::device(call, one));
    let page = question.answer(volumes, Envelope::WithUri(call.request.uri));
    let page = page.into_value();
    Ok(Outcome::ok(
        json!({"volumes": page, "requestUri": call.request.uri}),
    ))
}

fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = systems::find(call, call.path(0), Kind::DeviceType1)?;
    let system_id = system.text("id");
    let body = body(call.definition, call.request, call.settings)?;
    let new = NewSet::parse(call.state, system_id, body)?;
    let id = ids::object(call.rng);
    let number = next_number(call.state, system_id);
    let mut checks = vec![name_is_free(system_id, &new.name, None)];
    checks.extend(all_there(&new.members));
    let done = tasks::end(call).as_millisecond();
    let mut then = vec![put(collection::SETS, new.set(&id, system_id, number, done))];
    then.extend(new.members.iter().map(|volume| joined(&id, volume)));
    let work = Work {
        title: format!("Create volume set {}", new.name),
        source: system_reference(system),
        resources: vec![set_resource(system_id, &new.name, &id)],
        checks,
        first: vec![take_numbers(system_id, number.saturating_add(1))],
        then,
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

fn edit(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, found) = addressed(call)?;
    let (system_id, id) = (system.text("id"), found.text("id"));
    let body = body(call.definition, call.request, call.settings)?;
    let mut edit = SetEdit::parse(call.state, system_id, body)?;
    if !call.settings.strict {
        edit.keep_what_comes_and_goes();
    }
    let mut checks = vec![still_there(collection::SETS, "volume set", found)];
    if let Some(name) = &edit.name {
        checks.push(name_is_free(system_id, name, Some(id)));
    }
    checks.extend(all_there(&edit.added));
    checks.extend(edit.added.iter().map(|volume| not_a_member(found, volume)));
    for volume in &edit.removed {
        checks.push(is_a_member(found, volume));
        checks.push(not_exported_through(found, volume));
    }
    let done = tasks::end(call).as_millisecond();
    let mut then = vec![merge(collection::SETS, id, edit.fields(done))];
    let parted = edit.removed.iter();
    then.extend(parted.map(|volume| remove(collection::MEMBERS, &membership(id, volume))));
    then.extend(edit.added.iter().map(|volume| joined(id, volume)));
    let work = Work {
        title: format!("Edit volume set {}", found.text("name")),
        source: system_reference(system),
        resources: vec![set_reference(found)],
        checks,
        first: Vec::new(),
        then,
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

/// The members stay, and so do the snapshots that were made of them together; that they belong
/// together is forgotten.
fn delete(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, found) = addressed(call)?;
    let (id, name) = (found.text("id"), found.text("name"));
    let exported = WorkCheck {
        requirement: none_where(collection::VLUNS, &[("ofSet", id)]),
        complaint: format!("the volume set {name} is exported; withdraw it from its hosts first"),
        recommendation: "Un-export the set first.",
    };
    let work = Work {
        title: format!("Delete volume set {name}"),
        source: system_reference(system),
        resources: vec![set_reference(found)],
        checks: vec![still_there(collection::SETS, "volume set", found), exported],
        first: Vec::new(),
        then: vec![
            remove_where(collection::MEMBERS, &[("ofSet", id)]),
            remove_where(collection::SNAPSETS, &[("ofSet", id)]),
            remove(collection::SETS, id),
        ],
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

/// The members of a set, in the order in which they joined.
pub(super) fn members<'a>(state: &'a State, set: &str) -> impl Iterator<Item = &'a Stored> {
    state
        .with(collection::MEMBERS, "ofSet", set)
        .filter_map(|member| state.get(collection::VOLUMES, member.text("ofVolume")))
}

/// The id of the set that a volume joined first.
pub(super) fn first_of(state: &State, volume: &str) -> Value {
    let mut memberships = state.with(collection::MEMBERS, "ofVolume", volume);
    memberships
        .next()
        .map_or(Value::Null, |member| member.field("ofSet"))
}

/// The device-type1 system and its set that the path names.
pub(super) fn addressed<'a>(call: &Call<'a, '_>) -> Result<(&'a Stored, &'a Stored), Refusal> {
    let system = systems::find(call, call.path(0), Kind::DeviceType1)?;
    let id = call.path(1);
    let found = call
        .state
        .get(collection::SETS, id)
        .filter(|set| set.text("systemId") == system.text("id"))
        .ok_or_else(|| not_found("volume set of this system", id))?;
    Ok((system, found))
}

/// What makes a volume a member.
pub(super) fn joined(set: &str, volume: &Stored) -> Change {
    put(
        collection::MEMBERS,
        json!({
            "id": membership(set, volume),
            "ofSet": set,
            "ofVolume": volume.field("id"),
        }),
    )
}

/// That each of the volumes is still there.
pub(super) fn all_there(volumes: &[&Stored]) -> Vec<WorkCheck> {
    let volumes = volumes.iter();
    volumes
        .map(|volume| still_there(collection::VOLUMES, "volume", volume))
        .collect()
}

pub(super) fn set_reference(set: &Stored) -> Value {
    set_resource(set.text("systemId"), set.text("name"), set.text("id"))
}

pub(super) fn uri(set: &Stored) -> String {
    set_uri(set.text("systemId"), set.text("id"))
}

fn set_resource(system: &str, name: &str, id: &str) -> Value {
    reference("volume-set", name, set_uri(system, id))
}

fn set_uri(system: &str, id: &str) -> String {
    format!("/api/v1/storage-systems/device-type1/{system}/applicationsets/{id}")
}

fn membership(set: &str, volume: &Stored) -> String {
    format!("{set}/{}", volume.text("id"))
}

fn name_is_free(system: &str, name: &str, except: Option<&str>) -> WorkCheck {
    WorkCheck {
        requirement: Requirement::NameIsFree {
            collection: collection::SETS.to_owned(),
            name: name.to_owned(),
            within: Some(("systemId".to_owned(), system.to_owned())),
            except: except.map(str::to_owned),
        },
        complaint: format!("the system {system} has a volume set named {name} already"),
        recommendation: "Choose another name.",
    }
}

fn not_a_member(set: &Stored, volume: &Stored) -> WorkCheck {
    let fields = [("ofVolume", volume.text("id")), ("ofSet", set.text("id"))];
    WorkCheck {
        requirement: none_where(collection::MEMBERS, &fields),
        complaint: format!(
            "addMembers: the volume {} is a member already",
            volume.text("name")
        ),
        recommendation: "Look at the members of the set.",
    }
}

/// That the volume is still in the set.
pub(super) fn is_a_member(set: &Stored, volume: &Stored) -> WorkCheck {
    let fields = [("ofVolume", volume.text("id")), ("ofSet", set.text("id"))];
    WorkCheck {
        requirement: some_where(collection::MEMBERS, &fields),
        complaint: format!(
            "the volume {} is no member of the volume set {}",
            volume.text("name"),
            set.text("name")
        ),
        recommendation: "Look at the members of the set.",
    }
}

fn not_exported_through(set: &Stored, volume: &Stored) -> WorkCheck {
    let fields = [("ofVolume", volume.text("id")), ("ofSet", set.text("id"))];
    WorkCheck {
        requirement: none_where(collection::VLUNS, &fields),
        complaint: format!(
            "removeMembers: the volume {} is exported with the set; withdraw the set from its \
             hosts first",
            volume.text("name")
        ),
        recommendation: "Un-export the set first.",
    }
}

/// How much of a set hosts reach.
fn export_status(exported: usize, members: usize) -> &'static str {
    match (exported, members) {
        (0, _) => "NOT_EXPORTED",
        (exported, members) if exported < members => "PARTIALLY_EXPORTED",
        _ => "EXPORTED",
    }
}

fn view(call: &Call<'_, '_>, set: &Stored) -> Value {
    let (id, name, system) = (set.text("id"), set.text("name"), set.text("systemId"));
    let members: Vec<&Stored> = members(call.state, id).collect();
    let (mut initiators, mut exported) = (Vec::new(), 0);
    for member in &members {
        let before = initiators.len();
        let mut reached = false;
        for vlun in exports::of_volume(call.state, member.text("id")) {
            reached = true;
            let initiator = exports::initiator(call.state, vlun);
            if !initiators[..before].contains(&initiator) {
                initiators.push(initiator);
            }
        }
        exported += usize::from(reached);
    }
    let size: f64 = members.iter().map(|member| member.number("sizeMiB")).sum();
    json!({
        "id": id,
        "name": name,
        "displayName": format!("Application Set {name}"),
        "type": "volume-set",
        "appSetId": set.field("number"),
        "appSetName": name,
        "appSetType": set.field("appType"),
        "appSetComments": set.field("comment"),
        "appSetImportance": set.field("importance"),
        "appSetBusinessUnit": set.field("businessUnit"),
        "comment": set.field("comment"),
        "vvSetType": "VVSET",
        "kvPairsPresent": true,
        "members": members.iter().map(|member| member.field("name")).collect::<Value>(),
        "initiators": initiators,
        "exportStatus": export_status(exported, members.len()),
        "sizeMiB": plain(size),
        "systemId": system,
        "serialNumber": system,
        "domain": "",
        "customerId": call.request.caller.customer_id,
        "generation": set.field("generation"),
        "associatedLinks": [
            link("storage-systems", format!("/api/v1/storage-systems/device-type1/{system}")),
            link("volumes", format!("{}/volumes", uri(set))),
            link("snapsets", format!("{}/snapsets", uri(set))),
        ],
    })
}
