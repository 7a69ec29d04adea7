//! The way to a token: turn, lock, look again, ask, keep. Who may call it and what for is said one
//! module up.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;
use jiff::Timestamp;
use rand_core::Rng;
use tokio::sync::OwnedMutexGuard;
use tokio::task::JoinHandle;

use super::{Engine, Failed, Obtained, Place, Unwanted};
use crate::access_token::{AccessToken, Freshness};
use crate::credential_source::CredentialError;
use crate::event::Event;
use crate::send::{Limits, Renewal};
use crate::token_credential::Credential;
use crate::token_endpoint::{Deadline, TokenEndpoint};
use crate::token_failure::TokenFailure;
use crate::token_lock::{Asked, TokenLock};
use crate::token_pause::Pause;
use crate::token_store::Found;
use crate::transport::TransportError;

impl Engine {
    /// The slow path. Callers of one process take turns here; those who waited while a request
    /// failed are told of its failure and do not each repeat it.
    ///
    /// From its turn on it is a task of its own, which goes on when the caller goes away: a token that
    /// the server issues and nobody keeps kills the one that somebody else gets meanwhile.
    pub(super) async fn obtain(
        self: &Arc<Self>,
        unwanted: Unwanted,
    ) -> Result<Obtained, TokenFailure> {
        let before = self.finished.load(Ordering::Acquire);
        let began = (self.clock)();
        let turn = self.turn.clone().lock_owned().await;
        if let Some(failed) = turn.as_ref().filter(|failed| failed.number > before) {
            return Err(failed.failure.clone());
        }
        let asking = self.clone();
        let asked = tokio::spawn(async move { asking.in_turn(turn, unwanted, began).await });
        asked.await.unwrap_or_else(|error| {
            Err(TokenFailure::Setup {
                reason: format!("asking for a token was broken off: {error}"),
            })
        })
    }

    async fn in_turn(
        &self,
        mut turn: OwnedMutexGuard<Option<Failed>>,
        unwanted: Unwanted,
        began: Timestamp,
    ) -> Result<Obtained, TokenFailure> {
        self.on_the_wire.send_replace(false);
        let result = self.look_and_ask(&unwanted, began).await;
        if matches!(result, Ok(Obtained { found: true, .. })) {
            return result;
        }
        let number = self.finished.fetch_add(1, Ordering::AcqRel) + 1;
        *turn = result.as_ref().err().map(|failure| Failed {
            number,
            failure: failure.clone(),
        });
        result
    }

    async fn look_and_ask(
        &self,
        unwanted: &Unwanted,
        began: Timestamp,
    ) -> Result<Obtained, TokenFailure> {
        let mut opened = None;
        if self.may_ask_person() {
            // A person takes as long as they take: nobody else is to wait for them.
            if let Some(found) = self.usable(unwanted, None) {
                return Ok(found);
            }
            opened = Some(Credential::open(&self.profile, &self.credential).await?);
        }
        let place = self.wait_for_lock().await;
        if let Some(found) = self.usable(unwanted, Some(&place)) {
            return Ok(found);
        }
        if self.store.was_unanswered_after(began, (self.clock)()) {
            return Err(TokenFailure::Transport(TransportError::Unreachable {
                server: self.token_server(),
                reason: "another program has just tried in vain".to_owned(),
            }));
        }
        let asked = self.ask(&place, TRIES, opened).await;
        if matches!(asked, Err(TokenFailure::Transport(_))) {
            self.store
                .begin_pause(&Pause::after_no_answer((self.clock)()));
        }
        asked.map(|token| Obtained {
            token,
            found: false,
        })
    }

    /// The newest token, when it will do. `place` is where the next one would be asked for, once that
    /// is known.
    fn usable(&self, unwanted: &Unwanted, place: Option<&Place>) -> Option<Obtained> {
        let (found, freshness) = self.newest(&mut SystemRandom)?;
        // Without a lock everybody would replace the token that is still good for all.
        let unlocked = matches!((unwanted, place), (Unwanted::Aging, Some(Place::Unlocked)));
        let will_do = match freshness {
            Freshness::Dead => false,
            _ if unlocked => true,
            freshness => unwanted.leaves(&found.token, freshness),
        };
        will_do.then(|| Obtained {
            token: self.cached(found.token),
            found: true,
        })
    }

