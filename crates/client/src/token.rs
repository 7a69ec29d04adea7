//! Always a token, and never two at once: the cached one while it is good, the next one shortly
//! before its end, another one when the API refuses it.
//!
//! Asking for a token supersedes the client's earlier one, so two programs that each ask throw each
//! other out. That is why every way to the token endpoint goes the same steps: the one place in
//! this process → the file lock of the machine → **look again** → ask → put it where the others find
//! it → unlock.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use hallpass_oauth::random::SystemRandom;
use rand_core::Rng;

use crate::access_token::{AccessToken, Freshness};
use crate::credential_source::CredentialSource;
use crate::event::{Event, EventSink};
use crate::private_file::PrivateFileError;
use crate::profile::{Profile, ProfileError};
use crate::send::{Cache, Clock, Options};
use crate::token_cache::{CacheKey, TokenCache};
use crate::token_endpoint::TokenEndpoint;
use crate::token_failure::TokenFailure;
use crate::token_lock::{Asked, TokenLock};
use crate::transport::{self, Bounds};

/// The tokens of one profile.
pub struct Tokens {
    profile: Profile,
    credential: CredentialSource,
    key: CacheKey,
    cache: Option<TokenCache>,
    /// A token that could not be shared.
    own: Mutex<Option<AccessToken>>,
    /// Held by whoever asks for a token; what came of the last time, if it failed.
    turn: tokio::sync::Mutex<Option<Failed>>,
    /// How many token requests have come to an end.
    finished: AtomicU64,
    endpoint: OnceLock<reqwest::Client>,
    told_unusable: AtomicBool,
    clock: Clock,
    events: EventSink,
    bounds: Bounds,
    lock_wait: Duration,
}

/// A token request that failed, and which one it was.
struct Failed {
    number: u64,
    failure: TokenFailure,
}

/// A token, and whether it was there already.
struct Obtained {
    token: AccessToken,
    found: bool,
}

/// What a caller cannot use.
#[derive(Clone, Copy)]
enum Unwanted<'a> {
    /// What has expired.
    Expired,
    /// What has expired, and this one, which was refused.
    Refused(&'a AccessToken),
    /// Anything there is.
    Everything,
}

/// Whether what is asked for may be shared.
enum Place {
    /// The lock is held, so it may.
    Shared { _lock: TokenLock },
    /// There is no cache, or no lock could be had: another program may be asking as well.
    Alone,
}

impl Tokens {
    /// The tokens of a profile, for programs with an HTTP stack of their own. Opens no secret yet.
    pub fn new(profile: Profile, credential: CredentialSource, options: &Options) -> Self {
        let cache = match &options.cache {
            Cache::Directory(path) => Some(TokenCache::new(path.clone())),
            Cache::None => None,
        };
        Self {
            key: CacheKey::of(&profile),
            profile,
            credential,
            cache,
            own: Mutex::new(None),
            turn: tokio::sync::Mutex::new(None),
            finished: AtomicU64::new(0),
            endpoint: OnceLock::new(),
            told_unusable: AtomicBool::new(false),
            clock: options.clock.clone(),
            events: options.events.clone(),
            bounds: options.limits.bounds(),
            lock_wait: options.limits.lock_wait,
        }
    }

    /// A token to use now. A cached one costs one small file read and no secret.
    pub async fn token(&self) -> Result<AccessToken, TokenFailure> {
        let rng = &mut SystemRandom;
        let now = (self.clock)();
        match self
            .current()
            .map(|token| (token.freshness(now, rng), token))
        {
            Some((Freshness::Good, token)) => Ok(self.cached(token)),
            Some((Freshness::Early, token)) => Ok(self.renew_early(token, rng).await),
            Some((Freshness::Dead, _)) | None => {
                Ok(self.obtain(Unwanted::Expired, rng).await?.token)
            }
        }
    }

