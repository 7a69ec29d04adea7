//! The listeners of a system: bound first, since only then the ports are known, and served once all parts
//! are built.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::ConnectInfo;
use axum::response::Response;
use hallpass_resource_server::listener::{Kind, Limits, Metrics, Site, Tls};
use hallpass_resource_server::{ResourceServer, listener};
use jiff::Timestamp;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use tokio_rustls::rustls::ServerConfig;

use crate::command::CommandError;
use crate::serve::Config;
use crate::serve::config::Socket;
use crate::serve::connect_proxy::ConnectProxy;
use crate::serve::guards::Guards;
use crate::serve::tls::ByName;

/// What is served where.
pub(super) struct Servers {
    /// Authorization server, console and health.
    pub(super) platform: Router,
    pub(super) metrics: Router,
    /// The guard of each instance that has a listener, in the order of [`Bound::instances`].
    pub(super) instances: Vec<Arc<ResourceServer>>,
    /// All guards, those included that are made later.
    pub(super) guards: Arc<Guards>,
    /// Everything by name, and the certificate for it, if there is TLS.
    pub(super) by_name: Option<(ByName, Arc<ServerConfig>)>,
    /// When that certificate ends.
    pub(super) certificate_ends: Option<Timestamp>,
    /// Connections and requests, counted for every listener.
    pub(super) counted: Metrics,
}

/// All sockets.
pub(super) struct Bound {
    authorization_server: TcpListener,
    metrics: TcpListener,
    instances: Vec<(String, TcpListener)>,
    tls: Option<TcpListener>,
    proxy: Option<TcpListener>,
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
        config.listen.proxy = config.listen.proxy();
        let bound = Self {
            authorization_server,
            metrics,
            instances,
            tls: bind_if_wanted(&mut config.listen.tls, "tls").await?,
            proxy: bind_if_wanted(&mut config.listen.proxy, "proxy").await?,
        };
        Ok((bound, config))
    }

    /// The short names of the instances that have a listener.
    pub(super) fn instances(&self) -> impl Iterator<Item = &str> {
        self.instances.iter().map(|(name, _)| name.as_str())
    }

    /// Serves everything until `stopping` says so.
    pub(super) fn serve(self, servers: &Servers, stopping: &watch::Receiver<bool>) -> JoinSet<()> {
        let by_name = usize::from(self.tls.is_some()) + usize::from(self.proxy.is_some());
        let limits = limits(2 + self.instances.len() + by_name);
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
        if let (Some(socket), Some((by_name, config))) = (self.tls, servers.by_name.clone()) {
            let (hand_over, handed) = mpsc::channel(HANDED_AT_ONCE);
            let tls = Tls {
                config,
                handed: Some(handed),
            };
            let proxy = ConnectProxy::new(hand_over, by_name.clone());
            let answer = move |request, peer| {
                let by_name = by_name.clone();
                async move { by_name.answer(request, peer).await }
            };
            listeners.spawn(listener::serve_tls(
                socket,
                tls,
                site("tls", Kind::Tls),
                limits.clone(),
                stopping.clone(),
                answer,
            ));
            if let Some(socket) = self.proxy {
                let answer = move |request, peer| {
                    let proxy = proxy.clone();
                    async move { proxy.answer(request, peer).await }
                };
                let site = site("proxy", Kind::Proxy);
                listeners.spawn(listener::serve(
                    socket,
                    site,
                    limits,
                    stopping.clone(),
                    answer,
                ));
            }
        }
        listeners
    }
}

/// Connections on their way from the proxy to the TLS listener, which takes them at once.
const HANDED_AT_ONCE: usize = 64;

/// Serves a router through the bounded accept loop.
pub(super) async fn serve_router(
    socket: TcpListener,
    site: Site,
    router: Router,
    limits: Limits,
    stopping: watch::Receiver<bool>,
) {
    let answer = move |request, peer| {
        let router = router.clone();
        async move { answer_by(&router, request, peer).await }
    };
    listener::serve(socket, site, limits, stopping, answer).await;
}

/// A router's answer.
pub(super) async fn answer_by(
    router: &Router,
    mut request: axum::http::Request<listener::Body>,
    peer: SocketAddr,
) -> Response {
    use tower_service::Service as _;
    request.extensions_mut().insert(ConnectInfo(peer));
    let answered: Result<_, Infallible> = router.clone().call(request).await;
    answered.unwrap_or_else(|never| match never {})
}

/// Binds a listener that can be switched off.
async fn bind_if_wanted(
    socket: &mut Socket,
    setting: &str,
) -> Result<Option<TcpListener>, CommandError> {
    let Some(address) = socket.address_mut() else {
        return Ok(None);
    };
    let bound = bind(address).await.map_err(|error| {
        error.hint(format!(
            "stop what listens there, choose another address, or switch this listener off, with \
             `{setting} = \"off\"` under [listen] in hallpass.toml"
        ))
    })?;
    Ok(Some(bound))
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
pub(super) fn limits(listeners: usize) -> Limits {
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
