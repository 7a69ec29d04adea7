//! Systems of device-type2: their arrays, pools, volumes, snapshots and volume collections.

use rand_core::Rng as _;
use serde_json::{Value, json};

use super::super::examples::{last_in_path, texts_in_body};
use super::super::relation::{ACCESS, ASSIGNED, COLLECTED};
use super::super::systems::TYPE2;
use super::super::{set, type2};
use super::{Named, Seed, TIB, collection, ids};
use crate::stored::{Fields, Stored};

/// Volumes beside those of the definition.
const VOLUMES: usize = 3;

/// Name, kind of disk, capacity in TiB; each has an array of its own.
const POOLS: [(&str, &str, u32); 2] = [
    ("default", "DEVICE_TYPE_SSD", 64),
    ("archive", "DEVICE_TYPE_NL", 128),
];

/// What an array in no pool would bring, in TiB.
const SPARE: u32 = 32;

/// The operations whose example bodies name host groups that are reached: those of volumes, and
/// those of snapshots.
pub(super) const WITHDRAWALS2: [(&str, &str); 2] = [
    (
        "POST",
        "storage-systems/device-type2/{}/volumes/{}/un-export",
    ),
    (
        "POST",
        "storage-systems/device-type2/{}/volumes/{}/snapshots/{}/un-export",
    ),
];

const REMOVE_VOLUMES: (&str, &str) = (
    "POST",
    "storage-systems/device-type2/{}/volume-collections/{}/actions/remove-volumes",
);

