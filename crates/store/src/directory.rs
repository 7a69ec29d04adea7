//! Workspaces and application instances in the projection, and how they are read from the database.

use std::sync::Arc;

use hallpass_oauth::{ApplicationInstanceId, WorkspaceId};
use jiff::Timestamp;
use rand_core::CryptoRng;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::StoreError;
use crate::database::{Database, nanoseconds, read};
use crate::instances::{ApplicationInstance, FIRST_INSTANCES, Origin, Upstream};
use crate::workspaces::Workspace;

/// Workspaces and instances as they stand now.
#[derive(Clone)]
pub(crate) struct Directory {
    /// The oldest first.
    pub(crate) workspaces: Vec<Arc<Workspace>>,
    /// By their short names.
    pub(crate) instances: Vec<Arc<ApplicationInstance>>,
}

impl Directory {
    pub(crate) async fn load(database: &Database) -> Result<Self, StoreError> {
        let workspaces = sqlx::query("SELECT * FROM workspace ORDER BY created_at, rowid")
            .fetch_all(database.reader())
            .await?;
        let instances = sqlx::query("SELECT * FROM application_instance ORDER BY name")
            .fetch_all(database.reader())
            .await?;
        let workspaces = workspaces.iter().map(workspace).collect::<Result<_, _>>()?;
        let instances = instances.iter().map(instance).collect::<Result<_, _>>()?;
        Ok(Self {
            workspaces,
            instances,
        })
    }

    pub(crate) fn workspace(&self, id: &WorkspaceId) -> Option<&Arc<Workspace>> {
        self.workspaces.iter().find(|known| known.id == *id)
    }

    pub(crate) fn named(&self, name: &str) -> Option<&Arc<Workspace>> {
        self.workspaces.iter().find(|known| known.name == name)
    }

    /// The workspace that was made first.
    pub(crate) fn operating(&self) -> Option<&Arc<Workspace>> {
        self.workspaces.first()
    }

    pub(crate) fn instance(&self, id: &ApplicationInstanceId) -> Option<&Arc<ApplicationInstance>> {
        self.instances.iter().find(|known| known.id == *id)
    }
}

fn workspace(row: &SqliteRow) -> Result<Arc<Workspace>, StoreError> {
    let managed_by: Option<String> = row.try_get("managed_by")?;
    Ok(Arc::new(Workspace {
        id: read("workspace id", row.try_get("id")?)?,
        name: row.try_get("name")?,
        customer: read("customer id", row.try_get("customer_id")?)?,
        managed_by: managed_by.map(|id| read("workspace id", &id)).transpose()?,
    }))
}

fn instance(row: &SqliteRow) -> Result<Arc<ApplicationInstance>, StoreError> {
    let text = |column: &str| row.try_get::<Option<String>, _>(column);
    let (base_url, origin, listen) = (text("base_url")?, text("origin")?, text("listen")?);
    let origin = match origin {
        None => Origin::Sandbox,
        Some(url) => Origin::Upstream(Upstream {
            url: read("origin", &url)?,
            passes_token: row.try_get::<i64, _>("passes_token")? != 0,
        }),
    };
    Ok(Arc::new(ApplicationInstance {
        id: read("application instance id", row.try_get("id")?)?,
        name: row.try_get("name")?,
        title: row.try_get("title")?,
        region: row.try_get("region")?,
        base_url: base_url.map(|url| read("base URL", &url)).transpose()?,
        origin,
        listen: listen
            .map(|address| read("address of a listener", &address))
            .transpose()?,
        enabled: row.try_get::<i64, _>("enabled")? != 0,
    }))
}

/// Makes the four first instances where they are missing.
pub(crate) async fn ensure_instances(
    database: &Database,
    now: Timestamp,
    rng: &mut (dyn CryptoRng + Send),
) -> Result<(), StoreError> {
    let mut transaction = database.begin().await?;
    for first in FIRST_INSTANCES {
        let id = first.id.map_or_else(
            || ApplicationInstanceId::generate(rng).as_str().to_owned(),
            str::to_owned,
        );
        sqlx::query(
            "INSERT INTO application_instance (id, name, title, region, created_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (name) DO NOTHING",
        )
        .bind(id)
        .bind(first.name)
        .bind(first.title)
        .bind(first.region)
        .bind(nanoseconds(now))
        .execute(&mut *transaction)
        .await?;
    }
    Ok(transaction.commit().await?)
}
