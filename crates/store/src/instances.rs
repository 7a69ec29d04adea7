//! Application instances: a service in a region, with what answers behind it (domain facts, section 5).
//! All workspaces share them; whose people may change them is decided by whoever asks.

mod url;

use std::net::SocketAddr;
use std::sync::Arc;

use hallpass_access::name::{BadName, name};
use hallpass_oauth::{ApplicationInstanceId, WorkspaceId};
use jiff::Timestamp;
use rand_core::CryptoRng;
use sqlx::SqliteConnection;

use crate::audit::{AuditEvent, AuditResource, AuditRow, AuditState, random_uuid};
use crate::database::nanoseconds;
use crate::directory::Directory;
use crate::people::PersonRow;
use crate::projection::Projection;
use crate::workspaces::Workspaces;
use crate::{Actor, Store, StoreError};

pub use url::{BaseUrl, InvalidUrl, UpstreamUrl, is_refused};

/// Longest title and region, in characters.
const LONGEST_TEXT: usize = 100;

/// A service in a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationInstance {
    /// Its id.
    pub id: ApplicationInstanceId,
    /// The short word of the command line and the address file.
    pub name: String,
    /// The name that people read.
    pub title: String,
    /// Where the service is; empty where nothing was said.
    pub region: String,
    /// The URL that its clients know, where that does not follow from its listener.
    pub base_url: Option<BaseUrl>,
    /// What answers behind it.
    pub origin: Origin,
    /// Where it listens, where the configuration does not say so.
    pub listen: Option<SocketAddr>,
    /// Whether it takes calls.
    pub enabled: bool,
}

/// What answers permitted calls.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The stand-in of the caller's workspace.
    Sandbox,
    /// Another server.
    Upstream(Upstream),
}

/// A server that calls are passed on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Upstream {
    /// Where it is.
    pub url: UpstreamUrl,
    /// Whether it gets the caller's access token.
    pub passes_token: bool,
}

impl ApplicationInstance {
    /// Whether this is the platform itself, whose listener and origin are this system's own.
    pub fn is_platform(&self) -> bool {
        self.id == ApplicationInstanceId::platform()
    }

    /// Whether it is one of those that every system has, which can be changed and not removed.
    pub fn is_first(&self) -> bool {
        FIRST_INSTANCES.iter().any(|first| first.name == self.name)
    }
}

/// An instance of every first start.
pub(crate) struct FirstInstance {
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    pub(crate) region: &'static str,
    /// Where the real one is known (domain facts, sections 2.3 and 5).
    pub(crate) id: Option<&'static str>,
}

pub(crate) const FIRST_INSTANCES: [FirstInstance; 4] = [
    FirstInstance {
        name: "eu1",
        title: "Data Services Cloud Console ( EU Central )",
        region: "EU Central",
        id: None,
    },
    FirstInstance {
        name: "jp1",
        title: "Data Services Cloud Console ( AP Northeast )",
        region: "AP Northeast",
        id: None,
    },
    FirstInstance {
        name: "us1",
        title: "Data Services Cloud Console ( US West )",
        region: "US West",
        id: Some("3c18bd03-8306-4c7c-942e-c704a4b8744c"),
    },
    FirstInstance {
        name: "global",
        title: "HPE GreenLake platform",
        region: "",
        id: Some("00000000-0000-0000-0000-000000000000"),
    },
];

/// An instance to be made.
#[derive(Debug, Clone)]
pub struct NewInstance {
    /// The short word.
    pub name: String,
    /// The name that people read.
    pub title: String,
    /// Where the service is.
    pub region: String,
    /// The URL that its clients know, where that does not follow from its listener.
    pub base_url: Option<BaseUrl>,
    /// What answers behind it.
    pub origin: Origin,
    /// Where it listens; port 0 is a free one.
    pub listen: Option<SocketAddr>,
    /// Whether it takes calls.
    pub enabled: bool,
}

