//! The audit log: who did what, and who was refused.
//!
//! Each changing call and each refusal of a verified identity has a row of its own. What strangers
//! can cause without end is counted: one row per kind and minute (design, section 5).

mod search;

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use hallpass_oauth::WorkspaceId;
use jiff::{SignedDuration, Timestamp};
use rand_core::CryptoRng;
use sqlx::query_builder::Separated;
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, Sqlite, SqliteConnection};

use crate::StoreError;
use crate::database::{Database, nanoseconds, timestamp};
use crate::writer::{Write, Writer, rows};

pub use search::{AuditOf, AuditPage, AuditPlace, AuditSearch, NoPlace};

/// How an event ended (domain facts, section 4.5).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AuditState {
    /// It begins; its end has a row of its own.
    Initiated,
    /// It was done.
    Success,
    /// It was tried and not done.
    Failure,
    /// The owner lacks the permission.
    PermissionDenied,
}

impl AuditState {
    /// The word on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Initiated => "Initiated",
            Self::Success => "Success",
            Self::Failure => "Failure",
            Self::PermissionDenied => "PermissionDenied",
        }
    }
}

impl fmt::Display for AuditState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Something to remember. Texts come from outside in part; they are kept as they are and printed
/// escaped, never as anything but data.
#[derive(Debug, Clone)]
pub struct AuditEvent {
    /// Names the event.
    pub id: String,
    /// Whose workspace; `None` when nobody can say.
    pub workspace: Option<WorkspaceId>,
    /// When.
    pub occurred_at: Timestamp,
    /// How it ended.
    pub state: AuditState,
    /// A short word for the outcome, where there is one.
    pub code: String,
    /// What happened, for people.
    pub message: String,
    /// The part of the system it happened in.
    pub source: String,
    /// Where the request came from.
    pub source_ip: String,
    /// The resource owner.
    pub user_email: String,
    /// The client that acted for them.
    pub client_id: String,
    /// The permission in question.
    pub permission: String,
    /// The task that was started.
    pub task_id: String,
    /// What it was done to.
    pub resource: AuditResource,
    /// How often, for counted events.
    pub count: u64,
    /// What events that share a row have in common, set by [`Self::per_minute`].
    pub counted: Option<String>,
}

/// What something was done to.
#[derive(Debug, Clone, Default)]
pub struct AuditResource {
    /// Its id, or the request URI of a refused call.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: String,
}

impl AuditEvent {
    /// An event with the fields that every one has.
    pub fn new(
        state: AuditState,
        message: impl Into<String>,
        source: impl Into<String>,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        Self::identified(random_uuid(rng), state, message, source, now)
    }

    /// The same with an id that was made before.
    pub(crate) fn identified(
        id: String,
        state: AuditState,
        message: impl Into<String>,
        source: impl Into<String>,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            workspace: None,
            occurred_at: now,
            state,
            code: String::new(),
            message: message.into(),
            source: source.into(),
            source_ip: String::new(),
            user_email: String::new(),
            client_id: String::new(),
            permission: String::new(),
            task_id: String::new(),
            resource: AuditResource::default(),
            count: 1,
            counted: None,
        }
    }

    /// Makes the event one of many: those with the same key in the same minute share a row.
    #[must_use]
    pub fn per_minute(mut self, key: &str) -> Self {
        self.counted = Some(format!(
            "{key} {}",
            self.occurred_at.as_second().div_euclid(60)
        ));
        self
    }
}

/// A version-4 UUID out of the generator at hand.
pub(crate) fn random_uuid(rng: &mut dyn CryptoRng) -> String {
    let mut bytes = [0; 16];
    rng.fill_bytes(&mut bytes);
    uuid::Builder::from_random_bytes(bytes)
        .into_uuid()
        .to_string()
}

/// The audit log.
#[derive(Clone)]
pub struct AuditLog {
    database: Database,
    writer: Writer,
    tally: Arc<Tally>,
}

