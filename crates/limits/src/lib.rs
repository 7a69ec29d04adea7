//! How often something may happen per key, with the same few memory whatever is sent.
//!
//! It knows no clock, and not what the keys stand for: client ids, e-mail addresses and networks are
//! its callers' affair, and so is what happens when there is no room.
//!
//! The counts are [`Cells`] of our own because the keyed state of the `governor` crate grows with
//! every new id until somebody purges it, which is what a flood of invented ids is for.

mod cells;

// Addresses as values; there are no sockets in `core`.
use core::net::{IpAddr, Ipv6Addr};

pub use cells::Cells;

const MICROSECONDS_PER_MINUTE: u32 = 60_000_000;

/// So many per minute in the long run, and a burst of some at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Microseconds until one more is allowed.
    interval: i64,
    burst: u32,
}

impl Rate {
    /// `None` without a number per minute: no limit. A burst under one would refuse everything and
    /// is taken as one.
    pub fn new(per_minute: u32, burst: u32) -> Option<Self> {
        (per_minute > 0).then(|| Self {
            interval: MICROSECONDS_PER_MINUTE.div_ceil(per_minute).into(),
            burst: burst.max(1),
        })
    }

    /// Microseconds that a full burst takes to be forgotten.
    fn span(self) -> i64 {
        self.interval * i64::from(self.burst)
    }
}

/// When to come back: whole seconds, rounded up (RFC 9110 section 10.2.3), never zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct RetryAfter(u64);

impl RetryAfter {
    fn microseconds(wait: i64) -> Self {
        Self(wait.unsigned_abs().div_ceil(1_000_000).max(1))
    }

    /// The number for the header.
    pub fn seconds(self) -> u64 {
        self.0
    }
}

/// Whom an address belongs to. A host has at least a /64 of IPv6 to itself (RFC 6177), so single
/// addresses of it are no bound; an IPv4 address stays the same when a socket maps it into IPv6.
pub fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let prefix = u128::from(address) >> 64 << 64;
            IpAddr::V6(Ipv6Addr::from(prefix))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_whole_seconds_rounded_up() {
        let seconds = |wait| RetryAfter::microseconds(wait).seconds();
        assert_eq!(seconds(1), 1);
        assert_eq!(seconds(1_000_000), 1);
        assert_eq!(seconds(1_000_001), 2);
        assert_eq!(seconds(0), 1);
    }

    #[test]
    fn no_rate_is_no_limit() {
        assert_eq!(Rate::new(0, 5), None);
    }

    #[test]
    fn neighbours_of_a_network_are_one() {
        let network = |text: &str| network(text.parse().unwrap());
        assert_eq!(network("2001:db8::1"), network("2001:db8::ffff:1"));
        assert_ne!(network("2001:db8::1"), network("2001:db8:0:1::1"));
        assert_eq!(network("192.0.2.1"), network("::ffff:192.0.2.1"));
        assert_ne!(network("192.0.2.1"), network("192.0.2.2"));
    }
}
