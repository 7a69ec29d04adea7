//! How often signing in may fail. Verifying a password is costly, so this is asked before; only failures
//! are counted. What is under way at the same moment may overshoot a limit by as many as may be verified
//! at once.
//!
//! Guessing is limited where it comes from: per e-mail address and network, and per network. So whoever
//! guesses at somebody's password locks out themselves. A wide limit per e-mail address over all networks
//! bounds guessing from many at once; it is not asked of networks from which that address has signed in
//! before, so that its owner is not locked out (decision 0019). None of them knows which addresses exist.

use std::hash::RandomState;
use std::net::IpAddr;

use hallpass_limits::{Cells, Rate, RetryAfter, network};
use hallpass_store::PersonId;
use jiff::Timestamp;

/// Counts kept per table: about 280 kB each, allocated once.
const CELLS: usize = 1 << 14;

/// Failures of one e-mail address from one network: a minute each, and some at once.
const PER_PAIR: (u32, u32) = (1, 10);

/// Failures from one network, which may be an office.
const PER_NETWORK: (u32, u32) = (10, 60);

/// Failures of one e-mail address from wherever.
const PER_EMAIL: (u32, u32) = (5, 100);

/// Wrong codes of one person: of a million, three are right at a time (RFC 4226, section 7.3).
const PER_PERSON: (u32, u32) = (1, 10);

/// How long a network stays known after somebody has signed in from it, in minutes.
const KNOWN_FOR: u32 = 30 * 24 * 60;

/// The counts of all names that the console answers under.
pub(crate) struct Attempts {
    pairs: Option<Cells>,
    networks: Option<Cells>,
    emails: Option<Cells>,
    codes: Option<Cells>,
    known: Option<Cells>,
}

impl Attempts {
    pub(crate) fn new() -> Self {
        // One fresh key: it hides from the outside who shares memory.
        let hasher = RandomState::new();
        let cells = |(per_minute, burst)| {
            let rate = Rate::new(per_minute, burst);
            rate.map(|rate| Cells::new(rate, CELLS, hasher.clone()))
        };
        Self {
            pairs: cells(PER_PAIR),
            networks: cells(PER_NETWORK),
            emails: cells(PER_EMAIL),
            codes: cells(PER_PERSON),
            known: cells((1, KNOWN_FOR)),
        }
    }

    /// Whether a password may be tried for that address from there.
    pub(crate) fn ask(&self, email: &str, from: IpAddr, now: Timestamp) -> Result<(), RetryAfter> {
        let (email, from) = (email.to_lowercase(), network(from));
        ask(self.pairs.as_ref(), (&email, from), now)?;
        ask(self.networks.as_ref(), from, now)?;
        if self.knows(&email, from, now) {
            return Ok(());
        }
        ask(self.emails.as_ref(), &email, now)
    }

    /// Counts a wrong password.
    pub(crate) fn failed(&self, email: &str, from: IpAddr, now: Timestamp) {
        let (email, from) = (email.to_lowercase(), network(from));
        note(self.pairs.as_ref(), (&email, from), now);
        note(self.networks.as_ref(), from, now);
        note(self.emails.as_ref(), &email, now);
    }

    /// Remembers where an address has signed in from.
    pub(crate) fn succeeded(&self, email: &str, from: IpAddr, now: Timestamp) {
        let (email, from) = (email.to_lowercase(), network(from));
        if let Some(known) = &self.known {
            known.fill((&email, from), now);
        }
    }

    fn knows(&self, email: &str, from: IpAddr, now: Timestamp) -> bool {
        let known = self.known.as_ref();
        known.is_some_and(|known| known.holds((&email, from), now))
    }

    /// Whether a code may be tried for that person. Their password was right: it is their own limit,
    /// and recovery codes are outside of it, since they cannot be guessed.
    pub(crate) fn ask_code(&self, person: PersonId, now: Timestamp) -> Result<(), RetryAfter> {
        ask(self.codes.as_ref(), person, now)
    }

    /// Counts a wrong code.
    pub(crate) fn code_failed(&self, person: PersonId, now: Timestamp) {
        note(self.codes.as_ref(), person, now);
    }
}

fn ask(cells: Option<&Cells>, key: impl std::hash::Hash, now: Timestamp) -> Result<(), RetryAfter> {
    cells.map_or(Ok(()), |cells| cells.ask(key, now))
}

fn note(cells: Option<&Cells>, key: impl std::hash::Hash, now: Timestamp) {
    if let Some(cells) = cells {
        // Over the limit it stays what it is.
        let _ = cells.note(key, now);
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    const ANN: &str = "ann@example.com";

    fn at(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn now() -> Timestamp {
        Timestamp::from_second(1_800_000_000).unwrap()
    }

    #[test]
    fn whoever_guesses_locks_out_themselves_and_not_the_owner() {
        let attempts = Attempts::new();
        let (stranger, home) = (at("192.0.2.1"), at("198.51.100.1"));
        for _ in 0..PER_PAIR.1 {
            assert_eq!(attempts.ask(ANN, stranger, now()), Ok(()));
            attempts.failed(ANN, stranger, now());
        }
        let wait = attempts.ask("Ann@Example.com", stranger, now());
        assert_eq!(wait.unwrap_err().seconds(), 60);
        assert_eq!(attempts.ask(ANN, home, now()), Ok(()));
        assert_eq!(attempts.ask("bob@example.com", stranger, now()), Ok(()));
        let later = now() + SignedDuration::from_secs(60);
        assert_eq!(attempts.ask(ANN, stranger, later), Ok(()));
    }

    #[test]
    fn one_network_does_not_go_through_all_addresses() {
        let attempts = Attempts::new();
        for person in 0..PER_NETWORK.1 {
            attempts.failed(&format!("{person}@example.com"), at("2001:db8::1"), now());
        }
        assert!(attempts.ask(ANN, at("2001:db8::2"), now()).is_err());
        assert!(attempts.ask(ANN, at("2001:db8:0:1::2"), now()).is_ok());
    }

    #[test]
    fn guessing_from_everywhere_ends_and_spares_where_the_owner_is_known() {
        let attempts = Attempts::new();
        let home = at("198.51.100.1");
        attempts.succeeded(ANN, home, now());
        let networks = (0..=u8::MAX).map(|last| at(&format!("192.0.2.{last}")));
        for stranger in networks.take(PER_EMAIL.1 as usize) {
            attempts.failed(ANN, stranger, now());
        }
        assert!(attempts.ask(ANN, at("203.0.113.1"), now()).is_err());
        assert_eq!(attempts.ask(ANN, home, now()), Ok(()));
        assert!(
            attempts
                .ask("bob@example.com", at("203.0.113.1"), now())
                .is_ok()
        );
        let month = SignedDuration::from_mins(i64::from(KNOWN_FOR));
        assert!(attempts.knows(
            ANN,
            network(home),
            now() + month - SignedDuration::from_mins(1)
        ));
        assert!(!attempts.knows(ANN, network(home), now() + month));
    }
}
