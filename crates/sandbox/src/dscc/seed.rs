//! The state to begin with: a few systems with pools, volumes and hosts, and a task that has ended.
//!
//! Everything but the times follows from one number, and the ids that the definition gives as
//! examples are among those used. Names and values are made up; their shapes are those of
//! domain.md section 7.8.

use hallpass_openapi::Definition;
use jiff::{SignedDuration, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::examples::Examples;
use super::systems::{TYPE1, TYPE2};
use super::{collection, hosts, ids, set, tasks};
use crate::change::Change;
use crate::sandbox::Settings;
use crate::state::State;
use crate::stored::Fields;

const DEVICE_TYPE1_SYSTEMS: usize = 2;
const VOLUMES: usize = 12;
const DEVICE_TYPE2_VOLUMES: usize = 3;
const TIB: u64 = 1024 * 1024;

/// Name, RAID level, kind of disk, set size, capacity in TiB.
const DEVICE_TYPE1_POOLS: [(&str, &str, &str, &str, u64); 3] = [
    (
        "SSD_r6",
        "RAID_SIX",
        "DEVICE_TYPE_SSD",
        "6 data, 2 parity",
        96,
    ),
    (
        "SSD_r1",
        "RAID_ONE",
        "DEVICE_TYPE_SSD",
        "1 data, 1 mirror",
        24,
    ),
    (
        "NL_r6",
        "RAID_SIX",
        "DEVICE_TYPE_NL",
        "6 data, 2 parity",
        160,
    ),
];
const DEVICE_TYPE2_POOLS: [(&str, &str, &str, &str, u64); 2] = [
    ("default", "RAID_SIX", "DEVICE_TYPE_SSD", "", 64),
    ("archive", "RAID_SIX", "DEVICE_TYPE_NL", "", 128),
];

/// Name, operating system, protocol.
const HOSTS: [(&str, &str, &str); 4] = [
    ("host-1", "VMware (ESXi)", "FC"),
    ("host-2", "VMware (ESXi)", "FC"),
    ("host-3", "RHE Linux", "iSCSI"),
    ("host-4", "Windows Server", "iSCSI"),
];

/// A state that is the same for the same number and time.
pub(crate) fn seed(
    definition: &Definition,
    settings: &Settings,
    number: u64,
    now: Timestamp,
) -> State {
    let mut seed = Seed {
        rng: ChaCha8Rng::seed_from_u64(number),
        examples: Examples::of(definition),
        now,
        changes: Vec::new(),
    };
    seed.systems();
    seed.hosts();
    seed.tasks(settings);
    let mut state = State::default();
    state.commit(&seed.changes, now);
    state
}

struct Seed {
    rng: ChaCha8Rng,
    examples: Examples,
    now: Timestamp,
    changes: Vec<Change>,
}

impl Seed {
    fn systems(&mut self) {
        let mut type1 = self.examples.device_type1.clone();
        while type1.len() < DEVICE_TYPE1_SYSTEMS {
            type1.push(ids::serial(&mut self.rng));
        }
        let mut type2 = self.examples.device_type2.clone();
        if type2.is_empty() {
            type2.push(ids::device_type2(&mut self.rng));
        }
        // Volumes addressed by no system live on the first one.
        for (system, _) in &mut self.examples.volumes {
            system.get_or_insert_with(|| type1[0].clone());
        }
        let share = VOLUMES / type1.len();
        for (index, id) in type1.iter().enumerate() {
            self.device_type1(id, index, share.max(1));
        }
        for (index, id) in type2.iter().enumerate() {
            self.device_type2(id, index);
        }
    }

    fn device_type1(&mut self, id: &str, index: usize, volumes: usize) {
        let name = format!("alletra-{}", index + 1);
        let system = json!({
            "id": id,
            "name": name,
            "deviceType": TYPE1,
            "description": "Made up by the seed",
            "model": "HPE Alletra 9060",
            "softwareVersion": "9.5.0",
            "systemWWN": ids::system_wwn(&mut self.rng),
            "tierType": "STORAGE_TIER_9000_NVME",
            "fqdn": format!("{name}.example.com"),
            "location": "Rack 1",
            "nodes": 4,
            "upSince": self.days_ago(90),
            "generation": self.days_ago(90),
        });
        self.put(collection::SYSTEMS, system);
        let pools = self.pools(id, &DEVICE_TYPE1_POOLS);
        let mut ids = self.examples_of_volumes(id);
        while ids.len() < volumes {
            ids.push(ids::object(&mut self.rng));
        }
        for (number, volume) in ids.iter().enumerate() {
            let name = format!("vol-{}-{number}", index + 1);
            let pool = &pools[number % pools.len()];
            self.volume(volume, id, pool, &name, number);
        }
        self.put_raw(collection::NUMBERS, id, json!(ids.len()));
    }

    fn device_type2(&mut self, id: &str, index: usize) {
        let name = format!("group-{}", index + 1);
        let serial = format!("AF-{}", 100_000 + self.rng.next_u32() % 900_000);
        let system = json!({
            "id": id,
            "name": name,
            "deviceType": TYPE2,
            "description": "Made up by the seed",
            "model": "HPE Alletra 6030",
            "softwareVersion": "6.1.2.200-1020304-opt",
            "systemWWN": null,
            "tierType": "STORAGE_TIER_6000_NVME",
            "fqdn": format!("{name}.example.com"),
            "serial": serial,
            "arrays": [{"name": format!("{name}-array-1"), "model": "HPE Alletra 6030"}],
            "connections": 0,
            "upSince": self.days_ago(60),
            "generation": self.days_ago(60),
        });
        self.put(collection::SYSTEMS, system);
        let pools = self.pools(id, &DEVICE_TYPE2_POOLS);
        for number in 0..DEVICE_TYPE2_VOLUMES {
            let volume = ids::device_type2(&mut self.rng);
            let name = format!("group-{}-vol-{number}", index + 1);
            self.volume(&volume, id, &pools[number % pools.len()], &name, number);
        }
    }

    /// Ids of the pools of a system, the examples of the definition first.
    fn pools(&mut self, system: &str, kinds: &[(&str, &str, &str, &str, u64)]) -> Vec<String> {
        let examples = self.examples.pools.iter();
        let mut ids: Vec<String> = examples
            .filter(|(owner, _)| owner == system)
            .map(|(_, id)| id.clone())
            .collect();
        while ids.len() < kinds.len() {
            ids.push(ids::object(&mut self.rng));
        }
        for (number, id) in ids.iter().enumerate() {
            let (name, raid, disk, set, tebibytes) = kinds[number % kinds.len()];
            let name = match number / kinds.len() {
                0 => name.to_owned(),
                round => format!("{name}_{round}"),
            };
            let pool = json!({
                "id": id,
                "systemId": system,
                "name": name,
                "number": number,
                "totalSizeMiB": tebibytes * TIB,
                "raidType": raid,
                "diskType": disk,
                "setSize": set,
                "warnPercent": 80,
                "generation": self.days_ago(60),
            });
            self.put(collection::POOLS, pool);
        }
        ids
    }

    fn volume(&mut self, id: &str, system: &str, pool: &str, name: &str, number: usize) {
        let size = 16_384 << (self.rng.next_u32() % 5);
        let used = size / 100 * u64::from(self.rng.next_u32() % 80);
        let created = self.days_ago(30 - i64::try_from(number % 30).unwrap_or_default());
        let volume = json!({
            "id": id,
            "systemId": system,
            "poolId": pool,
            "name": name,
            "number": number,
            "sizeMiB": size,
            "usedSizeMiB": used,
            "writtenMiB": used + used / 2,
            "dataReduction": number.is_multiple_of(2),
            "comment": null,
            "snapCpg": null,
            "userAllocWarning": 80,
            "snapshotAllocWarning": null,
            "wwn": ids::volume_wwn(&mut self.rng),
            "created": created,
            "generation": created,
        });
        self.put(collection::VOLUMES, volume);
    }

    /// The definition's hosts come first and belong to no group, so that they can be deleted; two of
    /// the others form a group that reaches a volume.
    fn hosts(&mut self) {
        let mut ids = self.examples.hosts.clone();
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
        self.export_last_volume(&group);
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

    /// The last volume of device-type1 is exported; the examples are not, as they come first.
    fn export_last_volume(&mut self, group: &Value) {
        let export = json!([{
            "id": group.field("id"),
            "deviceDiscoveredName": group.field("name"),
            "type": "host-initiator-groups",
            "resourceUri": format!("/api/v1/host-initiator-groups/{}", group.text("id")),
        }]);
        let examples = &self.examples.volumes;
        let last = self
            .changes
            .iter_mut()
            .rev()
            .find_map(|change| match change {
                Change::Put {
                    collection,
                    id,
                    value,
                } if collection == collection::VOLUMES
                    && id.len() == 32
                    && !examples.iter().any(|(_, example)| example == id) =>
                {
                    Some(value)
                }
                _ => None,
            });
        if let Some(volume) = last {
            set(volume, "initiators", export);
        }
    }

    fn tasks(&mut self, settings: &Settings) {
        let mut ids = self.examples.tasks.clone();
        if ids.is_empty() {
            ids.push(ids::task(&mut self.rng));
        }
        let volume = self.changes.iter().find_map(|change| match change {
            Change::Put {
                collection, value, ..
            } if collection == collection::VOLUMES => Some(value),
            _ => None,
        });
        let Some(volume) = volume.cloned() else {
            return;
        };
        let (system, name) = (volume.text("systemId"), volume.text("name"));
        let uri = format!(
            "/api/v1/storage-systems/device-type1/{system}/volumes/{}",
            volume.text("id")
        );
        let source = tasks::reference("volume", name, uri);
        let created = earlier(self.now, SignedDuration::from_hours(24));
        let end = created
            .checked_add(settings.task_duration)
            .unwrap_or(created)
            .max(created);
        for id in ids {
            let title = format!("Create volume {name}");
            let task = tasks::ended(
                &id,
                &title,
                "seed@example.com",
                source.clone(),
                created,
                end,
            );
            self.put(collection::TASKS, task);
        }
    }

    fn examples_of_volumes(&self, system: &str) -> Vec<String> {
        let volumes = self.examples.volumes.iter();
        volumes
            .filter(|(owner, _)| owner.as_deref() == Some(system))
            .map(|(_, id)| id.clone())
            .collect()
    }

    fn first_system(&self) -> Value {
        let first = self.changes.iter().find_map(|change| match change {
            Change::Put { collection, id, .. } if collection == collection::SYSTEMS => Some(id),
            _ => None,
        });
        first.into_iter().cloned().collect::<Vec<_>>().into()
    }

    fn days_ago(&self, days: i64) -> i64 {
        earlier(self.now, SignedDuration::from_hours(24 * days)).as_millisecond()
    }

    fn put(&mut self, collection: &str, value: Value) {
        let id = value.text("id").to_owned();
        self.put_raw(collection, &id, value);
    }

    fn put_raw(&mut self, collection: &str, id: &str, value: Value) {
        self.changes.push(Change::Put {
            collection: collection.to_owned(),
            id: id.to_owned(),
            value,
        });
    }
}

fn earlier(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_sub(by).unwrap_or(now)
}
