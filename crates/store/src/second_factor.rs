//! The second factor: a secret that somebody's device has too, and codes for when it is lost.
//!
//! How a code is computed from the secret and the time (RFC 6238) is the console's affair. Here the
//! secret is kept encrypted under the master key, a time step is good for one sign-in only, and
//! recovery codes exist in clear only where they are shown once.

use hallpass_oauth::{Secret, SecretDigest};
use jiff::{SignedDuration, Timestamp};
use rand_core::CryptoRng;
use sqlx::{Row, SqliteConnection};
use zeroize::Zeroizing;

use crate::audit::AuditRow;
use crate::database::{nanoseconds, timestamp};
use crate::people::{Person, PersonId};
use crate::sessions::{end_all, said};
use crate::{Actor, Store, StoreError};

/// How many recovery codes there are at first.
pub const RECOVERY_CODES: usize = 10;

/// How long a secret that no code was typed for may be confirmed.
pub const LONGEST_SETUP: SignedDuration = SignedDuration::from_mins(30);

/// Length of a secret in bytes: that of the HMAC's output (RFC 4226, section 4).
const SECRET_LENGTH: usize = 20;

/// What recovery codes are written with: no letter that looks like a digit (Crockford's base 32).
const ALPHABET: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";

/// Sets up, checks off and removes second factors.
#[derive(Clone)]
pub struct SecondFactors(Store);

/// How somebody's second factor stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SecondFactor {
    /// Since when it is asked for; `None` while no code has shown that the device has the secret.
    pub since: Option<Timestamp>,
    /// How many recovery codes are left.
    pub recovery_codes: usize,
}

/// The secret in clear, for the one place that computes codes or shows it for the device.
pub struct SharedSecret {
    /// The bytes.
    pub bytes: Zeroizing<Vec<u8>>,
    /// Whether it is asked for already.
    pub confirmed: bool,
    /// As it is stored: tells it from one that was begun later.
    sealed: Vec<u8>,
}

