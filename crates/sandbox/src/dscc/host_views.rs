//! How hosts, host groups and initiators are shown. Each is kept without the others; what one shows
//! of another is looked up when it is shown, so that a new name is seen everywhere at once.

use std::borrow::Cow;
use std::collections::BTreeSet;

use hallpass_query::{AttributePath, Filter, Lookup};
use serde_json::{Value, json};

use super::relation::{MEMBERS, PORTS};
use super::{collection, link, set};
use crate::rest::Item;
use crate::state::State;
use crate::stored::{Fields, Stored};

/// Attributes to filter hosts by that are in no schema: they look into the lists (domain.md 6.2).
pub(super) const OF_HOSTS: &[&str] = &["hostGroupId", "initiatorId"];
/// The same for host groups and initiators; clients know it by two names.
pub(super) const OF_OTHERS: &[&str] = &["hostId", "sc_HostId"];

/// What an object of the family is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Host,
    Group,
    Initiator,
}

/// A kept host, host group or initiator.
pub(super) struct Member<'a> {
    pub(super) kind: Kind,
    pub(super) stored: &'a Stored,
    pub(super) state: &'a State,
    pub(super) customer: &'a str,
}

impl Kind {
    pub(super) fn collection(self) -> &'static str {
        match self {
            Self::Host => collection::HOSTS,
            Self::Group => collection::HOST_GROUPS,
            Self::Initiator => collection::INITIATORS,
        }
    }

    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Host => "host",
            Self::Group => "host group",
            Self::Initiator => "initiator",
        }
    }

    /// The `type` of such an object.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Host => "host-initiator",
            Self::Group => "host-initiator-group",
            Self::Initiator => "initiator",
        }
    }

    pub(super) fn uri(self, id: &str) -> String {
        match self {
            Self::Host => format!("/api/v1/host-initiators/{id}"),
            Self::Group => format!("/api/v1/host-initiator-groups/{id}"),
            Self::Initiator => format!("/api/v1/initiators/{id}"),
        }
    }

    /// The attribute among those in no schema, and the ids that it stands for.
    fn virtual_ids(self, state: &State, id: &str, path: &AttributePath) -> Option<Value> {
        let is = |names: &[&str]| names.iter().any(|name| path.is(name));
        let ids: Value = match self {
            Self::Host if is(&OF_HOSTS[..1]) => MEMBERS.to(state, id).collect(),
            Self::Host if is(OF_HOSTS) => PORTS.from(state, id).collect(),
            Self::Group if is(OF_OTHERS) => MEMBERS.from(state, id).collect(),
            Self::Initiator if is(OF_OTHERS) => PORTS.to(state, id).collect(),
            _ => return None,
        };
        Some(ids)
    }

    /// The objects that a filter can mean because it insists on one of another kind; nothing when it
    /// insists on none.
    pub(super) fn related<'s>(
        self,
        state: &'s State,
        filter: Option<&Filter>,
    ) -> Option<Box<dyn Iterator<Item = &'s Stored> + 's>> {
        let asked = |names: &[&str]| {
            let mut equalities = filter.into_iter().flat_map(Filter::equalities);
            equalities
                .find(|(path, _)| names.iter().any(|name| path.is(name)))
                .map(|(_, id)| id)
        };
        let found: Box<dyn Iterator<Item = &'s str> + 's> = match self {
            Self::Host => match (asked(&OF_HOSTS[..1]), asked(&OF_HOSTS[1..])) {
                (Some(group), _) => Box::new(MEMBERS.from(state, group)),
                (None, Some(initiator)) => Box::new(PORTS.to(state, initiator)),
                (None, None) => return None,
            },
            Self::Group => Box::new(MEMBERS.to(state, asked(OF_OTHERS)?)),
            Self::Initiator => Box::new(PORTS.from(state, asked(OF_OTHERS)?)),
        };
        Some(Box::new(
            found.filter_map(move |id| state.get(self.collection(), id)),
        ))
    }
}

impl Lookup for Member<'_> {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        let id = self.stored.text("id");
        if let Some(ids) = self.kind.virtual_ids(self.state, id, path) {
            return Some(Cow::Owned(ids));
        }
        let mut steps = path.steps();
        if let (Some(step), None) = (steps.next(), steps.next())
            && step != "systems"
            && let Some(kept) = self.stored.get(step)
        {
            return Some(Cow::Owned(kept.unpack()));
        }
        let rendered = self.render();
        let found = rendered.lookup(path)?;
        Some(Cow::Owned(found.into_owned()))
    }
}

