//! The accept loop: HTTP/1.1 connections with bounds on everything that a peer can hold.
//!
//! hyper's own header time-out does nothing without a timer, and it does not end a connection
//! that is silent between two requests; this loop does both. It serves any function from request
//! to answer, so every listener of the program is bounded alike.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use http::{Request, Response};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;

/// Bounds of a listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Most connections at once; more wait to be accepted.
    pub connections: usize,
    /// How long the head of a request may take to arrive.
    pub header_time: Duration,
    /// How long a connection may be silent before its first and between two requests.
    pub idle_time: Duration,
    /// Longest head of a request, in bytes.
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
            header_time: Duration::from_secs(10),
            idle_time: Duration::from_secs(75),
            head_bytes: 32 * 1024,
            headers: 100,
            drain_time: Duration::from_secs(10),
        }
    }
}

/// Serves connections until `shutdown` becomes true, then lets requests under way end.
pub async fn serve<S, F, B>(
    listener: TcpListener,
    limits: Limits,
    mut shutdown: watch::Receiver<bool>,
    service: S,
) where
    S: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let slots = Arc::new(Semaphore::new(limits.connections));
    loop {
        let slot = tokio::select! {
            () = stopped(&mut shutdown) => break,
            slot = slots.clone().acquire_owned() => slot,
        };
        let Ok(slot) = slot else { break };
        let accepted = tokio::select! {
            () = stopped(&mut shutdown) => break,
            accepted = listener.accept() => accepted,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: let connections end before the next try.
                tracing::warn!(error = %error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let (limits, shutdown, service) = (limits.clone(), shutdown.clone(), service.clone());
        tokio::spawn(async move {
            connection(stream, peer, &limits, shutdown, service).await;
            drop(slot);
        });
    }
    drop(listener);
    let all = u32::try_from(limits.connections).unwrap_or(u32::MAX);
    if tokio::time::timeout(limits.drain_time, slots.acquire_many(all))
        .await
        .is_err()
    {
        tracing::warn!("requests were still under way when the server stopped");
    }
}

/// How long to wait after a failed accept.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

async fn stopped(shutdown: &mut watch::Receiver<bool>) {
    // A sender that is gone cannot ask any more; that counts as asking.
    let _ = shutdown.wait_for(|stop| *stop).await;
}

/// What a connection is doing, for the idle time.
struct Activity {
    under_way: AtomicUsize,
    started: Instant,
    /// Milliseconds from `started` to the end of the last request.
    last_end: AtomicU64,
}

impl Activity {
    fn idle_until(&self, idle_time: Duration) -> Option<Instant> {
        (self.under_way.load(Ordering::Acquire) == 0).then(|| {
            self.started + Duration::from_millis(self.last_end.load(Ordering::Acquire)) + idle_time
        })
    }

    fn ended(&self) {
        let since = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.last_end.store(since, Ordering::Release);
        self.under_way.fetch_sub(1, Ordering::AcqRel);
    }
}

async fn connection<S, F, B>(
    stream: TcpStream,
    peer: SocketAddr,
    limits: &Limits,
    mut shutdown: watch::Receiver<bool>,
    service: S,
) where
    S: Fn(Request<Incoming>, SocketAddr) -> F + Clone + Send + Sync + 'static,
    F: Future<Output = Response<B>> + Send + 'static,
    B: http_body::Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    // Small answers must not wait for the peer's acknowledgement of the one before.
    let _ = stream.set_nodelay(true);
    let activity = Arc::new(Activity {
        under_way: AtomicUsize::new(0),
        started: Instant::now(),
        last_end: AtomicU64::new(0),
    });
    let tracked = activity.clone();
    let answering = service_fn(move |request| {
        let (service, activity) = (service.clone(), tracked.clone());
        activity.under_way.fetch_add(1, Ordering::AcqRel);
        async move {
            let response = service(request, peer).await;
            activity.ended();
            Ok::<_, Infallible>(response)
        }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_time)
        .max_buf_size(limits.head_bytes)
        .max_headers(limits.headers)
        .serve_connection(TokioIo::new(stream), answering);
    let mut connection = std::pin::pin!(connection);
    let mut stopping = false;
    let mut wake = activity.started + limits.idle_time;
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(error = %error, %peer, "a connection ended early");
                }
                return;
            }
            () = stopped(&mut shutdown), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            () = tokio::time::sleep_until(wake), if !stopping => {
                match activity.idle_until(limits.idle_time) {
                    Some(until) if until <= Instant::now() => return,
                    Some(until) => wake = until,
                    None => wake = Instant::now() + limits.idle_time,
                }
            }
        }
    }
}
