//! The dialog *Invite user*, and the one-time link that comes of it. The link is in the answer to the
//! form and nowhere else.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_access::Role;
use hallpass_access::name::{BadName, seen};
use hallpass_access::platform::WORKSPACE_UPDATE;
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{Secret, Subject, WorkspaceId};
use hallpass_store::people::{Assignments, PersonError};
use hallpass_store::{Person, StoreError};

use super::UnknownInstance;
use crate::Console;
use crate::form::{Fields, SignedForm};
use crate::page::{PageRefusal, Place};
use crate::sentence::sentence;
use crate::session::SignedIn;

#[derive(Template)]
#[template(path = "user_new.html")]
struct Invite {
    form_token: String,
    email: String,
    problem: Option<String>,
    /// Value, name and whether it is chosen.
    roles: Vec<(String, String, bool)>,
    /// Value, title and whether it is ticked.
    instances: Vec<(String, String, bool)>,
}

#[derive(Template)]
#[template(path = "user_link.html")]
pub(super) struct Link {
    pub(super) id: String,
    pub(super) email: String,
    pub(super) url: String,
    /// Whether they were just invited; otherwise they got a new link.
    pub(super) invited: bool,
}

/// What was typed.
struct Typed<'a> {
    email: &'a str,
    role: &'a str,
    instances: Vec<&'a str>,
}

pub(super) async fn ask(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    let typed = Typed {
        email: "",
        role: "observer",
        instances: vec!["all"],
    };
    match console.permit_person(&by, WORKSPACE_UPDATE).await {
        Ok(_) => console.invite_form(StatusCode::OK, &by, &typed, None),
        Err(refusal) => refusal.answer(by.uri()),
    }
}

pub(super) async fn invite(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    let SignedForm { by, fields } = form;
    let typed = Typed::of(&fields);
    match console.invite_typed(&by, &typed).await {
        Ok(Ok((person, secret))) => {
            let link = Link {
                id: person.id.to_string(),
                email: person.email.to_string(),
                url: console.setup_url(&secret),
                invited: true,
            };
            console.page(&by, Place::Users, "User invited", link)
        }
        Ok(Err(problem)) => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            console.invite_form(status, &by, &typed, Some(problem))
        }
        Err(refusal) => refusal.answer(by.uri()),
    }
}

/// Why a text is no e-mail address to know somebody by.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadEmail {
    /// One that reads otherwise than it is could stand for somebody else in lists.
    #[error("the e-mail address {0}")]
    Unseen(#[from] BadName),
    #[error("type an e-mail address, such as ann@example.com")]
    Other,
}

/// The e-mail address that somebody can be known by.
pub(crate) fn email_of_somebody(text: &str) -> Result<Subject, BadEmail> {
    seen(text)?;
    let email = Subject::parse(text).ok().filter(|_| text.contains('@'));
    email.ok_or(BadEmail::Other)
}

impl<'a> Typed<'a> {
    fn of(fields: &'a Fields) -> Self {
        Self {
            email: fields.text("email"),
            role: fields.text("role"),
            instances: fields.all("instance").collect(),
        }
    }
}

impl Console {
    /// Invites somebody, or says what is wrong with what was typed.
    async fn invite_typed(
        &self,
        by: &SignedIn,
        typed: &Typed<'_>,
    ) -> Result<Result<(Person, Secret), String>, PageRefusal> {
        let permitted = self.permit_person(by, WORKSPACE_UPDATE).await?;
        let workspace = permitted.workspace();
        let email = match email_of_somebody(typed.email) {
            Ok(email) => email,
            Err(problem) => return Ok(Err(sentence(&problem))),
        };
        let roles = match self.typed_roles(typed, workspace) {
            Ok(roles) => roles,
            Err(problem) => return Ok(Err(problem)),
        };
        let (actor, rng) = (permitted.actor(), &mut SystemRandom);
        let invited = self
            .people
            .given_by(permitted.owner())
            .invite(workspace, email, roles, &actor, by.now(), rng)
            .await;
        match invited {
            Err(PersonError::Store(error)) => Err(error.into()),
            other => Ok(other.map_err(|error| sentence(&error))),
        }
    }

    fn typed_roles(
        &self,
        typed: &Typed<'_>,
        workspace: &WorkspaceId,
    ) -> Result<Assignments, String> {
        if typed.role.is_empty() {
            return Ok(Assignments::default());
        }
        let role = self.custom_roles.find(typed.role, workspace);
        let role = role.ok_or("Choose one of the roles.")?;
        if typed.instances.is_empty() {
            return Err("Choose where the role holds: at least one instance.".to_owned());
        }
        let instances = typed.instances.iter().map(|word| {
            let known = self.instance_meant(word);
            let known = known.map_err(|UnknownInstance| "Choose instances from the list.")?;
            Ok((known.map(|instance| instance.id.clone()), role.key()))
        });
        instances.collect()
    }

    fn invite_form(
        &self,
        status: StatusCode,
        by: &SignedIn,
        typed: &Typed<'_>,
        problem: Option<String>,
    ) -> Response {
        let content = Invite {
            form_token: self.form_token(by),
            email: typed.email.to_owned(),
            problem,
            roles: self.role_choices(&by.person().workspace, typed.role),
            instances: self.instance_choices(&typed.instances),
        };
        self.page_with(status, by, Place::Users, "Invite user", content)
    }

    /// The roles that can be assigned: value, name, and whether it is the chosen one.
    pub(super) fn role_choices(
        &self,
        workspace: &WorkspaceId,
        chosen: &str,
    ) -> Vec<(String, String, bool)> {
        let built_in = Role::ALL.map(|role| (role.to_string(), role.to_string()));
        let own = self.custom_roles.list(workspace);
        let own = own
            .iter()
            .map(|role| (role.id.to_string(), role.role.name().to_owned()));
        let all = built_in.into_iter().chain(own);
        all.map(|(id, name)| {
            let is_chosen = id == chosen;
            (id, name, is_chosen)
        })
        .collect()
    }

    /// Where a role can hold: value, title, and whether it is ticked.
    pub(super) fn instance_choices(&self, ticked: &[&str]) -> Vec<(String, String, bool)> {
        let every = ("all".to_owned(), self.instance_title(None));
        let instances = self.workspaces.instances();
        let instances = instances
            .iter()
            .map(|one| (one.name.clone(), one.title.clone()));
        let all = [every].into_iter().chain(instances);
        all.map(|(value, title)| {
            let is_ticked = ticked.contains(&value.as_str());
            (value, title, is_ticked)
        })
        .collect()
    }
}

impl From<PersonError> for PageRefusal {
    fn from(error: PersonError) -> Self {
        match error {
            PersonError::Store(error) => Self::Store(error),
            PersonError::Unknown(_) | PersonError::UnknownWorkspace(_) => Self::NotFound,
            other => Self::Store(StoreError::NotWritten(other.to_string())),
        }
    }
}
