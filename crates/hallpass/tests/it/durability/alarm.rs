//! When the server is killed: at a moment of the journal, and by whoever gets there.

use super::credential::Tick;

/// What is to be done at a moment. It is done by whoever gets there, so at that very moment.
pub(super) struct Alarm {
    not_before: Tick,
    moment: Moment,
    act: Box<dyn FnOnce() + Send>,
}

/// Where in the course of things.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Moment {
    /// When anything begins or ends.
    Any,
    /// When somebody was just told that a change is done, or could tell by a secret that is refused:
    /// too early for whatever should have been written down before.
    Acknowledgement,
    /// When a token was just refused while another is being made, which may be why: the same for
    /// that one.
    Refusal,
    /// When somebody was just told that a signing key was made or removed, or could tell by a token
    /// that is refused.
    Key,
    /// When somebody was just told that a token is revoked.
    Revocation,
}

impl Moment {
    pub(super) const ALL: [Self; 5] = [
        Self::Any,
        Self::Acknowledgement,
        Self::Refusal,
        Self::Key,
        Self::Revocation,
    ];
}

impl Alarm {
    pub(super) fn new(
        not_before: Tick,
        moment: Moment,
        act: impl FnOnce() + Send + 'static,
    ) -> Self {
        Self {
            not_before,
            moment,
            act: Box::new(act),
        }
    }

    pub(super) fn is_due(&self, moment: Moment, now: Tick) -> bool {
        let overdue = now >= self.not_before + LONGEST_DELAY;
        overdue || (self.moment == moment && now >= self.not_before)
    }

    pub(super) fn act(self) {
        (self.act)();
    }
}

/// How many ticks a moment is waited for.
pub(super) const LONGEST_DELAY: Tick = 400;
