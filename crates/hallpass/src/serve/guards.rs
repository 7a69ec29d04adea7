//! The guards of all application instances: those whose listeners the configuration names, and those
//! that administrators make while the server runs. Each has its listener before the change that wants it
//! is written, and answers when the change is told.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hallpass_oauth::Expectation;
use hallpass_openapi::Definition;
use hallpass_resource_server::ResourceServer;
use hallpass_resource_server::listener::{self, Kind, Site};
use hallpass_store::instances::InstanceServers;
use hallpass_store::{ApplicationInstance, Clock, Store};
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::command::CommandError;
use crate::serve::listening::limits;
use crate::serve::{Addresses, Config};

/// What guards are made from.
pub(super) struct Making {
    pub(super) store: Store,
    pub(super) definition: Arc<Definition>,
    pub(super) expectation: Expectation,
    pub(super) addresses: Addresses,
    pub(super) config: Config,
    pub(super) clock: Clock,
    /// Calls, counted for all of them.
    pub(super) calls: hallpass_resource_server::Metrics,
    /// Connections and requests, counted for every listener.
    pub(super) counted: listener::Metrics,
}

/// The guards that run.
pub(super) struct Guards {
    making: Making,
    running: Mutex<BTreeMap<String, Guard>>,
    /// Listeners that were opened for a change under way.
    opened: Mutex<Vec<TcpListener>>,
    /// Where the addresses are kept for scripts.
    address_file: Mutex<Option<PathBuf>>,
    /// Listeners that take no more connections, whose requests come to their end.
    ending: Mutex<Vec<JoinHandle<()>>>,
}

struct Guard {
    server: Arc<ResourceServer>,
    listener: Option<Listener>,
}

/// A listener that is not in the configuration.
struct Listener {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

/// How many listeners share the open files with one that is opened later.
const LISTENERS: usize = 16;

impl Guards {
    /// Makes the guards of all instances, with the listeners that are theirs.
    pub(super) async fn start(making: Making) -> Result<Arc<Self>, CommandError> {
        let guards = Arc::new(Self {
            making,
            running: Mutex::default(),
            opened: Mutex::default(),
            address_file: Mutex::default(),
            ending: Mutex::default(),
        });
        let workspaces = guards.making.store.workspaces();
        for instance in workspaces.instances() {
            let Some(wanted) = guards.own_listener(&instance) else {
                continue;
            };
            let address = guards.open(wanted).map_err(|error| {
                let what = format!("{} cannot listen on {wanted}: {error}", instance.name);
                CommandError::refused(what).hint(format!(
                    "stop what listens there, or stop it and run `hallpass admin instance change {} \
                     --listen 127.0.0.1:0`",
                    instance.name
                ))
            })?;
            if address != wanted {
                let kept = workspaces.remember_listener(&instance.id, address).await;
                kept.map_err(CommandError::from)?;
            }
        }
        guards.changed(&workspaces.instances());
        workspaces.attend(guards.clone());
        Ok(guards)
    }

    /// The guard of that short name.
    pub(super) fn find(&self, name: &str) -> Option<Arc<ResourceServer>> {
        let running = lock(&self.running);
        running.get(name).map(|guard| guard.server.clone())
    }

    /// The guard whose base URL has that host.
    pub(super) fn at_host(&self, host: &str) -> Option<Arc<ResourceServer>> {
        let instances = self.making.store.workspaces().instances();
        let mut instances = instances.iter().filter(|instance| {
            let url = instance.base_url.as_ref();
            url.is_some_and(|url| url.host().eq_ignore_ascii_case(host))
        });
        self.find(&instances.next()?.name)
    }

    /// All of them, by their short names.
    pub(super) fn all(&self) -> Vec<(String, Arc<ResourceServer>)> {
        let running = lock(&self.running);
        let all = running.iter();
        all.map(|(name, guard)| (name.clone(), guard.server.clone()))
            .collect()
    }

    /// Where everything is at this moment.
    pub(super) fn addresses(&self) -> Addresses {
        let instances = self.making.store.workspaces().instances();
        self.making.addresses.knowing(&instances)
    }

    /// Writes the addresses into a file, now and whenever they change.
    pub(super) fn keep_addresses_in(&self, file: &Path) -> Result<(), CommandError> {
        let mut kept = lock(&self.address_file);
        self.addresses().write(file)?;
        *kept = Some(file.to_owned());
        Ok(())
    }

    /// Takes no new connections, and waits until requests and changes have come to their end.
    pub(super) async fn stop(&self, settle_time: Duration) {
        lock(&self.address_file).take();
        let mut servers = Vec::new();
        for (_, guard) in std::mem::take(&mut *lock(&self.running)) {
            self.end(guard.listener);
            servers.push(guard.server);
        }
        let ending = std::mem::take(&mut *lock(&self.ending));
        for task in ending {
            let _ = task.await;
        }
        let settled = async {
            for server in &servers {
                server.settle().await;
            }
        };
        if tokio::time::timeout(settle_time, settled).await.is_err() {
            tracing::warn!("changes were still under way when the server stopped");
        }
    }