/// Which events to read.
#[derive(Debug, Clone)]
pub struct AuditQuery {
    /// Only those of this workspace; `None` reads all, for the local administrator.
    pub workspace: Option<WorkspaceId>,
    /// Whether the oldest come first.
    pub oldest_first: bool,
    /// Where to go on: behind the event of this sequence.
    pub after: Option<i64>,
    /// Most events to read.
    pub limit: u32,
}

/// An event as it was written, with its place in the log.
#[derive(Debug, Clone)]
pub struct StoredEvent {
    /// Its place: grows with each row.
    pub sequence: i64,
    /// When the last of the events that the row stands for occurred.
    pub logged_at: Timestamp,
    /// The event.
    pub event: AuditEvent,
}

impl AuditLog {
    pub(crate) fn new(database: Database, writer: Writer, tally: Arc<Tally>) -> Self {
        Self {
            database,
            writer,
            tally,
        }
    }

    /// Writes an event and waits until it is on disk.
    pub async fn record(&self, event: AuditEvent) -> Result<(), StoreError> {
        self.writer
            .submit(vec![Write::Audit(Box::new(AuditRow::new(event)))])?
            .committed()
            .await
    }

    /// Counts an event that a stranger can cause at will. It costs no disk write of its own; the
    /// counts of the last moments are lost if the process is killed.
    pub fn count(&self, event: AuditEvent) {
        self.tally.add(event);
    }

    /// Waits until everything recorded or counted so far can be read.
    pub async fn settle(&self) -> Result<(), StoreError> {
        self.tally.flush(&self.writer).await?;
        // A flush of the background may have taken counts that are not on disk yet.
        self.writer.finish().await;
        Ok(())
    }

    /// How many rows a workspace has.
    pub async fn total(&self, workspace: &WorkspaceId) -> Result<usize, StoreError> {
        let total: i64 =
            sqlx::query_scalar("SELECT count(*) FROM audit_event WHERE workspace_id = $1")
                .bind(workspace.as_str())
                .fetch_one(self.database.reader())
                .await?;
        Ok(usize::try_from(total).unwrap_or(usize::MAX))
    }

    /// Reads one page of a workspace's events, without reading those before it.
    pub async fn page(
        &self,
        workspace: &WorkspaceId,
        oldest_first: bool,
        offset: usize,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, StoreError> {
        let sql = if oldest_first {
            "SELECT * FROM audit_event WHERE workspace_id = $1 ORDER BY sequence LIMIT $2 OFFSET $3"
        } else {
            "SELECT * FROM audit_event WHERE workspace_id = $1 \
             ORDER BY sequence DESC LIMIT $2 OFFSET $3"
        };
        let rows = sqlx::query(sql)
            .bind(workspace.as_str())
            .bind(i64::try_from(limit).unwrap_or(i64::MAX))
            .bind(i64::try_from(offset).unwrap_or(i64::MAX))
            .fetch_all(self.database.reader())
            .await?;
        rows.iter().map(StoredEvent::from_row).collect()
    }

    /// Reads events.
    pub async fn read(&self, query: &AuditQuery) -> Result<Vec<StoredEvent>, StoreError> {
        // One statement for each case: a condition that may be absent keeps the index from being
        // used, and the log may be long.
        let sql = match (&query.workspace, query.oldest_first) {
            (Some(_), true) => {
                "SELECT * FROM audit_event WHERE workspace_id = $1 AND sequence > $2 \
                 ORDER BY sequence LIMIT $3"
            }
            (Some(_), false) => {
                "SELECT * FROM audit_event WHERE workspace_id = $1 AND sequence < $2 \
                 ORDER BY sequence DESC LIMIT $3"
            }
            (None, true) => {
                "SELECT * FROM audit_event WHERE $1 IS NULL AND sequence > $2 \
                 ORDER BY sequence LIMIT $3"
            }
            (None, false) => {
                "SELECT * FROM audit_event WHERE $1 IS NULL AND sequence < $2 \
                 ORDER BY sequence DESC LIMIT $3"
            }
        };
        let start = if query.oldest_first { 0 } else { i64::MAX };
        let workspace = query.workspace.as_ref().map(WorkspaceId::as_str);
        let rows = sqlx::query(sql)
            .bind(workspace)
            .bind(query.after.unwrap_or(start))
            .bind(i64::from(query.limit))
            .fetch_all(self.database.reader())
            .await?;
        rows.iter().map(StoredEvent::from_row).collect()
    }
}

/// Counts in memory, written every few seconds.
pub(crate) struct Tally(Mutex<Counts>);

#[derive(Default)]
struct Counts {
    /// What was counted since the last flush, by the key of its row.
    waiting: HashMap<String, AuditEvent>,
    /// The minute of the keys below.
    minute: i64,
    /// The rows begun in that minute, written or not.
    begun: HashSet<String>,
}

/// Most different counted rows in a minute. What goes beyond shares one row per message, so that a
/// flood from many addresses cannot fill memory or disk.
const MOST_TALLIED: usize = 1024;

/// Most rows held in memory while the store does not take them.
const MOST_HELD: usize = 4 * MOST_TALLIED;

/// How long counts may stay in memory.
const FLUSH_EVERY: Duration = Duration::from_secs(2);

impl Tally {
    pub(crate) fn start(writer: Writer) -> Arc<Self> {
        let tally = Arc::new(Self(Mutex::default()));
        let weak = Arc::downgrade(&tally);
        tokio::spawn(async move {
            let mut tick = tokio::time::interval(FLUSH_EVERY);
            loop {
                tick.tick().await;
                let Some(tally) = weak.upgrade() else { break };
                // The writer has said why; the counts are kept for the next try.
                let _ = tally.flush(&writer).await;
            }
        });
        tally
    }