/// What is to be different; the rest stays.
#[derive(Debug, Clone, Default)]
pub struct InstanceChange {
    /// The name that people read.
    pub title: Option<String>,
    /// Where the service is.
    pub region: Option<String>,
    /// The URL that its clients know; `Some(None)` lets it follow from the listener again.
    pub base_url: Option<Option<BaseUrl>>,
    /// What answers behind it.
    pub origin: Option<Origin>,
    /// Where it listens; `Some(None)` is nowhere.
    pub listen: Option<Option<SocketAddr>>,
    /// Whether it takes calls.
    pub enabled: Option<bool>,
}

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum InstanceError {
    /// Another one has the name.
    #[error("an application instance named `{0}` exists")]
    NameTaken(String),
    /// The name is no short word.
    #[error(
        "the name of an application instance has 1 to 32 lower-case letters, digits and hyphens, and \
         begins with a letter"
    )]
    BadName,
    /// A title or region is none.
    #[error("{what} {why}")]
    BadText {
        /// Which of them.
        what: &'static str,
        /// What is wrong with it.
        why: BadName,
    },
    /// Another one has the host and port of the base URL.
    #[error("`{0}` has a base URL with the same host and port")]
    BaseUrlTaken(String),
    /// No such instance.
    #[error("there is no application instance {0}")]
    Unknown(String),
    /// The instance is the platform.
    #[error("`{0}` is the platform itself: only its title and region can be changed")]
    Platform(String),
    /// Every system has it.
    #[error("every system has `{0}`: it can be switched off and not removed")]
    First(String),
    /// The configuration says where it listens.
    #[error("where `{0}` listens is said in the configuration, under [listen.instances]")]
    Configured(String),
    /// Credentials are for it.
    #[error("{credentials} credentials are for `{name}`")]
    InUse {
        /// Its short name.
        name: String,
        /// How many.
        credentials: usize,
    },
    /// The listener could not be opened.
    #[error("it cannot listen on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Why not.
        source: std::io::Error,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for InstanceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Whoever serves instances while they change. Both are called within the change, so that what was
/// changed is there when its answer is.
pub trait InstanceServers: Send + Sync {
    /// Opens a listener for an instance that is about to be made or moved, and gives its address with
    /// the port that was free. It is served when [`Self::changed`] is called next, or let go.
    fn open(&self, address: SocketAddr) -> std::io::Result<SocketAddr>;

    /// Instances have changed, or a change was not made after all.
    fn changed(&self, instances: &[Arc<ApplicationInstance>]);
}

/// Application instances as a resource server sees them.
#[derive(Clone)]
pub struct Instances(Arc<Projection>);

impl Instances {
    pub(crate) fn new(projection: Arc<Projection>) -> Self {
        Self(projection)
    }

    /// The instance of that id, as it is now.
    pub fn find(&self, id: &ApplicationInstanceId) -> Option<Arc<ApplicationInstance>> {
        self.0.instance(id)
    }
}

impl Workspaces {
    /// All application instances.
    pub fn instances(&self) -> Vec<Arc<ApplicationInstance>> {
        self.0.projection.directory.load().instances.clone()
    }

    /// The instance of that short name or id.
    pub fn find_instance(&self, word: &str) -> Option<Arc<ApplicationInstance>> {
        self.instances()
            .into_iter()
            .find(|known| known.name == word || known.id.as_str() == word)
    }

    /// How many credentials are for it, in all workspaces.
    pub fn credentials_for(&self, id: &ApplicationInstanceId) -> usize {
        let credentials = self.0.projection.credentials.pin();
        let for_it = credentials.values().filter(|live| live.row.instance == *id);
        for_it.count()
    }

    /// From now on these are asked and told when instances change.
    pub fn attend(&self, servers: Arc<dyn InstanceServers>) {
        // The first who serve are the ones: a store belongs to one system.
        let _ = self.0.instance_servers.set(servers);
    }

