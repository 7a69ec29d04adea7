//! The threads that sign, behind one queue that does not grow.
//!
//! A signature is the cost of a token, and it would hold up every connection of the async worker
//! that it ran on. Here it waits in a queue of known length instead, and when that is full the
//! caller learns so at once and can answer 503 while the answer is still worth something.
//!
//! The hand-off has to be small beside an ES256 signature (some 16 µs), so a thread is called only
//! when one sleeps that nobody has called yet: while all of them are busy it costs no system call.
//!
//! Where jobs wait, outcomes are told of together: when as many are made as still wait, so that the
//! first half of the callers is answered and asks again while the other half is signed. A task of the
//! async runtime tells them, which is woken once for all.
//!
//! It does not know what it runs, and counts only what waits, not what is being signed.

use std::collections::VecDeque;
use std::io;
use std::marker::PhantomData;
use std::num::NonZeroUsize;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

/// Why there is no outcome. Both are this server's fault, never the caller's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub(crate) enum NotRun {
    /// The queue is full; the job was not taken.
    #[error("more signatures are waiting than the queue holds")]
    Overloaded,
    /// The job panicked; its thread goes on.
    #[error("the signing thread panicked over this job")]
    Panicked,
}

/// A fixed number of threads and the queue before them. Dropping it ends the threads.
pub(crate) struct Signer {
    desk: Arc<Desk>,
    capacity: usize,
    threads: Vec<JoinHandle<()>>,
}

/// What a job will have come to.
pub(crate) struct Outcome<'a, T> {
    outcome: oneshot::Receiver<T>,
    at_once: bool,
    /// While somebody waits, the threads live.
    _signer: PhantomData<&'a Signer>,
}

impl<T> Outcome<'_, T> {
    /// Whether a thread was free, so that the job had nothing to wait for.
    pub(crate) fn is_at_once(&self) -> bool {
        self.at_once
    }

    pub(crate) async fn wait(self) -> Result<T, NotRun> {
        // The sender is only ever lost by unwinding.
        self.outcome.await.map_err(|_| NotRun::Panicked)
    }
}

/// What the threads and their callers share.
#[derive(Default)]
struct Desk {
    waiting: Mutex<Waiting>,
    called: Condvar,
}

#[derive(Default)]
struct Waiting {
    jobs: VecDeque<Job>,
    /// Threads that sleep and were not called. After a spurious wake-up it is one too high, which
    /// costs one call too many and puts it right.
    asleep: usize,
    closed: bool,
}

/// Does the work and returns how to tell of it.
type Job = Box<dyn FnOnce() -> Delivery + Send>;

/// Tells whoever waits.
type Delivery = Box<dyn FnOnce() + Send>;

/// How long outcomes may be held back, however many jobs wait. Telling of each one by itself would wake
/// the async worker for each, and on a busy core that is two changes of threads per signature.
const HOLD_BACK: Duration = Duration::from_micros(2500);

impl Signer {
    /// Starts the threads, within an async runtime. `capacity` is how many jobs may wait; those being
    /// run do not count.
    pub(crate) fn start(threads: NonZeroUsize, capacity: NonZeroUsize) -> io::Result<Self> {
        let mut signer = Self {
            desk: Arc::default(),
            capacity: capacity.get(),
            threads: Vec::with_capacity(threads.get()),
        };
        let (tell, told) = mpsc::unbounded_channel();
        tokio::spawn(tell_all(told));
        for number in 0..threads.get() {
            let desk = Arc::clone(&signer.desk);
            let tell = tell.clone();
            let thread = thread::Builder::new().name(format!("signer-{number}"));
            signer.threads.push(thread.spawn(move || desk.work(&tell))?);
        }
        Ok(signer)
    }

    /// Hands a job over to one of the threads, in the order of asking. It is taken back by dropping
    /// what is returned before it has begun.
    pub(crate) fn submit<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<Outcome<'_, T>, NotRun> {
        let (sender, outcome) = oneshot::channel();
        let at_once = self.hand_over(Box::new(move || {
            // Where nobody waits any more, nobody wants the outcome either.
            let outcome = (!sender.is_closed()).then(job);
            Box::new(move || {
                if let Some(outcome) = outcome {
                    let _ = sender.send(outcome);
                }
            })
        }))?;
        Ok(Outcome {
            outcome,
            at_once,
            _signer: PhantomData,
        })
    }

    /// The same, and waits for the outcome.
    #[cfg(test)]
    async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, NotRun> {
        self.submit(job)?.wait().await
    }

    /// How many jobs wait for a thread.
    pub(crate) fn queued(&self) -> usize {
        self.desk.lock().jobs.len()
    }

    /// Says whether a thread was free.
    fn hand_over(&self, job: Job) -> Result<bool, NotRun> {
        let mut waiting = self.desk.lock();
        if waiting.jobs.len() >= self.capacity {
            return Err(NotRun::Overloaded);
        }
        waiting.jobs.push_back(job);
        let call = waiting.asleep > 0;
        waiting.asleep -= usize::from(call);
        // Let go first, or the thread that is called wakes up only to wait for this lock.
        drop(waiting);
        if call {
            self.desk.called.notify_one();
        }
        Ok(call)
    }
}

