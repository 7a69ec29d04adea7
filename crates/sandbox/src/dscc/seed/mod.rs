//! The state to begin with: a few systems with pools, volumes and hosts, and a task that has ended.
//!
//! Everything but the times follows from one number, and the ids that the definition gives as
//! examples are among those used. Names and values are made up; their shapes are those of
//! domain.md section 7.8. Each kind of resource has its part in a file of its own.

mod device_type1;
mod device_type2;
mod hosts;
mod issues;
mod storage;
mod tasks;

use hallpass_openapi::Definition;
use jiff::{SignedDuration, Timestamp};
use rand_chacha::ChaCha8Rng;
use rand_core::{Rng, SeedableRng};
use serde_json::{Value, json};

use super::examples::Examples;
use super::routes::Named;
use super::{collection, ids, plain, set};
use crate::change::Change;
use crate::sandbox::Settings;
use crate::state::State;
use crate::stored::{Fields, Stored};

const DEVICE_TYPE1_SYSTEMS: usize = 2;
const TIB: u32 = 1024 * 1024;

/// What a pool is like: name, RAID level, kind of disk, set size, capacity in TiB.
type PoolKind = (&'static str, &'static str, &'static str, &'static str, u64);

/// A state that is the same for the same number, settings and time.
pub(crate) fn seed(
    definition: &Definition,
    settings: &Settings,
    number: u64,
    now: Timestamp,
) -> State {
    let mut seed = Seed {
        rng: ChaCha8Rng::seed_from_u64(number),
        definition,
        examples: Examples::of(definition),
        settings,
        now,
        state: State::default(),
    };
    seed.systems();
    seed.hosts();
    seed.storage();
    seed.tasks();
    seed.issues();
    seed.state.advance(now);
    seed.state
}

struct Seed<'a> {
    rng: ChaCha8Rng,
    definition: &'a Definition,
    examples: Examples,
    settings: &'a Settings,
    now: Timestamp,
    state: State,
}

impl Seed<'_> {
    fn systems(&mut self) {
        let mut type1 = self.examples.device_type1();
        while type1.len() < DEVICE_TYPE1_SYSTEMS {
            type1.push(ids::serial(&mut self.rng));
        }
        let mut type2 = self.examples.ids(Named::DeviceType2);
        if type2.is_empty() {
            type2.push(ids::device_type2(&mut self.rng));
        }
        let share = self.settings.volumes / type1.len();
        let more = self.settings.volumes % type1.len();
        for (index, id) in type1.iter().enumerate() {
            let volumes = share + usize::from(index < more);
            self.device_type1(id, index, volumes);
        }
        for (index, id) in type2.iter().enumerate() {
            self.device_type2(id, index);
        }
    }

    /// Ids of the pools of a system, the examples of the definition first.
    fn pools(&mut self, system: &str, kinds: &[PoolKind]) -> Vec<String> {
        let examples = self.examples.of_kind(Named::Pool).into_iter();
        let mut ids: Vec<String> = examples
            .filter(|example| example.system() == Some(system))
            .map(|example| example.id)
            .collect();
        ids.dedup();
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
                "totalSizeMiB": tebibytes * u64::from(TIB),
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

    /// Makes pools larger that could not hold what their volumes use already, as when there are
    /// many; a fifth stays free.
    fn enlarge_pools(&mut self, pools: &[String]) {
        for pool in pools {
            let used = self.state.sum(collection::VOLUMES, pool, "usedSizeMiB");
            let Some(mut pool) = self.state.get(collection::POOLS, pool).map(Stored::unpack) else {
                continue;
            };
            let wanted = (used * 1.25 / f64::from(TIB)).ceil() * f64::from(TIB);
            if pool.number("totalSizeMiB") < wanted {
                set(&mut pool, "totalSizeMiB", plain(wanted));
                self.put(collection::POOLS, pool);
            }
        }
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

    /// The example ids of a kind on a system. Those addressed by no system live on the first one.
    fn examples_on(&self, kind: Named, system: &str, index: usize) -> Vec<String> {
        let examples = self.examples.on_systems(kind).into_iter();
        let here = examples.filter(|(owner, _)| match owner {
            Some(owner) => owner == system,
            None => index == 0,
        });
        here.map(|(_, id)| id).collect()
    }

    /// The oldest object of a collection.
    fn first(&self, collection: &str) -> Option<&Stored> {
        self.state.all(collection).next().map(|(_, stored)| stored)
    }

    fn first_system(&self) -> Value {
        let first = self.first(collection::SYSTEMS);
        first.map(|system| system.field("id")).into_iter().collect()
    }

    fn days_ago(&self, days: i64) -> i64 {
        earlier(self.now, SignedDuration::from_hours(24 * days)).as_millisecond()
    }

    fn put(&mut self, collection: &str, value: Value) {
        let id = value.text("id").to_owned();
        self.put_raw(collection, &id, value);
    }

    fn put_raw(&mut self, collection: &str, id: &str, value: Value) {
        self.commit(Change::Put {
            collection: collection.to_owned(),
            id: id.to_owned(),
            value,
        });
    }

    fn commit(&mut self, change: Change) {
        self.state.commit(&[change], self.now);
    }
}

fn earlier(now: Timestamp, by: SignedDuration) -> Timestamp {
    now.checked_sub(by).unwrap_or(now)
}
