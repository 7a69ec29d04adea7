//! The moment and the randomness that an answer is made with, and whether it asked for them.
//!
//! An answer that asked for neither follows from the state and the request. It stays good until the
//! state changes, and whoever gives answers may keep it so long.

use std::cell::Cell;
use std::convert::Infallible;

use jiff::Timestamp;
use rand_core::{Rng, TryRng};

/// The moment of a request.
pub(crate) struct Moment {
    now: Timestamp,
    asked: Cell<bool>,
}

impl Moment {
    pub(crate) fn of(now: Timestamp) -> Self {
        let asked = Cell::new(false);
        Self { now, asked }
    }

    /// What follows from it is not good any more in the next moment.
    pub(crate) fn now(&self) -> Timestamp {
        self.asked.set(true);
        self.now
    }

    pub(crate) fn was_asked(&self) -> bool {
        self.asked.get()
    }
}

/// Randomness that is only lent.
pub(crate) struct Chance<'r> {
    rng: &'r mut dyn Rng,
    asked: bool,
}

impl<'r> Chance<'r> {
    pub(crate) fn of(rng: &'r mut dyn Rng) -> Self {
        Self { rng, asked: false }
    }

    pub(crate) fn was_asked(&self) -> bool {
        self.asked
    }

    fn asked(&mut self) -> &mut dyn Rng {
        self.asked = true;
        self.rng
    }
}

impl TryRng for Chance<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        Ok(self.asked().next_u32())
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        Ok(self.asked().next_u64())
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.asked().fill_bytes(bytes);
        Ok(())
    }
}
