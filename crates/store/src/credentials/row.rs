//! Credentials in the database: how one is read, and how a change of it is written and then shown.

use std::sync::Arc;

use hallpass_oauth::client_authentication::ClientAuthenticationMethods;
use hallpass_oauth::token_id::Fingerprint;
use hallpass_oauth::{ApplicationInstanceId, ClientId, ScopeSet, SecretDigest};
use jiff::{SignedDuration, Timestamp};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection};

use super::{CredentialError, Effect};
use crate::audit::{AuditEvent, AuditRow};
use crate::database::{Database, nanoseconds, read, timestamp};
use crate::people::PersonId;
use crate::projection::LiveCredential;
use crate::sequence::Sequence;
use crate::{Store, StoreError};

/// A credential as the database keeps it.
#[derive(Clone)]
pub(crate) struct CredentialRow {
    pub(crate) client_id: ClientId,
    pub(crate) person: PersonId,
    pub(crate) instance: ApplicationInstanceId,
    pub(crate) name: String,
    /// The oldest first, at most two.
    pub(crate) secrets: Vec<SecretRow>,
    pub(crate) generation: u64,
    /// As it was when the row was read or written: the living one is in the sequence.
    pub(crate) watermark: u64,
    pub(crate) bare_token: Option<Fingerprint>,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
    pub(crate) last_used_at: Option<Timestamp>,
    pub(crate) last_used_from: String,
    pub(crate) enabled: bool,
    /// Whether somebody else than the owner switched it off.
    pub(crate) held: bool,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) lifetime: Option<SignedDuration>,
    pub(crate) scopes: Option<ScopeSet>,
    pub(crate) methods: ClientAuthenticationMethods,
    pub(crate) jwks: Option<String>,
    pub(crate) introspects: bool,
}

/// A secret as the database keeps it.
#[derive(Clone)]
pub(crate) struct SecretRow {
    pub(crate) id: String,
    pub(crate) digest: SecretDigest,
    pub(crate) created_at: Timestamp,
    pub(crate) expires_at: Option<Timestamp>,
    pub(crate) last_used_at: Option<Timestamp>,
}

impl CredentialRow {
    pub(super) fn asks_for_secret(&self) -> Result<(), CredentialError> {
        if self.jwks.is_some() {
            return Err(CredentialError::NoSecret);
        }
        Ok(())
    }

