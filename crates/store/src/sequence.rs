//! Where a credential's tokens stand: one watermark, whatever their number.
//!
//! A token is linked to its credential by its place in the sequence, or by its fingerprint where
//! tokens carry no `jti` (design, section 3.3). Under the single-active rule each new token moves the
//! watermark past the ones before; a reset always does.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use hallpass_oauth::Standing;
use hallpass_oauth::token_id::Fingerprint;
use hallpass_oauth::verify::LEEWAY;
use jiff::{SignedDuration, Timestamp};

use crate::credentials::CredentialRow;

/// The state of one credential's sequence, shared by all versions of its entry.
pub(crate) struct Sequence {
    /// How long a superseded token stays good.
    grace: SignedDuration,
    state: Mutex<SequenceState>,
}

struct SequenceState {
    /// Counts resets. A token request that authenticated before a reset may not take a place
    /// after it, or its token would survive.
    generation: u64,
    next: u64,
    live: Live,
    /// What was good until lately, the oldest first. It is in memory only: a restart ends the grace.
    superseded: VecDeque<Superseded>,
    /// The latest second that a token without `jti` was issued in.
    second: i64,
    /// A reset that is being written: whether the old or the new secret counts is open.
    undecided: bool,
}

/// What is good.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Live {
    from: u64,
    bare: Option<Fingerprint>,
}

struct Superseded {
    live: Live,
    until: Timestamp,
}

/// Most superseded tokens that have their grace; of more, the oldest lose it.
const MOST_GRACED: usize = 16;

/// Why a request gets no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoPlace {
    /// The credential was reset since the request authenticated.
    Changed,
    /// A reset is being written.
    Undecided,
}

impl Sequence {
    pub(crate) fn new(row: &CredentialRow, grace: SignedDuration) -> Self {
        Self::at(row.generation, row.watermark, row.bare_token, grace)
    }

    pub(crate) fn at(
        generation: u64,
        watermark: u64,
        bare: Option<Fingerprint>,
        grace: SignedDuration,
    ) -> Self {
        Self {
            grace,
            state: Mutex::new(SequenceState {
                generation,
                next: watermark + 1,
                live: Live {
                    from: watermark,
                    bare,
                },
                superseded: VecDeque::new(),
                second: i64::MIN,
                undecided: false,
            }),
        }
    }

    /// Takes the next place, unless the credential was reset since `generation`.
    ///
    /// Without the single-active rule all tokens between two resets share one place: it would not
    /// be written down, so a later one could be given out twice over a restart.
    pub(crate) fn reserve(&self, generation: u64, single_active: bool) -> Result<u64, NoPlace> {
        self.with(|state| {
            if state.undecided {
                return Err(NoPlace::Undecided);
            }
            if state.generation != generation {
                return Err(NoPlace::Changed);
            }
            if !single_active {
                return Ok(state.live.from);
            }
            state.next += 1;
            Ok(state.next - 1)
        })
    }

    /// The next second that no token was issued in, at most the leeway ahead of `now`.
    pub(crate) fn second_of_its_own(&self, now: Timestamp) -> Option<Timestamp> {
        self.with(|state| {
            let second = now.as_second().max(state.second.saturating_add(1));
            if second > now.as_second() + LEEWAY.as_secs() {
                return None;
            }
            state.second = second;
            Timestamp::from_second(second).ok()
        })
    }

    /// Begins a reset: until it is decided nobody gets a place. Returns the watermark that ends all
    /// places given out so far.
    pub(crate) fn begin_reset(&self) -> u64 {
        self.with(|state| {
            state.undecided = true;
            state.next += 1;
            state.next - 1
        })
    }

    /// The reset was written: what came before is dead from `until` on, which is usually now, and only
    /// the new generation gets places.
    pub(crate) fn complete_reset(&self, generation: u64, watermark: u64, until: Option<Timestamp>) {
        self.with(|state| {
            let before = state.live;
            state.undecided = false;
            state.generation = generation;
            state.live = Live {
                from: before.from.max(watermark),
                bare: None,
            };
            state.superseded.clear();
            let graced = until.map(|until| Superseded {
                live: before,
                until,
            });
            state.superseded.extend(graced);
        });
    }

    /// The reset was not written: everything is as before.
    pub(crate) fn abandon_reset(&self) {
        self.with(|state| state.undecided = false);
    }

    /// Everything before `watermark` is dead, now that the store remembers it, but for the grace. A
    /// token that carries no `jti` is the one that is good by its fingerprint.
    pub(crate) fn raise(&self, watermark: u64, bare: Option<Fingerprint>, now: Timestamp) {
        self.with(|state| {
            if watermark <= state.live.from {
                return;
            }
            let before = state.live;
            state.live = Live {
                from: watermark,
                bare,
            };
            state.superseded.retain(|earlier| earlier.until > now);
            if self.grace.is_positive() {
                if state.superseded.len() == MOST_GRACED {
                    state.superseded.pop_front();
                }
                let until = now.checked_add(self.grace).unwrap_or(Timestamp::MAX);
                state.superseded.push_back(Superseded {
                    live: before,
                    until,
                });
            }
        });
    }

    /// How the credential's tokens stand at `now`.
    pub(crate) fn standing(&self, now: Timestamp) -> Standing {
        self.with(|state| {
            // What has ended once does not come back with a clock that is set back.
            state.superseded.retain(|earlier| earlier.until > now);
            let graced = state.superseded.iter().map(|earlier| earlier.live);
            let good = graced.chain([state.live]);
            Standing {
                live_from: good
                    .clone()
                    .map(|live| live.from)
                    .min()
                    .unwrap_or(state.live.from),
                fingerprints: good.filter_map(|live| live.bare).collect(),
                revoked: false,
            }
        })
    }