impl Item for Member<'_> {
    fn render(&self) -> Value {
        let id = self.stored.text("id");
        match self.kind {
            Kind::Host => host(
                self.stored,
                &initiators_of(self.state, id),
                &groups_of(self.state, id),
                self.customer,
            ),
            Kind::Group => group(self.stored, &hosts_of(self.state, id), self.customer),
            Kind::Initiator => initiator(self.stored, &hosts_with(self.state, id), self.customer),
        }
    }
}

/// A host, with what is shown of its initiators and groups.
pub(super) fn host(
    kept: &impl Fields,
    initiators: &[Value],
    groups: &[Value],
    customer: &str,
) -> Value {
    let id = kept.text("id");
    let systems = systems_of(initiators);
    json!({
        "id": id,
        "name": kept.field("name"),
        "type": Kind::Host.name(),
        "operatingSystem": kept.field("operatingSystem"),
        "persona": kept.field("persona"),
        "protocol": kept.field("protocol"),
        "userCreated": kept.field("userCreated"),
        "editStatus": kept.field("editStatus"),
        "markedForDelete": kept.field("markedForDelete"),
        "initiators": initiators,
        "hostGroups": groups,
        "systems": systems,
        "associatedSystems": systems,
        "comment": kept.field("comment"),
        "contact": kept.field("contact"),
        "fqdn": kept.field("fqdn"),
        "ipAddress": kept.field("ipAddress"),
        "subnet": kept.field("subnet"),
        "location": kept.field("location"),
        "model": kept.field("model"),
        "generation": kept.field("generation"),
        "customerId": customer,
        "resourceUri": Kind::Host.uri(id),
        "consoleUri": format!("/data-ops-manager/host-initiators/{id}"),
        "associatedLinks": [
            link("initiators", format!("/api/v1/initiators?filter=hostId in ({id})")),
            link("host-groups", format!("/api/v1/host-initiator-groups?filter=hostId in ({id})")),
            link("volumes", format!("/api/v1/host-initiators/{id}/volumes")),
        ],
    })
}

/// A host group, with what is shown of its hosts.
pub(super) fn group(kept: &impl Fields, hosts: &[Value], customer: &str) -> Value {
    let id = kept.text("id");
    let systems = systems_of(hosts);
    let mut shown = json!({
        "id": id,
        "name": kept.field("name"),
        "type": Kind::Group.name(),
        "userCreated": kept.field("userCreated"),
        "editStatus": kept.field("editStatus"),
        "markedForDelete": kept.field("markedForDelete"),
        "hosts": hosts,
        "systems": systems,
        "associatedSystems": systems,
        "comment": kept.field("comment"),
        "generation": kept.field("generation"),
        "customerId": customer,
        "resourceUri": Kind::Group.uri(id),
        "consoleUri": format!("/data-ops-manager/host-initiator-groups/{id}"),
        "associatedLinks": [
            link("hosts", format!("/api/v1/host-initiators?filter=hostGroupId in ({id})")),
        ],
    });
    let mut proximity = kept.field("hostProximityValues");
    if let Value::Array(values) = &mut proximity {
        // What was said of a host that has left is not said any more.
        let members: BTreeSet<&str> = hosts.iter().map(|host| host.text("id")).collect();
        values.retain(|value| members.contains(value.text("hostId")));
    }
    if !proximity.is_null() {
        set(&mut shown, "hostProximityValues", proximity);
    }
    shown
}

/// An initiator, with what is shown of its hosts.
pub(super) fn initiator(kept: &impl Fields, hosts: &[Value], customer: &str) -> Value {
    let id = kept.text("id");
    json!({
        "id": id,
        "name": kept.field("name"),
        "type": Kind::Initiator.name(),
        "address": kept.field("address"),
        "protocol": kept.field("protocol"),
        "ipAddress": kept.field("ipAddress"),
        "hbaModel": kept.field("hbaModel"),
        "hostSpeed": kept.field("hostSpeed"),
        "vendor": kept.field("vendor"),
        "driverVersion": kept.field("driverVersion"),
        "firmwareVersion": kept.field("firmwareVersion"),
        "systems": kept.field("systems"),
        "hosts": hosts,
        "generation": kept.field("generation"),
        "customerId": customer,
        "resourceUri": Kind::Initiator.uri(id),
        "associatedLinks": [
            link("hosts", format!("/api/v1/host-initiators?filter=initiatorId in ({id})")),
        ],
    })
}

