//! How many token requests may be under way at once.
//!
//! The queue of the [`Signer`](crate::signer::Signer) bounds what waits for a signature, but a
//! signed token still waits for its place in the sequence to be on disk. When the disk is slow,
//! those would pile up without end; with a permit each, the next one is told 503 at once.
//!
//! A permit is for what waits inside the server, so it is taken after authentication: a stranger
//! waits for nothing, and one who sends a body slowly must not hold a place.

use tokio::sync::{Semaphore, SemaphorePermit};

/// A fixed number of places.
pub(crate) struct Admission {
    limit: usize,
    free: Semaphore,
}

/// One place, free again when this is dropped.
#[must_use = "the place is free again as soon as this is dropped"]
pub(crate) struct Permit<'a> {
    _held: SemaphorePermit<'a>,
}

impl Admission {
    /// With this many places at most; with none, everything is refused.
    pub(crate) fn new(limit: usize) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self {
            limit,
            free: Semaphore::new(limit),
        }
    }

    /// Takes a place if there is one now; never waits for it.
    pub(crate) fn enter(&self) -> Option<Permit<'_>> {
        let held = self.free.try_acquire().ok()?;
        Some(Permit { _held: held })
    }

    /// How many places are taken.
    pub(crate) fn under_way(&self) -> usize {
        self.limit - self.free.available_permits()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_limited_and_come_back() {
        let admission = Admission::new(2);
        let first = admission.enter().unwrap();
        let second = admission.enter().unwrap();
        assert_eq!(admission.under_way(), 2);
        assert!(admission.enter().is_none());

        drop(first);
        assert_eq!(admission.under_way(), 1);
        let third = admission.enter().unwrap();
        assert!(admission.enter().is_none());
        drop((second, third));
        assert_eq!(admission.under_way(), 0);
    }

    #[test]
    fn a_limit_beyond_all_numbers_is_one() {
        let admission = Admission::new(usize::MAX);
        let _held = admission.enter().unwrap();
        assert_eq!(admission.under_way(), 1);
    }
}
