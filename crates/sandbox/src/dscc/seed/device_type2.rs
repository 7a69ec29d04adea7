//! Systems of device-type2.

use rand_core::Rng as _;
use serde_json::json;

use super::super::systems::TYPE2;
use super::{PoolKind, Seed, collection, ids};

const VOLUMES: usize = 3;

const POOLS: [PoolKind; 2] = [
    ("default", "RAID_SIX", "DEVICE_TYPE_SSD", "", 64),
    ("archive", "RAID_SIX", "DEVICE_TYPE_NL", "", 128),
];

impl Seed<'_> {
    pub(super) fn device_type2(&mut self, id: &str, index: usize) {
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
        let pools = self.pools(id, &POOLS);
        for number in 0..VOLUMES {
            let volume = ids::device_type2(&mut self.rng);
            let name = format!("group-{}-vol-{number}", index + 1);
            self.volume(&volume, id, &pools[number % pools.len()], &name, number);
        }
    }
}