impl Seed<'_> {
    pub(super) fn device_type2(&mut self, id: &str, index: usize) {
        let name = format!("group-{}", index + 1);
        let serial = format!("AF-{}", 100_000 + self.rng.next_u32() % 900_000);
        let pools = self.pools2(id, &name);
        let spare = self.spare_arrays(id, &name);
        let arrays: Vec<Value> = (1..=pools.len() + spare)
            .map(|number| json!({"name": format!("{name}-array-{number}"), "model": MODEL}))
            .collect();
        let system = json!({
            "id": id,
            "name": name,
            "deviceType": TYPE2,
            "description": "Made up by the seed",
            "model": MODEL,
            "softwareVersion": "6.1.2.200-1020304-opt",
            "systemWWN": null,
            "tierType": "STORAGE_TIER_6000_NVME",
            "fqdn": format!("{name}.example.com"),
            "serial": serial,
            "arrays": arrays,
            "connections": 0,
            "upSince": self.days_ago(60),
            "generation": self.days_ago(60),
        });
        self.put(collection::SYSTEMS, system);
        self.volumes2(id, &name, &pools);
    }

    /// Ids of the pools. Those of the definition come last but for the default pool, which cannot be
    /// deleted, and hold no volume, so that they can.
    fn pools2(&mut self, system: &str, name: &str) -> Vec<String> {
        let mut ids: Vec<String> = POOLS
            .iter()
            .map(|_| ids::device_type2(&mut self.rng))
            .collect();
        ids.extend(self.examples_of(Named::Pool, system));
        for (number, id) in ids.iter().enumerate() {
            let (pool, disk, tebibytes) = POOLS[number.min(POOLS.len() - 1)];
            let pool = match number {
                0 | 1 => pool.to_owned(),
                more => format!("{pool}-{more}"),
            };
            let kept = json!({
                "id": id,
                "systemId": system,
                "name": pool,
                "number": number,
                "totalSizeMiB": tebibytes * TIB,
                "raidType": "RAID_SIX",
                "diskType": disk,
                "setSize": "",
                "warnPercent": 80,
                "created": self.days_ago(60),
                "generation": self.days_ago(60),
            });
            self.put(collection::POOLS, kept);
            let array = ids::device_type2(&mut self.rng);
            self.array(
                &array,
                system,
                &format!("{name}-array-{}", number + 1),
                tebibytes,
            );
            self.commit(ASSIGNED.add(&array, id));
        }
        ids
    }

    /// Arrays in no pool, from which a pool can be made.
    fn spare_arrays(&mut self, system: &str, name: &str) -> usize {
        let mut ids = self.examples_of(Named::Array, system);
        if ids.is_empty() {
            ids.push(ids::device_type2(&mut self.rng));
        }
        for (number, id) in ids.iter().enumerate() {
            let first = POOLS.len() + self.examples_of(Named::Pool, system).len() + 1;
            let array = format!("{name}-array-{}", first + number);
            self.array(id, system, &array, SPARE);
        }
        ids.len()
    }

    fn array(&mut self, id: &str, system: &str, name: &str, tebibytes: u32) {
        let array = json!({
            "id": id,
            "systemId": system,
            "name": name,
            "model": MODEL,
            "capacityMiB": tebibytes * TIB,
        });
        self.put(collection::ARRAYS, array);
    }

    /// The definition's volumes are offline and alone, so that they can be deleted; the others are
    /// online, and one of them is exported, has a snapshot and is in a collection.
    fn volumes2(&mut self, system: &str, name: &str, pools: &[String]) {
        let examples = self.examples_of(Named::Volume, system);
        for (number, id) in examples.iter().enumerate() {
            let mut volume =
                self.volume2(id, (system, &pools[0]), &format!("{name}-example-{number}"));
            set(&mut volume, "state", type2::OFFLINE);
            self.put(collection::VOLUMES, volume);
            for (count, snapshot) in self.snapshots_of(id).iter().enumerate() {
                self.snapshot2(snapshot, id, &format!("snapshot-{count}"));
            }
        }
        let mut busy = None;
        for number in 0..VOLUMES {
            let id = ids::device_type2(&mut self.rng);
            let pool = &pools[number % POOLS.len()];
            let volume = self.volume2(&id, (system, pool), &format!("{name}-vol-{number}"));
            self.put(collection::VOLUMES, volume);
            busy = Some(id);
        }
        if let Some(busy) = busy {
            let snapshot = ids::device_type2(&mut self.rng);
            self.snapshot2(&snapshot, &busy, "nightly");
            self.collections2(system, name, &busy);
        }
    }

    fn volume2(&mut self, id: &str, (system, pool): (&str, &str), name: &str) -> Value {
        let size = 16_384 << (self.rng.next_u32() % 5);
        let used = size / 100 * u64::from(self.rng.next_u32() % 80);
        let wwn = ids::volume_wwn(&mut self.rng);
        let mut volume = type2::kept_volume(id, (system, pool), name, &wwn, self.days_ago(30));
        set(&mut volume, "sizeMiB", size);
        set(&mut volume, "usedSizeMiB", used);
        set(&mut volume, "writtenMiB", used + used / 2);
        volume
    }

    fn snapshot2(&mut self, id: &str, volume: &str, name: &str) {
        let serial = ids::volume_wwn(&mut self.rng);
        let created = self.days_ago(1);
        let Some(volume) = self.state.get(collection::VOLUMES, volume) else {
            return;
        };
        let kept = type2::kept_snapshot(id, volume, name, &json!({}), &serial, created);
        self.put(collection::SNAPSHOTS2, kept);
    }

    /// The definition's collections are empty but for what it takes out of one; one more has a
    /// volume.
    fn collections2(&mut self, system: &str, name: &str, volume: &str) {
        let mut ids = self.examples_of(Named::VolumeCollection, system);
        let full = ids::device_type2(&mut self.rng);
        ids.push(full.clone());
        for (number, id) in ids.iter().enumerate() {
            let name = format!("{name}-collection-{number}");
            let kept = type2::kept_collection(id, system, &name, &json!({}), self.days_ago(30));
            self.put(collection::VOLUME_COLLECTIONS, kept);
        }
        self.commit(COLLECTED.add(volume, &full));
        if let Some(left) =
            last_in_path(self.definition, REMOVE_VOLUMES).filter(|id| ids.contains(id))
        {
            for volume in texts_in_body(self.definition, REMOVE_VOLUMES, "volume_ids") {
                self.commit(COLLECTED.add(&volume, &left));
            }
        }
    }

    /// One volume of device-type2 that is no example is exported, once there are host groups.
    pub(super) fn export_device_type2(&mut self, group: &str) {
        let examples = self.examples.all();
        let collected = self.state.all(collection::VOLUMES).filter(|(id, _)| {
            let mut collections = COLLECTED.from(&self.state, id);
            !examples.contains(id) && collections.next().is_some()
        });
        let Some(volume) = collected.map(|(id, _)| id.to_owned()).next() else {
            return;
        };
        self.access(&volume, &volume, group);
    }

    /// What the examples withdraw from host groups reaches them.
    pub(super) fn withdrawable_device_type2(&mut self) {
        for route in WITHDRAWALS2 {
            let Some(id) = last_in_path(self.definition, route) else {
                continue;
            };
            let snapshot = self.state.get(collection::SNAPSHOTS2, &id);
            let snapshot = snapshot.map(Stored::unpack);
            let volume = match &snapshot {
                Some(snapshot) => snapshot.text("ofVolume").to_owned(),
                None => id.clone(),
            };
            let groups = texts_in_body(self.definition, route, "hostGroups");
            for group in &groups {
                self.access(&id, &volume, group);
            }
            if let Some(mut online) = snapshot.filter(|_| !groups.is_empty()) {
                set(&mut online, "state", type2::ONLINE);
                self.put(collection::SNAPSHOTS2, online);
            }
        }
    }

    /// A record that lets a group reach a volume or a snapshot of it by the next number.
    fn access(&mut self, of: &str, volume: &str, group: &str) {
        let lun = ACCESS.records_to(&self.state, group).count();
        let record = json!({
            "id": ids::device_type2(&mut self.rng),
            "ofVolume": volume,
            "lun": lun,
        });
        self.commit(ACCESS.add_with(of, group, record));
    }

    fn examples_of(&self, kind: Named, system: &str) -> Vec<String> {
        let mut ids = Vec::new();
        for example in self.examples.of_kind(kind) {
            if example.system() == Some(system) && !ids.contains(&example.id) {
                ids.push(example.id);
            }
        }
        ids
    }

    fn snapshots_of(&self, volume: &str) -> Vec<String> {
        let mut ids = Vec::new();
        for example in self.examples.of_kind(Named::Snapshot2) {
            if example.within(Named::Volume) == Some(volume) && !ids.contains(&example.id) {
                ids.push(example.id);
            }
        }
        ids
    }
}

const MODEL: &str = "HPE Alletra 6030";
