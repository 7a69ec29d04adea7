//! How keys change their state: each change is one transaction with its audit event, and then a new
//! ring in the projection.

use std::sync::Arc;

use hallpass_oauth::key::KeySpec;
use jiff::{SignedDuration, Timestamp};
use rand_core::CryptoRng;
use sqlx::SqliteConnection;

use super::{Key, KeyRing, KeyRow, KeyState, KeysError, event_named, generate};
use crate::audit::{AuditEvent, AuditRow, random_uuid};
use crate::database::{Database, nanoseconds};
use crate::{Actor, MasterKey, Store, StoreError};

/// Makes the first key, if there is none. It signs at once: nobody knows this server yet.
pub(crate) async fn ensure_active(
    database: &Database,
    master_key: &MasterKey,
    spec: KeySpec,
    longest_lifetime: SignedDuration,
    now: Timestamp,
    rng: &mut (dyn CryptoRng + Send),
) -> Result<(), StoreError> {
    let rows = KeyRow::load_all(database).await?;
    if rows.iter().any(|row| row.key.state == KeyState::Active) {
        return Ok(());
    }
    let key = generate(spec).await?;
    let sealed = master_key
        .seal(key.id().as_str(), &key.to_pkcs8()?, rng)
        .ok_or(hallpass_oauth::key::KeyError::Failed)?;
    let row = KeyRow {
        key: Key {
            id: key.id().clone(),
            kind: key.kind(),
            state: KeyState::Active,
            imported: false,
            created_at: now,
            activates_at: now,
            retiring_since: None,
            retires_at: None,
        },
        sealed,
        longest_lifetime,
    };
    let mut transaction = database.begin().await?;
    write(&mut transaction, &row).await?;
    Ok(transaction.commit().await?)
}

/// Remembers that the keys that sign from now on may sign tokens of that lifetime, so that none goes
/// before its tokens even if the setting is lowered later.
pub(crate) async fn raise_lifetimes(
    database: &Database,
    longest: SignedDuration,
) -> Result<(), StoreError> {
    let mut transaction = database.begin().await?;
    sqlx::query(
        "UPDATE signing_key SET longest_lifetime = $1 \
         WHERE longest_lifetime < $1 AND state IN ('upcoming', 'active')",
    )
    .bind(longest.as_secs())
    .execute(&mut *transaction)
    .await?;
    Ok(transaction.commit().await?)
}

/// Adds an upcoming key.
pub(super) async fn add(store: &Store, row: KeyRow, said: AuditEvent) -> Result<Key, KeysError> {
    let mut rows = KeyRow::load_all(&store.database).await?;
    if let Some(other) = rows
        .iter()
        .find(|other| other.key.state == KeyState::Upcoming)
    {
        return Err(KeysError::UnderWay {
            id: other.key.id.clone(),
            activates_at: other.key.activates_at,
        });
    }
    if rows.iter().any(|other| other.key.id == row.key.id) {
        return Err(KeysError::Known(row.key.id));
    }
    let key = row.key.clone();
    rows.push(row.clone());
    commit(store, rows, &[row], vec![said]).await?;
    Ok(key)
}

/// Takes a key out. `spare` is an upcoming key that nobody has seen yet, for when there is no other.
pub(super) async fn remove(
    store: &Store,
    id: &str,
    spare: KeyRow,
    said: AuditEvent,
    now: Timestamp,
) -> Result<Key, KeysError> {
    let mut rows = KeyRow::load_all(&store.database).await?;
    let place = rows
        .iter()
        .position(|row| row.key.id.as_str() == id && row.key.state != KeyState::Retired)
        .ok_or_else(|| KeysError::Unknown(id.to_owned()))?;
    let was_active = rows[place].key.state == KeyState::Active;
    retire(&mut rows[place], now);
    let removed = rows[place].key.clone();
    let mut changed = vec![rows[place].clone()];
    if was_active {
        let next = rows
            .iter()
            .position(|row| row.key.state == KeyState::Upcoming);
        let next = next.unwrap_or_else(|| {
            rows.push(spare);
            rows.len() - 1
        });
        rows[next].key.state = KeyState::Active;
        rows[next].key.activates_at = now;
        changed.push(rows[next].clone());
    }
    commit(store, rows, &changed, vec![said]).await?;
    Ok(removed)
}

