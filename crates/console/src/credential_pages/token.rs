//! *Generate Access Token*: the person types the secret, since the console does not know it, and the
//! authorization server issues the token as it would to the program. *Access Token Created* shows it
//! once.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::{HeaderValue, RETRY_AFTER};
use axum::response::Response;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{AccessToken, TokenError};
use jiff::SignedDuration;

use super::claims::{Explained, explain};
use super::shown::{Shown, in_words};
use super::{Already, Id, answered, page_of, text};
use crate::Console;
use crate::by_hand::ByHand;
use crate::credentials::rule::{Deed, Managed};
use crate::form::SignedForm;
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;
use crate::submission::{Outcome, Submissions};

#[derive(Template)]
#[template(path = "credentials/token.html")]
struct Form {
    credential: Shown,
    single_active: bool,
    problem: Option<String>,
    form_token: String,
    submission: String,
}

#[derive(Template)]
#[template(path = "credentials/token_created.html")]
struct Created<'a> {
    credential: Shown,
    token: &'a str,
    left: String,
    parts: [(&'static str, Vec<Explained>); 2],
}

pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn, id: Id) -> Response {
    let outcome = console.managed(&by, &text(id), Deed::Obtain).await;
    let outcome = outcome.map(|managed| console.token_form(&by, StatusCode::OK, &managed, None));
    answered(&by, outcome)
}

pub(super) async fn issue(
    State(console): State<Arc<Console>>,
    id: Id,
    form: SignedForm,
) -> Response {
    let (id, form) = (text(id), Arc::new(form));
    if let Err(refusal) = console.managed(&form.by, &id, Deed::Obtain).await {
        return answered(&form.by, Err(refusal));
    }
    let (working, sent, credential) = (console.clone(), form.clone(), id.clone());
    let work = Box::pin(async move { working.issue_by_hand(&sent, &credential).await });
    let submission = form.fields.text("submission").to_owned();
    console.once(form, &submission, work, repeated(&id)).await
}

impl Console {
    fn token_form(
        &self,
        by: &SignedIn,
        status: StatusCode,
        managed: &Managed,
        problem: Option<String>,
    ) -> Response {
        let content = Form {
            credential: Shown::new(managed.credential(), &self.instances(), by.now()),
            single_active: self.credentials.limits().single_active,
            problem,
            form_token: self.form_token(by),
            submission: Submissions::id(&mut SystemRandom),
        };
        self.page_with(
            status,
            by,
            Place::Credentials,
            "Generate Access Token",
            content,
        )
    }

    async fn issue_by_hand(&self, form: &SignedForm, id: &str) -> Result<Outcome, PageRefusal> {
        let SignedForm { by, fields } = form;
        let managed = self.managed(by, id, Deed::Obtain).await?;
        let secret = fields.secret("client_secret");
        if secret.expose().trim().is_empty() {
            let problem = "Type the client secret.".to_owned();
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let form = self.token_form(by, status, &managed, Some(problem));
            return Ok(Outcome::Nothing(form));
        }
        let asked = ByHand {
            client_id: managed.client_id().clone(),
            // What is copied often has a blank or a line's end with it.
            client_secret: secret.expose().trim().to_owned().into(),
            address: by.address(),
        };
        Ok(match (self.by_hand)(asked).await {
            Ok(token) => Outcome::Done(self.token_created(by, &managed, &token)),
            Err(error) => Outcome::Nothing(self.no_token(by, &managed, &error)),
        })
    }

    fn token_created(&self, by: &SignedIn, managed: &Managed, token: &AccessToken) -> Response {
        let now = (self.clock)();
        let (header, claims) = explain(token.expose(), now);
        let content = Created {
            credential: Shown::new(managed.credential(), &self.instances(), now),
            token: token.expose(),
            left: in_words(to_the_minute(token.expires_at().duration_since(now))),
            parts: [("Header", header), ("Claims", claims)],
        };
        self.page(by, Place::Credentials, "Access Token Created", content)
    }

    /// The form again, with what the authorization server has said.
    fn no_token(&self, by: &SignedIn, managed: &Managed, error: &TokenError) -> Response {
        let wait = error.retry_after();
        let problem = match wait {
            Some(seconds) if error.status() == 429 => {
                format!("That was tried too often. Try again in {seconds} seconds.")
            }
            _ if error.is_invalid_client() => {
                "That is not the secret of this credential. Copy it again from where you keep it; if it is \
                 lost, reset it."
                    .to_owned()
            }
            _ if error.status() >= 500 => {
                "The authorization server is busy. Wait a moment and try again.".to_owned()
            }
            _ => format!("The authorization server says: {}", error.description()),
        };
        let status = match error.status() {
            429 => StatusCode::TOO_MANY_REQUESTS,
            500.. => StatusCode::SERVICE_UNAVAILABLE,
            _ => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let mut response = self.token_form(by, status, managed, Some(problem));
        if let Some(seconds) = wait {
            let headers = response.headers_mut();
            headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// What is left of a lifetime a moment after it began, as people say it.
fn to_the_minute(left: SignedDuration) -> SignedDuration {
    let minute = SignedDuration::from_mins(1);
    if left < minute {
        return left;
    }
    SignedDuration::from_mins((left + minute / 2).as_mins())
}

fn repeated(id: &str) -> Already<'static> {
    Already {
        title: "This token was created already",
        words: "This form was sent before, and no token was created now. Tokens are not stored: if you need one, \
                generate another.",
        href: format!("{}/token", page_of(id)),
        link: "Generate Access Token",
    }
}
