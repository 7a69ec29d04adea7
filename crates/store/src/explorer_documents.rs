//! What people keep in the explorer: documents of their workspaces there, and the secrets of those.
//!
//! A document is bytes under a name; what it means is the explorer's affair. There is no way to another
//! person's: whoever holds [`OwnDocuments`] has told whose they are, and a secret opens only under the
//! key of the person who kept it. Everything goes with the person.

use hallpass_oauth::Secret;
use jiff::Timestamp;
use rand_core::CryptoRng;
use sqlx::{Row as _, SqliteConnection};
use zeroize::Zeroizing;

use crate::database::nanoseconds;
use crate::people::PersonId;
use crate::{Store, StoreError};

/// Most documents of one person.
pub const MOST_DOCUMENTS: usize = 1_000;

/// Most bytes of all documents of one person.
pub const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Most bytes of one document.
pub const LARGEST_DOCUMENT: usize = 16 * 1024 * 1024;

/// Most secrets of one person.
pub const MOST_SECRETS: usize = 1_000;

/// Most bytes of one secret.
pub const LARGEST_SECRET: usize = 64 * 1024;

/// Most bytes of a name.
const LONGEST_NAME: usize = 256;

/// What people keep in the explorer.
#[derive(Clone)]
pub struct ExplorerDocuments(Store);

/// What one person keeps there.
#[derive(Clone)]
pub struct OwnDocuments {
    store: Store,
    person: PersonId,
}

/// Why something was not kept. In words for the person whose it is.
#[derive(Debug, thiserror::Error)]
pub enum DocumentError {
    /// There are too many documents.
    #[error("there can be {MOST_DOCUMENTS} documents in your explorer, and there are")]
    TooMany,
    /// The documents together are too large.
    #[error(
        "your explorer's documents may have {} MB together, and with this one they would have more",
        MOST_BYTES / 1024 / 1024
    )]
    TooMuch,
    /// One document is too large.
    #[error("a document may have {} MB, and this one has more", LARGEST_DOCUMENT / 1024 / 1024)]
    TooLarge,
    /// There are too many secrets.
    #[error("there can be {MOST_SECRETS} secrets in your explorer, and there are")]
    TooManySecrets,
    /// One secret is too large.
    #[error("a secret may have {} kB, and this one has more", LARGEST_SECRET / 1024)]
    SecretTooLarge,
    /// The name is empty or too long.
    #[error("a name has 1 to {LONGEST_NAME} bytes")]
    BadName,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<sqlx::Error> for DocumentError {
    fn from(error: sqlx::Error) -> Self {
        Self::Store(error.into())
    }
}

impl DocumentError {
    /// Whether there would be room if something else were removed.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::TooMany | Self::TooMuch | Self::TooManySecrets)
    }
}

impl ExplorerDocuments {
    pub(crate) fn new(store: Store) -> Self {
        Self(store)
    }

    /// What this person keeps.
    pub fn of(&self, person: PersonId) -> OwnDocuments {
        OwnDocuments {
            store: self.0.clone(),
            person,
        }
    }
}

impl OwnDocuments {
    /// The workspaces that have a document of this name.
    pub async fn workspaces_with(&self, name: &str) -> Result<Vec<String>, StoreError> {
        let rows = sqlx::query(
            "SELECT workspace FROM explorer_document WHERE person_id = $1 AND name = $2 \
             ORDER BY workspace",
        )
        .bind(self.person.to_string())
        .bind(name)
        .fetch_all(self.store.database.reader())
        .await?;
        let workspaces = rows.iter().map(|row| row.try_get("workspace"));
        Ok(workspaces.collect::<Result<_, _>>()?)
    }

    /// A document; `None` if there is none.
    pub async fn read(&self, workspace: &str, name: &str) -> Result<Option<Vec<u8>>, StoreError> {
        let row = sqlx::query(
            "SELECT content FROM explorer_document \
             WHERE person_id = $1 AND workspace = $2 AND name = $3",
        )
        .bind(self.person.to_string())
        .bind(workspace)
        .bind(name)
        .fetch_optional(self.store.database.reader())
        .await?;
        Ok(row.map(|row| row.try_get("content")).transpose()?)
    }

