//! Hosts and initiators that a body wants made, read once. A host is made by its own call and along
//! with a group; an initiator by its own call and along with a host.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::host_views::{
    Kind, group_summary, host_summary, hosts_of, initiator_summary, systems_of,
};
use super::relation::{MEMBERS, PORTS};
use super::tasks::{WorkCheck, require};
use super::{Call, ids, none_where, put};
use crate::change::{Change, Requirement};
use crate::rest::Refusal;
use crate::state::State;
use crate::stored::Fields;

/// No change is under way.
pub(super) const IDLE: &str = "Not_Applicable";

/// How an initiator speaks to its arrays (domain.md 7.8).
const PROTOCOLS: [&str; 3] = ["FC", "iSCSI", "NVMe"];

/// What is to be made by one call, and what must hold for it.
#[derive(Default)]
pub(super) struct Making {
    pub(super) checks: Vec<WorkCheck>,
    pub(super) changes: Vec<Change>,
    names: BTreeSet<String>,
    addresses: BTreeSet<String>,
}

/// A host that is to be made.
pub(super) struct NewHost {
    pub(super) id: String,
    /// As it is kept.
    pub(super) kept: Value,
    /// What it will show of its initiators.
    pub(super) initiators: Vec<Value>,
    groups: Vec<String>,
}

impl Making {
    /// The host that the body describes.
    pub(super) fn host(
        &mut self,
        call: &mut Call<'_, '_>,
        body: &Value,
    ) -> Result<NewHost, Refusal> {
        let name = named(body, "name")?;
        if !self.names.insert(name.clone()) {
            return Err(Refusal::BadRequest(format!(
                "two of the new hosts are named {name}"
            )));
        }
        self.checks.push(name_is_free(Kind::Host, &name, None));
        let id = ids::object(call.rng);
        let mut initiators = Vec::new();
        for known in self.known(call.state, body, "initiatorIds", Kind::Initiator)? {
            self.changes.push(PORTS.add(&id, &known));
            let found = call.state.get(Kind::Initiator.collection(), &known);
            initiators.extend(found.map(initiator_summary));
        }
        for made in self.initiators(call, body)? {
            self.changes.push(PORTS.add(&id, made.text("id")));
            initiators.push(initiator_summary(&made));
        }
        let groups = self.known(call.state, body, "hostGroupIds", Kind::Group)?;
        for group in &groups {
            self.changes.push(MEMBERS.add(group, &id));
        }
        let kept = host(&id, body, call.moment.now().as_millisecond());
        self.changes
            .push(put(Kind::Host.collection(), kept.clone()));
        Ok(NewHost {
            id,
            kept,
            initiators,
            groups,
        })
    }

    /// The initiators that the body wants made, as they are kept.
    pub(super) fn initiators(
        &mut self,
        call: &mut Call<'_, '_>,
        body: &Value,
    ) -> Result<Vec<Value>, Refusal> {
        let wanted = elements(body, "initiatorsToCreate");
        wanted.map(|wanted| self.initiator(call, wanted)).collect()
    }

    /// The initiator that the body describes, as it is kept.
    pub(super) fn initiator(
        &mut self,
        call: &mut Call<'_, '_>,
        body: &Value,
    ) -> Result<Value, Refusal> {
        let address = named(body, "address")?;
        let protocol = protocol(body)?;
        if !self.addresses.insert(address.clone()) {
            return Err(Refusal::BadRequest(format!(
                "two of the new initiators have the address {address}"
            )));
        }
        self.checks.push(WorkCheck {
            requirement: none_where(
                Kind::Initiator.collection(),
                &[("address", address.as_str())],
            ),
            complaint: format!("there is an initiator with the address {address} already"),
            recommendation: "Name the initiator that there is by its id.",
        });
        let id = ids::object(call.rng);
        let kept = initiator(
            &id,
            &address,
            protocol,
            body,
            call.moment.now().as_millisecond(),
        );
        self.changes
            .push(put(Kind::Initiator.collection(), kept.clone()));
        Ok(kept)
    }

