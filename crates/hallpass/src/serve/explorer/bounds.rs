//! How much one person may do in the explorer at once and per minute: this server sends their requests
//! and keeps their answers, and the others signed in want to be answered too.

use std::collections::HashMap;
use std::hash::RandomState;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::http::Method;
use axum::http::request::Parts;
use hallpass_limits::{Cells, Rate, RetryAfter};
use hallpass_store::PersonId;
use jiff::Timestamp;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Requests of one person under way at once; more wait. A browser sends six.
const UNDER_WAY: usize = 8;

/// What one person may have sent per minute, and at once after a pause: more than anybody clicks, and
/// enough to look after tasks every second.
const SENT_PER_MINUTE: u32 = 240;
const SENT_AT_ONCE: u32 = 60;

/// Whose sending is counted at the same time.
const PEOPLE: usize = 4_096;

/// The counts of all people.
pub(super) struct Bounds {
    sent: Option<Cells>,
    under_way: Mutex<HashMap<PersonId, Weak<Semaphore>>>,
}

/// A place among the requests of one person that are under way, for as long as it is held.
pub(super) struct Place {
    _permit: Option<OwnedSemaphorePermit>,
    // A person's places are counted as long as somebody holds one.
    _places: Arc<Semaphore>,
}

/// A body whose reader has a place until it ends: one who takes it slowly, or stops, has it all the while.
pub(super) struct Holding {
    body: Body,
    _place: Place,
}

impl Holding {
    pub(super) fn body(body: Body, place: Place) -> Body {
        Body::new(Self {
            body,
            _place: place,
        })
    }
}

impl HttpBody for Holding {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, axum::Error>>> {
        Pin::new(&mut self.body).poll_frame(context)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

impl Bounds {
    pub(super) fn new() -> Self {
        let rate = Rate::new(SENT_PER_MINUTE, SENT_AT_ONCE);
        Self {
            sent: rate.map(|rate| Cells::new(rate, PEOPLE, RandomState::new())),
            under_way: Mutex::default(),
        }
    }

    /// Counts a request that makes this server send one.
    pub(super) fn count(
        &self,
        person: PersonId,
        head: &Parts,
        now: Timestamp,
    ) -> Result<(), RetryAfter> {
        match &self.sent {
            Some(sent) if sends(head) => sent.note(person, now),
            _ => Ok(()),
        }
    }

    /// Waits for a place.
    pub(super) async fn enter(&self, person: PersonId) -> Place {
        let places = self.places(person);
        Place {
            _permit: places.clone().acquire_owned().await.ok(),
            _places: places,
        }
    }

    fn places(&self, person: PersonId) -> Arc<Semaphore> {
        let mut known = self
            .under_way
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(places) = known.get(&person).and_then(Weak::upgrade) {
            return places;
        }
        known.retain(|_, places| places.strong_count() > 0);
        let places = Arc::new(Semaphore::new(UNDER_WAY));
        known.insert(person, Arc::downgrade(&places));
        places
    }
}

/// Whether this server sends something when it is asked for this, a request of the API or one for a token, or
/// reads a definition, which takes as long and much memory.
fn sends(head: &Parts) -> bool {
    let path = head.uri.path();
    let sends = [
        "/send",
        "/tokens",
        "/tasks/look",
        "/definitions/look",
        "/definitions",
    ];
    head.method == Method::POST && sends.iter().any(|end| path.ends_with(end))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use axum::http::Request;
    use tokio::time::timeout;

    use super::*;

    const ANN: &str = "6c9b8c5e-2f3c-4d67-9d0b-5b8b4f6a1d11";
    const BOB: &str = "6c9b8c5e-2f3c-4d67-9d0b-5b8b4f6a1d12";

    fn head(method: &str, path: &str) -> Parts {
        let request = Request::builder().method(method).uri(path).body(());
        request.unwrap().into_parts().0
    }

    #[test]
    fn only_what_is_sent_from_here_is_counted_and_per_person() {
        let (bounds, now) = (Bounds::new(), Timestamp::UNIX_EPOCH);
        let (ann, bob) = (ANN.parse().unwrap(), BOB.parse().unwrap());
        let send = head("POST", "/explorer/api/w/a/send");
        for _ in 0..SENT_AT_ONCE {
            bounds.count(ann, &send, now).unwrap();
        }
        for path in [
            "/send",
            "/tokens",
            "/tasks/look",
            "/definitions/look",
            "/definitions",
        ] {
            let path = format!("/explorer/api/w/a{path}");
            assert!(bounds.count(ann, &head("POST", &path), now).is_err());
            assert!(bounds.count(bob, &head("POST", &path), now).is_ok());
        }
        for (method, path) in [("GET", "tokens"), ("POST", "preview"), ("POST", "samples")] {
            let head = head(method, &format!("/explorer/api/w/a/{path}"));
            assert!(bounds.count(ann, &head, now).is_ok(), "{method} {path}");
        }
        let later = now + jiff::SignedDuration::from_secs(1);
        assert!(bounds.count(ann, &send, later).is_ok());
    }

    #[tokio::test]
    async fn what_is_more_than_one_person_may_have_under_way_waits() {
        let bounds = Bounds::new();
        let (ann, bob) = (ANN.parse().unwrap(), BOB.parse().unwrap());
        let mut held = Vec::new();
        for _ in 0..UNDER_WAY {
            held.push(bounds.enter(ann).await);
        }
        let blink = Duration::from_millis(20);
        assert!(timeout(blink, bounds.enter(ann)).await.is_err());
        let _others = timeout(blink, bounds.enter(bob)).await.unwrap();
        held.pop();
        assert!(timeout(blink, bounds.enter(ann)).await.is_ok());
        held.clear();
        // Who has nothing under way takes no memory.
        let _another = bounds.enter(BOB.replace("12", "13").parse().unwrap()).await;
        assert_eq!(bounds.under_way.lock().unwrap().len(), 2);
    }
}
