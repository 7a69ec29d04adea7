//! How often a client may fail to authenticate and how many tokens a credential may be issued, with
//! the same few memory whatever is sent (answers 429 with `Retry-After`, RFC 6585 section 4).
//!
//! Nothing here refuses a correct secret: the failure limits are asked only once an authentication
//! has failed, so nobody can lock out a client by failing in its name. They do not know which ids
//! exist; an unknown one is counted like a known one, so the answers tell nothing about it. Nor do
//! they know proxies: the address is the one that the caller trusts.

use std::hash::RandomState;
use std::net::IpAddr;

use hallpass_limits::{Cells, Rate, RetryAfter, network};
use jiff::Timestamp;

/// Counts kept per table: about 280 kB each, allocated once.
const CELLS: usize = 1 << 14;

/// What [`FailureLimits`] allow; `None` is no limit.
#[derive(Debug, Clone, Copy)]
pub(crate) struct FailureSettings {
    pub(crate) per_client: Option<Rate>,
    pub(crate) per_address: Option<Rate>,
}

/// Failed authentications, per presented client id and per address.
pub(crate) struct FailureLimits {
    clients: Option<Cells>,
    addresses: Option<Cells>,
}

impl FailureLimits {
    /// `hasher` has to be a fresh one: its key hides from the outside which ids share memory.
    pub(crate) fn new(settings: FailureSettings, hasher: &RandomState) -> Self {
        let cells = |rate| Cells::new(rate, CELLS, hasher.clone());
        Self {
            clients: settings.per_client.map(cells),
            addresses: settings.per_address.map(cells),
        }
    }

    /// Notes one failed authentication. `Some` when the client id or the address is over its limit:
    /// then this failure is answered with 429 instead of 401.
    pub(crate) fn failed(
        &self,
        client_id: &str,
        address: IpAddr,
        now: Timestamp,
    ) -> Option<RetryAfter> {
        // Both are always noted, or failing under one limit would be free under the other.
        let by_client = note(self.clients.as_ref(), client_id, now).err();
        let by_address = note(self.addresses.as_ref(), network(address), now).err();
        by_client.max(by_address)
    }
}

/// Issued tokens per credential, whatever the grant.
pub(crate) struct MintLimits {
    credentials: Option<Cells>,
}

impl MintLimits {
    /// `None` is no limit; `hasher` as for [`FailureLimits::new`].
    pub(crate) fn new(rate: Option<Rate>, hasher: &RandomState) -> Self {
        Self {
            credentials: rate.map(|rate| Cells::new(rate, CELLS, hasher.clone())),
        }
    }

    /// Takes one token from the quota of an *authenticated* client, or says when there is one
    /// again; asking too early costs nothing.
    pub(crate) fn admit(&self, client_id: &str, now: Timestamp) -> Result<(), RetryAfter> {
        note(self.credentials.as_ref(), client_id, now)
    }
}

fn note(
    cells: Option<&Cells>,
    key: impl std::hash::Hash,
    now: Timestamp,
) -> Result<(), RetryAfter> {
    cells.map_or(Ok(()), |cells| cells.note(key, now))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::UNIX_EPOCH;
    const ELSEWHERE: &str = "198.51.100.9";

    fn failures(per_client: Option<Rate>, per_address: Option<Rate>) -> FailureLimits {
        let settings = FailureSettings {
            per_client,
            per_address,
        };
        FailureLimits::new(settings, &RandomState::new())
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn wait(admitted: Result<(), RetryAfter>) -> u64 {
        admitted.unwrap_err().seconds()
    }

    #[test]
    fn one_client_id_is_limited_over_all_addresses() {
        let limits = failures(Rate::new(6, 2), None);
        assert_eq!(limits.failed("a", address("192.0.2.1"), NOW), None);
        assert_eq!(limits.failed("a", address("192.0.2.2"), NOW), None);

        let over = limits.failed("a", address("192.0.2.3"), NOW);
        assert_eq!(over.map(RetryAfter::seconds), Some(10));
        assert_eq!(limits.failed("b", address("192.0.2.3"), NOW), None);
    }

    #[test]
    fn one_address_is_limited_over_all_client_ids() {
        let limits = failures(None, Rate::new(6, 2));
        assert_eq!(limits.failed("a", address("192.0.2.1"), NOW), None);
        assert_eq!(limits.failed("b", address("192.0.2.1"), NOW), None);

        assert!(limits.failed("c", address("192.0.2.1"), NOW).is_some());
        assert_eq!(limits.failed("c", address(ELSEWHERE), NOW), None);
    }

    #[test]
    fn a_failure_counts_under_both_limits_even_when_one_is_passed() {
        let limits = failures(Rate::new(60, 1), Rate::new(6, 2));
        let here = address("192.0.2.1");
        assert_eq!(limits.failed("a", here, NOW), None);
        let by_client = limits.failed("a", here, NOW);
        assert_eq!(by_client.map(RetryAfter::seconds), Some(1));

        let the_longer_wait = limits.failed("a", here, NOW);
        assert_eq!(the_longer_wait.map(RetryAfter::seconds), Some(10));
    }

    #[test]
    fn an_ipv6_network_is_one_address() {
        let limits = failures(None, Rate::new(1, 1));
        assert_eq!(limits.failed("a", address("2001:db8:0:1::1"), NOW), None);

        let neighbour = address("2001:db8:0:1:ffff::2");
        assert!(limits.failed("a", neighbour, NOW).is_some());
        assert_eq!(limits.failed("a", address("2001:db8:0:2::1"), NOW), None);
    }

    #[test]
    fn a_mapped_ipv4_address_is_that_address() {
        let limits = failures(None, Rate::new(1, 1));
        assert_eq!(limits.failed("a", address("192.0.2.1"), NOW), None);

        assert!(
            limits
                .failed("a", address("::ffff:192.0.2.1"), NOW)
                .is_some()
        );
        let other = address("::ffff:192.0.2.2");
        assert_eq!(limits.failed("a", other, NOW), None);
    }

    #[test]
    fn a_quota_is_per_credential_and_refusals_take_nothing_from_it() {
        let limits = MintLimits::new(Rate::new(60, 3), &RandomState::new());
        for _ in 0..3 {
            assert_eq!(limits.admit("a", NOW), Ok(()));
        }
        for _ in 0..100 {
            assert_eq!(wait(limits.admit("a", NOW)), 1);
        }

        assert_eq!(limits.admit("b", NOW), Ok(()));
        let a_second_later = Timestamp::from_second(1).unwrap();
        assert_eq!(limits.admit("a", a_second_later), Ok(()));
        assert_eq!(wait(limits.admit("a", a_second_later)), 1);
    }

    #[test]
    fn no_rate_is_no_limit() {
        let mints = MintLimits::new(Rate::new(0, 5), &RandomState::new());
        let failures = failures(None, None);
        for _ in 0..10_000 {
            assert_eq!(mints.admit("a", NOW), Ok(()));
            assert_eq!(failures.failed("a", address(ELSEWHERE), NOW), None);
        }
    }

    #[test]
    fn a_burst_of_none_is_one() {
        let limits = MintLimits::new(Rate::new(60, 0), &RandomState::new());
        assert_eq!(limits.admit("a", NOW), Ok(()));
        assert!(limits.admit("a", NOW).is_err());
    }
}
