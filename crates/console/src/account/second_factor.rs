//! One's own second factor: setting it up, new recovery codes, switching it off.
//!
//! It is on when a code has shown that the device has the secret: nobody locks themselves out by half of
//! it. The rules are here; [`pages`] and [`rest`] say what came of them.

pub(super) mod pages;
pub(crate) mod rest;

use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::StoreError;
use hallpass_store::second_factor::{SecondFactor, SharedSecret};

use super::Unanswered;
use crate::session::SignedIn;
use crate::sign_in::{Visitor, actor};
use crate::{Console, totp};

/// What shows that it is the person who asks, and not somebody at their unlocked screen.
struct Proof {
    password: Secret,
    code: Secret,
}

/// Why a second factor stays as it is.
#[derive(Debug, thiserror::Error)]
enum Kept {
    /// There is none in the state that this takes.
    #[error("there is no second factor in that state")]
    NotThere,
    #[error("the password is not right")]
    Password,
    #[error("the code is not right; it may be used, or the clock of the device may be off")]
    Code,
    /// Either; which one is not told.
    #[error("the password or the code is not right")]
    Either,
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
}

impl From<StoreError> for Kept {
    fn from(error: StoreError) -> Self {
        Self::Unanswered(error.into())
    }
}

impl Console {
    /// How it stands; `None` without one.
    pub(super) async fn second_factor_of(
        &self,
        by: &SignedIn,
    ) -> Result<Option<SecondFactor>, StoreError> {
        self.second_factors.of(by.person().id, by.now()).await
    }

    /// Makes a secret, in the place of one that was not confirmed. `false` when one is asked for already.
    async fn begin_second_factor(&self, by: &SignedIn) -> Result<bool, StoreError> {
        let (person, rng) = (by.person().id, &mut SystemRandom);
        self.second_factors.begin(person, by.now(), rng).await
    }

    /// The secret that waits for its first code.
    async fn unconfirmed(&self, by: &SignedIn) -> Result<Option<SharedSecret>, StoreError> {
        let shared = self.second_factors.secret(by.person().id, by.now()).await?;
        Ok(shared.filter(|shared| !shared.confirmed))
    }

    async fn is_on(&self, by: &SignedIn) -> Result<bool, StoreError> {
        let factor = self.second_factor_of(by).await?;
        Ok(factor.is_some_and(|factor| factor.since.is_some()))
    }

    /// Switches it on, and gives the recovery codes. Asks for the password: somebody at an unlocked
    /// screen must not lock the owner out.
    async fn switch_on(
        &self,
        by: &SignedIn,
        shared: &SharedSecret,
        proof: Proof,
    ) -> Result<Vec<Secret>, Kept> {
        if self.confirms(by, proof.password).await?.is_none() {
            return Err(Kept::Password);
        }
        let step = totp::step_of(&proof.code, &shared.bytes, by.now()).ok_or(Kept::Code)?;
        let (person, kept) = (by.person(), &by.session().id);
        let (actor, now, rng) = (actor(person, by.address()), by.now(), &mut SystemRandom);
        let codes = self
            .second_factors
            .confirm(person, shared, step, kept, &actor, now, rng)
            .await?;
        codes.ok_or(Kept::NotThere)
    }

    async fn switch_off(&self, by: &SignedIn, proof: Proof) -> Result<(), Kept> {
        self.is_theirs(by, proof).await?;
        let actor = actor(by.person(), by.address());
        let (factors, rng) = (&self.second_factors, &mut SystemRandom);
        let removed = factors.remove(by.person(), &actor, by.now(), rng).await?;
        removed.then_some(()).ok_or(Kept::NotThere)
    }

    /// Makes new recovery codes; the ones before stop working.
    async fn renew_codes(&self, by: &SignedIn, proof: Proof) -> Result<Vec<Secret>, Kept> {
        self.is_theirs(by, proof).await?;
        let actor = actor(by.person(), by.address());
        let (factors, rng) = (&self.second_factors, &mut SystemRandom);
        let codes = factors.renew_recovery_codes(by.person(), &actor, by.now(), rng);
        codes.await?.ok_or(Kept::NotThere)
    }

    /// Takes password and code for a second factor that is on. A code is not used up by a wrong password.
    async fn is_theirs(&self, by: &SignedIn, proof: Proof) -> Result<(), Kept> {
        if !self.is_on(by).await? {
            return Err(Kept::NotThere);
        }
        let visitor = Visitor::signed_in(by);
        let good = self.confirms(by, proof.password).await?.is_some()
            && self.takes_code(by.person(), &proof.code, &visitor).await?;
        good.then_some(()).ok_or(Kept::Either)
    }
}