    /// A token in place of `bad`, which the API refused with 401: the one that another program got
    /// meanwhile, or a new one.
    pub async fn renew_after_401(&self, bad: &AccessToken) -> Result<AccessToken, TokenFailure> {
        let obtained = self
            .obtain(Unwanted::Refused(bad), &mut SystemRandom)
            .await?;
        self.tell(&Event::TokenReplacedAfter401 {
            by_another: obtained.found,
        });
        Ok(obtained.token)
    }

    /// A new token, whatever there is. It supersedes the one there is.
    pub async fn renew(&self) -> Result<AccessToken, TokenFailure> {
        Ok(self
            .obtain(Unwanted::Everything, &mut SystemRandom)
            .await?
            .token)
    }

    /// Forgets the cached token; says whether there was one.
    pub fn forget(&self) -> Result<bool, PrivateFileError> {
        let own = self
            .own
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .is_some();
        let shared = self
            .cache
            .as_ref()
            .map_or(Ok(false), |cache| cache.remove(&self.key))?;
        Ok(own || shared)
    }

    /// The slow path. Callers of one process take turns here; those who waited while a request
    /// failed are told of its failure and do not each repeat it.
    async fn obtain(
        &self,
        unwanted: Unwanted<'_>,
        rng: &mut (dyn Rng + Send),
    ) -> Result<Obtained, TokenFailure> {
        let before = self.finished.load(Ordering::Acquire);
        let mut turn = self.turn.lock().await;
        if let Some(failed) = turn.as_ref().filter(|failed| failed.number > before) {
            return Err(failed.failure.clone());
        }
        let place = self.wait_for_lock().await;
        if let Some(token) = self.current()
            && self.wanted(&token, unwanted, rng)
        {
            return Ok(Obtained {
                token: self.cached(token),
                found: true,
            });
        }
        let result = self.ask(&place, TRIES, rng).await;
        let number = self.finished.fetch_add(1, Ordering::AcqRel) + 1;
        *turn = result.as_ref().err().map(|failure| Failed {
            number,
            failure: failure.clone(),
        });
        result.map(|token| Obtained {
            token,
            found: false,
        })
    }

    /// Renewal while the old token is still good. Nobody waits for it: whoever gets both turns at
    /// once asks for the next token, everybody else goes on with the old one.
    async fn renew_early(&self, old: AccessToken, rng: &mut (dyn Rng + Send)) -> AccessToken {
        let Ok(_turn) = self.turn.try_lock() else {
            return self.cached(old);
        };
        let Some(place) = self.try_lock() else {
            return self.cached(old);
        };
        if let Some(token) = self.current().filter(|token| !token.is(&old)) {
            return self.cached(token);
        }
        let asked = tokio::time::timeout(EARLY_PATIENCE, self.ask(&place, 1, rng)).await;
        let reason = match asked {
            Ok(Ok(token)) => return token,
            Ok(Err(failure)) => failure.to_string(),
            Err(_) => "the token endpoint takes its time".to_owned(),
        };
        self.tell(&Event::EarlyRenewalFailed { reason });
        old
    }

    /// Asks for a token and puts it where it is found again.
    async fn ask(
        &self,
        place: &Place,
        tries: u32,
        rng: &mut (dyn Rng + Send),
    ) -> Result<AccessToken, TokenFailure> {
        let secret = self.credential.open().await?;
        let endpoint = TokenEndpoint {
            profile: &self.profile,
            client: self.endpoint()?,
            clock: &self.clock,
            events: &self.events,
        };
        let token = endpoint.request(&secret, tries, rng).await?;
        let stored = match (place, &self.cache) {
            (Place::Shared { .. }, Some(cache)) => match cache.write(&self.key, &token, &secret) {
                Ok(()) => true,
                Err(error) => {
                    self.cache_unusable(cache.path(), &error);
                    false
                }
            },
            _ => false,
        };
        *self.own.lock().unwrap_or_else(PoisonError::into_inner) = (!stored).then(|| token.clone());
        Ok(token)
    }

