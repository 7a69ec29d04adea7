//! Sending a request of the API with a token, once more with another token when the first one was
//! refused, and again by the rules of `retry`.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use hallpass_oauth::random::SystemRandom;
use hallpass_openapi::BuiltRequest;
use http::Method;
use http::header::{
    ACCEPT, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, LOCATION,
};
use jiff::Timestamp;
use rand_core::Rng as _;
use reqwest::Url;

use crate::authorization::{Attempt, Authorization};
use crate::credential_source::CredentialSource;
use crate::error::Error;
use crate::event::{Event, EventSink};
use crate::kept::{Keeping, Kept, Room};
use crate::profile::{Profile, ProfileError};
use crate::proxies::Proxies;
use crate::reach::AddressRule;
use crate::response::Response;
use crate::retry::{Jitter, Retries};
use crate::token::Tokens;
use crate::transport::{Bounds, Transport, Way, exchange_into};

/// What time it is.
pub type Clock = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Where tokens are kept for other programs and for later.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cache {
    /// In files of this directory, for their owner only.
    Directory(PathBuf),
    /// In memory only.
    None,
}

/// When the next token is asked for while the old one is still good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Renewal {
    /// Beside the request that noticed: nobody waits. For programs that go on running.
    #[default]
    Beside,
    /// Before the request that noticed, which waits a few seconds at most. For programs that end with
    /// their answer: a token that arrives after that would be lost, and the old one with it.
    Before,
}

/// How long and how much.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// Until a connection stands.
    pub connect: Duration,
    /// Until an answer has come whole.
    pub total: Duration,
    /// Largest answer of the API, in bytes.
    pub body: usize,
    /// How long to wait while another program asks for a token; `None` is a little longer than that
    /// can take.
    pub lock_wait: Option<Duration>,
    /// How long a caller with a good token waits until the next one is being asked for.
    pub renewal_wait: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            total: Duration::from_secs(30),
            body: 64 * 1024 * 1024,
            lock_wait: None,
            renewal_wait: Duration::from_secs(5),
        }
    }
}

impl Limits {
    /// How long opening the credential may take while others wait: a program that prints it has a
    /// minute.
    pub(crate) const OPENING: Duration = Duration::from_secs(65);

    /// How long everything that is done while the lock is held may take together.
    pub(crate) fn longest_request(&self) -> Duration {
        Self::OPENING + self.total
    }

    /// How long to wait for the lock. Whoever gives up earlier asks although the holder has not failed.
    pub(crate) fn longest_lock_wait(&self) -> Duration {
        let derived = self.longest_request() + Duration::from_secs(5);
        self.lock_wait.unwrap_or(derived)
    }

    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            connect: self.connect,
            total: self.total,
        }
    }
}

/// Everything around a client.
#[derive(Clone)]
pub struct Options {
    /// Where tokens are kept.
    pub cache: Cache,
    /// What time it is.
    pub clock: Clock,
    /// Who is told what happens.
    pub events: EventSink,
    /// How long and how much.
    pub limits: Limits,
    /// How often a request is repeated.
    pub retries: Retries,
    /// The chance in the pauses between.
    pub jitter: Jitter,
    /// The proxies of the environment.
    pub proxies: Proxies,
    /// When a token is renewed early.
    pub renewal: Renewal,
    /// Which addresses may be connected to; all, if there is no rule. Where a proxy is on the way, the
    /// addresses of names are the proxy's matter.
    pub addresses: Option<AddressRule>,
}

impl Options {
    /// With the usual limits, no proxy, and nobody told.
    pub fn new(cache: Cache, clock: Clock) -> Self {
        Self {
            cache,
            clock,
            events: crate::event::ignore(),
            limits: Limits::default(),
            retries: Retries::default(),
            jitter: Arc::new(|| f64::from(SystemRandom.next_u32()) / f64::from(u32::MAX)),
            proxies: Proxies::none(),
            renewal: Renewal::default(),
            addresses: None,
        }
    }