    /// The ids that the body lists under `key`, each once. They must be there, now and in the end.
    pub(super) fn known(
        &mut self,
        state: &State,
        body: &Value,
        key: &str,
        kind: Kind,
    ) -> Result<Vec<String>, Refusal> {
        let mut known: Vec<String> = Vec::new();
        let mut seen = BTreeSet::new();
        for id in elements(body, key) {
            let id = id.as_str().unwrap_or_default();
            if !seen.insert(id) {
                continue;
            }
            let there = WorkCheck {
                requirement: Requirement::Exists {
                    collection: kind.collection().to_owned(),
                    id: id.to_owned(),
                },
                complaint: format!("{key}: there is no {} {id}", kind.word()),
                recommendation: "Look whether somebody else deleted it.",
            };
            require(state, std::slice::from_ref(&there))?;
            self.checks.push(there);
            known.push(id.to_owned());
        }
        Ok(known)
    }
}

impl NewHost {
    /// What it will show of its groups.
    pub(super) fn groups(&self, state: &State) -> Vec<Value> {
        let groups = self.groups.iter();
        groups
            .filter_map(|id| state.get(Kind::Group.collection(), id))
            .map(|group| {
                let mut hosts = hosts_of(state, group.text("id"));
                hosts.push(self.summary());
                group_summary(group, &systems_of(&hosts))
            })
            .collect()
    }

    /// What its groups will show of it.
    pub(super) fn summary(&self) -> Value {
        host_summary(&self.kept, &self.initiators)
    }
}

/// A host as it is kept.
pub(super) fn host(id: &str, body: &Value, generation: i64) -> Value {
    json!({
        "id": id,
        "name": body.field("name"),
        "operatingSystem": body.field("operatingSystem"),
        "persona": body.field("persona"),
        "protocol": body.field("protocol"),
        "userCreated": body.field("userCreated"),
        "editStatus": IDLE,
        "markedForDelete": false,
        "comment": body.field("comment"),
        "contact": body.field("contact"),
        "fqdn": body.field("fqdn"),
        "ipAddress": body.field("ipAddress"),
        "subnet": body.field("subnet"),
        "location": body.field("location"),
        "model": body.field("model"),
        "generation": generation,
    })
}

/// A host group as it is kept.
pub(super) fn group(id: &str, body: &Value, generation: i64) -> Value {
    json!({
        "id": id,
        "name": body.field("name"),
        "userCreated": body.field("userCreated"),
        "editStatus": IDLE,
        "markedForDelete": false,
        "comment": body.field("comment"),
        "hostProximityValues": null,
        "generation": generation,
    })
}

/// An initiator as it is kept. It is called by its address when the body gives it no name; no system
/// has seen it yet.
pub(super) fn initiator(
    id: &str,
    address: &str,
    protocol: &str,
    body: &Value,
    generation: i64,
) -> Value {
    let name = match body.text("name") {
        "" => address,
        name => name,
    };
    json!({
        "id": id,
        "name": name,
        "address": address,
        "protocol": protocol,
        "ipAddress": body.field("ipAddress"),
        "hbaModel": body.field("hbaModel"),
        "hostSpeed": body.field("hostSpeed"),
        "vendor": body.field("vendor"),
        "driverVersion": body.field("driverVersion"),
        "firmwareVersion": body.field("firmwareVersion"),
        "systems": [],
        "generation": generation,
    })
}

/// The text of a field that must not be blank.
pub(super) fn named(body: &Value, key: &str) -> Result<String, Refusal> {
    match body.text(key) {
        name if name.trim().is_empty() => Err(Refusal::BadRequest(format!("{key}: is empty"))),
        name => Ok(name.to_owned()),
    }
}

/// Clients look hosts and groups up by name, so that two of one name would be one too many.
pub(super) fn name_is_free(kind: Kind, name: &str, except: Option<&str>) -> WorkCheck {
    WorkCheck {
        requirement: Requirement::NameIsFree {
            collection: kind.collection().to_owned(),
            name: name.to_owned(),
            within: None,
            except: except.map(str::to_owned),
        },
        complaint: format!("there is a {} named {name} already", kind.word()),
        recommendation: "Choose another name.",
    }
}

pub(super) fn elements<'b>(
    body: &'b Value,
    key: &str,
) -> impl Iterator<Item = &'b Value> + use<'b> {
    let list = body.get(key).and_then(Value::as_array);
    list.into_iter().flatten()
}

fn protocol(body: &Value) -> Result<&'static str, Refusal> {
    let asked = body.text("protocol");
    PROTOCOLS
        .into_iter()
        .find(|known| known.eq_ignore_ascii_case(asked))
        .ok_or_else(|| {
            Refusal::BadRequest(format!(
                "protocol: {asked:?} is none of {}",
                PROTOCOLS.join(", ")
            ))
        })
}
