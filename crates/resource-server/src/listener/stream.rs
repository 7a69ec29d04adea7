//! The stream between a socket and hyper: shows what comes in to [`Heads`], and ends a connection
//! without taking its last answer back.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

use super::heads::Heads;

pub(super) struct Stream {
    socket: TcpStream,
    heads: Arc<Mutex<Heads>>,
    write_ended: bool,
}

impl Stream {
    pub(super) fn new(socket: TcpStream, heads: Arc<Mutex<Heads>>) -> Self {
        Self {
            socket,
            heads,
            write_ended: false,
        }
    }

    fn in_message(&self) -> bool {
        let heads = self.heads.lock();
        heads.unwrap_or_else(PoisonError::into_inner).in_message()
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.socket).poll_read(cx, buffer);
        let heads = self.heads.lock();
        heads
            .unwrap_or_else(PoisonError::into_inner)
            .seen(&buffer.filled()[before..]);
        outcome
    }
}

impl AsyncWrite for Stream {
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

    /// Ends the writing side, and lets the rest of a request that was answered early run out.
    /// Closing a socket with unread bytes makes the system send a reset, which can reach the peer
    /// before it has read the answer: it would never learn that its body is too long.
    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if !self.write_ended {
            ready!(Pin::new(&mut self.socket).poll_shutdown(cx))?;
            self.write_ended = true;
        }
        while self.in_message() {
            let mut bytes = [0; 4096];
            let mut buffer = ReadBuf::new(&mut bytes);
            let outcome = ready!(self.as_mut().poll_read(cx, &mut buffer));
            if outcome.is_err() || buffer.filled().is_empty() {
                break;
            }
        }
        Poll::Ready(Ok(()))
    }
}