    /// Puts a document there, in place of the one before; nothing changes when there is no room.
    pub async fn write(
        &self,
        workspace: &str,
        name: &str,
        content: Vec<u8>,
        now: Timestamp,
    ) -> Result<(), DocumentError> {
        check_names(workspace, name)?;
        if content.len() > LARGEST_DOCUMENT {
            return Err(DocumentError::TooLarge);
        }
        let size = content.len();
        let mut transaction = self.store.database.begin().await?;
        let (documents, bytes) = self.others(&mut transaction, workspace, name).await?;
        if documents >= MOST_DOCUMENTS {
            return Err(DocumentError::TooMany);
        }
        if bytes + size > MOST_BYTES {
            return Err(DocumentError::TooMuch);
        }
        sqlx::query(
            "INSERT INTO explorer_document (person_id, workspace, name, content, changed_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (person_id, workspace, name) \
             DO UPDATE SET content = excluded.content, changed_at = excluded.changed_at",
        )
        .bind(self.person.to_string())
        .bind(workspace)
        .bind(name)
        .bind(content)
        .bind(nanoseconds(now))
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Takes a document away, if it is there.
    pub async fn remove(&self, workspace: &str, name: &str) -> Result<(), StoreError> {
        let mut transaction = self.store.database.begin().await?;
        sqlx::query(
            "DELETE FROM explorer_document WHERE person_id = $1 AND workspace = $2 AND name = $3",
        )
        .bind(self.person.to_string())
        .bind(workspace)
        .bind(name)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// Takes a workspace away with all its documents and secrets.
    pub async fn remove_workspace(&self, workspace: &str) -> Result<(), StoreError> {
        let mut transaction = self.store.database.begin().await?;
        for of_workspace in [
            "DELETE FROM explorer_document WHERE person_id = $1 AND workspace = $2",
            "DELETE FROM explorer_secret WHERE person_id = $1 AND workspace = $2",
        ] {
            sqlx::query(of_workspace)
                .bind(self.person.to_string())
                .bind(workspace)
                .execute(&mut *transaction)
                .await?;
        }
        Ok(transaction.commit().await?)
    }

    /// A secret of a workspace; `None` if there is none of this name.
    pub async fn secret(&self, workspace: &str, name: &str) -> Result<Option<Secret>, StoreError> {
        let row = sqlx::query(
            "SELECT sealed FROM explorer_secret \
             WHERE person_id = $1 AND workspace = $2 AND name = $3",
        )
        .bind(self.person.to_string())
        .bind(workspace)
        .bind(name)
        .fetch_optional(self.store.database.reader())
        .await?;
        let Some(row) = row else { return Ok(None) };
        let sealed: Vec<u8> = row.try_get("sealed")?;
        let person = self.person.to_string();
        let plain = self
            .store
            .master_key
            .open_explorer_secret(&person, &place(workspace, name), &sealed)
            .ok_or(StoreError::WrongMasterKey)?;
        let text = std::str::from_utf8(&plain).map_err(|_| StoreError::Unreadable {
            what: "secret of the explorer",
            value: format!("{workspace}/{name}"),
        })?;
        Ok(Some(Secret::from(text.to_owned())))
    }

    /// Keeps a secret; `None` forgets it.
    pub async fn keep_secret(
        &self,
        workspace: &str,
        name: &str,
        secret: Option<&Secret>,
        now: Timestamp,
        rng: &mut (dyn CryptoRng + Send),
    ) -> Result<(), DocumentError> {
        check_names(workspace, name)?;
        let Some(secret) = secret else {
            return Ok(self.forget_secret(workspace, name).await?);
        };
        if secret.expose().len() > LARGEST_SECRET {
            return Err(DocumentError::SecretTooLarge);
        }
        let person = self.person.to_string();
        let plain = Zeroizing::new(secret.expose().as_bytes().to_vec());
        let sealed = self
            .store
            .master_key
            .seal_explorer_secret(&person, &place(workspace, name), &plain, rng)
            .ok_or_else(|| StoreError::NotWritten("the secret was not encrypted".to_owned()))?;
        let mut transaction = self.store.database.begin().await?;
        let row = sqlx::query(
            "SELECT count(*) AS secrets FROM explorer_secret \
             WHERE person_id = $1 AND NOT (workspace = $2 AND name = $3)",
        )
        .bind(&person)
        .bind(workspace)
        .bind(name)
        .fetch_one(&mut *transaction)
        .await?;
        if count(row.try_get("secrets")?) >= MOST_SECRETS {
            return Err(DocumentError::TooManySecrets);
        }
        sqlx::query(
            "INSERT INTO explorer_secret (person_id, workspace, name, sealed, changed_at) \
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (person_id, workspace, name) \
             DO UPDATE SET sealed = excluded.sealed, changed_at = excluded.changed_at",
        )
        .bind(&person)
        .bind(workspace)
        .bind(name)
        .bind(sealed)
        .bind(nanoseconds(now))
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    async fn forget_secret(&self, workspace: &str, name: &str) -> Result<(), StoreError> {
        let mut transaction = self.store.database.begin().await?;
        sqlx::query(
            "DELETE FROM explorer_secret WHERE person_id = $1 AND workspace = $2 AND name = $3",
        )
        .bind(self.person.to_string())
        .bind(workspace)
        .bind(name)
        .execute(&mut *transaction)
        .await?;
        Ok(transaction.commit().await?)
    }

    /// How many documents there are besides this one, and how many bytes they have.
    async fn others(
        &self,
        connection: &mut SqliteConnection,
        workspace: &str,
        name: &str,
    ) -> Result<(usize, usize), StoreError> {
        let row = sqlx::query(
            "SELECT count(*) AS documents, COALESCE(sum(length(content)), 0) AS bytes \
             FROM explorer_document WHERE person_id = $1 AND NOT (workspace = $2 AND name = $3)",
        )
        .bind(self.person.to_string())
        .bind(workspace)
        .bind(name)
        .fetch_one(connection)
        .await?;
        Ok((
            count(row.try_get("documents")?),
            count(row.try_get("bytes")?),
        ))
    }
}

fn check_names(workspace: &str, name: &str) -> Result<(), DocumentError> {
    let good = |name: &str| (1..=LONGEST_NAME).contains(&name.len());
    if good(workspace) && good(name) {
        Ok(())
    } else {
        Err(DocumentError::BadName)
    }
}

/// Where a secret belongs. The length tells the two names apart, whatever is in them.
fn place(workspace: &str, name: &str) -> String {
    format!("{}:{workspace}/{name}", workspace.len())
}

fn count(stored: i64) -> usize {
    usize::try_from(stored).unwrap_or(0)
}
