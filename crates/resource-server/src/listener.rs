//! The accept loop: HTTP/1.1 connections with bounds on everything that a peer can hold.
//!
//! hyper's own header time-out does nothing without a timer, and with one it takes the silence
//! between two requests for a slow head; this loop tells them apart. It also refuses requests that
//! servers could read in two ways. It serves any function from request to answer, so every listener
//! of the program is bounded, traced, logged and counted alike.

mod admission;
mod bare;
mod body;
mod exchange;
mod heads;
mod logged_path;
mod stream;
mod trace_context;
mod traffic;

use std::future::poll_fn;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use hallpass_oauth::random::SystemRandom;
use http::header::{CONNECTION, HOST, HeaderName};
use http::{HeaderValue, Request, Response, Version};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::Instant;

use crate::reply::Refusal;
use admission::Admission;
pub use body::{Body, BodyError};
use exchange::{Exchange, log_refused};
use heads::{Framing, Heads};
use stream::Stream;
pub use trace_context::{SpanId, TraceContext, TraceId};
pub use traffic::{Kind, Metrics, Site};

/// The header field of every answer that names the request, by the id of its trace.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// In the extensions of an answer: it is not sent, and the connection ends instead.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("there was to be no answer")]
pub struct NoAnswer;

/// Bounds of a listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Most connections at once; more are answered 503 and closed.
    pub connections: usize,
    /// Most connections at once of one address, or of one network of 64 bits for IPv6. Loopback is
    /// bounded by `connections` alone.
    pub connections_per_address: usize,
    /// How long the head of a request may take to arrive.
    pub header_time: Duration,
    /// How long a connection may be silent before its first and between two requests.
    pub idle_time: Duration,
    /// How long the body of a request may take to arrive.
    pub body_time: Duration,
    /// Longest head of a request, in bytes; at most what hyper reads at a time, some 400 KB.
    pub head_bytes: usize,
    /// Most header fields.
    pub headers: usize,
    /// How long requests under way may go on after the shutdown began.
    pub drain_time: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connections: 10_000,
            connections_per_address: 2_500,
            header_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(75),
            body_time: Duration::from_secs(30),
            head_bytes: 32 * 1024,
            headers: 100,
            drain_time: Duration::from_secs(10),
        }
    }
}

