//! What can be done to a person: a new link, disabled and enabled, removed. What takes something
//! away is asked once more, on a page that says what goes.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_access::platform::{WORKSPACE_DELETE, WORKSPACE_UPDATE};
use hallpass_oauth::random::SystemRandom;
use hallpass_store::people::PersonError;
use hallpass_store::{Person, PersonId};
use jiff::{SignedDuration, Timestamp};

use super::USERS_PAGE;
use super::invite::Link;
use crate::Console;
use crate::form::SignedForm;
use crate::guard::Permitted;
use crate::in_path::InPath;
use crate::page::{PageRefusal, Place};
use crate::sentence::sentence;
use crate::session::SignedIn;

/// How far back a use of a credential still says that something depends on it.
const RECENTLY: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The dialog before something of a person is taken away.
#[derive(Template)]
#[template(path = "user_confirm.html")]
struct Confirm {
    form_token: String,
    id: String,
    email: String,
    removes: bool,
    credentials: usize,
    used_recently: usize,
}

pub(super) async fn new_link(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    form: SignedForm,
) -> Response {
    let SignedForm { by, .. } = form;
    let page = console.new_link_page(&by, &id).await;
    page.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

pub(super) async fn enable(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    form: SignedForm,
) -> Response {
    console.switch_user(form.by, &id, true).await
}

pub(super) async fn disable(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    form: SignedForm,
) -> Response {
    console.switch_user(form.by, &id, false).await
}

pub(super) async fn ask_to_disable(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    by: SignedIn,
) -> Response {
    let page = console.user_confirm_page(&by, &id, false).await;
    page.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

pub(super) async fn ask_to_remove(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    by: SignedIn,
) -> Response {
    let page = console.user_confirm_page(&by, &id, true).await;
    page.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

pub(super) async fn remove(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    form: SignedForm,
) -> Response {
    let SignedForm { by, .. } = form;
    let outcome = console.remove_person(&by, &id).await;
    outcome.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

impl Console {
    async fn new_link_page(&self, by: &SignedIn, id: &str) -> Result<Response, PageRefusal> {
        let permitted = self.permit_person(by, WORKSPACE_UPDATE).await?;
        let person = self.person_for(&permitted, id)?;
        if !person.enabled {
            let problem = "Enable this person before you make a link for them.".to_owned();
            return self.user_refused(by, person, problem).await;
        }
        if person.id == permitted.owner() {
            let problem = "Nobody makes a set-up link for themselves. Change your password on the \
                           page of your account.";
            return self.user_refused(by, person, problem.to_owned()).await;
        }
        if let Err(error) = self.people.may_stand_in(permitted.owner(), person.id) {
            return self.user_done(by, person, Err(error), USERS_PAGE).await;
        }
        let secret = self
            .setup_links
            .issue(person.id, &permitted.actor(), by.now(), &mut SystemRandom)
            .await?;
        let link = Link {
            id: person.id.to_string(),
            email: person.email.to_string(),
            url: self.setup_url(&secret),
            invited: false,
        };
        Ok(self.page(by, Place::Users, "New set-up link", link))
    }

    async fn user_confirm_page(
        &self,
        by: &SignedIn,
        id: &str,
        removes: bool,
    ) -> Result<Response, PageRefusal> {
        let permission = if removes {
            WORKSPACE_DELETE
        } else {
            WORKSPACE_UPDATE
        };
        let permitted = self.permit_person(by, permission).await?;
        let person = self.person_for(&permitted, id)?;
        if let Some(problem) = to_oneself(&permitted, &person) {
            return self.user_refused(by, person, problem).await;
        }
        if let Err(error) = self.people.may_stop(permitted.owner(), person.id) {
            return self.user_done(by, person, Err(error), USERS_PAGE).await;
        }
        let (credentials, used_recently) = self.credentials_counted(person.id, by.now());
        let content = Confirm {
            form_token: self.form_token(by),
            id: person.id.to_string(),
            email: person.email.to_string(),
            removes,
            credentials,
            used_recently,
        };
        let title = if removes {
            "Remove user"
        } else {
            "Disable user"
        };
        Ok(self.page(by, Place::Users, title, content))
    }

    /// How many credentials a person has, and how many of them got a token lately.
    fn credentials_counted(&self, person: PersonId, now: Timestamp) -> (usize, usize) {
        let credentials = self.credentials.list(Some(person));
        let used = credentials.iter().filter(|credential| {
            let at = credential.last_used_at;
            at.is_some_and(|at| now.duration_since(at) <= RECENTLY)
        });
        (credentials.len(), used.count())
    }

    async fn switch_user(&self, by: SignedIn, id: &str, enabled: bool) -> Response {
        let outcome = async {
            let permitted = self.permit_person(&by, WORKSPACE_UPDATE).await?;
            let person = self.person_for(&permitted, id)?;
            if let Some(problem) = to_oneself(&permitted, &person).filter(|_| !enabled) {
                return self.user_refused(&by, person, problem).await;
            }
            let (actor, rng) = (permitted.actor(), &mut SystemRandom);
            let changed = self
                .people
                .given_by(permitted.owner())
                .set_enabled(person.id, enabled, &actor, by.now(), rng)
                .await;
            let back = format!("{USERS_PAGE}/{}", person.id);
            let word = if enabled { "enabled" } else { "disabled" };
            let said = format!("{} is {word}.", person.email);
            let done = changed.map(|_| said);
            self.user_done(&by, person, done, &back).await
        };
        let outcome: Result<Response, PageRefusal> = outcome.await;
        outcome.unwrap_or_else(|refusal| refusal.answer(by.uri()))
    }

    async fn remove_person(&self, by: &SignedIn, id: &str) -> Result<Response, PageRefusal> {
        let permitted = self.permit_person(by, WORKSPACE_DELETE).await?;
        let person = self.person_for(&permitted, id)?;
        if let Some(problem) = to_oneself(&permitted, &person) {
            return self.user_refused(by, person, problem).await;
        }
        let (actor, rng) = (permitted.actor(), &mut SystemRandom);
        let people = self.people.given_by(permitted.owner());
        let removed = people.remove(person.id, &actor, by.now(), rng).await;
        let done = removed.map(|()| format!("{} is removed.", person.email));
        self.user_done(by, person, done, USERS_PAGE).await
    }

    /// On to the next page with what was done, or back to the person's with what was wrong.
    pub(super) async fn user_done(
        &self,
        by: &SignedIn,
        person: Person,
        outcome: Result<String, PersonError>,
        next: &str,
    ) -> Result<Response, PageRefusal> {
        match outcome {
            Ok(said) => Ok(self.done(by, next, said)),
            Err(
                error @ (PersonError::LastAdministrator(_)
                | PersonError::Beyond(_)
                | PersonError::Above(_)),
            ) => self.user_refused(by, person, sentence(&error)).await,
            Err(error) => Err(error.into()),
        }
    }

    pub(super) async fn user_refused(
        &self,
        by: &SignedIn,
        person: Person,
        problem: String,
    ) -> Result<Response, PageRefusal> {
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        self.user_page(status, by, person, Some(problem)).await
    }
}

fn to_oneself(permitted: &Permitted, person: &Person) -> Option<String> {
    let why = "Nobody can remove or disable themselves. Ask another administrator.";
    (permitted.owner() == person.id).then(|| why.to_owned())
}
