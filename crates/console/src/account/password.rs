//! Changing one's password. It asks for the present one, and ends the other sessions: whoever has them
//! may have known it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;

use super::{Unanswered, back};
use crate::Console;
use crate::form::SignedForm;
use crate::page::{PageRefusal, Place};
use crate::password::{LONGEST, NewPassword, SHORTEST, Unsuitable};
use crate::session::SignedIn;
use crate::sign_in::actor;

#[derive(Template)]
#[template(path = "account_password.html")]
struct ChangePassword<'a> {
    form_token: String,
    email: &'a str,
    shortest: usize,
    longest: usize,
    problem: Option<String>,
}

/// Why a password stays as it is.
#[derive(Debug, thiserror::Error)]
pub(super) enum Kept {
    #[error(transparent)]
    Unsuitable(#[from] Unsuitable),
    #[error("The present password is not right.")]
    Wrong,
    #[error("The password was changed elsewhere at this moment. Try again.")]
    Meanwhile,
    #[error(transparent)]
    Unanswered(#[from] Unanswered),
}

pub(crate) async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    console.password_form(StatusCode::OK, &by, None)
}

pub(crate) async fn change(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    let SignedForm { by, fields } = form;
    let secret = |name| fields.secret(name);
    let changed = console
        .replace_password(&by, secret("current"), secret("password"), &secret("again"))
        .await;
    match changed {
        Ok(()) => back("password"),
        Err(Kept::Unanswered(unanswered)) => PageRefusal::from(unanswered).answer(by.uri()),
        Err(kept) => console.password_form(
            StatusCode::UNPROCESSABLE_ENTITY,
            &by,
            Some(kept.to_string()),
        ),
    }
}

impl Console {
    /// Puts a new password, given twice, in the place of the present one.
    pub(super) async fn replace_password(
        &self,
        by: &SignedIn,
        current: Secret,
        first: Secret,
        again: &Secret,
    ) -> Result<(), Kept> {
        let person = by.person();
        let new = NewPassword::parse(first, again, person.email.as_str())?;
        let old = self.confirms(by, current).await?.ok_or(Kept::Wrong)?;
        let hash = self.hashing.hash(new, &mut SystemRandom).await;
        let hash = hash.map_err(Unanswered::from)?;
        let (actor, kept) = (actor(person, by.address()), &by.session().id);
        let (now, rng) = (by.now(), &mut SystemRandom);
        let changed = self
            .passwords
            .change(person, &old, &hash, kept, &actor, now, rng)
            .await
            .map_err(Unanswered::from)?;
        if changed {
            Ok(())
        } else {
            Err(Kept::Meanwhile)
        }
    }

    fn password_form(
        &self,
        status: StatusCode,
        by: &SignedIn,
        problem: Option<String>,
    ) -> Response {
        let content = ChangePassword {
            form_token: self.form_token(by),
            email: by.person().email.as_str(),
            shortest: SHORTEST,
            longest: LONGEST,
            problem,
        };
        self.page_with(status, by, Place::Account, "Change your password", content)
    }
}
