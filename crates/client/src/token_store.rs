//! The tokens at hand: those that all programs of the machine share, and the one that could not be
//! shared. Also what this process has seen of a token's age, for when somebody sets the clock.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hallpass_oauth::Secret;
use jiff::Timestamp;
use rand_core::Rng;
use tokio::time::Instant;

use crate::access_token::{AccessToken, Freshness};
use crate::event::{Event, EventSink};
use crate::private_file::PrivateFileError;
use crate::token_cache::{CacheKey, TokenCache};
use crate::token_pause::{Pause, Whom};
use crate::token_refused::Refused;

/// Where tokens are found and put.
pub(crate) struct TokenStore {
    key: CacheKey,
    cache: Option<TokenCache>,
    memory: Mutex<Memory>,
    told_unusable: AtomicBool,
    events: EventSink,
}

/// What this process remembers by itself.
#[derive(Default)]
struct Memory {
    /// A token that could not be shared.
    own: Option<AccessToken>,
    /// The newest token seen, and the moment at which it ends by a clock that nobody sets.
    seen: Option<(AccessToken, Instant)>,
    /// A pause, when there is no directory for it.
    pause: Option<Pause>,
    /// A token that was refused as soon as it was got.
    refused: Option<Refused>,
}

/// A token, and how long it lasts at most by a clock that nobody sets.
pub(crate) struct Found {
    pub(crate) token: AccessToken,
    steady: Duration,
}

impl Found {
    pub(crate) fn freshness(&self, now: Timestamp, rng: &mut (dyn Rng + Send)) -> Freshness {
        self.token.freshness_within(self.steady, now, rng)
    }
}

impl TokenStore {
    pub(crate) fn new(key: CacheKey, cache: Option<TokenCache>, events: EventSink) -> Self {
        Self {
            key,
            cache,
            memory: Mutex::default(),
            told_unusable: AtomicBool::new(false),
            events,
        }
    }

    /// The newest token there is, shared or not: each one superseded those before it. `known` is the
    /// secret, when it is at hand.
    pub(crate) fn newest(&self, known: Option<&Secret>, now: Timestamp) -> Option<Found> {
        let own = self.memory().own.clone();
        let shared = self.cache.as_ref().and_then(|cache| {
            cache.read(&self.key, known).unwrap_or_else(|error| {
                self.unusable(cache.path(), &error);
                None
            })
        });
        let newest = own
            .into_iter()
            .chain(shared)
            .max_by_key(AccessToken::obtained_at)?;
        Some(self.see(newest, now))
    }

    /// Puts a token where it is found again: by all when it is `shared`, else by this process. One
    /// that is dead already is used once and not kept for others.
    pub(crate) fn keep(&self, token: &AccessToken, mark: &str, shared: bool, now: Timestamp) {
        self.see(token.clone(), now);
        let shared = shared && token.expires_at() > now && self.share(token, mark);
        self.memory().own = (!shared).then(|| token.clone());
    }

    /// Takes over a token that was kept elsewhere, unless there is a newer one.
    pub(crate) fn adopt(&self, token: &AccessToken, now: Timestamp) {
        let newest = self.newest(None, now);
        if newest.is_none_or(|found| found.token.obtained_at() < token.obtained_at()) {
            self.memory().own = Some(token.clone());
        }
    }

    /// Forgets the token; says whether there was one.
    pub(crate) fn forget(&self) -> Result<bool, PrivateFileError> {
        let own = self.memory().own.take().is_some();
        let cache = self.cache.as_ref();
        let shared = cache.map_or(Ok(false), |cache| cache.remove(&self.key))?;
        Ok(own || shared)
    }

    /// The pause that a server asked for and that is not over; the longest, if there are several.
    pub(crate) fn pause(&self, now: Timestamp) -> Option<Pause> {
        self.pauses(now)
            .filter(|pause| pause.status() > 0)
            .max_by_key(Pause::until)
    }

