//! Signing keys: encrypted at rest, one of them active, the others on their way in or out.
//!
//! A key is *upcoming* (published, not signing yet), *active* (signs), *retiring* (signs no more, still
//! published for the tokens it signed) or *retired* (gone, but for a line in the list). Because a key
//! is published for longer than verifiers may keep the set before it signs, and stays until its last
//! token is dead, no verifier meets an unknown key and no good token dies by a rotation.

mod ring;
mod rotation;

use std::sync::Arc;

use hallpass_oauth::key::{Algorithm, KeyError, KeySpec};
use hallpass_oauth::verify::LEEWAY;
use hallpass_oauth::{Issuer, JwkSet, KeyId, SigningKey};
use jiff::{SignedDuration, Timestamp};
use rand_core::CryptoRng;
use sqlx::Row;

use crate::audit::{AuditEvent, AuditResource, AuditState, random_uuid};
use crate::database::{Database, nanoseconds, read, timestamp};
use crate::projection::Projection;
use crate::{Actor, Store, StoreError};

pub use ring::JwksDocument;
pub(crate) use ring::KeyRing;
pub(crate) use rotation::{ensure_active, raise_lifetimes};

/// Rules for signing keys.
#[derive(Debug, Clone)]
pub struct KeyPolicy {
    /// What new keys are.
    pub spec: KeySpec,
    /// How long a key signs before the next one takes over; `None` leaves it to the administrator.
    pub rotate_every: Option<SignedDuration>,
    /// How long a key is published before it signs.
    pub publish_before: SignedDuration,
}

impl Default for KeyPolicy {
    fn default() -> Self {
        Self {
            spec: KeySpec::default(),
            rotate_every: Some(SignedDuration::from_hours(24 * 30)),
            publish_before: SignedDuration::from_mins(10),
        }
    }
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
        self.0.keys.load().active()
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
        self.0.keys.load().published()
    }

    /// The same as the document on the wire.
    pub fn document(&self) -> Arc<JwksDocument> {
        self.0.keys.load().document()
    }

    /// The keys that are published, for those who watch them.
    pub fn states(&self) -> Vec<PublishedKey> {
        self.0.keys.load().states()
    }
}

/// A published key, in what may be shown to anybody who runs the server.
#[derive(Debug, Clone)]
pub struct PublishedKey {
    /// Its id.
    pub id: KeyId,
    /// What it signs with.
    pub algorithm: Algorithm,
    /// What it does.
    pub state: KeyState,
    /// When it was made or imported.
    pub created_at: Timestamp,
}

/// What a key does at this moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// Published, and not signing yet.
    Upcoming,
    /// Signs.
    Active,
    /// Signs no more, and is still published.
    Retiring,
    /// Gone.
    Retired,
}

impl KeyState {
    /// Every state, in the order of a key's life.
    pub const ALL: [Self; 4] = [Self::Upcoming, Self::Active, Self::Retiring, Self::Retired];

    /// The word for lists, labels and the database.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upcoming => "upcoming",
            Self::Active => "active",
            Self::Retiring => "retiring",
            Self::Retired => "retired",
        }
    }
}

/// A word that names no state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no state of a signing key")]
pub struct UnknownKeyState;

impl std::str::FromStr for KeyState {
    type Err = UnknownKeyState;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or(UnknownKeyState)
    }
}

/// Administration of signing keys.
#[derive(Clone)]
pub struct Keys(Store);

/// A key as administration sees it: nothing private.
#[derive(Debug, Clone)]
pub struct Key {
    /// Its id.
    pub id: KeyId,
    /// What kind of key it is, such as `rsa-2048`.
    pub kind: String,
    /// What it does.
    pub state: KeyState,
    /// Whether it came from outside.
    pub imported: bool,
    /// When it was made or imported.
    pub created_at: Timestamp,
    /// When it signs, or began to.
    pub activates_at: Timestamp,
    /// When it stopped signing.
    pub retiring_since: Option<Timestamp>,
    /// When it goes, or went.
    pub retires_at: Option<Timestamp>,
}