/// Serves connections until `shutdown` becomes true, then lets requests under way end.
pub async fn serve<S, F, B>(
    listener: TcpListener,
    site: Site,
    limits: Limits,
    mut shutdown: watch::Receiver<bool>,
    service: S,
) where
    S: Fn(Request<Body>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let admission = Admission::new(limits.connections, limits.connections_per_address);
    loop {
        let accepted = tokio::select! {
            () = stopped(&mut shutdown) => break,
            accepted = listener.accept() => accepted,
        };
        let (socket, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: let connections end before the next try.
                tracing::warn!(error = %error, listener = site.name(), "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let place = match admission.admit(peer.ip()) {
            Ok(place) => place,
            Err(full) => {
                site.turned_away(full);
                let trace = TraceContext::new(&mut SystemRandom);
                log_refused(&site, peer, &trace, 503);
                admission.turn_away(socket, &trace);
                continue;
            }
        };
        let (site, limits) = (site.clone(), limits.clone());
        let (shutdown, service) = (shutdown.clone(), service.clone());
        tokio::spawn(async move {
            let _place = place;
            let _open = Open::at(site.clone());
            connection(socket, peer, site, limits, shutdown, service).await;
        });
    }
    drop(listener);
    if tokio::time::timeout(limits.drain_time, admission.empty())
        .await
        .is_err()
    {
        tracing::warn!(
            listener = site.name(),
            "requests were still under way when the server stopped"
        );
    }
}

/// A connection in the counters.
struct Open(Site);

impl Open {
    fn at(site: Site) -> Self {
        site.connected();
        Self(site)
    }
}

impl Drop for Open {
    fn drop(&mut self) {
        self.0.disconnected();
    }
}

/// How long to wait after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // A sender that is gone cannot ask any more; that counts as asking.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

/// What a connection is doing, for its deadline.
struct Activity {
    limits: Limits,
    started: Instant,
    under_way: AtomicUsize,
    /// Milliseconds from `started` to the end of the last request.
    last_end: AtomicU64,
    heads: Arc<Mutex<Heads>>,
}

impl Activity {
    fn new(limits: Limits) -> Self {
        Self {
            limits,
            started: Instant::now(),
            under_way: AtomicUsize::new(0),
            last_end: AtomicU64::new(0),
            heads: Arc::new(Mutex::new(Heads::new())),
        }
    }

    fn heads(&self) -> MutexGuard<'_, Heads> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// When the connection has been silent, or its head on the way, for too long; `None` while a
    /// request is being answered.
    fn deadline(&self, head_since: &mut Option<Instant>) -> Option<Instant> {
        if self.under_way.load(Ordering::Acquire) > 0 {
            *head_since = None;
            return None;
        }
        if self.heads().in_head() {
            return Some(*head_since.get_or_insert_with(Instant::now) + self.limits.header_time);
        }
        *head_since = None;
        let last_end = Duration::from_millis(self.last_end.load(Ordering::Acquire));
        Some(self.started + last_end + self.limits.idle_time)
    }

    fn begun(&self) -> Framing {
        self.under_way.fetch_add(1, Ordering::AcqRel);
        self.heads().next()
    }

    fn ended(&self) {
        let since = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_end.store(since, Ordering::Release);
        self.under_way.fetch_sub(1, Ordering::AcqRel);
    }

    /// Resolves at the deadline. To be polled after the connection, which moves it.
    async fn overdue(&self) {
        let mut head_since = None;
        let mut timer = pin!(tokio::time::sleep_until(
            self.started + self.limits.idle_time
        ));
        poll_fn(|cx| {
            loop {
                let Some(deadline) = self.deadline(&mut head_since) else {
                    return Poll::Pending;
                };
                // A deadline that moved away is looked at again when the timer fires: most
                // connections never come to that, and setting a timer per request costs.
                if deadline < timer.deadline() {
                    timer.as_mut().reset(deadline);
                }
                ready!(timer.as_mut().poll(cx));
                if deadline <= timer.deadline() {
                    return Poll::Ready(());
                }
                timer.as_mut().reset(deadline);
            }
        })
        .await;
    }
}

async fn connection<S, F, B>(
    socket: TcpStream,
    peer: SocketAddr,
    site: Site,
    limits: Limits,
    mut shutdown: watch::Receiver<bool>,
    service: S,
) where
    S: Fn(Request<Body>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // Small answers must not wait for the peer's acknowledgement of the one before.
    let _ = socket.set_nodelay(true);
    let activity = Arc::new(Activity::new(limits));
    let stream = Stream::new(socket, activity.heads.clone(), site.clone(), peer);
    let tracked = activity.clone();
    let answering = service_fn(move |request: Request<Incoming>| {
        let (service, activity, site) = (service.clone(), tracked.clone(), site.clone());
        let framing = activity.begun();
        let body_time = activity.limits.body_time;
        async move {
            let mut request = Request::map(request, |body| Body::new(body, body_time));
            let exchange = Exchange::begin(&mut request, peer, &site);
            let trace = exchange.trace();
            let answer = answer(request, framing, trace, |request| service(request, peer));
            let response = exchange.answer(answer).await;
            activity.ended();
            match response.extensions().get::<NoAnswer>() {
                Some(none) => Err(*none),
                None => Ok(response),
            }
        }
    });
    let connection = http1::Builder::new()
        .header_read_timeout(None)
        .max_header_size(activity.limits.head_bytes)
        .max_headers(activity.limits.headers)
        .serve_connection(TokioIo::new(stream), answering);
    let mut connection = pin!(connection);
    let mut overdue = pin!(activity.overdue());
    let mut stopping = false;
    loop {
        tokio::select! {
            biased;
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(error = %error, %peer, "a connection ended early");
                }
                return;
            }
            () = overdue.as_mut() => return,
            () = stopped(&mut shutdown), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
        }
    }
}

/// Answers a request, unless servers could disagree about what it is.
async fn answer<F, B>(
    request: Request<Body>,
    framing: Framing,
    trace: TraceContext,
    service: impl FnOnce(Request<Body>) -> F,
) -> Response<Either<B, Full<Bytes>>>
where
    F: Future<Output = Response<B>>,
{
    let ambiguity = ambiguity(&request, framing);
    let mut response = match ambiguity {
        None => service(request).await.map(Either::Left),
        Some(what) => Refusal::BadRequest(what.to_owned())
            .response(&trace.trace_id().to_string())
            .map(Either::Right),
    };
    // Where the next request would begin is not known for sure.
    if ambiguity.is_some() || framing.is_lost() {
        let close = HeaderValue::from_static("close");
        response.headers_mut().insert(CONNECTION, close);
    }
    response
}

fn ambiguity(request: &Request<Body>, framing: Framing) -> Option<&'static str> {
    if framing.is_contradictory() {
        return Some("the request has both Content-Length and Transfer-Encoding");
    }
    // RFC 9112 section 3.2.
    match request.headers().get_all(HOST).iter().count() {
        0 if request.version() == Version::HTTP_11 => Some("the request has no Host header"),
        0 | 1 => None,
        _ => Some("the request has more than one Host header"),
    }
}
