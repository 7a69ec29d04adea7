//! Whether this machine's clock agrees with the server's. Tokens live by the clock: one that is wrong
//! takes dead tokens for living ones, or the other way round.

use jiff::{SignedDuration, Timestamp};

use super::finding::{Finding, Step};

/// What a server said about the time, and when we heard it.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    /// The `Date` field of its answer (RFC 9110 section 6.6.1).
    pub(super) date: Option<String>,
    /// Our time when the answer came.
    pub(super) heard_at: Timestamp,
}

pub(super) fn compare(seen: &Seen) -> Finding {
    let Some(theirs) = seen.date.as_deref().and_then(read) else {
        return Finding::note(
            Step::Clock,
            "the server does not say what time it is, so the clocks cannot be compared",
        );
    };
    let ahead = seen.heard_at.duration_since(theirs);
    if ahead.abs() <= TOLERATED {
        return Finding::fine(
            Step::Clock,
            format!(
                "this clock and the server's agree within {} s",
                TOLERATED.as_secs()
            ),
        );
    }
    let direction = if ahead.is_positive() {
        "ahead of"
    } else {
        "behind"
    };
    Finding::warning(
        Step::Clock,
        format!(
            "this machine's clock is {} s {direction} the server's",
            ahead.abs().as_secs()
        ),
    )
    .hint("set the clock by NTP; until then tokens look older or younger than they are")
}

/// An HTTP date (RFC 9110 section 5.6.7) in its preferred form.
fn read(text: &str) -> Option<Timestamp> {
    jiff::fmt::rfc2822::parse(text)
        .ok()
        .map(|zoned| zoned.timestamp())
}

/// More than a slow network explains.
const TOLERATED: SignedDuration = SignedDuration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::super::finding::Verdict;
    use super::*;

    fn at(seconds: i64) -> Finding {
        compare(&Seen {
            date: Some("Sun, 06 Nov 1994 08:49:37 GMT".to_owned()),
            heard_at: Timestamp::from_second(784_111_777 + seconds).unwrap(),
        })
    }

    #[test]
    fn a_minute_is_tolerated_and_more_is_told_with_its_direction() {
        assert_eq!(at(0).verdict, Verdict::Fine);
        assert_eq!(at(60).verdict, Verdict::Fine);
        assert_eq!(at(-60).verdict, Verdict::Fine);
        let ahead = at(61);
        assert_eq!(ahead.verdict, Verdict::Warning);
        assert!(ahead.message.contains("61 s ahead of"), "{ahead:?}");
        assert!(at(-7200).message.contains("7200 s behind"));
    }

    #[test]
    fn a_server_that_does_not_tell_the_time_is_no_fault() {
        for date in [None, Some("yesterday".to_owned())] {
            let seen = Seen {
                date,
                heard_at: Timestamp::UNIX_EPOCH,
            };
            assert_eq!(compare(&seen).verdict, Verdict::Note);
        }
    }
}
