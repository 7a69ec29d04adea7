//! How a connection comes to a listener, and what it has to go through before it speaks HTTP.
//!
//! A connection is accepted from a socket, or handed over by another listener of this program that
//! took it out of HTTP: what a CONNECT request asks for (RFC 9110 section 9.3.6).

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::Request;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;

use super::Body;
use super::admission::Place;
use super::stream::Stream;
use super::tls::ServerName;
use super::traffic::Site;

/// A connection as it came, with nothing read from it but what stands in `early`.
pub struct HandedOver {
    socket: TcpStream,
    early: Bytes,
    peer: SocketAddr,
    /// The place at the listener that handed it over.
    held: Option<Held>,
}

/// Where a listener gets connections that another one took out of HTTP.
pub type Handed = mpsc::Receiver<HandedOver>;

/// What keeps a connection counted where it came in. Given back when the last copy is dropped.
#[derive(Clone)]
pub(super) struct Held {
    _place: Arc<(Place, Open)>,
}

/// A connection in the counters.
struct Open(Site);

/// Where connections come from.
pub(super) struct Arrivals {
    listener: TcpListener,
    handed: Option<Handed>,
}

/// A connection that speaks HTTP from here on.
pub(super) struct Established<T> {
    pub(super) stream: T,
    pub(super) peer: SocketAddr,
    /// The name that it was opened for; only TLS has that.
    pub(super) name: Option<ServerName>,
    /// Its place at the listener that handed it over, if one did.
    pub(super) handed_by: Option<Held>,
}

/// What a connection has to go through before it speaks HTTP.
pub(super) trait Transport: Clone + Send + Sync + 'static {
    /// What HTTP is spoken over.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static;

    /// Whether a connection without a place can be told so.
    const SPEAKS_HTTP_AT_ONCE: bool;

    /// Goes through it, within `time`.
    fn establish(
        &self,
        arrival: HandedOver,
        time: Duration,
    ) -> impl Future<Output = io::Result<Established<Self::Stream>>> + Send;
}

/// Nothing.
#[derive(Clone)]
pub(super) struct Plain;

impl Transport for Plain {
    type Stream = TcpStream;

    const SPEAKS_HTTP_AT_ONCE: bool = true;

    async fn establish(
        &self,
        arrival: HandedOver,
        _time: Duration,
    ) -> io::Result<Established<TcpStream>> {
        Ok(Established {
            stream: arrival.socket,
            peer: arrival.peer,
            name: None,
            handed_by: arrival.held,
        })
    }
}

impl Arrivals {
    pub(super) fn at(listener: TcpListener, handed: Option<Handed>) -> Self {
        Self { listener, handed }
    }

    /// The next connection.
    pub(super) async fn next(&mut self) -> io::Result<HandedOver> {
        let handed = async {
            match &mut self.handed {
                Some(handed) => handed.recv().await,
                None => None,
            }
        };
        tokio::select! {
            Some(connection) = handed => Ok(connection),
            accepted = self.listener.accept() => {
                let (socket, peer) = accepted?;
                // Small answers must not wait for the peer's acknowledgement of the one before.
                let _ = socket.set_nodelay(true);
                Ok(HandedOver { socket, early: Bytes::new(), peer, held: None })
            }
        }
    }
}

impl HandedOver {
    pub(super) fn peer(&self) -> SocketAddr {
        self.peer
    }

    pub(super) fn into_socket(self) -> TcpStream {
        self.socket
    }

    /// The socket, what was read from it already, and its place elsewhere.
    pub(super) fn into_parts(self) -> (TcpStream, Bytes, Option<Held>) {
        (self.socket, self.early, self.held)
    }
}

impl Held {
    pub(super) fn new(place: Place, site: Site) -> Self {
        site.connected();
        Self {
            _place: Arc::new((place, Open(site))),
        }
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.disconnected();
    }
}

/// Takes the connection of a CONNECT request out of HTTP, once its answer is written: to be called in
/// a task of its own, and the request to be answered with success. It keeps its place at the listener
/// that it came to. `None` when the connection broke meanwhile, or came over TLS.
pub async fn take_over(mut request: Request<Body>, peer: SocketAddr) -> Option<HandedOver> {
    let held = request.extensions_mut().remove::<Held>();
    let upgraded = hyper::upgrade::on(request).await.ok()?;
    let parts = upgraded.downcast::<TokioIo<Stream<TcpStream>>>().ok()?;
    Some(HandedOver {
        socket: parts.io.into_inner().into_inner(),
        early: parts.read_buf,
        peer,
        held,
    })
}
