//! Where signatures are made: on the thread that handles the request, or on threads of their own.
//!
//! A signature of RSA-2048, P-256 or Ed25519 takes a fraction of a millisecond. It is made where the
//! request is, after one turn for everybody else: so all requests that have come are read, counted and
//! handed to the disk before the first of them signs, and a server that has more than it may take on
//! says so at once. A hand-over to another thread and back would cost a tenth of an RSA signature and
//! more than half of the others. Bigger RSA keys take milliseconds, which would hold up every
//! connection of the worker; they are better given [`threads`].
//!
//! It does not know what it signs.

mod threads;

use std::io;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};

pub(crate) use threads::NotRun;

use threads::{Outcome, Threads};

/// Makes signatures, a bounded number at a time.
pub(crate) enum Signer {
    /// On the thread of the request.
    Here {
        waiting: AtomicUsize,
        capacity: usize,
    },
    /// On threads of their own.
    Threads(Threads),
}

/// A signature to come.
pub(crate) enum Signature<'a, T> {
    Here {
        job: Box<dyn FnOnce() -> T + Send>,
        _place: Place<'a>,
        /// Whether it was the only one.
        alone: bool,
    },
    Threads(Outcome<'a, T>),
}

/// A place in the queue, free again when this is dropped.
pub(crate) struct Place<'a>(&'a AtomicUsize);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Signer {
    /// With so many threads of its own, or none. `capacity` is how many signatures may wait.
    pub(crate) fn start(threads: usize, capacity: NonZeroUsize) -> io::Result<Self> {
        Ok(match NonZeroUsize::new(threads) {
            Some(threads) => Self::Threads(Threads::start(threads, capacity)?),
            None => Self::Here {
                waiting: AtomicUsize::new(0),
                capacity: capacity.get(),
            },
        })
    }

    /// Takes a place for one signature, or says that there is none.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Signature<'_, T>, NotRun> {
        match self {
            Self::Threads(threads) => Ok(Signature::Threads(threads.submit(job)?)),
            Self::Here { waiting, capacity } => {
                let before = waiting.fetch_add(1, Ordering::AcqRel);
                let place = Place(waiting);
                if before >= *capacity {
                    return Err(NotRun::Overloaded);
                }
                Ok(Signature::Here {
                    job: Box::new(job),
                    _place: place,
                    alone: before == 0,
                })
            }
        }
    }

    /// How many signatures wait.
    pub(crate) fn queued(&self) -> usize {
        match self {
            Self::Threads(threads) => threads.queued(),
            Self::Here { waiting, .. } => waiting.load(Ordering::Acquire),
        }
    }
}

impl<T> Signature<'_, T> {
    /// Whether it has nothing to wait for.
    pub(crate) fn is_at_once(&self) -> bool {
        match self {
            Self::Threads(outcome) => outcome.is_at_once(),
            Self::Here { alone, .. } => *alone,
        }
    }

    /// Makes it, or waits until it is made.
    pub(crate) async fn wait(self) -> Result<T, NotRun> {
        match self {
            Self::Threads(outcome) => outcome.wait().await,
            Self::Here { job, _place, .. } => {
                tokio::task::yield_now().await;
                Ok(job())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn here_the_queue_is_bounded_too_and_a_place_comes_back_used_or_not() {
        let signer = Signer::start(0, NonZeroUsize::new(2).unwrap()).unwrap();
        let first = signer.submit(|| 1).unwrap();
        assert!(first.is_at_once());
        let second = signer.submit(|| 2).unwrap();
        assert!(!second.is_at_once());
        assert_eq!(signer.queued(), 2);
        assert_eq!(signer.submit(|| 3).err(), Some(NotRun::Overloaded));
        assert_eq!(signer.queued(), 2, "one that was refused holds none");
        drop(second);
        assert_eq!(signer.queued(), 1);
        assert_eq!(first.wait().await, Ok(1));
        assert_eq!(signer.queued(), 0);
    }

    /// Everybody who has come takes a place before the first one signs.
    #[tokio::test]
    async fn here_a_signature_lets_the_others_go_first() {
        let signer = Signer::start(0, NonZeroUsize::new(9).unwrap()).unwrap();
        let come = AtomicUsize::new(0);
        let request = async || {
            come.fetch_add(1, Ordering::AcqRel);
            let signature = signer.submit(|| ()).unwrap();
            signature.wait().await.unwrap();
            come.load(Ordering::Acquire)
        };
        assert_eq!(tokio::join!(request(), request(), request()), (3, 3, 3));
    }
}
