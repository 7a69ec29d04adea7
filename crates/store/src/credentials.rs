//! API credentials: a client id and a secret that act for a person on one application instance
//! (domain facts, sections 3.4 and 3.6).

use std::sync::Arc;

use hallpass_oauth::{ApplicationInstanceId, ClientId, Secret, SecretDigest, WorkspaceId};
use jiff::Timestamp;
use rand_core::CryptoRng;
use sqlx::Row;

use crate::audit::{AuditEvent, AuditResource, AuditRow, AuditState};
use crate::database::{Database, nanoseconds, read, timestamp};
use crate::people::{Actor, PersonId, acted};
use crate::projection::{LiveCredential, LivePerson, Sequence};
use crate::{Store, StoreError};

/// A credential as administration sees it: no secret, no digest.
#[derive(Debug, Clone)]
pub struct Credential {
    /// The client id.
    pub client_id: ClientId,
    /// Its name, unique for the owner.
    pub name: String,
    /// The owner.
    pub owner: PersonId,
    /// The owner's e-mail address.
    pub owner_email: String,
    /// The owner's workspace.
    pub workspace: WorkspaceId,
    /// The service and region it is for.
    pub instance: ApplicationInstanceId,
    /// Grows with each reset.
    pub generation: u64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last reset.
    pub updated_at: Timestamp,
}

/// A credential with the secret that was just made for it: the only place where it exists in
/// clear.
#[derive(Debug)]
pub struct IssuedCredential {
    /// The credential.
    pub credential: Credential,
    /// Its secret.
    pub secret: Secret,
}

/// Administration of credentials.
#[derive(Clone)]
pub struct Credentials(Store);

/// Why nothing changed.
#[derive(Debug, thiserror::Error)]
pub enum CredentialError {
    /// The owner has as many as allowed.
    #[error("You have reached the maximum of {0} personal API clients")]
    LimitReached(usize),
    /// The owner has one of that name.
    #[error("a credential named `{0}` exists")]
    NameTaken(String),
    /// The name is no name.
    #[error("a credential name has 1 to 64 characters, no control characters, and is not blank")]
    BadName,
    /// No such credential.
    #[error("there is no credential {0}")]
    Unknown(String),
    /// No such owner.
    #[error("there is no person {0}")]
    UnknownOwner(PersonId),
    /// No such instance.
    #[error("there is no application instance {0}")]
    UnknownInstance(ApplicationInstanceId),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for CredentialError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Longest name, in characters.
const LONGEST_NAME: usize = 64;

impl Credentials {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// All credentials, or those of one owner; the oldest first.
    pub fn list(&self, owner: Option<PersonId>) -> Vec<Credential> {
        let credentials = self.0.projection.credentials.pin();
        let mut list: Vec<Credential> = credentials
            .values()
            .filter(|live| owner.is_none_or(|owner| owner == live.row.person))
            .filter_map(|live| self.view(live))
            .collect();
        list.sort_by(|a, b| {
            a.created_at
                .cmp(&b.created_at)
                .then(a.client_id.cmp(&b.client_id))
        });
        list
    }

    /// The credential of that client id.
    pub fn find(&self, client_id: &str) -> Option<Credential> {
        let live = self.0.projection.credential(client_id)?;
        self.view(&live)
    }

