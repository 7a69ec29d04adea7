//! *Create Credentials*: the form, and the answer to it, which is the only page with the secret.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{ApplicationInstanceId, ScopeSet};
use hallpass_store::credentials::{CredentialError, CredentialLimits, CredentialOptions};
use jiff::{SignedDuration, Timestamp};

use super::shown::InstanceShown;
use super::{Already, CREDENTIALS_PAGE, answered, issued, refusal};
use crate::Console;
use crate::credentials::rule::{Deed, may_create, still_may_create};
use crate::form::{Fields, SignedForm};
use crate::guard::Caller;
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;
use crate::submission::Submissions;

#[derive(Template)]
#[template(path = "credentials/create.html")]
struct Form<'a> {
    instances: Vec<InstanceShown>,
    typed: Typed<'a>,
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
    expires: &'a str,
    lifetime: &'a str,
    scopes: &'a str,
}

/// What is wrong, and with which field.
struct Problem {
    field: &'static str,
    words: String,
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
    let outcome = console.create_from(&form).await;
    answered(&form.by, outcome)
}

impl<'a> Typed<'a> {
    fn of(fields: &'a Fields) -> Self {
        Self {
            instance: fields.text("instance"),
            name: fields.text("name"),
            expires: fields.text("expires"),
            lifetime: fields.text("lifetime"),
            scopes: fields.text("scopes"),
        }
    }

    /// Whether the less common fields are to be seen.
    fn has_more(&self) -> bool {
        [self.expires, self.lifetime, self.scopes]
            .iter()
            .any(|text| !text.is_empty())
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
            .filter(|instance| !by.person().roles_on(&instance.id).is_empty());
        let content = Form {
            instances: accessible
                .map(|instance| instance.as_ref().into())
                .collect(),
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

    async fn create_from(&self, form: &SignedForm) -> Result<Response, PageRefusal> {
        let SignedForm { by, fields } = form;
        let Some(first) = self
            .submissions
            .take(by.person().id, fields.text("submission"))
        else {
            return Ok(self.already(by, repeated()));
        };
        let typed = Typed::of(fields);
        let again = |typed, problem| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            Ok(self.creation_form(by, status, typed, Some(problem)))
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
                first.keep();
                Ok(self.issued_page(by, &made, issued::Occasion::Created))
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
        let expires_at = if typed.expires.is_empty() {
            None
        } else {
            let end = end_of_day(typed.expires)
                .ok_or_else(|| problem("expires", "Write the day as 2027-12-31."))?;
            if end <= now {
                return Err(problem("expires", "That day is over. Choose a later one."));
            }
            Some(end)
        };
        let token_lifetime = if typed.lifetime.is_empty() {
            None
        } else {
            let minutes = typed.lifetime.parse::<i64>().ok().filter(|many| *many > 0);
            let longest = self.credentials.limits().longest_lifetime;
            let lifetime = minutes
                .and_then(|many| many.checked_mul(60))
                .map(SignedDuration::from_secs)
                .filter(|lifetime| *lifetime <= longest);
            let bound = longest.as_mins();
            Some(lifetime.ok_or_else(|| {
                problem("lifetime", &format!("Write whole minutes, 1 to {bound}."))
            })?)
        };
        let scopes = if typed.scopes.is_empty() {
            None
        } else {
            let scopes = ScopeSet::parse(typed.scopes);
            Some(scopes.map_err(|error| problem("scopes", &format!("{error}.")))?)
        };
        Ok(Wanted {
            instance: chosen.id.clone(),
            options: CredentialOptions {
                token_lifetime,
                expires_at,
                scopes,
                ..CredentialOptions::default()
            },
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

fn problem(field: &'static str, words: &str) -> Problem {
    Problem {
        field,
        words: words.to_owned(),
    }
}

/// The field that is to blame, if one is.
fn problem_of(error: CredentialError) -> Result<Problem, CredentialError> {
    let field = match &error {
        CredentialError::NameTaken(_) | CredentialError::BadName(_) => "name",
        CredentialError::UnknownInstance(_) | CredentialError::InstanceOff(_) => "instance",
        CredentialError::Lifetime { .. } => "lifetime",
        CredentialError::ExpiresInThePast => "expires",
        CredentialError::LimitReached(_) => "all",
        _ => return Err(error),
    };
    Ok(Problem {
        field,
        words: sentence(&error.to_string()),
    })
}

/// Messages of the store begin small and end without a stop.
fn sentence(message: &str) -> String {
    let mut letters = message.chars();
    let first: String = letters
        .next()
        .map(|one| one.to_uppercase().collect())
        .unwrap_or_default();
    format!("{first}{}.", letters.as_str())
}

/// The last moment of a day, in UTC.
fn end_of_day(text: &str) -> Option<Timestamp> {
    let midnight: Timestamp = format!("{text}T00:00:00Z").parse().ok()?;
    midnight.checked_add(SignedDuration::from_secs(86_399)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_credential_works_until_the_day_is_over() {
        let end = end_of_day("2027-12-31").unwrap();
        assert_eq!(end.to_string(), "2027-12-31T23:59:59Z");
        for wrong in [
            "",
            "31.12.2027",
            "2027-13-01",
            "2027-12-31T00:00:00Z",
            "tomorrow",
        ] {
            assert_eq!(end_of_day(wrong), None, "{wrong}");
        }
    }
}
