//! How often signing in may fail. Verifying a password is costly, so each try is counted before, and
//! given back when it was right: many at once are no more than one after the other, and whoever goes
//! away before the answer has had their try.
//!
//! Guessing is limited where it comes from: per e-mail address and network, and per network. So whoever
//! guesses at somebody's password locks out themselves. A wide limit per e-mail address over all networks
//! bounds guessing from many at once. A network from which an address has signed in before has a limit of
//! its own for that address and no other, so that neither strangers elsewhere nor neighbours who fail for
//! other addresses lock the owner out (decision 0019). None of them knows which addresses exist.

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

/// Wrong passwords of somebody signed in who is asked again, and wrong codes of one person: of a million, three are right at a time (RFC 4226, section 7.3).
const PER_PERSON: (u32, u32) = (1, 10);

/// How long a network stays known after somebody has signed in from it, in minutes.
const KNOWN_FOR: u32 = 30 * 24 * 60;

/// Where a try was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Charged {
    /// As one of the owner, from where they have signed in before.
    Owner,
    /// As one of anybody.
    Anybody,
}

/// The counts of all names that the console answers under.
pub(crate) struct Attempts {
    pairs: Option<Cells>,
    networks: Option<Cells>,
    emails: Option<Cells>,
    owners: Option<Cells>,
    confirmations: Option<Cells>,
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
            owners: cells(PER_PAIR),
            confirmations: cells(PER_PERSON),
            codes: cells(PER_PERSON),
            known: cells((1, KNOWN_FOR)),
        }
    }

    /// Counts a password that is about to be tried for that address from there.
    pub(crate) fn charge(
        &self,
        email: &str,
        from: IpAddr,
        now: Timestamp,
    ) -> Result<Charged, RetryAfter> {
        let (email, from) = (email.to_lowercase(), network(from));
        if self.knows(&email, from, now) {
            note(self.owners.as_ref(), (&email, from), now)?;
            return Ok(Charged::Owner);
        }
        note(self.pairs.as_ref(), (&email, from), now)?;
        note(self.networks.as_ref(), from, now)
            .inspect_err(|_| give_back(self.pairs.as_ref(), (&email, from)))?;
        note(self.emails.as_ref(), &email, now).inspect_err(|_| {
            give_back(self.pairs.as_ref(), (&email, from));
            give_back(self.networks.as_ref(), from);
        })?;
        Ok(Charged::Anybody)
    }

    /// Takes back what [`Self::charge`] counted: it was no guess.
    pub(crate) fn give_back(&self, charged: Charged, email: &str, from: IpAddr) {
        let (email, from) = (email.to_lowercase(), network(from));
        match charged {
            Charged::Owner => give_back(self.owners.as_ref(), (&email, from)),
            Charged::Anybody => {
                give_back(self.pairs.as_ref(), (&email, from));
                give_back(self.networks.as_ref(), from);
                give_back(self.emails.as_ref(), &email);
            }
        }
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

    /// Counts a password that is about to be tried by somebody who is signed in. It is their own limit:
    /// strangers who fail at the page for signing in do not reach it.
    pub(crate) fn charge_confirmation(
        &self,
        person: PersonId,
        now: Timestamp,
    ) -> Result<(), RetryAfter> {
        note(self.confirmations.as_ref(), person, now)
    }

    /// Takes back what [`Self::charge_confirmation`] counted.
    pub(crate) fn give_confirmation_back(&self, person: PersonId) {
        give_back(self.confirmations.as_ref(), person);
    }

    /// Counts a code that is about to be tried for that person. Their password was right: it is their
    /// own limit, and recovery codes are outside of it, since they cannot be guessed.
    pub(crate) fn charge_code(&self, person: PersonId, now: Timestamp) -> Result<(), RetryAfter> {
        note(self.codes.as_ref(), person, now)
    }

    /// Takes back what [`Self::charge_code`] counted.
    pub(crate) fn give_code_back(&self, person: PersonId) {
        give_back(self.codes.as_ref(), person);
    }
}

