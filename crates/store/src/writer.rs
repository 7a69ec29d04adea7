//! The one writer for what happens on the data paths: watermarks, audit events and the stand-in's
//! journal.
//!
//! Whatever waits is committed together, in one transaction, and each caller is answered after
//! that commit. Under load many writes share one `fsync`, so durability does not cost one disk
//! flush per token.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use hallpass_oauth::token_id::Fingerprint;
use jiff::{SignedDuration, Timestamp};
use sqlx::{QueryBuilder, Sqlite, SqliteConnection};
use tokio::sync::{mpsc, oneshot};

use crate::StoreError;
use crate::audit::{self, AuditRow};
use crate::database::{Database, nanoseconds};
use crate::journal::JournalRow;
use crate::sequence::Sequence;
use crate::spent::SpentRow;

/// Most writes that may wait; beyond, callers are told that the store is overloaded.
const MOST_WAITING: usize = 4096;

/// Most writes in one transaction.
const MOST_TOGETHER: usize = 256;

#[derive(Clone)]
pub(crate) struct Writer(mpsc::Sender<Job>);

/// One write.
pub(crate) enum Write {
    /// The credential's tokens before this place are dead.
    Watermark {
        client_id: String,
        place: u64,
        /// The one good token, where tokens carry no `jti`.
        bare: Option<Fingerprint>,
        sequence: Arc<Sequence>,
        at: Timestamp,
    },
    /// A credential and its secret were used.
    Used {
        client_id: String,
        secret_id: Option<String>,
        at: Timestamp,
    },
    /// Something must not be taken again.
    Spent(SpentRow),
    /// A row of the audit log.
    Audit(Box<AuditRow>),
    /// A change of the stand-in's state.
    Journal(JournalRow),
}

enum Job {
    Write {
        writes: Vec<Write>,
        done: oneshot::Sender<Result<(), String>>,
    },
    Finish(oneshot::Sender<()>),
}

/// A write that was handed over; resolves when it is on disk.
#[must_use = "the write is durable only once this has resolved"]
pub(crate) struct Pending(oneshot::Receiver<Result<(), String>>);

impl Pending {
    pub(crate) async fn committed(self) -> Result<(), StoreError> {
        match self.0.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(reason)) => Err(StoreError::NotWritten(reason)),
            Err(_) => Err(StoreError::NotWritten("the writer has stopped".to_owned())),
        }
    }
}

impl Writer {
    pub(crate) fn start(database: Database, audit_retention: SignedDuration) -> Self {
        let (sender, receiver) = mpsc::channel(MOST_WAITING);
        let retention = Retention {
            keep: audit_retention,
            day: None,
            due: None,
        };
        tokio::spawn(run(database, receiver, retention));
        Self(sender)
    }

    /// Hands writes over; they are made together or not at all. Returns at once, so that a
    /// signature can be made meanwhile.
    pub(crate) fn submit(&self, writes: Vec<Write>) -> Result<Pending, StoreError> {
        let (done, receiver) = oneshot::channel();
        self.0
            .try_send(Job::Write { writes, done })
            .map_err(|error| match error {
                mpsc::error::TrySendError::Full(_) => StoreError::Overloaded,
                mpsc::error::TrySendError::Closed(_) => {
                    StoreError::NotWritten("the writer has stopped".to_owned())
                }
            })?;
        Ok(Pending(receiver))
    }

    /// Waits until everything handed over so far is written.
    pub(crate) async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        if self.0.send(Job::Finish(done)).await.is_ok() {
            let _ = finished.await;
        }
    }
}

/// When the audit log is shortened: with the first event of each day, in small steps.
struct Retention {
    keep: SignedDuration,
    /// The day that was last begun.
    day: Option<i64>,
    /// Set while there may be more to remove.
    due: Option<Timestamp>,
}

impl Retention {
    fn notice(&mut self, rows: &[AuditRow]) {
        for row in rows {
            let day = row.occurred_at().as_second().div_euclid(24 * 60 * 60);
            if self.day.is_none_or(|last| last < day) {
                self.day = Some(day);
                self.due = Some(row.occurred_at());
            }
        }
    }

    async fn step(&mut self, database: &Database) -> Result<(), StoreError> {
        if let Some(now) = self.due {
            let mut transaction = database.begin().await?;
            let done = audit::forget_old(&mut transaction, self.keep, now).await?;
            transaction.commit().await?;
            if done {
                self.due = None;
            }
        }
        Ok(())
    }
}

/// What is written in one transaction, and who waits for it.
#[derive(Default)]
struct Group {
    /// The highest place of each credential: it ends those before it too.
    watermarks: BTreeMap<String, Watermark>,
    audit: Vec<AuditRow>,
    /// Where in `audit` a counted row is. The tokens of a group mostly belong to few credentials,
    /// and a statement per token would cost more than the rest of its transaction.
    counted: HashMap<String, usize>,
    used: Vec<Use>,
    spent: Vec<SpentRow>,
    journal: Vec<JournalRow>,
    waiting: Vec<oneshot::Sender<Result<(), String>>>,
    finished: Vec<oneshot::Sender<()>>,
}

struct Watermark {
    place: u64,
    bare: Option<Fingerprint>,
    sequence: Arc<Sequence>,
    at: Timestamp,
}

