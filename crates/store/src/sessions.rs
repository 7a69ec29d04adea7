//! People signed in at the console. A session's secret exists in clear only in the browser's cookie;
//! here is its keyed digest, so that whoever reads the database can take nobody's place.

mod begin;
mod step;

use hallpass_oauth::{Secret, SecretDigest};
use jiff::{SignedDuration, Timestamp};
use rand_core::CryptoRng;
use sqlx::{Row, SqliteConnection};

use crate::audit::{AuditEvent, AuditResource, AuditRow, AuditState};
use crate::database::{nanoseconds, read, timestamp};
use crate::people::{Person, PersonId};
use crate::{Actor, Store, StoreError};

pub use begin::Candidate;
pub use step::{LONGEST_STEP, MOST_TRIES};

/// How long a session lasts without a request, unless it is set otherwise.
pub const IDLE_TIME: SignedDuration = SignedDuration::from_mins(30);

/// How long a session lasts at most, unless it is set otherwise.
pub const LONGEST_SESSION: SignedDuration = SignedDuration::from_hours(12);

/// How much older than the truth the last request on disk may be at most.
const WRITE_SEEN_EVERY: SignedDuration = SignedDuration::from_mins(1);

/// The part of the idle time that it may be older: so much earlier a session may end.
const OF_IDLE_TIME: i32 = 20;

/// Begins, finds and ends sessions.
#[derive(Clone)]
pub struct Sessions(Store);

/// A person signed in, as they are at this moment.
#[derive(Debug, Clone)]
pub struct Session {
    /// Names the session; no secret.
    pub id: String,
    /// Who signed in.
    pub person: Person,
    /// When.
    pub created_at: Timestamp,
    /// When the last request came, a minute older at most.
    pub last_seen_at: Timestamp,
    /// Where from they signed in.
    pub address: String,
    /// What the browser calls itself.
    pub user_agent: String,
}

