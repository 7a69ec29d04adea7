//! What the token endpoint needs: clients, and places in their token sequences.

use std::sync::Arc;

use hallpass_oauth::{ClientRegistration, Pepper};

use crate::audit::AuditRow;
use crate::projection::{NoPlace, Projection};
use crate::writer::{Pending, Write, Writer};
use crate::{AuditEvent, Store, StoreError};

/// Clients as the token endpoint sees them.
#[derive(Clone)]
pub struct ClientRegistrations {
    projection: Arc<Projection>,
    pepper: Arc<Pepper>,
}

impl ClientRegistrations {
    pub(crate) fn new(store: &Store) -> Self {
        Self {
            projection: store.projection.clone(),
            pepper: store.pepper.clone(),
        }
    }

    /// The client of that id.
    pub fn find(&self, client_id: &str) -> Option<Arc<ClientRegistration>> {
        Some(self.projection.credential(client_id)?.registration.clone())
    }

    /// The key of the secret digests.
    pub fn pepper(&self) -> &Pepper {
        &self.pepper
    }
}

/// Hands out places in the token sequences of credentials.
#[derive(Clone)]
pub struct TokenSequences {
    projection: Arc<Projection>,
    writer: Writer,
    single_active: bool,
}

/// Why a credential gets no place in its sequence.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    /// The credential was reset or deleted since it authenticated.
    #[error("the credential changed since it authenticated")]
    Changed,
    /// A reset of the credential is being written; which secret counts will be known in a moment.
    #[error("the credential is being reset")]
    Undecided,
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A place that was taken. The token may be answered only after [`Reservation::commit`].
pub struct Reservation {
    place: u64,
    pending: Pending,
}

impl TokenSequences {
    pub(crate) fn new(store: &Store) -> Self {
        Self {
            projection: store.projection.clone(),
            writer: store.writer.clone(),
            single_active: store.policy.single_active,
        }
    }

    /// Takes a place for one token of the client and starts writing it down, together with the
    /// audit event that counts the token.
    pub fn reserve(
        &self,
        client: &ClientRegistration,
        event: AuditEvent,
    ) -> Result<Reservation, SequenceError> {
        let live = self
            .projection
            .credential(client.client_id.as_str())
            .ok_or(SequenceError::Changed)?;
        // The digest is what the client authenticated with: the same entry means the same reset.
        if !live
            .registration
            .secret_digest
            .matches(&client.secret_digest)
        {
            return Err(SequenceError::Changed);
        }
        let place = live
            .sequence
            .reserve(live.row.generation, self.single_active)
            .map_err(|refused| match refused {
                NoPlace::Changed => SequenceError::Changed,
                NoPlace::Undecided => SequenceError::Undecided,
            })?;
        let mut writes = vec![Write::Audit(Box::new(AuditRow::new(event)))];
        if self.single_active {
            writes.push(Write::Watermark {
                client_id: client.client_id.to_string(),
                place,
                sequence: live.sequence.clone(),
            });
        }
        Ok(Reservation {
            place,
            pending: self.writer.submit(writes)?,
        })
    }
}

impl Reservation {
    /// The place taken.
    pub fn place(&self) -> u64 {
        self.place
    }

    /// Waits until the place is on disk. Under the single-active rule the credential's earlier
    /// tokens are dead from here on.
    pub async fn commit(self) -> Result<(), StoreError> {
        self.pending.committed().await
    }
}
