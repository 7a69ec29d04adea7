//! A token endpoint that asks for patience (429, 503) is left alone by every program of the machine:
//! the pause is a file of the cache directory.
//!
//! Too many requests are one client's fault, so that pause is the client's; trouble of the server is
//! everybody's. A failed early renewal makes a short pause too, which holds up nobody who has no
//! token left.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// When the endpoint may be asked again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Pause {
    since: Timestamp,
    until: Timestamp,
    why: Why,
}

/// Why it is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Why {
    /// It said so, with this status.
    Busy(u16),
    /// A token could not be renewed early.
    FailedEarly,
    /// It did not answer. Those who waited for the answer do not each ask again.
    NoAnswer,
}

/// Whom a pause is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whom {
    /// All clients of the endpoint.
    Endpoint,
    /// One client of it.
    Client,
}

impl Pause {
    /// A pause from `now` on. However long the server wants it, after [`LONGEST`] it is asked again.
    pub(crate) fn new(why: Why, now: Timestamp, length: Duration) -> Self {
        let length = SignedDuration::try_from(length.min(LONGEST)).unwrap_or_default();
        Self {
            since: now,
            until: now.saturating_add(length).unwrap_or(Timestamp::MAX),
            why,
        }
    }

    /// The pause after a failed early renewal.
    pub(crate) fn after_failed_renewal(now: Timestamp) -> Self {
        Self::new(Why::FailedEarly, now, AFTER_FAILED_RENEWAL)
    }

    /// The pause after a request without an answer: long enough for all who wait in line.
    pub(crate) fn after_no_answer(now: Timestamp) -> Self {
        Self::new(Why::NoAnswer, now, AFTER_FAILED_RENEWAL)
    }

    /// Whether the endpoint did not answer somebody after `began`.
    pub(crate) fn is_for_those_waiting_since(&self, began: Timestamp) -> bool {
        self.why == Why::NoAnswer && self.since > began
    }

    /// Whom it is for.
    pub(crate) fn whom(&self) -> Whom {
        match self.why {
            Why::Busy(503) => Whom::Endpoint,
            Why::Busy(_) | Why::FailedEarly | Why::NoAnswer => Whom::Client,
        }
    }

    /// The status with which the server asked for it; 0 when it did not.
    pub(crate) fn status(&self) -> u16 {
        match self.why {
            Why::Busy(status) => status,
            Why::FailedEarly | Why::NoAnswer => 0,
        }
    }

    pub(crate) fn until(&self) -> Timestamp {
        self.until
    }

    /// How much of it is left; nothing when the clock was set back meanwhile.
    pub(crate) fn left(&self, now: Timestamp) -> Option<Duration> {
        let left = Duration::try_from(self.until.duration_since(now)).ok()?;
        (!left.is_zero() && now >= self.since).then_some(left)
    }

    pub(crate) fn print(&self) -> Vec<u8> {
        let written = Written {
            since: self.since.to_string(),
            until: self.until.to_string(),
            status: self.status(),
            unanswered: self.why == Why::NoAnswer,
        };
        serde_json::to_vec(&written).unwrap_or_default()
    }

    /// Reads what [`Self::print`] wrote; anything else is no pause.
    pub(crate) fn read(content: &[u8]) -> Option<Self> {
        let written: Written = serde_json::from_slice(content).ok()?;
        Some(Self {
            since: written.since.parse().ok()?,
            until: written.until.parse().ok()?,
            why: match written.status {
                0 if written.unanswered => Why::NoAnswer,
                0 => Why::FailedEarly,
                status => Why::Busy(status),
            },
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Written {
    since: String,
    until: String,
    status: u16,
    #[serde(default)]
    unanswered: bool,
}

/// Longest pause that is kept.
const LONGEST: Duration = Duration::from_mins(5);

/// How long nobody renews early again after a failure.
const AFTER_FAILED_RENEWAL: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    #[test]
    fn a_pause_ends_and_is_read_back_as_it_was_written() {
        for why in [
            Why::Busy(429),
            Why::Busy(503),
            Why::FailedEarly,
            Why::NoAnswer,
        ] {
            let pause = Pause::new(why, at(0), Duration::from_secs(7));
            assert_eq!(Pause::read(&pause.print()), Some(pause));
            assert_eq!(pause.left(at(2)), Some(Duration::from_secs(5)));
            assert_eq!(pause.left(at(7)), None);
            assert_eq!(pause.left(at(-1)), None, "the clock was set back");
        }
        let long = Pause::new(Why::Busy(503), at(0), Duration::from_hours(1));
        assert_eq!(long.left(at(0)), Some(LONGEST));
        for damaged in [
            &b""[..],
            b"{}",
            br#"{"since":"x","until":"y","status":503}"#,
        ] {
            assert_eq!(Pause::read(damaged), None);
        }
    }

    #[test]
    fn one_clients_haste_does_not_hold_up_the_others() {
        let whom = |why| Pause::new(why, at(0), LONGEST).whom();
        assert_eq!(whom(Why::Busy(503)), Whom::Endpoint);
        assert_eq!(whom(Why::Busy(429)), Whom::Client);
        assert_eq!(whom(Why::FailedEarly), Whom::Client);
    }
}
