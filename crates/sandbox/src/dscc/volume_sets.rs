//! Volume sets as the fleet shows them, whatever the device type (domain.md 7.8): those of device-type1, and
//! the volume collections of device-type2.

use serde_json::{Value, json};

use super::application_sets::{self, members};
use super::routes::{Named, Row};
use super::systems::{self, Kind, TYPE1, TYPE2};
use super::{Call, Lazy, collection, link, not_found, set};
use super::{type2, volumes};
use crate::rest::{Envelope, Refusal};
use crate::sandbox::Outcome;
use crate::state::State;
use crate::stored::{Fields, Stored};

pub(super) const ROWS: &[Row] = &[
    Row::new("GET", "volume-sets", &[], |call| list(call)),
    Row::new("GET", "volume-sets/{}", &[Named::VolumeSet], |call| {
        get(call)
    }),
    Row::new(
        "GET",
        "volume-sets/{}/volumes",
        &[Named::VolumeSet],
        |call| members_list(call),
    ),
    Row::new(
        "GET",
        "storage-systems/{}/volume-sets",
        &[Named::System],
        |call| system_list(call),
    ),
    Row::new(
        "GET",
        "storage-systems/{}/volume-sets/{}",
        &[Named::System, Named::VolumeSet],
        |call| system_get(call),
    ),
];

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let filter = question.filter.as_ref();
    let sets = KINDS
        .iter()
        .flat_map(|(kept_in, _)| call.candidates(kept_in, filter))
        .map(|set| Lazy::new(|| with_members(call, set)));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(sets, envelope)))
}

fn system_list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let system = systems::find(call, call.path(0), Kind::Fleet)?;
    let owner = ("systemId", system.text("id"));
    let filter = question.filter.as_ref();
    let sets = KINDS
        .iter()
        .flat_map(|(kept_in, _)| call.candidates_of(kept_in, owner, filter))
        .map(|set| Lazy::new(|| with_members(call, set)));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(sets, envelope)))
}

fn get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let found = found(call, call.path(0))?;
    call.one(view(call, found))
}

fn system_get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let system = systems::find(call, call.path(0), Kind::Fleet)?;
    let id = call.path(1);
    let found = found(call, id)?;
    if found.text("systemId") != system.text("id") {
        return Err(not_found("volume set of this system", id));
    }
    let mut shown = view(call, found);
    let console = uri(call.state, found).replacen("/api/v1", "/data-ops-manager", 1);
    let count = volumes_in(call.state, found).count();
    set(&mut shown, "volumesCount", count);
    set(&mut shown, "consoleUri", console);
    set(&mut shown, "requestUri", call.request.uri);
    call.one(shown)
}

/// The service answers with the set itself here; the page of its volumes stands beside its fields,
/// for those who take the answer for the list that the address promises.
fn members_list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let found = found(call, call.path(0))?;
    let volumes = volumes_in(call.state, found).map(|one| volumes::fleet(call, one));
    let page = question.answer(volumes, Envelope::WithUri(call.request.uri));
    let mut shown = page.into_value();
    if let Value::Object(fields) = with_members(call, found) {
        for (field, value) in fields {
            set(&mut shown, &field, value);
        }
    }
    Ok(Outcome::ok(shown))
}

fn found<'a>(call: &Call<'a, '_>, id: &str) -> Result<&'a Stored, Refusal> {
    let mut kinds = KINDS.iter();
    kinds
        .find_map(|(kept_in, _)| call.state.get(kept_in, id))
        .ok_or_else(|| not_found("volume set", id))
}

/// Where sets are kept, and on systems of which type.
const KINDS: [(&str, &str); 2] = [
    (collection::SETS, TYPE1),
    (collection::VOLUME_COLLECTIONS, TYPE2),
];

fn is_collection(state: &State, set: &Stored) -> bool {
    let system = state.get(collection::SYSTEMS, set.text("systemId"));
    system.is_some_and(|system| system.text("deviceType") == TYPE2)
}

/// The volumes of a set, whatever its kind.
fn volumes_in<'a>(state: &'a State, set: &Stored) -> Box<dyn Iterator<Item = &'a Stored> + 'a> {
    let id = set.text("id").to_owned();
    if is_collection(state, set) {
        Box::new(type2::collected(state, &id))
    } else {
        let volumes: Vec<&Stored> = members(state, &id).collect();
        Box::new(volumes.into_iter())
    }
}

fn uri(state: &State, set: &Stored) -> String {
    if is_collection(state, set) {
        type2::collection_uri(set)
    } else {
        application_sets::uri(set)
    }
}

fn with_members(call: &Call<'_, '_>, found: &Stored) -> Value {
    let mut shown = view(call, found);
    let names = volumes_in(call.state, found).map(|member| member.field("name"));
    set(&mut shown, "members", names.collect::<Value>());
    shown
}

fn view(call: &Call<'_, '_>, found: &Stored) -> Value {
    let (id, system) = (found.text("id"), found.text("systemId"));
    let (_, family) = KINDS[usize::from(is_collection(call.state, found))];
    json!({
        "id": id,
        "name": found.field("name"),
        "type": "volume-set",
        "appType": found.field("appType"),
        "application": found.field("appType"),
        "productFamily": family,
        "systemId": system,
        "customerId": call.request.caller.customer_id,
        "generation": found.field("generation"),
        "resourceUri": uri(call.state, found),
        "associatedLinks": [
            link("storage-systems", format!("/api/v1/storage-systems/{system}")),
            link("volumes", format!("/api/v1/volume-sets/{id}/volumes")),
        ],
    })
}
