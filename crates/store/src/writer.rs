//! The one writer for what happens on the data paths: watermarks, audit events and the stand-in's
//! journal.
//!
//! Whatever waits is committed together, in one transaction, and each caller is answered after
//! that commit. Under load many writes share one `fsync`, so durability does not cost one disk
//! flush per token.
//!
//! A transaction begins when somebody waits for one of its writes, and not before: a token whose
//! signature is still to be made leaves its write here, and the first of many that is signed takes the
//! others along.

pub(crate) mod rows;

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use hallpass_oauth::token_id::Fingerprint;
use jiff::{SignedDuration, Timestamp};
use sqlx::SqliteConnection;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::StoreError;
use crate::audit::{self, AuditRow};
use crate::database::{Database, nanoseconds};
use crate::journal::JournalRow;
use crate::sequence::Sequence;
use crate::spent::{Spent, SpentRow};
use rows::{MOST_ROWS, Row};

/// Most writes that may wait; beyond, callers are told that the store is overloaded.
const MOST_WAITING: usize = 4096;

/// Most writes in one transaction.
const MOST_TOGETHER: usize = 256;

#[derive(Clone)]
pub(crate) struct Writer {
    jobs: mpsc::UnboundedSender<Job>,
    /// A place for each write that waits. The word to begin takes none: it must always get through.
    places: Arc<Semaphore>,
    health: Arc<Health>,
}

/// How the writer fares.
#[derive(Default)]
pub(crate) struct Health {
    /// Whether the last group failed.
    failed: AtomicBool,
    /// Since when a group is being written.
    since: Mutex<Option<Instant>>,
}

/// How long a group may take before the writer counts as stuck.
const LONGEST_GROUP: Duration = Duration::from_secs(2);

impl Health {
    pub(crate) fn check(&self) -> Result<(), StoreError> {
        if self.failed.load(Ordering::Acquire) {
            return Err(StoreError::NotWritten("the last writes failed".to_owned()));
        }
        let since = *self.since.lock().unwrap_or_else(PoisonError::into_inner);
        if since.is_some_and(|since| since.elapsed() > LONGEST_GROUP) {
            return Err(StoreError::NotWritten(
                "the last writes are stuck".to_owned(),
            ));
        }
        Ok(())
    }

    fn begins(&self) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    fn ends(&self, well: bool) {
        *self.since.lock().unwrap_or_else(PoisonError::into_inner) = None;
        self.failed.store(!well, Ordering::Release);
    }
}

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
        /// The address, where it is known.
        from: String,
        at: Timestamp,
    },
    /// Something must not be taken again, here and by this list from the commit on.
    Spent(SpentRow, Arc<Spent>),
    /// Proves that something can be written.
    Probe(Timestamp),
    /// A row of the audit log.
    Audit(Box<AuditRow>),
    /// A change of the stand-in's state.
    Journal(JournalRow),
}

enum Job {
    Write {
        writes: Vec<Write>,
        begun: Arc<AtomicBool>,
        done: oneshot::Sender<Result<(), String>>,
    },
    /// Somebody waits for the write of that mark.
    Begin(Arc<AtomicBool>),
    Finish(oneshot::Sender<()>),
}

/// A write that was handed over. It is made when somebody waits for it, when another one is, or when
/// this is dropped.
#[must_use = "the write is durable only once this has resolved"]
pub(crate) struct Pending {
    writer: mpsc::UnboundedSender<Job>,
    /// Set by the writer when the write's transaction begins.
    begun: Arc<AtomicBool>,
    done: oneshot::Receiver<Result<(), String>>,
}

impl Pending {
    /// Begins the write, if it has not.
    pub(crate) fn begin(&self) {
        if !self.begun.load(Ordering::Acquire) {
            let _ = self.writer.send(Job::Begin(self.begun.clone()));
        }
    }

    pub(crate) async fn committed(mut self) -> Result<(), StoreError> {
        self.begin();
        match (&mut self.done).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(reason)) => Err(StoreError::NotWritten(reason)),
            Err(_) => Err(StoreError::NotWritten("the writer has stopped".to_owned())),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        // Whoever does not wait any more still meant it.
        self.begin();
    }
}

