//! Changing one's password. It asks for the present one, and ends the other sessions: whoever has them
//! may have known it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_oauth::random::SystemRandom;

use super::back;
use crate::Console;
use crate::form::{Fields, SignedForm};
use crate::page::{PageRefusal, Place};
use crate::password::{LONGEST, NewPassword, SHORTEST};
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

pub(crate) async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    console.password_form(StatusCode::OK, &by, None)
}

pub(crate) async fn change(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    let SignedForm { by, fields } = form;
    match console.change_password(&by, &fields).await {
        Ok(None) => back("password"),
        Ok(problem) => console.password_form(StatusCode::UNPROCESSABLE_ENTITY, &by, problem),
        Err(refusal) => refusal.answer(by.uri()),
    }
}

impl Console {
    /// What is wrong with what was typed, or nothing and the password is changed.
    async fn change_password(
        &self,
        by: &SignedIn,
        fields: &Fields,
    ) -> Result<Option<String>, PageRefusal> {
        let person = by.person();
        let (first, again) = (fields.secret("password"), fields.secret("again"));
        let new = match NewPassword::parse(first, &again, person.email.as_str()) {
            Ok(new) => new,
            Err(problem) => return Ok(Some(problem.to_string())),
        };
        let Some(old) = self.confirms(by, fields.secret("current")).await? else {
            return Ok(Some("The present password is not right.".to_owned()));
        };
        let hash = self.hashing.hash(new, &mut SystemRandom).await?;
        let (actor, kept) = (actor(person, by.address()), &by.session().id);
        let changed = self
            .passwords
            .change(
                person,
                &old,
                &hash,
                kept,
                &actor,
                by.now(),
                &mut SystemRandom,
            )
            .await?;
        let meanwhile = "The password was changed elsewhere at this moment. Try again.";
        Ok((!changed).then(|| meanwhile.to_owned()))
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