    /// The same, connecting to such addresses only.
    #[must_use]
    pub fn with_addresses(mut self, rule: AddressRule) -> Self {
        self.addresses = Some(rule);
        self
    }

    /// The same through these proxies.
    #[must_use]
    pub fn with_proxies(mut self, proxies: Proxies) -> Self {
        self.proxies = proxies;
        self
    }

    /// The same with early renewal at another time.
    #[must_use]
    pub fn with_renewal(mut self, renewal: Renewal) -> Self {
        self.renewal = renewal;
        self
    }

    /// The same, telling what happens.
    #[must_use]
    pub fn with_events(mut self, events: EventSink) -> Self {
        self.events = events;
        self
    }

    /// The same with other limits.
    #[must_use]
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// The same, repeating requests otherwise.
    #[must_use]
    pub fn with_retries(mut self, retries: Retries) -> Self {
        self.retries = retries;
        self
    }

    /// The same with another chance.
    #[must_use]
    pub fn with_jitter(mut self, jitter: Jitter) -> Self {
        self.jitter = jitter;
        self
    }
}

/// A client of the API. Cheap to clone; clones share their token and their connections.
#[derive(Clone)]
pub struct Client(Arc<Inner>);

struct Inner {
    profile: Profile,
    tokens: Tokens,
    authorization: Authorization,
    transport: Arc<Transport>,
    clock: Clock,
    events: EventSink,
    largest_body: usize,
    longest: Duration,
    retries: Retries,
    jitter: Jitter,
}

impl Client {
    /// A client for a profile. Opens no secret and no connection yet.
    pub fn new(
        profile: Profile,
        credential: CredentialSource,
        options: &Options,
    ) -> Result<Self, Error> {
        let transport = Arc::new(Transport::of(&profile, options));
        let tokens = Tokens::over(profile.clone(), credential, transport.clone(), options);
        let authorization = Authorization::bearer(tokens.clone());
        Ok(Self::over(
            profile,
            tokens,
            authorization,
            transport,
            options,
        ))
    }

    /// A client whose requests are authorized in this way: for programs that let people choose.
    pub fn authorized(profile: Profile, authorization: Authorization, options: &Options) -> Self {
        let transport = Arc::new(Transport::of(&profile, options));
        let tokens = match &authorization {
            Authorization::Tokens { tokens, .. } => tokens.clone(),
            Authorization::Fixed { .. } | Authorization::None => {
                let nothing = CredentialSource::None;
                Tokens::over(profile.clone(), nothing, transport.clone(), options)
            }
        };
        Self::over(profile, tokens, authorization, transport, options)
    }

    fn over(
        profile: Profile,
        tokens: Tokens,
        authorization: Authorization,
        transport: Arc<Transport>,
        options: &Options,
    ) -> Self {
        Self(Arc::new(Inner {
            tokens,
            authorization,
            transport,
            profile,
            clock: options.clock.clone(),
            events: options.events.clone(),
            largest_body: options.limits.body,
            longest: options.limits.total,
            retries: options.retries,
            jitter: options.jitter.clone(),
        }))
    }

    /// Whose client it is.
    pub fn profile(&self) -> &Profile {
        &self.0.profile
    }

    /// Its tokens.
    pub fn tokens(&self) -> &Tokens {
        &self.0.tokens
    }

    /// Sends the request and takes the answer, whatever its status. When the token is refused with
    /// 401 the request is sent once more with another; a second 401 is the answer, unless the other
    /// token was a sibling program's and was superseded on the way as well. What has certainly not
    /// acted is repeated as `retry` says. A request without a token is never sent.
    pub async fn send(&self, request: &BuiltRequest) -> Result<Response, Error> {
        let kept = self.send_into(request, self.memory()).await?;
        Ok(kept.into_response())
    }

    /// The same for an answer that may be large: what does not fit into memory is kept in a file.
    pub async fn send_keeping(
        &self,
        request: &BuiltRequest,
        keeping: Keeping,
    ) -> Result<Kept, Error> {
        self.send_into(request, Room::File(keeping)).await
    }

