//! What the server can be told.

use std::num::NonZeroUsize;

use hallpass_limits::Rate;
use hallpass_oauth::Issuer;
use hallpass_oauth::client_assertion::LONGEST_LIFETIME;
use hallpass_oauth::client_authentication::TwoCredentials;
use hallpass_oauth::mint::Issuing;
use hallpass_oauth::token_error::Wording;
use jiff::SignedDuration;

use crate::limits::FailureSettings;

/// Everything the server can be told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Issuer, audience and claim profile of the tokens.
    pub issuing: Issuing,
    /// The issuers whose tokens may be alive: the present one, and those before.
    pub issuers: Vec<Issuer>,
    /// The URL by which clients reach the server, without a slash at its end.
    pub base_url: String,
    /// How error bodies are written.
    pub wording: Wording,
    /// What is done with a credential that stands in two places.
    pub two_credentials: TwoCredentials,
    /// Whether the `aud` of a client assertion may be the URL of the token endpoint or of the
    /// endpoint that is asked. Off, since a server that a client was misled to could use such an
    /// assertion here (draft-ietf-oauth-rfc7523bis).
    pub assertions_for_endpoint: bool,
    /// Where the keys are published; the first path is the one that the metadata names.
    pub jwks_paths: Vec<String>,
    /// How long verifiers may keep the published keys.
    pub jwks_max_age: SignedDuration,
    /// The bounds of what it takes on.
    pub limits: Limits,
}

/// The bounds of what the server takes on; a rate of 0 is no bound.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Failed authentications per client id and minute.
    pub failures_per_client: u32,
    /// Failed authentications per address and minute.
    pub failures_per_address: u32,
    /// Tokens issued per credential and minute; twice as many at once.
    pub tokens_per_credential: u32,
    /// Introspections and revocations per credential and minute; twice as many at once.
    pub questions_per_credential: u32,
    /// Longest time that the end of a client assertion may lie ahead.
    pub assertion_lifetime: SignedDuration,
    /// Requests of authenticated clients under way at once.
    pub under_way: usize,
    /// Threads that sign.
    pub signing_threads: NonZeroUsize,
    /// Signatures that may wait for one of them.
    pub signing_queue: NonZeroUsize,
}

impl Default for Limits {
    fn default() -> Self {
        let threads = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
        Self {
            failures_per_client: 30,
            failures_per_address: 300,
            tokens_per_credential: 120,
            questions_per_credential: 6_000,
            assertion_lifetime: LONGEST_LIFETIME,
            under_way: 1_024,
            signing_threads: threads,
            signing_queue: NonZeroUsize::new(512).unwrap_or(NonZeroUsize::MIN),
        }
    }
}

impl Limits {
    pub(crate) fn failures(&self) -> FailureSettings {
        FailureSettings {
            per_client: Rate::new(self.failures_per_client, self.failures_per_client),
            per_address: Rate::new(self.failures_per_address, self.failures_per_address),
        }
    }

    pub(crate) fn mints(&self) -> Option<Rate> {
        twice_at_once(self.tokens_per_credential)
    }

    pub(crate) fn questions(&self) -> Option<Rate> {
        twice_at_once(self.questions_per_credential)
    }
}

fn twice_at_once(per_minute: u32) -> Option<Rate> {
    Rate::new(per_minute, per_minute.saturating_mul(2))
}