    /// Whether nobody should renew a token that is still good.
    pub(crate) fn pauses_renewal(&self, now: Timestamp) -> bool {
        self.pauses(now).next().is_some()
    }

    /// Whether a request that ended after `began` had no answer.
    pub(crate) fn was_unanswered_after(&self, began: Timestamp, now: Timestamp) -> bool {
        self.pauses(now)
            .any(|pause| pause.is_for_those_waiting_since(began))
    }

    /// Whether tokens may be shared at all.
    pub(crate) fn has_cache(&self) -> bool {
        self.cache.is_some()
    }

    /// Remembers that a token was refused as soon as it was got, for all programs of the machine.
    pub(crate) fn refused_anew(&self, token: &AccessToken, now: Timestamp) {
        let refused = Refused::new(token, now);
        if let Some(cache) = &self.cache {
            cache.note_refused(&self.key, &refused);
        }
        self.memory().refused = Some(refused);
    }

    /// Whether that was not long ago.
    pub(crate) fn was_refused_anew(&self, token: &AccessToken, now: Timestamp) -> bool {
        let own = self.memory().refused.clone();
        let shared = || self.cache.as_ref()?.refused(&self.key);
        own.is_some_and(|refused| refused.holds(token, now))
            || shared().is_some_and(|refused| refused.holds(token, now))
    }

    pub(crate) fn begin_pause(&self, pause: &Pause) {
        match &self.cache {
            Some(cache) => cache.begin_pause(&self.key, pause),
            None => self.memory().pause = Some(*pause),
        }
    }

    pub(crate) fn end_pauses(&self) {
        match &self.cache {
            Some(cache) => cache.end_pauses(&self.key),
            None => self.memory().pause = None,
        }
    }

    /// The file to lock while a token is asked for; `None` when there is no cache, or none that can
    /// be used.
    pub(crate) fn lock_path(&self) -> Option<PathBuf> {
        let cache = self.cache.as_ref()?;
        cache.lock_path(&self.key).map_or_else(
            |error| {
                self.unusable(cache.path(), &error);
                None
            },
            Some,
        )
    }

    fn pauses(&self, now: Timestamp) -> impl Iterator<Item = Pause> {
        let kept = self.cache.as_ref().into_iter().flat_map(|cache| {
            [Whom::Client, Whom::Endpoint].map(|whom| cache.pause(&self.key, whom))
        });
        let all = kept.chain([self.memory().pause]);
        all.flatten().filter(move |pause| pause.left(now).is_some())
    }

    fn share(&self, token: &AccessToken, mark: &str) -> bool {
        let Some(cache) = &self.cache else {
            return false;
        };
        let written = cache.write(&self.key, token, mark);
        if let Err(error) = &written {
            self.unusable(cache.path(), error);
        }
        written.is_ok()
    }

    /// Remembers when a token ends the first time it is seen: from then on a clock that is set back
    /// lengthens its life no more.
    fn see(&self, token: AccessToken, now: Timestamp) -> Found {
        let mut memory = self.memory();
        let known = memory.seen.as_ref().filter(|(seen, _)| seen.is(&token));
        let end = known.map(|(_, end)| *end).or_else(|| {
            let left = Duration::try_from(token.expires_at().duration_since(now));
            Instant::now().checked_add(left.unwrap_or_default())
        });
        if let Some(end) = end {
            memory.seen = Some((token.clone(), end));
        }
        let steady = end.map_or(Duration::MAX, |end| {
            end.saturating_duration_since(Instant::now())
        });
        Found { token, steady }
    }

    /// Told once: it stays unusable until somebody does something about it.
    fn unusable(&self, directory: &Path, error: &PrivateFileError) {
        if self.told_unusable.swap(true, Ordering::Relaxed) {
            return;
        }
        (self.events)(&Event::CacheUnusable {
            directory: directory.to_owned(),
            reason: error.to_string(),
        });
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
