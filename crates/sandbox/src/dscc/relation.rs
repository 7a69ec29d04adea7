//! Which objects belong together. A pair is kept once, as an object with two ends, and each end
//! finds the other by an index: the two directions cannot disagree, and two tasks that change
//! different pairs of one object do not undo each other's work.
//!
//! Knows nothing of what the ends are. An end that is gone is for the reader to leave out; whoever
//! removes an object forgets its pairs in the same step.

use serde_json::{Value, json};

use super::{none_where, remove, remove_where, set};
use crate::change::{Change, Requirement};
use crate::state::State;
use crate::stored::{Fields, Stored};

const FROM: &str = "from";
const TO: &str = "to";

/// A kind of pair.
#[derive(Debug, Clone, Copy)]
pub(super) struct Relation(&'static str);

/// From a host group to a host in it.
pub(super) const MEMBERS: Relation = Relation("hostsOfGroups");
/// From a host to an initiator of it.
pub(super) const PORTS: Relation = Relation("initiatorsOfHosts");

/// From a device-type2 volume or snapshot to a host group that it is exported to.
pub(super) const ACCESS: Relation = Relation("accessControlRecords");
/// From a device-type2 volume to the collection that it is in.
pub(super) const COLLECTED: Relation = Relation("volumesOfCollections");
/// From a device-type2 volume to a clone of it.
pub(super) const CLONES: Relation = Relation("clonesOfVolumes");
/// From a device-type2 array to the pool that it is in.
pub(super) const ASSIGNED: Relation = Relation("poolsOfArrays");
/// From a device-type2 snapshot to a clone that was made from it.
pub(super) const BASES: Relation = Relation("clonesOfSnapshots");

impl Relation {
    /// Relates the two; nothing changes when they are related already.
    pub(super) fn add(self, from: &str, to: &str) -> Change {
        self.add_with(from, to, json!({}))
    }

    /// Relates the two, and says more about it.
    pub(super) fn add_with(self, from: &str, to: &str, mut more: Value) -> Change {
        set(&mut more, FROM, from);
        set(&mut more, TO, to);
        Change::Put {
            collection: self.0.to_owned(),
            id: Self::key(from, to),
            value: more,
        }
    }

    /// Ends the relation of the two.
    pub(super) fn remove(self, from: &str, to: &str) -> Change {
        remove(self.0, &Self::key(from, to))
    }

    /// Ends every relation that starts here.
    pub(super) fn forget_from(self, from: &str) -> Change {
        self.forget(FROM, from)
    }

    /// Ends every relation that leads here.
    pub(super) fn forget_to(self, to: &str) -> Change {
        self.forget(TO, to)
    }

    /// That nothing leads here.
    pub(super) fn none_to(self, to: &str) -> Requirement {
        none_where(self.0, &[(TO, to)])
    }

    /// That nothing starts here.
    pub(super) fn none_from(self, from: &str) -> Requirement {
        none_where(self.0, &[(FROM, from)])
    }

    /// What is kept about the relations that start here, oldest first.
    pub(super) fn records_from<'s>(
        self,
        state: &'s State,
        from: &str,
    ) -> impl Iterator<Item = &'s Stored> + use<'s> {
        state.with(self.0, FROM, from)
    }

    /// What is kept about the relations that lead here, oldest first.
    pub(super) fn records_to<'s>(
        self,
        state: &'s State,
        to: &str,
    ) -> impl Iterator<Item = &'s Stored> + use<'s> {
        state.with(self.0, TO, to)
    }

    /// That the two are not related.
    pub(super) fn unrelated(self, from: &str, to: &str) -> Requirement {
        none_where(self.0, &[(FROM, from), (TO, to)])
    }

    /// That nothing which leads here says this about itself.
    pub(super) fn none_to_with(self, to: &str, field: &str, text: &str) -> Requirement {
        none_where(self.0, &[(TO, to), (field, text)])
    }

    /// Ends every relation about which the record says this.
    pub(super) fn forget_where(self, field: &str, text: &str) -> Change {
        self.forget(field, text)
    }

    /// That the two are related.
    pub(super) fn related(self, from: &str, to: &str) -> Requirement {
        Requirement::Exists {
            collection: self.0.to_owned(),
            id: Self::key(from, to),
        }
    }

    /// Where the relations that start here lead, oldest first.
    pub(super) fn from<'s>(
        self,
        state: &'s State,
        from: &str,
    ) -> impl Iterator<Item = &'s str> + use<'s> {
        state.with(self.0, FROM, from).map(|pair| pair.text(TO))
    }

    /// Where the relations that lead here start, oldest first.
    pub(super) fn to<'s>(
        self,
        state: &'s State,
        to: &str,
    ) -> impl Iterator<Item = &'s str> + use<'s> {
        state.with(self.0, TO, to).map(|pair| pair.text(FROM))
    }

    fn forget(self, end: &str, id: &str) -> Change {
        remove_where(self.0, &[(end, id)])
    }

    fn key(from: &str, to: &str) -> String {
        format!("{from} {to}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::Timestamp;

    #[test]
    fn both_ends_see_the_same_pairs() {
        let mut state = State::default();
        let changes = [
            MEMBERS.add("g", "a"),
            MEMBERS.add("g", "b"),
            MEMBERS.add("h", "a"),
            MEMBERS.add("g", "a"),
        ];
        state.commit(&changes, Timestamp::UNIX_EPOCH);
        let from: Vec<&str> = MEMBERS.from(&state, "g").collect();
        let to: Vec<&str> = MEMBERS.to(&state, "a").collect();
        assert_eq!((from, to), (vec!["a", "b"], vec!["g", "h"]));
        assert_eq!(PORTS.from(&state, "g").count(), 0);

        state.commit(&[MEMBERS.remove("g", "a")], Timestamp::UNIX_EPOCH);
        let to: Vec<&str> = MEMBERS.to(&state, "a").collect();
        assert_eq!(to, ["h"]);
        state.commit(&[MEMBERS.forget_from("g")], Timestamp::UNIX_EPOCH);
        assert!(state.holds(&MEMBERS.none_to("b")));
        assert!(!state.holds(&MEMBERS.none_to("a")));
        state.commit(&[MEMBERS.forget_to("a")], Timestamp::UNIX_EPOCH);
        assert!(state.holds(&MEMBERS.none_to("a")));
    }
}
