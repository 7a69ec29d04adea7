//! What the local servers of one person have in common, the proxy and the explorer: they listen to this
//! machine only, answer under their own address only, and ask for a key.
//!
//! A page from anywhere can make its reader's browser send requests to this machine, and with a name
//! that resolves to a loopback address (DNS rebinding) even read the answers. Other users of the machine
//! can connect as well.

use std::net::{IpAddr, SocketAddr};

use aws_lc_rs::constant_time::verify_slices_are_equal;
use axum::body::Body;
use hallpass_resource_server::listener::{self, Kind, Limits, Metrics, Site};
use http::header::HOST;
use http::{HeaderName, Request, Response};
use prometheus_client::registry::Registry;
use rand_core::CryptoRng;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::command::{CommandError, Exit};
use crate::serve::Signals;

/// How page and address are related, as browsers say it to addresses of the own machine (W3C Fetch
/// Metadata). For an address that somebody typed there is no page, and the relation is `none`.
pub(super) const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What only those know who may come in: 128 random bits.
pub(super) struct Key(String);

impl Key {
    /// A new one.
    pub(super) fn generate(rng: &mut dyn CryptoRng) -> Self {
        let mut bytes = [0; 16];
        rng.fill_bytes(&mut bytes);
        Self(format!("{:032x}", u128::from_be_bytes(bytes)))
    }

    /// The key, to be told.
    pub(super) fn expose(&self) -> &str {
        &self.0
    }

    /// Whether it is this one, in the same time whatever was presented.
    pub(super) fn is(&self, presented: &str) -> bool {
        verify_slices_are_equal(presented.as_bytes(), self.0.as_bytes()).is_ok()
    }

    #[cfg(test)]
    pub(super) fn of(text: &str) -> Self {
        Self(text.to_owned())
    }
}

/// Whether a request names this address: exactly one `Host` field, and the same in an absolute target,
/// if it has one.
pub(super) fn is_asked_for<B>(address: SocketAddr, request: &Request<B>) -> bool {
    host_of(address, request).is_some()
}

/// The name by which a request asked for this address.
pub(super) fn host_of<B>(address: SocketAddr, request: &Request<B>) -> Option<&str> {
    let mut hosts = request.headers().get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return None;
    };
    let named = request.uri().authority().map(http::uri::Authority::as_str);
    let is_own = |host: &str| {
        let own = [address.to_string(), format!("localhost:{}", address.port())];
        own.iter().any(|own| own.eq_ignore_ascii_case(host))
    };
    let host = host.to_str().ok()?;
    (is_own(host) && named.is_none_or(is_own)).then_some(host)
}

/// A socket at an address of this machine. `who` listens there; `harm` is what would come of another
/// address.
pub(super) async fn bind(
    address: SocketAddr,
    who: &str,
    harm: &str,
) -> Result<(TcpListener, SocketAddr), CommandError> {
    if !is_of_this_machine(address.ip()) {
        return Err(CommandError::usage(format!(
            "{who} cannot listen on {}: {harm}",
            address.ip()
        ))
        .hint("use 127.0.0.1:PORT or [::1]:PORT"));
    }
    let failed = |error: std::io::Error| {
        let what = format!("{who} cannot listen on {address}");
        CommandError::caused(Exit::Refused, &what, &error)
            .hint("choose another port with --listen, or port 0 for a free one")
    };
    let socket = TcpListener::bind(address).await.map_err(failed)?;
    let bound = socket.local_addr().map_err(failed)?;
    Ok((socket, bound))
}

fn is_of_this_machine(address: IpAddr) -> bool {
    address.to_canonical().is_loopback()
}

/// Serves one person until a signal asks to stop.
pub(super) async fn serve<A, F>(socket: TcpListener, name: &str, mut signals: Signals, answer: A)
where
    A: Fn(Request<listener::Body>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<Body>> + Send + 'static,
{
    let (stop, stopping) = watch::channel(false);
    let site = Site::new(name, Kind::Proxy, &Metrics::new(&mut Registry::default()));
    let limits = Limits {
        connections: MOST_CONNECTIONS,
        ..Limits::default()
    };
    let serving = tokio::spawn(listener::serve(socket, site, limits, stopping, answer));
    signals.stop().await;
    let _ = stop.send(true);
    // What it ended with is of no consequence: the process ends with it.
    let _ = serving.await;
}

/// Programs of one person.
const MOST_CONNECTIONS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_differ_and_are_long() {
        let mut rng = hallpass_oauth::random::SystemRandom;
        let (one, other) = (Key::generate(&mut rng), Key::generate(&mut rng));
        assert_eq!(one.expose().len(), 32);
        assert!(one.is(one.expose()) && !one.is(other.expose()) && !one.is(""));
    }
}
