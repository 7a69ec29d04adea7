//! The hashes of passwords. What a password must be like and how it is hashed is the console's
//! affair; here they are texts that only their owner's sign-in reads.

use jiff::Timestamp;
use rand_core::CryptoRng;
use sqlx::SqliteConnection;

use crate::audit::AuditRow;
use crate::people::{Person, PersonId};
use crate::sessions::said;
use crate::{Actor, Store, StoreError};

/// Reads and replaces hashes of passwords.
#[derive(Clone)]
pub struct Passwords(Store);

impl Passwords {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// The hash of a person's password (PHC string); `None` until they have chosen one.
    pub async fn of(&self, person: PersonId) -> Result<Option<String>, StoreError> {
        let stored = sqlx::query_scalar("SELECT password FROM person WHERE id = $1")
            .bind(person.to_string())
            .fetch_optional(self.0.database.reader())
            .await?;
        Ok(stored.flatten())
    }

    /// Puts a costlier hash of the same password in the place of `old`. `false` when somebody has
    /// chosen another password meanwhile, and nothing happens.
    pub async fn strengthen(
        &self,
        person: PersonId,
        old: &str,
        new: &str,
    ) -> Result<bool, StoreError> {
        let (store, old, new) = (self.0.clone(), old.to_owned(), new.to_owned());
        let written = async move {
            let mut transaction = store.database.begin().await?;
            let replaced = replace(&mut transaction, person, &old, &new).await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(replaced)
        };
        self.0.uninterrupted(written).await
    }

    /// Puts the hash of another password in the place of `old`, and ends all sessions of the person
    /// but the one of the id `kept`: whoever has them may have known the old one. `false` when `old`
    /// is not theirs any more.
    #[expect(
        clippy::too_many_arguments,
        reason = "who, what, and the audit event's parts"
    )]
    pub async fn change(
        &self,
        person: &Person,
        old: &str,
        new: &str,
        kept: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<bool, StoreError> {
        let event = said(person, actor, "changed their password", now, rng);
        let (store, id, kept) = (self.0.clone(), person.id, kept.to_owned());
        let (old, new) = (old.to_owned(), new.to_owned());
        let written = async move {
            let mut transaction = store.database.begin().await?;
            if !replace(&mut transaction, id, &old, &new).await? {
                return Ok(false);
            }
            crate::sessions::end_all(&mut transaction, id, &kept).await?;
            AuditRow::new(event).insert(&mut transaction).await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(true)
        };
        self.0.uninterrupted(written).await
    }
}

async fn replace(
    connection: &mut SqliteConnection,
    person: PersonId,
    old: &str,
    new: &str,
) -> Result<bool, StoreError> {
    let replaced = sqlx::query("UPDATE person SET password = $3 WHERE id = $1 AND password = $2")
        .bind(person.to_string())
        .bind(old)
        .bind(new)
        .execute(connection)
        .await?;
    Ok(replaced.rows_affected() == 1)
}
