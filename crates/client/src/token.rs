//! Always a token, and never two at once: the cached one while it is good, the next one shortly
//! before its end, another one when the API refuses it.
//!
//! Asking for a token supersedes the client's earlier one, so two programs that each ask throw each
//! other out. That is why every way to the token endpoint goes the same steps: the one place in
//! this process → the file lock of the machine → **look again** → ask → put it where the others find
//! it → unlock.
//!
//! What is at hand is `token_store`'s business, the request that of `token_endpoint`.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;
use rand_core::Rng;
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;

use crate::access_token::{AccessToken, Freshness};
use crate::credential_source::CredentialSource;
use crate::event::{Event, EventSink};
use crate::private_file::PrivateFileError;
use crate::profile::Profile;
use crate::send::{Cache, Clock, Options, Renewal};
use crate::token_cache::{CacheKey, TokenCache};
use crate::token_credential::Credential;
use crate::token_endpoint::TokenEndpoint;
use crate::token_failure::TokenFailure;
use crate::token_lock::{Asked, TokenLock};
use crate::token_pause::Pause;
use crate::token_store::{Found, TokenStore};
use crate::transport::Transport;

/// The tokens of one profile. Cheap to clone; clones are the same.
#[derive(Clone)]
pub struct Tokens(Arc<Engine>);

/// A token in place of one that was refused.
#[derive(Debug, Clone)]
pub struct Replacement {
    /// The token.
    pub token: AccessToken,
    /// Whether another program or task had asked for it already. If not, it was asked for just now,
    /// and nobody but the API can be at fault when it is refused as well.
    pub by_another: bool,
}

struct Engine {
    profile: Profile,
    credential: CredentialSource,
    store: TokenStore,
    transport: Arc<Transport>,
    /// Held by whoever asks for a token; what came of the last time, if it failed.
    turn: Arc<Turn>,
    /// How many token requests have come to an end.
    finished: AtomicU64,
    told_skew: AtomicBool,
    renewal: Renewal,
    clock: Clock,
    events: EventSink,
    lock_wait: Duration,
}

type Turn = tokio::sync::Mutex<Option<Failed>>;

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
#[derive(Clone)]
enum Unwanted {
    /// What has expired.
    Expired,
    /// What expires soon.
    Aging,
    /// What has expired, and this one, which was refused.
    Refused(AccessToken),
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
        let transport = Arc::new(Transport::of(&profile, options));
        Self::over(profile, credential, transport, options)
    }

    /// The same over the ways out of a client.
    pub(crate) fn over(
        profile: Profile,
        credential: CredentialSource,
        transport: Arc<Transport>,
        options: &Options,
    ) -> Self {
        let cache = match &options.cache {
            Cache::Directory(path) => Some(TokenCache::new(path.clone())),
            Cache::None => None,
        };
        let events = options.events.clone();
        Self(Arc::new(Engine {
            store: TokenStore::new(CacheKey::of(&profile), cache, events.clone()),
            profile,
            credential,
            transport,
            turn: Arc::default(),
            finished: AtomicU64::new(0),
            told_skew: AtomicBool::new(false),
            renewal: options.renewal,
            clock: options.clock.clone(),
            events,
            lock_wait: options.limits.lock_wait,
        }))
    }

    /// A token for a request that can be repeated with another one: it may be superseded at any time,
    /// by this program too. A cached one costs one small file read and no secret.
    ///
    /// In its last tenth somebody asks for the next one; nobody waits for that longer than
    /// [`Renewal`] says.
    pub async fn token(&self) -> Result<AccessToken, TokenFailure> {
        let engine = &self.0;
        let Some((found, freshness)) = engine.newest(&mut SystemRandom) else {
            return Ok(engine.obtain(Unwanted::Expired).await?.token);
        };
        match freshness {
            Freshness::Good => Ok(engine.cached(found.token)),
            Freshness::Early => Ok(engine.renew_early(found.token).await),
            Freshness::Dead => Ok(engine.obtain(Unwanted::Expired).await?.token),
        }
    }

    /// A token for a program that cannot get another one by itself: not one that is about to be
    /// renewed, unless the next one is hard to get.
    pub async fn token_to_hand_out(&self) -> Result<AccessToken, TokenFailure> {
        let engine = &self.0;
        let old = match engine.newest(&mut SystemRandom) {
            Some((found, Freshness::Good)) => return Ok(engine.cached(found.token)),
            Some((found, Freshness::Early)) => found.token,
            Some((_, Freshness::Dead)) | None => {
                return Ok(engine.obtain(Unwanted::Expired).await?.token);
            }
        };
        if engine.store.pauses_renewal((engine.clock)()) {
            return Ok(engine.cached(old));
        }
        let asking = engine.clone();
        let next = tokio::spawn(async move { asking.obtain(Unwanted::Aging).await });
        let next = engine.with_patience(next, |obtained| obtained.map(|obtained| obtained.token));
        Ok(next.await.unwrap_or(old))
    }

    /// A token in place of `bad`, which the API refused with 401: the one that another program got
    /// meanwhile, or a new one.
    pub async fn renew_after_401(&self, bad: &AccessToken) -> Result<Replacement, TokenFailure> {
        let obtained = self.0.obtain(Unwanted::Refused(bad.clone())).await?;
        self.0.tell(&Event::TokenReplacedAfter401 {
            by_another: obtained.found,
        });
        Ok(Replacement {
            token: obtained.token,
            by_another: obtained.found,
        })
    }

    /// A new token, whatever there is. It supersedes the one there is.
    pub async fn renew(&self) -> Result<AccessToken, TokenFailure> {
        Ok(self.0.obtain(Unwanted::Everything).await?.token)
    }

    /// Forgets the cached token; says whether there was one.
    pub fn forget(&self) -> Result<bool, PrivateFileError> {
        self.0.store.forget()
    }
}