    async fn send_into(&self, request: &BuiltRequest, room: Room) -> Result<Kept, Error> {
        let prepared = self.prepare(request, room)?;
        let mut repeated = 0;
        loop {
            let answer = self.send_once(&prepared).await;
            let Some((reason, delay)) = self.again(&prepared.method, &answer, repeated) else {
                return answer;
            };
            self.tell(&Event::Repeating { reason, delay });
            tokio::time::sleep(delay).await;
            repeated += 1;
        }
    }

    /// The same without repeating: for one who has a time-out of their own and asks again anyway.
    pub(crate) async fn send_unrepeated(&self, request: &BuiltRequest) -> Result<Response, Error> {
        let prepared = self.prepare(request, self.memory())?;
        Ok(self.send_once(&prepared).await?.into_response())
    }

    fn memory(&self) -> Room {
        Room::Memory(self.0.largest_body)
    }

    /// Why and when the request is sent again; `None` when this is its answer.
    fn again(
        &self,
        method: &Method,
        answer: &Result<Kept, Error>,
        repeated: u32,
    ) -> Option<(String, Duration)> {
        let (retries, jitter) = (self.0.retries, &self.0.jitter);
        match answer {
            Ok(answer) => {
                let answer = answer.response();
                let delay = retries.after_answer(method, answer, repeated, self.now(), jitter)?;
                Some((format!("the API answered HTTP {}", answer.status()), delay))
            }
            Err(Error::Transport(failure)) => {
                let delay = retries.after_failure(failure, repeated, jitter)?;
                Some((failure.to_string(), delay))
            }
            Err(_) => None,
        }
    }

    /// The request as it would be sent, without asking for a token.
    pub fn preview(&self, request: &BuiltRequest) -> Result<Preview, Error> {
        let prepared = self.prepare(request, self.memory())?;
        let text = |(name, value): (&HeaderName, &HeaderValue)| {
            let value = String::from_utf8_lossy(value.as_bytes()).into_owned();
            (name.as_str().to_owned(), value)
        };
        let mut headers: Vec<(String, String)> = prepared.headers.iter().map(text).collect();
        if let Some(masked) = self.0.authorization.masked() {
            headers.retain(|(name, _)| name != AUTHORIZATION.as_str());
            headers.push((AUTHORIZATION.as_str().to_owned(), masked));
        }
        Ok(Preview {
            method: prepared.method,
            url: prepared.url.to_string(),
            headers,
            body: prepared.body,
        })
    }

    /// Once, but with another token when the first one is refused.
    async fn send_once(&self, prepared: &Prepared) -> Result<Kept, Error> {
        let mut attempt = self.0.authorization.begin().await?;
        loop {
            let kept = self.follow(prepared, &attempt).await?;
            let response = kept.response();
            if !attempt.again(response.status(), response.headers()).await? {
                return Ok(kept);
            }
        }
    }

    /// What its requests are authorized with.
    pub(crate) fn authorization(&self) -> &Authorization {
        &self.0.authorization
    }

    /// The way to a server of this connection.
    pub(crate) fn way_to(&self, url: &Url) -> Result<Way, ProfileError> {
        self.0.transport.way_to(url)
    }

    pub(crate) fn now(&self) -> Timestamp {
        (self.0.clock)()
    }

    pub(crate) fn tell(&self, event: &Event) {
        (self.0.events)(event);
    }

    fn prepare(&self, request: &BuiltRequest, room: Room) -> Result<Prepared, Error> {
        let url = self.0.profile.base_url().join(&request.path_and_query);
        let url = url.ok_or(Error::Request("its path does not stay below the base URL"))?;
        Ok(Prepared {
            method: request.method.clone(),
            url,
            headers: headers_of(request)?,
            body: request.body.clone(),
            room,
        })
    }

