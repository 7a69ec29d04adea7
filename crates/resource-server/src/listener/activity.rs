//! What a connection is doing, and how long it may go on doing it.
//!
//! hyper's own header time-out does nothing without a timer, and with one it takes the silence
//! between two requests for a slow head; here the two are told apart.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Poll, ready};
use std::time::Duration;

use tokio::time::Instant;

use super::Limits;
use super::heads::{Framing, Heads};

/// What a connection is doing, for its deadline.
pub(super) struct Activity {
    pub(super) limits: Limits,
    started: Instant,
    under_way: AtomicUsize,
    /// Milliseconds from `started` to the end of the last request, or to when its answer was seen to
    /// be on its way.
    last_end: AtomicU64,
    /// Bytes that left.
    written: AtomicUsize,
    heads: Mutex<Heads>,
}

/// An answer is on its way while so many bytes leave within the time for silence. A peer that takes
/// them one by one is as silent as one that takes none.
const PACE: usize = 64 * 1024;

impl Activity {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            started: Instant::now(),
            under_way: AtomicUsize::new(0),
            last_end: AtomicU64::new(0),
            written: AtomicUsize::new(0),
            heads: Mutex::new(Heads::new()),
        }
    }

    pub(super) fn heads(&self) -> MutexGuard<'_, Heads> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the connection has been silent, or its head on the way, for too long; `None` while a
    /// request is being answered.
    fn deadline(&self, head_since: &mut Option<Instant>) -> Option<Instant> {
        if self.under_way.load(Ordering::Acquire) > 0 {
            *head_since = None;
            return None;
        }
        if self.heads().in_head() {
            return Some(*head_since.get_or_insert_with(Instant::now) + self.limits.header_time);
        }
        *head_since = None;
        let last_end = Duration::from_millis(self.last_end.load(Ordering::Acquire));
        Some(self.started + last_end + self.limits.idle_time)
    }

    pub(super) fn begun(&self) -> Framing {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        self.heads().next()
    }

    pub(super) fn ended(&self) {
        self.not_silent();
        self.under_way.fetch_sub(1, Ordering::AcqRel);
    }

    /// To be told of all bytes that leave.
    pub(super) fn wrote(&self, bytes: usize) {
        let before = self.written.fetch_add(bytes, Ordering::Relaxed);
        if before / PACE != before.wrapping_add(bytes) / PACE {
            self.not_silent();
        }
    }

    fn not_silent(&self) {
        let since = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_end.store(since, Ordering::Release);
    }

    /// Resolves at the deadline. To be polled after the connection, which moves it.
    pub(super) async fn overdue(&self) {
        let mut head_since = None;
        let mut timer = pin!(tokio::time::sleep_until(
            self.started + self.limits.idle_time
        ));
        poll_fn(|cx| {
            loop {
                let Some(deadline) = self.deadline(&mut head_since) else {
                    return Poll::Pending;
                };
                // A deadline that moved away is looked at again when the timer fires: most
                // connections never come to that, and setting a timer per request costs.
                if deadline < timer.deadline() {
                    timer.as_mut().reset(deadline);
                }
                ready!(timer.as_mut().poll(cx));
                if deadline <= timer.deadline() {
                    return Poll::Ready(());
                }
                timer.as_mut().reset(deadline);
            }
        })
        .await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_that_leaves_at_a_good_pace_is_not_silence() {
        let activity = Activity::new(Limits::default());
        let moved = |bytes: usize| {
            let before = activity.deadline(&mut None).unwrap();
            while activity.started.elapsed() < Duration::from_millis(2) {
                std::hint::spin_loop();
            }
            activity.wrote(bytes);
            activity.deadline(&mut None).unwrap() > before
        };
        assert!(!moved(1));
        assert!(!moved(PACE - 2));
        assert!(moved(1));
    }
}