impl Engine {
    /// The slow path. Callers of one process take turns here; those who waited while a request
    /// failed are told of its failure and do not each repeat it.
    async fn obtain(&self, unwanted: Unwanted) -> Result<Obtained, TokenFailure> {
        let before = self.finished.load(Ordering::Acquire);
        let mut turn = self.turn.lock().await;
        if let Some(failed) = turn.as_ref().filter(|failed| failed.number > before) {
            return Err(failed.failure.clone());
        }
        let place = self.wait_for_lock().await;
        if let Some((found, freshness)) = self.newest(&mut SystemRandom)
            && unwanted.leaves(&found.token, freshness)
        {
            return Ok(Obtained {
                token: self.cached(found.token),
                found: true,
            });
        }
        let result = self.ask(&place, TRIES).await;
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

    /// Renewal while the old token is still good, by a task of its own: it goes on when the caller
    /// loses patience or goes away, since a token that was issued and thrown away would leave everybody
    /// without one. Whoever gets both turns at once asks, everybody else goes on with the old token.
    async fn renew_early(self: &Arc<Self>, old: AccessToken) -> AccessToken {
        if self.store.pauses_renewal((self.clock)()) {
            return self.cached(old);
        }
        let Ok(turn) = self.turn.clone().try_lock_owned() else {
            return self.cached(old);
        };
        let Some(place) = self.try_lock() else {
            return self.cached(old);
        };
        let (asking, superseded) = (self.clone(), old.clone());
        let next = tokio::spawn(async move { asking.next(turn, place, superseded).await });
        match self.renewal {
            Renewal::Beside => self.cached(old),
            Renewal::Before => {
                let next = self.with_patience(next, |next| next);
                next.await.unwrap_or_else(|| self.cached(old))
            }
        }
    }

    /// The token after `old`.
    async fn next(
        &self,
        _turn: OwnedMutexGuard<Option<Failed>>,
        place: Place,
        old: AccessToken,
    ) -> Result<AccessToken, TokenFailure> {
        if let Some((found, _)) = self.newest(&mut SystemRandom)
            && !found.token.is(&old)
        {
            return Ok(self.cached(found.token));
        }
        let asked = self.ask(&place, 1).await;
        if let Err(failure) = &asked {
            self.tell(&Event::EarlyRenewalFailed {
                reason: failure.to_string(),
            });
            if !matches!(failure, TokenFailure::Busy { .. }) {
                let pause = Pause::after_failed_renewal((self.clock)());
                self.store.begin_pause(&pause);
            }
        }
        asked
    }

    /// What comes of a renewal, if it comes soon.
    async fn with_patience<T>(
        &self,
        renewal: JoinHandle<T>,
        token: impl FnOnce(T) -> Result<AccessToken, TokenFailure>,
    ) -> Option<AccessToken> {
        if let Ok(done) = tokio::time::timeout(EARLY_PATIENCE, renewal).await {
            return token(done.ok()?).ok();
        }
        self.tell(&Event::EarlyRenewalFailed {
            reason: "the token endpoint takes its time".to_owned(),
        });
        None
    }

    /// Asks for a token and puts it where it is found again.
    async fn ask(&self, place: &Place, tries: u32) -> Result<AccessToken, TokenFailure> {
        let credential = Credential::open(&self.profile, &self.credential)?;
        let endpoint = TokenEndpoint {
            profile: &self.profile,
            transport: &self.transport,
            store: &self.store,
            told_skew: &self.told_skew,
            clock: &self.clock,
            events: &self.events,
        };
        let token = endpoint
            .request(&credential, tries, &mut SystemRandom)
            .await?;
        let shared = matches!(place, Place::Shared { .. });
        self.store
            .keep(&token, credential.mark(), shared, (self.clock)());
        Ok(token)
    }

    fn newest(&self, rng: &mut (dyn Rng + Send)) -> Option<(Found, Freshness)> {
        let now = (self.clock)();
        let found = self.store.newest(self.known_secret(), now)?;
        let freshness = found.freshness(now, rng);
        Some((found, freshness))
    }

    /// The secret, when it is at hand and is what the client authenticates with.
    fn known_secret(&self) -> Option<&Secret> {
        let used = self.profile.authentication().needs_secret();
        self.credential.known().filter(|_| used)
    }

    async fn wait_for_lock(&self) -> Place {
        let Some(path) = self.store.lock_path() else {
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
        let Some(path) = self.store.lock_path() else {
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

    fn cached(&self, token: AccessToken) -> AccessToken {
        self.tell(&Event::TokenFromCache {
            expires_at: token.expires_at(),
        });
        token
    }

    fn tell(&self, event: &Event) {
        (self.events)(event);
    }
}

impl Unwanted {
    /// Whether a token that was found will do.
    fn leaves(&self, token: &AccessToken, freshness: Freshness) -> bool {
        match self {
            Self::Expired => freshness != Freshness::Dead,
            Self::Aging => freshness == Freshness::Good,
            Self::Refused(bad) => freshness != Freshness::Dead && !token.is(bad),
            Self::Everything => false,
        }
    }
}

/// How often a busy token endpoint is asked.
const TRIES: u32 = 3;

/// How long a caller with a good token waits for the next one.
const EARLY_PATIENCE: Duration = Duration::from_secs(5);
