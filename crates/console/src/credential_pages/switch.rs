//! Switching a credential off, after a page that says what that breaks, and on again.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::credentials::CredentialChange;

use super::shown::Shown;
use super::{Id, answered, page_of, refusal, text};
use crate::Console;
use crate::credentials::rule::Deed;
use crate::form::SignedForm;
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;

#[derive(Template)]
#[template(path = "credentials/disable.html")]
struct Confirmation {
    credential: Shown,
    form_token: String,
}

pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn, id: Id) -> Response {
    let outcome = console.managed(&by, &text(id), Deed::SwitchOff).await;
    let outcome = outcome.map(|managed| {
        let content = Confirmation {
            credential: Shown::new(managed.credential(), &console.instances(), by.now()),
            form_token: console.form_token(&by),
        };
        console.page(&by, Place::Credentials, "Disable Credentials", content)
    });
    answered(&by, outcome)
}

pub(super) async fn disable(
    State(console): State<Arc<Console>>,
    id: Id,
    form: SignedForm,
) -> Response {
    let outcome = console.switch_credential(&form, &text(id), false).await;
    answered(&form.by, outcome)
}

pub(super) async fn enable(
    State(console): State<Arc<Console>>,
    id: Id,
    form: SignedForm,
) -> Response {
    let outcome = console.switch_credential(&form, &text(id), true).await;
    answered(&form.by, outcome)
}

impl Console {
    async fn switch_credential(
        &self,
        form: &SignedForm,
        id: &str,
        on: bool,
    ) -> Result<Response, PageRefusal> {
        let by = &form.by;
        let deed = if on { Deed::Change } else { Deed::SwitchOff };
        let managed = self.managed(by, id, deed).await?;
        let client_id = managed.client_id().as_str();
        // What is as it should be is left alone: no row in the audit log for nothing.
        if managed.credential().enabled != on {
            let change = CredentialChange {
                enabled: Some(on),
                ..CredentialChange::default()
            };
            self.credentials
                .change(
                    client_id,
                    change,
                    managed.actor(),
                    by.now(),
                    &mut SystemRandom,
                )
                .await
                .map_err(refusal)?;
        }
        let word = if on { "enabled" } else { "disabled" };
        let words = format!("{} is {word}.", managed.credential().name);
        Ok(self.done(by, &page_of(client_id), words))
    }
}
