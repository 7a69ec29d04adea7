//! When a request of the API is sent again by itself, and how long after.
//!
//! What may be repeated (RFC 9110 section 9.2.2: a client should not by itself repeat what is not
//! idempotent unless it knows that the first request was never applied):
//!
//! | What happened | GET, HEAD, OPTIONS, PUT, DELETE | POST, PATCH | Why |
//! | --- | --- | --- | --- |
//! | no connection came to stand | again | again | nothing was sent |
//! | 429 | again | again | the request was refused for coming too soon (RFC 6585 section 4): it has not acted |
//! | 503 | again | no | a gateway says it too when the server behind it broke off, which may have acted by then (RFC 9110 section 15.6.4 does not say that it has not) |
//! | the connection broke, or no answer in time | no | no | a repeated read would hide a server in trouble, a repeated change could act twice |
//!
//! The reasons at length: docs/decisions/0013-what-is-sent-again.md. Clock and chance are passed in.

use std::sync::Arc;
use std::time::Duration;

use http::{Method, StatusCode};
use jiff::Timestamp;

use crate::response::Response;
use crate::token_answer::retry_after;
use crate::transport::TransportError;

/// How often a request is repeated.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Retries {
    /// At most so many times after the first.
    pub most: u32,
    /// A server that asks for more patience than this is not waited for.
    pub longest: Duration,
}

impl Default for Retries {
    fn default() -> Self {
        Self {
            most: 3,
            longest: Duration::from_mins(1),
        }
    }
}

/// A number from 0 up to 1 by chance, so that many clients do not come back at once. It is drawn only
/// when there is a pause: the first random number of a process may take longer than a call.
pub type Jitter = Arc<dyn Fn() -> f64 + Send + Sync>;

/// Before the first repetition when the server does not say how long; doubled each time.
const FIRST_PAUSE: Duration = Duration::from_millis(500);

/// The same after a connection that did not come to stand.
const FIRST_RECONNECT: Duration = Duration::from_millis(200);

impl Retries {
    /// How long to wait after this answer before the request is sent again; `None` when it is not.
    pub(crate) fn after_answer(
        &self,
        method: &Method,
        answer: &Response,
        repeated: u32,
        now: Timestamp,
        jitter: &Jitter,
    ) -> Option<Duration> {
        let has_not_acted = match answer.status() {
            StatusCode::TOO_MANY_REQUESTS => true,
            StatusCode::SERVICE_UNAVAILABLE => method.is_idempotent(),
            _ => false,
        };
        if !has_not_acted || repeated >= self.most {
            return None;
        }
        match retry_after(answer, now) {
            // Never earlier than the server asked for.
            Some(asked) if asked <= self.longest => Some(asked + asked.mul_f64(jitter() / 10.0)),
            Some(_) => None,
            None => Some(self.doubled(FIRST_PAUSE, repeated, jitter)),
        }
    }

    /// The same after there was no answer.
    pub(crate) fn after_failure(
        &self,
        failure: &TransportError,
        repeated: u32,
        jitter: &Jitter,
    ) -> Option<Duration> {
        let again = failure.nothing_was_sent() && repeated < self.most;
        again.then(|| self.doubled(FIRST_RECONNECT, repeated, jitter))
    }

    /// From half of the doubled pause to all of it.
    fn doubled(&self, first: Duration, repeated: u32, jitter: &Jitter) -> Duration {
        let pause = first
            .saturating_mul(2_u32.saturating_pow(repeated))
            .min(self.longest);
        pause.mul_f64(0.5 + jitter() / 2.0)
    }
}

#[cfg(test)]
mod tests {
    use http::HeaderMap;

    use super::*;

    fn after(
        method: &Method,
        status: u16,
        header: Option<&str>,
        repeated: u32,
    ) -> Option<Duration> {
        let mut headers = HeaderMap::new();
        if let Some(value) = header {
            headers.insert("retry-after", value.parse().unwrap());
        }
        let answer = Response::new(StatusCode::from_u16(status).unwrap(), headers, Vec::new());
        let now = "1994-11-06T08:49:37Z".parse().unwrap();
        Retries::default().after_answer(method, &answer, repeated, now, &always(0.0))
    }

    fn always(number: f64) -> Jitter {
        Arc::new(move || number)
    }

    #[test]
    fn only_what_has_not_acted_is_repeated() {
        for method in [Method::GET, Method::HEAD, Method::PUT, Method::DELETE] {
            assert!(after(&method, 503, None, 0).is_some(), "{method}");
            assert!(after(&method, 429, None, 0).is_some(), "{method}");
        }
        for method in [Method::POST, Method::PATCH] {
            assert_eq!(after(&method, 503, None, 0), None, "{method}");
            assert!(after(&method, 429, None, 0).is_some(), "{method}");
        }
        for status in [200, 400, 401, 408, 500, 502, 504] {
            assert_eq!(after(&Method::GET, status, Some("1"), 0), None, "{status}");
        }
    }

    #[test]
    fn the_server_says_how_long_within_reason() {
        let seconds = |text: &str| after(&Method::GET, 429, Some(text), 0);
        assert_eq!(seconds("7"), Some(Duration::from_secs(7)));
        assert_eq!(seconds("60"), Some(Duration::from_mins(1)));
        assert_eq!(seconds("61"), None, "not waited for, and not asked sooner");
        let date = seconds("Sun, 06 Nov 1994 08:49:47 GMT");
        assert_eq!(date, Some(Duration::from_secs(10)));
        assert_eq!(
            seconds("Sun, 06 Nov 1994 08:00:00 GMT"),
            Some(Duration::ZERO)
        );
        assert_eq!(seconds("soon"), Some(FIRST_PAUSE / 2));
    }

    #[test]
    fn pauses_grow_and_end() {
        let pauses: Vec<_> = (0..4)
            .map(|repeated| after(&Method::GET, 503, None, repeated))
            .collect();
        let expected = [250, 500, 1000].map(|ms| Some(Duration::from_millis(ms)));
        assert_eq!(pauses[..3], expected);
        assert_eq!(pauses[3], None, "three times at most");
        let refused = TransportError::Unreachable {
            server: "s".to_owned(),
            reason: "refused".to_owned(),
        };
        let retries = Retries::default();
        assert_eq!(
            retries.after_failure(&refused, 0, &always(1.0)),
            Some(Duration::from_millis(200))
        );
        assert_eq!(retries.after_failure(&refused, 3, &always(1.0)), None);
        let broken = TransportError::Broken {
            server: "s".to_owned(),
            reason: "reset".to_owned(),
        };
        let drawn: Jitter = Arc::new(|| panic!("drawn, and there is no pause"));
        assert_eq!(retries.after_failure(&broken, 0, &drawn), None);
        let long = Retries {
            most: 100,
            ..retries
        };
        assert_eq!(
            long.after_failure(&refused, 90, &always(1.0)),
            Some(long.longest)
        );
    }
}