    fn with<T>(&self, change: impl FnOnce(&mut SequenceState) -> T) -> T {
        // No step of a change can panic half way.
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NO_GRACE: SignedDuration = SignedDuration::ZERO;

    fn now() -> Timestamp {
        Timestamp::from_second(1_700_000_000).unwrap()
    }

    fn live_from(sequence: &Sequence) -> u64 {
        sequence.standing(now()).live_from
    }

    #[test]
    fn a_reset_ends_places_given_out_before_it_and_gives_none_to_the_old_generation() {
        let sequence = Sequence::at(1, 10, None, NO_GRACE);
        let before = sequence.reserve(1, true).unwrap();
        assert!(before > 10, "a place after every one that was remembered");
        let watermark = sequence.begin_reset();
        assert_eq!(sequence.reserve(1, true), Err(NoPlace::Undecided));
        sequence.complete_reset(2, watermark, None);
        assert_eq!(
            sequence.reserve(1, true),
            Err(NoPlace::Changed),
            "authenticated before, asked after"
        );
        assert!(before < live_from(&sequence));
        assert!(sequence.reserve(2, true).unwrap() >= live_from(&sequence));
    }

    #[test]
    fn a_failed_reset_leaves_the_old_generation_at_work() {
        let sequence = Sequence::at(1, 0, None, NO_GRACE);
        let token = sequence.reserve(1, true).unwrap();
        sequence.begin_reset();
        sequence.abandon_reset();
        assert!(token >= live_from(&sequence), "and its tokens alive");
        let place = sequence.reserve(1, true).unwrap();
        assert!(place >= live_from(&sequence));
    }

    #[test]
    fn without_the_rule_tokens_share_a_place_that_a_reset_ends() {
        let sequence = Sequence::at(1, 4, None, NO_GRACE);
        let (first, second) = (sequence.reserve(1, false), sequence.reserve(1, false));
        assert_eq!((first, second), (Ok(4), Ok(4)));
        let watermark = sequence.begin_reset();
        assert!(watermark > 4);
    }

    #[test]
    fn the_watermark_never_goes_back() {
        let sequence = Sequence::at(1, 0, None, NO_GRACE);
        sequence.raise(7, Some([7; 16]), now());
        sequence.raise(6, Some([6; 16]), now());
        let standing = sequence.standing(now());
        assert_eq!(standing.live_from, 7);
        assert_eq!(standing.fingerprints, [[7; 16]]);
    }

    #[test]
    fn a_superseded_token_is_good_until_its_grace_ends_and_a_reset_ends_it_at_once() {
        let grace = SignedDuration::from_secs(10);
        let sequence = Sequence::at(1, 0, None, grace);
        let places = [(); 3].map(|()| sequence.reserve(1, true));
        assert_eq!(places, [Ok(1), Ok(2), Ok(3)]);
        sequence.raise(1, Some([1; 16]), now());
        sequence.raise(2, Some([2; 16]), now() + SignedDuration::from_secs(1));
        let standing = |seconds| sequence.standing(now() + SignedDuration::from_secs(seconds));
        assert_eq!(standing(1).live_from, 0, "the first grace still runs");
        assert_eq!(standing(10).live_from, 1);
        assert_eq!(standing(10).fingerprints, [[1; 16], [2; 16]]);
        assert_eq!(standing(11).live_from, 2);
        assert_eq!(standing(11).fingerprints, [[2; 16]]);
        sequence.raise(3, None, now() + SignedDuration::from_secs(12));
        let watermark = sequence.begin_reset();
        sequence.complete_reset(2, watermark, None);
        assert_eq!(standing(12).live_from, watermark);
        assert_eq!(standing(12).fingerprints, [[0; 16]; 0]);
    }

    #[test]
    fn a_reset_with_a_grace_ends_what_came_before_when_that_is_over() {
        let sequence = Sequence::at(1, 5, None, NO_GRACE);
        let watermark = sequence.begin_reset();
        let until = now() + SignedDuration::from_secs(10);
        sequence.complete_reset(2, watermark, Some(until));
        assert_eq!(live_from(&sequence), 5);
        assert_eq!(sequence.standing(until).live_from, watermark);
        assert_eq!(sequence.reserve(1, true), Err(NoPlace::Changed));
    }

    #[test]
    fn a_token_without_a_jti_has_a_second_to_itself() {
        let sequence = Sequence::at(1, 0, None, NO_GRACE);
        let first = sequence.second_of_its_own(now()).unwrap();
        let watermark = sequence.begin_reset();
        sequence.complete_reset(2, watermark, None);
        let second = sequence.second_of_its_own(now()).unwrap();
        assert_eq!(
            (
                first.as_second() - now().as_second(),
                second.as_second() - first.as_second()
            ),
            (0, 1)
        );
        let ahead = std::iter::repeat_with(|| sequence.second_of_its_own(now()));
        let given = ahead.take_while(Option::is_some).count();
        assert_eq!(given, 29, "not beyond what verifiers grant");
    }

    #[test]
    fn the_number_of_tokens_in_their_grace_is_bounded() {
        let sequence = Sequence::at(1, 0, None, SignedDuration::from_hours(1));
        for place in 1..100 {
            sequence.raise(place, None, now());
        }
        let held = sequence.with(|state| state.superseded.len());
        assert_eq!(held, MOST_GRACED);
        assert_eq!(live_from(&sequence), 99 - 16);
    }
}
