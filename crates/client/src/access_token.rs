//! An access token as a client holds it: opaque, with the times between which it is good.
//!
//! Times are absolute. A lifetime that is written down and read back after a restart would start
//! again from there.

use std::time::Duration;

use hallpass_oauth::Secret;
use jiff::{SignedDuration, Timestamp};
use rand_core::Rng;

/// An access token. `Debug` does not show it.
#[derive(Debug, Clone)]
pub struct AccessToken {
    compact: Secret,
    obtained_at: Timestamp,
    expires_at: Timestamp,
}

/// What to do with a token at a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Freshness {
    /// Use it.
    Good,
    /// Use it, but somebody should ask for the next one.
    Early,
    /// It has expired.
    Dead,
}

impl AccessToken {
    /// A token that was asked for at `obtained_at`, before the request was sent: the true expiry can
    /// only be later than the computed one.
    pub fn new(compact: Secret, obtained_at: Timestamp, expires_at: Timestamp) -> Self {
        Self {
            compact,
            obtained_at,
            expires_at,
        }
    }

    /// The token itself, for the one header that carries it.
    pub fn expose(&self) -> &str {
        self.compact.expose()
    }

    /// When it was asked for.
    pub fn obtained_at(&self) -> Timestamp {
        self.obtained_at
    }

    /// When it dies, unless it is superseded or revoked before.
    pub fn expires_at(&self) -> Timestamp {
        self.expires_at
    }

    /// Whether both are the same token.
    pub fn is(&self, other: &Self) -> bool {
        self.expose() == other.expose()
    }

    /// What to do with it at `now`. The next token is asked for in the last tenth of the lifetime,
    /// at most five minutes early; up to a tenth of that margin is added by chance, so that many
    /// programs that share a token do not all notice in the same instant.
    pub fn freshness(&self, now: Timestamp, rng: &mut (dyn Rng + Send)) -> Freshness {
        self.freshness_within(Duration::MAX, now, rng)
    }

    /// The same when a clock that nobody sets says that the token lasts `steady` at most.
    pub(crate) fn freshness_within(
        &self,
        steady: Duration,
        now: Timestamp,
        rng: &mut (dyn Rng + Send),
    ) -> Freshness {
        let steady = i64::try_from(steady.as_millis()).unwrap_or(i64::MAX);
        let left = milliseconds(self.expires_at.duration_since(now)).min(steady);
        if left <= 0 || self.is_from_the_future(now) {
            return Freshness::Dead;
        }
        let lifetime = milliseconds(self.expires_at.duration_since(self.obtained_at));
        let margin = (lifetime / 10).min(LARGEST_MARGIN);
        let widest = margin / 10;
        if left >= margin + widest {
            return Freshness::Good;
        }
        if left < margin {
            return Freshness::Early;
        }
        // Drawn only now that it matters: a process's first random number costs the system generator
        // more time than a call with a cached token takes.
        let jitter = widest * i64::from(rng.next_u32() >> 8) / (1 << 24);
        if left < margin + jitter {
            Freshness::Early
        } else {
            Freshness::Good
        }
    }

    /// A clock that was set back would make every lifetime longer than it is.
    fn is_from_the_future(&self, now: Timestamp) -> bool {
        self.obtained_at.duration_since(now) > CLOCK_SKEW
    }
}

fn milliseconds(duration: SignedDuration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

/// Five minutes, in milliseconds.
const LARGEST_MARGIN: i64 = 5 * 60 * 1000;

/// How far the clocks of processes that share a cache may be apart.
const CLOCK_SKEW: SignedDuration = SignedDuration::from_secs(60);

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use rand_core::TryRng;

    use super::*;

    /// Always draws the same number.
    struct Fixed(u32);

    impl TryRng for Fixed {
        type Error = Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Infallible> {
            Ok(self.0)
        }
        fn try_next_u64(&mut self) -> Result<u64, Infallible> {
            Ok(u64::from(self.0))
        }
        fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
            bytes.fill(0);
            Ok(())
        }
    }

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_700_000_000 + second).unwrap()
    }

    fn freshness(lifetime: i64, age: i64, draw: u32) -> Freshness {
        let token = AccessToken::new(Secret::from("t".to_owned()), at(0), at(lifetime));
        token.freshness(at(age), &mut Fixed(draw))
    }

    #[test]
    fn two_hours_are_renewed_within_the_last_five_minutes_and_a_half() {
        assert_eq!(freshness(7200, 7200 - 301, 0), Freshness::Good);
        assert_eq!(freshness(7200, 7200 - 300, 0), Freshness::Good);
        assert_eq!(freshness(7200, 7200 - 299, 0), Freshness::Early);
        assert_eq!(freshness(7200, 7200 - 329, u32::MAX), Freshness::Early);
        assert_eq!(freshness(7200, 7200 - 331, u32::MAX), Freshness::Good);
        assert_eq!(freshness(7200, 7199, 0), Freshness::Early);
        assert_eq!(freshness(7200, 7200, 0), Freshness::Dead);
    }

    #[test]
    fn a_short_life_has_a_short_margin() {
        assert_eq!(freshness(60, 53, 0), Freshness::Good);
        assert_eq!(freshness(60, 55, 0), Freshness::Early);
        assert_eq!(freshness(0, 0, u32::MAX), Freshness::Dead);
    }

    #[test]
    fn a_clock_that_was_set_back_lengthens_no_life_that_a_steady_clock_ends() {
        let token = AccessToken::new(Secret::from("t".to_owned()), at(0), at(7200));
        let seen = |steady| token.freshness_within(steady, at(0), &mut Fixed(0));
        assert_eq!(seen(Duration::from_hours(2)), Freshness::Good);
        assert_eq!(seen(Duration::from_secs(299)), Freshness::Early);
        assert_eq!(seen(Duration::ZERO), Freshness::Dead);
    }

    #[test]
    fn a_token_from_the_future_is_not_believed() {
        assert_eq!(freshness(7200, -30, 0), Freshness::Good);
        assert_eq!(freshness(7200, -61, 0), Freshness::Dead);
    }
}
