//! What is said of a change on the page that comes after it, once. It waits in memory, under the session
//! of whoever made the change: in an address anybody could write it, and a reload would say it again.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};

use axum::response::Response;
use hallpass_pages::go;
use jiff::{SignedDuration, Timestamp};

use crate::Console;
use crate::session::SignedIn;

/// Sentences kept. Each was caused by a change that somebody signed in has made.
const MOST_KEPT: usize = 1024;

/// How long one waits for its page. The browser asks for that at once.
const KEPT_FOR: SignedDuration = SignedDuration::from_secs(30);

/// The sentences that wait, the oldest first.
#[derive(Default)]
pub(crate) struct Said(Mutex<VecDeque<Sentence>>);

struct Sentence {
    session: String,
    at: Timestamp,
    words: String,
}

impl Said {
    fn say(&self, session: &str, words: String, now: Timestamp) {
        let mut waiting = self.waiting();
        waiting.retain(|one| one.session != session && is_fresh(one, now));
        if waiting.len() == MOST_KEPT {
            waiting.pop_front();
        }
        waiting.push_back(Sentence {
            session: session.to_owned(),
            at: now,
            words,
        });
    }

    fn take(&self, session: &str, now: Timestamp) -> Option<String> {
        let mut waiting = self.waiting();
        let at = waiting.iter().position(|one| one.session == session)?;
        let found = waiting.remove(at)?;
        is_fresh(&found, now).then_some(found.words)
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Sentence>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_fresh(one: &Sentence, now: Timestamp) -> bool {
    now.duration_since(one.at) <= KEPT_FOR
}

impl Console {
    /// On to the next page, which says what was done.
    pub(crate) fn done(&self, by: &SignedIn, next: &str, words: String) -> Response {
        self.said.say(&by.session().id, words, by.now());
        go(next)
    }

    /// What is to be said on this page.
    pub(crate) fn to_say(&self, by: &SignedIn) -> Option<String> {
        self.said.take(&by.session().id, by.now())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn a_sentence_is_said_once_to_its_own_session() {
        let said = Said::default();
        said.say("a", "one".to_owned(), at(0));
        said.say("a", "two".to_owned(), at(1));
        assert_eq!(said.take("b", at(2)), None);
        assert_eq!(said.take("a", at(2)).as_deref(), Some("two"));
        assert_eq!(said.take("a", at(2)), None);
    }

    #[test]
    fn an_old_sentence_is_not_said_and_few_are_kept() {
        let said = Said::default();
        said.say("a", "one".to_owned(), at(0));
        assert_eq!(said.take("a", at(31)), None);
        for number in 0..=MOST_KEPT {
            said.say(&number.to_string(), "done".to_owned(), at(0));
        }
        assert_eq!(said.take("0", at(0)), None);
        assert_eq!(said.take("1", at(0)).as_deref(), Some("done"));
        assert_eq!(said.waiting().len(), MOST_KEPT - 1);
    }
}