    fn add(&self, event: AuditEvent) {
        self.counts().add(event);
    }

    pub(crate) async fn flush(&self, writer: &Writer) -> Result<(), StoreError> {
        let (events, submitted) = {
            // Held until the events are in the writer's queue, so that whoever finds nothing waiting
            // here finds it there.
            let mut counts = self.counts();
            let mut events: Vec<AuditEvent> =
                std::mem::take(&mut counts.waiting).into_values().collect();
            if events.is_empty() {
                return Ok(());
            }
            events.sort_by_key(|event| event.occurred_at);
            let rows = events.iter().cloned().map(AuditRow::new);
            let writes = rows.map(|row| Write::Audit(Box::new(row))).collect();
            (events, writer.submit(writes))
        };
        let written = match submitted {
            Ok(pending) => pending.committed().await,
            Err(error) => Err(error),
        };
        if written.is_err() {
            let mut counts = self.counts();
            for event in events {
                counts.merge(event);
            }
        }
        written
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Counts {
    fn add(&mut self, mut event: AuditEvent) {
        let minute = event.occurred_at.as_second().div_euclid(60);
        if minute > self.minute {
            self.minute = minute;
            self.begun.clear();
        }
        let key = event.counted.clone().unwrap_or_default();
        if self.begun.len() >= MOST_TALLIED && !self.begun.contains(&key) {
            // Nobody's in particular any more, so it is in nobody's log either.
            event.workspace = None;
            event.client_id.clear();
            "many addresses".clone_into(&mut event.source_ip);
            let message = event.message.clone();
            event = event.per_minute(&message);
        } else {
            self.begun.insert(key);
        }
        self.merge(event);
    }

    fn merge(&mut self, mut event: AuditEvent) {
        let mut key = event.counted.clone().unwrap_or_else(|| event.id.clone());
        let count = event.count;
        // The store is away, or this would have been written long ago.
        if self.waiting.len() >= MOST_HELD && !self.waiting.contains_key(&key) {
            event.counted = Some(event.message.clone());
            key.clone_from(&event.message);
        }
        self.waiting
            .entry(key)
            .and_modify(|known| known.count += count)
            .or_insert(event);
    }
}

/// A row on its way into the database.
pub(crate) struct AuditRow {
    event: AuditEvent,
    /// When the last of its events occurred.
    last: Timestamp,
}

impl AuditRow {
    pub(crate) fn new(event: AuditEvent) -> Self {
        let last = event.occurred_at;
        Self { event, last }
    }

    pub(crate) fn occurred_at(&self) -> Timestamp {
        self.event.occurred_at
    }

    /// What rows have in common that are one in the database; `None` for a row of its own.
    pub(crate) fn counted(&self) -> Option<&str> {
        self.event.counted.as_deref()
    }

    /// How many events it stands for.
    #[cfg(test)]
    pub(crate) fn count(&self) -> u64 {
        self.event.count
    }

    /// Takes the events of a later row with the same `counted` in.
    pub(crate) fn absorb(&mut self, later: &Self) {
        self.event.count = self.event.count.saturating_add(later.event.count);
        self.last = self.last.max(later.last);
    }

    pub(crate) async fn insert(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        rows::write(&[rows::Row::Event(self)], connection).await
    }

    /// Appends the values of this row, in the order of the statement that writes it.
    pub(crate) fn push_values(&self, values: &mut Separated<'_, Sqlite, &'static str>) {
        let event = self.event.clone();
        values
            .push_bind(event.client_id)
            .push("NULL, NULL")
            .push_bind(event.id)
            .push_bind(event.workspace.map(|workspace| workspace.to_string()))
            .push_bind(nanoseconds(event.occurred_at))
            .push_bind(nanoseconds(self.last))
            .push_bind(event.state.as_str())
            .push_bind(event.code)
            .push_bind(event.message)
            .push_bind(event.source)
            .push_bind(event.source_ip)
            .push_bind(event.user_email)
            .push_bind(event.permission)
            .push_bind(event.task_id)
            .push_bind(event.resource.id)
            .push_bind(event.resource.name)
            .push_bind(event.resource.kind)
            .push_bind(i64::try_from(event.count).unwrap_or(i64::MAX))
            .push_bind(event.counted);
    }
}

/// Most rows removed at a time: the log may be long, and tokens wait for the same connection.
const MOST_FORGOTTEN: i64 = 1000;

/// Removes some of what is older than the retention time; says whether that was all.
pub(crate) async fn forget_old(
    connection: &mut SqliteConnection,
    retention: SignedDuration,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let limit = now.checked_sub(retention).unwrap_or(Timestamp::MIN);
    let removed = sqlx::query(
        "DELETE FROM audit_event WHERE sequence IN \
         (SELECT sequence FROM audit_event WHERE occurred_at < $1 LIMIT $2)",
    )
    .bind(nanoseconds(limit))
    .bind(MOST_FORGOTTEN)
    .execute(connection)
    .await?;
    Ok(removed.rows_affected() < MOST_FORGOTTEN.unsigned_abs())
}

impl StoredEvent {
    fn from_row(row: &SqliteRow) -> Result<Self, StoreError> {
        let workspace: Option<String> = row.try_get("workspace_id")?;
        let state: String = row.try_get("state")?;
        Ok(Self {
            sequence: row.try_get("sequence")?,
            logged_at: timestamp(row.try_get("logged_at")?),
            event: AuditEvent {
                id: row.try_get("id")?,
                workspace: workspace
                    .map(|id| crate::database::read("workspace", &id))
                    .transpose()?,
                occurred_at: timestamp(row.try_get("occurred_at")?),
                state: state.parse().map_err(|()| StoreError::Unreadable {
                    what: "audit state",
                    value: state.clone(),
                })?,
                code: row.try_get("code")?,
                message: row.try_get("message")?,
                source: row.try_get("source")?,
                source_ip: row.try_get("source_ip")?,
                user_email: row.try_get("user_email")?,
                client_id: row.try_get("client_id")?,
                permission: row.try_get("permission")?,
                task_id: row.try_get("task_id")?,
                resource: AuditResource {
                    id: row.try_get("resource_id")?,
                    name: row.try_get("resource_name")?,
                    kind: row.try_get("resource_type")?,
                },
                count: u64::try_from(row.try_get::<i64, _>("count")?).unwrap_or(0),
                counted: row.try_get("counted")?,
            },
        })
    }
}