    /// Renewal while the old token is still good, by a task of its own: it goes on when the caller
    /// loses patience or goes away, since a token that was issued and thrown away would leave everybody
    /// without one. Whoever gets both turns at once asks, everybody else goes on with the old token.
    pub(super) async fn renew_early(self: &Arc<Self>, old: AccessToken) -> AccessToken {
        if self.leaves_renewal_alone() {
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
        self.on_the_wire.send_replace(false);
        if let Some((found, _)) = self.newest(&mut SystemRandom)
            && !found.token.is(&old)
        {
            return Ok(self.cached(found.token));
        }
        let asked = self.ask(&place, 1, None).await;
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

    /// What comes of a renewal, if it is asked for soon. A request that is under way is waited for
    /// however long it takes: the server may carry it out, and the old token would be dead by then.
    pub(super) async fn with_patience<T>(
        &self,
        renewal: JoinHandle<T>,
        token: impl FnOnce(T) -> Result<AccessToken, TokenFailure>,
    ) -> Option<AccessToken> {
        let mut on_the_wire = self.on_the_wire.subscribe();
        let out_of_patience = async {
            tokio::time::sleep(self.limits.renewal_wait).await;
            // The sender lives as long as this does.
            let _ = on_the_wire.wait_for(|on_the_wire| !on_the_wire).await;
        };
        tokio::select! {
            biased;
            done = renewal => return token(done.ok()?).ok(),
            () = out_of_patience => {}
        }
        self.tell(&Event::EarlyRenewalFailed {
            reason: "it takes its time".to_owned(),
        });
        None
    }

    /// Asks for a token and puts it where it is found again. Others wait for this, so all of it
    /// together has an end.
    async fn ask(
        &self,
        place: &Place,
        tries: u32,
        opened: Option<Credential>,
    ) -> Result<AccessToken, TokenFailure> {
        let deadline = Deadline::after(self.limits.longest_request(), self.limits.total);
        let asking = self.ask_before(deadline, place, tries, opened);
        let asked = tokio::time::timeout_at(deadline.end(), asking).await;
        asked.unwrap_or_else(|_| {
            Err(TokenFailure::Transport(TransportError::TimedOut {
                server: self.token_server(),
            }))
        })
    }

    async fn ask_before(
        &self,
        deadline: Deadline,
        place: &Place,
        tries: u32,
        opened: Option<Credential>,
    ) -> Result<AccessToken, TokenFailure> {
        let credential = match opened {
            Some(credential) => credential,
            None => self.open_soon().await?,
        };
        let endpoint = TokenEndpoint {
            profile: &self.profile,
            transport: &self.transport,
            store: &self.store,
            told_skew: &self.told_skew,
            on_the_wire: &self.on_the_wire,
            clock: &self.clock,
            events: &self.events,
        };
        let token = endpoint
            .request(&credential, tries, deadline, &mut SystemRandom)
            .await?;
        let shared = matches!(place, Place::Shared { .. });
        self.store
            .keep(&token, credential.mark(), shared, (self.clock)());
        Ok(token)
    }

    async fn open_soon(&self) -> Result<Credential, TokenFailure> {
        let opening = Credential::open(&self.profile, &self.credential);
        let opened = tokio::time::timeout(Limits::OPENING, opening).await;
        opened.unwrap_or_else(|_| {
            let seconds = Limits::OPENING.as_secs();
            Err(CredentialError::TooSlow { seconds }.into())
        })
    }

    /// Whether a token that is still good is not to be renewed now.
    pub(super) fn leaves_renewal_alone(&self) -> bool {
        self.may_ask_person() || self.store.pauses_renewal((self.clock)())
    }

    /// Whether somebody may have to type something before a token can be asked for.
    fn may_ask_person(&self) -> bool {
        self.profile.authentication().needs_secret() && self.credential.may_ask()
    }

    fn token_server(&self) -> String {
        let url = self.profile.token_url().url();
        url.origin().ascii_serialization()
    }

    pub(super) fn newest(&self, rng: &mut (dyn Rng + Send)) -> Option<(Found, Freshness)> {
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
            return self.without_lock();
        };
        let at_most = self.limits.longest_lock_wait();
        let asked = match TokenLock::try_take(&path) {
            Asked::Taken => {
                self.tell(&Event::WaitingForLock { at_most });
                TokenLock::wait(path, at_most).await
            }
            other => other,
        };
        let reason = match asked {
            Asked::Held(lock) => return Place::Shared { _lock: lock },
            Asked::Taken => format!("still taken after {} s", at_most.as_secs_f32()),
            Asked::Unusable(reason) => reason,
        };
        self.tell(&Event::LockGivenUp { reason });
        Place::Unlocked
    }

    /// The place for an early renewal; `None` when somebody else holds the lock, or when there is
    /// none: everybody would renew at once.
    fn try_lock(&self) -> Option<Place> {
        let Some(path) = self.store.lock_path() else {
            return Some(self.without_lock()).filter(|place| matches!(place, Place::Own));
        };
        match TokenLock::try_take(&path) {
            Asked::Held(lock) => Some(Place::Shared { _lock: lock }),
            Asked::Taken | Asked::Unusable(_) => None,
        }
    }

    fn without_lock(&self) -> Place {
        if self.store.has_cache() {
            Place::Unlocked
        } else {
            Place::Own
        }
    }

    pub(super) fn cached(&self, token: AccessToken) -> AccessToken {
        self.tell(&Event::TokenFromCache {
            expires_at: token.expires_at(),
        });
        token
    }

    pub(super) fn tell(&self, event: &Event) {
        (self.events)(event);
    }
}

/// How often a busy token endpoint is asked.
const TRIES: u32 = 3;
