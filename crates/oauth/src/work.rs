//! Counts the work that an authentication takes, for tests: what a stranger could measure with a
//! stopwatch is proved by counting.

use std::cell::RefCell;

/// A step that takes time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A secret was digested.
    Digest,
    /// Two digests were compared.
    Comparison,
    /// A signature was checked with a key of its algorithm.
    Signature,
}

thread_local! {
    static STEPS: RefCell<Vec<Step>> = const { RefCell::new(Vec::new()) };
}

/// Notes a step of this thread.
pub(crate) fn note(step: Step) {
    STEPS.with_borrow_mut(|steps| steps.push(step));
}

/// What was done on this thread by `what`, in order.
pub(crate) fn steps_of(what: impl FnOnce()) -> Vec<Step> {
    STEPS.take();
    what();
    STEPS.take()
}
