//! The listeners of a system: bound first, since only then the ports are known, and served once all parts
//! are built.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use hallpass_resource_server::listener::{Kind, Limits, Metrics, Site};
use hallpass_resource_server::{ResourceServer, listener};
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::command::CommandError;
use crate::serve::Config;

/// What is served where.
pub(super) struct Servers {
    /// Authorization server, console and health.
    pub(super) platform: Router,
    pub(super) metrics: Router,
    /// The guard of each instance that has a listener, in the order of [`Bound::instances`].
    pub(super) instances: Vec<Arc<ResourceServer>>,
    /// Connections and requests, counted for every listener.
    pub(super) counted: Metrics,
}

/// All sockets.
pub(super) struct Bound {
    authorization_server: TcpListener,
    metrics: TcpListener,
    instances: Vec<(String, TcpListener)>,
}

impl Bound {
    /// Binds every socket, and returns the configuration with the ports that the system chose.
    pub(super) async fn bind(config: &Config) -> Result<(Self, Config), CommandError> {
        let mut config = config.clone();
        let authorization_server = bind(&mut config.listen.authorization_server).await?;
        let metrics = bind(&mut config.listen.metrics).await?;
        let mut instances = Vec::new();
        for (name, address) in &mut config.listen.instances {
            instances.push((name.clone(), bind(address).await?));
        }
        let bound = Self {
            authorization_server,
            metrics,
            instances,
        };
        Ok((bound, config))
    }

    /// The short names of the instances that have a listener.
    pub(super) fn instances(&self) -> impl Iterator<Item = &str> {
        self.instances.iter().map(|(name, _)| name.as_str())
    }

    /// Serves everything until `stopping` says so.
    pub(super) fn serve(self, servers: &Servers, stopping: &watch::Receiver<bool>) -> JoinSet<()> {
        let limits = limits(2 + self.instances.len());
        let site = |name: &str, kind| Site::new(name, kind, &servers.counted);
        let mut listeners = JoinSet::new();
        for (socket, site, router) in [
            (
                self.authorization_server,
                site("authorization_server", Kind::AuthorizationServer),
                &servers.platform,
            ),
            (
                self.metrics,
                site("metrics", Kind::Metrics),
                &servers.metrics,
            ),
        ] {
            let router = router.clone();
            listeners.spawn(serve_router(
                socket,
                site,
                router,
                limits.clone(),
                stopping.clone(),
            ));
        }
        for ((name, socket), server) in self.instances.into_iter().zip(&servers.instances) {
            let site = site(&name, Kind::ResourceServer);
            let server = server.clone();
            let answer = move |request, peer| {
                let server = server.clone();
                async move { server.handle(request, peer).await }
            };
            listeners.spawn(listener::serve(
                socket,
                site,
                limits.clone(),
                stopping.clone(),
                answer,
            ));
        }
        listeners
    }
}

/// Serves a router through the bounded accept loop.
pub(super) async fn serve_router(
    socket: TcpListener,
    site: Site,
    router: Router,
    limits: Limits,
    stopping: watch::Receiver<bool>,
) {
    let answer = move |mut request: axum::http::Request<listener::Body>, peer: SocketAddr| {
        use tower_service::Service as _;
        let mut router = router.clone();
        request.extensions_mut().insert(ConnectInfo(peer));
        async move {
            let answered: Result<_, Infallible> = router.call(request).await;
            answered.unwrap_or_else(|never| match never {})
        }
    };
    listener::serve(socket, site, limits, stopping, answer).await;
}

async fn bind(address: &mut SocketAddr) -> Result<TcpListener, CommandError> {
    let failed = |error: std::io::Error| {
        CommandError::refused(format!("cannot listen on {address}: {error}"))
            .hint("stop what listens there, or choose other ports with --listen HOST:PORT (HOST:0 takes free ones)")
    };
    let listener = TcpListener::bind(*address).await.map_err(failed)?;
    *address = listener.local_addr().map_err(failed)?;
    Ok(listener)
}

/// Files that the process needs for other things than connections.
const RESERVED_FILES: u64 = 128;

/// The bounds of each of so many listeners. Connections share the table of open files, so the
/// process takes as many as the system lets it have, and the listeners together no more than that:
/// one that is full must not stop the others.
fn limits(listeners: usize) -> Limits {
    let mut files = getrlimit(Resource::Nofile);
    if files.current != files.maximum {
        files.current = files.maximum;
        // Without it there are fewer connections.
        let _ = setrlimit(Resource::Nofile, files);
    }
    let open = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let each = open.saturating_sub(RESERVED_FILES) / u64::try_from(listeners).unwrap_or(1);
    let mut limits = Limits::default();
    let most = limits.connections;
    limits.connections = usize::try_from(each).unwrap_or(most).clamp(16, most);
    limits.connections_per_address = limits.connections.div_ceil(4);
    limits
}
