//! Volume sets as the fleet shows them, whatever the device type (domain.md 7.8).

use serde_json::{Value, json};

use super::application_sets::{self, members};
use super::routes::{Named, Row};
use super::systems::{self, Kind, TYPE1};
use super::volumes;
use super::{Call, Lazy, collection, link, not_found, set};
use crate::rest::{Envelope, Refusal};
use crate::sandbox::Outcome;
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
    let sets = call
        .candidates(collection::SETS, question.filter.as_ref())
        .map(|set| Lazy::new(|| with_members(call, set)));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(sets, envelope)))
}

fn system_list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let system = systems::find(call, call.path(0), Kind::Fleet)?;
    let owner = ("systemId", system.text("id"));
    let sets = call
        .candidates_of(collection::SETS, owner, question.filter.as_ref())
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
    let console = application_sets::uri(found).replacen("/api/v1", "/data-ops-manager", 1);
    let count = call
        .state
        .count(collection::MEMBERS, "ofSet", found.text("id"));
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
    let volumes = members(call.state, found.text("id")).map(|one| volumes::fleet(call, one));
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
    call.state
        .get(collection::SETS, id)
        .ok_or_else(|| not_found("volume set", id))
}

fn with_members(call: &Call<'_, '_>, found: &Stored) -> Value {
    let mut shown = view(call, found);
    let names = members(call.state, found.text("id")).map(|member| member.field("name"));
    set(&mut shown, "members", names.collect::<Value>());
    shown
}

fn view(call: &Call<'_, '_>, found: &Stored) -> Value {
    let (id, system) = (found.text("id"), found.text("systemId"));
    json!({
        "id": id,
        "name": found.field("name"),
        "type": "volume-set",
        "appType": found.field("appType"),
        "application": found.field("appType"),
        "productFamily": TYPE1,
        "systemId": system,
        "customerId": call.request.caller.customer_id,
        "generation": found.field("generation"),
        "resourceUri": application_sets::uri(found),
        "associatedLinks": [
            link("storage-systems", format!("/api/v1/storage-systems/{system}")),
            link("volumes", format!("/api/v1/volume-sets/{id}/volumes")),
        ],
    })
}
