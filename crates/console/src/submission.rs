//! Forms that count once. A page whose answer holds a secret is the answer to the form itself, so the
//! browser offers to send the form again when it is reloaded, and a nervous hand sends it twice. Each
//! such form carries an id of its own, and what came with one id is done once.
//!
//! A browser that sends a form twice drops its first request and shows the answer to the last one. So the
//! work belongs to the form and not to the request: it goes on when nobody waits for it any more, and
//! whoever sends the form next gets its answer, if nobody got it yet. An answer that nobody fetches
//! is forgotten soon.
//!
//! The ids are in memory only: after a restart the rules of what is created say no to most
//! repetitions (a credential's name is unique, a secret takes over from a named one).

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::response::Response;
use hallpass_oauth::identifier::hex;
use hallpass_store::PersonId;
use rand_core::CryptoRng;
use tokio::sync::oneshot;
use tracing::Instrument as _;

/// Ids remembered. Only people who are signed in make them, by the hand.
const MOST_KEPT: usize = 4096;

/// Longest id; ours have 32 characters.
const LONGEST_ID: usize = 64;

/// How long an answer that nobody got waits for the form to come again. It may hold a secret.
const KEPT_FOR: Duration = Duration::from_secs(30);

/// The forms that came.
#[derive(Default)]
pub(crate) struct Submissions(Mutex<VecDeque<(Key, State)>>);

/// What came of a form.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// What it asked for was done.
    Done(Response),
    /// Nothing was done: the same form may come again.
    Nothing(Response),
}

/// Who sent it, and its id.
type Key = (PersonId, String);

/// How far a form is.
enum State {
    /// Its work goes on, and whoever sent it last waits.
    UnderWay(oneshot::Sender<Response>),
    /// It is done, and those who waited have gone.
    Unclaimed(Response),
    /// It is done, and the answer was given.
    Answered,
}

/// Where whoever sends a form finds it.
enum Arrival {
    First(oneshot::Receiver<Response>),
    UnderWay(oneshot::Receiver<Response>),
    Unclaimed(Response),
    Before,
}

/// A form whose work goes on. Unless that is done, the same form may come again.
struct First {
    submissions: Arc<Submissions>,
    key: Key,
    is_done: bool,
}

impl Submissions {
    /// An id for a form.
    pub(crate) fn id(rng: &mut dyn CryptoRng) -> String {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        hex(&bytes)
    }

    /// Does what a form asks for, once, to the end, whether or not the caller waits for that. `None` if it
    /// came before and was answered, or carries no id.
    pub(crate) async fn once(
        self: &Arc<Self>,
        person: PersonId,
        id: &str,
        work: impl Future<Output = Outcome> + Send + 'static,
    ) -> Option<Response> {
        if id.is_empty() || id.len() > LONGEST_ID {
            return None;
        }
        let key = (person, id.to_owned());
        match self.arrive(&key) {
            Arrival::First(answer) => {
                let first = First {
                    submissions: Arc::clone(self),
                    key,
                    is_done: false,
                };
                tokio::spawn(first.carry_out(work, KEPT_FOR).in_current_span());
                answer.await.ok()
            }
            Arrival::UnderWay(answer) => answer.await.ok(),
            Arrival::Unclaimed(answer) => Some(answer),
            Arrival::Before => None,
        }
    }

    fn arrive(&self, key: &Key) -> Arrival {
        let (sender, receiver) = oneshot::channel();
        let mut all = self.all();
        let known = all.iter_mut().find(|(known, _)| known == key);
        let Some((_, state)) = known else {
            if all.len() == MOST_KEPT {
                all.pop_front();
            }
            all.push_back((key.clone(), State::UnderWay(sender)));
            return Arrival::First(receiver);
        };
        match state {
            State::UnderWay(before) => {
                *before = sender;
                Arrival::UnderWay(receiver)
            }
            State::Unclaimed(_) | State::Answered => {
                match std::mem::replace(state, State::Answered) {
                    State::Unclaimed(answer) => Arrival::Unclaimed(answer),
                    _ => Arrival::Before,
                }
            }
        }
    }

    /// Gives the answer to whoever waits, or keeps it; `true` if it is kept.
    fn done(&self, key: &Key, answer: Response) -> bool {
        let mut all = self.all();
        let Some((_, state)) = all.iter_mut().find(|(known, _)| known == key) else {
            return false;
        };
        *state = match std::mem::replace(state, State::Answered) {
            State::UnderWay(waiting) => waiting
                .send(answer)
                .map_or_else(State::Unclaimed, |()| State::Answered),
            other => other,
        };
        matches!(state, State::Unclaimed(_))
    }

    fn forget_answer(&self, key: &Key) {
        let mut all = self.all();
        if let Some((_, state)) = all.iter_mut().find(|(known, _)| known == key) {
            *state = State::Answered;
        }
    }

