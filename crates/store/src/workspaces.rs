//! Workspaces: each has its own people, credentials and stand-ins (domain facts, section 1.3).
//!
//! The one that was made first operates the system: its administrators look after the workspaces and
//! the application instances, which all workspaces share. Decision 0021 says why.

use std::sync::Arc;

use hallpass_access::name::{BadName, name};
use hallpass_oauth::{CustomerId, WorkspaceId};
use jiff::Timestamp;
use rand_core::CryptoRng;

use crate::audit::{AuditEvent, AuditResource, AuditRow, AuditState, random_uuid};
use crate::database::nanoseconds;
use crate::people::PersonRow;
use crate::{Actor, Store, StoreError};

/// What everything belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workspace {
    /// Its id.
    pub id: WorkspaceId,
    /// Its name, for people.
    pub name: String,
    /// What it is called in tokens, tasks and audit events.
    pub customer: CustomerId,
    /// The workspace that manages it (a managed service provider's, domain facts, section 2.7).
    pub managed_by: Option<WorkspaceId>,
}

/// Longest name of a workspace, in characters.
const LONGEST_NAME: usize = 64;

/// Workspaces and application instances.
#[derive(Clone)]
pub struct Workspaces(pub(crate) Store);

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// Another one has the name.
    #[error("a workspace named `{0}` exists")]
    NameTaken(String),
    /// The name is no name.
    #[error("the name of a workspace {0}")]
    BadName(#[from] BadName),
    /// The managing workspace does not exist.
    #[error("there is no workspace {0} to manage it")]
    UnknownManager(WorkspaceId),
    /// The managing workspace is managed itself.
    #[error("the workspace {0} is managed itself and cannot manage another")]
    ManagedManager(WorkspaceId),
    /// No such workspace.
    #[error("there is no workspace {0}")]
    Unknown(WorkspaceId),
    /// The one that looks after all others stays.
    #[error("`{0}` operates this system and cannot be removed")]
    Operating(String),
    /// There are people in it.
    #[error("`{name}` has {people} people and cannot be removed before they are")]
    Inhabited {
        /// Its name.
        name: String,
        /// How many there are.
        people: usize,
    },
    /// It manages others.
    #[error("`{name}` manages `{tenant}` and cannot be removed before that is")]
    Manages {
        /// Its name.
        name: String,
        /// One that it manages.
        tenant: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for WorkspaceError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Workspaces {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// All workspaces, the oldest first.
    pub fn list(&self) -> Vec<Arc<Workspace>> {
        self.0.projection.directory.load().workspaces.clone()
    }

    /// The workspace of that id.
    pub fn find(&self, id: &WorkspaceId) -> Option<Arc<Workspace>> {
        self.0.projection.workspace(id)
    }

    /// Whether this is the workspace whose people look after workspaces and application instances:
    /// the one that was made first (decision 0021).
    pub fn is_operating(&self, id: &WorkspaceId) -> bool {
        let directory = self.0.projection.directory.load();
        directory.operating().is_some_and(|known| known.id == *id)
    }

    /// How many people belong to it.
    pub fn people(&self, id: &WorkspaceId) -> usize {
        let people = self.0.projection.people.pin();
        people
            .values()
            .filter(|live| live.workspace.id == *id)
            .count()
    }

    /// Makes a workspace.
    pub async fn create(
        &self,
        name: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Arc<Workspace>, WorkspaceError> {
        self.create_managed(name, None, actor, now, rng).await
    }

    /// Makes a workspace that another one manages.
    pub async fn create_managed(
        &self,
        name: &str,
        managed_by: Option<WorkspaceId>,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Arc<Workspace>, WorkspaceError> {
        let workspace = Arc::new(Workspace {
            id: WorkspaceId::generate(rng),
            name: checked(name)?,
            customer: CustomerId::generate(rng),
            managed_by,
        });
        let told = Told::new(actor, now, rng);
        let (store, made) = (self.0.clone(), workspace.clone());
        self.0
            .uninterrupted(async move { insert(&store, made, told).await })
            .await?;
        Ok(workspace)
    }

    /// Gives a workspace another name.
    pub async fn rename(
        &self,
        id: &WorkspaceId,
        name: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Arc<Workspace>, WorkspaceError> {
        let (name, told) = (checked(name)?, Told::new(actor, now, rng));
        let (store, id) = (self.0.clone(), id.clone());
        self.0
            .uninterrupted(async move { rename(&store, &id, name, told).await })
            .await
    }

    /// Removes a workspace that nobody is in, and what its stand-ins have kept. Its audit events stay.
    pub async fn remove(
        &self,
        id: &WorkspaceId,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), WorkspaceError> {
        let told = Told::new(actor, now, rng);
        let (store, id) = (self.0.clone(), id.clone());
        self.0
            .uninterrupted(async move { delete(&store, &id, told).await })
            .await
    }
}

fn checked(typed: &str) -> Result<String, WorkspaceError> {
    Ok(name(typed, LONGEST_NAME)?)
}

/// Who changes something, and when, with the ids of the events that tell of it: one in the log of the
/// workspace it is about, one in the log of the workspace that operates the system.
struct Told {
    ids: [String; 2],
    actor: Actor,
    now: Timestamp,
}

impl Told {
    fn new(actor: &Actor, now: Timestamp, rng: &mut dyn CryptoRng) -> Self {
        Self {
            ids: [random_uuid(rng), random_uuid(rng)],
            actor: actor.clone(),
            now,
        }
    }

    /// The events; one where both logs are the same.
    fn events(
        self,
        about: &Workspace,
        operating: Option<&WorkspaceId>,
        what: &str,
    ) -> Vec<AuditEvent> {
        let Self { ids, actor, now } = self;
        let mut logs = vec![about.id.clone()];
        logs.extend(operating.filter(|id| **id != about.id).cloned());
        let events = ids.into_iter().zip(logs).map(|(id, log)| AuditEvent {
            workspace: Some(log),
            source_ip: actor.address.clone(),
            user_email: actor.email.clone(),
            client_id: actor.client_id.clone(),
            permission: "workspace.update".to_owned(),
            resource: AuditResource {
                id: about.id.to_string(),
                name: about.name.clone(),
                kind: "workspace".to_owned(),
            },
            ..AuditEvent::identified(id, AuditState::Success, what, actor.source, now)
        });
        events.collect()
    }
}

async fn insert(
    store: &Store,
    workspace: Arc<Workspace>,
    told: Told,
) -> Result<(), WorkspaceError> {
    let directory = store.projection.directory.load_full();
    if directory.named(&workspace.name).is_some() {
        return Err(WorkspaceError::NameTaken(workspace.name.clone()));
    }
    if let Some(manager) = &workspace.managed_by {
        let known = directory
            .workspace(manager)
            .ok_or_else(|| WorkspaceError::UnknownManager(manager.clone()))?;
        // One level, as the real system has it: an exchanged token cannot be exchanged again.
        if known.managed_by.is_some() {
            return Err(WorkspaceError::ManagedManager(manager.clone()));
        }
    }
    let now = told.now;
    let operating = directory.operating().map(|known| &known.id);
    let events = told.events(
        &workspace,
        operating,
        &format!("Workspace {} created", workspace.name),
    );
    let mut transaction = store.database.begin().await?;
    sqlx::query(
        "INSERT INTO workspace (id, name, customer_id, created_at, managed_by) \
         VALUES ($1, $2, $3, $4, $5)",
    )
    .bind(workspace.id.as_str())
    .bind(&workspace.name)
    .bind(workspace.customer.as_str())
    .bind(nanoseconds(now))
    .bind(workspace.managed_by.as_ref().map(WorkspaceId::as_str))
    .execute(&mut *transaction)
    .await?;
    for event in events {
        AuditRow::new(event).insert(&mut transaction).await?;
    }
    transaction.commit().await?;
    let mut changed = (*directory).clone();
    changed.workspaces.push(workspace);
    store.projection.directory.store(Arc::new(changed));
    Ok(())
}

async fn rename(
    store: &Store,
    id: &WorkspaceId,
    name: String,
    told: Told,
) -> Result<Arc<Workspace>, WorkspaceError> {
    let directory = store.projection.directory.load_full();
    let before = directory
        .workspace(id)
        .ok_or_else(|| WorkspaceError::Unknown(id.clone()))?;
    if directory.named(&name).is_some_and(|known| known.id != *id) {
        return Err(WorkspaceError::NameTaken(name));
    }
    let renamed = Arc::new(Workspace {
        name,
        ..(**before).clone()
    });
    let what = format!("Workspace {} renamed to {}", before.name, renamed.name);
    let operating = directory.operating().map(|known| &known.id);
    let mut transaction = store.database.begin().await?;
    sqlx::query("UPDATE workspace SET name = $1 WHERE id = $2")
        .bind(&renamed.name)
        .bind(id.as_str())
        .execute(&mut *transaction)
        .await?;
    for event in told.events(&renamed, operating, &what) {
        AuditRow::new(event).insert(&mut transaction).await?;
    }
    transaction.commit().await?;
    let mut changed = (*directory).clone();
    for known in &mut changed.workspaces {
        if known.id == *id {
            *known = renamed.clone();
        }
    }
    store.projection.directory.store(Arc::new(changed));
    let people = store.projection.people.pin();
    for live in people.values().filter(|live| live.workspace.id == *id) {
        store.projection.put_person(&PersonRow::of(live))?;
    }
    Ok(renamed)
}

async fn delete(store: &Store, id: &WorkspaceId, told: Told) -> Result<(), WorkspaceError> {
    let directory = store.projection.directory.load_full();
    let known = directory
        .workspace(id)
        .ok_or_else(|| WorkspaceError::Unknown(id.clone()))?;
    let name = known.name.clone();
    let operating = directory.operating().map(|operating| &operating.id);
    if operating == Some(id) {
        return Err(WorkspaceError::Operating(name));
    }
    let people = Workspaces(store.clone()).people(id);
    if people > 0 {
        return Err(WorkspaceError::Inhabited { name, people });
    }
    let mut others = directory.workspaces.iter();
    if let Some(tenant) = others.find(|other| other.managed_by.as_ref() == Some(id)) {
        let tenant = tenant.name.clone();
        return Err(WorkspaceError::Manages { name, tenant });
    }
    let events = told.events(known, operating, &format!("Workspace {name} removed"));
    let mut transaction = store.database.begin().await?;
    for statement in [
        "DELETE FROM sandbox_journal WHERE workspace_id = $1",
        "DELETE FROM sandbox_snapshot WHERE workspace_id = $1",
        "DELETE FROM sandbox_snapshot_part WHERE workspace_id = $1",
        "DELETE FROM role WHERE workspace_id = $1",
        "DELETE FROM workspace WHERE id = $1",
    ] {
        sqlx::query(statement)
            .bind(id.as_str())
            .execute(&mut *transaction)
            .await?;
    }
    for event in events {
        AuditRow::new(event).insert(&mut transaction).await?;
    }
    transaction.commit().await?;
    let mut changed = (*directory).clone();
    changed.workspaces.retain(|known| known.id != *id);
    store.projection.directory.store(Arc::new(changed));
    let roles = store.projection.roles.pin();
    roles.retain(|_, role| role.workspace != *id);
    Ok(())
}
