//! Systems of device-type1.

use serde_json::json;

use super::super::systems::TYPE1;
use super::{Named, PoolKind, Seed, collection, ids};

const POOLS: [PoolKind; 3] = [
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

impl Seed<'_> {
    pub(super) fn device_type1(&mut self, id: &str, index: usize, volumes: usize) {
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
        let pools = self.pools(id, &POOLS);
        let mut ids = self.examples_on(Named::Volume, id, index);
        for clone in self.examples_on(Named::Clone, id, index) {
            if !ids.contains(&clone) {
                ids.push(clone);
            }
        }
        while ids.len() < volumes {
            ids.push(ids::object(&mut self.rng));
        }
        for (number, volume) in ids.iter().enumerate() {
            let name = format!("vol-{}-{number}", index + 1);
            let pool = &pools[number % pools.len()];
            self.volume(volume, id, pool, &name, number);
        }
        self.enlarge_pools(&pools);
        self.put_raw(collection::NUMBERS, id, json!(ids.len()));
    }
}
