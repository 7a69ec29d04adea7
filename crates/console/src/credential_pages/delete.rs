//! *Delete Credentials*: what it breaks, and the deed.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use hallpass_oauth::random::SystemRandom;

use super::shown::Shown;
use super::{CREDENTIALS_PAGE, Id, answered, refusal, text};
use crate::Console;
use crate::credentials::rule::Deed;
use crate::form::SignedForm;
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;

#[derive(Template)]
#[template(path = "credentials/delete.html")]
struct Confirmation {
    credential: Shown,
    form_token: String,
}

pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn, id: Id) -> Response {
    let outcome = console.managed(&by, &text(id), Deed::Delete).await;
    let outcome = outcome.map(|managed| {
        let content = Confirmation {
            credential: Shown::new(managed.credential(), &console.instances(), by.now()),
            form_token: console.form_token(&by),
        };
        console.page(&by, Place::Credentials, "Delete Credentials", content)
    });
    answered(&by, outcome)
}

pub(super) async fn delete(
    State(console): State<Arc<Console>>,
    id: Id,
    form: SignedForm,
) -> Response {
    let outcome = console.delete_from(&form, &text(id)).await;
    answered(&form.by, outcome)
}

impl Console {
    async fn delete_from(&self, form: &SignedForm, id: &str) -> Result<Response, PageRefusal> {
        let by = &form.by;
        let managed = self.managed(by, id, Deed::Delete).await?;
        let client_id = managed.client_id().as_str();
        self.credentials
            .delete(client_id, managed.actor(), by.now(), &mut SystemRandom)
            .await
            .map_err(refusal)?;
        let own = managed.credential().owner == by.person().id;
        let everybody = format!("{CREDENTIALS_PAGE}?owner=all");
        let words = format!("{} is deleted.", managed.credential().name);
        let next = if own { CREDENTIALS_PAGE } else { &everybody };
        Ok(self.done(by, next, words))
    }
}
