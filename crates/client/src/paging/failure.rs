//! Why a list could not be read to its end, and why one that was may not be the whole one.

use std::fmt;

use http::Method;

use crate::error::Kind;

/// Why a list could not be read to its end.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PagingError {
    /// The answer has no `items`.
    #[error("the call was made, but the answer is no list: it has no `items`")]
    NoList,
    /// Only what reads can be repeated.
    #[error("{0} is not a list to read; only GET is")]
    Method(Method),
    /// The server gives the same page for another offset.
    #[error("the server repeats the page at offset {offset}: {received} of {total} items came")]
    Repeats {
        /// The offset asked for.
        offset: u64,
        /// How many items came before.
        received: u64,
        /// How many there should be.
        total: u64,
    },
    /// The server's `next` leads back to a page that was there already.
    #[error("the server's `next` leads to a page that came already; {received} items came")]
    Circle {
        /// How many items came before.
        received: u64,
    },
    /// The server's `next` leads to another server.
    #[error("the server's `next` leads to another server, where no token is sent")]
    Elsewhere,
    /// There is no end.
    #[error("the list does not end: {pages} pages came, with {received} items")]
    Endless {
        /// How many pages came.
        pages: u32,
        /// How many items came.
        received: u64,
    },
    /// An item is not what the caller takes it for.
    #[error("an item of the list is not what was expected: {0}")]
    Item(String),
}

impl PagingError {
    /// Whose fault it is.
    pub fn kind(&self) -> Kind {
        match self {
            Self::Method(_) => Kind::Usage,
            _ => Kind::Api,
        }
    }

    /// What to do about it.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NoList | Self::Method(_) => Some("send it without asking for all".to_owned()),
            Self::Repeats { total, .. } => {
                Some(format!("the server does not page; ask for limit={total}"))
            }
            Self::Circle { .. } | Self::Elsewhere | Self::Endless { .. } => {
                Some("read it page by page, or narrow it with a filter".to_owned())
            }
            Self::Item(_) => None,
        }
    }
}

/// Why a list that was read to its end may not be the whole one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Doubt {
    /// It changed while it was read.
    Changed {
        /// The total of the first page.
        first: u64,
        /// The total of a later one.
        later: u64,
    },
    /// It ended before its total.
    Short {
        /// How many items came.
        received: u64,
        /// How many there should be.
        total: u64,
    },
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { first, later } => write!(
                f,
                "the list changed while it was read (of {first} items, then of {later}): some may \
                 be missing or have come twice"
            ),
            Self::Short { received, total } => write!(
                f,
                "the list ended after {received} items, and the server says that there are {total}"
            ),
        }
    }
}