    /// Takes a form away, with the place of whoever waits.
    fn forget(&self, key: &Key) -> Option<State> {
        let mut all = self.all();
        let at = all.iter().position(|(known, _)| known == key)?;
        all.remove(at).map(|(_, state)| state)
    }

    fn all(&self) -> MutexGuard<'_, VecDeque<(Key, State)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl First {
    async fn carry_out(mut self, work: impl Future<Output = Outcome>, kept_for: Duration) {
        match work.await {
            Outcome::Nothing(answer) => {
                if let Some(State::UnderWay(waiting)) = self.submissions.forget(&self.key) {
                    // Nobody has to hear that nothing was done.
                    drop(waiting.send(answer));
                }
            }
            Outcome::Done(answer) => {
                self.is_done = true;
                if self.submissions.done(&self.key, answer) {
                    tokio::time::sleep(kept_for).await;
                    self.submissions.forget_answer(&self.key);
                }
            }
        }
    }
}

impl Drop for First {
    fn drop(&mut self) {
        if !self.is_done {
            self.submissions.forget(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::{Ready, poll_fn, ready};

    use axum::response::IntoResponse as _;
    use hallpass_oauth::random::SystemRandom;

    use super::*;

    const ANN: &str = "6f2f8d64-3a0e-4c1e-8f0c-0e1d5a6f7b80";
    const BOB: &str = "6f2f8d64-3a0e-4c1e-8f0c-0e1d5a6f7b81";

    fn person(text: &str) -> PersonId {
        text.parse().unwrap()
    }

    fn done() -> Ready<Outcome> {
        ready(Outcome::Done("the secret".into_response()))
    }

    fn nothing() -> Ready<Outcome> {
        ready(Outcome::Nothing("choose a name".into_response()))
    }

    fn not_again() -> impl Future<Output = Outcome> + Send {
        poll_fn(|_| unreachable!("it is under way, or done"))
    }

    #[tokio::test]
    async fn a_form_counts_once_for_each_person_unless_nothing_was_done() {
        let all = Arc::new(Submissions::default());
        let id = Submissions::id(&mut SystemRandom);
        assert!(all.once(person(ANN), &id, nothing()).await.is_some());
        assert!(all.once(person(ANN), &id, done()).await.is_some());
        assert!(all.once(person(ANN), &id, done()).await.is_none());
        assert!(all.once(person(BOB), &id, done()).await.is_some());
        assert!(all.once(person(ANN), "", done()).await.is_none());
        let long = "x".repeat(65);
        assert!(all.once(person(ANN), &long, done()).await.is_none());
    }

    #[tokio::test]
    async fn work_goes_on_without_whoever_sent_the_form_and_the_next_gets_the_answer() {
        for comes_early in [true, false] {
            let all = Arc::new(Submissions::default());
            let (go_on, gate) = oneshot::channel::<()>();
            let work = async move {
                gate.await.unwrap();
                done().await
            };
            let (first, mine) = (all.clone(), person(ANN));
            let first = tokio::spawn(async move { first.once(mine, "id", work).await.is_some() });
            while all.all().is_empty() {
                tokio::task::yield_now().await;
            }
            first.abort();
            assert!(first.await.unwrap_err().is_cancelled());
            let mut go_on = Some(go_on);
            if !comes_early {
                go_on.take().unwrap().send(()).unwrap();
                while matches!(all.all()[0].1, State::UnderWay(_)) {
                    tokio::task::yield_now().await;
                }
            }
            let again = all.once(mine, "id", not_again());
            let release = async {
                if let Some(go_on) = go_on {
                    go_on.send(()).unwrap();
                }
            };
            let (again, ()) = tokio::join!(again, release);
            assert!(again.is_some(), "early: {comes_early}");
            assert!(all.once(mine, "id", done()).await.is_none());
        }
    }

    #[tokio::test]
    async fn an_answer_that_nobody_fetches_is_forgotten() {
        let all = Arc::new(Submissions::default());
        let key = (person(ANN), "id".to_owned());
        drop(all.arrive(&key));
        let first = First {
            submissions: all.clone(),
            key,
            is_done: false,
        };
        first.carry_out(done(), Duration::ZERO).await;
        assert!(matches!(all.all()[0].1, State::Answered));
    }

    #[tokio::test]
    async fn no_more_are_kept_than_the_bound() {
        let all = Arc::new(Submissions::default());
        for id in 0..=MOST_KEPT {
            let id = id.to_string();
            assert!(all.once(person(ANN), &id, done()).await.is_some());
        }
        assert_eq!(all.all().len(), MOST_KEPT);
        let last = MOST_KEPT.to_string();
        assert!(all.once(person(ANN), &last, done()).await.is_none());
        let oldest = all.once(person(ANN), "0", done()).await;
        assert!(oldest.is_some(), "the oldest is forgotten");
    }
}