    /// The newest token there is, shared or not: each one superseded those before it.
    fn current(&self) -> Option<AccessToken> {
        let own = self
            .own
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let cache = self.cache.as_ref();
        let shared = cache.and_then(
            |cache| match cache.read(&self.key, self.credential.known()) {
                Ok(token) => token,
                Err(error) => {
                    self.cache_unusable(cache.path(), &error);
                    None
                }
            },
        );
        own.into_iter()
            .chain(shared)
            .max_by_key(AccessToken::obtained_at)
    }

    fn wanted(
        &self,
        token: &AccessToken,
        unwanted: Unwanted<'_>,
        rng: &mut (dyn Rng + Send),
    ) -> bool {
        let alive = token.freshness((self.clock)(), rng) != Freshness::Dead;
        match unwanted {
            Unwanted::Expired => alive,
            Unwanted::Refused(bad) => alive && !token.is(bad),
            Unwanted::Everything => false,
        }
    }

    async fn wait_for_lock(&self) -> Place {
        let Some(path) = self.lock_path() else {
            return Place::Alone;
        };
        let asked = match TokenLock::try_take(&path) {
            Asked::Taken => {
                self.tell(&Event::WaitingForLock {
                    at_most: self.lock_wait,
                });
                TokenLock::wait(path, self.lock_wait).await
            }
            other => other,
        };
        let reason = match asked {
            Asked::Held(lock) => return Place::Shared { _lock: lock },
            Asked::Taken => format!("still taken after {} s", self.lock_wait.as_secs_f32()),
            Asked::Unusable(reason) => reason,
        };
        self.tell(&Event::LockGivenUp { reason });
        Place::Alone
    }

    /// `None` when somebody else holds the lock.
    fn try_lock(&self) -> Option<Place> {
        let Some(path) = self.lock_path() else {
            return Some(Place::Alone);
        };
        match TokenLock::try_take(&path) {
            Asked::Held(lock) => Some(Place::Shared { _lock: lock }),
            Asked::Taken => None,
            Asked::Unusable(reason) => {
                self.tell(&Event::LockGivenUp { reason });
                Some(Place::Alone)
            }
        }
    }

    /// `None` when there is no cache, or none that can be used.
    fn lock_path(&self) -> Option<PathBuf> {
        let cache = self.cache.as_ref()?;
        match cache.lock_path(&self.key) {
            Ok(path) => Some(path),
            Err(error) => {
                self.cache_unusable(cache.path(), &error);
                None
            }
        }
    }

    /// The client for the token endpoint, made when it is first needed: a cached token needs none,
    /// and loading certificate authorities takes longer than a local call.
    fn endpoint(&self) -> Result<&reqwest::Client, TokenFailure> {
        if let Some(client) = self.endpoint.get() {
            return Ok(client);
        }
        let client = transport::client(
            self.profile.token_url().url(),
            self.profile.ca_file(),
            self.bounds,
        )
        .map_err(|error: ProfileError| TokenFailure::Setup {
            reason: error.to_string(),
        })?;
        Ok(self.endpoint.get_or_init(|| client))
    }

    fn cached(&self, token: AccessToken) -> AccessToken {
        self.tell(&Event::TokenFromCache {
            expires_at: token.expires_at(),
        });
        token
    }

    /// Told once: it stays unusable until somebody does something about it.
    fn cache_unusable(&self, directory: &Path, error: &PrivateFileError) {
        if self.told_unusable.swap(true, Ordering::Relaxed) {
            return;
        }
        let reason = error.to_string();
        self.tell(&Event::CacheUnusable {
            directory: directory.to_owned(),
            reason,
        });
    }

    fn tell(&self, event: &Event) {
        (self.events)(event);
    }
}

/// How often a busy token endpoint is asked.
const TRIES: u32 = 3;

/// How long a caller with a good token waits for the next one.
const EARLY_PATIENCE: Duration = Duration::from_secs(5);