    /// Makes a credential. The secret is in the answer and nowhere else.
    pub async fn create(
        &self,
        owner: PersonId,
        instance: ApplicationInstanceId,
        name: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<IssuedCredential, CredentialError> {
        let name = checked_name(name)?;
        let person = self
            .0
            .projection
            .person(owner)
            .ok_or(CredentialError::UnknownOwner(owner))?;
        if self.0.projection.instance(&instance).is_none() {
            return Err(CredentialError::UnknownInstance(instance));
        }
        let secret = Secret::generate(rng);
        let row = CredentialRow {
            client_id: ClientId::generate(rng),
            person: owner,
            instance,
            name,
            secret_digest: self.0.pepper.digest(&secret),
            generation: 1,
            watermark: 0,
            created_at: now,
            updated_at: now,
        };
        let event = event("created", &row, &person, actor, now, rng);
        let store = self.0.clone();
        let live = self
            .0
            .uninterrupted(async move { insert(&store, row, event).await })
            .await?;
        self.issued(&live, secret)
    }

    /// Gives a credential a new secret. The old one and every token die at once (domain facts,
    /// section 2.4).
    pub async fn reset(
        &self,
        client_id: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<IssuedCredential, CredentialError> {
        let (live, person) = self.live(client_id)?;
        let secret = Secret::generate(rng);
        let digest = self.0.pepper.digest(&secret);
        let event = event("reset", &live.row, &person, actor, now, rng);
        let (store, client_id) = (self.0.clone(), client_id.to_owned());
        let live = self
            .0
            .uninterrupted(async move { replace(&store, &client_id, digest, event, now).await })
            .await?;
        self.issued(&live, secret)
    }

    /// Deletes a credential and, with it, every token.
    pub async fn delete(
        &self,
        client_id: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), CredentialError> {
        let (live, person) = self.live(client_id)?;
        let event = event("deleted", &live.row, &person, actor, now, rng);
        let (store, client_id) = (self.0.clone(), client_id.to_owned());
        self.0
            .uninterrupted(async move { delete(&store, &client_id, event).await })
            .await
    }

    fn live(
        &self,
        client_id: &str,
    ) -> Result<(Arc<LiveCredential>, Arc<LivePerson>), CredentialError> {
        let unknown = || CredentialError::Unknown(client_id.to_owned());
        let live = self
            .0
            .projection
            .credential(client_id)
            .ok_or_else(unknown)?;
        let person = self
            .0
            .projection
            .person(live.row.person)
            .ok_or_else(unknown)?;
        Ok((live, person))
    }

    fn issued(
        &self,
        live: &LiveCredential,
        secret: Secret,
    ) -> Result<IssuedCredential, CredentialError> {
        // The owner may have been removed between the commit and now.
        let credential = self
            .view(live)
            .ok_or_else(|| CredentialError::Unknown(live.row.client_id.to_string()))?;
        Ok(IssuedCredential { credential, secret })
    }

    fn view(&self, live: &LiveCredential) -> Option<Credential> {
        let person = self.0.projection.person(live.row.person)?;
        Some(Credential {
            client_id: live.row.client_id.clone(),
            name: live.row.name.clone(),
            owner: live.row.person,
            owner_email: person.email.to_string(),
            workspace: person.workspace.id.clone(),
            instance: live.row.instance.clone(),
            generation: live.row.generation,
            created_at: live.row.created_at,
            updated_at: live.row.updated_at,
        })
    }
}

/// A credential as the database keeps it.
#[derive(Clone)]
pub(crate) struct CredentialRow {
    pub(crate) client_id: ClientId,
    pub(crate) person: PersonId,
    pub(crate) instance: ApplicationInstanceId,
    pub(crate) name: String,
    pub(crate) secret_digest: SecretDigest,
    pub(crate) generation: u64,
    pub(crate) watermark: u64,
    pub(crate) created_at: Timestamp,
    pub(crate) updated_at: Timestamp,
}

impl CredentialRow {
    pub(crate) async fn load_all(database: &Database) -> Result<Vec<Self>, StoreError> {
        let rows = sqlx::query("SELECT * FROM credential")
            .fetch_all(database.reader())
            .await?;
        rows.iter()
            .map(|row| {
                let digest: String = row.try_get("secret_digest")?;
                Ok(Self {
                    client_id: read("client id", row.try_get("client_id")?)?,
                    person: read("person id", row.try_get("person_id")?)?,
                    instance: read("application instance id", row.try_get("instance_id")?)?,
                    name: row.try_get("name")?,
                    secret_digest: SecretDigest::from_stored(&digest).ok_or_else(|| {
                        let scheme = digest.split(':').next().unwrap_or_default().to_owned();
                        StoreError::Unreadable {
                            what: "secret digest scheme",
                            value: scheme,
                        }
                    })?,
                    generation: u64::try_from(row.try_get::<i64, _>("generation")?).unwrap_or(0),
                    watermark: u64::try_from(row.try_get::<i64, _>("watermark")?).unwrap_or(0),
                    created_at: timestamp(row.try_get("created_at")?),
                    updated_at: timestamp(row.try_get("updated_at")?),
                })
            })
            .collect()
    }
}

fn checked_name(name: &str) -> Result<String, CredentialError> {
    let name = name.trim();
    let length = name.chars().count();
    if length == 0 || length > LONGEST_NAME || name.chars().any(char::is_control) {
        return Err(CredentialError::BadName);
    }
    Ok(name.to_owned())
}

fn event(
    what: &str,
    row: &CredentialRow,
    owner: &Arc<LivePerson>,
    actor: &Actor,
    now: Timestamp,
    rng: &mut (dyn CryptoRng + Send),
) -> AuditEvent {
    let message = format!("API credential {} of {} {what}", row.name, owner.email);
    let event = AuditEvent {
        permission: if what == "deleted" {
            "workspace.delete"
        } else {
            "workspace.update"
        }
        .to_owned(),
        resource: AuditResource {
            id: row.client_id.to_string(),
            name: row.name.clone(),
            kind: "credential".to_owned(),
        },
        ..AuditEvent::new(AuditState::Success, message, actor.source, now, rng)
    };
    acted(event, actor, owner)
}

async fn insert(
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
    sqlx::query(
        "INSERT INTO credential (client_id, person_id, instance_id, name, secret_digest, \
         generation, watermark, created_at, updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8)",
    )
    .bind(row.client_id.as_str())
    .bind(row.person.to_string())
    .bind(row.instance.as_str())
    .bind(&row.name)
    .bind(row.secret_digest.to_stored())
    .bind(signed(row.generation))
    .bind(signed(row.watermark))
    .bind(nanoseconds(row.created_at))
    .execute(&mut *transaction)
    .await?;
    AuditRow::new(event).insert(&mut transaction).await?;
    transaction.commit().await?;
    let sequence = Arc::new(Sequence::new(row.generation, row.watermark));
    Ok(store
        .projection
        .put_credential(row, sequence, &store.policy)?)
}

async fn replace(
    store: &Store,
    client_id: &str,
    digest: SecretDigest,
    event: AuditEvent,
    now: Timestamp,
) -> Result<Arc<LiveCredential>, CredentialError> {
    let live = store
        .projection
        .credential(client_id)
        .ok_or_else(|| CredentialError::Unknown(client_id.to_owned()))?;
    let before = live.row.generation;
    let watermark = live.sequence.begin_reset();
    let row = CredentialRow {
        secret_digest: digest,
        generation: before + 1,
        watermark,
        updated_at: now,
        ..live.row.clone()
    };
    if let Err(error) = write_reset(store, &row, event).await {
        live.sequence.abandon_reset();
        return Err(error.into());
    }
    live.sequence.complete_reset(row.generation, watermark);
    Ok(store
        .projection
        .put_credential(row, live.sequence.clone(), &store.policy)?)
}

async fn write_reset(
    store: &Store,
    row: &CredentialRow,
    event: AuditEvent,
) -> Result<(), StoreError> {
    let mut transaction = store.database.begin().await?;
    sqlx::query(
        "UPDATE credential SET secret_digest = $2, generation = $3, watermark = $4, \
         updated_at = $5 WHERE client_id = $1",
    )
    .bind(row.client_id.as_str())
    .bind(row.secret_digest.to_stored())
    .bind(signed(row.generation))
    .bind(signed(row.watermark))
    .bind(nanoseconds(row.updated_at))
    .execute(&mut *transaction)
    .await?;
    AuditRow::new(event).insert(&mut transaction).await?;
    Ok(transaction.commit().await?)
}

async fn delete(store: &Store, client_id: &str, event: AuditEvent) -> Result<(), CredentialError> {
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

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
