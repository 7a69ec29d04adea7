//! Everything a server needs, built once from the configuration and joined here: the only place
//! that knows all parts.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hallpass_authorization_server::AuthorizationServer;
use hallpass_console::Console;
use hallpass_oauth::claims::AUDIENCE;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{ApplicationInstanceId, Audience, Expectation};
use hallpass_openapi::Definition;
use hallpass_resource_server::listener;
use hallpass_store::{Clock, Store};
use prometheus_client::registry::Registry;
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use crate::command::{CommandError, Exit};
use crate::definition::Served;
use crate::serve::admin_socket::{self, Administration};
use crate::serve::explorer::{Explorers, neighbour};
use crate::serve::guards::{Guards, Making};
use crate::serve::listening::{Bound, Servers};
use crate::serve::maintenance;
use crate::serve::operations::{Readiness, health, metrics, register_process};
use crate::serve::platform::{self, Issuers, Platform};
use crate::serve::tls::{ByName, Certificate, hosts};
use crate::serve::{Addresses, Config, DataDirectory, Lock};

/// The name of the workspace that a first start makes.
const FIRST_WORKSPACE: &str = "Main";

/// A running system.
pub(crate) struct System {
    store: Store,
    clock: Clock,
    readiness: Readiness,
    stop: watch::Sender<bool>,
    listeners: JoinSet<()>,
    guards: Arc<Guards>,
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
        let (bound, config) = Bound::bind(config).await?;
        let parts = Parts::gather(&config, store, clock).await?;
        let servers = parts.servers(&config, &bound, data).await?;
        let (stop, stopping) = watch::channel(false);
        let listeners = bound.serve(&servers, &stopping);
        let admin = parts.administer(&config, data, servers.guards.clone(), stopping.clone())?;
        let maintenance = maintenance::run(
            parts.store.clone(),
            parts.clock.clone(),
            servers.certificate_ends,
            servers.guards.clone(),
            stopping,
        );
        lock.describe(&format!("at {}", parts.addresses.authorization_server));
        warn_of_others(&config);
        parts.readiness.begin();
        Ok(Self {
            store: parts.store,
            clock: parts.clock,
            readiness: parts.readiness,
            stop,
            listeners,
            guards: servers.guards,
            admin,
            maintenance: tokio::spawn(maintenance),
            data: data.clone(),
            _lock: lock,
        })
    }

    /// Where everything is.
    pub(crate) fn addresses(&self) -> Addresses {
        self.guards.addresses()
    }

    /// Whether a command of the administration has to name the workspace.
    pub(crate) fn has_several_workspaces(&self) -> bool {
        self.store.workspaces().list().len() > 1
    }

    /// Writes the addresses into a file, now and whenever they change.
    pub(crate) fn keep_addresses_in(&self, file: &Path) -> Result<(), CommandError> {
        self.guards.keep_addresses_in(file)
    }

    /// The one-time link for the first administrator, or for one who has no password yet, and whom it is
    /// for; `None` as soon as an administrator has one.
    pub(crate) async fn start_link(&self) -> Option<(String, Option<String>)> {
        let links = self.store.setup_links();
        match links
            .issue_at_start((self.clock)(), &mut SystemRandom)
            .await
        {
            Ok(link) => link.map(|link| {
                let url = format!("{}setup/{}", self.addresses().console, link.secret.expose());
                (url, link.email.map(|email| email.to_string()))
            }),
            Err(error) => {
                tracing::warn!(%error, "there is no set-up link");
                None
            }
        }
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
        self.guards.stop(SETTLE_TIME).await;
        self.store.close().await;
    }
}

fn warn_of_others(config: &Config) {
    let listeners = config.listen.public_in_clear().join(", ");
    if !listeners.is_empty() {
        tracing::warn!(
            %listeners,
            "other machines can reach listeners that speak plain HTTP: put TLS in front of them"
        );
    }
    if config.listen.is_tls_public() {
        tracing::warn!(
            "other machines can reach the TLS listener: its certificate authority is meant for tests"
        );
    }
}

/// How long changes whose caller is gone may go on.
const SETTLE_TIME: Duration = Duration::from_secs(5);

/// How long the store may take to show that it is there, when readiness is asked for.
const STORE_TIME: Duration = Duration::from_secs(2);

/// What the servers are built from.
struct Parts {
    apis: Served,
    issuers: Issuers,
    expectation: Expectation,
    store: Store,
    addresses: Addresses,
    clock: Clock,
    readiness: Readiness,
}

impl Parts {
    async fn gather(config: &Config, store: Store, clock: Clock) -> Result<Self, CommandError> {
        let addresses = Addresses::configured(config);
        let issuers = Issuers::of(config, &addresses)?;
        Ok(Self {
            apis: config.api.load()?,
            expectation: expectation(&issuers, &store, clock()).await?,
            issuers,
            store,
            addresses,
            clock,
            readiness: Readiness::default(),
        })
    }

