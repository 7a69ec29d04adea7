//! The present state of a stand-in, and answers that stay good until it changes.
//!
//! Whoever asks again gets the bytes of the first answer. There is no way to the state that would leave
//! such an answer behind: it is lent for a change only after they are all forgotten. Who asks, and
//! whether they may, is decided before anything is looked up here.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use hallpass_sandbox::{Request, State};
use http::HeaderValue;

/// Most bytes that are kept of a stand-in. Beyond that all are forgotten: those that are still asked for
/// are soon there again.
const MOST: usize = 1024 * 1024;

/// A longer answer is not kept, so that it does not take the place of many.
const LONGEST: usize = 64 * 1024;

/// A state with the answers that follow from it.
#[derive(Default)]
pub(super) struct Present {
    state: State,
    kept: Mutex<Kept>,
    hashing: RandomState,
}

#[derive(Default)]
struct Kept {
    /// By the hash of their question.
    answers: HashMap<u64, (Question, KeptAnswer)>,
    bytes: usize,
}

/// The text of a 200, and its entity tag.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct KeptAnswer {
    pub(crate) text: Bytes,
    pub(crate) tag: HeaderValue,
}

/// All of a reading request that an answer can depend on. Its path and its parameters are in the URL.
#[derive(PartialEq)]
struct Question {
    operation: usize,
    uri: String,
    email: String,
    customer: String,
}

impl Present {
    pub(super) fn new(state: State) -> Self {
        Self {
            state,
            ..Self::default()
        }
    }

    pub(super) fn state(&self) -> &State {
        &self.state
    }

    /// The state, to be changed.
    pub(super) fn change(&mut self) -> &mut State {
        *self.kept.get_mut().unwrap_or_else(PoisonError::into_inner) = Kept::default();
        &mut self.state
    }

    pub(super) fn kept(&self, request: &Request<'_>) -> Option<KeptAnswer> {
        let kept = self.all();
        let (question, answer) = kept.answers.get(&self.hash(request))?;
        question.is(request).then(|| answer.clone())
    }

    /// Keeps an answer that was made from this state.
    pub(super) fn keep(&self, request: &Request<'_>, answer: &KeptAnswer) {
        let question = Question::of(request);
        let bytes = question.bytes() + answer.text.len();
        if bytes > LONGEST || request.body.is_some() {
            return;
        }
        let mut kept = self.all();
        if kept.bytes + bytes > MOST {
            *kept = Kept::default();
        }
        kept.bytes += bytes;
        let entry = (question, answer.clone());
        if let Some((question, answer)) = kept.answers.insert(self.hash(request), entry) {
            kept.bytes -= question.bytes() + answer.text.len();
        }
    }

    fn all(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn hash(&self, request: &Request<'_>) -> u64 {
        let caller = (request.caller.email, request.caller.customer_id);
        self.hashing
            .hash_one((request.operation.index(), request.uri, caller))
    }
}

impl Question {
    fn of(request: &Request<'_>) -> Self {
        Self {
            operation: request.operation.index(),
            uri: request.uri.to_owned(),
            email: request.caller.email.to_owned(),
            customer: request.caller.customer_id.to_owned(),
        }
    }

    fn is(&self, request: &Request<'_>) -> bool {
        request.body.is_none()
            && self.operation == request.operation.index()
            && self.uri == request.uri
            && self.email == request.caller.email
            && self.customer == request.caller.customer_id
    }

    /// What it takes, with its place in the map.
    fn bytes(&self) -> usize {
        const PLACE: usize = 256;
        PLACE + self.uri.len() + self.email.len() + self.customer.len()
    }
}

#[cfg(test)]
mod tests {
    use hallpass_openapi::Definition;
    use hallpass_sandbox::{Caller, TaskFate};
    use jiff::Timestamp;

    use super::*;

    /// Two operations without parameters.
    const DEFINITION: &str = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\npaths:\n  /a:\n    get: \
                              {responses: {'200': {description: a}}}\n  /b:\n    get: {responses: {'200': \
                              {description: b}}}\n";

    fn answer(length: usize) -> KeptAnswer {
        KeptAnswer {
            text: vec![b'x'; length].into(),
            tag: HeaderValue::from_static("\"1\""),
        }
    }

    fn with(test: impl FnOnce(&Definition, Request<'_>)) {
        let definition = Definition::read(DEFINITION).unwrap().definition;
        let request = Request {
            operation: &definition.operations()[0],
            path: &[],
            query: &[],
            body: None,
            caller: Caller {
                email: "ann@example.com",
                customer_id: "c1",
            },
            task_fate: TaskFate::Normal,
            uri: "http://a/a?limit=1",
        };
        test(&definition, request);
    }

    #[test]
    fn the_same_question_of_the_same_caller_has_the_kept_answer() {
        with(|definition, request| {
            let present = Present::new(State::default());
            assert_eq!(present.kept(&request), None);
            present.keep(&request, &answer(1));
            assert_eq!(present.kept(&request), Some(answer(1)));
            let caller = |email, customer_id| Caller { email, customer_id };
            let others = [
                Request {
                    uri: "http://b/a?limit=1",
                    ..request
                },
                Request {
                    operation: &definition.operations()[1],
                    ..request
                },
                Request {
                    caller: caller("bob@example.com", "c1"),
                    ..request
                },
                Request {
                    caller: caller("ann@example.com", "c2"),
                    ..request
                },
                Request {
                    body: Some(b"{}"),
                    ..request
                },
            ];
            for other in others {
                assert_eq!(present.kept(&other), None, "{other:?}");
            }
        });
    }

    #[test]
    fn no_answer_outlives_the_state_that_it_was_made_from() {
        with(|_, request| {
            let mut present = Present::new(State::default());
            present.keep(&request, &answer(1));
            present.change().commit(&[], Timestamp::UNIX_EPOCH);
            assert_eq!(present.kept(&request), None);
        });
    }

    #[test]
    fn what_is_kept_has_a_bound() {
        with(|_, request| {
            let present = Present::new(State::default());
            present.keep(&request, &answer(LONGEST));
            assert_eq!(present.kept(&request), None);
            for number in 0..100_u32 {
                let uri = format!("http://a/a?offset={number}");
                let request = Request {
                    uri: &uri,
                    ..request
                };
                present.keep(&request, &answer(LONGEST / 2));
                assert_eq!(present.kept(&request), Some(answer(LONGEST / 2)));
                let kept = present.all();
                let bytes = |(question, answer): &(Question, KeptAnswer)| {
                    question.bytes() + answer.text.len()
                };
                assert_eq!(kept.bytes, kept.answers.values().map(bytes).sum::<usize>());
                assert!(kept.bytes <= MOST);
            }
            let before = present.all().bytes;
            let last = Request {
                uri: "http://a/a?offset=99",
                ..request
            };
            present.keep(&last, &answer(LONGEST / 2));
            assert_eq!(present.all().bytes, before);
        });
    }
}
