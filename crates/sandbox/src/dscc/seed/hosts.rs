//! Hosts with an initiator each, and a host group.

use serde_json::{Value, json};

use super::super::hosts;
use super::{Named, Seed, collection, ids};

/// Name, operating system, protocol.
const HOSTS: [(&str, &str, &str); 4] = [
    ("host-1", "VMware (ESXi)", "FC"),
    ("host-2", "VMware (ESXi)", "FC"),
    ("host-3", "RHE Linux", "iSCSI"),
    ("host-4", "Windows Server", "iSCSI"),
];

impl Seed<'_> {
    /// The definition's hosts come first and belong to no group, so that they can be deleted; two of
    /// the others form a group.
    pub(super) fn hosts(&mut self) {
        let mut ids = self.examples.ids(Named::Host);
        let count = HOSTS.len().max(ids.len() + 2);
        while ids.len() < count {
            ids.push(ids::object(&mut self.rng));
        }
        let systems = self.first_system();
        let group = json!({
            "id": ids::object(&mut self.rng),
            "name": "cluster-1",
            "userCreated": true,
            "markedForDelete": false,
            "systems": systems,
        });
        self.put(collection::HOST_GROUPS, group.clone());
        for (number, id) in ids.iter().enumerate() {
            let grouped = number + 2 >= count;
            let groups = if grouped {
                std::slice::from_ref(&group)
            } else {
                &[]
            };
            self.host(id, number, groups, &systems);
        }
    }

    fn host(&mut self, id: &str, number: usize, groups: &[Value], systems: &Value) {
        let (name, operating_system, protocol) = HOSTS[number % HOSTS.len()];
        let name = match number / HOSTS.len() {
            0 => name.to_owned(),
            round => format!("{name}-{round}"),
        };
        let address = match protocol {
            "FC" => format!("10000000{}", ids::hex::<4>(&mut self.rng)),
            _ => format!("iqn.2021-10.com.example:{name}"),
        };
        let initiator = json!({
            "id": ids::object(&mut self.rng),
            "name": format!("{name}-port-1"),
            "address": address,
            "protocol": protocol,
            "ipAddress": null,
            "systems": systems,
        });
        let body = json!({
            "name": name,
            "operatingSystem": operating_system,
            "userCreated": true,
            "fqdn": format!("{name}.example.com"),
            "protocol": protocol,
        });
        let generation = self.days_ago(20);
        let host = hosts::host(
            id,
            &body,
            std::slice::from_ref(&initiator),
            groups,
            generation,
        );
        self.put(collection::INITIATORS, initiator);
        self.put(collection::HOSTS, host);
    }
}