impl Writer {
    pub(crate) fn start(database: Database, audit_retention: SignedDuration) -> Self {
        let (jobs, receiver) = mpsc::unbounded_channel();
        let places = Arc::new(Semaphore::new(MOST_WAITING));
        let health = Arc::new(Health::default());
        let retention = Retention {
            keep: audit_retention,
            day: None,
            due: None,
        };
        let run = run(
            database,
            receiver,
            places.clone(),
            health.clone(),
            retention,
        );
        tokio::spawn(run);
        Self {
            jobs,
            places,
            health,
        }
    }

    /// How it fares.
    pub(crate) fn health(&self) -> &Health {
        &self.health
    }

    /// Hands writes over; they are made together or not at all. Returns at once, so that a
    /// signature can be made meanwhile.
    pub(crate) fn submit(&self, writes: Vec<Write>) -> Result<Pending, StoreError> {
        let place = self
            .places
            .try_acquire()
            .map_err(|_| StoreError::Overloaded)?;
        let (sender, done) = oneshot::channel();
        let begun = Arc::new(AtomicBool::new(false));
        let job = Job::Write {
            writes,
            begun: begun.clone(),
            done: sender,
        };
        self.jobs
            .send(job)
            .map_err(|_| StoreError::NotWritten("the writer has stopped".to_owned()))?;
        // The writer gives it back.
        place.forget();
        Ok(Pending {
            writer: self.jobs.clone(),
            begun,
            done,
        })
    }

