//! What the token endpoint needs: clients, and places in their token sequences.

use std::sync::Arc;

use hallpass_oauth::client_authentication::Proof;
use hallpass_oauth::token_id::Fingerprint;
use hallpass_oauth::{ClientRegistration, Pepper, WorkspaceId};
use jiff::Timestamp;

use crate::audit::AuditRow;
use crate::projection::{LiveCredential, Projection};
use crate::sequence::NoPlace;
use crate::spent::SpentRow;
use crate::workspaces::Workspace;
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

    /// The workspace of that id, for a token exchange.
    pub fn workspace(&self, id: &WorkspaceId) -> Option<Arc<Workspace>> {
        self.projection.workspace(id)
    }

    /// How many credentials and how many revoked or used ids the projection holds.
    pub fn sizes(&self) -> ProjectionSizes {
        ProjectionSizes {
            credentials: self.projection.credentials.len(),
            people: self.projection.people.len(),
            spent_ids: self.projection.spent.len(),
        }
    }
}

/// How much the projection holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ProjectionSizes {
    /// Credentials.
    pub credentials: usize,
    /// People.
    pub people: usize,
    /// Revoked tokens and used client assertions.
    pub spent_ids: usize,
}

/// Hands out places in the token sequences of credentials.
#[derive(Clone)]
pub struct TokenSequences {
    projection: Arc<Projection>,
    writer: Writer,
    single_active: bool,
    jti: bool,
}

/// Why a credential gets no place in its sequence.
#[derive(Debug, thiserror::Error)]
pub enum SequenceError {
    /// The credential was reset or deleted since it authenticated.
    #[error("the credential changed since it authenticated")]
    Changed,
    /// The assertion that the client authenticated with was used before.
    #[error("the client assertion was used before")]
    Replayed,
    /// The credential is being reset at this moment, or its last token is too young for another.
    #[error("the credential is being reset, or its last token is too young")]
    Undecided,
    /// The store failed or is overloaded.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is written down with a token: the event that counts it, and what the client authenticated
/// with, where that matters later.
pub struct Issue {
    event: AuditEvent,
    proof: Option<Proof>,
}

impl Issue {
    /// A token for a client that authenticated with `proof`.
    pub fn new(event: AuditEvent, proof: Proof) -> Self {
        Self {
            event,
            proof: Some(proof),
        }
    }
}

impl From<AuditEvent> for Issue {
    fn from(event: AuditEvent) -> Self {
        Self { event, proof: None }
    }
}

/// A place in a credential's token sequence. It is taken in memory only: a request that comes to
/// nothing leaves everything as it was.
#[must_use = "a place means nothing until it is written"]
pub struct Reservation {
    place: u64,
    live: Arc<LiveCredential>,
    sequences: TokenSequences,
}

/// A place that is being written down.
#[must_use = "the place is durable only once this has resolved"]
pub struct Writing(Pending);

impl Writing {
    /// Does not wait for anything else before the disk is asked: for when nothing else is to do. By
    /// default a place is written when somebody waits for it or for another one.
    pub fn begin(&self) {
        self.0.begin();
    }

    /// Waits until the place is on disk. Under the single-active rule the credential's earlier
    /// tokens are dead from here on.
    pub async fn committed(self) -> Result<(), StoreError> {
        self.0.committed().await
    }
}

impl TokenSequences {
    pub(crate) fn new(store: &Store) -> Self {
        Self {
            projection: store.projection.clone(),
            writer: store.writer.clone(),
            single_active: store.policy.single_active,
            jti: store.policy.jti,
        }
    }

    /// Takes a place for one token of the client.
    pub fn reserve(&self, client: &ClientRegistration) -> Result<Reservation, SequenceError> {
        let live = self
            .projection
            .credential(client.client_id.as_str())
            .ok_or(SequenceError::Changed)?;
        // The generation that the client authenticated in: another one means a reset since.
        let place = live
            .sequence
            .reserve(client.generation, self.single_active)
            .map_err(|refused| match refused {
                NoPlace::Changed => SequenceError::Changed,
                NoPlace::Undecided => SequenceError::Undecided,
            })?;
        Ok(Reservation {
            place,
            live,
            sequences: self.clone(),
        })
    }

