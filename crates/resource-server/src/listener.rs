//! The accept loop: HTTP/1.1 connections with bounds on everything that a peer can hold.
//!
//! It refuses requests that servers could read in two ways. It serves any function from request to
//! answer, so every listener of the program is bounded, traced, logged and counted alike, with TLS
//! ([`serve_tls`]) or without ([`serve`]).

mod activity;
mod admission;
mod arrival;
mod bare;
mod body;
mod exchange;
mod heads;
mod logged_path;
mod stream;
mod tls;
mod trace_context;
mod traffic;

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use hallpass_oauth::random::SystemRandom;
use http::header::{CONNECTION, HOST, HeaderName};
use http::{HeaderValue, Method, Request, Response, Version};
use http_body_util::{Either, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::reply::Refusal;
use activity::Activity;
use admission::Admission;
use arrival::{Arrivals, Established, Held, Plain, Transport};
pub use arrival::{Handed, HandedOver, take_over};
pub use body::{Body, BodyError};
use exchange::{Exchange, log_refused};
use heads::Framing;
use stream::Stream;
pub use tls::{ServerName, Tls};
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
    /// How long a connection may be silent before its first and between two requests, and how long a
    /// peer may take for the next 64 KiB of an answer.
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
    shutdown: watch::Receiver<bool>,
    service: S,
) where
    S: Fn(Request<Body>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let arrivals = Arrivals::at(listener, None);
    accept(arrivals, Plain, site, limits, shutdown, service).await;
}

/// The same over TLS. Each request has the [`ServerName`] that its connection was opened for among
/// its extensions. A handshake may take as long as a head; nobody else waits for it.
pub async fn serve_tls<S, F, B>(
    listener: TcpListener,
    tls: Tls,
    site: Site,
    limits: Limits,
    shutdown: watch::Receiver<bool>,
    service: S,
) where
    S: Fn(Request<Body>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let arrivals = Arrivals::at(listener, tls.handed);
    let transport = tls::Handshake::new(tls.config);
    accept(arrivals, transport, site, limits, shutdown, service).await;
}

async fn accept<T, S, F, B>(
    mut arrivals: Arrivals,
    transport: T,
    site: Site,
    limits: Limits,
    mut shutdown: watch::Receiver<bool>,
    service: S,
) where
    T: Transport,
    S: Fn(Request<Body>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let admission = Admission::new(limits.connections, limits.connections_per_address);
    loop {
        let arrived = tokio::select! {
            () = stopped(&mut shutdown) => break,
            arrived = arrivals.next() => arrived,
        };
        let arrival = match arrived {
            Ok(arrival) => arrival,
            Err(error) => {
                // Out of file descriptors, most likely: let connections end before the next try.
                tracing::warn!(error = %error, listener = site.name(), "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let peer = arrival.peer();
        let place = match admission.admit(peer.ip()) {
            Ok(place) => place,
            Err(full) => {
                site.turned_away(full);
                let trace = TraceContext::new(&mut SystemRandom);
                log_refused(&site, peer, &trace, 503);
                if T::SPEAKS_HTTP_AT_ONCE {
                    admission.turn_away(arrival.into_socket(), &trace);
                }
                continue;
            }
        };
        let (site, limits) = (site.clone(), limits.clone());
        let (mut shutdown, service) = (shutdown.clone(), service.clone());
        let transport = transport.clone();
        tokio::spawn(async move {
            let held = Held::new(place, site.clone());
            let established = tokio::select! {
                biased;
                established = transport.establish(arrival, limits.header_time) => established,
                () = stopped(&mut shutdown) => return,
            };
            match established {
                Ok(established) => {
                    connection(established, held, site, limits, shutdown, service).await;
                }
                Err(error) => {
                    tracing::debug!(error = %error, %peer, listener = site.name(), "a handshake failed");
                }
            }
        });
    }
    drop(arrivals);
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

/// How long to wait after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // A sender that is gone cannot ask any more; that counts as asking.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

async fn connection<T, S, F, B>(
    established: Established<T>,
    held: Held,
    site: Site,
    limits: Limits,
    mut shutdown: watch::Receiver<bool>,
    service: S,
) where
    T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin + 'static,
    S: Fn(Request<Body>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body<Data = Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let Established {
        stream,
        peer,
        name,
        handed_by: _handed_by,
    } = established;
    let activity = Arc::new(Activity::new(limits));
    let stream = Stream::new(stream, activity.clone(), site.clone(), peer);
    let tracked = activity.clone();
    let answering = service_fn(move |request: Request<Incoming>| {
        let (service, activity, site) = (service.clone(), tracked.clone(), site.clone());
        let (name, held) = (name.clone(), held.clone());
        let framing = activity.begun();
        let body_time = activity.limits.body_time;
        async move {
            let mut request = Request::map(request, |body| Body::new(body, body_time));
            if let Some(name) = name {
                request.extensions_mut().insert(name);
            }
            if request.method() == Method::CONNECT {
                request.extensions_mut().insert(held);
            }
            let exchange = Exchange::begin(&mut request, peer, &site);
            let trace = exchange.trace();
            // In a box: it is large, and hyper moves what it is given several times.
            let answer = answer(request, framing, trace, |request| {
                Box::pin(service(request, peer))
            });
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
        .serve_connection(TokioIo::new(stream), answering)
        .with_upgrades();
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
