//! From what was typed to [`Proved`], which beginning a session asks for: nothing else makes one but
//! having just chosen the password.

use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::sessions::Candidate;
use hallpass_store::{PersonId, StoreError};

use super::Visitor;
use crate::Console;
use crate::form::Fields;
use crate::page::PageRefusal;
use crate::password::{NewPassword, Verified};

/// Somebody whose password was right, and the hash that it was compared with. Whether that still
/// stands is looked at again when the session is written.
pub(crate) struct Proved(Candidate);

impl Proved {
    /// Somebody who has just chosen their password.
    pub(crate) fn chosen(candidate: Candidate) -> Self {
        Self(candidate)
    }

    pub(super) fn candidate(&self) -> &Candidate {
        &self.0
    }
}

impl Console {
    /// From e-mail address and password to whoever they belong to; `None` when they do not belong
    /// together.
    pub(super) async fn proved(
        &self,
        fields: &Fields,
        visitor: &Visitor,
    ) -> Result<Option<Proved>, PageRefusal> {
        let (now, email) = ((self.clock)(), fields.text("email"));
        if let Err(wait) = self.attempts.ask(email, visitor.address, now) {
            self.count_refusal("Sign-in refused", None, visitor, now);
            return Err(PageRefusal::TooMany(wait));
        }
        let workspace = Some(fields.text("workspace")).filter(|name| !name.is_empty());
        let candidate = self.sessions.candidate(email, workspace).await?;
        let stored = candidate.as_ref().and_then(|known| known.password.clone());
        let password = fields.secret("password");
        let verified = self.hashing.verify(password.clone(), stored).await?;
        let (Verified::Yes { outdated }, Some(mut candidate)) = (verified, candidate.clone())
        else {
            self.attempts.failed(email, visitor.address, now);
            let person = candidate.as_ref().map(|known| &known.person);
            self.count_refusal("Sign-in refused", person, visitor, now);
            return Ok(None);
        };
        if outdated && let Some(old) = &candidate.password {
            let person = candidate.person.id;
            if let Some(new) = self.strengthen(person, password, old).await? {
                candidate.password = Some(new);
            }
        }
        Ok(Some(Proved(candidate)))
    }

    /// Hashes a password at the present cost, and gives the hash that is stored from now on. That it
    /// was not done is no reason to send anybody away.
    async fn strengthen(
        &self,
        person: PersonId,
        password: Secret,
        old: &str,
    ) -> Result<Option<String>, StoreError> {
        let password = NewPassword::proved(password);
        match self.hashing.hash(password, &mut SystemRandom).await {
            Ok(new) => {
                let replaced = self.passwords.strengthen(person, old, &new).await?;
                Ok(replaced.then_some(new))
            }
            Err(error) => {
                tracing::debug!(%error, "a password was not hashed anew");
                Ok(None)
            }
        }
    }
}