    /// What is served; everything that counts is registered before the metrics are.
    async fn servers(
        &self,
        config: &Config,
        bound: &Bound,
        data: &DataDirectory,
    ) -> Result<Servers, CommandError> {
        let mut registry = Registry::default();
        register_process(&mut registry, (self.clock)());
        let counted = listener::Metrics::new(&mut registry);
        let Platform { plain, named } = self.platform(config, &mut registry)?;
        let calls = hallpass_resource_server::Metrics::new(&mut registry);
        let guards = Guards::start(Making {
            store: self.store.clone(),
            definition: self.apis.whole().clone(),
            expectation: self.expectation.clone(),
            addresses: self.addresses.clone(),
            config: config.clone(),
            clock: self.clock.clone(),
            calls,
            counted: counted.clone(),
        })
        .await?;
        let instances = bound.instances().map(|name| {
            let unknown =
                || CommandError::usage(format!("there is no application instance {name}"));
            guards.find(name).ok_or_else(unknown)
        });
        let instances = instances.collect::<Result<Vec<_>, _>>()?;
        let mut certificate_ends = None;
        let by_name = match named {
            None => None,
            Some(named) => {
                let certificate = Certificate::of(data, (self.clock)())?;
                certificate_ends = certificate.ends();
                Some((
                    ByName::new(named, guards.clone()),
                    certificate.server_config()?,
                ))
            }
        };
        Ok(Servers {
            platform: plain,
            metrics: metrics(registry),
            instances,
            guards,
            by_name,
            certificate_ends,
            counted,
        })
    }

    /// Takes the commands of `hallpass admin`.
    fn administer(
        &self,
        config: &Config,
        data: &DataDirectory,
        guards: Arc<Guards>,
        stopping: watch::Receiver<bool>,
    ) -> Result<JoinHandle<()>, CommandError> {
        let socket = admin_socket::bind(&data.admin_socket())?;
        let administration = Arc::new(Administration {
            store: self.store.clone(),
            addresses: self.addresses.clone(),
            keys_max_age: config.keys_max_age(),
            guards,
            config: config.clone(),
            clock: self.clock.clone(),
        });
        Ok(tokio::spawn(admin_socket::serve(
            socket,
            administration,
            stopping,
        )))
    }

    /// Authorization server, console and health, under each name.
    fn platform(&self, config: &Config, registry: &mut Registry) -> Result<Platform, CommandError> {
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
        let names = self.addresses.instances.keys();
        let real = names.filter_map(|name| Some((name.clone(), hosts::base_url_of(name)?)));
        let real_instances = real.collect();
        let settings = self.console_settings(config);
        let addresses = settings.addresses.clone();
        let by_hand = platform::by_hand(&authorization_server);
        let clock = self.clock.clone();
        let parts = platform::Parts {
            authorization_server,
            console: Console::new(self.store.for_console(), settings, by_hand, clock),
            addresses,
            real_instances,
            health: self.health(),
            explorers: Explorers::of(config, &self.addresses, &self.store, &self.clock),
            apis: self.apis.clone(),
        };
        Ok(parts.routers(&self.issuers, &self.addresses))
    }

    fn console_settings(&self, config: &Config) -> hallpass_console::Settings {
        let base_url = &self.addresses.authorization_server;
        hallpass_console::Settings {
            expectation: self.expectation.clone(),
            addresses: hallpass_console::Addresses {
                console: base_url.clone(),
                token_url: self.addresses.token_url.clone(),
                jwks_url: format!("{base_url}{}", config.jwks_path()),
                instances: self.addresses.instances.clone(),
            },
            first_call: first_call(self.apis.whole()),
            definition: self.apis.whole().clone(),
            neighbour: neighbour(config),
        }
    }

    fn health(&self) -> axum::Router {
        let store = self.store.clone();
        health(self.readiness.clone(), STORE_TIME, move || {
            let store = store.clone();
            async move { store.ready().await }
        })
    }
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

/// The path of the call that the console's code samples make: the storage systems, which everybody may
/// list, or whatever can be listed without knowing anything.
fn first_call(definition: &Definition) -> String {
    let operations = definition.operations().iter();
    let mut plain = operations.filter(|operation| {
        let asks = operation.parameters().iter().any(|one| one.required);
        *operation.method() == http::Method::GET && !asks && !operation.path().contains('{')
    });
    let first = plain.clone().next();
    let systems = plain.find(|operation| operation.path().ends_with("/storage-systems"));
    systems
        .or(first)
        .map_or_else(|| "/".to_owned(), |operation| operation.path().to_owned())
}

/// What every verifier asks for; the instance is filled in per server.
async fn expectation(
    issuers: &Issuers,
    store: &Store,
    now: jiff::Timestamp,
) -> Result<Expectation, CommandError> {
    let wrong = |error: &dyn std::error::Error| {
        CommandError::caused(Exit::Usage, "the issuer cannot be used", error)
    };
    let issuers = store
        .use_issuers(&issuers.all(), now)
        .await
        .map_err(|error| wrong(&error))?;
    let audience = Audience::parse(AUDIENCE).map_err(|error| wrong(&error))?;
    Ok(Expectation {
        issuers,
        audience,
        instance: ApplicationInstanceId::platform(),
    })
}
