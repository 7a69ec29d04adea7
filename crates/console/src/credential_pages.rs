//! The pages for API credentials (domain facts, sections 3.1 to 3.3): the list, one credential, and the
//! dialogs, under the names that the real console has for them. Every one works without a script.
//!
//! A secret is in the answer to the form that made it and nowhere else: not in an address, which
//! browsers remember, and not on a page that could be opened again. The rules are in
//! [`crate::credentials::rule`]; nothing here decides who may.

mod change;
mod claims;
mod create;
mod delete;
mod detail;
mod file;
mod issued;
mod list;
mod options;
mod reset;
mod sample;
mod shown;
mod switch;
mod token;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::Path;
use axum::extract::rejection::PathRejection;
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::{get, post};
use hallpass_access::platform::WORKSPACE_UPDATE;
use hallpass_oauth::ApplicationInstanceId;
use hallpass_pages::go;
use hallpass_store::ApplicationInstance;
use hallpass_store::credentials::CredentialError;

use crate::Console;
use crate::form::SignedForm;
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;
use crate::submission::Outcome;

/// Where the pages are.
pub(crate) const CREDENTIALS_PAGE: &str = "/console/credentials";

/// A client id as it came in the address.
type Id = Result<Path<String>, PathRejection>;

pub(crate) fn pages() -> Router<Arc<Console>> {
    let at = |rest: &str| format!("{CREDENTIALS_PAGE}{rest}");
    Router::new()
        .route(CREDENTIALS_PAGE, get(list::show))
        .route(&at("/"), get(list_of_credentials))
        .route("/console", get(list_of_credentials))
        .route("/console/", get(list_of_credentials))
        .route(&at("/new"), get(create::show).post(create::create))
        .route(&at("/sample"), get(sample::choose))
        .route(&at("/{id}"), get(detail::show))
        .route(&at("/{id}/change"), get(change::show).post(change::change))
        .route(&at("/{id}/token"), get(token::show).post(token::issue))
        .route(&at("/{id}/reset"), get(reset::show).post(reset::reset))
        .route(&at("/{id}/delete"), get(delete::show).post(delete::delete))
        .route(
            &at("/{id}/disable"),
            get(switch::show).post(switch::disable),
        )
        .route(&at("/{id}/enable"), post(switch::enable))
        .route(&at("/{id}/sample"), get(sample::show))
        .route(&at("/{id}/file"), post(file::download))
        .method_not_allowed_fallback(crate::start::wrong_method)
}

/// What people type who remember the rest of the address.
async fn list_of_credentials() -> Response {
    go(CREDENTIALS_PAGE)
}

/// What a form says that was done already, or by somebody else meanwhile.
#[derive(Template)]
#[template(path = "credentials/already.html")]
struct Already<'a> {
    title: &'a str,
    words: &'a str,
    /// Where to go on.
    href: String,
    link: &'a str,
}

fn text(id: Id) -> String {
    id.map_or_else(|_| String::new(), |Path(id)| id)
}

/// The page of a credential.
fn page_of(id: &str) -> String {
    format!("{CREDENTIALS_PAGE}/{id}")
}

/// The answer, or the page that says why there is none.
fn answered(by: &SignedIn, outcome: Result<Response, PageRefusal>) -> Response {
    outcome.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

/// A failure that no field of a form is to blame for.
fn refusal(error: CredentialError) -> PageRefusal {
    match error {
        CredentialError::Store(error) => PageRefusal::Store(error),
        CredentialError::NotPermitted => PageRefusal::NoRole,
        CredentialError::Held => PageRefusal::NotPermitted(WORKSPACE_UPDATE),
        // It was there a moment ago, or its owner was.
        _ => PageRefusal::NotFound,
    }
}

impl Console {
    fn instances(&self) -> Vec<Arc<ApplicationInstance>> {
        self.workspaces.instances()
    }

    /// The base URL of a credential's application instance, where this server knows it.
    fn base_url(&self, instance: &ApplicationInstanceId) -> Option<String> {
        if *instance == ApplicationInstanceId::platform() {
            return Some(self.addresses.console.clone());
        }
        let known = self.instances();
        let known = known.iter().find(|known| known.id == *instance)?;
        self.base_url_of(known)
    }

    /// Does once what a form asks for whose answer holds a secret, and says so when it comes again.
    async fn once(
        &self,
        form: Arc<SignedForm>,
        id: &str,
        work: impl Future<Output = Result<Outcome, PageRefusal>> + Send + 'static,
        repeated: Already<'_>,
    ) -> Response {
        let sent = form.clone();
        let work = async move {
            let outcome = work.await;
            outcome.unwrap_or_else(|refusal| Outcome::Nothing(answered(&sent.by, Err(refusal))))
        };
        let by = &form.by;
        let answer = self.submissions.once(by.person().id, id, work).await;
        answer.unwrap_or_else(|| self.already(by, repeated))
    }

    fn already(&self, by: &SignedIn, content: Already<'_>) -> Response {
        let title = content.title;
        self.page_with(StatusCode::CONFLICT, by, Place::Credentials, title, content)
    }
}