    /// Waits until everything handed over so far is written.
    pub(crate) async fn finish(&self) {
        let (done, finished) = oneshot::channel();
        if self.jobs.send(Job::Finish(done)).is_ok() {
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
    spent: Vec<(SpentRow, Arc<Spent>)>,
    journal: Vec<JournalRow>,
    probe: Option<Timestamp>,
    begun: Vec<Arc<AtomicBool>>,
    waiting: Vec<oneshot::Sender<Result<(), String>>>,
    finished: Vec<oneshot::Sender<()>>,
    /// Whether somebody waits for a write of this group.
    wanted: bool,
}

pub(crate) struct Watermark {
    place: u64,
    bare: Option<Fingerprint>,
    sequence: Arc<Sequence>,
    at: Timestamp,
}

struct Use {
    client_id: String,
    secret_id: Option<String>,
    from: String,
    at: Timestamp,
}

impl Group {
    fn take_in(&mut self, job: Job) {
        match job {
            Job::Write {
                writes,
                begun,
                done,
            } => {
                for write in writes {
                    self.add(write);
                }
                self.begun.push(begun);
                self.waiting.push(done);
            }
            // One that is begun, or even done, crossed this word on its way.
            Job::Begin(begun) => self.wanted |= !begun.load(Ordering::Acquire),
            Job::Finish(done) => {
                self.wanted = true;
                self.finished.push(done);
            }
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
                from,
                at,
            } => self.used.push(Use {
                client_id,
                secret_id,
                from,
                at,
            }),
            Write::Spent(row, list) => self.spent.push((row, list)),
            Write::Probe(at) => self.probe = Some(at),
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

    /// Commits, answers those who wait, and shortens the audit log where it is time to.
    async fn settle(self, database: &Database, health: &Health, retention: &mut Retention) {
        for begun in &self.begun {
            begun.store(true, Ordering::Release);
        }
        health.begins();
        let outcome = self.commit(database).await;
        // An empty group proves nothing.
        health.ends(outcome.is_ok() && (!self.is_empty() || health.check().is_ok()));
        if let Err(error) = &outcome {
            let error: &(dyn std::error::Error + 'static) = error;
            let writes = self.waiting.len();
            tracing::error!(error, writes, "a group of writes failed");
        }
        let answer = outcome.map_err(|error| error.to_string());
        for done in self.waiting {
            // Whoever stopped waiting does not need the answer.
            let _ = done.send(answer.clone());
        }
        // After the answers: no token waits for it.
        retention.notice(&self.audit);
        if let Err(error) = retention.step(database).await {
            let error: &(dyn std::error::Error + 'static) = &error;
            tracing::error!(error, "old audit events were not removed");
        }
        for done in self.finished {
            let _ = done.send(());
        }
    }

    fn is_empty(&self) -> bool {
        self.watermarks.is_empty() && self.audit.is_empty() && !self.has_rare()
    }

    async fn commit(&self, database: &Database) -> Result<(), StoreError> {
        if self.is_empty() {
            return Ok(());
        }
        let mut connection = database.writing().await?;
        if let Err(error) = self.write(&mut connection).await {
            // Fails where nothing had begun, or a statement by itself: then there is nothing to undo.
            let _ = sqlx::raw_sql("ROLLBACK").execute(&mut *connection).await;
            return Err(error);
        }
        // Here and not in the request that asked: that one may have been dropped by now.
        for raised in self.watermarks.values() {
            raised.sequence.raise(raised.place, raised.bare, raised.at);
        }
        for (row, list) in &self.spent {
            list.add(row);
        }
        Ok(())
    }

    /// Writes everything in one transaction. What every token needs is one statement, which is a
    /// transaction by itself: the thread of the connection answers each statement, and each answer costs
    /// some changes of threads.
    async fn write(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let rows: Vec<Row<'_>> = self.rows().collect();
        if !self.has_rare() && rows.len() <= MOST_ROWS {
            return rows::write(&rows, connection).await;
        }
        sqlx::raw_sql("BEGIN IMMEDIATE")
            .execute(&mut *connection)
            .await?;
        for rows in rows.chunks(MOST_ROWS) {
            rows::write(rows, connection).await?;
        }
        self.write_rare(connection).await?;
        sqlx::raw_sql("COMMIT").execute(connection).await?;
        Ok(())
    }

    fn rows(&self) -> impl Iterator<Item = Row<'_>> {
        let raised = self.watermarks.iter();
        let raised = raised.map(|(client_id, raised)| Row::Raised(client_id, raised));
        raised.chain(self.audit.iter().map(Row::Event))
    }

    fn has_rare(&self) -> bool {
        !(self.used.is_empty()
            && self.spent.is_empty()
            && self.journal.is_empty()
            && self.probe.is_none())
    }

    /// What few requests need.
    async fn write_rare(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        for used in &self.used {
            used.write(connection).await?;
        }
        for (row, _) in &self.spent {
            row.insert(connection).await?;
        }
        for row in &self.journal {
            row.insert(connection).await?;
        }
        if let Some(at) = self.probe {
            // True, and one row.
            sqlx::query("UPDATE issuer SET last_used = $1 WHERE present = 1")
                .bind(nanoseconds(at))
                .execute(connection)
                .await?;
        }
        Ok(())
    }
}

async fn run(
    database: Database,
    mut jobs: mpsc::UnboundedReceiver<Job>,
    places: Arc<Semaphore>,
    health: Arc<Health>,
    mut retention: Retention,
) {
    let mut group = Group::default();
    while let Some(job) = jobs.recv().await {
        group.take_in(job);
        if group.wanted {
            // One turn for everybody else: requests that are about to hand a write over take part in
            // this transaction instead of paying for the next one. Where nobody is, nobody waits.
            tokio::task::yield_now().await;
        } else if group.waiting.len() < MOST_TOGETHER {
            continue;
        }
        while group.waiting.len() < MOST_TOGETHER
            && let Ok(job) = jobs.try_recv()
        {
            group.take_in(job);
        }
        places.add_permits(group.waiting.len());
        std::mem::take(&mut group)
            .settle(&database, &health, &mut retention)
            .await;
    }
}

impl Use {
    /// Comes at most once a minute for each credential and secret.
    async fn write(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        let at = nanoseconds(self.at);
        sqlx::query(
            "UPDATE credential SET last_used_at = $2, last_used_from = $3 \
             WHERE client_id = $1 AND (last_used_at IS NULL OR last_used_at < $2)",
        )
        .bind(&self.client_id)
        .bind(at)
        .bind(&self.from)
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

#[cfg(test)]
mod tests {
    use hallpass_oauth::random::SystemRandom;

    use super::*;
    use crate::{AuditEvent, AuditState};

    fn token(client_id: &str, place: u64, second: i64) -> Job {
        let now = Timestamp::from_second(second).unwrap();
        let event = AuditEvent::new(
            AuditState::Success,
            "issued",
            "test",
            now,
            &mut SystemRandom,
        );
        let row = AuditRow::new(event.per_minute(client_id));
        Job::Write {
            writes: vec![
                Write::Audit(Box::new(row)),
                Write::Watermark {
                    client_id: client_id.to_owned(),
                    place,
                    bare: None,
                    sequence: Arc::new(Sequence::at(1, 0, None, SignedDuration::ZERO)),
                    at: now,
                },
            ],
            begun: Arc::default(),
            done: oneshot::channel().0,
        }
    }

    #[test]
    fn tokens_of_one_credential_and_minute_are_one_row_and_one_watermark() {
        let mut group = Group::default();
        for job in [token("a", 8, 60), token("b", 2, 61), token("a", 7, 62)] {
            group.take_in(job);
        }
        group.take_in(token("a", 9, 120));
        let counts: Vec<u64> = group.audit.iter().map(AuditRow::count).collect();
        assert_eq!(counts, [2, 1, 1], "a twice, b, and a in the next minute");
        assert_eq!(
            group.watermarks["a"].place, 9,
            "the highest, whatever the order"
        );
        assert_eq!(group.watermarks["b"].place, 2);
        assert_eq!(group.waiting.len(), 4, "and each is answered");
    }

    #[tokio::test]
    async fn a_group_that_fails_leaves_nothing_behind_and_the_next_one_is_written() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db"))
            .await
            .unwrap();
        let now = Timestamp::from_second(60).unwrap();
        let write = |counted: &str, workspace: &str| {
            let mut event = AuditEvent::new(
                AuditState::Success,
                "issued",
                "test",
                now,
                &mut SystemRandom,
            );
            event.workspace = Some(hallpass_oauth::WorkspaceId::parse(workspace).unwrap());
            let mut group = Group::default();
            group.add(Write::Audit(Box::new(AuditRow::new(
                event.per_minute(counted),
            ))));
            group
        };
        let workspace = "284893b761381c65b6bc74c235352996";
        let refuse = "CREATE TRIGGER refuse BEFORE INSERT ON audit_event WHEN NEW.counted LIKE 'bad%' \
                      BEGIN SELECT RAISE(ABORT, 'refused'); END";
        let mut connection = database.writing().await.unwrap();
        sqlx::raw_sql(refuse)
            .execute(&mut *connection)
            .await
            .unwrap();
        drop(connection);

        let mut mixed = write("good", workspace);
        mixed.add(Write::Audit(Box::new(
            write("bad", workspace).audit.remove(0),
        )));
        assert!(mixed.commit(&database).await.is_err());
        write("other", workspace).commit(&database).await.unwrap();

        let rows: Vec<String> = sqlx::query_scalar("SELECT counted FROM audit_event")
            .fetch_all(database.reader())
            .await
            .unwrap();
        assert_eq!(rows, ["other 1"]);
    }

    #[tokio::test]
    async fn a_group_of_many_rows_is_written_whole() {
        let folder = tempfile::tempdir().unwrap();
        let database = Database::open(&folder.path().join("test.db"))
            .await
            .unwrap();
        let now = Timestamp::from_second(60).unwrap();
        let mut group = Group::default();
        for n in 0..=2 * MOST_ROWS {
            let event = AuditEvent::new(
                AuditState::Failure,
                "refused",
                "test",
                now,
                &mut SystemRandom,
            );
            let row = AuditRow::new(event.per_minute(&n.to_string()));
            group.add(Write::Audit(Box::new(row)));
        }
        group.commit(&database).await.unwrap();
        let rows: i64 = sqlx::query_scalar("SELECT count(*) FROM audit_event")
            .fetch_one(database.reader())
            .await
            .unwrap();
        assert_eq!(usize::try_from(rows).unwrap(), 2 * MOST_ROWS + 1);
    }
}
