//! Everything a server needs, built once from the configuration and joined here: the only place
//! that knows all parts.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::ConnectInfo;
use hallpass_authorization_server::AuthorizationServer;
use hallpass_console::Console;
use hallpass_oauth::claims::AUDIENCE;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{ApplicationInstanceId, Audience, Expectation, Issuer};
use hallpass_openapi::{Definition, Severity};
use hallpass_resource_server::listener::{Kind, Site};
use hallpass_resource_server::{ResourceServer, listener};
use hallpass_store::{Clock, Store};
use prometheus_client::registry::Registry;
use rustix::process::{Resource, getrlimit, setrlimit};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::command::{CommandError, Exit};
use crate::serve::admin_socket::{self, Administration};
use crate::serve::maintenance;
use crate::serve::operations::{Readiness, health, metrics, register_process};
use crate::serve::{Addresses, Config, DataDirectory, Lock};

/// The name of the workspace that a first start makes.
const FIRST_WORKSPACE: &str = "Main";

/// A running system.
pub(crate) struct System {
    addresses: Addresses,
    store: Store,
    readiness: Readiness,
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
    resource_servers: Vec<Arc<ResourceServer>>,
    admin: JoinHandle<()>,
    maintenance: JoinHandle<()>,
    data: DataDirectory,
    _lock: Lock,
}

impl System {
    /// Starts every part; returns when all of them answer.
    pub(crate) async fn start(
        config: &Config,
        data: &DataDirectory,
        mut lock: Lock,
        clock: Clock,
    ) -> Result<Self, CommandError> {
        let store = open_store(config, data, &clock).await?;
        // The clock went on while nothing ran.
        maintenance::once(&store, &clock).await;
        let bound = Bound::bind(config).await?;
        let addresses = Addresses::configured(&bound.config);
        let parts = Parts {
            definition: Arc::new(load_definition(config)?),
            expectation: expectation(config, &store, &addresses, clock()).await?,
            store: store.clone(),
            addresses: addresses.clone(),
            clock: clock.clone(),
            readiness: Readiness::default(),
        };

        let mut registry = Registry::default();
        register_process(&mut registry, clock());
        let http_metrics = listener::Metrics::new(&mut registry);
        let platform_routes = parts.platform(config, &mut registry)?;
        let api_metrics = hallpass_resource_server::Metrics::new(&mut registry);
        let (stop, stopping) = watch::channel(false);
        let limits = limits(2 + bound.instances.len());
        let (mut listeners, mut resource_servers) = (JoinSet::new(), Vec::new());
        let site = |name: &str, kind| Site::new(name, kind, &http_metrics);
        let platform = site("authorization_server", Kind::AuthorizationServer);
        let measured = site("metrics", Kind::Metrics);
        let instances: Vec<_> = bound
            .instances
            .into_iter()
            .map(|(name, socket)| (site(&name, Kind::ResourceServer), name, socket))
            .collect();
        for (socket, site, router) in [
            (bound.authorization_server, platform, platform_routes),
            (bound.metrics, measured, metrics(registry)),
        ] {
            listeners.spawn(serve_router(
                socket,
                site,
                router,
                limits.clone(),
                stopping.clone(),
            ));
        }
        for (site, name, socket) in instances {
            let server = parts.resource_server(&name, config, api_metrics.clone())?;
            resource_servers.push(server.clone());
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

        let socket = admin_socket::bind(&data.admin_socket())?;
        let maintenance = maintenance::run(store.clone(), clock.clone(), stopping.clone());
        let administration = Administration {
            store: store.clone(),
            addresses: addresses.clone(),
            keys_max_age: config.keys_max_age(),
            clock,
        };
        let admin = tokio::spawn(admin_socket::serve(
            socket,
            Arc::new(administration),
            stopping,
        ));
        lock.describe(&format!("at {}", addresses.authorization_server));
        if config.is_public() {
            tracing::warn!(
                "a listener can be reached from other machines, and it speaks plain HTTP: put TLS in front of it"
            );
        }
        parts.readiness.begin();
        Ok(Self {
            addresses,
            store,
            readiness: parts.readiness,
            stop,
            listeners,
            resource_servers,
            admin,
            maintenance: tokio::spawn(maintenance),
            data: data.clone(),
            _lock: lock,
        })
    }

    /// Where everything is.
    pub(crate) fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// Tells whoever asks for readiness that the end is near; everything is still answered.
    pub(crate) fn announce_stop(&self) {
        self.readiness.end();
    }

    /// Takes no new connections, lets requests under way end, and closes the store.
    pub(crate) async fn stop(mut self) {
        self.announce_stop();
        let _ = std::fs::remove_file(self.data.admin_socket());
        let _ = self.stop.send(true);
        let _ = self.admin.await;
        let _ = self.maintenance.await;
        while self.listeners.join_next().await.is_some() {}
        let settled = async {
            for server in &self.resource_servers {
                server.settle().await;
            }
        };
        if tokio::time::timeout(SETTLE_TIME, settled).await.is_err() {
            tracing::warn!("changes were still under way when the server stopped");
        }
        self.store.close().await;
    }
}

/// How long changes whose caller is gone may go on.
const SETTLE_TIME: Duration = Duration::from_secs(5);

/// How long the store may take to show that it is there, when readiness is asked for.
const STORE_TIME: Duration = Duration::from_secs(2);

/// What the servers are built from.
struct Parts {
    definition: Arc<Definition>,
    expectation: Expectation,
    store: Store,
    addresses: Addresses,
    clock: Clock,
    readiness: Readiness,
}

impl Parts {
    /// Authorization server, console and health on one listener.
    fn platform(&self, config: &Config, registry: &mut Registry) -> Result<Router, CommandError> {
        let base_url = &self.addresses.authorization_server;
        let authorization_server = AuthorizationServer::start(
            self.store.for_authorization_server(),
            config.authorization_server(&self.expectation, base_url),
            self.clock.clone(),
            registry,
        )
        .map_err(|error| {
            CommandError::caused(Exit::Refused, "the signing threads did not start", &error)
        })?;
        let console = Console::new(
            self.store.for_console(),
            console_settings(self.expectation.clone(), &self.store, &self.addresses),
            self.clock.clone(),
        );
        Ok(authorization_server
            .router()
            .merge(console.router())
            .merge(self.health())
            .fallback(hallpass_pages::not_found))
    }