    /// Makes an instance.
    pub async fn create_instance(
        &self,
        new: NewInstance,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Arc<ApplicationInstance>, InstanceError> {
        let made = ApplicationInstance {
            id: ApplicationInstanceId::generate(rng),
            name: checked_name(&new.name)?,
            title: checked("the title", &new.title)?,
            region: checked_region(&new.region)?,
            base_url: new.base_url,
            origin: new.origin,
            listen: new.listen,
            enabled: new.enabled,
        };
        let told = Told::new("created", actor, now, rng);
        let store = self.0.clone();
        self.0
            .uninterrupted(async move { insert(&store, made, told).await })
            .await
    }

    /// Changes an instance; its next call sees it.
    pub async fn change_instance(
        &self,
        id: &ApplicationInstanceId,
        change: InstanceChange,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Arc<ApplicationInstance>, InstanceError> {
        let told = Told::new("changed", actor, now, rng);
        let (store, id) = (self.0.clone(), id.clone());
        self.0
            .uninterrupted(async move { update(&store, &id, change, told).await })
            .await
    }

    /// Removes an instance, what its stand-ins have kept and the roles that people have on it. Its
    /// credentials must go too: `with_credentials` says so.
    pub async fn remove_instance(
        &self,
        id: &ApplicationInstanceId,
        with_credentials: bool,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), InstanceError> {
        let told = Told::new("removed", actor, now, rng);
        let (store, id) = (self.0.clone(), id.clone());
        self.0
            .uninterrupted(async move { delete(&store, &id, with_credentials, told).await })
            .await
    }

    /// Keeps the port that was free when an instance was served for the first time.
    pub async fn remember_listener(
        &self,
        id: &ApplicationInstanceId,
        address: SocketAddr,
    ) -> Result<(), InstanceError> {
        let (store, id) = (self.0.clone(), id.clone());
        self.0
            .uninterrupted(async move {
                let mut instance = known(&store.projection.directory.load(), &id)?;
                instance.listen = Some(address);
                let mut transaction = store.database.begin().await?;
                write(&mut transaction, &instance).await?;
                transaction.commit().await?;
                put(&store, instance);
                Ok(())
            })
            .await
    }
}

impl InstanceChange {
    fn apply(self, instance: &mut ApplicationInstance) -> Result<(), InstanceError> {
        let of_service = self.base_url.is_some()
            || self.origin.is_some()
            || self.listen.is_some()
            || self.enabled.is_some();
        if instance.is_platform() && of_service {
            return Err(InstanceError::Platform(instance.name.clone()));
        }
        if instance.is_first() && self.listen.is_some() {
            return Err(InstanceError::Configured(instance.name.clone()));
        }
        if let Some(title) = self.title {
            instance.title = checked("the title", &title)?;
        }
        if let Some(region) = self.region {
            instance.region = checked_region(&region)?;
        }
        if let Some(base_url) = self.base_url {
            instance.base_url = base_url;
        }
        if let Some(origin) = self.origin {
            instance.origin = origin;
        }
        if let Some(listen) = self.listen {
            instance.listen = listen;
        }
        instance.enabled = self.enabled.unwrap_or(instance.enabled);
        Ok(())
    }
}

fn checked_name(name: &str) -> Result<String, InstanceError> {
    let name = name.trim();
    let known = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    let begins = name.bytes().next().is_some_and(|b| b.is_ascii_lowercase());
    if begins && name.len() <= 32 && name.bytes().all(known) {
        Ok(name.to_owned())
    } else {
        Err(InstanceError::BadName)
    }
}

fn checked(what: &'static str, text: &str) -> Result<String, InstanceError> {
    name(text, LONGEST_TEXT).map_err(|why| InstanceError::BadText { what, why })
}

fn checked_region(text: &str) -> Result<String, InstanceError> {
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    checked("the region", text)
}

/// Who changes something, and when. The event stands in the log of the workspace that operates the
/// system.
struct Told {
    id: String,
    what: String,
    actor: Actor,
    now: Timestamp,
}

impl Told {
    fn new(what: &str, actor: &Actor, now: Timestamp, rng: &mut dyn CryptoRng) -> Self {
        Self {
            id: random_uuid(rng),
            what: what.to_owned(),
            actor: actor.clone(),
            now,
        }
    }

    fn event(self, about: &ApplicationInstance, operating: Option<WorkspaceId>) -> AuditEvent {
        let Self {
            id,
            what,
            actor,
            now,
        } = self;
        let message = format!("Application instance {} {what}", about.name);
        AuditEvent {
            workspace: operating,
            source_ip: actor.address,
            user_email: actor.email,
            client_id: actor.client_id,
            permission: "workspace.update".to_owned(),
            resource: AuditResource {
                id: about.id.to_string(),
                name: about.name.clone(),
                kind: "application-instance".to_owned(),
            },
            ..AuditEvent::identified(id, AuditState::Success, message, actor.source, now)
        }
    }
}

async fn insert(
    store: &Store,
    mut made: ApplicationInstance,
    told: Told,
) -> Result<Arc<ApplicationInstance>, InstanceError> {
    let directory = store.projection.directory.load_full();
    if directory.instances.iter().any(|i| i.name == made.name) {
        return Err(InstanceError::NameTaken(made.name));
    }
    check_base_url(&directory, &made)?;
    open(store, &mut made.listen)?;
    let created_at = told.now;
    let event = told.event(&made, operating(&directory));
    let written = async {
        let mut transaction = store.database.begin().await?;
        sqlx::query(
            "INSERT INTO application_instance (id, name, title, created_at) VALUES ($1, $2, $3, $4)",
        )
        .bind(made.id.as_str())
        .bind(&made.name)
        .bind(&made.title)
        .bind(nanoseconds(created_at))
        .execute(&mut *transaction)
        .await?;
        write(&mut transaction, &made).await?;
        AuditRow::new(event).insert(&mut transaction).await?;
        Ok(transaction.commit().await?)
    };
    told_servers(store, written.await)?;
    Ok(put(store, made))
}

async fn update(
    store: &Store,
    id: &ApplicationInstanceId,
    change: InstanceChange,
    mut told: Told,
) -> Result<Arc<ApplicationInstance>, InstanceError> {
    let directory = store.projection.directory.load_full();
    let before = known(&directory, id)?;
    let mut changed = before.clone();
    change.apply(&mut changed)?;
    check_base_url(&directory, &changed)?;
    if changed.listen != before.listen {
        open(store, &mut changed.listen)?;
    }
    told.what = difference(&before, &changed);
    let event = told.event(&changed, operating(&directory));
    let written = async {
        let mut transaction = store.database.begin().await?;
        write(&mut transaction, &changed).await?;
        AuditRow::new(event).insert(&mut transaction).await?;
        Ok(transaction.commit().await?)
    };
    told_servers(store, written.await)?;
    Ok(put(store, changed))
}

/// What happened to an instance, and what it has now: whoever looks for the reason of a trouble asks the
/// audit log.
fn difference(before: &ApplicationInstance, now: &ApplicationInstance) -> String {
    let did = match (before.enabled, now.enabled) {
        (false, true) => "switched on",
        (true, false) => "switched off",
        _ => "changed",
    };
    let mut words = Vec::new();
    if before.title != now.title {
        words.push(format!("title {:?}", now.title));
    }
    if before.region != now.region {
        words.push(format!("region {:?}", now.region));
    }
    if before.base_url != now.base_url {
        let own = || "the base URL of its listener".to_owned();
        let given = now.base_url.as_ref().map(|url| format!("base URL {url}"));
        words.push(given.unwrap_or_else(own));
    }
    if before.origin != now.origin {
        words.push(match &now.origin {
            Origin::Sandbox => "the stand-in answers".to_owned(),
            Origin::Upstream(Upstream { url, passes_token }) => {
                let token = if *passes_token {
                    ", which gets the access tokens"
                } else {
                    ""
                };
                format!("upstream {url}{token}")
            }
        });
    }
    if before.listen != now.listen {
        let given = now.listen.map(|address| format!("listens on {address}"));
        words.push(given.unwrap_or_else(|| "no listener of its own".to_owned()));
    }
    if words.is_empty() {
        return did.to_owned();
    }
    format!("{did}: {}", words.join(", "))
}

async fn delete(
    store: &Store,
    id: &ApplicationInstanceId,
    with_credentials: bool,
    told: Told,
) -> Result<(), InstanceError> {
    let directory = store.projection.directory.load_full();
    let instance = known(&directory, id)?;
    if instance.is_first() {
        return Err(InstanceError::First(instance.name));
    }
    let credentials = Workspaces::new(store.clone()).credentials_for(id);
    if credentials > 0 && !with_credentials {
        let name = instance.name;
        return Err(InstanceError::InUse { name, credentials });
    }
    let event = told.event(&instance, operating(&directory));
    let mut transaction = store.database.begin().await?;
    for statement in [
        "DELETE FROM credential WHERE instance_id = $1",
        "DELETE FROM role_assignment WHERE instance_id = $1",
        "DELETE FROM sandbox_journal WHERE instance_id = $1",
        "DELETE FROM sandbox_snapshot WHERE instance_id = $1",
        "DELETE FROM sandbox_snapshot_part WHERE instance_id = $1",
        "DELETE FROM application_instance WHERE id = $1",
    ] {
        sqlx::query(statement)
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
    }
    AuditRow::new(event).insert(&mut transaction).await?;
    transaction.commit().await?;
    Ok(forget(store, id)?)
}

fn forget(store: &Store, id: &ApplicationInstanceId) -> Result<(), StoreError> {
    let credentials = store.projection.credentials.pin();
    credentials.retain(|_, live| live.row.instance != *id);
    let people = store.projection.people.pin();
    for live in people.values() {
        let mut row = PersonRow::of(live);
        row.roles.retain(|(on, _)| on.as_ref() != Some(id));
        if row.roles.len() < live.assigned.len() {
            store.projection.put_person(&row)?;
        }
    }
    let mut changed = (*store.projection.directory.load_full()).clone();
    changed.instances.retain(|known| known.id != *id);
    publish(store, changed);
    Ok(())
}

fn known(
    directory: &Directory,
    id: &ApplicationInstanceId,
) -> Result<ApplicationInstance, InstanceError> {
    let known = directory.instance(id);
    let known = known.ok_or_else(|| InstanceError::Unknown(id.to_string()))?;
    Ok((**known).clone())
}

/// Behind one host and port there is one instance: requests are told apart by nothing else.
fn check_base_url(directory: &Directory, one: &ApplicationInstance) -> Result<(), InstanceError> {
    let Some(url) = &one.base_url else {
        return Ok(());
    };
    let mut others = directory.instances.iter().filter(|i| i.id != one.id);
    let taken = others.find(|other| {
        let base_url = other.base_url.as_ref();
        base_url.is_some_and(|known| known.shares_host_with(url))
    });
    match taken {
        Some(other) => Err(InstanceError::BaseUrlTaken(other.name.clone())),
        None => Ok(()),
    }
}

/// Opens the listener where something serves: before the change is written, since it may not work.
fn open(store: &Store, listen: &mut Option<SocketAddr>) -> Result<(), InstanceError> {
    let (Some(address), Some(servers)) = (listen.as_mut(), store.instance_servers.get()) else {
        return Ok(());
    };
    let opened = servers.open(*address);
    *address = opened.map_err(|source| InstanceError::Listen {
        address: *address,
        source,
    })?;
    Ok(())
}

/// After a failed write the listener that was opened for it is let go.
fn told_servers<T>(store: &Store, written: Result<T, InstanceError>) -> Result<T, InstanceError> {
    if written.is_err()
        && let Some(servers) = store.instance_servers.get()
    {
        servers.changed(&store.projection.directory.load().instances);
    }
    written
}

fn operating(directory: &Directory) -> Option<WorkspaceId> {
    directory.operating().map(|known| known.id.clone())
}

async fn write(
    connection: &mut SqliteConnection,
    instance: &ApplicationInstance,
) -> Result<(), StoreError> {
    let upstream = match &instance.origin {
        Origin::Sandbox => None,
        Origin::Upstream(upstream) => Some(upstream),
    };
    sqlx::query(
        "UPDATE application_instance SET title = $1, region = $2, base_url = $3, origin = $4, \
         passes_token = $5, listen = $6, enabled = $7 WHERE id = $8",
    )
    .bind(&instance.title)
    .bind(&instance.region)
    .bind(instance.base_url.as_ref().map(BaseUrl::as_str))
    .bind(upstream.map(|upstream| upstream.url.as_str()))
    .bind(i64::from(
        upstream.is_some_and(|upstream| upstream.passes_token),
    ))
    .bind(instance.listen.map(|address| address.to_string()))
    .bind(i64::from(instance.enabled))
    .bind(instance.id.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

fn put(store: &Store, instance: ApplicationInstance) -> Arc<ApplicationInstance> {
    let instance = Arc::new(instance);
    let mut changed = (*store.projection.directory.load_full()).clone();
    changed.instances.retain(|known| known.id != instance.id);
    changed.instances.push(instance.clone());
    changed.instances.sort_by(|a, b| a.name.cmp(&b.name));
    publish(store, changed);
    instance
}

fn publish(store: &Store, directory: Directory) {
    let directory = Arc::new(directory);
    store.projection.directory.store(directory.clone());
    if let Some(servers) = store.instance_servers.get() {
        servers.changed(&directory.instances);
    }
}