    /// Sends the request and follows redirects, but only of requests that change nothing and only
    /// within the server: elsewhere the token would be told to strangers.
    async fn follow(&self, prepared: &Prepared, attempt: &Attempt<'_>) -> Result<Kept, Error> {
        let mut url = prepared.url.clone();
        for _ in 0..MOST_REDIRECTS {
            let kept = self.once(prepared, url.clone(), attempt).await?;
            let Some(target) = target(kept.response(), &url) else {
                return Ok(kept);
            };
            let safe = matches!(prepared.method, Method::GET | Method::HEAD);
            if !safe || target.origin() != url.origin() {
                let to = target.origin().ascii_serialization();
                self.tell(&Event::RedirectRefused { to });
                return Ok(kept);
            }
            self.tell(&Event::RedirectFollowed {
                url: target.to_string(),
            });
            url = target;
        }
        self.once(prepared, url, attempt).await
    }

    async fn once(
        &self,
        prepared: &Prepared,
        url: Url,
        attempt: &Attempt<'_>,
    ) -> Result<Kept, Error> {
        self.tell(&Event::RequestSent {
            method: prepared.method.clone(),
            url: url.to_string(),
            body_bytes: prepared.body.as_ref().map_or(0, Vec::len),
        });
        let mut request = reqwest::Request::new(prepared.method.clone(), url);
        *request.headers_mut() = prepared.headers.clone();
        attempt.authorize(request.headers_mut())?;
        *request.body_mut() = prepared.body.clone().map(Into::into);
        let started = tokio::time::Instant::now();
        let way = self.way_to(request.url())?;
        let begin = match prepared.room {
            Room::Memory(_) => None,
            Room::File(_) => Some(self.0.longest),
        };
        let kept = exchange_into(&way, request, &prepared.room, begin).await?;
        let response = kept.response();
        self.tell(&Event::ResponseReceived {
            status: response.status().as_u16(),
            content_type: response.media_type(),
            body_bytes: usize::try_from(kept.size()).unwrap_or(usize::MAX),
            elapsed: started.elapsed(),
        });
        Ok(kept)
    }
}

/// The headers of a request as it is sent, without its authorization: those of the request itself, and
/// what every request says. What the connection adds (host, length, the program's name) is not there.
pub fn headers_of(request: &BuiltRequest) -> Result<HeaderMap, Error> {
    let mut headers = HeaderMap::new();
    for (name, value) in &request.headers {
        let name = HeaderName::try_from(name.as_str())
            .map_err(|_| Error::Request("the name of a header is none"))?;
        let value = HeaderValue::try_from(value.as_str())
            .map_err(|_| Error::Request("the value of a header has control characters"))?;
        headers.append(name, value);
    }
    let json = HeaderValue::from_static("application/json");
    if request.body.is_some() && !headers.contains_key(CONTENT_TYPE) {
        headers.insert(CONTENT_TYPE, json.clone());
    }
    headers.entry(ACCEPT).or_insert(json);
    Ok(headers)
}

/// A request as it would be sent, its token masked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Preview {
    /// The method.
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// The headers, in the order in which they are sent.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Option<Vec<u8>>,
}

/// A checked request, without a token.
struct Prepared {
    method: Method,
    url: Url,
    headers: HeaderMap,
    body: Option<Vec<u8>>,
    /// Where its answer goes.
    room: Room,
}

/// Where a redirect leads; `None` when the answer is none (304 is not).
fn target(response: &Response, from: &Url) -> Option<Url> {
    match response.status().as_u16() {
        301 | 302 | 303 | 307 | 308 => from.join(response.header(LOCATION.as_str())?).ok(),
        _ => None,
    }
}

/// How many redirects are followed; more are a circle.
const MOST_REDIRECTS: usize = 5;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_waits_for_the_lock_waits_longer_than_its_holder_may_take() {
        for total in [0, 30, 600].map(Duration::from_secs) {
            let limits = Limits {
                total,
                ..Limits::default()
            };
            assert!(limits.longest_lock_wait() > limits.longest_request());
            assert!(limits.longest_request() >= Limits::OPENING + total);
        }
    }
}