/// What the log says about changes that the clock asks for, made before it is known how many there
/// are: the random generator does not follow into the change.
pub(super) struct Sayings {
    ids: Vec<String>,
    actor: Actor,
    now: Timestamp,
}

impl Sayings {
    /// For at most that many changes.
    pub(super) fn new(
        changes: usize,
        actor: &Actor,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> Self {
        Self {
            ids: (0..changes).map(|_| random_uuid(rng)).collect(),
            actor: actor.clone(),
            now,
        }
    }

    fn say(&mut self, message: &str, key: &Key) -> Option<AuditEvent> {
        let id = self.ids.pop()?;
        Some(event_named(id, message, &key.id, &self.actor, self.now))
    }
}

/// Moves every key whose time has come.
pub(super) async fn advance(
    store: &Store,
    mut said: Sayings,
    now: Timestamp,
) -> Result<(), KeysError> {
    let mut rows = KeyRow::load_all(&store.database).await?;
    let mut changed = Vec::new();
    let mut events = Vec::new();
    let takes_over = rows
        .iter()
        .any(|row| row.key.state == KeyState::Upcoming && row.key.activates_at <= now);
    for row in &mut rows {
        let message = match row.key.state {
            KeyState::Upcoming if row.key.activates_at <= now => {
                row.key.state = KeyState::Active;
                "Signing key active"
            }
            KeyState::Active if takes_over => {
                row.key.state = KeyState::Retiring;
                row.key.retiring_since = Some(now);
                row.key.retires_at = Some(row.end_of_tokens(now));
                "Signing key retiring"
            }
            KeyState::Retiring if row.key.retires_at.is_some_and(|end| end <= now) => {
                retire(row, now);
                "Signing key retired"
            }
            _ => continue,
        };
        events.extend(said.say(message, &row.key));
        changed.push(row.clone());
    }
    commit(store, rows, &changed, events).await?;
    Ok(())
}

fn retire(row: &mut KeyRow, now: Timestamp) {
    row.key.state = KeyState::Retired;
    row.key.retiring_since.get_or_insert(now);
    row.key.retires_at = Some(now);
    // The private half goes with it.
    row.sealed.clear();
}

/// Writes what changed, then shows it. The ring is made before the commit: keys that cannot be opened
/// must not be written.
async fn commit(
    store: &Store,
    rows: Vec<KeyRow>,
    changed: &[KeyRow],
    events: Vec<AuditEvent>,
) -> Result<(), StoreError> {
    let known = store.projection.keys.load_full();
    let ring = KeyRing::open(rows, &store.master_key, Some(&known))?;
    let mut transaction = store.database.begin().await?;
    for row in changed {
        write(&mut transaction, row).await?;
    }
    for event in events {
        AuditRow::new(event).insert(&mut transaction).await?;
    }
    transaction.commit().await?;
    store.projection.keys.store(Arc::new(ring));
    if changed.iter().any(|row| row.key.state == KeyState::Retired) {
        // The log of the database still has the private half. It may be in use; then it goes later.
        store.database.truncate_log().await;
    }
    Ok(())
}

async fn write(connection: &mut SqliteConnection, row: &KeyRow) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO signing_key (id, sealed, kind, state, imported, longest_lifetime, created_at, \
         activates_at, retiring_since, retires_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) \
         ON CONFLICT (id) DO UPDATE SET sealed = excluded.sealed, state = excluded.state, \
         activates_at = excluded.activates_at, retiring_since = excluded.retiring_since, \
         retires_at = excluded.retires_at",
    )
    .bind(row.key.id.as_str())
    .bind(&row.sealed)
    .bind(&row.key.kind)
    .bind(row.key.state.as_str())
    .bind(i64::from(row.key.imported))
    .bind(row.longest_lifetime.as_secs())
    .bind(nanoseconds(row.key.created_at))
    .bind(nanoseconds(row.key.activates_at))
    .bind(row.key.retiring_since.map(nanoseconds))
    .bind(row.key.retires_at.map(nanoseconds))
    .execute(connection)
    .await?;
    Ok(())
}
