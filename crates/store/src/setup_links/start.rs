//! The link that a server prints when it starts while no administrator has a password: for the oldest
//! administrator, or, when there is none, for whoever opens it first and becomes that.

use std::sync::Arc;

use hallpass_access::platform::WORKSPACE_UPDATE;
use hallpass_oauth::{ApplicationInstanceId, Secret, Subject};
use jiff::{SignedDuration, Timestamp};
use rand_core::CryptoRng;
use sqlx::Row;

use super::SetupLinks;
use crate::database::{nanoseconds, read};
use crate::people::{Person, PersonId};
use crate::{Store, StoreError, Workspace};

/// How long the link may be used. It stands on a terminal; the next start gives a new one.
const START_LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(24);

/// A link to print.
#[derive(Debug)]
pub struct StartLink {
    /// Its secret.
    pub secret: Secret,
    /// Whom it is for; `None` for the first administrator, who is not there yet.
    pub email: Option<Subject>,
}

impl SetupLinks {
    /// Makes the link if it is needed; an earlier one stops working either way.
    pub async fn issue_at_start(
        &self,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Option<StartLink>, StoreError> {
        let secret = Secret::generate(rng);
        let digest = self.0.pepper.digest(&secret).to_stored();
        let store = self.0.clone();
        let written = async move {
            let administrators = administrators(&store).await?;
            let needed = administrators.iter().all(|(_, password)| !password);
            let oldest = administrators.first().map(|(person, _)| person.clone());
            let mut transaction = store.database.begin().await?;
            sqlx::query("DELETE FROM start_link")
                .execute(&mut *transaction)
                .await?;
            if needed {
                sqlx::query(
                    "INSERT INTO start_link (id, digest, person_id, expires_at) \
                     VALUES (1, $1, $2, $3)",
                )
                .bind(digest)
                .bind(oldest.as_ref().map(|person| person.id.to_string()))
                .bind(nanoseconds(now + START_LINK_LIFETIME))
                .execute(&mut *transaction)
                .await?;
            }
            transaction.commit().await?;
            Ok::<_, StoreError>(needed.then_some(oldest))
        };
        let needed = self.0.uninterrupted(written).await?;
        Ok(needed.map(|oldest| StartLink {
            secret,
            email: oldest.map(|person| person.email),
        }))
    }

    /// Where the link makes the first administrator; `None` when it is not that link, has expired, or
    /// an administrator was made in another way meanwhile.
    pub async fn makes_first_administrator(
        &self,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Option<Arc<Workspace>>, StoreError> {
        let found = sqlx::query(
            "SELECT 1 FROM start_link WHERE digest = $1 AND person_id IS NULL AND expires_at > $2",
        )
        .bind(self.0.pepper.digest(secret).to_stored())
        .bind(nanoseconds(now))
        .fetch_optional(self.0.database.reader())
        .await?;
        if found.is_none() || !administrators(&self.0).await?.is_empty() {
            return Ok(None);
        }
        Ok(self.0.workspaces().list().into_iter().next())
    }

    /// Takes the link that makes the first administrator, so that of many requests one makes them;
    /// `false` when it is not there any more, or an administrator was made in another way.
    pub async fn take_first(&self, secret: &Secret) -> Result<bool, StoreError> {
        let digest = self.0.pepper.digest(secret).to_stored();
        let store = self.0.clone();
        let taken = async move {
            let mut transaction = store.database.begin().await?;
            let taken =
                sqlx::query("DELETE FROM start_link WHERE digest = $1 AND person_id IS NULL")
                    .bind(digest)
                    .execute(&mut *transaction)
                    .await?;
            // Hashing the password took a while; changes wait for this transaction.
            if !administrators(&store).await?.is_empty() {
                return Ok(false);
            }
            transaction.commit().await?;
            Ok::<_, StoreError>(taken.rows_affected() == 1)
        };
        self.0.uninterrupted(taken).await
    }
}

/// Everybody of the operating workspace who may change it and may sign in, the oldest first, and whether they have a
/// password.
async fn administrators(store: &Store) -> Result<Vec<(Person, bool)>, StoreError> {
    let rows = sqlx::query(
        "SELECT id, password IS NOT NULL AS has_password FROM person WHERE enabled <> 0 \
         ORDER BY created_at, id",
    )
    .fetch_all(store.database.reader())
    .await?;
    let platform = ApplicationInstanceId::platform();
    let operating = store.workspaces().list().into_iter().next();
    let operating = operating.map(|first| first.id.clone());
    let mut administrators = Vec::new();
    for row in rows {
        let id: PersonId = read("person id", row.try_get("id")?)?;
        let Some(live) = store.projection.person(id) else {
            continue;
        };
        let person = Person::from(live.as_ref());
        if operating.as_ref() == Some(&person.workspace)
            && person.roles_on(&platform).permits(&WORKSPACE_UPDATE)
        {
            administrators.push((person, row.try_get::<i64, _>("has_password")? != 0));
        }
    }
    Ok(administrators)
}