struct Use {
    client_id: String,
    secret_id: Option<String>,
    at: Timestamp,
}

impl Group {
    fn take_in(&mut self, job: Job) {
        match job {
            Job::Write { writes, done } => {
                for write in writes {
                    self.add(write);
                }
                self.waiting.push(done);
            }
            Job::Finish(done) => self.finished.push(done),
        }
    }

    fn add(&mut self, write: Write) {
        match write {
            Write::Watermark {
                client_id,
                place,
                bare,
                sequence,
                at,
            } => {
                let raised = Watermark {
                    place,
                    bare,
                    sequence,
                    at,
                };
                match self.watermarks.entry(client_id) {
                    Entry::Vacant(entry) => {
                        entry.insert(raised);
                    }
                    Entry::Occupied(mut entry) if entry.get().place < place => {
                        entry.insert(raised);
                    }
                    Entry::Occupied(_) => {}
                }
            }
            Write::Used {
                client_id,
                secret_id,
                at,
            } => self.used.push(Use {
                client_id,
                secret_id,
                at,
            }),
            Write::Spent(row) => self.spent.push(row),
            Write::Audit(row) => self.add_audit(*row),
            Write::Journal(row) => self.journal.push(row),
        }
    }

    fn add_audit(&mut self, row: AuditRow) {
        let Some(key) = row.counted() else {
            self.audit.push(row);
            return;
        };
        if let Some(known) = self.counted.get(key) {
            self.audit[*known].absorb(&row);
        } else {
            self.counted.insert(key.to_owned(), self.audit.len());
            self.audit.push(row);
        }
    }

    fn is_empty(&self) -> bool {
        self.watermarks.is_empty()
            && self.audit.is_empty()
            && self.used.is_empty()
            && self.spent.is_empty()
            && self.journal.is_empty()
    }

    async fn commit(&self, database: &Database) -> Result<(), StoreError> {
        if self.is_empty() {
            return Ok(());
        }
        let mut transaction = database.begin().await?;
        self.raise_watermarks(&mut transaction).await?;
        for used in &self.used {
            used.write(&mut transaction).await?;
        }
        for row in &self.spent {
            row.insert(&mut transaction).await?;
        }
        for row in &self.audit {
            row.insert(&mut transaction).await?;
        }
        for row in &self.journal {
            row.insert(&mut transaction).await?;
        }
        transaction.commit().await?;
        // Here and not in the request that asked: that one may have been dropped by now.
        for raised in self.watermarks.values() {
            raised.sequence.raise(raised.place, raised.bare, raised.at);
        }
        Ok(())
    }

    /// One statement for all. A credential deleted meanwhile has no row and needs no watermark.
    async fn raise_watermarks(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        if self.watermarks.is_empty() {
            return Ok(());
        }
        let mut statement: QueryBuilder<Sqlite> =
            QueryBuilder::new("WITH raised (client_id, sequence, bare) AS (");
        statement.push_values(&self.watermarks, |mut row, (client_id, raised)| {
            row.push_bind(client_id.clone());
            row.push_bind(i64::try_from(raised.place).unwrap_or(i64::MAX));
            row.push_bind(raised.bare.map(|bytes| bytes.to_vec()));
        });
        statement.push(
            ") UPDATE credential SET watermark = raised.sequence, bare_token = raised.bare \
             FROM raised WHERE credential.client_id = raised.client_id \
             AND raised.sequence > credential.watermark",
        );
        statement.build().execute(connection).await?;
        Ok(())
    }
}

async fn run(database: Database, mut jobs: mpsc::Receiver<Job>, mut retention: Retention) {
    let mut together = Vec::with_capacity(MOST_TOGETHER);
    while jobs.recv_many(&mut together, MOST_TOGETHER).await > 0 {
        let mut group = Group::default();
        for job in together.drain(..) {
            group.take_in(job);
        }
        let outcome = group.commit(&database).await;
        if let Err(error) = &outcome {
            let error: &(dyn std::error::Error + 'static) = error;
            let writes = group.waiting.len();
            tracing::error!(error, writes, "a group of writes failed");
        }
        let answer = outcome.map_err(|error| error.to_string());
        for done in group.waiting {
            // Whoever stopped waiting does not need the answer.
            let _ = done.send(answer.clone());
        }
        // After the answers: no token waits for it.
        retention.notice(&group.audit);
        if let Err(error) = retention.step(&database).await {
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::error!(error, "old audit events were not removed");
        }
        for done in group.finished {
            let _ = done.send(());
        }
    }
}

impl Use {
    /// Comes at most once a minute for each credential and secret.
    async fn write(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let at = nanoseconds(self.at);
        sqlx::query(
            "UPDATE credential SET last_used_at = $2 \
             WHERE client_id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
        )
        .bind(&self.client_id)
        .bind(at)
        .execute(&mut *connection)
        .await?;
        if let Some(secret_id) = &self.secret_id {
            sqlx::query(
                "UPDATE credential_secret SET last_used_at = $2 \
                 WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
            )
            .bind(secret_id)
            .bind(at)
            .execute(&mut *connection)
            .await?;
        }
        Ok(())
    }
}
