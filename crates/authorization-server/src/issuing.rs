//! From a grant to a token that will not be forgotten: sign on a thread of its own, write the place in
//! the credential's sequence down, and wait for both. The two overlap where nothing else goes on; under
//! load the first signature that is made begins the write for all who wait.

use std::sync::Arc;

use hallpass_oauth::client_authentication::Proof;
use hallpass_oauth::mint::{Issuing, mint};
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{
    AccessToken, ClientRegistration, Grant, PresentedCredential, TokenError, TokenId,
};
use hallpass_store::{AuditEvent, Issue, SequenceError, StoreError};
use jiff::Timestamp;

use crate::AuthorizationServer;
use crate::client::Caller;
use crate::signer::{NotRun, Outcome};

/// Why no token was issued.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotIssued {
    /// The store did not write it down.
    #[error(transparent)]
    Sequence(#[from] SequenceError),
    /// It was not signed.
    #[error(transparent)]
    Signer(#[from] NotRun),
    /// The key failed.
    #[error(transparent)]
    Key(#[from] hallpass_oauth::key::KeyError),
}

/// What is told of trouble that is ours.
pub(crate) fn trouble(error: &NotIssued) -> TokenError {
    let overloaded = match error {
        NotIssued::Sequence(
            SequenceError::Changed | SequenceError::Replayed | SequenceError::Undecided,
        ) => return TokenError::unavailable(),
        NotIssued::Sequence(SequenceError::Store(error)) => {
            matches!(error, StoreError::Overloaded)
        }
        NotIssued::Signer(error) => *error == NotRun::Overloaded,
        NotIssued::Key(_) => false,
    };
    if overloaded {
        return TokenError::overloaded();
    }
    let error: &(dyn std::error::Error + 'static) = error;
    tracing::error!(error, "a token was not issued");
    TokenError::unavailable()
}

type Signed<'a> = Outcome<'a, Result<AccessToken, hallpass_oauth::key::KeyError>>;

impl AuthorizationServer {
    /// What a client is told whose proof came to nothing. One that was reset while it asked has a wrong
    /// secret now, one that used an assertion twice has proved nothing: both did not authenticate, and
    /// count like everybody who does not.
    pub(crate) fn not_taken(
        &self,
        error: &NotIssued,
        presented: &PresentedCredential,
        caller: Caller,
    ) -> TokenError {
        match error {
            NotIssued::Sequence(SequenceError::Changed) => {
                self.failed(presented, "changed", error, caller)
            }
            NotIssued::Sequence(SequenceError::Replayed) => {
                self.failed(presented, "replay", error, caller)
            }
            ours => trouble(ours),
        }
    }

    /// Issues the token of a grant to the client that authenticated for it.
    ///
    /// The queue of the signer is asked before anything is written: a client that is told to come
    /// back later keeps the token it has.
    pub(crate) async fn issue(
        &self,
        registration: &ClientRegistration,
        proof: Proof,
        grant: Arc<Grant>,
        event: AuditEvent,
        now: Timestamp,
    ) -> Result<AccessToken, NotIssued> {
        let reservation = self.sequences.reserve(registration)?;
        let place = reservation.place();
        let issue = Issue::new(event, proof);
        let now = self.issue_time(now);
        if self.sequences.awaits_fingerprint() {
            let now = reservation.second_of_its_own(now)?;
            let token = self.sign(grant, None, now)?.wait().await??;
            let fingerprint = Some(token.fingerprint());
            let written = reservation.write(issue, fingerprint)?;
            written.committed().await.map_err(SequenceError::from)?;
            return Ok(token);
        }
        let id = TokenId::generate(place, &mut SystemRandom);
        let signed = self.sign(grant, Some(id), now)?;
        let written = reservation.write(issue, None)?;
        if signed.is_at_once() {
            // Nothing else goes on: the disk may work while the signature is made. Under load the
            // write waits for the signature, and for the others that will share its transaction.
            written.begin();
        }
        let token = signed.wait().await;
        written.committed().await.map_err(SequenceError::from)?;
        Ok(token??)
    }

    /// Hands a signature over to the signing threads.
    pub(crate) fn sign(
        &self,
        grant: Arc<Grant>,
        id: Option<TokenId>,
        now: Timestamp,
    ) -> Result<Signed<'_>, NotRun> {
        let key = self.signing_keys.active();
        let issuing: Issuing = self.settings.issuing.clone();
        self.signer
            .submit(move || mint(&grant, id.as_ref(), &issuing, &key, now))
    }
}
