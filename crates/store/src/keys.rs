//! Signing keys: made on first start, encrypted at rest, one of them active.

use std::sync::Arc;

use hallpass_oauth::verify::LEEWAY;
use hallpass_oauth::{Issuer, JwkSet, KeySpec, SigningKey};
use jiff::{SignedDuration, Timestamp};
use rand_core::CryptoRng;
use sqlx::Row;

use crate::database::{Database, nanoseconds, read};
use crate::projection::Projection;
use crate::{MasterKey, StoreError};

/// All keys, parsed once.
pub(crate) struct KeyRing {
    active: Arc<SigningKey>,
    published: Arc<JwkSet>,
}

/// The key that signs. Only the authorization server holds this handle.
#[derive(Clone)]
pub struct SigningKeys(Arc<Projection>);

impl SigningKeys {
    pub(crate) fn new(projection: Arc<Projection>) -> Self {
        Self(projection)
    }

    /// The active key.
    pub fn active(&self) -> Arc<SigningKey> {
        self.0.keys.load().active.clone()
    }
}

/// The keys that verify.
#[derive(Clone)]
pub struct PublishedKeys(Arc<Projection>);

impl PublishedKeys {
    pub(crate) fn new(projection: Arc<Projection>) -> Self {
        Self(projection)
    }

    /// The set that is published at this moment.
    pub fn current(&self) -> Arc<JwkSet> {
        self.0.keys.load().published.clone()
    }
}

impl KeyRing {
    pub(crate) async fn load(
        database: &Database,
        master_key: &MasterKey,
    ) -> Result<Self, StoreError> {
        let rows = sqlx::query("SELECT id, sealed, active FROM signing_key ORDER BY created_at")
            .fetch_all(database.reader())
            .await?;
        let mut active = None;
        let mut published = Vec::new();
        for row in rows {
            let id: String = row.try_get("id")?;
            let sealed: Vec<u8> = row.try_get("sealed")?;
            let der = master_key
                .open(&id, &sealed)
                .ok_or(StoreError::WrongMasterKey)?;
            let key = SigningKey::from_pkcs8(&der)?;
            published.push(key.public_key()?);
            if row.try_get::<i64, _>("active")? != 0 {
                active = Some(key);
            }
        }
        let active = active.ok_or_else(|| StoreError::Unreadable {
            what: "set of signing keys",
            value: "none is active".to_owned(),
        })?;
        Ok(Self {
            active: Arc::new(active),
            published: Arc::new(JwkSet::new(published)),
        })
    }
}

/// Makes the first key, if there is none.
pub(crate) async fn ensure_active_key(
    database: &Database,
    master_key: &MasterKey,
    now: Timestamp,
    rng: &mut (dyn CryptoRng + Send),
) -> Result<(), StoreError> {
    let mut transaction = database.begin().await?;
    let known: i64 = sqlx::query_scalar("SELECT count(*) FROM signing_key")
        .fetch_one(&mut *transaction)
        .await?;
    if known > 0 {
        return Ok(());
    }
    let key = SigningKey::generate(KeySpec::default())?;
    let sealed = master_key
        .seal(key.id().as_str(), &key.to_pkcs8()?, rng)
        .ok_or(hallpass_oauth::key::KeyError::Failed)?;
    sqlx::query("INSERT INTO signing_key (id, sealed, active, created_at) VALUES ($1, $2, 1, $3)")
        .bind(key.id().as_str())
        .bind(sealed)
        .bind(nanoseconds(now))
        .execute(&mut *transaction)
        .await?;
    Ok(transaction.commit().await?)
}

/// Notes an issuer name and gives all that living tokens may carry, the present one first.
pub(crate) async fn use_issuer(
    database: &Database,
    issuer: &Issuer,
    longest_lifetime: SignedDuration,
    now: Timestamp,
) -> Result<Vec<Issuer>, StoreError> {
    let mut transaction = database.begin().await?;
    // The name in use so far served until now; its youngest tokens may be that young.
    sqlx::query("UPDATE issuer SET present = 0, last_used = $1 WHERE present = 1")
        .bind(nanoseconds(now))
        .execute(&mut *transaction)
        .await?;
    sqlx::query(
        "INSERT INTO issuer (url, present, last_used) VALUES ($1, 1, $2) \
         ON CONFLICT (url) DO UPDATE SET present = 1, last_used = excluded.last_used",
    )
    .bind(issuer.as_str())
    .bind(nanoseconds(now))
    .execute(&mut *transaction)
    .await?;
    let oldest = now
        .checked_sub(longest_lifetime + LEEWAY)
        .unwrap_or(Timestamp::MIN);
    sqlx::query("DELETE FROM issuer WHERE last_used < $1")
        .bind(nanoseconds(oldest))
        .execute(&mut *transaction)
        .await?;
    let urls: Vec<String> = sqlx::query_scalar("SELECT url FROM issuer WHERE url <> $1")
        .bind(issuer.as_str())
        .fetch_all(&mut *transaction)
        .await?;
    transaction.commit().await?;
    let mut issuers = vec![issuer.clone()];
    for url in urls {
        issuers.push(read("issuer", &url)?);
    }
    Ok(issuers)
}
