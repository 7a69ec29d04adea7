//! Between password and code: somebody who has shown the one and not the other. A step is no session:
//! nothing but the page that asks for the code looks here.

use hallpass_oauth::Secret;
use jiff::{SignedDuration, Timestamp};
use rand_core::CryptoRng;
use sqlx::Row;

use super::{Candidate, Sessions};
use crate::StoreError;
use crate::database::{nanoseconds, read};
use crate::people::{Person, PersonId};

/// How long the code may take.
pub const LONGEST_STEP: SignedDuration = SignedDuration::from_mins(10);

/// How many codes may be tried before the password is asked for again.
pub const MOST_TRIES: u32 = 5;

/// Most steps of one person at a time; the oldest gives way. Whoever begins them knows the password.
const MOST_STEPS: i64 = 8;

impl Sessions {
    /// Begins a step for somebody whose password was right; gives its secret. `None` when the password
    /// is not theirs any more, or they may not sign in.
    pub async fn begin_step(
        &self,
        proved: &Candidate,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Option<Secret>, StoreError> {
        let secret = Secret::generate(rng);
        let digest = self.0.pepper.digest(&secret).to_stored();
        let (store, person) = (self.0.clone(), proved.person.id);
        let password = proved.password.clone();
        let written = async move {
            let mut transaction = store.database.begin().await?;
            sqlx::query(
                "DELETE FROM sign_in_step WHERE begun_at <= $1 OR digest IN (SELECT digest \
                 FROM sign_in_step WHERE person_id = $2 ORDER BY begun_at DESC LIMIT -1 OFFSET $3)",
            )
            .bind(nanoseconds(now - LONGEST_STEP))
            .bind(person.to_string())
            .bind(MOST_STEPS - 1)
            .execute(&mut *transaction)
            .await?;
            let begun = sqlx::query(
                "INSERT INTO sign_in_step (digest, person_id, begun_at) SELECT $1, id, $3 \
                 FROM person WHERE id = $2 AND enabled <> 0 AND password IS $4",
            )
            .bind(digest)
            .bind(person.to_string())
            .bind(nanoseconds(now))
            .bind(password)
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(begun.rows_affected() == 1)
        };
        let begun = self.0.uninterrupted(written).await?;
        Ok(begun.then_some(secret))
    }

    /// Whose step that is, while it may go on.
    pub async fn step(
        &self,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Option<Person>, StoreError> {
        let row = sqlx::query(
            "SELECT person_id FROM sign_in_step JOIN person ON person.id = person_id \
             WHERE digest = $1 AND begun_at > $2 AND tries < $3 AND enabled <> 0",
        )
        .bind(self.0.pepper.digest(secret).to_stored())
        .bind(nanoseconds(now - LONGEST_STEP))
        .bind(i64::from(MOST_TRIES))
        .fetch_optional(self.0.database.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let id: PersonId = read("person id", row.try_get("person_id")?)?;
        Ok(self.person(id))
    }

    /// The same for whoever tries a code: counts before anything is compared, so that many at once
    /// are not more than one after the other.
    pub async fn try_step(
        &self,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Option<Person>, StoreError> {
        let Some(person) = self.step(secret, now).await? else {
            return Ok(None);
        };
        let digest = self.0.pepper.digest(secret).to_stored();
        let store = self.0.clone();
        let counted = async move {
            let mut transaction = store.database.begin().await?;
            let counted = sqlx::query(
                "UPDATE sign_in_step SET tries = tries + 1 WHERE digest = $1 AND tries < $2",
            )
            .bind(digest)
            .bind(i64::from(MOST_TRIES))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(counted.rows_affected() == 1)
        };
        let counted = self.0.uninterrupted(counted).await?;
        Ok(counted.then_some(person))
    }
}