    fn health(&self) -> Router {
        let store = self.store.clone();
        health(self.readiness.clone(), STORE_TIME, move || {
            let store = store.clone();
            async move { store.ready().await }
        })
    }

    /// The guard of one application instance.
    fn resource_server(
        &self,
        name: &str,
        config: &Config,
        metrics: hallpass_resource_server::Metrics,
    ) -> Result<Arc<ResourceServer>, CommandError> {
        let settings = hallpass_resource_server::Settings {
            expectation: Expectation {
                instance: instance_id(&self.store, name)?,
                ..self.expectation.clone()
            },
            base_url: self
                .addresses
                .instances
                .get(name)
                .cloned()
                .unwrap_or_default(),
            definition: self.definition.clone(),
            sandbox: config.sandbox(),
            seed: config.sandbox.seed,
            audit_reads: config.audit.reads,
        };
        Ok(Arc::new(ResourceServer::new(
            self.store.for_resource_server(),
            settings,
            self.clock.clone(),
            metrics,
        )))
    }
}

/// Files that the process needs for other things than connections.
const RESERVED_FILES: u64 = 128;

/// The bounds of each of so many listeners. Connections share the table of open files, so the
/// process takes as many as the system lets it have, and the listeners together no more than that:
/// one that is full must not stop the others.
fn limits(listeners: usize) -> listener::Limits {
    let mut files = getrlimit(Resource::Nofile);
    if files.current != files.maximum {
        files.current = files.maximum;
        // Without it there are fewer connections.
        let _ = setrlimit(Resource::Nofile, files);
    }
    let open = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let each = open.saturating_sub(RESERVED_FILES) / u64::try_from(listeners).unwrap_or(1);
    let mut limits = listener::Limits::default();
    let most = limits.connections;
    limits.connections = usize::try_from(each).unwrap_or(most).clamp(16, most);
    limits.connections_per_address = limits.connections.div_ceil(4);
    limits
}

/// All sockets, bound before anything is built: only now are the ports known.
struct Bound {
    config: Config,
    authorization_server: TcpListener,
    metrics: TcpListener,
    instances: Vec<(String, TcpListener)>,
}

impl Bound {
    async fn bind(config: &Config) -> Result<Self, CommandError> {
        let mut config = config.clone();
        let authorization_server = bind(&mut config.listen.authorization_server).await?;
        let metrics = bind(&mut config.listen.metrics).await?;
        let mut instances = Vec::new();
        for (name, address) in &mut config.listen.instances {
            instances.push((name.clone(), bind(address).await?));
        }
        Ok(Self {
            config,
            authorization_server,
            metrics,
            instances,
        })
    }
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

pub(crate) async fn open_store(
    config: &Config,
    data: &DataDirectory,
    clock: &Clock,
) -> Result<Store, CommandError> {
    let master_key = data.master_key()?;
    let failed = |error: &dyn std::error::Error| {
        let what = format!("the database {} cannot be used", data.database().display());
        CommandError::caused(Exit::Usage, &what, error)
    };
    let policy = config.policy();
    let store = Store::open(
        &data.create_database()?,
        &master_key,
        policy,
        clock(),
        &mut SystemRandom,
    )
    .await
    .map_err(|error| failed(&error))?;
    if store.workspaces().list().is_empty() {
        store
            .workspaces()
            .create(
                FIRST_WORKSPACE,
                &crate::admin::local_administrator(),
                clock(),
                &mut SystemRandom,
            )
            .await
            .map_err(|error| failed(&error))?;
    }
    Ok(store)
}

fn load_definition(config: &Config) -> Result<Definition, CommandError> {
    let reading = crate::definition::load(config.api.as_deref())?;
    let errors = reading
        .problems
        .iter()
        .filter(|p| p.severity == Severity::Error)
        .count();
    if errors > 0 {
        tracing::warn!(errors, "the API definition has errors");
    }
    Ok(reading.definition)
}

/// What every verifier asks for; the instance is filled in per server.
async fn expectation(
    config: &Config,
    store: &Store,
    addresses: &Addresses,
    now: jiff::Timestamp,
) -> Result<Expectation, CommandError> {
    let url = config
        .tokens
        .issuer
        .as_deref()
        .unwrap_or(&addresses.authorization_server);
    let wrong = |error: &dyn std::error::Error| {
        CommandError::caused(Exit::Usage, "the issuer cannot be used", error)
    };
    let issuer = Issuer::parse(url).map_err(|error| wrong(&error))?;
    let issuers = store
        .use_issuer(&issuer, now)
        .await
        .map_err(|error| wrong(&error))?;
    let audience = Audience::parse(AUDIENCE).map_err(|error| wrong(&error))?;
    Ok(Expectation {
        issuers,
        audience,
        instance: ApplicationInstanceId::platform(),
    })
}

fn instance_id(store: &Store, name: &str) -> Result<ApplicationInstanceId, CommandError> {
    store
        .workspaces()
        .find_instance(name)
        .map(|instance| instance.id.clone())
        .ok_or_else(|| CommandError::usage(format!("there is no application instance {name}")))
}

fn console_settings(
    expectation: Expectation,
    store: &Store,
    addresses: &Addresses,
) -> hallpass_console::Settings {
    let instances = store.workspaces().instances();
    let platform = ApplicationInstanceId::platform();
    let services = instances.iter().filter(|instance| instance.id != platform);
    let known = services.filter_map(|instance| {
        Some((
            instance.title.clone(),
            addresses.instances.get(&instance.name)?.clone(),
        ))
    });
    hallpass_console::Settings {
        expectation,
        addresses: hallpass_console::Addresses {
            console: addresses.authorization_server.clone(),
            token_url: addresses.token_url.clone(),
            jwks_url: format!("{}/.well-known/jwks.json", addresses.authorization_server),
            instances: known.collect(),
        },
    }
}

/// Serves a router through the bounded accept loop.
pub(crate) async fn serve_router(
    socket: TcpListener,
    site: Site,
    router: Router,
    limits: listener::Limits,
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