    /// Whether tokens carry no `jti`. Such a token has to be signed before its place can be written:
    /// it is known by its fingerprint.
    pub fn awaits_fingerprint(&self) -> bool {
        self.single_active && !self.jti
    }

    /// Notes that a client authenticated for something else than a token, from the address `from`.
    pub async fn note_authentication(
        &self,
        client: &ClientRegistration,
        proof: Proof,
        from: &str,
        now: Timestamp,
    ) -> Result<(), SequenceError> {
        let live = self
            .projection
            .credential(client.client_id.as_str())
            .ok_or(SequenceError::Changed)?;
        let mut writes = Vec::new();
        self.note_proof(&live, Some(proof), from, now, &mut writes)?;
        if !writes.is_empty() {
            self.submit(writes)?.committed().await?;
        }
        Ok(())
    }

    /// Hands the writes over. An assertion whose use was not even handed over was not used.
    fn submit(&self, writes: Vec<Write>) -> Result<Pending, StoreError> {
        let used = writes.iter().find_map(|write| match write {
            Write::Spent(row, _) => Some(row.id),
            _ => None,
        });
        let submitted = self.writer.submit(writes);
        if let (Err(_), Some(id)) = (&submitted, used) {
            self.projection.spent.take_back(&id);
        }
        submitted
    }

    /// An assertion is good once (RFC 7523 section 3), so its id is in the list before anything is
    /// issued for it. It stays there even if nothing is: the client makes a new one.
    fn note_proof(
        &self,
        live: &Arc<LiveCredential>,
        proof: Option<Proof>,
        from: &str,
        now: Timestamp,
        writes: &mut Vec<Write>,
    ) -> Result<(), SequenceError> {
        let secret_id = match proof {
            Some(Proof::Assertion(checked)) => {
                let row = SpentRow {
                    id: checked.replay_id(),
                    expires_at: checked.expires_at(),
                };
                if !self.projection.spent.add(&row) {
                    return Err(SequenceError::Replayed);
                }
                writes.push(Write::Spent(row, self.projection.spent.clone()));
                None
            }
            Some(Proof::Secret(id)) => Some(id),
            None => None,
        };
        let secret = live
            .secrets
            .iter()
            .find(|secret| secret_id.as_deref() == Some(secret.row.id.as_str()));
        // Both, whatever the first one says.
        let due = [
            live.last_use.note(now, from),
            secret.is_some_and(|secret| secret.last_use.note(now, from)),
        ];
        if due.contains(&true) {
            writes.push(Write::Used {
                client_id: live.row.client_id.to_string(),
                secret_id: secret.map(|secret| secret.row.id.clone()),
                from: from.to_owned(),
                at: now,
            });
        }
        Ok(())
    }
}

fn watermark(
    live: &Arc<LiveCredential>,
    place: u64,
    bare: Option<Fingerprint>,
    at: Timestamp,
) -> Write {
    Write::Watermark {
        client_id: live.row.client_id.to_string(),
        place,
        bare,
        sequence: live.sequence.clone(),
        at,
    }
}

impl Reservation {
    /// The place taken.
    pub fn place(&self) -> u64 {
        self.place
    }

    /// The second that a token without `jti` is issued in: each has one to itself. Signatures are the same
    /// for the same claims, so a second token of one second would be the first, which may be dead.
    pub fn second_of_its_own(&self, now: Timestamp) -> Result<Timestamp, SequenceError> {
        self.live
            .sequence
            .second_of_its_own(now)
            .ok_or(SequenceError::Undecided)
    }

    /// Starts writing the place down, together with what goes with the token. `fingerprint` names the
    /// token where it carries no `jti`.
    pub fn write(
        self,
        issue: impl Into<Issue>,
        fingerprint: Option<Fingerprint>,
    ) -> Result<Writing, SequenceError> {
        let Self {
            place,
            live,
            sequences,
        } = self;
        let Issue { event, proof } = issue.into();
        let now = event.occurred_at;
        let mut writes = Vec::with_capacity(3);
        sequences.note_proof(&live, proof, &event.source_ip, now, &mut writes)?;
        writes.push(Write::Audit(Box::new(AuditRow::new(event))));
        if sequences.single_active {
            writes.push(watermark(&live, place, fingerprint, now));
        }
        Ok(Writing(sequences.submit(writes)?))
    }
}
