//! What operators and their machines ask a server: is it alive, is it ready, what has it counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use jiff::Timestamp;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Whether the server wants requests.
#[derive(Clone, Default)]
pub(crate) struct Readiness(Arc<AtomicU8>);

const STARTING: u8 = 0;
const READY: u8 = 1;
const STOPPING: u8 = 2;

impl Readiness {
    /// Every part answers. Does nothing once the end was announced.
    pub(crate) fn begin(&self) {
        let _ = self
            .0
            .compare_exchange(STARTING, READY, Ordering::AcqRel, Ordering::Acquire);
    }

    /// The server is about to stop.
    pub(crate) fn end(&self) {
        self.0.store(STOPPING, Ordering::Release);
    }

    fn objection(&self) -> Option<&'static str> {
        match self.0.load(Ordering::Acquire) {
            READY => None,
            STOPPING => Some("the server is stopping\n"),
            _ => Some("the server is starting\n"),
        }
    }
}

/// `/healthz` says that the process answers; `/readyz` that every part does, the store included, and
/// that the server is not about to stop. `store` asks the store for a sign of life, which may take
/// `store_time`.
pub(crate) fn health<F, E>(
    readiness: Readiness,
    store_time: Duration,
    store: impl Fn() -> F + Clone + Send + Sync + 'static,
) -> Router
where
    F: Future<Output = Result<(), E>> + Send,
    E: std::error::Error + Send + 'static,
{
    let ready = move || {
        let (readiness, store) = (readiness.clone(), store.clone());
        async move {
            if let Some(objection) = readiness.objection() {
                return fresh(StatusCode::SERVICE_UNAVAILABLE, objection);
            }
            match tokio::time::timeout(store_time, store()).await {
                Ok(Ok(())) => return fresh(StatusCode::OK, "ready\n"),
                Ok(Err(error)) => {
                    let error: &(dyn std::error::Error + 'static) = &error;
                    tracing::error!(error, "not ready: the store does not answer");
                }
                Err(_) => tracing::error!("not ready: the store does not answer in time"),
            }
            fresh(
                StatusCode::SERVICE_UNAVAILABLE,
                "the store does not answer\n",
            )
        }
    };
    Router::new()
        .route("/healthz", get(async || fresh(StatusCode::OK, "ok\n")))
        .route("/readyz", get(ready))
}

/// An answer that is true now and must not be kept.
fn fresh(status: StatusCode, text: &'static str) -> Response {
    let no_store = HeaderValue::from_static("no-store");
    (status, [(CACHE_CONTROL, no_store)], text).into_response()
}

/// Registers what is true of the process as long as it lives.
pub(crate) fn register_process(registry: &mut Registry, started: Timestamp) {
    registry.register_with_unit(
        "process_start_time",
        "When the process started, since 1970",
        Unit::Seconds,
        ConstGauge::new(started.as_second()),
    );
    registry.register(
        "hallpass_build",
        "What was built",
        Info::new([("version", env!("CARGO_PKG_VERSION"))]),
    );
}

/// The counters in OpenMetrics text, on a listener of their own.
pub(crate) fn metrics(registry: Registry) -> Router {
    let registry = Arc::new(registry);
    let encode = move || {
        let registry = registry.clone();
        async move {
            let mut text = String::new();
            match prometheus_client::encoding::text::encode(&mut text, &registry) {
                Ok(()) => {
                    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
                    ([(CONTENT_TYPE, kind)], text).into_response()
                }
                Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
            }
        }
    };
    Router::new().route("/metrics", get(encode))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::serve::listening::serve_router;
    use hallpass_resource_server::listener::{Kind, Limits, Metrics, Site};
    use std::convert::Infallible;
    use std::future::pending;
    use std::net::SocketAddr;
    use tokio::net::TcpListener;
    use tokio::sync::watch;

    const LONG: Duration = Duration::from_mins(1);

    struct Server {
        address: SocketAddr,
        _running: watch::Sender<bool>,
    }

    impl Server {
        async fn start(router: Router) -> Self {
            let socket = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let address = socket.local_addr().unwrap();
            let metrics = Metrics::new(&mut Registry::default());
            let site = Site::new("health", Kind::AuthorizationServer, &metrics);
            let (running, stopping) = watch::channel(false);
            tokio::spawn(serve_router(
                socket,
                site,
                router,
                Limits::default(),
                stopping,
            ));
            Self {
                address,
                _running: running,
            }
        }

        async fn status(&self, path: &str) -> u16 {
            let client = reqwest::Client::builder()
                .no_proxy()
                .tls_certs_only([])
                .build()
                .unwrap();
            let url = format!("http://{}{path}", self.address);
            let answer = client.get(url).send().await.unwrap();
            assert_eq!(answer.headers()["cache-control"], "no-store");
            assert_eq!(answer.headers()["x-request-id"].len(), 32);
            answer.status().as_u16()
        }
    }

    async fn fine() -> Result<(), Infallible> {
        Ok(())
    }

    #[tokio::test]
    async fn ready_is_between_the_beginning_and_the_end() {
        let readiness = Readiness::default();
        let server = Server::start(health(readiness.clone(), LONG, fine)).await;
        assert_eq!(server.status("/healthz").await, 200);
        assert_eq!(server.status("/readyz").await, 503);
        readiness.begin();
        assert_eq!(server.status("/readyz").await, 200);
        readiness.end();
        readiness.begin();
        assert_eq!(server.status("/readyz").await, 503);
        assert_eq!(server.status("/healthz").await, 200);
    }

    #[tokio::test]
    async fn without_a_store_it_is_not_ready_and_alive_all_the_same() {
        let readiness = Readiness::default();
        readiness.begin();
        let broken = || async { Err(std::io::Error::other("gone")) };
        let server = Server::start(health(readiness.clone(), LONG, broken)).await;
        assert_eq!(server.status("/readyz").await, 503);
        assert_eq!(server.status("/healthz").await, 200);
        // One that hangs is found out in a bounded time.
        let hanging = pending::<Result<(), Infallible>>;
        let server = Server::start(health(readiness, Duration::from_millis(20), hanging)).await;
        assert_eq!(server.status("/readyz").await, 503);
    }
}