    pub(crate) async fn load_all(database: &Database) -> Result<Vec<Self>, StoreError> {
        let mut credentials = Vec::new();
        for row in sqlx::query("SELECT * FROM credential ORDER BY client_id")
            .fetch_all(database.reader())
            .await?
        {
            credentials.push(Self::read(&row)?);
        }
        let secrets = sqlx::query("SELECT * FROM credential_secret ORDER BY client_id, created_at")
            .fetch_all(database.reader())
            .await?;
        for row in secrets {
            let client_id: String = row.try_get("client_id")?;
            let place = credentials
                .binary_search_by(|known| known.client_id.as_str().cmp(client_id.as_str()));
            if let Ok(place) = place {
                credentials[place].secrets.push(SecretRow::read(&row)?);
            }
        }
        Ok(credentials)
    }

    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        let number = |column: &str| -> Result<u64, StoreError> {
            Ok(u64::try_from(row.try_get::<i64, _>(column)?).unwrap_or(0))
        };
        let scopes: Option<String> = row.try_get("scopes")?;
        let lifetime: Option<i64> = row.try_get("lifetime")?;
        let bare: Option<Vec<u8>> = row.try_get("bare_token")?;
        Ok(Self {
            client_id: read("client id", row.try_get("client_id")?)?,
            person: read("person id", row.try_get("person_id")?)?,
            instance: read("application instance id", row.try_get("instance_id")?)?,
            name: row.try_get("name")?,
            secrets: Vec::new(),
            generation: number("generation")?,
            watermark: number("watermark")?,
            bare_token: bare.and_then(|bytes| bytes.try_into().ok()),
            created_at: timestamp(row.try_get("created_at")?),
            updated_at: timestamp(row.try_get("updated_at")?),
            last_used_at: optional_time(row, "last_used_at")?,
            last_used_from: row.try_get("last_used_from")?,
            enabled: number("enabled")? != 0,
            held: number("held")? != 0,
            expires_at: optional_time(row, "expires_at")?,
            lifetime: lifetime.map(SignedDuration::from_secs),
            scopes: scopes.map(|text| read("scope", &text)).transpose()?,
            methods: read("set of authentication methods", row.try_get("methods")?)?,
            jwks: row.try_get("jwks")?,
            introspects: number("introspects")? != 0,
        })
    }

    /// Writes the row and its secrets. The watermark only ever grows: tokens are minted while a change
    /// is on its way.
    async fn write(&self, connection: &mut SqliteConnection) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO credential (client_id, person_id, instance_id, name, generation, watermark, \
             created_at, updated_at, enabled, expires_at, lifetime, scopes, methods, jwks, introspects, \
             held) \
             VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
             ON CONFLICT (client_id) DO UPDATE SET name = excluded.name, \
             generation = excluded.generation, updated_at = excluded.updated_at, \
             enabled = excluded.enabled, expires_at = excluded.expires_at, \
             lifetime = excluded.lifetime, scopes = excluded.scopes, methods = excluded.methods, \
             jwks = excluded.jwks, introspects = excluded.introspects, held = excluded.held, \
             bare_token = CASE WHEN excluded.watermark > credential.watermark THEN NULL \
             ELSE credential.bare_token END, \
             watermark = CASE WHEN excluded.watermark > credential.watermark \
             THEN excluded.watermark ELSE credential.watermark END",
        )
        .bind(self.client_id.as_str())
        .bind(self.person.to_string())
        .bind(self.instance.as_str())
        .bind(&self.name)
        .bind(signed(self.generation))
        .bind(signed(self.watermark))
        .bind(nanoseconds(self.created_at))
        .bind(nanoseconds(self.updated_at))
        .bind(i64::from(self.enabled))
        .bind(self.expires_at.map(nanoseconds))
        .bind(self.lifetime.map(|lifetime| lifetime.as_secs()))
        .bind(self.scopes.as_ref().map(ToString::to_string))
        .bind(self.methods.to_string())
        .bind(&self.jwks)
        .bind(i64::from(self.introspects))
        .bind(i64::from(self.held))
        .execute(&mut *connection)
        .await?;
        sqlx::query("DELETE FROM credential_secret WHERE client_id = $1")
            .bind(self.client_id.as_str())
            .execute(&mut *connection)
            .await?;
        for secret in &self.secrets {
            secret.insert(&self.client_id, connection).await?;
        }
        Ok(())
    }
}

impl SecretRow {
    fn read(row: &SqliteRow) -> Result<Self, StoreError> {
        let digest: String = row.try_get("digest")?;
        Ok(Self {
            id: row.try_get("id")?,
            digest: SecretDigest::from_stored(&digest).ok_or_else(|| StoreError::Unreadable {
                what: "secret digest scheme",
                value: digest.split(':').next().unwrap_or_default().to_owned(),
            })?,
            created_at: timestamp(row.try_get("created_at")?),
            expires_at: optional_time(row, "expires_at")?,
            last_used_at: optional_time(row, "last_used_at")?,
        })
    }

