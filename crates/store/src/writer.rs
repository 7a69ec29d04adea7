//! The one writer for what happens on the data paths: watermarks, audit events and the stand-in's
//! journal.
//!
//! Whatever waits is committed together, in one transaction, and each caller is answered after
//! that commit. Under load many writes share one `fsync`, so durability does not cost one disk
//! flush per token.

use std::collections::BTreeMap;
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
    fn notice(&mut self, writes: &[Write]) {
        for write in writes {
            if let Write::Audit(row) = write {
                let day = row.occurred_at().as_second().div_euclid(24 * 60 * 60);
                if self.day.is_none_or(|last| last < day) {
                    self.day = Some(day);
                    self.due = Some(row.occurred_at());
                }
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

async fn run(database: Database, mut jobs: mpsc::Receiver<Job>, mut retention: Retention) {
    let mut together = Vec::with_capacity(MOST_TOGETHER);
    while jobs.recv_many(&mut together, MOST_TOGETHER).await > 0 {
        let mut writes = Vec::new();
        let mut waiting = Vec::new();
        let mut finished = Vec::new();
        for job in together.drain(..) {
            match job {
                Job::Write { writes: more, done } => {
                    writes.extend(more);
                    waiting.push(done);
                }
                Job::Finish(done) => finished.push(done),
            }
        }
        let outcome = if writes.is_empty() {
            Ok(())
        } else {
            commit(&database, &writes).await
        };
        if let Err(error) = &outcome {
            let error: &(dyn std::error::Error + 'static) = error;
            tracing::error!(error, writes = writes.len(), "a group of writes failed");
        }
        let answer = outcome.map_err(|error| error.to_string());
        for done in waiting {
            // Whoever stopped waiting does not need the answer.
            let _ = done.send(answer.clone());
        }
        // After the answers: no token waits for it.
        retention.notice(&writes);
        if let Err(error) = retention.step(&database).await {
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::error!(error, "old audit events were not removed");
        }
        for done in finished {
            let _ = done.send(());
        }
    }
}

async fn commit(database: &Database, writes: &[Write]) -> Result<(), StoreError> {
    let mut transaction = database.begin().await?;
    raise_watermarks(&mut transaction, writes).await?;
    for write in writes {
        match write {
            Write::Watermark { .. } => {}
            Write::Used {
                client_id,
                secret_id,
                at,
            } => note_use(&mut transaction, client_id, secret_id.as_deref(), *at).await?,
            Write::Spent(row) => row.insert(&mut transaction).await?,
            Write::Audit(row) => row.insert(&mut transaction).await?,
            Write::Journal(row) => row.insert(&mut transaction).await?,
        }
    }
    transaction.commit().await?;
    // Here and not in the request that asked: that one may have been dropped by now.
    for write in writes {
        if let Write::Watermark {
            place,
            bare,
            sequence,
            at,
            ..
        } = write
        {
            sequence.raise(*place, *bare, *at);
        }
    }
    Ok(())
}

/// One statement for all watermarks of the group. A credential deleted meanwhile has no row and
/// needs no watermark.
async fn raise_watermarks(
    connection: &mut SqliteConnection,
    writes: &[Write],
) -> Result<(), StoreError> {
    let mut highest = BTreeMap::new();
    for write in writes {
        if let Write::Watermark {
            client_id,
            place,
            bare,
            ..
        } = write
        {
            let known = highest.entry(client_id.as_str()).or_insert((*place, *bare));
            if *place > known.0 {
                *known = (*place, *bare);
            }
        }
    }
    if highest.is_empty() {
        return Ok(());
    }
    let mut statement: QueryBuilder<Sqlite> =
        QueryBuilder::new("WITH raised (client_id, sequence, bare) AS (");
    statement.push_values(highest, |mut row, (client_id, (place, bare))| {
        row.push_bind(client_id.to_owned());
        row.push_bind(i64::try_from(place).unwrap_or(i64::MAX));
        row.push_bind(bare.map(|bytes| bytes.to_vec()));
    });
    statement.push(
        ") UPDATE credential SET watermark = raised.sequence, bare_token = raised.bare \
         FROM raised \
         WHERE credential.client_id = raised.client_id AND raised.sequence > credential.watermark",
    );
    statement.build().execute(connection).await?;
    Ok(())
}

/// When a credential and its secret were last used. Comes at most once a minute for each.
async fn note_use(
    connection: &mut SqliteConnection,
    client_id: &str,
    secret_id: Option<&str>,
    at: Timestamp,
) -> Result<(), StoreError> {
    let at = nanoseconds(at);
    sqlx::query(
        "UPDATE credential SET last_used_at = $2 \
         WHERE client_id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
    )
    .bind(client_id)
    .bind(at)
    .execute(&mut *connection)
    .await?;
    if let Some(secret_id) = secret_id {
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
