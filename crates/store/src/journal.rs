//! The stand-in's memory: a snapshot per workspace and instance, and every change accepted since.
//! What a change says is the stand-in's own business; here it is text.

mod snapshots;

use hallpass_oauth::{ApplicationInstanceId, WorkspaceId};
use jiff::Timestamp;
use sqlx::{Row, SqliteConnection};

use crate::StoreError;
use crate::audit::{AuditEvent, AuditRow};
use crate::database::{Database, nanoseconds, timestamp};
use crate::writer::{Write, Writer};
pub(crate) use snapshots::SnapshotTurns;

/// Keeps the stand-in's accepted changes.
#[derive(Clone)]
pub struct SandboxJournals {
    database: Database,
    writer: Writer,
    turns: SnapshotTurns,
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

/// A stand-in in a list of them.
#[derive(Debug, Clone)]
pub struct ListedSandbox {
    /// Whose it is.
    pub workspace: String,
    /// The instance it stands in for.
    pub instance: String,
    /// How many changes were made, restores and resets included.
    pub changes: u64,
    /// Bytes of the snapshot.
    pub snapshot_bytes: u64,
    /// Changes that are not in the snapshot.
    pub journal_entries: u64,
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
    pub(crate) fn new(database: Database, writer: Writer, turns: SnapshotTurns) -> Self {
        Self {
            database,
            writer,
            turns,
        }
    }

    /// What is kept of this stand-in; `None` before the first snapshot. It is read as it was at one
    /// moment, whatever is written meanwhile.
    pub async fn load(
        &self,
        workspace: &WorkspaceId,
        instance: &ApplicationInstanceId,
    ) -> Result<Option<StoredSandbox>, StoreError> {
        let mut moment = self.database.reader().begin().await?;
        let snapshot = sqlx::query(
            "SELECT sequence, bytes FROM sandbox_snapshot WHERE workspace_id = $1 AND instance_id = $2",
        )
        .bind(workspace.as_str())
        .bind(instance.as_str())
        .fetch_optional(&mut *moment)
        .await?;
        let Some(snapshot) = snapshot else {
            return Ok(None);
        };
        let since: i64 = snapshot.try_get("sequence")?;
        let bytes: i64 = snapshot.try_get("bytes")?;
        let mut state = String::with_capacity(usize::try_from(bytes).unwrap_or(0));
        for part in 0.. {
            let row = sqlx::query(
                "SELECT state FROM sandbox_snapshot_part \
                 WHERE workspace_id = $1 AND instance_id = $2 AND sequence = $3 AND part = $4",
            )
            .bind(workspace.as_str())
            .bind(instance.as_str())
            .bind(since)
            .bind(part)
            .fetch_optional(&mut *moment)
            .await?;
            let Some(row) = row else { break };
            state.push_str(row.try_get("state")?);
        }
        let rows = sqlx::query(
            "SELECT sequence, at, changes FROM sandbox_journal \
             WHERE workspace_id = $1 AND instance_id = $2 AND sequence > $3 ORDER BY sequence",
        )
        .bind(workspace.as_str())
        .bind(instance.as_str())
        .bind(since)
        .fetch_all(&mut *moment)
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
            state,
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
        self.append_with(workspace, instance, entry, Vec::new())
            .await
    }

    /// Writes a change down with the events that tell of it: all of it or nothing.
    pub async fn append_with(
        &self,
        workspace: &WorkspaceId,
        instance: &ApplicationInstanceId,
        entry: JournalEntry,
        events: Vec<AuditEvent>,
    ) -> Result<(), StoreError> {
        let row = JournalRow {
            workspace: workspace.clone(),
            instance: instance.clone(),
            entry,
        };
        let event = |event| Write::Audit(Box::new(AuditRow::new(event)));
        let mut writes = vec![Write::Journal(row)];
        writes.extend(events.into_iter().map(event));
        self.writer.submit(writes)?.committed().await
    }

    /// All stand-ins of which something is kept.
    pub async fn list(&self) -> Result<Vec<ListedSandbox>, StoreError> {
        let rows = sqlx::query(
            "SELECT s.workspace_id, s.instance_id, s.sequence, s.bytes, count(j.sequence) AS entries, \
             coalesce(max(j.sequence), s.sequence) AS last \
             FROM sandbox_snapshot s LEFT JOIN sandbox_journal j \
             ON j.workspace_id = s.workspace_id AND j.instance_id = s.instance_id \
             AND j.sequence > s.sequence \
             GROUP BY s.workspace_id, s.instance_id ORDER BY s.workspace_id, s.instance_id",
        )
        .fetch_all(self.database.reader())
        .await?;
        let number = |row: &sqlx::sqlite::SqliteRow, name: &str| {
            let number: Result<i64, sqlx::Error> = row.try_get(name);
            number.map(|number| u64::try_from(number).unwrap_or(0))
        };
        rows.iter()
            .map(|row| {
                Ok(ListedSandbox {
                    workspace: row.try_get("workspace_id")?,
                    instance: row.try_get("instance_id")?,
                    changes: number(row, "last")?,
                    snapshot_bytes: number(row, "bytes")?,
                    journal_entries: number(row, "entries")?,
                })
            })
            .collect()
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