    async fn insert(
        &self,
        client_id: &ClientId,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        sqlx::query(
            "INSERT INTO credential_secret \
             (id, client_id, digest, created_at, expires_at, last_used_at) \
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(&self.id)
        .bind(client_id.as_str())
        .bind(self.digest.to_stored())
        .bind(nanoseconds(self.created_at))
        .bind(self.expires_at.map(nanoseconds))
        .bind(self.last_used_at.map(nanoseconds))
        .execute(connection)
        .await?;
        Ok(())
    }
}

fn optional_time(row: &SqliteRow, column: &str) -> Result<Option<Timestamp>, StoreError> {
    Ok(row.try_get::<Option<i64>, _>(column)?.map(timestamp))
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

/// Adds a credential, within its owner's limits.
pub(super) async fn insert(
    store: &Store,
    row: CredentialRow,
    event: AuditEvent,
) -> Result<Arc<LiveCredential>, CredentialError> {
    // Looked up again: the owner may have been removed while this change waited for its turn.
    if store.projection.person(row.person).is_none() {
        return Err(CredentialError::UnknownOwner(row.person));
    }
    let owned: Vec<_> = {
        let credentials = store.projection.credentials.pin();
        credentials
            .values()
            .filter(|live| live.row.person == row.person)
            .cloned()
            .collect()
    };
    if owned.iter().any(|live| live.row.name == row.name) {
        return Err(CredentialError::NameTaken(row.name));
    }
    let limit = store.policy.credentials_per_owner;
    if owned.len() >= limit {
        return Err(CredentialError::LimitReached(limit));
    }
    let mut transaction = store.database.begin().await?;
    row.write(&mut transaction).await?;
    AuditRow::new(event).insert(&mut transaction).await?;
    transaction.commit().await?;
    let sequence = Arc::new(Sequence::new(&row, store.policy.grace));
    Ok(store
        .projection
        .put_credential(row, sequence, &store.policy)?)
}

/// Changes a credential. Where that ends its tokens, nobody gets one while it is being written.
pub(super) async fn change(
    store: &Store,
    client_id: &str,
    event: AuditEvent,
    now: Timestamp,
    change: impl FnOnce(&mut CredentialRow) -> Result<Effect, CredentialError>,
) -> Result<Arc<LiveCredential>, CredentialError> {
    let live = store
        .projection
        .credential(client_id)
        .ok_or_else(|| CredentialError::Unknown(client_id.to_owned()))?;
    let mut row = CredentialRow {
        updated_at: now,
        ..live.row.clone()
    };
    for (secret, known) in row.secrets.iter_mut().zip(&live.secrets) {
        secret.last_used_at = known.last_use.at();
    }
    let effect = change(&mut row)?;
    if effect != Effect::Keeps {
        row.generation += 1;
        row.watermark = live.sequence.begin_reset();
    }
    let written = write(store, &row, event).await;
    if effect != Effect::Keeps {
        let grace = store.policy.reset_grace;
        let graced = effect == Effect::Resets && grace.is_positive();
        let until = graced.then(|| now.checked_add(grace).unwrap_or(Timestamp::MAX));
        match &written {
            Ok(()) => live
                .sequence
                .complete_reset(row.generation, row.watermark, until),
            Err(_) => live.sequence.abandon_reset(),
        }
    }
    written?;
    Ok(store
        .projection
        .put_credential(row, live.sequence.clone(), &store.policy)?)
}

async fn write(store: &Store, row: &CredentialRow, event: AuditEvent) -> Result<(), StoreError> {
    let mut transaction = store.database.begin().await?;
    row.write(&mut transaction).await?;
    AuditRow::new(event).insert(&mut transaction).await?;
    Ok(transaction.commit().await?)
}

/// Deletes a credential.
pub(super) async fn delete(
    store: &Store,
    client_id: &str,
    event: AuditEvent,
) -> Result<(), CredentialError> {
    let mut transaction = store.database.begin().await?;
    let deleted = sqlx::query("DELETE FROM credential WHERE client_id = $1")
        .bind(client_id)
        .execute(&mut *transaction)
        .await?;
    if deleted.rows_affected() == 0 {
        return Err(CredentialError::Unknown(client_id.to_owned()));
    }
    AuditRow::new(event).insert(&mut transaction).await?;
    transaction.commit().await?;
    store.projection.credentials.pin().remove(client_id);
    Ok(())
}