impl Drop for Signer {
    fn drop(&mut self) {
        // Every caller borrows the signer, so none is left and what still waits was given up.
        let given_up = {
            let mut waiting = self.desk.lock();
            waiting.closed = true;
            std::mem::take(&mut waiting.jobs)
        };
        drop(given_up);
        self.desk.called.notify_all();
        for thread in self.threads.drain(..) {
            // A job may hold the last reference to the server; its thread cannot wait for itself.
            if thread.thread().id() != thread::current().id() {
                // Jobs cannot end a thread by panicking, so there is nothing to report.
                let _ = thread.join();
            }
        }
    }
}

/// Tells all who wait, in one go of the async worker: those who are told by a signing thread would each
/// wake it by themselves, and take the core away from that thread each time.
async fn tell_all(mut told: mpsc::UnboundedReceiver<Vec<Delivery>>) {
    while let Some(done) = told.recv().await {
        for deliver in done {
            deliver();
        }
    }
}

impl Desk {
    fn work(&self, tell: &mpsc::UnboundedSender<Vec<Delivery>>) {
        while let Some(first) = self.next() {
            let began = Instant::now();
            let mut done = Vec::new();
            let mut job = Some(first);
            while let Some(next) = job {
                // The caller learns of a panic by the loss of its sender; the panic hook has told the
                // log. Whatever the job owned is gone with it, so nothing half-done can be seen.
                done.extend(catch_unwind(AssertUnwindSafe(next)));
                job = if began.elapsed() < HOLD_BACK {
                    self.next_beyond(done.len())
                } else {
                    None
                };
            }
            // Fails only when the runtime has ended, and whoever waited with it.
            let _ = tell.send(done);
        }
    }

    /// The next job, while more wait than so many.
    fn next_beyond(&self, done: usize) -> Option<Job> {
        let mut waiting = self.lock();
        if waiting.closed || waiting.jobs.len() <= done {
            return None;
        }
        waiting.jobs.pop_front()
    }

