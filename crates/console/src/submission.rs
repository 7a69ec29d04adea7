//! Forms that count once. A page whose answer holds a secret is the answer to the form itself, so the
//! browser offers to send the form again when it is reloaded, and a nervous hand sends it twice. Each
//! such form carries an id of its own, and what came with one id is done once.
//!
//! The ids are in memory only: after a restart the rules of what is created say no to most
//! repetitions (a credential's name is unique, a secret takes over from a named one).

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use hallpass_oauth::identifier::hex;
use hallpass_store::PersonId;
use rand_core::CryptoRng;

/// Ids remembered. Only people who are signed in make them, by the hand.
const MOST_KEPT: usize = 4096;

/// Longest id; ours have 32 characters.
const LONGEST_ID: usize = 64;

/// The ids that came.
#[derive(Default)]
pub(crate) struct Submissions(Mutex<VecDeque<(PersonId, String)>>);

/// A form that came for the first time. Unless it is kept, the same form may come again: nothing was
/// done with it.
#[must_use]
pub(crate) struct First<'a> {
    submissions: &'a Submissions,
    key: (PersonId, String),
    kept: bool,
}

impl Submissions {
    /// An id for a form.
    pub(crate) fn id(rng: &mut dyn CryptoRng) -> String {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        hex(&bytes)
    }

    /// Takes a form; `None` if it came before, or carries no id.
    pub(crate) fn take(&self, person: PersonId, id: &str) -> Option<First<'_>> {
        if id.is_empty() || id.len() > LONGEST_ID {
            return None;
        }
        let key = (person, id.to_owned());
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.contains(&key) {
            return None;
        }
        if kept.len() == MOST_KEPT {
            kept.pop_front();
        }
        kept.push_back(key.clone());
        Some(First {
            submissions: self,
            key,
            kept: false,
        })
    }
}

impl First<'_> {
    /// What it asked for was done.
    pub(crate) fn keep(mut self) {
        self.kept = true;
    }
}

impl Drop for First<'_> {
    fn drop(&mut self) {
        if !self.kept {
            let mut all = self
                .submissions
                .0
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            all.retain(|known| *known != self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use hallpass_oauth::random::SystemRandom;

    use super::*;

    #[test]
    fn a_form_counts_once_for_each_person_unless_nothing_was_done() {
        let [ann, bob]: [PersonId; 2] = [
            "6f2f8d64-3a0e-4c1e-8f0c-0e1d5a6f7b80".parse().unwrap(),
            "6f2f8d64-3a0e-4c1e-8f0c-0e1d5a6f7b81".parse().unwrap(),
        ];
        let all = Submissions::default();
        let id = Submissions::id(&mut SystemRandom);
        drop(all.take(ann, &id).unwrap());
        let first = all.take(ann, &id).unwrap();
        assert!(all.take(ann, &id).is_none(), "it is under way");
        first.keep();
        assert!(all.take(ann, &id).is_none());
        assert!(all.take(bob, &id).is_some());
        assert!(all.take(ann, "").is_none());
        assert!(all.take(ann, &"x".repeat(65)).is_none());
    }

    #[test]
    fn no_more_are_kept_than_the_bound() {
        let ann: PersonId = "6f2f8d64-3a0e-4c1e-8f0c-0e1d5a6f7b80".parse().unwrap();
        let all = Submissions::default();
        for id in 0..=MOST_KEPT {
            all.take(ann, &id.to_string()).unwrap().keep();
        }
        assert_eq!(all.0.lock().unwrap().len(), MOST_KEPT);
        assert!(all.take(ann, &MOST_KEPT.to_string()).is_none());
        assert!(all.take(ann, "0").is_some(), "the oldest is forgotten");
    }
}
