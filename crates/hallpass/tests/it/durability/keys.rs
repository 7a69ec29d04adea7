//! What was done with the signing keys, and what must be true of them because of that. Changes come
//! one after the other; the clock moves a key on from state to state by itself. Its rules are tested
//! with the journal's.

use super::credential::{Outcome, Standing, Tick};

/// Every key that anybody heard of, and every change of them.
#[derive(Default)]
pub(super) struct Keys {
    pub(super) known: Vec<Key>,
    changes: Vec<KeyChange>,
    /// Somebody changes keys, or what became of the last change is not known.
    taken: bool,
}

/// A key.
pub(super) struct Key {
    pub(super) id: String,
    /// As it was last seen.
    pub(super) state: KeyState,
    pub(super) origin: Origin,
}

/// Where a key comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    /// The first one. It signed the tokens of the run itself, so it is never removed.
    Start,
    /// It was asked for.
    Made,
    /// It came in for one that was removed while it signed.
    Spare,
}

/// The life of a key, in its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum KeyState {
    Upcoming,
    Active,
    Retiring,
    Retired,
}

impl KeyState {
    pub(super) fn read(word: &str) -> Self {
        match word {
            "upcoming" => Self::Upcoming,
            "active" => Self::Active,
            "retiring" => Self::Retiring,
            "retired" => Self::Retired,
            _ => panic!("a key is {word}"),
        }
    }
}

struct KeyChange {
    kind: KeyChangeKind,
    ended: Tick,
    outcome: Outcome,
    /// A token was refused that nothing else had ended, so it is done.
    seen: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyChangeKind {
    Make,
    /// Removes the key at this place.
    Remove(usize),
}

impl Keys {
    pub(super) fn learn(&mut self, id: &str, state: KeyState, origin: Origin) {
        let id = id.to_owned();
        self.known.push(Key { id, state, origin });
    }

    pub(super) fn find(&self, id: &str) -> Option<usize> {
        self.known.iter().position(|key| key.id == id)
    }

    /// The keys that may be removed, unless somebody changes keys.
    pub(super) fn removable(&self) -> Vec<usize> {
        let removable = |at: &usize| {
            let key = &self.known[*at];
            key.origin != Origin::Start && key.state != KeyState::Retired
        };
        (0..self.known.len()).filter(removable).collect()
    }

    pub(super) fn is_taken(&self) -> bool {
        self.taken
    }

    pub(super) fn begin(&mut self, kind: KeyChangeKind) {
        self.taken = true;
        self.changes.push(KeyChange {
            kind,
            ended: Tick::MAX,
            outcome: Outcome::UnderWay,
            seen: false,
        });
    }

    /// Ends the change under way. One that was lost keeps others from beginning until it is settled.
    pub(super) fn end(&mut self, outcome: Outcome, ended: Tick) {
        self.taken = outcome == Outcome::Lost;
        let change = self.changes.last_mut().unwrap();
        (change.outcome, change.ended) = (outcome, ended);
        if let KeyChangeKind::Remove(at) = change.kind
            && outcome.is_done()
        {
            self.known[at].state = KeyState::Retired;
        }
    }

    /// The change that nobody read an answer to.
    pub(super) fn unsettled(&self) -> Option<KeyChangeKind> {
        let last = self.changes.last()?;
        (last.outcome == Outcome::Lost).then_some(last.kind)
    }

    /// Writes down what became of a lost change.
    pub(super) fn settle(&mut self, done: bool) {
        let last = self.changes.last().unwrap();
        assert_eq!(last.outcome, Outcome::Lost);
        assert!(done || !last.seen, "the removal of a key came undone");
        let outcome = if done { Outcome::Done } else { Outcome::Undone };
        self.end(outcome, last.ended);
    }

    /// What its removal makes of a key.
    pub(super) fn standing(&self, id: &str) -> Standing {
        let Some(at) = self.find(id) else {
            return Standing::Alive;
        };
        let removals = self.removals(at).map(|change| {
            if change.seen {
                Standing::Dead
            } else {
                change.outcome.effect()
            }
        });
        removals.max().unwrap_or(Standing::Alive)
    }

    /// Whether a key was gone at a time, to the knowledge of whoever removed it.
    pub(super) fn was_removed_before(&self, id: &str, time: Tick) -> bool {
        let gone = |change: &KeyChange| change.outcome.is_done() && change.ended < time;
        self.find(id).is_some_and(|at| self.removals(at).any(gone))
    }

    /// A token of that key was refused, and nothing else can have ended it.
    pub(super) fn removal_was_seen(&mut self) {
        self.changes.last_mut().unwrap().seen = true;
    }

    /// How many changes were acknowledged.
    pub(super) fn acknowledged(&self) -> usize {
        let acknowledged = |change: &&KeyChange| change.outcome == Outcome::Acknowledged;
        self.changes.iter().filter(acknowledged).count()
    }

    fn removals(&self, at: usize) -> impl Iterator<Item = &KeyChange> {
        let removal = KeyChangeKind::Remove(at);
        self.changes
            .iter()
            .filter(move |change| change.kind == removal)
    }
}