fn note(
    cells: Option<&Cells>,
    key: impl std::hash::Hash,
    now: Timestamp,
) -> Result<(), RetryAfter> {
    cells.map_or(Ok(()), |cells| cells.note(key, now))
}

fn give_back(cells: Option<&Cells>, key: impl std::hash::Hash) {
    if let Some(cells) = cells {
        cells.give_back(key);
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
            assert_eq!(attempts.charge(ANN, stranger, now()), Ok(Charged::Anybody));
        }
        let wait = attempts.charge("Ann@Example.com", stranger, now());
        assert_eq!(wait.unwrap_err().seconds(), 60);
        assert_eq!(attempts.charge(ANN, home, now()), Ok(Charged::Anybody));
        assert_eq!(
            attempts.charge("bob@example.com", stranger, now()),
            Ok(Charged::Anybody)
        );
        let later = now() + SignedDuration::from_secs(60);
        assert_eq!(attempts.charge(ANN, stranger, later), Ok(Charged::Anybody));
    }

    #[test]
    fn one_network_does_not_go_through_all_addresses() {
        let attempts = Attempts::new();
        for person in 0..PER_NETWORK.1 {
            let email = format!("{person}@example.com");
            let charged = attempts.charge(&email, at("2001:db8::1"), now());
            assert_eq!(charged, Ok(Charged::Anybody));
        }
        assert!(attempts.charge(ANN, at("2001:db8::2"), now()).is_err());
        assert!(attempts.charge(ANN, at("2001:db8:0:1::2"), now()).is_ok());
    }

    #[test]
    fn a_right_password_costs_nothing_and_a_refused_try_no_more_than_itself() {
        let attempts = Attempts::new();
        let home = at("198.51.100.1");
        for _ in 0..2 * PER_NETWORK.1 {
            assert_eq!(attempts.charge(ANN, home, now()), Ok(Charged::Anybody));
            attempts.give_back(Charged::Anybody, ANN, home);
        }
        for _ in 0..PER_PAIR.1 {
            assert_eq!(attempts.charge(ANN, home, now()), Ok(Charged::Anybody));
        }
        for _ in 0..2 * PER_NETWORK.1 {
            assert!(attempts.charge(ANN, home, now()).is_err());
        }
        assert_eq!(
            attempts.charge("bob@example.com", home, now()),
            Ok(Charged::Anybody)
        );
    }

    #[test]
    fn neighbours_who_fail_do_not_lock_out_who_has_signed_in_there() {
        let attempts = Attempts::new();
        let office = at("198.51.100.1");
        attempts.succeeded(ANN, office, now());
        for person in 0..PER_NETWORK.1 {
            let email = format!("{person}@example.com");
            let charged = attempts.charge(&email, office, now());
            assert_eq!(charged, Ok(Charged::Anybody));
        }
        assert!(attempts.charge("bob@example.com", office, now()).is_err());
        for _ in 0..PER_PAIR.1 {
            assert_eq!(attempts.charge(ANN, office, now()), Ok(Charged::Owner));
        }
        assert!(attempts.charge(ANN, office, now()).is_err(), "as many");
        attempts.give_back(Charged::Owner, ANN, office);
        assert_eq!(attempts.charge(ANN, office, now()), Ok(Charged::Owner));
    }

    #[test]
    fn guessing_from_everywhere_ends_and_spares_where_the_owner_is_known() {
        let attempts = Attempts::new();
        let home = at("198.51.100.1");
        attempts.succeeded(ANN, home, now());
        let networks = (0..=u8::MAX).map(|last| at(&format!("192.0.2.{last}")));
        for stranger in networks.take(PER_EMAIL.1 as usize) {
            assert_eq!(attempts.charge(ANN, stranger, now()), Ok(Charged::Anybody));
        }
        assert!(attempts.charge(ANN, at("203.0.113.1"), now()).is_err());
        assert_eq!(attempts.charge(ANN, home, now()), Ok(Charged::Owner));
        assert!(
            attempts
                .charge("bob@example.com", at("203.0.113.1"), now())
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
