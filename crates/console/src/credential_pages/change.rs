//! Changing a credential: when it expires, how long its tokens live, which scopes it may ask for. What is
//! left as it stood is not written anew.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_oauth::random::SystemRandom;
use hallpass_pages::go;
use hallpass_store::Credential;
use hallpass_store::credentials::CredentialChange;

use super::options::{Problem, TypedOptions, problem_of};
use super::shown::Shown;
use super::{Id, answered, page_of, refusal, text};
use crate::Console;
use crate::credentials::rule::{Deed, Managed};
use crate::form::SignedForm;
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;

#[derive(Template)]
#[template(path = "credentials/change.html")]
struct Form<'a> {
    credential: Shown,
    options: TypedOptions<'a>,
    problem: Option<Problem>,
    form_token: String,
}

/// What the fields show before anybody types.
struct Present {
    expires: String,
    lifetime: String,
    scopes: String,
}

pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn, id: Id) -> Response {
    let outcome = console.managed(&by, &text(id), Deed::Change).await;
    let outcome = outcome.map(|managed| {
        let present = Present::of(managed.credential());
        let options = present.fields();
        console.change_form(&by, StatusCode::OK, &managed, options, None)
    });
    answered(&by, outcome)
}

pub(super) async fn change(
    State(console): State<Arc<Console>>,
    id: Id,
    form: SignedForm,
) -> Response {
    let outcome = console.change_from(&form, &text(id)).await;
    answered(&form.by, outcome)
}

impl Form<'_> {
    fn wrong(&self, field: &str) -> Option<&str> {
        let here = self.problem.iter().find(|problem| problem.field == field);
        here.map(|problem| problem.words.as_str())
    }

    /// Whether typing begins there: in what is wrong, or in the first field.
    fn begins(&self, field: &str) -> bool {
        let wrong = self.problem.as_ref().map(|problem| problem.field);
        field == wrong.unwrap_or("expires")
    }
}

impl Present {
    fn of(credential: &Credential) -> Self {
        let seconds = credential.token_lifetime.as_secs();
        let end = credential.expires_at;
        let scopes = credential.scopes.as_ref();
        Self {
            expires: end.map_or_else(String::new, |end| end.strftime("%Y-%m-%d").to_string()),
            // The form takes whole minutes; programs may have set others, which stay as they are.
            lifetime: if seconds % 60 == 0 {
                (seconds / 60).to_string()
            } else {
                String::new()
            },
            scopes: scopes.map_or_else(String::new, ToString::to_string),
        }
    }

    fn fields(&self) -> TypedOptions<'_> {
        TypedOptions {
            expires: &self.expires,
            lifetime: &self.lifetime,
            scopes: &self.scopes,
        }
    }
}

impl Console {
    fn change_form(
        &self,
        by: &SignedIn,
        status: StatusCode,
        managed: &Managed,
        options: TypedOptions<'_>,
        problem: Option<Problem>,
    ) -> Response {
        let content = Form {
            credential: Shown::new(managed.credential(), &self.instances(), by.now()),
            options,
            problem,
            form_token: self.form_token(by),
        };
        let title = "Change Credentials";
        self.page_with(status, by, Place::Credentials, title, content)
    }

    async fn change_from(&self, form: &SignedForm, id: &str) -> Result<Response, PageRefusal> {
        let SignedForm { by, fields } = form;
        let managed = self.managed(by, id, Deed::Change).await?;
        let typed = TypedOptions::of(fields);
        let again = |problem| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(self.change_form(by, status, &managed, typed, Some(problem)))
        };
        let present = Present::of(managed.credential());
        let present = present.fields();
        // A day that is over is no mistake where it stood before.
        let differs = |now, before| if now == before { "" } else { now };
        let changed = TypedOptions {
            expires: differs(typed.expires, present.expires),
            lifetime: differs(typed.lifetime, present.lifetime),
            scopes: differs(typed.scopes, present.scopes),
        };
        let wanted = match self.options_of(changed, by.now()) {
            Ok(wanted) => wanted,
            Err(problem) => return again(problem),
        };
        let change = CredentialChange {
            expires_at: (typed.expires != present.expires).then_some(wanted.expires_at),
            token_lifetime: (typed.lifetime != present.lifetime).then_some(wanted.token_lifetime),
            scopes: (typed.scopes != present.scopes).then_some(wanted.scopes),
            ..CredentialChange::default()
        };
        let id = managed.client_id().as_str();
        if typed == present {
            return Ok(go(&page_of(id)));
        }
        let (actor, rng) = (managed.actor(), &mut SystemRandom);
        let changed = self.credentials.change(id, change, actor, by.now(), rng);
        match changed.await {
            Ok(changed) => {
                let words = format!("{} is changed.", changed.name);
                Ok(self.done(by, &page_of(id), words))
            }
            Err(error) => match problem_of(error) {
                Ok(problem) => again(problem),
                Err(error) => Err(refusal(error)),
            },
        }
    }
}
