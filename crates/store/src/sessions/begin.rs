//! From a password that was right to a session. Verifying takes a while, and other requests go on
//! meanwhile: so a session begins only if what was verified still stands when it is written.

use hallpass_oauth::{Secret, SecretDigest};
use jiff::Timestamp;
use rand_core::CryptoRng;
use sqlx::{Row, SqliteConnection};

use super::{Sessions, said};
use crate::audit::{AuditEvent, AuditRow, random_uuid};
use crate::database::{nanoseconds, read};
use crate::people::{Person, PersonId};
use crate::{Actor, Store, StoreError};

/// Longest description of a browser kept, in characters.
const LONGEST_AGENT: usize = 200;

/// Most sessions of one person at a time; the one that was idle longest gives way.
const MOST_SESSIONS: i64 = 20;

/// Somebody who wants to sign in, what their password must match, and whether that is enough: as it was
/// when they were looked up.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// The person.
    pub person: Person,
    /// The hash of their password (PHC string); `None` until they have chosen one.
    pub password: Option<String>,
    /// Whether a code is asked for as well.
    pub second_factor: bool,
}

/// A session that is about to be written.
struct Beginning {
    person: PersonId,
    digest: SecretDigest,
    id: String,
    address: String,
    user_agent: String,
    event: AuditEvent,
    now: Timestamp,
}

impl Sessions {
    /// Who has that address and may sign in. In several workspaces the same address belongs to
    /// different accounts; without a workspace's name it is the oldest that has a password.
    pub async fn candidate(
        &self,
        email: &str,
        workspace: Option<&str>,
    ) -> Result<Option<Candidate>, StoreError> {
        let row = sqlx::query(
            "SELECT person.id, person.password, EXISTS (SELECT 1 FROM second_factor \
             WHERE person_id = person.id AND confirmed_at IS NOT NULL) AS has_second FROM person \
             JOIN workspace ON workspace.id = person.workspace_id \
             WHERE lower(person.email) = lower($1) AND person.enabled <> 0 \
             AND ($2 IS NULL OR workspace.name = $2) \
             ORDER BY person.password IS NULL, person.created_at LIMIT 1",
        )
        .bind(email)
        .bind(workspace)
        .fetch_optional(self.0.database.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let id: PersonId = read("person id", row.try_get("id")?)?;
        let password = row.try_get("password")?;
        let second_factor = row.try_get::<i64, _>("has_second")? != 0;
        let person = self.person(id);
        Ok(person.map(|person| Candidate {
            person,
            password,
            second_factor,
        }))
    }

    /// Begins a session of somebody whose password was right and who has no second factor; gives the
    /// cookie's secret. `None` when any of that is not so any more, or they may not sign in.
    pub async fn begin(
        &self,
        proved: &Candidate,
        actor: &Actor,
        user_agent: &str,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Option<Secret>, StoreError> {
        let (secret, beginning) = self.beginning(&proved.person, actor, user_agent, now, rng);
        let (store, password) = (self.0.clone(), proved.password.clone());
        let written = async move {
            let mut transaction = store.database.begin().await?;
            let stands = sqlx::query(
                "SELECT 1 FROM person WHERE id = $1 AND enabled <> 0 AND password IS $2 \
                 AND NOT EXISTS (SELECT 1 FROM second_factor \
                 WHERE person_id = $1 AND confirmed_at IS NOT NULL)",
            )
            .bind(beginning.person.to_string())
            .bind(password)
            .fetch_optional(&mut *transaction)
            .await?;
            if stands.is_none() {
                return Ok(false);
            }
            beginning.write(&store, &mut transaction).await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(true)
        };
        let begun = self.0.uninterrupted(written).await?;
        Ok(begun.then_some(secret))
    }

    /// Ends a step whose code was right and begins the session; gives the cookie's secret. `None` when
    /// the step is over: another request was first, or the password or the person's state has changed,
    /// which ends every step.
    pub async fn finish(
        &self,
        step: &Secret,
        person: &Person,
        actor: &Actor,
        user_agent: &str,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Option<Secret>, StoreError> {
        let step = self.0.pepper.digest(step).to_stored();
        let (secret, beginning) = self.beginning(person, actor, user_agent, now, rng);
        let store = self.0.clone();
        let written = async move {
            let mut transaction = store.database.begin().await?;
            let ended = sqlx::query(
                "DELETE FROM sign_in_step WHERE digest = $1 AND person_id IN \
                 (SELECT id FROM person WHERE id = $2 AND enabled <> 0)",
            )
            .bind(step)
            .bind(beginning.person.to_string())
            .execute(&mut *transaction)
            .await?;
            if ended.rows_affected() == 0 {
                return Ok(false);
            }
            beginning.write(&store, &mut transaction).await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(true)
        };
        let begun = self.0.uninterrupted(written).await?;
        Ok(begun.then_some(secret))
    }

    fn beginning(
        &self,
        person: &Person,
        actor: &Actor,
        user_agent: &str,
        now: Timestamp,
        rng: &mut dyn CryptoRng,
    ) -> (Secret, Beginning) {
        let secret = Secret::generate(rng);
        let beginning = Beginning {
            person: person.id,
            digest: self.0.pepper.digest(&secret),
            id: random_uuid(rng),
            address: actor.address.clone(),
            user_agent: user_agent.chars().take(LONGEST_AGENT).collect(),
            event: said(person, actor, "signed in", now, rng),
            now,
        };
        (secret, beginning)
    }
}

impl Beginning {
    async fn write(
        self,
        store: &Store,
        connection: &mut SqliteConnection,
    ) -> Result<(), StoreError> {
        let now = self.now;
        forget_ended(connection, store.idle_since(now), store.begun_since(now)).await?;
        sqlx::query(
            "DELETE FROM session WHERE digest IN (SELECT digest FROM session WHERE person_id = $1 \
             ORDER BY last_seen_at DESC, created_at DESC, id LIMIT -1 OFFSET $2)",
        )
        .bind(self.person.to_string())
        .bind(MOST_SESSIONS - 1)
        .execute(&mut *connection)
        .await?;
        sqlx::query(
            "INSERT INTO session (digest, id, person_id, created_at, last_seen_at, address, \
             user_agent) VALUES ($1, $2, $3, $4, $4, $5, $6)",
        )
        .bind(self.digest.to_stored())
        .bind(self.id)
        .bind(self.person.to_string())
        .bind(nanoseconds(now))
        .bind(self.address)
        .bind(self.user_agent)
        .execute(&mut *connection)
        .await?;
        sqlx::query("UPDATE person SET last_sign_in_at = $2 WHERE id = $1")
            .bind(self.person.to_string())
            .bind(nanoseconds(now))
            .execute(&mut *connection)
            .await?;
        AuditRow::new(self.event).insert(connection).await
    }
}

async fn forget_ended(
    connection: &mut SqliteConnection,
    idle_since: i64,
    begun_since: i64,
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM session WHERE last_seen_at <= $1 OR created_at <= $2")
        .bind(idle_since)
        .bind(begun_since)
        .execute(connection)
        .await?;
    Ok(())
}