    /// Waits for a job. `None` once the signer is gone.
    fn next(&self) -> Option<Job> {
        let mut waiting = self.lock();
        loop {
            if waiting.closed {
                return None;
            }
            if let Some(job) = waiting.jobs.pop_front() {
                return Some(job);
            }
            waiting.asleep += 1;
            waiting = self
                .called
                .wait(waiting)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Jobs run outside of the lock, so no panic leaves it half-changed.
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::pin::pin;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::task::{Context, Poll, Waker};

    use super::*;

    fn signer(threads: usize, capacity: usize) -> Signer {
        let number = |number| NonZeroUsize::new(number).unwrap();
        Signer::start(number(threads), number(capacity)).unwrap()
    }

    /// A job that says when it runs and ends when told to (or when the sender is dropped).
    fn blocking() -> (
        impl FnOnce() + Send + 'static,
        mpsc::Receiver<()>,
        mpsc::Sender<()>,
    ) {
        let (started, has_started) = mpsc::channel();
        let (end, may_end) = mpsc::channel();
        let job = move || {
            started.send(()).unwrap();
            let _ = may_end.recv();
        };
        (job, has_started, end)
    }

    fn poll_once<T>(future: std::pin::Pin<&mut impl Future<Output = T>>) -> Poll<T> {
        future.poll(&mut Context::from_waker(Waker::noop()))
    }

    #[tokio::test]
    async fn the_outcome_comes_back_from_a_named_thread() {
        let signer = signer(2, 1);
        let name = signer.run(|| thread::current().name().map(str::to_owned));
        let name = name.await.unwrap().unwrap();
        assert!(["signer-0", "signer-1"].contains(&name.as_str()), "{name}");
    }

    #[tokio::test]
    async fn a_full_queue_answers_at_once() {
        let signer = signer(1, 2);
        let (block, has_started, end) = blocking();
        let mut blocked = pin!(signer.run(block));
        assert!(poll_once(blocked.as_mut()).is_pending());
        has_started.recv().unwrap();
        let mut first = pin!(signer.run(|| 1));
        let mut second = pin!(signer.run(|| 2));
        assert!(poll_once(first.as_mut()).is_pending());
        assert!(poll_once(second.as_mut()).is_pending());
        assert_eq!(signer.queued(), 2);

        let mut third = pin!(signer.run(|| 3));
        assert_eq!(
            poll_once(third.as_mut()),
            Poll::Ready(Err(NotRun::Overloaded))
        );

        end.send(()).unwrap();
        assert_eq!(blocked.await, Ok(()));
        assert_eq!((first.await, second.await), (Ok(1), Ok(2)));
        assert_eq!(signer.queued(), 0);
        assert_eq!(signer.run(|| 4).await, Ok(4));
    }

    #[tokio::test]
    async fn jobs_run_in_the_order_of_asking() {
        let signer = signer(1, 10);
        let (block, has_started, end) = blocking();
        let mut blocked = pin!(signer.run(block));
        assert!(poll_once(blocked.as_mut()).is_pending());
        has_started.recv().unwrap();

        let (note, noted) = mpsc::channel();
        let mut asked: Vec<_> = (0..10)
            .map(|number| {
                let note = note.clone();
                Box::pin(signer.run(move || note.send(number).unwrap()))
            })
            .collect();
        for job in &mut asked {
            assert!(poll_once(job.as_mut()).is_pending());
        }
        drop((note, end));
        for job in asked {
            job.await.unwrap();
        }
        assert_eq!(
            noted.iter().collect::<Vec<_>>(),
            (0..10).collect::<Vec<_>>()
        );
    }

    #[tokio::test]
    async fn half_of_those_who_wait_are_told_before_the_others_are_signed() {
        let signer = signer(1, 10);
        let (block, has_started, end) = blocking();
        let mut first = pin!(signer.run(block));
        assert!(poll_once(first.as_mut()).is_pending());
        has_started.recv().unwrap();
        let mut second = pin!(signer.run(|| 2));
        let (block, third_has_started, end_third) = blocking();
        let mut third = pin!(signer.run(block));
        let mut fourth = pin!(signer.run(|| 4));
        assert!(poll_once(second.as_mut()).is_pending());
        assert!(poll_once(third.as_mut()).is_pending());
        assert!(poll_once(fourth.as_mut()).is_pending());

        end.send(()).unwrap();
        third_has_started.recv().unwrap();
        assert_eq!((first.await, second.await), (Ok(()), Ok(2)));
        assert!(poll_once(third.as_mut()).is_pending());
        end_third.send(()).unwrap();
        assert_eq!((third.await, fourth.await), (Ok(()), Ok(4)));
    }

    #[tokio::test]
    async fn a_job_whose_caller_went_away_is_not_run() {
        let signer = signer(1, 2);
        let (block, has_started, end) = blocking();
        let mut blocked = pin!(signer.run(block));
        assert!(poll_once(blocked.as_mut()).is_pending());
        has_started.recv().unwrap();

        let runs = Arc::new(AtomicUsize::new(0));
        let counted = |by: usize| {
            let runs = Arc::clone(&runs);
            move || runs.fetch_add(by, Ordering::SeqCst)
        };
        let mut abandoned = Box::pin(signer.run(counted(1)));
        assert!(poll_once(abandoned.as_mut()).is_pending());
        let mut kept = pin!(signer.run(counted(100)));
        assert!(poll_once(kept.as_mut()).is_pending());
        drop(abandoned);
        end.send(()).unwrap();

        assert_eq!(kept.await, Ok(0));
        assert_eq!(runs.load(Ordering::SeqCst), 100);
    }

    #[tokio::test]
    async fn a_panic_is_its_callers_alone() {
        let signer = signer(1, 1);
        let outcome = signer.run(|| -> u8 { panic!("on purpose") }).await;
        assert_eq!(outcome, Err(NotRun::Panicked));
        assert_eq!(signer.run(|| 5).await, Ok(5));
    }

    #[tokio::test]
    async fn dropping_ends_the_threads_and_gives_up_what_waits() {
        let signer = signer(3, 5);
        let mut running = Vec::new();
        for (block, has_started, end) in (0..3).map(|_| blocking()) {
            let mut asked = Box::pin(signer.run(block));
            assert!(poll_once(asked.as_mut()).is_pending());
            has_started.recv().unwrap();
            running.push((asked, end));
        }
        let held = Arc::new(());
        let job = Arc::clone(&held);
        let mut waits = Box::pin(signer.run(move || drop(job)));
        assert!(poll_once(waits.as_mut()).is_pending());
        let desk = Arc::downgrade(&signer.desk);

        drop((running, waits));
        drop(signer);

        assert_eq!(desk.strong_count(), 0, "a thread is still there");
        assert_eq!(Arc::strong_count(&held), 1, "a job is still there");
    }

    #[tokio::test]
    async fn a_job_may_hold_the_signer_itself() {
        let signer = Arc::new(signer(1, 1));
        let (block, has_started, end) = blocking();
        let itself = Arc::clone(&signer);
        let (gone, is_gone) = oneshot::channel();
        let job = move || {
            block();
            drop(itself);
            gone.send(()).unwrap();
        };
        let mut asked = Box::pin(signer.run(job));
        assert!(poll_once(asked.as_mut()).is_pending());
        has_started.recv().unwrap();
        drop(asked);
        drop(signer);
        end.send(()).unwrap();
        assert_eq!(is_gone.await, Ok(()), "the thread waits for itself");
    }

    /// A lost call would leave a job lying while its thread sleeps, and this test hanging.
    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn no_call_is_lost_between_many_askers_and_many_threads() {
        let signer = Arc::new(signer(3, 64));
        let askers: Vec<_> = (0..32_u64)
            .map(|asker| {
                let signer = Arc::clone(&signer);
                tokio::spawn(async move {
                    for number in 0..300 {
                        assert_eq!(signer.run(move || asker + number).await, Ok(asker + number));
                    }
                })
            })
            .collect();
        for asker in askers {
            asker.await.unwrap();
        }
        assert_eq!(signer.queued(), 0);
    }
}
