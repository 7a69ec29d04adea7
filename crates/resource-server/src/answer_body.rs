//! The body of an answer. Mostly bytes; one that a fault was asked for breaks off half way, and the
//! connection with it.

use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http_body::{Frame, SizeHint};

/// What an answer says.
#[derive(Debug, Default)]
pub struct AnswerBody {
    left: Bytes,
    end: End,
    /// Given back when the connection has taken the answer over, or its reader is gone.
    _place: Option<tokio::sync::OwnedSemaphorePermit>,
}

/// How a body ends.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum End {
    #[default]
    Whole,
    /// After half of it.
    HalfWay,
    /// Half of it is sent; time for it to leave, then the end.
    Broken { left_behind: u64, flushed: bool },
}

/// A body that was to break off.
#[derive(Debug, thiserror::Error)]
#[error("the answer was cut short, as a fault wanted it")]
pub struct CutShort;

impl AnswerBody {
    /// The same, broken off half way; the head has told its whole length. Without a byte there is
    /// nothing to break, and the caller has to do without an answer.
    pub(crate) fn cut_short(mut self) -> Option<Self> {
        self.end = End::HalfWay;
        (!self.left.is_empty()).then_some(self)
    }

    /// The same, holding a place until the connection takes it over.
    pub(crate) fn holding(self, place: tokio::sync::OwnedSemaphorePermit) -> Self {
        Self {
            _place: Some(place),
            ..self
        }
    }

    /// The bytes that are still to be sent.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.left
    }
}

impl From<Bytes> for AnswerBody {
    fn from(bytes: Bytes) -> Self {
        Self {
            left: bytes,
            end: End::Whole,
            _place: None,
        }
    }
}

impl http_body::Body for AnswerBody {
    type Data = Bytes;
    type Error = CutShort;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, CutShort>>> {
        match self.end {
            End::Whole => {
                let left = std::mem::take(&mut self.left);
                Poll::Ready((!left.is_empty()).then(|| Ok(Frame::data(left))))
            }
            End::HalfWay => {
                let mut left = std::mem::take(&mut self.left);
                let half = left.split_to(left.len() / 2);
                self.end = End::Broken {
                    left_behind: u64::try_from(left.len()).unwrap_or(u64::MAX),
                    flushed: false,
                };
                Poll::Ready(Some(Ok(Frame::data(half))))
            }
            End::Broken {
                left_behind,
                flushed: false,
            } => {
                // A body that has to be waited for makes the connection send what it has.
                self.end = End::Broken {
                    left_behind,
                    flushed: true,
                };
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            End::Broken { flushed: true, .. } => Poll::Ready(Some(Err(CutShort))),
        }
    }

    fn is_end_stream(&self) -> bool {
        self.end == End::Whole && self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(match self.end {
            End::Broken { left_behind, .. } => left_behind,
            End::Whole | End::HalfWay => u64::try_from(self.left.len()).unwrap_or(u64::MAX),
        })
    }
}
