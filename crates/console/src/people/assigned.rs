//! The page of one person: what they are and where, with everything that can be done about it.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_access::platform::{WORKSPACE_DELETE, WORKSPACE_READ, WORKSPACE_UPDATE};
use hallpass_oauth::ApplicationInstanceId;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::people::{Assignment, PersonError};
use hallpass_store::{Person, PersonId};

use super::{USERS_PAGE, UnknownInstance};
use crate::Console;
use crate::form::{Fields, SignedForm};
use crate::guard::Permitted;
use crate::in_path::InPath;
use crate::page::{PageRefusal, Place};
use crate::sentence::sentence;
use crate::session::SignedIn;
use crate::time::Shown;

#[derive(Template)]
#[template(path = "user.html")]
struct User {
    form_token: String,
    id: String,
    email: String,
    state: &'static str,
    enabled: bool,
    /// It is whoever looks at the page.
    is_oneself: bool,
    may_change: bool,
    may_remove: bool,
    /// They may do more than whoever looks, who then takes nothing from them.
    above: Option<String>,
    added: Option<Shown>,
    last_sign_in: Option<Shown>,
    second_factor: bool,
    credentials: usize,
    problem: Option<String>,
    assigned: Vec<Assigned>,
    roles: Vec<(String, String, bool)>,
    instances: Vec<(String, String, bool)>,
}

struct Assigned {
    role: String,
    role_name: String,
    instance: String,
    instance_title: String,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    by: SignedIn,
) -> Response {
    let page = async {
        let permitted = console.permit_person(&by, WORKSPACE_READ).await?;
        let person = console.person_for(&permitted, &id)?;
        console.user_page(StatusCode::OK, &by, person, None).await
    };
    let page: Result<Response, PageRefusal> = page.await;
    page.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

pub(super) async fn assign(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    form: SignedForm,
) -> Response {
    let SignedForm { by, fields } = form;
    let outcome = console.change_assigned(&by, &id, &fields, true).await;
    outcome.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

pub(super) async fn take_away(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    form: SignedForm,
) -> Response {
    let SignedForm { by, fields } = form;
    let outcome = console.change_assigned(&by, &id, &fields, false).await;
    outcome.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

impl Console {
    /// The person of that id, for whoever may ask.
    pub(super) fn person_for(
        &self,
        permitted: &Permitted,
        id: &str,
    ) -> Result<Person, PageRefusal> {
        let person = self.user_of(permitted.workspace(), id);
        person.ok_or(PageRefusal::NotFound)
    }

    /// The page of a person, with what was wrong when something was asked for there.
    pub(super) async fn user_page(
        &self,
        status: StatusCode,
        by: &SignedIn,
        person: Person,
        problem: Option<String>,
    ) -> Result<Response, PageRefusal> {
        let is_oneself = person.id == by.person().id;
        let entry = self.entry_of(person).await?;
        let (person, facts) = (&entry.person, entry.facts);
        let assigned = person.roles.iter().map(|(instance, role)| Assigned {
            role: role.key().to_string(),
            role_name: role.to_string(),
            instance: instance_value(instance.as_ref()),
            instance_title: self.instance_title(instance.as_ref()),
        });
        let content = User {
            form_token: self.form_token(by),
            id: person.id.to_string(),
            email: person.email.to_string(),
            state: entry.state().as_str(),
            enabled: person.enabled,
            is_oneself,
            may_change: by.roles().permits(&WORKSPACE_UPDATE),
            may_remove: by.roles().permits(&WORKSPACE_DELETE),
            above: self.above(by.person().id, person.id),
            added: facts.map(|facts| Shown(facts.created_at)),
            last_sign_in: facts.and_then(|facts| facts.last_sign_in_at).map(Shown),
            second_factor: entry.has_second_factor(),
            credentials: entry.credentials,
            problem,
            assigned: assigned.collect(),
            roles: self.role_choices(&person.workspace, ""),
            instances: self.instance_choices(&["all"]),
        };
        let title = person.email.to_string();
        Ok(self.page_with(status, by, Place::Users, &title, content))
    }

    /// What a person may do that somebody else may not.
    fn above(&self, by: PersonId, person: PersonId) -> Option<String> {
        match self.people.may_stop(by, person) {
            Err(PersonError::Above(more)) => Some(more.to_string()),
            Ok(()) | Err(_) => None,
        }
    }

    async fn change_assigned(
        &self,
        by: &SignedIn,
        id: &str,
        fields: &Fields,
        give: bool,
    ) -> Result<Response, PageRefusal> {
        let permitted = self.permit_person(by, WORKSPACE_UPDATE).await?;
        let person = self.person_for(&permitted, id)?;
        let unprocessable = StatusCode::UNPROCESSABLE_ENTITY;
        let (instance, role) = match self.chosen_assignment(&person, fields) {
            Ok(chosen) => chosen,
            Err(problem) => {
                let problem = Some(problem.to_owned());
                return self.user_page(unprocessable, by, person, problem).await;
            }
        };
        let (actor, now, rng) = (permitted.actor(), by.now(), &mut SystemRandom);
        let people = self.people.given_by(permitted.owner());
        let outcome = if give {
            let given = people.assign(person.id, instance, role, &actor, now, rng);
            given.await
        } else {
            let taken = people.revoke(person.id, instance, role, &actor, now, rng);
            taken.await
        };
        match outcome {
            // Or it was taken away meanwhile, which is what was asked for.
            Ok(_) | Err(PersonError::NotAssigned { .. }) => {
                let words = format!("The roles of {} are changed.", person.email);
                let next = format!("{USERS_PAGE}/{}", person.id);
                Ok(self.done(by, &next, words))
            }
            Err(
                error @ (PersonError::LastAdministrator(_)
                | PersonError::Beyond(_)
                | PersonError::Above(_)),
            ) => {
                let problem = Some(sentence(&error));
                self.user_page(unprocessable, by, person, problem).await
            }
            Err(error) => Err(error.into()),
        }
    }

    fn chosen_assignment(
        &self,
        person: &Person,
        fields: &Fields,
    ) -> Result<Assignment, &'static str> {
        let role = self
            .custom_roles
            .find(fields.text("role"), &person.workspace);
        let role = role.ok_or("Choose one of the roles.")?;
        let instance = self.instance_meant(fields.text("instance"));
        let instance =
            instance.map_err(|UnknownInstance| "Choose one of the application instances.")?;
        Ok((instance.map(|known| known.id.clone()), role.key()))
    }
}

/// What names an instance in a form.
fn instance_value(instance: Option<&ApplicationInstanceId>) -> String {
    instance.map_or_else(|| "all".to_owned(), ToString::to_string)
}
