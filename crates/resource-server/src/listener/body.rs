//! A request body with a limit on how long it may take. Without one, a peer that sends the head of a
//! request and then nothing holds its connection for ever.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use hyper::body::Incoming;
use tokio::time::Sleep;

/// A body on its way.
pub struct Body {
    inner: Incoming,
    time: Duration,
    /// Set when the body is first waited for; most have come with their head.
    deadline: Option<Pin<Box<Sleep>>>,
}

/// Why a body did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It took too long. The source says so in the words of the standard library, for servers that do
    /// not know this type.
    #[error("the body came too slowly")]
    TooSlow(#[source] std::io::Error),
    /// The connection or its framing broke.
    #[error("the body broke off")]
    Broken(#[source] hyper::Error),
}

impl Body {
    pub(super) fn new(inner: Incoming, time: Duration) -> Self {
        Self {
            inner,
            time,
            deadline: None,
        }
    }
}

impl http_body::Body for Body {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            return Poll::Ready(frame.map(|frame| frame.map_err(BodyError::Broken)));
        }
        let time = self.time;
        let deadline = self
            .deadline
            .get_or_insert_with(|| Box::pin(tokio::time::sleep(time)));
        ready!(deadline.as_mut().poll(cx));
        let late = std::io::ErrorKind::TimedOut.into();
        Poll::Ready(Some(Err(BodyError::TooSlow(late))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}
