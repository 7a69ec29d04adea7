//! Workspaces and the application instances that credentials are for.

use std::sync::Arc;

use hallpass_oauth::{ApplicationInstanceId, CustomerId, WorkspaceId};
use jiff::Timestamp;
use rand_core::CryptoRng;
use sqlx::Row;

use crate::audit::{AuditEvent, AuditResource, AuditRow, AuditState};
use crate::database::{Database, nanoseconds, read};
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

/// A service in a region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationInstance {
    /// Its id.
    pub id: ApplicationInstanceId,
    /// The short word of the command line and the address file.
    pub name: String,
    /// The name that people read.
    pub title: String,
}

/// Workspaces and instances as they stand now.
pub(crate) struct Directory {
    workspaces: Vec<Arc<Workspace>>,
    instances: Vec<Arc<ApplicationInstance>>,
}

/// The instance every first start makes: name, title, and the id where the real one is known
/// (domain facts, sections 2.3 and 5).
const FIRST_INSTANCES: [(&str, &str, Option<&str>); 4] = [
    ("eu1", "Data Services Cloud Console ( EU Central )", None),
    ("jp1", "Data Services Cloud Console ( AP Northeast )", None),
    (
        "us1",
        "Data Services Cloud Console ( US West )",
        Some("3c18bd03-8306-4c7c-942e-c704a4b8744c"),
    ),
    (
        "global",
        "HPE GreenLake platform",
        Some("00000000-0000-0000-0000-000000000000"),
    ),
];

/// Workspaces and application instances.
#[derive(Clone)]
pub struct Workspaces(Store);

/// Why a workspace was not made.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// Another one has the name.
    #[error("a workspace named `{0}` exists")]
    NameTaken(String),
    /// The name is empty, too long or has control characters.
    #[error("a workspace name has 1 to 64 characters and no control characters")]
    BadName,
    /// The managing workspace does not exist.
    #[error("there is no workspace {0} to manage it")]
    UnknownManager(WorkspaceId),
    /// The managing workspace is managed itself.
    #[error("the workspace {0} is managed itself and cannot manage another")]
    ManagedManager(WorkspaceId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Workspaces {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// All workspaces, the oldest first.
    pub fn list(&self) -> Vec<Arc<Workspace>> {
        self.0.projection.directory.load().workspaces.clone()
    }

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
        let name = name.trim();
        if name.is_empty() || name.chars().count() > 64 || name.chars().any(char::is_control) {
            return Err(WorkspaceError::BadName);
        }
        let workspace = Arc::new(Workspace {
            id: WorkspaceId::generate(rng),
            name: name.to_owned(),
            customer: CustomerId::generate(rng),
            managed_by,
        });
        let event = AuditEvent {
            workspace: Some(workspace.id.clone()),
            source_ip: actor.address.clone(),
            user_email: actor.email.clone(),
            client_id: actor.client_id.clone(),
            resource: AuditResource {
                id: workspace.id.to_string(),
                name: workspace.name.clone(),
                kind: "workspace".to_owned(),
            },
            ..AuditEvent::new(
                AuditState::Success,
                format!("Workspace {} created", workspace.name),
                actor.source,
                now,
                rng,
            )
        };
        let (store, made) = (self.0.clone(), workspace.clone());
        self.0
            .uninterrupted(async move { insert(&store, made, event, now).await })
            .await?;
        Ok(workspace)
    }
}

async fn insert(
    store: &Store,
    workspace: Arc<Workspace>,
    event: AuditEvent,
    now: Timestamp,
) -> Result<(), WorkspaceError> {
    let directory = store.projection.directory.load_full();
    if directory
        .workspaces
        .iter()
        .any(|known| known.name == workspace.name)
    {
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
    .await
    .map_err(StoreError::from)?;
    AuditRow::new(event).insert(&mut transaction).await?;
    transaction.commit().await.map_err(StoreError::from)?;
    let mut workspaces = directory.workspaces.clone();
    workspaces.push(workspace);
    let instances = directory.instances.clone();
    store.projection.directory.store(Arc::new(Directory {
        workspaces,
        instances,
    }));
    Ok(())
}

impl Directory {
    pub(crate) async fn load(database: &Database) -> Result<Self, StoreError> {
        let mut workspaces = Vec::new();
        let rows = sqlx::query("SELECT * FROM workspace ORDER BY created_at")
            .fetch_all(database.reader())
            .await?;
        for row in rows {
            let managed_by: Option<String> = row.try_get("managed_by")?;
            workspaces.push(Arc::new(Workspace {
                id: read("workspace id", row.try_get("id")?)?,
                name: row.try_get("name")?,
                customer: read("customer id", row.try_get("customer_id")?)?,
                managed_by: managed_by.map(|id| read("workspace id", &id)).transpose()?,
            }));
        }
        let mut instances = Vec::new();
        let rows = sqlx::query("SELECT id, name, title FROM application_instance ORDER BY name")
            .fetch_all(database.reader())
            .await?;
        for row in rows {
            instances.push(Arc::new(ApplicationInstance {
                id: read("application instance id", row.try_get("id")?)?,
                name: row.try_get("name")?,
                title: row.try_get("title")?,
            }));
        }
        Ok(Self {
            workspaces,
            instances,
        })
    }

    pub(crate) fn workspace(&self, id: &WorkspaceId) -> Option<&Arc<Workspace>> {
        self.workspaces.iter().find(|known| known.id == *id)
    }

    pub(crate) fn instance(&self, id: &ApplicationInstanceId) -> Option<&Arc<ApplicationInstance>> {
        self.instances.iter().find(|known| known.id == *id)
    }
}

/// Makes the four first instances where they are missing.
pub(crate) async fn ensure_instances(
    database: &Database,
    now: Timestamp,
    rng: &mut (dyn CryptoRng + Send),
) -> Result<(), StoreError> {
    let mut transaction = database.begin().await?;
    for (name, title, id) in FIRST_INSTANCES {
        let id = id.map_or_else(
            || ApplicationInstanceId::generate(rng).as_str().to_owned(),
            str::to_owned,
        );
        sqlx::query(
            "INSERT INTO application_instance (id, name, title, created_at) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (name) DO NOTHING",
        )
        .bind(id)
        .bind(name)
        .bind(title)
        .bind(nanoseconds(now))
        .execute(&mut *transaction)
        .await?;
    }
    Ok(transaction.commit().await?)
}