    fn is_configured(&self, instance: &ApplicationInstance) -> bool {
        let configured = &self.making.config.listen.instances;
        configured.contains_key(&instance.name)
    }

    /// Where an instance listens that the configuration does not know.
    fn own_listener(&self, instance: &ApplicationInstance) -> Option<SocketAddr> {
        instance.listen.filter(|_| !self.is_configured(instance))
    }

    /// Whether it is served here: those of every system only where the configuration wants them.
    fn is_served(&self, instance: &ApplicationInstance) -> bool {
        self.is_configured(instance) || !instance.is_first()
    }

    fn make(&self, instance: &ApplicationInstance) -> Result<Guard, CommandError> {
        let making = &self.making;
        let settings = hallpass_resource_server::Settings {
            expectation: Expectation {
                instance: instance.id.clone(),
                ..making.expectation.clone()
            },
            base_url: making.addresses.of_instance(instance).unwrap_or_default(),
            definition: making.definition.clone(),
            stand_in: making.config.stand_in(),
            faults: Arc::new(making.config.faults(&making.definition)?),
            audit_reads: making.config.audit.reads,
            upstream_time: Duration::from_secs(making.config.upstream.seconds.unsigned_abs()),
        };
        let server = ResourceServer::new(
            making.store.for_resource_server(),
            settings,
            making.clock.clone(),
            making.calls.clone(),
        );
        Ok(Guard {
            server: Arc::new(server),
            listener: None,
        })
    }

    /// Serves a guard where its instance wants to listen now.
    fn listen(&self, instance: &ApplicationInstance, guard: &mut Guard) {
        let wanted = self.own_listener(instance);
        let present = guard.listener.as_ref().map(|listener| listener.address);
        if wanted == present {
            return;
        }
        self.end(guard.listener.take());
        let Some(address) = wanted else { return };
        match self.serve(instance, address, guard.server.clone()) {
            Ok(listener) => guard.listener = Some(listener),
            Err(error) => {
                tracing::error!(error = %error, instance = instance.name, %address, "nothing listens");
            }
        }
    }

    fn serve(
        &self,
        instance: &ApplicationInstance,
        address: SocketAddr,
        server: Arc<ResourceServer>,
    ) -> std::io::Result<Listener> {
        let mut opened = lock(&self.opened);
        let known = opened
            .iter()
            .position(|socket| socket.local_addr().is_ok_and(|known| known == address));
        let socket = match known {
            Some(known) => opened.swap_remove(known),
            None => bind(address)?,
        };
        if !address.ip().is_loopback() {
            tracing::warn!(
                instance = instance.name,
                "other machines can reach a listener that speaks plain HTTP: put TLS in front of it"
            );
        }
        let socket = tokio::net::TcpListener::from_std(socket)?;
        let site = Site::new(&instance.name, Kind::ResourceServer, &self.making.counted);
        let (stop, stopping) = watch::channel(false);
        let answer = move |request, peer| {
            let server = server.clone();
            async move { server.handle(request, peer).await }
        };
        let serving = listener::serve(socket, site, limits(LISTENERS), stopping, answer);
        Ok(Listener {
            address,
            stop,
            task: tokio::spawn(serving),
        })
    }

    fn end(&self, listener: Option<Listener>) {
        let Some(Listener { stop, task, .. }) = listener else {
            return;
        };
        let _ = stop.send(true);
        let mut ending = lock(&self.ending);
        ending.retain(|task| !task.is_finished());
        ending.push(task);
    }
}

impl InstanceServers for Guards {
    fn open(&self, address: SocketAddr) -> std::io::Result<SocketAddr> {
        let socket = bind(address)?;
        let address = socket.local_addr()?;
        lock(&self.opened).push(socket);
        Ok(address)
    }

    fn changed(&self, instances: &[Arc<ApplicationInstance>]) {
        let mut running = lock(&self.running);
        let mut before = std::mem::take(&mut *running);
        let served = instances.iter().filter(|one| self.is_served(one));
        for instance in served.filter(|one| !one.is_platform()) {
            let known = before.remove(&instance.name).map(Ok);
            match known.unwrap_or_else(|| self.make(instance)) {
                Ok(mut guard) => {
                    self.listen(instance, &mut guard);
                    running.insert(instance.name.clone(), guard);
                }
                Err(error) => {
                    tracing::error!(error = error.message(), "an instance is not served");
                }
            }
        }
        for (_, gone) in before {
            self.end(gone.listener);
        }
        drop(running);
        lock(&self.opened).clear();
        if let Some(file) = lock(&self.address_file).as_deref()
            && let Err(error) = self.making.addresses.knowing(instances).write(file)
        {
            tracing::error!(
                error = error.message(),
                "the address file is not true any more"
            );
        }
    }
}

/// Binds a listener at once.
fn bind(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = TcpListener::bind(address)?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

/// Nothing that holds one of these can stop half way.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