/// Why a key was not changed.
#[derive(Debug, thiserror::Error)]
pub enum KeysError {
    /// The next key is on its way already.
    #[error("the key {id} is already published and signs from {activates_at:.0}")]
    UnderWay {
        /// The upcoming key.
        id: KeyId,
        /// When it signs.
        activates_at: Timestamp,
    },
    /// No such key is published.
    #[error("there is no published signing key {0}")]
    Unknown(String),
    /// The key was here before.
    #[error("the key {0} is or was a signing key of this server")]
    Known(KeyId),
    /// The key is no good.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for KeysError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl Keys {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// All keys that are or were, the oldest first.
    pub async fn list(&self) -> Result<Vec<Key>, StoreError> {
        let rows = KeyRow::load_all(&self.0.database).await?;
        Ok(rows.into_iter().map(|row| row.key).collect())
    }

    /// Begins a rotation: makes the next key and publishes it. It signs as soon as every verifier has
    /// had time to see it.
    pub async fn rotate(
        &self,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Key, KeysError> {
        let made = generate(self.0.policy.keys.spec).await?;
        self.add(made, false, "Signing key made", actor, now, rng)
            .await
    }

    /// Takes a private key from outside (PEM) as the next one.
    pub async fn import(
        &self,
        pem: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Key, KeysError> {
        let key = SigningKey::from_pem(pem)?;
        self.add(key, true, "Signing key imported", actor, now, rng)
            .await
    }

    /// Takes a key out at once, in an emergency: from the next request on nobody here trusts it, and
    /// every token it signed is dead. If it was the one that signs, the next one does from now on.
    pub async fn remove(
        &self,
        id: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Key, KeysError> {
        // Made before it is known whether it is needed: making one takes a second, and in that time
        // nothing else could be administered.
        let spare = generate(self.0.policy.keys.spec).await?;
        let sealed = self.seal(&spare, rng)?;
        let spare = KeyRow::upcoming(&spare, sealed, false, &self.0, now, now);
        let said = event("Signing key removed", &read_id(id)?, actor, now, rng);
        let (store, id) = (self.0.clone(), id.to_owned());
        self.0
            .uninterrupted(async move { rotation::remove(&store, &id, spare, said, now).await })
            .await
    }

    /// Moves every key to the state that its time has come for, and makes the next key when the active
    /// one has signed for long enough. To be called every few seconds.
    pub async fn advance(
        &self,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), KeysError> {
        let due = self.0.projection.keys.load().due(&self.0.policy.keys, now);
        if !due.any() {
            return Ok(());
        }
        let actor = scheduler();
        if due.state_change {
            // Each key changes once at most; one more may come before this change has its turn.
            let changes = self.0.projection.keys.load().states().len() + 1;
            let said = rotation::Sayings::new(changes, &actor, now, rng);
            let store = self.0.clone();
            self.0
                .uninterrupted(async move { rotation::advance(&store, said, now).await })
                .await?;
        }
        if due.next_key {
            match self.rotate(&actor, now, rng).await {
                Ok(_) | Err(KeysError::UnderWay { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    async fn add(
        &self,
        key: SigningKey,
        imported: bool,
        message: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Key, KeysError> {
        let sealed = self.seal(&key, rng)?;
        let activates_at = now
            .checked_add(self.0.policy.keys.publish_before)
            .unwrap_or(Timestamp::MAX);
        let row = KeyRow::upcoming(&key, sealed, imported, &self.0, now, activates_at);
        let said = event(message, &row.key.id, actor, now, rng);
        let store = self.0.clone();
        self.0
            .uninterrupted(async move { rotation::add(&store, row, said).await })
            .await
    }

    fn seal(
        &self,
        key: &SigningKey,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Vec<u8>, KeyError> {
        self.0
            .master_key
            .seal(key.id().as_str(), &key.to_pkcs8()?, rng)
            .ok_or(KeyError::Failed)
    }
}

/// Makes a key beside the requests: an RSA key of 4096 bits takes seconds.
pub(crate) async fn generate(spec: KeySpec) -> Result<SigningKey, KeyError> {
    tokio::task::spawn_blocking(move || SigningKey::generate(spec))
        .await
        .unwrap_or(Err(KeyError::Failed))
}

fn read_id(id: &str) -> Result<KeyId, KeysError> {
    KeyId::parse(id).map_err(|_| KeysError::Unknown(id.chars().take(64).collect()))
}

/// Who the log names when a key changes by the clock.
fn scheduler() -> Actor {
    Actor {
        email: "key rotation".to_owned(),
        client_id: String::new(),
        address: String::new(),
        source: "hallpass",
    }
}

fn event(
    message: &str,
    id: &KeyId,
    actor: &Actor,
    now: Timestamp,
    rng: &mut (dyn CryptoRng + Send),
) -> AuditEvent {
    event_named(random_uuid(rng), message, id, actor, now)
}

fn event_named(
    event_id: String,
    message: &str,
    id: &KeyId,
    actor: &Actor,
    now: Timestamp,
) -> AuditEvent {
    AuditEvent {
        source_ip: actor.address.clone(),
        user_email: actor.email.clone(),
        client_id: actor.client_id.clone(),
        resource: AuditResource {
            id: id.to_string(),
            name: id.to_string(),
            kind: "signing-key".to_owned(),
        },
        ..AuditEvent::identified(event_id, AuditState::Success, message, actor.source, now)
    }
}

/// A key as the database keeps it.
#[derive(Clone)]
pub(crate) struct KeyRow {
    key: Key,
    sealed: Vec<u8>,
    /// Of the tokens it signed or will sign.
    longest_lifetime: SignedDuration,
}

impl KeyRow {
    fn upcoming(
        key: &SigningKey,
        sealed: Vec<u8>,
        imported: bool,
        store: &Store,
        now: Timestamp,
        activates_at: Timestamp,
    ) -> Self {
        Self {
            key: Key {
                id: key.id().clone(),
                kind: key.kind(),
                state: KeyState::Upcoming,
                imported,
                created_at: now,
                activates_at,
                retiring_since: None,
                retires_at: None,
            },
            sealed,
            longest_lifetime: store.policy.longest_lifetime(),
        }
    }

    /// When the last token that it may have signed until `now` is dead for every verifier.
    fn end_of_tokens(&self, now: Timestamp) -> Timestamp {
        // The leeway twice: the verifier's clock may be behind, and it grants the leeway besides.
        now.checked_add(self.longest_lifetime + LEEWAY + LEEWAY)
            .unwrap_or(Timestamp::MAX)
    }

    pub(crate) async fn load_all(database: &Database) -> Result<Vec<Self>, StoreError> {
        let rows = sqlx::query("SELECT * FROM signing_key ORDER BY created_at, activates_at, id")
            .fetch_all(database.reader())
            .await?;
        rows.iter()
            .map(|row| {
                let optional = |column: &str| -> Result<Option<Timestamp>, StoreError> {
                    Ok(row.try_get::<Option<i64>, _>(column)?.map(timestamp))
                };
                Ok(Self {
                    key: Key {
                        id: read("key id", row.try_get("id")?)?,
                        kind: row.try_get("kind")?,
                        state: read("key state", row.try_get("state")?)?,
                        imported: row.try_get::<i64, _>("imported")? != 0,
                        created_at: timestamp(row.try_get("created_at")?),
                        activates_at: timestamp(row.try_get("activates_at")?),
                        retiring_since: optional("retiring_since")?,
                        retires_at: optional("retires_at")?,
                    },
                    sealed: row.try_get("sealed")?,
                    longest_lifetime: SignedDuration::from_secs(row.try_get("longest_lifetime")?),
                })
            })
            .collect()
    }
}

/// Notes the issuer names in use and gives all that living tokens may carry, those first.
pub(crate) async fn use_issuers(
    database: &Database,
    issuers: &[Issuer],
    longest_lifetime: SignedDuration,
    now: Timestamp,
) -> Result<Vec<Issuer>, StoreError> {
    let mut transaction = database.begin().await?;
    // The names in use so far served until now; their youngest tokens may be that young.
    sqlx::query("UPDATE issuer SET present = 0, last_used = $1 WHERE present = 1")
        .bind(nanoseconds(now))
        .execute(&mut *transaction)
        .await?;
    for issuer in issuers {
        sqlx::query(
            "INSERT INTO issuer (url, present, last_used) VALUES ($1, 1, $2) \
             ON CONFLICT (url) DO UPDATE SET present = 1, last_used = excluded.last_used",
        )
        .bind(issuer.as_str())
        .bind(nanoseconds(now))
        .execute(&mut *transaction)
        .await?;
    }
    let oldest = now
        .checked_sub(longest_lifetime + LEEWAY)
        .unwrap_or(Timestamp::MIN);
    sqlx::query("DELETE FROM issuer WHERE last_used < $1")
        .bind(nanoseconds(oldest))
        .execute(&mut *transaction)
        .await?;
    let past: Vec<String> = sqlx::query_scalar("SELECT url FROM issuer WHERE present = 0")
        .fetch_all(&mut *transaction)
        .await?;
    transaction.commit().await?;
    let mut trusted = issuers.to_vec();
    for url in past {
        trusted.push(read("issuer", &url)?);
    }
    Ok(trusted)
}
