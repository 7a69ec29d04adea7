//! Hosts with an initiator each, initiators of no host, and host groups.

use serde_json::json;

use super::super::examples::texts_in_body;
use super::super::host_views::Kind;
use super::super::relation::{MEMBERS, PORTS};
use super::super::{host_input, set};
use super::device_type2::WITHDRAWALS2;
use super::storage::WITHDRAWALS;
use super::{Named, Seed, collection, ids};

/// Name, operating system, protocol.
const HOSTS: [(&str, &str, &str); 4] = [
    ("host-1", "VMware (ESXi)", "FC"),
    ("host-2", "VMware (ESXi)", "FC"),
    ("host-3", "RHE Linux", "iSCSI"),
    ("host-4", "Windows Server", "iSCSI"),
];

/// How many initiators wait for a host.
const SPARE: usize = 2;

impl Seed<'_> {
    /// The definition's hosts, groups and initiators come first and are related to nothing, so that
    /// they can be deleted, but for hosts that an example body has in a group; two of the others
    /// form a group that reaches volumes.
    pub(super) fn hosts(&mut self) {
        let mut ids = self.examples.ids(Named::Host);
        let count = HOSTS.len().max(ids.len() + 2);
        while ids.len() < count {
            ids.push(ids::object(&mut self.rng));
        }
        for (number, id) in ids.iter().enumerate() {
            self.host(id, number);
        }
        let groups = self.groups();
        self.reached_groups();
        if let Some(cluster) = groups.last() {
            for host in &ids[count - 2..] {
                self.commit(MEMBERS.add(cluster, host));
            }
            self.export_device_type2(cluster);
            self.withdrawable_device_type2();
        }
        for example in self.examples.of_kind(Named::Host) {
            if let Some(group) = example.within(Named::HostGroup) {
                self.commit(MEMBERS.add(group, &example.id));
            }
        }
        self.spare_initiators();
    }

    /// The ids of the groups; the last is the one that reaches volumes.
    fn groups(&mut self) -> Vec<String> {
        let mut ids = self.examples.ids(Named::HostGroup);
        ids.push(ids::object(&mut self.rng));
        for (number, id) in ids.iter().rev().enumerate() {
            let name = format!("cluster-{}", number + 1);
            let body = json!({"name": name, "userCreated": true});
            let group = host_input::group(id, &body, self.days_ago(20));
            self.put(collection::HOST_GROUPS, group);
        }
        ids
    }

    /// The groups that the examples withdraw something from, by name or by id. They are no others,
    /// so that those can be deleted.
    fn reached_groups(&mut self) {
        let type1 = WITHDRAWALS.map(|route| texts_in_body(self.definition, route, "hostGroupIds"));
        let type2 = WITHDRAWALS2.map(|route| texts_in_body(self.definition, route, "hostGroups"));
        for text in type1.into_iter().chain(type2).flatten() {
            let is_id = text.chars().all(|digit| digit.is_ascii_hexdigit());
            let there = self.state.get(collection::HOST_GROUPS, &text).is_some()
                || self.state.count(collection::HOST_GROUPS, "name", &text) > 0;
            if there {
                continue;
            }
            let (id, name) = if is_id {
                let name = format!("cluster-{}", &text[..text.len().min(4)]);
                (text, name)
            } else {
                (ids::object(&mut self.rng), text)
            };
            let body = json!({"name": name, "userCreated": true});
            let group = host_input::group(&id, &body, self.days_ago(20));
            self.put(collection::HOST_GROUPS, group);
        }
    }

    fn host(&mut self, id: &str, number: usize) {
        let (name, operating_system, protocol) = HOSTS[number % HOSTS.len()];
        let name = match number / HOSTS.len() {
            0 => name.to_owned(),
            round => format!("{name}-{round}"),
        };
        let initiator = ids::object(&mut self.rng);
        self.initiator(&initiator, &name, protocol);
        let body = json!({
            "name": name,
            "operatingSystem": operating_system,
            "userCreated": true,
            "fqdn": format!("{name}.example.com"),
            "protocol": protocol,
        });
        let host = host_input::host(id, &body, self.days_ago(20));
        self.put(collection::HOSTS, host);
        self.commit(PORTS.add(id, &initiator));
    }

    fn spare_initiators(&mut self) {
        let mut ids = self.examples.ids(Named::Initiator);
        while ids.len() < SPARE {
            ids.push(ids::object(&mut self.rng));
        }
        for (number, id) in ids.iter().enumerate() {
            self.initiator(id, &format!("spare-{}", number + 1), "FC");
        }
    }

    /// An initiator that the systems have seen.
    fn initiator(&mut self, id: &str, owner: &str, protocol: &str) {
        let address = match protocol {
            "FC" => format!("10000000{}", ids::hex::<4>(&mut self.rng)),
            _ => format!("iqn.2021-10.com.example:{owner}"),
        };
        let body = json!({"name": format!("{owner}-port-1"), "vendor": "Example"});
        let generation = self.days_ago(20);
        let mut kept = host_input::initiator(id, &address, protocol, &body, generation);
        set(&mut kept, "systems", self.first_system());
        self.put(Kind::Initiator.collection(), kept);
    }
}
