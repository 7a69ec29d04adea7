//! The stream between a connection and hyper: shows what passes to
//! [`Activity`], gives hyper's own answers
//! a body and an id, and ends a connection without taking its last answer back.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use hallpass_oauth::random::SystemRandom;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::activity::Activity;
use super::bare;
use super::exchange::log_refused;
use super::trace_context::TraceContext;
use super::traffic::Site;

pub(super) struct Stream<T> {
    socket: T,
    activity: Arc<Activity>,
    site: Site,
    peer: SocketAddr,
    /// What is left to be said in place of an answer of hyper's own.
    replacement: Option<Vec<u8>>,
    write_ended: bool,
}

impl<T: AsyncRead + AsyncWrite + Unpin> Stream<T> {
    pub(super) fn new(socket: T, activity: Arc<Activity>, site: Site, peer: SocketAddr) -> Self {
        Self {
            socket,
            activity,
            site,
            peer,
            replacement: None,
            write_ended: false,
        }
    }

    /// The connection itself, for whoever goes on with it when it is no HTTP any more.
    pub(super) fn into_inner(self) -> T {
        self.socket
    }

    fn in_message(&self) -> bool {
        self.activity.heads().in_message()
    }

    fn written(&self, outcome: Poll<io::Result<usize>>) -> Poll<io::Result<usize>> {
        if let Poll::Ready(Ok(bytes)) = &outcome {
            self.activity.wrote(*bytes);
        }
        outcome
    }

    /// Whether something else is said in place of these bytes.
    fn replaces(&mut self, bytes: &[u8]) -> bool {
        if self.replacement.is_none() && bytes.starts_with(b"HTTP/1.") {
            let trace = TraceContext::new(&mut SystemRandom);
            if let Some((status, answer)) = bare::in_place_of(bytes, &trace) {
                log_refused(&self.site, self.peer, &trace, status.as_u16());
                self.replacement = Some(answer);
            }
        }
        self.replacement.is_some()
    }

    /// Says it to the end; for hyper its own bytes are then written.
    fn poll_replacement(
        &mut self,
        cx: &mut Context<'_>,
        replaced: usize,
    ) -> Poll<io::Result<usize>> {
        while let Some(left) = self.replacement.as_mut().filter(|left| !left.is_empty()) {
            let written = ready!(Pin::new(&mut self.socket).poll_write(cx, left))?;
            left.drain(..written);
        }
        self.replacement = None;
        Poll::Ready(Ok(replaced))
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncRead for Stream<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        let outcome = Pin::new(&mut self.socket).poll_read(cx, buffer);
        self.activity.heads().seen(&buffer.filled()[before..]);
        outcome
    }
}

impl<T: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Stream<T> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.replaces(bytes) {
            return self.poll_replacement(cx, bytes.len());
        }
        let outcome = Pin::new(&mut self.socket).poll_write(cx, bytes);
        self.written(outcome)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        parts: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if let [only] = parts
            && self.replaces(only)
        {
            return self.poll_replacement(cx, only.len());
        }
        let outcome = Pin::new(&mut self.socket).poll_write_vectored(cx, parts);
        self.written(outcome)
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
