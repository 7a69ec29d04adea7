//! A table of leaky buckets (the generic cell rate algorithm) whose size never changes.
//!
//! A key's hash names a set of [`WAYS`] cells, and the key owns one of them, so keys never share a
//! count and a stranger's flood refuses nobody else. A key without a cell gets the emptiest of its
//! set. What that forgets is the least that can be forgotten: nothing at all while the cell has run
//! dry, and never a fuller one, so a flood of ids that each appear once cannot free an id that is
//! over its limit.
//!
//! The worst case is an attacker who keeps the rest of an id's set fuller than the id itself and
//! so has its last count forgotten. The hash is keyed anew in each process; not knowing who shares
//! the set, they need about as many other ids as there are sets (2,048 in the product) for each
//! count that goes missing.

use std::hash::{BuildHasher, Hash, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use crate::{Rate, RetryAfter};

const WAYS: usize = 8;

/// Counts by key.
pub struct Cells {
    rate: Rate,
    hasher: RandomState,
    sets: Box<[Mutex<Set>]>,
}

type Set = [Cell; WAYS];

#[derive(Clone, Copy)]
struct Cell {
    /// The whole hash. Two ids that share 64 bits of a keyed hash would share a count.
    key: u64,
    /// When nothing of what was noted is left, in microseconds.
    dry_at: i64,
}

impl Cells {
    /// At least one set, and as many as fit into `capacity` cells.
    pub fn new(rate: Rate, capacity: usize, hasher: RandomState) -> Self {
        let unused = Cell {
            key: 0,
            dry_at: i64::MIN,
        };
        let sets = (capacity / WAYS).max(1);
        Self {
            rate,
            hasher,
            sets: (0..sets).map(|_| Mutex::new([unused; WAYS])).collect(),
        }
    }

    /// Adds one to the key's bucket, or leaves it as it is and says when there is room for one.
    pub fn note(&self, key: impl Hash, now: Timestamp) -> Result<(), RetryAfter> {
        let key = self.hasher.hash_one(key);
        let now = now.as_microsecond();
        let full = now.saturating_add(self.rate.span());
        let mut set = self.set(key);
        // Fuller than full means that the clock was set back. Without this, ids would be locked
        // out, and their cells never given up, until the clock is where it was.
        for cell in set.iter_mut() {
            cell.dry_at = cell.dry_at.min(full);
        }
        let cell = cell_of(&mut set, key);
        let dry_at = cell.dry_at.max(now).saturating_add(self.rate.interval);
        if dry_at > full {
            return Err(RetryAfter::microseconds(dry_at - full));
        }
        cell.dry_at = dry_at;
        Ok(())
    }

    /// What [`Self::note`] would say, without adding anything.
    pub fn ask(&self, key: impl Hash, now: Timestamp) -> Result<(), RetryAfter> {
        let key = self.hasher.hash_one(key);
        let now = now.as_microsecond();
        let full = now.saturating_add(self.rate.span());
        let set = self.set(key);
        let known = set.iter().find(|cell| cell.key == key);
        let dry_at = known.map_or(i64::MIN, |cell| cell.dry_at.min(full));
        let dry_at = dry_at.max(now).saturating_add(self.rate.interval);
        if dry_at > full {
            return Err(RetryAfter::microseconds(dry_at - full));
        }
        Ok(())
    }

    /// Takes one out of the key's bucket again. One that was forgotten meanwhile has nothing to give.
    pub fn give_back(&self, key: impl Hash) {
        let key = self.hasher.hash_one(key);
        let mut set = self.set(key);
        if let Some(cell) = set.iter_mut().find(|cell| cell.key == key) {
            cell.dry_at = cell.dry_at.saturating_sub(self.rate.interval);
        }
    }

    /// Fills the key's bucket to the brim.
    pub fn fill(&self, key: impl Hash, now: Timestamp) {
        let key = self.hasher.hash_one(key);
        let full = now.as_microsecond().saturating_add(self.rate.span());
        cell_of(&mut self.set(key), key).dry_at = full;
    }

    /// Whether anything of what was noted for the key is left.
    pub fn holds(&self, key: impl Hash, now: Timestamp) -> bool {
        let key = self.hasher.hash_one(key);
        let set = self.set(key);
        let known = set.iter().find(|cell| cell.key == key);
        known.is_some_and(|cell| cell.dry_at > now.as_microsecond())
    }

    fn set(&self, key: u64) -> MutexGuard<'_, Set> {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "the low bits are as random as all of them"
        )]
        let low = key as usize;
        // A set is valid after every assignment, so a poisoned one is as good as any.
        self.sets[low % self.sets.len()]
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// The key's own cell, or the emptiest one, which is the key's from now on.
fn cell_of(set: &mut Set, key: u64) -> &mut Cell {
    let mut chosen = 0;
    for index in 0..WAYS {
        if set[index].key == key {
            return &mut set[index];
        }
        if set[index].dry_at < set[chosen].dry_at {
            chosen = index;
        }
    }
    set[chosen] = Cell {
        key,
        dry_at: i64::MIN,
    };
    &mut set[chosen]
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::thread;

    use proptest::prelude::*;

    use super::*;

    const NOON: i64 = 1_800_000_000_000_000;
    const MINUTE: i64 = 60_000_000;
    const ONE_SET: usize = WAYS;

    fn cells(per_minute: u32, burst: u32, capacity: usize) -> Cells {
        let rate = Rate::new(per_minute, burst).unwrap();
        Cells::new(rate, capacity, RandomState::new())
    }

    fn at(microsecond: i64) -> Timestamp {
        Timestamp::from_microsecond(microsecond).unwrap()
    }

    fn in_use(cells: &Cells) -> usize {
        let sets = cells.sets.iter().map(|set| *set.lock().unwrap());
        sets.flatten().filter(|cell| cell.dry_at > i64::MIN).count()
    }

    /// What the limit means, without any of the table's economy: a bucket of allowances per key
    /// that is refilled as time passes.
    struct Model {
        rate: Rate,
        buckets: HashMap<u8, (i64, i64)>,
    }

    impl Model {
        fn note(&mut self, key: u8, now: i64) -> Result<(), RetryAfter> {
            let full = self.rate.interval * i64::from(self.rate.burst);
            let (held, filled_at) = self.buckets.entry(key).or_insert((full, now));
            *held = full.min(*held + (now - *filled_at));
            *filled_at = now;
            if *held < self.rate.interval {
                let missing = self.rate.interval - *held;
                return Err(RetryAfter::microseconds(missing));
            }
            *held -= self.rate.interval;
            Ok(())
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        #[test]
        fn the_table_does_as_the_model(
            per_minute in 1_u32..2_000,
            burst in 1_u32..6,
            calls in prop::collection::vec((0_u8..8, 0_i64..MINUTE / 20), 1..200),
        ) {
            let cells = cells(per_minute, burst, ONE_SET);
            let mut model = Model { rate: cells.rate, buckets: HashMap::new() };
            let mut now = NOON;
            for (key, passed) in calls {
                now += passed;
                let told = cells.ask(key, at(now));
                prop_assert_eq!(told, cells.ask(key, at(now)), "asking takes nothing");
                prop_assert_eq!(told, cells.note(key, at(now)));
                prop_assert_eq!(told, model.note(key, now));
            }
        }

        #[test]
        fn threads_together_get_what_the_model_allows(
            burst in 1_u32..20,
            moments in prop::collection::vec((0_i64..MINUTE, prop::collection::vec(0_u8..8, 1..80)), 1..5),
        ) {
            let cells = cells(30, burst, ONE_SET);
            let mut model = Model { rate: cells.rate, buckets: HashMap::new() };
            let mut now = NOON;
            for (passed, keys) in moments {
                now += passed;
                let allowed = keys.iter().filter(|&&key| model.note(key, now).is_ok()).count();
                let admitted = thread::scope(|scope| {
                    let shares = keys.chunks(keys.len().div_ceil(4)).map(|share| {
                        let admit = |key: &&u8| cells.note(**key, at(now)).is_ok();
                        scope.spawn(move || share.iter().filter(admit).count())
                    });
                    let threads: Vec<_> = shares.collect();
                    threads.into_iter().map(|thread| thread.join().unwrap()).sum::<usize>()
                });
                prop_assert_eq!(admitted, allowed);
            }
        }

        #[test]
        fn whatever_the_clock_does_one_interval_later_there_is_room(
            per_minute in 1_u32..100,
            burst in 1_u32..4,
            calls in prop::collection::vec((0_u8..12, -1_000 * MINUTE..1_000 * MINUTE), 1..100),
        ) {
            let cells = cells(per_minute, burst, ONE_SET);
            let interval = cells.rate.interval;
            for (key, moment) in calls {
                let now = NOON + moment;
                if let Err(retry) = cells.note(key, at(now)) {
                    prop_assert!(retry <= RetryAfter::microseconds(interval));
                    prop_assert_eq!(cells.note(key, at(now + interval)), Ok(()));
                }
            }
        }
    }

    #[test]
    fn a_clock_set_back_neither_locks_out_nor_opens() {
        let cells = cells(6, 2, ONE_SET);
        assert!(cells.note("a", at(NOON)).is_ok());
        assert!(cells.note("a", at(NOON)).is_ok());

        let an_hour_before = NOON - 60 * MINUTE;
        assert_eq!(
            cells.note("a", at(an_hour_before)),
            Err(RetryAfter::microseconds(10_000_000))
        );
        assert!(cells.note("a", at(an_hour_before + 10_000_000)).is_ok());
    }

    #[test]
    fn what_was_filled_is_held_until_it_has_run_dry() {
        let cells = cells(6, 2, ONE_SET);
        assert!(!cells.holds("a", at(NOON)));
        cells.fill("a", at(NOON));
        assert!(cells.note("a", at(NOON)).is_err());
        assert!(cells.holds("a", at(NOON + 19_999_999)));
        assert!(!cells.holds("a", at(NOON + 20_000_000)));
        assert!(!cells.holds("b", at(NOON)));
    }

    #[test]
    fn what_is_given_back_was_never_noted() {
        let cells = cells(6, 2, ONE_SET);
        cells.give_back("a");
        assert!(cells.note("a", at(NOON)).is_ok());
        assert!(cells.note("a", at(NOON)).is_ok());
        assert!(cells.note("a", at(NOON)).is_err());
        cells.give_back("b");
        assert!(cells.ask("a", at(NOON)).is_err(), "another's");
        cells.give_back("a");
        assert!(cells.note("a", at(NOON)).is_ok());
        assert!(cells.note("a", at(NOON)).is_err());
    }

    #[test]
    fn the_ends_of_time_are_times() {
        let cells = cells(1, u32::MAX, ONE_SET);
        assert!(cells.note("a", Timestamp::MAX).is_ok());
        let one_interval = RetryAfter::microseconds(MINUTE);
        assert_eq!(cells.note("a", Timestamp::MIN), Err(one_interval));
        assert!(cells.note("a", Timestamp::MAX).is_ok());
    }

    #[test]
    fn a_million_ids_take_no_more_memory_than_none() {
        let capacity = 1 << 12;
        let cells = cells(1, 1, capacity);
        // Nothing in a cell points anywhere else, so this is all the memory there is.
        let bytes = size_of_val(&*cells.sets);
        assert!(bytes <= capacity * 17, "{bytes} bytes");

        for id in 0..1_000_000_u32 {
            assert!(cells.note(id, at(NOON)).is_ok(), "a stranger paid for {id}");
        }

        assert_eq!(in_use(&cells), capacity);
        assert_eq!(size_of_val(&*cells.sets), bytes);
    }

    #[test]
    fn a_flood_of_other_ids_does_not_free_one_over_its_limit() {
        let cells = cells(10, 5, 1 << 8);
        for _ in 0..5 {
            assert!(cells.note("attacker", at(NOON)).is_ok());
        }
        for id in 0..100_000_u32 {
            assert!(cells.note(id, at(NOON)).is_ok());
        }
        assert!(cells.note("attacker", at(NOON)).is_err());
    }

    #[test]
    fn the_emptiest_cell_is_given_up_first() {
        let cells = cells(60, 10, ONE_SET);
        for (id, counts) in [3_u8, 4, 2, 5, 6, 7, 8, 9].into_iter().enumerate() {
            for _ in 0..counts {
                assert!(cells.note(id, at(NOON)).is_ok());
            }
        }
        assert!(cells.note("newcomer", at(NOON)).is_ok());

        let left = |id: usize| (0..10).filter(|_| cells.note(id, at(NOON)).is_ok()).count();
        assert_eq!(left(7), 1);
        assert_eq!(left(0), 7);
        assert_eq!(left(2), 10, "the one with two counts had to go");
    }

    #[test]
    fn what_has_run_dry_is_given_up_before_what_has_not() {
        let cells = cells(60, 1, ONE_SET);
        for id in 0..7_u8 {
            assert!(cells.note(id, at(NOON)).is_ok());
        }
        let later = NOON + MINUTE;
        assert!(cells.note("attacker", at(later)).is_ok());
        for newcomer in 100..107_u8 {
            assert!(cells.note(newcomer, at(later)).is_ok());
        }
        assert!(cells.note("attacker", at(later)).is_err());
    }
}
