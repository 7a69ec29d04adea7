//! *Reset Client Secret*: what it breaks first, then the new secret. The form names the secret that the
//! new one takes over from, so that it does nothing when it is sent a second time.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::credentials::{CredentialError, Renewal};
use jiff::SignedDuration;

use super::issued::Occasion;
use super::shown::{Shown, in_words};
use super::{Already, Id, answered, page_of, refusal, text};
use crate::Console;
use crate::credentials::rule::{Deed, Managed};
use crate::form::SignedForm;
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;
use crate::submission::Outcome;

/// Overlaps that are offered, as far as the service allows them.
const OVERLAPS: [i64; 4] = [3_600, 86_400, 7 * 86_400, 30 * 86_400];

#[derive(Template)]
#[template(path = "credentials/reset.html")]
struct Form {
    credential: Shown,
    problem: Option<String>,
    form_token: String,
    /// The id of the newest secret, which is not secret itself.
    instead_of: String,
    /// Seconds and words.
    overlaps: Vec<(i64, String)>,
    chosen: i64,
}

pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn, id: Id) -> Response {
    let outcome = console.managed(&by, &text(id), Deed::Obtain).await;
    let outcome = outcome.map(|managed| console.reset_form(&by, StatusCode::OK, &managed, 0, None));
    answered(&by, outcome)
}

pub(super) async fn reset(
    State(console): State<Arc<Console>>,
    id: Id,
    form: SignedForm,
) -> Response {
    let (id, form) = (text(id), Arc::new(form));
    if let Err(refusal) = console.managed(&form.by, &id, Deed::Obtain).await {
        return answered(&form.by, Err(refusal));
    }
    let (working, sent, credential) = (console.clone(), form.clone(), id.clone());
    let work = Box::pin(async move { working.reset_from(&sent, &credential).await });
    // The secret that the new one takes over from names the form.
    let instead_of = form.fields.text("instead_of").to_owned();
    Box::pin(console.once(form, &instead_of, work, repeated(&id))).await
}

impl Console {
    fn reset_form(
        &self,
        by: &SignedIn,
        status: StatusCode,
        managed: &Managed,
        chosen: i64,
        problem: Option<String>,
    ) -> Response {
        let credential = managed.credential();
        let longest = self.credentials.limits().longest_overlap.as_secs();
        let offered = OVERLAPS.into_iter().filter(|seconds| *seconds <= longest);
        let newest = credential.secrets.last();
        let content = Form {
            credential: Shown::new(credential, &self.instances(), by.now()),
            problem,
            form_token: self.form_token(by),
            instead_of: newest.map_or_else(String::new, |secret| secret.id.clone()),
            overlaps: offered
                .map(|seconds| (seconds, in_words(SignedDuration::from_secs(seconds))))
                .collect(),
            chosen,
        };
        self.page_with(
            status,
            by,
            Place::Credentials,
            "Reset Client Secret",
            content,
        )
    }

    async fn reset_from(&self, form: &SignedForm, id: &str) -> Result<Outcome, PageRefusal> {
        let SignedForm { by, fields } = form;
        let managed = self.managed(by, id, Deed::Obtain).await?;
        let again = |chosen, words: String| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let form = self.reset_form(by, status, &managed, chosen, Some(words));
            Ok(Outcome::Nothing(form))
        };
        let Ok(seconds) = fields.text("overlap").parse::<i64>() else {
            return again(0, "Choose when the old secret ends.".to_owned());
        };
        let renewal = Renewal {
            overlap: (seconds != 0).then(|| SignedDuration::from_secs(seconds)),
            instead_of: Some(fields.text("instead_of").to_owned()),
        };
        let occasion = match renewal.overlap {
            Some(_) => Occasion::SecondSecret,
            None => Occasion::Reset,
        };
        let renewed = self
            .credentials
            .renew(
                managed.client_id().as_str(),
                renewal,
                managed.actor(),
                by.now(),
                &mut SystemRandom,
            )
            .await;
        match renewed {
            Ok(issued) => Ok(Outcome::Done(self.issued_page(by, &issued, occasion))),
            Err(CredentialError::SecretChanged) => {
                Ok(Outcome::Nothing(self.already(by, repeated(id))))
            }
            Err(CredentialError::TwoSecrets) => again(
                seconds,
                "Two secrets are alive already. Wait until the old one has ended, or let both end at once.".to_owned(),
            ),
            Err(error @ (CredentialError::Overlap(_) | CredentialError::NoSecret)) => {
                again(0, error.to_string())
            }
            Err(error) => Err(refusal(error)),
        }
    }
}

fn repeated(id: &str) -> Already<'static> {
    Already {
        title: "The secret was reset already",
        words: "This form was sent before, or somebody else was quicker. Nothing was changed now. The new secret was \
                shown then and is not stored: if it is lost, reset it again.",
        href: page_of(id),
        link: "Show the credential",
    }
}
