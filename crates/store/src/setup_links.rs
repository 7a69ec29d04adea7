//! One-time links with which a new person chooses a password, and the one that a server prints while
//! no administrator has one. A link's secret exists in clear only in the link; here is its keyed digest.

mod start;

use hallpass_oauth::{Secret, SecretDigest};
use jiff::{SignedDuration, Timestamp};
use rand_core::CryptoRng;
use sqlx::{Row, SqliteConnection};

use crate::audit::{AuditEvent, AuditResource, AuditRow, AuditState};
use crate::database::{nanoseconds, read, timestamp};
use crate::people::{Person, PersonError, PersonId, PersonRow, Said};
use crate::{Actor, Store, StoreError};

/// How long a link may be used.
const LINK_LIFETIME: SignedDuration = SignedDuration::from_hours(72);

pub use start::StartLink;

/// Issues and redeems set-up links.
#[derive(Clone)]
pub struct SetupLinks(Store);

impl SetupLinks {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// Makes a link's secret for a person; an earlier one of theirs stops working.
    pub async fn issue(
        &self,
        person: PersonId,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Secret, PersonError> {
        let secret = Secret::generate(rng);
        let digest = self.0.pepper.digest(&secret);
        let said = Said::new(actor, now, rng);
        let store = self.0.clone();
        let written = async move {
            let row = PersonRow::live(&store, person)?;
            let message = format!("Set-up link made for {}", row.email);
            let mut transaction = store.database.begin().await?;
            write(&mut transaction, person, &digest, now).await?;
            AuditRow::new(said.event(&row, &message))
                .insert(&mut transaction)
                .await?;
            transaction.commit().await?;
            Ok::<_, PersonError>(())
        };
        self.0.uninterrupted(written).await?;
        Ok(secret)
    }

    /// Whose link it is; `None` when it never was one, was used, replaced or has expired.
    pub async fn find(
        &self,
        secret: &Secret,
        now: Timestamp,
    ) -> Result<Option<Person>, StoreError> {
        let row = sqlx::query(
            "SELECT person_id, expires_at FROM setup_link WHERE digest = $1 UNION ALL \
             SELECT person_id, expires_at FROM start_link WHERE digest = $1 AND person_id IS NOT NULL",
        )
        .bind(self.0.pepper.digest(secret).to_stored())
        .fetch_optional(self.0.database.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        if timestamp(row.try_get("expires_at")?) <= now {
            return Ok(None);
        }
        let id: PersonId = read("person id", row.try_get("person_id")?)?;
        Ok(self
            .0
            .projection
            .person(id)
            .filter(|live| live.enabled)
            .map(|live| Person::from(live.as_ref())))
    }

    /// Stores the password's hash, uses the link up and ends the person's sessions, in one step.
    /// `false` when the link is not (any more) good.
    pub async fn redeem(
        &self,
        secret: &Secret,
        password_hash: &str,
        address: &str,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<bool, StoreError> {
        let Some(person) = self.find(secret, now).await? else {
            return Ok(false);
        };
        let message = format!("{} chose a password", person.email);
        let event = AuditEvent {
            workspace: Some(person.workspace.clone()),
            source_ip: address.to_owned(),
            user_email: person.email.to_string(),
            resource: AuditResource {
                id: person.id.to_string(),
                name: person.email.to_string(),
                kind: "user".to_owned(),
            },
            ..AuditEvent::new(AuditState::Success, message, "console", now, rng)
        };
        let (store, id) = (self.0.clone(), person.id);
        let (digest, password) = (self.0.pepper.digest(secret), password_hash.to_owned());
        self.0
            .uninterrupted(async move { use_up(&store, &digest, id, &password, event, now).await })
            .await
    }
}

/// Uses a link up and stores the password, or does neither.
async fn use_up(
    store: &Store,
    digest: &SecretDigest,
    person: PersonId,
    password: &str,
    event: AuditEvent,
    now: Timestamp,
) -> Result<bool, StoreError> {
    let mut transaction = store.database.begin().await?;
    let mut used = 0;
    for statement in [
        "DELETE FROM setup_link WHERE digest = $1 AND expires_at > $2",
        "DELETE FROM start_link WHERE digest = $1 AND expires_at > $2",
    ] {
        let done = sqlx::query(statement)
            .bind(digest.to_stored())
            .bind(nanoseconds(now))
            .execute(&mut *transaction)
            .await?;
        used += done.rows_affected();
    }
    if used == 0 {
        return Ok(false);
    }
    // Their other link would let somebody else choose again, and whoever is signed in as them may
    // have known the password that this one replaces.
    forget(&mut transaction, person).await?;
    crate::sessions::end_all(&mut transaction, person, "").await?;
    sqlx::query("UPDATE person SET password = $2 WHERE id = $1")
        .bind(person.to_string())
        .bind(password)
        .execute(&mut *transaction)
        .await?;
    AuditRow::new(event).insert(&mut transaction).await?;
    transaction.commit().await?;
    Ok(true)
}

/// Makes every link of a person void.
pub(crate) async fn forget(
    connection: &mut SqliteConnection,
    person: PersonId,
) -> Result<(), StoreError> {
    for statement in [
        "DELETE FROM setup_link WHERE person_id = $1",
        "DELETE FROM start_link WHERE person_id = $1",
    ] {
        sqlx::query(statement)
            .bind(person.to_string())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

/// Writes a link for a person, in place of the one they had.
pub(crate) async fn write(
    connection: &mut SqliteConnection,
    person: PersonId,
    digest: &SecretDigest,
    now: Timestamp,
) -> Result<(), StoreError> {
    sqlx::query(
        "INSERT INTO setup_link (digest, person_id, expires_at) VALUES ($1, $2, $3) \
         ON CONFLICT (person_id) DO UPDATE SET digest = excluded.digest, \
         expires_at = excluded.expires_at",
    )
    .bind(digest.to_stored())
    .bind(person.to_string())
    .bind(nanoseconds(now + LINK_LIFETIME))
    .execute(connection)
    .await?;
    Ok(())
}