impl Sessions {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// The session of that secret, if it goes on; notes that it was used.
    pub async fn find(
        &self,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Option<Session>, StoreError> {
        let digest = self.0.pepper.digest(secret);
        let row = sqlx::query(
            "SELECT session.* FROM session JOIN person ON person.id = session.person_id \
             WHERE digest = $1 AND person.enabled <> 0 \
             AND last_seen_at > $2 AND session.created_at > $3",
        )
        .bind(digest.to_stored())
        .bind(self.0.idle_since(now))
        .bind(self.0.begun_since(now))
        .fetch_optional(self.0.database.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let session = self.read(&row)?;
        if let Some(session) = &session
            && now.duration_since(session.last_seen_at) >= self.0.seen_is_old()
        {
            self.saw(&digest, now).await?;
        }
        Ok(session)
    }

    /// The sessions of a person that go on, the newest first.
    pub async fn list(&self, person: PersonId, now: Timestamp) -> Result<Vec<Session>, StoreError> {
        let rows = sqlx::query(
            "SELECT * FROM session WHERE person_id = $1 AND last_seen_at > $2 \
             AND created_at > $3 ORDER BY created_at DESC, id",
        )
        .bind(person.to_string())
        .bind(self.0.idle_since(now))
        .bind(self.0.begun_since(now))
        .fetch_all(self.0.database.reader())
        .await?;
        let sessions = rows.iter().map(|row| self.read(row));
        sessions.filter_map(Result::transpose).collect()
    }

    /// Ends a session of this person; `false` when there is none of that id.
    pub async fn end(
        &self,
        person: &Person,
        id: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<bool, StoreError> {
        let event = said(person, actor, "signed out", now, rng);
        self.end_with(person, id, event).await
    }

    /// The same for a session that is not the one of the request.
    pub async fn end_another(
        &self,
        person: &Person,
        id: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<bool, StoreError> {
        let event = said(person, actor, "was signed out elsewhere", now, rng);
        self.end_with(person, id, event).await
    }

    /// Ends all sessions of this person but the one of the id `kept`, or all of them if that is empty;
    /// gives how many.
    pub async fn end_others(
        &self,
        person: &Person,
        kept: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<u64, StoreError> {
        let did = match kept {
            "" => "was signed out everywhere",
            _ => "was signed out everywhere else",
        };
        let event = said(person, actor, did, now, rng);
        let (store, person, kept) = (self.0.clone(), person.id, kept.to_owned());
        let ended = async move {
            let mut transaction = store.database.begin().await?;
            let ended = end_all(&mut transaction, person, &kept).await?;
            if ended > 0 {
                AuditRow::new(event).insert(&mut transaction).await?;
            }
            transaction.commit().await?;
            Ok::<_, StoreError>(ended)
        };
        self.0.uninterrupted(ended).await
    }

    async fn end_with(
        &self,
        person: &Person,
        id: &str,
        event: AuditEvent,
    ) -> Result<bool, StoreError> {
        let (store, person, id) = (self.0.clone(), person.id, id.to_owned());
        let ended = async move {
            let mut transaction = store.database.begin().await?;
            let ended = sqlx::query("DELETE FROM session WHERE id = $1 AND person_id = $2")
                .bind(id)
                .bind(person.to_string())
                .execute(&mut *transaction)
                .await?;
            if ended.rows_affected() == 0 {
                return Ok(false);
            }
            AuditRow::new(event).insert(&mut transaction).await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(true)
        };
        self.0.uninterrupted(ended).await
    }

    /// What the forms of a session's pages carry, so that no other site can send them. It follows
    /// from the session's secret, and the secret does not follow from it.
    pub fn form_token(&self, secret: &Secret) -> Secret {
        let mark = Secret::from(format!("form token of {}", secret.expose()));
        Secret::from(self.0.pepper.digest(&mark).to_stored())
    }

    /// Whether a form's token is the one of this session, compared in constant time.
    pub fn is_form_token(&self, secret: &Secret, presented: &Secret) -> bool {
        let expected = self.form_token(secret);
        let pepper = &self.0.pepper;
        pepper.digest(&expected).matches(&pepper.digest(presented))
    }

    async fn saw(&self, digest: &SecretDigest, now: Timestamp) -> Result<(), StoreError> {
        let mut transaction = self.0.database.begin().await?;
        sqlx::query("UPDATE session SET last_seen_at = $2 WHERE digest = $1 AND last_seen_at < $2")
            .bind(digest.to_stored())
            .bind(nanoseconds(now))
            .execute(&mut *transaction)
            .await?;
        Ok(transaction.commit().await?)
    }

    fn read(&self, row: &sqlx::sqlite::SqliteRow) -> Result<Option<Session>, StoreError> {
        let id: PersonId = read("person id", row.try_get("person_id")?)?;
        let Some(person) = self.person(id) else {
            return Ok(None);
        };
        Ok(Some(Session {
            id: row.try_get("id")?,
            person,
            created_at: timestamp(row.try_get("created_at")?),
            last_seen_at: timestamp(row.try_get("last_seen_at")?),
            address: row.try_get("address")?,
            user_agent: row.try_get("user_agent")?,
        }))
    }

    fn person(&self, id: PersonId) -> Option<Person> {
        let live = self.0.projection.person(id)?;
        Some(Person::from(live.as_ref()))
    }
}

pub(crate) fn said(
    person: &Person,
    actor: &Actor,
    did: &str,
    now: Timestamp,
    rng: &mut dyn CryptoRng,
) -> AuditEvent {
    let message = format!("{} {did}", person.email);
    AuditEvent {
        workspace: Some(person.workspace.clone()),
        source_ip: actor.address.clone(),
        user_email: actor.email.clone(),
        client_id: actor.client_id.clone(),
        resource: AuditResource {
            id: person.id.to_string(),
            name: person.email.to_string(),
            kind: "user".to_owned(),
        },
        ..AuditEvent::new(AuditState::Success, message, actor.source, now, rng)
    }
}

/// Ends all sessions of a person but one, and what they have begun without a code; an empty id keeps
/// none. Gives how many sessions there were.
pub(crate) async fn end_all(
    connection: &mut SqliteConnection,
    person: PersonId,
    kept: &str,
) -> Result<u64, StoreError> {
    sqlx::query("DELETE FROM sign_in_step WHERE person_id = $1")
        .bind(person.to_string())
        .execute(&mut *connection)
        .await?;
    let ended = sqlx::query("DELETE FROM session WHERE person_id = $1 AND id <> $2")
        .bind(person.to_string())
        .bind(kept)
        .execute(connection)
        .await?;
    Ok(ended.rows_affected())
}

impl Store {
    /// The last request of a session that goes on is later than this.
    fn idle_since(&self, now: Timestamp) -> i64 {
        nanoseconds(now - self.policy.session_idle)
    }

    /// How old the last request on disk is when it is written anew.
    fn seen_is_old(&self) -> SignedDuration {
        (self.policy.session_idle / OF_IDLE_TIME).min(WRITE_SEEN_EVERY)
    }

    /// A session that goes on began later than this.
    fn begun_since(&self, now: Timestamp) -> i64 {
        nanoseconds(now - self.policy.longest_session)
    }
}
