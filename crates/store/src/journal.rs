//! The stand-in's memory: a snapshot per workspace and instance, and every change accepted since.
//! What a change says is the stand-in's own business; here it is text.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

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
    turns: SnapshotTurns,
}

/// Whose turn it is to write a snapshot, per workspace and instance: the parts of two would mix.
pub(crate) type SnapshotTurns =
    Arc<Mutex<HashMap<(WorkspaceId, ApplicationInstanceId), Arc<tokio::sync::Mutex<()>>>>>;

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

    /// Replaces the snapshot with the state after the change at `sequence` (0 before the first); the
    /// changes it includes count no more. That happens in one moment, whenever the process is killed.
    /// Nothing happens, and the answer is no, when there is a snapshot of that change or of a later
    /// one.
    pub async fn snapshot(
        &self,
        workspace: &WorkspaceId,
        instance: &ApplicationInstanceId,
        sequence: u64,
        state: &str,
    ) -> Result<bool, StoreError> {
        let place = Place::of(workspace, instance);
        let turn = self.turn(workspace, instance);
        let _turn = turn.lock().await;
        let sequence = i64::try_from(sequence).unwrap_or(i64::MAX);
        let present = self.snapshot_sequence(&place).await?;
        if present.is_some_and(|present| present >= sequence) {
            return Ok(false);
        }
        self.write_snapshot(&place, present, sequence, state)
            .await?;
        Ok(true)
    }

    /// Puts a state in the place of whatever there is, as a change that comes after all others; its
    /// place.
    pub async fn replace(
        &self,
        workspace: &WorkspaceId,
        instance: &ApplicationInstanceId,
        state: &str,
    ) -> Result<u64, StoreError> {
        let place = Place::of(workspace, instance);
        let turn = self.turn(workspace, instance);
        let _turn = turn.lock().await;
        let last = self.last_sequence(&place).await?;
        let sequence = last.map_or(0, |last| last.saturating_add(1));
        let present = self.snapshot_sequence(&place).await?;
        self.write_snapshot(&place, present, sequence, state)
            .await?;
        Ok(u64::try_from(sequence).unwrap_or(0))
    }

    fn turn(
        &self,
        workspace: &WorkspaceId,
        instance: &ApplicationInstanceId,
    ) -> Arc<tokio::sync::Mutex<()>> {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let whose = (workspace.clone(), instance.clone());
        Arc::clone(turns.entry(whose).or_default())
    }

    /// Writes a snapshot in small pieces, between which others have their turn.
    async fn write_snapshot(
        &self,
        place: &Place<'_>,
        present: Option<i64>,
        sequence: i64,
        state: &str,
    ) -> Result<(), StoreError> {
        // Of a write that was broken off.
        self.forget(PARTS_BUT, place, present).await?;
        for (part, text) in (0_i64..).zip(parts(state)) {
            let mut transaction = self.database.begin().await?;
            sqlx::query(
                "INSERT INTO sandbox_snapshot_part (workspace_id, instance_id, sequence, part, state) \
                 VALUES ($1, $2, $3, $4, $5)",
            )
            .bind(place.workspace)
            .bind(place.instance)
            .bind(sequence)
            .bind(part)
            .bind(text)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
        }
        let mut transaction = self.database.begin().await?;
        sqlx::query(
            "INSERT INTO sandbox_snapshot (workspace_id, instance_id, sequence, bytes) \
             VALUES ($1, $2, $3, $4) ON CONFLICT (workspace_id, instance_id) \
             DO UPDATE SET sequence = excluded.sequence, bytes = excluded.bytes",
        )
        .bind(place.workspace)
        .bind(place.instance)
        .bind(sequence)
        .bind(i64::try_from(state.len()).unwrap_or(i64::MAX))
        .execute(&mut *transaction)
        .await?;
        transaction.commit().await?;
        self.clean_up(place, sequence).await;
        Ok(())
    }

    /// Takes away what the snapshot at `sequence` made superfluous. That snapshot counts already, so a
    /// failure here is nobody's answer; the next snapshot tries again.
    async fn clean_up(&self, place: &Place<'_>, sequence: i64) {
        let cleaned = async {
            self.forget(PARTS_BUT, place, Some(sequence)).await?;
            self.forget(ENTRIES_TO, place, Some(sequence)).await
        };
        if let Err(error) = cleaned.await {
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::warn!(
                error,
                "what a stand-in's new snapshot replaces was not deleted"
            );
        }
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

    async fn snapshot_sequence(&self, place: &Place<'_>) -> Result<Option<i64>, StoreError> {
        let row = sqlx::query(
            "SELECT sequence FROM sandbox_snapshot WHERE workspace_id = $1 AND instance_id = $2",
        )
        .bind(place.workspace)
        .bind(place.instance)
        .fetch_optional(self.database.reader())
        .await?;
        Ok(row.map(|row| row.try_get("sequence")).transpose()?)
    }

    /// The place of the last change that was made; `None` where nothing is kept.
    async fn last_sequence(&self, place: &Place<'_>) -> Result<Option<i64>, StoreError> {
        let row = sqlx::query(
            "SELECT max(sequence) AS last FROM (\
             SELECT sequence FROM sandbox_snapshot WHERE workspace_id = $1 AND instance_id = $2 \
             UNION ALL \
             SELECT sequence FROM sandbox_journal WHERE workspace_id = $1 AND instance_id = $2)",
        )
        .bind(place.workspace)
        .bind(place.instance)
        .fetch_one(self.database.reader())
        .await?;
        Ok(row.try_get("last")?)
    }

    /// Deletes some rows at a time until there are none.
    async fn forget(
        &self,
        statement: &'static str,
        place: &Place<'_>,
        sequence: Option<i64>,
    ) -> Result<(), StoreError> {
        loop {
            let mut transaction = self.database.begin().await?;
            let gone = sqlx::query(statement)
                .bind(place.workspace)
                .bind(place.instance)
                .bind(sequence)
                .execute(&mut *transaction)
                .await?;
            transaction.commit().await?;
            if gone.rows_affected() == 0 {
                return Ok(());
            }
        }
    }
}

/// The parts of all snapshots but one.
const PARTS_BUT: &str = "DELETE FROM sandbox_snapshot_part WHERE rowid IN (SELECT rowid FROM \
     sandbox_snapshot_part WHERE workspace_id = $1 AND instance_id = $2 AND sequence IS NOT $3 LIMIT 2)";

/// The changes that a snapshot includes.
const ENTRIES_TO: &str = "DELETE FROM sandbox_journal WHERE rowid IN (SELECT rowid FROM \
     sandbox_journal WHERE workspace_id = $1 AND instance_id = $2 AND sequence <= $3 LIMIT 500)";

/// Bytes of a part: some milliseconds of the one writing connection.
const PART_BYTES: usize = 512 * 1024;

/// Whose stand-in.
struct Place<'a> {
    workspace: &'a str,
    instance: &'a str,
}

impl<'a> Place<'a> {
    fn of(workspace: &'a WorkspaceId, instance: &'a ApplicationInstanceId) -> Self {
        Self {
            workspace: workspace.as_str(),
            instance: instance.as_str(),
        }
    }
}

/// A text in parts that are texts.
fn parts(mut text: &str) -> impl Iterator<Item = &str> {
    std::iter::from_fn(move || {
        if text.is_empty() {
            return None;
        }
        let (part, rest) = text.split_at(text.floor_char_boundary(PART_BYTES));
        text = rest;
        Some(part)
    })
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
