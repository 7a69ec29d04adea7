//! The SQLite database: one connection that writes, several that read, and the schema.
//!
//! WAL lets readers go on while the writer commits; `synchronous = FULL` means that a commit that
//! returned survives a power cut.

use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::pool::PoolConnection;
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteJournalMode, SqlitePool, SqlitePoolOptions, SqliteSynchronous,
};
use sqlx::{Sqlite, Transaction};

use crate::StoreError;

/// Both pools. There is one writing connection, so a write never meets `SQLITE_BUSY` from another
/// one of this process; other processes are kept out by the lock of the data directory.
#[derive(Clone)]
pub(crate) struct Database {
    reader: SqlitePool,
    writer: SqlitePool,
}

const READERS: u32 = 4;

impl Database {
    pub(crate) async fn open(path: &Path) -> Result<Self, StoreError> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            // What is deleted is overwritten: a retired private key, the digest of a secret.
            .pragma("secure_delete", "ON")
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5));
        let writer = SqlitePoolOptions::new()
            .max_connections(1)
            // A file does not hang up; asking each time would cost a round trip per commit.
            .test_before_acquire(false)
            .connect_with(options.clone())
            .await?;
        sqlx::migrate!().run(&writer).await?;
        let reader = SqlitePoolOptions::new()
            .max_connections(READERS)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await?;
        Ok(Self { reader, writer })
    }

    pub(crate) fn reader(&self) -> &SqlitePool {
        &self.reader
    }

    pub(crate) async fn begin(&self) -> Result<Transaction<'static, Sqlite>, StoreError> {
        Ok(self.writer.begin().await?)
    }

    /// The writing connection, for whoever minds the transaction themselves.
    pub(crate) async fn writing(&self) -> Result<PoolConnection<Sqlite>, StoreError> {
        Ok(self.writer.acquire().await?)
    }

    /// Empties the write-ahead log, as far as nobody reads from it.
    pub(crate) async fn truncate_log(&self) {
        let truncated = sqlx::query("PRAGMA wal_checkpoint(TRUNCATE)")
            .execute(&self.writer)
            .await;
        if let Err(error) = truncated {
            tracing::warn!(error = %error, "the write-ahead log was not emptied");
        }
    }

    pub(crate) async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }
}

/// A time as the database keeps it.
pub(crate) fn nanoseconds(time: Timestamp) -> i64 {
    let nanoseconds = time.as_nanosecond();
    // The years 1677 to 2262 fit; what lies before is the beginning, what lies behind the end.
    let nearest = if nanoseconds < 0 { i64::MIN } else { i64::MAX };
    i64::try_from(nanoseconds).unwrap_or(nearest)
}

/// A time read from the database.
pub(crate) fn timestamp(nanoseconds: i64) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(nanoseconds)).unwrap_or(Timestamp::MAX)
}

/// A stored text read into its type.
pub(crate) fn read<T: std::str::FromStr>(what: &'static str, text: &str) -> Result<T, StoreError> {
    text.parse().map_err(|_| StoreError::Unreadable {
        what,
        value: text.to_owned(),
    })
}
