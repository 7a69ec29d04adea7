//! From what was typed to [`Proved`], which beginning a session asks for: nothing else makes one but
//! having just chosen the password.

use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::sessions::Candidate;
use hallpass_store::{Person, PersonId, StoreError};
use jiff::Timestamp;

use super::Visitor;
use super::attempts::Charged;
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

/// A try that was counted. Dropped, it goes into the audit log as a refusal, unless it was no guess: so
/// one whose client went away before the answer does, too.
struct Attempt<'a> {
    console: &'a Console,
    charged: Charged,
    email: &'a str,
    visitor: &'a Visitor,
    /// Who has the address, as soon as that is known.
    person: Option<Person>,
    now: Timestamp,
    wrong: bool,
}

impl Attempt<'_> {
    /// The password was right, or was not compared at all: the try is given back.
    fn is_no_guess(&mut self) {
        self.wrong = false;
        self.console
            .attempts
            .give_back(self.charged, self.email, self.visitor.address);
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.wrong {
            let person = self.person.as_ref();
            self.console
                .count_refusal("Sign-in refused", person, self.visitor, self.now);
        }
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
        let mut attempt = self.attempt(fields.text("email"), visitor)?;
        let workspace = Some(fields.text("workspace")).filter(|name| !name.is_empty());
        let candidate = self.sessions.candidate(attempt.email, workspace).await;
        let candidate = candidate.inspect_err(|_| attempt.is_no_guess())?;
        attempt.person = candidate.as_ref().map(|known| known.person.clone());
        let stored = candidate.as_ref().and_then(|known| known.password.clone());
        let password = fields.secret("password");
        let verified = self.hashing.verify(password.clone(), stored).await;
        let verified = verified.inspect_err(|_| attempt.is_no_guess())?;
        let (Verified::Yes { outdated }, Some(mut candidate)) = (verified, candidate) else {
            return Ok(None);
        };
        attempt.is_no_guess();
        if outdated && let Some(old) = &candidate.password {
            let person = candidate.person.id;
            if let Some(new) = self.strengthen(person, password, old).await? {
                candidate.password = Some(new);
            }
        }
        Ok(Some(Proved(candidate)))
    }

    /// Counts a try before it costs anything.
    fn attempt<'a>(
        &'a self,
        email: &'a str,
        visitor: &'a Visitor,
    ) -> Result<Attempt<'a>, PageRefusal> {
        let now = (self.clock)();
        let charged = self.attempts.charge(email, visitor.address, now);
        let charged = charged.map_err(|wait| {
            self.count_turned_away(now);
            PageRefusal::TooMany(wait)
        })?;
        Ok(Attempt {
            console: self,
            charged,
            email,
            visitor,
            person: None,
            now,
            wrong: true,
        })
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
