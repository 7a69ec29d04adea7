//! Hosts. They are made at once; changing and deleting them takes a task, and `editStatus` tells
//! how far it is (domain.md 6.5 and 7.8).
//!
//! A host is kept in the form in which it is shown.

use std::borrow::Cow;

use hallpass_query::{AttributePath, Lookup};
use serde_json::{Map, Value, json};

use super::routes::{Named, Row};
use super::tasks::{self, Work, WorkCheck, merge, reference, still_there};
use super::{Call, Owned, collection, elements, ids, link, not_found, set};
use crate::change::{Change, Requirement};
use crate::rest::{Envelope, Item, Refusal, Virtual, body, flag};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

/// Attributes to filter by that are in no schema: they look into the lists (domain.md 6.2).
const VIRTUAL: &[&str] = &["hostGroupId", "initiatorId"];

const IDLE: &str = "Not_Applicable";

pub(super) const ROWS: &[Row] = &[
    Row::new("GET", "host-initiators", &[], |call| list(call)).filtered_by(Virtual::These(VIRTUAL)),
    Row::new("POST", "host-initiators", &[], create),
    Row::new("GET", "host-initiators/{}", &[Named::Host], |call| {
        get(call)
    }),
    Row::new("PUT", "host-initiators/{}", &[Named::Host], update),
    Row::new("DELETE", "host-initiators/{}", &[Named::Host], delete),
];

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let customer = call.request.caller.customer_id;
    let hosts = call
        .candidates(collection::HOSTS, question.filter.as_ref())
        .map(|stored| Host(Owned { stored, customer }));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(hosts, envelope)))
}

fn get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let mut shown = shown(call, find(call)?);
    set(&mut shown, "requestUri", call.request.uri);
    call.one(shown)
}

fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let body = Value::Object(body(call.definition, call.request, call.settings.strict)?);
    let name = named(&body, "name")?;
    let check = name_is_free(&name, None);
    if !call.state.holds(&check.requirement) {
        return Err(Refusal::BadRequest(check.complaint));
    }
    let mut initiators = existing(
        call,
        &body,
        "initiatorIds",
        collection::INITIATORS,
        "initiator",
    )?;
    let groups = existing(
        call,
        &body,
        "hostGroupIds",
        collection::HOST_GROUPS,
        "host group",
    )?;
    let (made, mut changes) = make_initiators(call, &body)?;
    initiators.extend(made);
    let id = ids::object(call.rng);
    let host = host(&id, &body, &initiators, &groups, call.now.as_millisecond());
    let mut answer = host.clone();
    set(&mut answer, Owned::OWNER, call.request.caller.customer_id);
    changes.push(Change::Put {
        collection: collection::HOSTS.to_owned(),
        id,
        value: host,
    });
    Ok(Outcome {
        changes,
        ..Outcome::ok(answer)
    })
}

fn update(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let stored = find(call)?;
    let id = stored.text("id");
    let body = Value::Object(body(call.definition, call.request, call.settings.strict)?);
    let (initiators, mut then) = updated_initiators(call, stored, &body)?;
    let mut fields = Map::new();
    let mut checks = vec![still_there(collection::HOSTS, "host", stored)];
    if body.get("name").is_some_and(|name| !name.is_null()) {
        let name = named(&body, "name")?;
        checks.push(name_is_free(&name, Some(id)));
        fields.insert("name".to_owned(), name.into());
    }
    if let Some(initiators) = initiators {
        let systems = systems_of(&initiators);
        fields.insert("initiators".to_owned(), initiators.into());
        fields.insert("associatedSystems".to_owned(), systems.clone());
        fields.insert("systems".to_owned(), systems);
    }
    fields.insert("editStatus".to_owned(), IDLE.into());
    fields.insert(
        "generation".to_owned(),
        tasks::end(call).as_millisecond().into(),
    );
    then.push(Change::Merge {
        collection: collection::HOSTS.to_owned(),
        id: id.to_owned(),
        fields,
    });
    let work = Work {
        title: format!("Update host {}", stored.text("name")),
        source: host_reference(stored),
        resources: vec![host_reference(stored)],
        checks,
        first: vec![status(call, id, "Update_In_Progress")],
        then,
        on_failure: vec![status(call, id, "Update_Failed")],
    };
    tasks::start(call, work)
}

fn delete(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let stored = find(call)?;
    let (name, id) = (stored.text("name"), stored.text("id"));
    let grouped = !elements(stored, "hostGroups").is_empty();
    if !flag(call.request, "force")? && grouped {
        return Err(Refusal::BadRequest(format!(
            "the host {name} belongs to a host group; take it out first or send force=true"
        )));
    }
    let marked = merge(
        collection::HOSTS,
        id,
        json!({
            "editStatus": "Delete_In_Progress",
            "markedForDelete": true,
            "generation": call.generation(),
        }),
    );
    let work = Work {
        title: format!("Delete host {name}"),
        source: host_reference(stored),
        resources: vec![host_reference(stored)],
        checks: vec![still_there(collection::HOSTS, "host", stored)],
        first: vec![marked],
        then: vec![Change::Remove {
            collection: collection::HOSTS.to_owned(),
            id: id.to_owned(),
        }],
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

/// A host as it is kept and shown.
pub(super) fn host(
    id: &str,
    body: &Value,
    initiators: &[Value],
    groups: &[Value],
    generation: i64,
) -> Value {
    let systems = systems_of(initiators);
    json!({
        "id": id,
        "name": body.field("name"),
        "type": "host-initiator",
        "operatingSystem": body.field("operatingSystem"),
        "persona": body.field("persona"),
        "protocol": body.field("protocol"),
        "userCreated": body.field("userCreated"),
        "editStatus": IDLE,
        "markedForDelete": false,
        "initiators": initiators,
        "hostGroups": groups,
        "systems": systems,
        "associatedSystems": systems,
        "comment": body.field("comment"),
        "contact": body.field("contact"),
        "fqdn": body.field("fqdn"),
        "ipAddress": body.field("ipAddress"),
        "subnet": body.field("subnet"),
        "location": body.field("location"),
        "model": body.field("model"),
        "generation": generation,
        "consoleUri": format!("/data-ops-manager/host-initiators/{id}"),
        "associatedLinks": [
            link("initiators", format!("/api/v1/initiators?filter=hostId in ({id})")),
            link("host-groups", format!("/api/v1/host-initiator-groups?filter=hostId in ({id})")),
        ],
    })
}

struct Host<'a>(Owned<'a>);

impl Lookup for Host<'_> {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        let list = match VIRTUAL.iter().find(|name| path.is(name)) {
            Some(&"hostGroupId") => "hostGroups",
            Some(_) => "initiators",
            None => return self.0.lookup(path),
        };
        let objects = elements(self.0.stored, list).iter();
        let ids = objects.map(|object| object.field("id")).collect();
        Some(Cow::Owned(Value::Array(ids)))
    }
}

