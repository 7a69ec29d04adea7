//! What happened on the way to an answer, told while it happens: for `--verbose`, for the explorer's
//! request view, for a demonstration.
//!
//! Events carry facts about requests and answers and never a secret, a token or a body.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use http::Method;
use jiff::Timestamp;

/// Who is told.
pub type EventSink = Arc<dyn Fn(&Event) + Send + Sync>;

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A stored token is used.
    TokenFromCache {
        /// When it dies.
        expires_at: Timestamp,
    },
    /// A token request goes out.
    TokenRequested {
        /// Where to.
        token_url: String,
        /// As whom.
        client_id: String,
        /// `body`, `basic` or `private_key_jwt`.
        authentication: &'static str,
        /// The scope asked for.
        scope: Option<String>,
    },
    /// A token came back.
    TokenReceived {
        /// The status it came with.
        status: u16,
        /// How long it lives, in seconds, when the server says so.
        expires_in: Option<u64>,
        /// When it dies.
        expires_at: Timestamp,
        /// The scope granted, when the server names it.
        scope: Option<String>,
        /// How long it took.
        elapsed: Duration,
    },
    /// The token in use was refused with 401, and another one takes its place.
    TokenReplacedAfter401 {
        /// True when another program had asked for it already, false when it was asked for now.
        by_another: bool,
    },
    /// A token in its last minutes could not be replaced; it is used as long as it lasts.
    EarlyRenewalFailed {
        /// Why.
        reason: String,
    },
    /// Another program is asking for a token; this one waits for it.
    WaitingForLock {
        /// At most this long.
        at_most: Duration,
    },
    /// It took too long, or there is no lock; a token is asked for without one and not shared.
    LockGivenUp {
        /// Why.
        reason: String,
    },
    /// A stored token cannot be read or written; the program goes on without.
    CacheUnusable {
        /// The directory.
        directory: PathBuf,
        /// Why.
        reason: String,
    },
    /// The token server asked for patience, this program or another; a token is asked for later.
    Retrying {
        /// The status that said so.
        status: u16,
        /// How long.
        delay: Duration,
    },
    /// A request to the API was not taken, or did not get there; it is sent again.
    Repeating {
        /// What happened.
        reason: String,
        /// How long after.
        delay: Duration,
    },
    /// The server granted less than was asked for.
    ScopeNarrowed {
        /// The scope asked for.
        asked: String,
        /// The scope granted.
        granted: String,
    },
    /// The token answer has no `token_type`; the token is taken for a bearer token.
    TokenTypeMissing,
    /// This machine's clock and the token server's are apart. Told once.
    ClockSkew {
        /// By how many seconds this machine's clock is ahead; negative when it is behind.
        ahead: i64,
    },
    /// Servers need not prove who they are, because the profile says so.
    ServerNotChecked,
    /// A request goes to the API.
    RequestSent {
        /// The method.
        method: Method,
        /// The whole address.
        url: String,
        /// The size of the body, in bytes.
        body_bytes: usize,
    },
    /// An answer came back.
    ResponseReceived {
        /// The status.
        status: u16,
        /// The media type.
        content_type: Option<String>,
        /// The size of the body, in bytes.
        body_bytes: usize,
        /// How long it took.
        elapsed: Duration,
    },
    /// An answer began to come; its body is passed on while it does.
    AnswerBegun {
        /// The status.
        status: u16,
        /// How long it took.
        elapsed: Duration,
    },
    /// A redirect within the same server is followed.
    RedirectFollowed {
        /// Where to.
        url: String,
    },
    /// A redirect is not followed: it leads elsewhere, or the request changes something.
    RedirectRefused {
        /// Which server it leads to.
        to: String,
    },
    /// A look at a task failed; there will be another.
    PollFailed {
        /// Why.
        reason: String,
    },
}

impl Event {
    /// Whether a person should hear of it unasked: something is worse than they would expect, and it
    /// goes on nevertheless.
    pub fn is_warning(&self) -> bool {
        matches!(
            self,
            Self::LockGivenUp { .. }
                | Self::CacheUnusable { .. }
                | Self::ScopeNarrowed { .. }
                | Self::TokenTypeMissing
                | Self::ClockSkew { .. }
                | Self::ServerNotChecked
        )
    }
}

/// Nobody is told.
pub fn ignore() -> EventSink {
    Arc::new(|_| {})
}
