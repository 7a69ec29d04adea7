//! Always a token, and never two at once: the cached one while it is good, the next one shortly
//! before its end, another one when the API refuses it.
//!
//! Asking for a token supersedes the client's earlier one, so two programs that each ask throw each
//! other out. That is why every way to the token endpoint goes the same steps: the one place in
//! this process → the file lock of the machine → **look again** → ask → put it where the others find
//! it → unlock.
//!
//! What is at hand is `token_store`'s business, the request that of `token_endpoint`.

mod engine;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64};

use hallpass_oauth::random::SystemRandom;
use tokio::sync::watch;

use crate::access_token::{AccessToken, Freshness};
use crate::credential_source::CredentialSource;
use crate::event::{Event, EventSink};
use crate::private_file::PrivateFileError;
use crate::profile::Profile;
use crate::send::{Cache, Clock, Limits, Options, Renewal};
use crate::token_cache::{CacheKey, TokenCache};
use crate::token_failure::TokenFailure;
use crate::token_lock::TokenLock;
use crate::token_store::TokenStore;
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
    /// Whether a token request is under way that the server may carry out whether anybody waits or
    /// not.
    on_the_wire: watch::Sender<bool>,
    told_skew: AtomicBool,
    renewal: Renewal,
    clock: Clock,
    events: EventSink,
    limits: Limits,
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
    /// There is no cache: nobody shares anything.
    Own,
    /// No lock could be had: another program may be asking as well.
    Unlocked,
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
            on_the_wire: watch::Sender::new(false),
            told_skew: AtomicBool::new(false),
            renewal: options.renewal,
            clock: options.clock.clone(),
            events,
            limits: options.limits.clone(),
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
        if engine.leaves_renewal_alone() {
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

    /// The same, but `None` when `bad` is the newest token and stands itself in place of a refused one:
    /// the API refuses whatever it gets, and each further token would cost the client's other
    /// programs theirs.
    pub(crate) async fn replace(
        &self,
        bad: &AccessToken,
    ) -> Result<Option<Replacement>, TokenFailure> {
        let engine = &self.0;
        if engine.store.was_refused_anew(bad, (engine.clock)())
            && let Some((found, _)) = engine.newest(&mut SystemRandom)
            && found.token.is(bad)
        {
            return Ok(None);
        }
        self.renew_after_401(bad).await.map(Some)
    }

    /// Remembers that a token that was got in place of a refused one was refused at once.
    pub(crate) fn refused_anew(&self, token: &AccessToken) {
        self.0.store.refused_anew(token, (self.0.clock)());
    }

    /// A new token, whatever there is. It supersedes the one there is.
    pub async fn renew(&self) -> Result<AccessToken, TokenFailure> {
        Ok(self.0.obtain(Unwanted::Everything).await?.token)
    }

    /// Takes over a token of this profile that the program kept from earlier, unless there is a newer one.
    pub fn adopt(&self, token: &AccessToken) {
        self.0.store.adopt(token, (self.0.clock)());
    }

    /// The newest token at hand, good or not. Asks nobody.
    pub fn at_hand(&self) -> Option<AccessToken> {
        let engine = &self.0;
        let found = engine.newest(&mut SystemRandom);
        found.map(|(found, _)| found.token)
    }

    /// Forgets the cached token; says whether there was one.
    pub fn forget(&self) -> Result<bool, PrivateFileError> {
        self.0.store.forget()
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
