//! Who gets a connection: so many at once, and of those so many from one address. The rest is told
//! at once that the server is full, and not left waiting without end.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::bare;
use super::trace_context::TraceContext;
use crate::reply::Refusal;

/// How many connections are being told that there is no place; more are closed without a word, since
/// each of these needs a file too.
const TOLD_AT_ONCE: usize = 16;

/// How long a connection without a place may take to send something and to take its answer.
const TELLING_TIME: Duration = Duration::from_secs(1);

/// The places of a listener.
pub(super) struct Admission {
    most: usize,
    places: Arc<Semaphore>,
    addresses: Arc<Addresses>,
    telling: Arc<Semaphore>,
}

/// A place of a connection, given back when dropped.
pub(super) struct Place {
    _place: OwnedSemaphorePermit,
    _address: Option<AddressPlace>,
}

/// Why there is no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Full {
    /// As many connections as the listener may have.
    Listener,
    /// As many connections as one address may have.
    Address,
}

impl Full {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Listener => "listener",
            Self::Address => "address",
        }
    }
}

impl Admission {
    pub(super) fn new(connections: usize, per_address: usize) -> Self {
        let most = connections.min(Semaphore::MAX_PERMITS);
        Self {
            most,
            places: Arc::new(Semaphore::new(most)),
            addresses: Arc::new(Addresses {
                most: per_address,
                open: Mutex::default(),
            }),
            telling: Arc::new(Semaphore::new(TOLD_AT_ONCE)),
        }
    }

    pub(super) fn admit(&self, address: IpAddr) -> Result<Place, Full> {
        let place = self.places.clone().try_acquire_owned();
        let place = place.map_err(|_| Full::Listener)?;
        Ok(Place {
            _place: place,
            _address: self.addresses.enter(address)?,
        })
    }

    /// Waits until all places are free.
    pub(super) async fn empty(&self) {
        let all = u32::try_from(self.most).unwrap_or(u32::MAX);
        let _ = self.places.acquire_many(all).await;
    }

    /// Says 503 to a connection without a place and closes it, in a task of its own. What there are
    /// too many of is closed at once.
    pub(super) fn turn_away(&self, socket: TcpStream, trace: &TraceContext) {
        let Ok(telling) = self.telling.clone().try_acquire_owned() else {
            return;
        };
        let answer = Refusal::Unavailable.answer(&trace.trace_id().to_string());
        let answer = bare::to_bytes(answer, trace);
        tokio::spawn(async move {
            // A peer that does not read has itself to blame.
            let _ = tokio::time::timeout(TELLING_TIME, tell(socket, &answer)).await;
            drop(telling);
        });
    }
}

/// Waits for the beginning of a request, since clients take an answer to nothing for a mistake, and
/// lets the rest of it run out: unread bytes at the end would make the system send a reset, which
/// can overtake the answer.
async fn tell(mut socket: TcpStream, answer: &[u8]) -> std::io::Result<()> {
    let mut bytes = [0; 1024];
    if socket.read(&mut bytes).await? == 0 {
        return Ok(());
    }
    socket.write_all(answer).await?;
    socket.shutdown().await?;
    while socket.read(&mut bytes).await? > 0 {}
    Ok(())
}

/// How many connections each address has. There are no more entries than connections.
struct Addresses {
    most: usize,
    open: Mutex<HashMap<IpAddr, usize>>,
}

struct AddressPlace {
    addresses: Arc<Addresses>,
    address: IpAddr,
}

impl Addresses {
    fn open(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Loopback is not counted: a proxy on the same machine brings everybody's connections.
    fn enter(self: &Arc<Self>, address: IpAddr) -> Result<Option<AddressPlace>, Full> {
        let address = one_peer(address);
        if address.is_loopback() {
            return Ok(None);
        }
        let mut open = self.open();
        let count = open.get(&address).copied().unwrap_or_default();
        if count >= self.most {
            return Err(Full::Address);
        }
        open.insert(address, count + 1);
        Ok(Some(AddressPlace {
            addresses: self.clone(),
            address,
        }))
    }
}

impl Drop for AddressPlace {
    fn drop(&mut self) {
        let mut open = self.addresses.open();
        match open.get_mut(&self.address) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                open.remove(&self.address);
            }
        }
    }
}

/// The address that stands for a peer: a network of IPv6 (64 bits) belongs to one.
fn one_peer(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) if !address.is_loopback() => {
            let network = address.to_bits() & !u128::from(u64::MAX);
            IpAddr::V6(Ipv6Addr::from_bits(network))
        }
        address => address,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(admission: &Admission, address: &str) -> Result<Place, Full> {
        admission.admit(address.parse().unwrap())
    }

    #[test]
    fn an_address_has_so_many_places_and_gets_them_back() {
        let admission = Admission::new(10, 2);
        let first = admit(&admission, "192.0.2.1").unwrap();
        let _second = admit(&admission, "::ffff:192.0.2.1").unwrap();
        assert_eq!(admit(&admission, "192.0.2.1").err(), Some(Full::Address));
        let _other = admit(&admission, "192.0.2.2").unwrap();
        drop(first);
        let _third = admit(&admission, "192.0.2.1").unwrap();
        assert_eq!(admit(&admission, "192.0.2.1").err(), Some(Full::Address));
    }

    #[test]
    fn a_network_of_ipv6_is_one_address() {
        let admission = Admission::new(10, 1);
        let _first = admit(&admission, "2001:db8::1").unwrap();
        assert_eq!(
            admit(&admission, "2001:db8::ffff:0:1").err(),
            Some(Full::Address)
        );
        let _other = admit(&admission, "2001:db8:0:1::1").unwrap();
    }

    #[test]
    fn loopback_is_bounded_by_the_listener_alone() {
        let admission = Admission::new(3, 1);
        let places: Vec<_> = ["127.0.0.1", "127.0.0.1", "::1"]
            .iter()
            .map(|address| admit(&admission, address).unwrap())
            .collect();
        assert_eq!(admit(&admission, "127.0.0.1").err(), Some(Full::Listener));
        drop(places);
        assert!(admit(&admission, "127.0.0.1").is_ok());
    }

    #[test]
    fn addresses_that_are_gone_are_forgotten() {
        let admission = Admission::new(10, 1);
        for last in 0..200 {
            let place = admit(&admission, &format!("192.0.2.{last}")).unwrap();
            assert_eq!(admission.addresses.open().len(), 1);
            drop(place);
        }
        assert_eq!(admission.addresses.open().len(), 0);
        // A place that was refused for its address is free again.
        let _held = admit(&admission, "192.0.2.1").unwrap();
        for _ in 0..20 {
            assert_eq!(admit(&admission, "192.0.2.1").err(), Some(Full::Address));
        }
        assert_eq!(admission.places.available_permits(), 9);
    }
}
