//! What must not be taken any more, or again: revoked tokens (RFC 7009) and used client assertions
//! (RFC 7523 section 3). Each entry ends with what it stands for, so the list is bounded by lifetimes
//! and by the rate at which tokens are minted.

use std::sync::Arc;

use hallpass_oauth::token_id::SpentId;
use hallpass_oauth::verify::{LEEWAY, VerifiedToken};
use jiff::{SignedDuration, Timestamp};
use papaya::HashMap;
use sqlx::{Row, SqliteConnection};

use crate::StoreError;
use crate::audit::{AuditEvent, AuditRow};
use crate::database::{Database, nanoseconds};
use crate::projection::Projection;
use crate::writer::{Write, Writer};

/// The list in memory: id → end, in nanoseconds since 1970.
#[derive(Default)]
pub(crate) struct Spent(HashMap<SpentId, i64>);

impl Spent {
    pub(crate) async fn load(database: &Database) -> Result<Self, StoreError> {
        let rows = sqlx::query("SELECT id, expires_at FROM spent_id")
            .fetch_all(database.reader())
            .await?;
        let spent = Self::default();
        for row in rows {
            let id: Vec<u8> = row.try_get("id")?;
            let id = SpentId::try_from(id).map_err(|_| StoreError::Unreadable {
                what: "spent id",
                value: "not 32 bytes".to_owned(),
            })?;
            spent.0.pin().insert(id, row.try_get("expires_at")?);
        }
        Ok(spent)
    }

    pub(crate) fn contains(&self, id: &SpentId) -> bool {
        self.0.pin().contains_key(id)
    }

    /// Adds an id; says whether it was new.
    pub(crate) fn add(&self, row: &SpentRow) -> bool {
        let end = nanoseconds(row.expires_at);
        self.0.pin().try_insert(row.id, end).is_ok()
    }

    /// Takes an id back that was not written.
    pub(crate) fn take_back(&self, id: &SpentId) {
        self.0.pin().remove(id);
    }

    pub(crate) fn len(&self) -> usize {
        self.0.len()
    }

    fn any_ended(&self, until: i64) -> bool {
        self.0.pin().values().any(|end| *end <= until)
    }

    fn forget(&self, until: i64) {
        self.0.pin().retain(|_, end| *end > until);
    }
}

/// An entry on its way into the database.
#[derive(Debug, Clone, Copy)]
pub(crate) struct SpentRow {
    pub(crate) id: SpentId,
    pub(crate) expires_at: Timestamp,
}

impl SpentRow {
    pub(crate) async fn insert(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        sqlx::query("INSERT INTO spent_id (id, expires_at) VALUES ($1, $2) ON CONFLICT DO NOTHING")
            .bind(self.id.as_slice())
            .bind(nanoseconds(self.expires_at))
            .execute(connection)
            .await?;
        Ok(())
    }
}

/// How long an entry stays beyond its end.
const MARGIN: SignedDuration = SignedDuration::from_mins(1);

/// Removes what has ended. The memory goes after the disk: an entry must not come back with a restart
/// and be missing before it.
pub(crate) async fn forget_old(
    database: &Database,
    projection: &Projection,
    now: Timestamp,
) -> Result<(), StoreError> {
    // A request that looked before its entry went must be over before it does.
    let until = nanoseconds(now.checked_sub(MARGIN).unwrap_or(Timestamp::MIN));
    if !projection.spent.any_ended(until) {
        return Ok(());
    }
    let mut transaction = database.begin().await?;
    sqlx::query("DELETE FROM spent_id WHERE expires_at <= $1")
        .bind(until)
        .execute(&mut *transaction)
        .await?;
    transaction.commit().await?;
    projection.spent.forget(until);
    Ok(())
}

/// Revokes single tokens. Only the authorization server holds this handle.
#[derive(Clone)]
pub struct Revocations {
    projection: Arc<Projection>,
    writer: Writer,
}

impl Revocations {
    pub(crate) fn new(projection: Arc<Projection>, writer: Writer) -> Self {
        Self { projection, writer }
    }

    /// Revokes a token and writes the event down with it. From the answer on nobody here takes the
    /// token.
    pub async fn revoke(
        &self,
        token: &VerifiedToken<'_>,
        event: AuditEvent,
    ) -> Result<(), StoreError> {
        // A verifier grants the leeway, and so does the list; twice, for a clock that is behind.
        let expires_at = token
            .expires_at()
            .checked_add(LEEWAY + LEEWAY)
            .unwrap_or(Timestamp::MAX);
        let row = SpentRow {
            id: token.token_id().spent_id(),
            expires_at,
        };
        let event = AuditRow::new(event);
        // The writer shows it: whoever asked may be gone by then.
        let shown = Write::Spent(row, self.projection.spent.clone());
        self.writer
            .submit(vec![shown, Write::Audit(Box::new(event))])?
            .committed()
            .await
    }
}
