//! The token request on the wire (RFC 6749 section 4.4), and the patience a server asks for.
//!
//! Never follows a redirect and takes 64 kB at most. What an answer means is said in `token_answer`,
//! how the client says who it is in `token_credential`.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::token_request::EncodedRequest;
use hallpass_oauth::{TokenRequest, TokenResponse};
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderValue};
use jiff::{SignedDuration, Timestamp};
use rand_core::Rng;
use reqwest::{Method, Url};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::access_token::AccessToken;
use crate::event::{Event, EventSink};
use crate::profile::{Profile, ProfileError};
use crate::send::Clock;
use crate::token_answer::{clock_skew, interpret};
use crate::token_audience::audience;
use crate::token_credential::Credential;
use crate::token_failure::TokenFailure;
use crate::token_pause::{Pause, Why};
use crate::token_store::TokenStore;
use crate::transport::{Transport, TransportError, exchange};

/// What a token request needs besides the credential.
pub(crate) struct TokenEndpoint<'a> {
    pub(crate) profile: &'a Profile,
    pub(crate) transport: &'a Transport,
    pub(crate) store: &'a TokenStore,
    pub(crate) told_skew: &'a AtomicBool,
    /// True from the moment a request is sent; false again only when it failed.
    pub(crate) on_the_wire: &'a watch::Sender<bool>,
    pub(crate) clock: &'a Clock,
    pub(crate) events: &'a EventSink,
}

/// When asking has to be over, and how long one request may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Deadline {
    end: Instant,
    request: Duration,
}

impl Deadline {
    pub(crate) fn after(all: Duration, request: Duration) -> Self {
        let end = Instant::now() + all;
        Self { end, request }
    }

    pub(crate) fn end(self) -> Instant {
        self.end
    }

    /// Whether another whole request fits in after a pause. One that is cut off may still be carried
    /// out.
    fn leaves_room_after(self, pause: Duration) -> bool {
        Instant::now() + pause + self.request <= self.end
    }
}

