//! Writing a stand-in's state as a whole. One at a time per workspace and instance, in parts that count
//! all at once.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use hallpass_oauth::{ApplicationInstanceId, WorkspaceId};
use sqlx::Row;

use super::SandboxJournals;
use crate::StoreError;

/// Whose turn it is to write a snapshot, per workspace and instance: the parts of two would mix.
pub(crate) type SnapshotTurns =
    Arc<Mutex<HashMap<(WorkspaceId, ApplicationInstanceId), Arc<tokio::sync::Mutex<()>>>>>;

impl SandboxJournals {
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
