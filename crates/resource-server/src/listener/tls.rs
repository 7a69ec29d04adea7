//! TLS in front of HTTP: the handshake, which is bounded in time, and the name that the peer asked for
//! in it (RFC 6066 section 3).
//!
//! Which names there are, and whether a request may ask for another one than its connection, is the
//! business of whoever serves them.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::{Buf as _, Bytes};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::server::TlsStream;

use super::arrival::{Established, Handed, HandedOver, Transport};

/// What a listener with TLS needs besides a socket.
pub struct Tls {
    /// Certificate, versions, protocols.
    pub config: Arc<ServerConfig>,
    /// Connections that another listener hands over.
    pub handed: Option<Handed>,
}

/// The host name that a connection was opened for, in lower case; `None` when the peer named none, as
/// is right when it asked for an address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerName(pub Option<Arc<str>>);

#[derive(Clone)]
pub(super) struct Handshake(TlsAcceptor);

impl Handshake {
    pub(super) fn new(config: Arc<ServerConfig>) -> Self {
        Self(TlsAcceptor::from(config))
    }
}

impl Transport for Handshake {
    type Stream = TlsStream<Rewound>;

    const SPEAKS_HTTP_AT_ONCE: bool = false;

    async fn establish(
        &self,
        arrival: HandedOver,
        time: Duration,
    ) -> io::Result<Established<Self::Stream>> {
        let peer = arrival.peer();
        let (socket, early, handed_by) = arrival.into_parts();
        let handshake = self.0.accept(Rewound { early, socket });
        let stream = tokio::time::timeout(time, handshake).await??;
        let name = stream.get_ref().1.server_name();
        let name = ServerName(name.map(|name| name.to_ascii_lowercase().into()));
        Ok(Established {
            stream,
            peer,
            name: Some(name),
            handed_by,
        })
    }
}

/// A socket from which something was read already.
pub(super) struct Rewound {
    early: Bytes,
    socket: TcpStream,
}

impl AsyncRead for Rewound {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.early.is_empty() {
            return Pin::new(&mut self.socket).poll_read(cx, buffer);
        }
        let here = self.early.len().min(buffer.remaining());
        buffer.put_slice(&self.early[..here]);
        self.early.advance(here);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Rewound {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write(cx, bytes)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.socket).poll_write_vectored(cx, parts)
    }

    fn is_write_vectored(&self) -> bool {
        self.socket.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.socket).poll_shutdown(cx)
    }
}