impl TokenEndpoint<'_> {
    /// Asks for a token, up to `tries` times while the server asks for patience. When it asked another
    /// program, that counts as asking this one.
    pub(crate) async fn request(
        &self,
        credential: &Credential,
        tries: u32,
        deadline: Deadline,
        rng: &mut (dyn Rng + Send),
    ) -> Result<AccessToken, TokenFailure> {
        let mut waited_until = Timestamp::MIN;
        let mut tried = 0;
        loop {
            tried += 1;
            let pause = self.store.pause((self.clock)());
            let (status, wait) = match pause.filter(|pause| pause.until() > waited_until) {
                Some(pause) => (pause.status(), pause.left((self.clock)())),
                None => match self.once(credential).await {
                    Err(failure) => {
                        self.on_the_wire.send_replace(false);
                        let TokenFailure::Busy {
                            status,
                            retry_after,
                        } = failure
                        else {
                            return Err(failure);
                        };
                        let length = retry_after.unwrap_or(UNSAID_DELAY * tried);
                        let pause = Pause::new(Why::Busy(status), (self.clock)(), length);
                        self.store.begin_pause(&pause);
                        (status, retry_after)
                    }
                    Ok(token) => {
                        self.store.end_pauses();
                        return Ok(token);
                    }
                },
            };
            let delay = wait.unwrap_or(UNSAID_DELAY * tried);
            if tried >= tries || delay > LONGEST_DELAY || !deadline.leaves_room_after(delay * 2) {
                return Err(TokenFailure::Busy {
                    status,
                    retry_after: wait,
                });
            }
            waited_until = later((self.clock)(), delay);
            let delay =
                delay + delay.mul_f64(f64::from(rng.next_u32()) / f64::from(u32::MAX) / 10.0);
            (self.events)(&Event::Retrying { status, delay });
            tokio::time::sleep(delay).await;
        }
    }

    async fn once(&self, credential: &Credential) -> Result<AccessToken, TokenFailure> {
        let way = self.transport.way_to(self.profile.token_url().url());
        let way = way.map_err(|error: ProfileError| TokenFailure::Setup {
            reason: error.to_string(),
        })?;
        let audience = match credential {
            Credential::Secret(_) => None,
            Credential::Key { .. } => {
                Some(audience(self.profile.token_url(), self.transport).await)
            }
        };
        let (now, started) = ((self.clock)(), Instant::now());
        let encoded =
            credential.encode(self.profile, audience.as_deref(), now, &mut SystemRandom)?;
        (self.events)(&Event::TokenRequested {
            token_url: self.profile.token_url().to_string(),
            client_id: self.profile.client_id().to_string(),
            authentication: self.profile.authentication().word(),
            scope: self.profile.scope().map(str::to_owned),
        });
        let request = request(self.profile.token_url().url().clone(), &encoded);
        self.on_the_wire.send_replace(true);
        let answer = exchange(&way, request, LARGEST_ANSWER)
            .await
            .map_err(too_large)?;
        if let Some(ahead) = clock_skew(&answer, (self.clock)())
            && !self.told_skew.swap(true, Ordering::Relaxed)
        {
            (self.events)(&Event::ClockSkew { ahead });
        }
        let granted = interpret(&answer, credential.hidden(), &encoded, now)?;
        self.warn_of(&granted);
        let lifetime = granted.expires_in.unwrap_or(UNSAID_LIFETIME);
        let expires_at = later(now, Duration::from_secs(lifetime));
        let token = AccessToken::new(granted.access_token, now, expires_at);
        (self.events)(&Event::TokenReceived {
            status: answer.status().as_u16(),
            expires_in: granted.expires_in,
            expires_at,
            scope: granted.scope,
            elapsed: started.elapsed(),
        });
        Ok(token)
    }

    fn warn_of(&self, granted: &TokenResponse) {
        if !granted.names_type {
            (self.events)(&Event::TokenTypeMissing);
        }
        // Left out means granted as asked (RFC 6749 section 5.1).
        if let (Some(asked), Some(granted)) = (self.profile.scope(), &granted.scope)
            && asked
                .split(' ')
                .any(|word| !granted.split(' ').any(|granted| granted == word))
        {
            (self.events)(&Event::ScopeNarrowed {
                asked: asked.to_owned(),
                granted: granted.clone(),
            });
        }
    }
}

fn request(url: Url, encoded: &EncodedRequest) -> reqwest::Request {
    let mut request = reqwest::Request::new(Method::POST, url);
    let headers = request.headers_mut();
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    headers.insert(
        CONTENT_TYPE,
        HeaderValue::from_static(TokenRequest::CONTENT_TYPE),
    );
    if let Some(authorization) = &encoded.authorization
        && let Ok(mut value) = HeaderValue::from_str(authorization.expose())
    {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
    *request.body_mut() = Some(encoded.body.expose().to_owned().into());
    request
}

/// What is larger than any token answer is none; it is not the API that is to be asked for less.
fn too_large(error: TransportError) -> TokenFailure {
    match error {
        TransportError::TooLarge { limit, .. } => TokenFailure::TooLarge { limit },
        other => TokenFailure::Transport(other),
    }
}

fn later(now: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    now.saturating_add(by).unwrap_or(Timestamp::MAX)
}

/// Largest token answer taken, in bytes.
const LARGEST_ANSWER: usize = 64 * 1024;

/// How long a token is believed to live when neither the answer nor the token says so, in seconds.
const UNSAID_LIFETIME: u64 = 300;

/// First pause when the server asks for patience without saying how much; grows with each try.
const UNSAID_DELAY: Duration = Duration::from_millis(500);

/// Longest pause; whoever asks for more is told to the caller instead.
const LONGEST_DELAY: Duration = Duration::from_secs(10);
