//! The stand-in's memory: a snapshot per workspace and instance, and every change accepted since.
//! What a change says is the stand-in's own business; here it is text.

use hallpass_oauth::{ApplicationInstanceId, WorkspaceId};
use jiff::Timestamp;
use sqlx::{Row, SqliteConnection};

use crate::StoreError;
use crate::database::{Database, nanoseconds, timestamp};
use crate::writer::{Write, Writer};

/// Keeps the stand-in's accepted changes.
#[derive(Clone)]
pub struct SandboxJournals {
    database: Database,
    writer: Writer,
}

/// What is kept of one stand-in.
#[derive(Debug, Clone)]
pub struct StoredSandbox {
    /// The snapshot.
    pub state: String,
    /// The place of the last change that the snapshot includes.
    pub includes: u64,
    /// The changes made since, in order.
    pub entries: Vec<JournalEntry>,
}

impl StoredSandbox {
    /// The place of the last change that was made.
    pub fn last_sequence(&self) -> u64 {
        self.entries
            .last()
            .map_or(self.includes, |entry| entry.sequence)
    }
}

/// One accepted change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// Its place.
    pub sequence: u64,
    /// When it was accepted.
    pub at: Timestamp,
    /// What changed.
    pub changes: String,
}

impl SandboxJournals {
    pub(crate) fn new(database: Database, writer: Writer) -> Self {
        Self { database, writer }
    }

    /// What is kept of this stand-in; `None` before the first snapshot.
    pub async fn load(
        &self,
        workspace: &WorkspaceId,
        instance: &ApplicationInstanceId,
    ) -> Result<Option<StoredSandbox>, StoreError> {
        let snapshot = sqlx::query(
            "SELECT sequence, state FROM sandbox_snapshot WHERE workspace_id = $1 AND instance_id = $2",
        )
        .bind(workspace.as_str())
        .bind(instance.as_str())
        .fetch_optional(self.database.reader())
        .await?;
        let Some(snapshot) = snapshot else {
            return Ok(None);
        };
        let since: i64 = snapshot.try_get("sequence")?;
        let rows = sqlx::query(
            "SELECT sequence, at, changes FROM sandbox_journal \
             WHERE workspace_id = $1 AND instance_id = $2 AND sequence > $3 ORDER BY sequence",
        )
        .bind(workspace.as_str())
        .bind(instance.as_str())
        .bind(since)
        .fetch_all(self.database.reader())
        .await?;
        let mut entries = Vec::with_capacity(rows.len());
        for row in rows {
            entries.push(JournalEntry {
                sequence: u64::try_from(row.try_get::<i64, _>("sequence")?).unwrap_or(0),
                at: timestamp(row.try_get("at")?),
                changes: row.try_get("changes")?,
            });
        }
        Ok(Some(StoredSandbox {
            state: snapshot.try_get("state")?,
            includes: u64::try_from(since).unwrap_or(0),
            entries,
        }))
    }

    /// Writes a change down and waits until it is on disk.
    pub async fn append(
        &self,
        workspace: &WorkspaceId,
        instance: &ApplicationInstanceId,
        entry: JournalEntry,
    ) -> Result<(), StoreError> {
        let row = JournalRow {
            workspace: workspace.clone(),
            instance: instance.clone(),
            entry,
        };
        self.writer
            .submit(vec![Write::Journal(row)])?
            .committed()
            .await
    }

    /// Replaces the snapshot with the state after the change at `sequence` (0 before the first)
    /// and drops the changes it includes.
    pub async fn snapshot(
        &self,
        workspace: &WorkspaceId,
        instance: &ApplicationInstanceId,
        sequence: u64,
        state: &str,
    ) -> Result<(), StoreError> {
        let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
        let mut transaction = self.database.begin().await?;
        sqlx::query(
            "INSERT INTO sandbox_snapshot (workspace_id, instance_id, sequence, state) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (workspace_id, instance_id) \
             DO UPDATE SET sequence = excluded.sequence, state = excluded.state",
        )
        .bind(workspace.as_str())
        .bind(instance.as_str())
        .bind(sequence)
        .bind(state)
        .execute(&mut *transaction)
        .await?;
        sqlx::query(
            "DELETE FROM sandbox_journal \
             WHERE workspace_id = $1 AND instance_id = $2 AND sequence <= $3",
        )
        .bind(workspace.as_str())
        .bind(instance.as_str())
        .bind(sequence)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }
}

/// A change on its way into the database.
pub(crate) struct JournalRow {
    workspace: WorkspaceId,
    instance: ApplicationInstanceId,
    entry: JournalEntry,
}

impl JournalRow {
    pub(crate) async fn insert(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO sandbox_journal (workspace_id, instance_id, sequence, at, changes) \
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(self.workspace.as_str())
        .bind(self.instance.as_str())
        .bind(i64::try_from(self.entry.sequence).unwrap_or(i64::MAX))
        .bind(nanoseconds(self.entry.at))
        .bind(&self.entry.changes)
        .execute(connection)
        .await?;
        Ok(())
    }
}
