//! *Create Credentials*: the form, and the answer to it, which is the only page with the secret.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_oauth::ApplicationInstanceId;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::credentials::{CredentialLimits, CredentialOptions};
use jiff::Timestamp;

use super::options::{Problem, TypedOptions, problem, problem_of};
use super::shown::InstanceShown;
use super::{Already, CREDENTIALS_PAGE, issued, refusal};
use crate::Console;
use crate::credentials::rule::{Deed, may_create, still_may_create};
use crate::form::{Fields, SignedForm};
use crate::guard::Caller;
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;
use crate::submission::{Outcome, Submissions};

#[derive(Template)]
#[template(path = "credentials/create.html")]
struct Form<'a> {
    instances: Vec<InstanceShown>,
    typed: Typed<'a>,
    options: TypedOptions<'a>,
    problem: Option<Problem>,
    form_token: String,
    submission: String,
    owned: usize,
    limits: CredentialLimits,
}

/// What stands in the fields.
#[derive(Default)]
struct Typed<'a> {
    instance: &'a str,
    name: &'a str,
    options: TypedOptions<'a>,
}

/// What a form asks for, read.
struct Wanted {
    instance: ApplicationInstanceId,
    options: CredentialOptions,
}

pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    console.creation_form(&by, StatusCode::OK, Typed::default(), None)
}

pub(super) async fn create(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    let form = Arc::new(form);
    let (working, sent) = (console.clone(), form.clone());
    let work = Box::pin(async move { working.create_from(&sent).await });
    let id = form.fields.text("submission").to_owned();
    Box::pin(console.once(form, &id, work, repeated())).await
}

impl<'a> Typed<'a> {
    fn of(fields: &'a Fields) -> Self {
        Self {
            instance: fields.text("instance"),
            name: fields.text("name"),
            options: TypedOptions::of(fields),
        }
    }
}

impl Form<'_> {
    fn wrong(&self, field: &str) -> Option<&str> {
        let here = self
            .problem
            .as_ref()
            .filter(|problem| problem.field == field);
        here.map(|problem| problem.words.as_str())
    }

    /// Whether typing begins there: in what is wrong, or in the first field.
    fn begins(&self, field: &str) -> bool {
        let wrong = self.problem.as_ref().map(|problem| problem.field);
        match wrong {
            None | Some("all") => field == "instance",
            Some(wrong) => field == wrong,
        }
    }
}

impl Console {
    fn creation_form(
        &self,
        by: &SignedIn,
        status: StatusCode,
        typed: Typed<'_>,
        problem: Option<Problem>,
    ) -> Response {
        let instances = self.instances();
        let accessible = instances
            .iter()
            .filter(|instance| instance.enabled)
            .filter(|instance| !by.person().roles_on(&instance.id).is_empty());
        let content = Form {
            instances: accessible
                .map(|instance| instance.as_ref().into())
                .collect(),
            options: typed.options,
            typed,
            problem,
            form_token: self.form_token(by),
            submission: Submissions::id(&mut SystemRandom),
            owned: self.credentials.list(Some(by.person().id)).len(),
            limits: self.credentials.limits(),
        };
        self.page_with(
            status,
            by,
            Place::Credentials,
            "Create Credentials",
            content,
        )
    }

    async fn create_from(&self, form: &SignedForm) -> Result<Outcome, PageRefusal> {
        let SignedForm { by, fields } = form;
        let typed = Typed::of(fields);
        let again = |typed, problem| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let form = self.creation_form(by, status, typed, Some(problem));
            Ok(Outcome::Nothing(form))
        };
        let wanted = match self.wanted(&typed, by.now()) {
            Ok(wanted) => wanted,
            Err(problem) => return again(typed, problem),
        };
        let caller = Caller::signed_in(by);
        if let Err(refused) = may_create(&caller, &wanted.instance) {
            let deed = Deed::Change;
            return Err(self
                .page_refusal(&caller, refused, deed, by.uri(), by.now())
                .await);
        }
        let made = self
            .credentials
            .only_if(still_may_create(&caller, &wanted.instance))
            .create_with(
                by.person().id,
                wanted.instance,
                typed.name,
                wanted.options,
                &caller.actor(),
                by.now(),
                &mut SystemRandom,
            )
            .await;
        match made {
            Ok(made) => {
                let page = self.issued_page(by, &made, issued::Occasion::Created);
                Ok(Outcome::Done(page))
            }
            Err(error) => match problem_of(error) {
                Ok(problem) => again(typed, problem),
                Err(error) => Err(refusal(error)),
            },
        }
    }

    fn wanted(&self, typed: &Typed<'_>, now: Timestamp) -> Result<Wanted, Problem> {
        let chosen = self.workspaces.find_instance(typed.instance);
        let chosen = chosen.ok_or_else(|| problem("instance", "Select the application."))?;
        let options = self.options_of(typed.options, now)?;
        Ok(Wanted {
            instance: chosen.id.clone(),
            options,
        })
    }
}

/// What is told when a form comes a second time.
fn repeated() -> Already<'static> {
    Already {
        title: "These credentials were created already",
        words: "This form was sent before, and nothing was created now. The secret was shown then and is \
                not stored: if it is lost, open the credential and reset it.",
        href: CREDENTIALS_PAGE.to_owned(),
        link: "API Client Credentials",
    }
}