impl Item for Host<'_> {
    fn render(&self) -> Value {
        self.0.render()
    }
}

fn shown(call: &Call<'_, '_>, stored: &Stored) -> Value {
    let customer = call.request.caller.customer_id;
    Owned { stored, customer }.render()
}

fn find<'a>(call: &Call<'a, '_>) -> Result<&'a Stored, Refusal> {
    let id = call.path(0);
    call.state
        .get(collection::HOSTS, id)
        .ok_or_else(|| not_found("host", id))
}

fn named(body: &Value, key: &str) -> Result<String, Refusal> {
    match body.text(key) {
        name if name.trim().is_empty() => Err(Refusal::BadRequest(format!("{key}: is empty"))),
        name => Ok(name.to_owned()),
    }
}

/// Clients look a host up by its name, so that two of one name would be one too many.
fn name_is_free(name: &str, except: Option<&str>) -> WorkCheck {
    WorkCheck {
        requirement: Requirement::NameIsFree {
            collection: collection::HOSTS.to_owned(),
            name: name.to_owned(),
            within: None,
            except: except.map(str::to_owned),
        },
        complaint: format!("there is a host named {name} already"),
        recommendation: "Choose another name.",
    }
}

fn status(call: &Call<'_, '_>, id: &str, status: &str) -> Change {
    let fields = json!({"editStatus": status, "generation": call.generation()});
    merge(collection::HOSTS, id, fields)
}

/// The objects whose ids the body lists under `key`.
fn existing(
    call: &Call<'_, '_>,
    body: &Value,
    key: &str,
    collection: &'static str,
    what: &str,
) -> Result<Vec<Value>, Refusal> {
    let ids = body.get(key).and_then(Value::as_array);
    let ids = ids.into_iter().flatten().filter_map(Value::as_str);
    ids.map(|id| {
        let object = call.state.get(collection, id).map(Stored::unpack);
        object.ok_or_else(|| Refusal::BadRequest(format!("{key}: there is no {what} {id}")))
    })
    .collect()
}

/// The initiators that the body wants made, and the changes that make them.
fn make_initiators(
    call: &mut Call<'_, '_>,
    body: &Value,
) -> Result<(Vec<Value>, Vec<Change>), Refusal> {
    let (mut made, mut changes) = (Vec::new(), Vec::new());
    let wanted = body.get("initiatorsToCreate").and_then(Value::as_array);
    for wanted in wanted.into_iter().flatten() {
        let address = named(wanted, "address")?;
        let id = ids::object(call.rng);
        let name = match wanted.text("name") {
            "" => address.as_str(),
            name => name,
        };
        let initiator = json!({
            "id": id,
            "name": name,
            "address": address,
            "protocol": wanted.field("protocol"),
            "ipAddress": wanted.field("ipAddress"),
            "systems": [],
        });
        made.push(initiator.clone());
        changes.push(Change::Put {
            collection: collection::INITIATORS.to_owned(),
            id,
            value: initiator,
        });
    }
    Ok((made, changes))
}

/// The initiators that the host is to have, when the body says anything about them: those listed,
/// or else those it has, and the new ones.
fn updated_initiators(
    call: &mut Call<'_, '_>,
    stored: &Stored,
    body: &Value,
) -> Result<(Option<Vec<Value>>, Vec<Change>), Refusal> {
    let replaced = body.get("updatedInitiators").is_some_and(Value::is_array);
    let mut initiators = if replaced {
        existing(
            call,
            body,
            "updatedInitiators",
            collection::INITIATORS,
            "initiator",
        )?
    } else {
        elements(stored, "initiators")
            .iter()
            .map(Stored::unpack)
            .collect()
    };
    let (made, changes) = make_initiators(call, body)?;
    let touched = replaced || !made.is_empty();
    initiators.extend(made);
    Ok((touched.then_some(initiators), changes))
}

/// The systems that know any of the initiators, each once.
fn systems_of(initiators: &[Value]) -> Value {
    let mut systems: Vec<Value> = Vec::new();
    let known = initiators
        .iter()
        .filter_map(|initiator| initiator.get("systems")?.as_array());
    for system in known.flatten() {
        if !systems.contains(system) {
            systems.push(system.clone());
        }
    }
    Value::Array(systems)
}

fn host_reference(stored: &Stored) -> Value {
    let uri = format!("/api/v1/host-initiators/{}", stored.text("id"));
    reference("host-initiator", stored.text("name"), uri)
}