/// What a host and a group show of an initiator.
pub(super) fn initiator_summary(kept: &impl Fields) -> Value {
    json!({
        "id": kept.field("id"),
        "name": kept.field("name"),
        "address": kept.field("address"),
        "protocol": kept.field("protocol"),
        "ipAddress": kept.field("ipAddress"),
        "systems": kept.field("systems"),
    })
}

/// What a group shows of a host.
pub(super) fn host_summary(kept: &impl Fields, initiators: &[Value]) -> Value {
    let mut summary = plain_host(kept, initiators);
    set(&mut summary, "initiators", initiators);
    summary
}

/// What a host shows of a group whose systems are these.
pub(super) fn group_summary(kept: &impl Fields, systems: &Value) -> Value {
    json!({
        "id": kept.field("id"),
        "name": kept.field("name"),
        "markedForDelete": kept.field("markedForDelete"),
        "systems": systems,
        "userCreated": kept.field("userCreated"),
    })
}

/// What is shown of the initiators of a host.
pub(super) fn initiators_of(state: &State, host: &str) -> Vec<Value> {
    let ids = PORTS.from(state, host);
    ids.filter_map(|id| state.get(collection::INITIATORS, id))
        .map(initiator_summary)
        .collect()
}

/// What is shown of the hosts of a group.
pub(super) fn hosts_of(state: &State, group: &str) -> Vec<Value> {
    let ids = MEMBERS.from(state, group);
    ids.filter_map(|id| state.get(collection::HOSTS, id))
        .map(|host| host_summary(host, &initiators_of(state, host.text("id"))))
        .collect()
}

/// The systems that know any of these, each once.
pub(super) fn systems_of(known: &[Value]) -> Value {
    let mut systems: Vec<Value> = Vec::new();
    let lists = known
        .iter()
        .filter_map(|one| one.get("systems")?.as_array());
    for system in lists.flatten() {
        if !systems.contains(system) {
            systems.push(system.clone());
        }
    }
    Value::Array(systems)
}

fn groups_of(state: &State, host: &str) -> Vec<Value> {
    let ids = MEMBERS.to(state, host);
    ids.filter_map(|id| state.get(collection::HOST_GROUPS, id))
        .map(|group| group_summary(group, &systems_of_group(state, group.text("id"))))
        .collect()
}

/// The systems that know any host of a group, each once; no host is rendered for it.
fn systems_of_group(state: &State, group: &str) -> Value {
    let hosts = MEMBERS.from(state, group);
    let hosts = hosts.filter_map(|id| state.get(collection::HOSTS, id));
    let ports = hosts.flat_map(|host| PORTS.from(state, host.text("id")));
    let mut systems: Vec<&Stored> = Vec::new();
    for initiator in ports.filter_map(|id| state.get(collection::INITIATORS, id)) {
        if let Some(Stored::List(known)) = initiator.get("systems") {
            for system in known {
                if !systems.contains(&system) {
                    systems.push(system);
                }
            }
        }
    }
    systems.into_iter().map(Stored::unpack).collect()
}

fn hosts_with(state: &State, initiator: &str) -> Vec<Value> {
    let ids = PORTS.to(state, initiator);
    ids.filter_map(|id| state.get(collection::HOSTS, id))
        .map(|host| {
            let id = host.text("id");
            let mut summary = plain_host(host, &initiators_of(state, id));
            set(&mut summary, "hostGroups", groups_of(state, id));
            summary
        })
        .collect()
}

fn plain_host(kept: &impl Fields, initiators: &[Value]) -> Value {
    json!({
        "id": kept.field("id"),
        "name": kept.field("name"),
        "ipAddress": kept.field("ipAddress"),
        "markedForDelete": kept.field("markedForDelete"),
        "systems": systems_of(initiators),
        "userCreated": kept.field("userCreated"),
    })
}