impl SecondFactors {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// How a person's second factor stands; `None` without one.
    pub async fn of(
        &self,
        person: PersonId,
        now: Timestamp,
    ) -> Result<Option<SecondFactor>, StoreError> {
        let row = sqlx::query(
            "SELECT confirmed_at, (SELECT count(*) FROM recovery_code \
             WHERE recovery_code.person_id = second_factor.person_id) AS codes \
             FROM second_factor WHERE person_id = $1 AND (confirmed_at IS NOT NULL OR begun_at > $2)",
        )
        .bind(person.to_string())
        .bind(nanoseconds(now - LONGEST_SETUP))
        .fetch_optional(self.0.database.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let since: Option<i64> = row.try_get("confirmed_at")?;
        let codes: i64 = row.try_get("codes")?;
        Ok(Some(SecondFactor {
            since: since.map(timestamp),
            recovery_codes: usize::try_from(codes).unwrap_or(0),
        }))
    }

    /// Makes a new secret for a person, in the place of one that was not confirmed. `false` when they
    /// have one that is asked for: that has to be switched off first.
    pub async fn begin(
        &self,
        person: PersonId,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<bool, StoreError> {
        let mut secret = Zeroizing::new([0; SECRET_LENGTH]);
        rng.fill_bytes(secret.as_mut_slice());
        let sealed = self
            .0
            .master_key
            .seal_second_factor(&person.to_string(), secret.as_slice(), rng)
            .ok_or_else(|| StoreError::NotWritten("the secret was not encrypted".to_owned()))?;
        let store = self.0.clone();
        let written = async move {
            let mut transaction = store.database.begin().await?;
            let written = sqlx::query(
                "INSERT INTO second_factor (person_id, sealed, begun_at) VALUES ($1, $2, $3) \
                 ON CONFLICT (person_id) DO UPDATE SET sealed = excluded.sealed, \
                 begun_at = excluded.begun_at WHERE second_factor.confirmed_at IS NULL",
            )
            .bind(person.to_string())
            .bind(sealed)
            .bind(nanoseconds(now))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(written.rows_affected() == 1)
        };
        self.0.uninterrupted(written).await
    }

    /// The secret, if it is asked for or may still be confirmed.
    pub async fn secret(
        &self,
        person: PersonId,
        now: Timestamp,
    ) -> Result<Option<SharedSecret>, StoreError> {
        let row = sqlx::query(
            "SELECT sealed, confirmed_at FROM second_factor WHERE person_id = $1 \
             AND (confirmed_at IS NOT NULL OR begun_at > $2)",
        )
        .bind(person.to_string())
        .bind(nanoseconds(now - LONGEST_SETUP))
        .fetch_optional(self.0.database.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let sealed: Vec<u8> = row.try_get("sealed")?;
        let bytes = self
            .0
            .master_key
            .open_second_factor(&person.to_string(), &sealed)
            .ok_or(StoreError::WrongMasterKey)?;
        Ok(Some(SharedSecret {
            bytes,
            confirmed: row.try_get::<Option<i64>, _>("confirmed_at")?.is_some(),
            sealed,
        }))
    }

    /// Asks for codes from now on, after one of `step` was right for that very secret; gives the
    /// recovery codes, which are nowhere else. Ends all sessions of the person but the one of the id
    /// `kept`: they began without a code. `None` when the secret does not wait for a code any more.
    #[expect(
        clippy::too_many_arguments,
        reason = "who, what, and the audit event's parts"
    )]
    pub async fn confirm(
        &self,
        person: &Person,
        shared: &SharedSecret,
        step: u64,
        kept: &str,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Option<Vec<Secret>>, StoreError> {
        let event = said(person, actor, "switched a second factor on", now, rng);
        let (codes, digests) = self.recovery_codes(person.id, rng);
        let (store, person) = (self.0.clone(), person.id);
        let (sealed, kept) = (shared.sealed.clone(), kept.to_owned());
        let confirmed = async move {
            let mut transaction = store.database.begin().await?;
            let confirmed = sqlx::query(
                "UPDATE second_factor SET confirmed_at = $2, last_step = $3 \
                 WHERE person_id = $1 AND confirmed_at IS NULL AND begun_at > $4 AND sealed = $5",
            )
            .bind(person.to_string())
            .bind(nanoseconds(now))
            .bind(stored_step(step))
            .bind(nanoseconds(now - LONGEST_SETUP))
            .bind(sealed)
            .execute(&mut *transaction)
            .await?;
            if confirmed.rows_affected() == 0 {
                return Ok(false);
            }
            end_all(&mut transaction, person, &kept).await?;
            replace_codes(&mut transaction, person, &digests).await?;
            AuditRow::new(event).insert(&mut transaction).await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(true)
        };
        let confirmed = self.0.uninterrupted(confirmed).await?;
        Ok(confirmed.then_some(codes))
    }

    /// Uses a time step up. `false` when it, or a later one, was used before: then somebody has looked
    /// over the person's shoulder, or they typed a code twice (RFC 6238, section 5.2).
    pub async fn take_step(&self, person: PersonId, step: u64) -> Result<bool, StoreError> {
        let store = self.0.clone();
        let taken = async move {
            let mut transaction = store.database.begin().await?;
            let taken = sqlx::query(
                "UPDATE second_factor SET last_step = $2 \
                 WHERE person_id = $1 AND last_step < $2 AND confirmed_at IS NOT NULL",
            )
            .bind(person.to_string())
            .bind(stored_step(step))
            .execute(&mut *transaction)
            .await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(taken.rows_affected() == 1)
        };
        self.0.uninterrupted(taken).await
    }

    /// Uses a recovery code up, however it was typed. `false` when it is none of theirs, or was used.
    pub async fn take_recovery_code(
        &self,
        person: &Person,
        typed: &Secret,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<bool, StoreError> {
        let event = said(person, actor, "used a recovery code", now, rng);
        let digest = self.code_digest(person.id, &normal(typed)).to_stored();
        let (store, person) = (self.0.clone(), person.id);
        let taken = async move {
            let mut transaction = store.database.begin().await?;
            let taken =
                sqlx::query("DELETE FROM recovery_code WHERE digest = $1 AND person_id = $2")
                    .bind(digest)
                    .bind(person.to_string())
                    .execute(&mut *transaction)
                    .await?;
            if taken.rows_affected() == 0 {
                return Ok(false);
            }
            AuditRow::new(event).insert(&mut transaction).await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(true)
        };
        self.0.uninterrupted(taken).await
    }

    /// Makes new recovery codes; the old ones stop working. `None` without a second factor.
    pub async fn renew_recovery_codes(
        &self,
        person: &Person,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<Option<Vec<Secret>>, StoreError> {
        let event = said(person, actor, "made new recovery codes", now, rng);
        let (codes, digests) = self.recovery_codes(person.id, rng);
        let (store, person) = (self.0.clone(), person.id);
        let renewed = async move {
            let mut transaction = store.database.begin().await?;
            let on = sqlx::query(
                "SELECT 1 FROM second_factor WHERE person_id = $1 AND confirmed_at IS NOT NULL",
            )
            .bind(person.to_string())
            .fetch_optional(&mut *transaction)
            .await?;
            if on.is_none() {
                return Ok(false);
            }
            replace_codes(&mut transaction, person, &digests).await?;
            AuditRow::new(event).insert(&mut transaction).await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(true)
        };
        let renewed = self.0.uninterrupted(renewed).await?;
        Ok(renewed.then_some(codes))
    }

    /// Takes the second factor away, and the recovery codes with it; by the person, or by an
    /// administrator for somebody who has lost everything. `false` when there was none.
    pub async fn remove(
        &self,
        person: &Person,
        actor: &Actor,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<bool, StoreError> {
        let did = if actor.email == person.email.as_str() {
            "switched the second factor off"
        } else {
            "was freed from the second factor"
        };
        let event = said(person, actor, did, now, rng);
        let (store, person) = (self.0.clone(), person.id);
        let removed = async move {
            let mut transaction = store.database.begin().await?;
            let removed = remove(&mut transaction, person).await?;
            if !removed {
                return Ok(false);
            }
            AuditRow::new(event).insert(&mut transaction).await?;
            transaction.commit().await?;
            Ok::<_, StoreError>(true)
        };
        self.0.uninterrupted(removed).await
    }

    fn recovery_codes(
        &self,
        person: PersonId,
        rng: &mut dyn CryptoRng,
    ) -> (Vec<Secret>, Vec<SecretDigest>) {
        let codes: Vec<Secret> = (0..RECOVERY_CODES).map(|_| recovery_code(rng)).collect();
        let digests = codes.iter();
        let digests = digests.map(|code| self.code_digest(person, &normal(code)));
        let digests = digests.collect();
        (codes, digests)
    }

    /// The person is part of it, so that equal codes of two people are two rows.
    fn code_digest(&self, person: PersonId, code: &Secret) -> SecretDigest {
        let marked = Secret::from(format!("recovery code of {person}: {}", code.expose()));
        self.0.pepper.digest(&marked)
    }
}

/// Sixty random bits in three groups of four.
fn recovery_code(rng: &mut dyn CryptoRng) -> Secret {
    let mut bytes = Zeroizing::new([0; 12]);
    rng.fill_bytes(bytes.as_mut_slice());
    let mut text = String::with_capacity(14);
    for (at, byte) in bytes.iter().enumerate() {
        if at > 0 && at % 4 == 0 {
            text.push('-');
        }
        text.push(char::from(ALPHABET[usize::from(byte % 32)]));
    }
    Secret::from(text)
}

/// A code as its digest takes it: whatever people make of groups, capitals and look-alikes.
fn normal(typed: &Secret) -> Secret {
    let letters = typed.expose().chars().filter(|c| c.is_alphanumeric());
    let letters = letters.map(|letter| match letter.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        other => other,
    });
    Secret::from(letters.collect::<String>())
}

fn stored_step(step: u64) -> i64 {
    i64::try_from(step).unwrap_or(i64::MAX)
}

async fn replace_codes(
    connection: &mut SqliteConnection,
    person: PersonId,
    digests: &[SecretDigest],
) -> Result<(), StoreError> {
    sqlx::query("DELETE FROM recovery_code WHERE person_id = $1")
        .bind(person.to_string())
        .execute(&mut *connection)
        .await?;
    for digest in digests {
        sqlx::query("INSERT INTO recovery_code (digest, person_id) VALUES ($1, $2)")
            .bind(digest.to_stored())
            .bind(person.to_string())
            .execute(&mut *connection)
            .await?;
    }
    Ok(())
}

async fn remove(connection: &mut SqliteConnection, person: PersonId) -> Result<bool, StoreError> {
    replace_codes(connection, person, &[]).await?;
    let removed = sqlx::query("DELETE FROM second_factor WHERE person_id = $1")
        .bind(person.to_string())
        .execute(connection)
        .await?;
    Ok(removed.rows_affected() == 1)
}

#[cfg(test)]
mod tests {
    use hallpass_oauth::random::SystemRandom;

    use super::*;

    #[test]
    fn a_code_is_the_same_however_it_is_typed() {
        let normal = |text: &str| normal(&Secret::from(text.to_owned())).expose().to_owned();
        assert_eq!(normal("0o1i-lABC-defg"), "00111abcdefg");
        assert_eq!(normal(" 0o1i labc defg "), "00111abcdefg");
        let code = recovery_code(&mut SystemRandom);
        assert_eq!(code.expose().len(), 14);
        assert_eq!(normal(code.expose()), code.expose().replace('-', ""));
    }
}
