//! The page of one role, which is a form where it may be changed: name, description, and a box for
//! each permission. *Find* shows the form again with fewer lines, and nothing typed is lost.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_access::platform::{WORKSPACE_READ, WORKSPACE_UPDATE};
use hallpass_access::{CustomRole, PermissionSet};
use hallpass_oauth::random::SystemRandom;
use hallpass_store::roles::{AssignedRole, RoleError, RoleId};

use super::grid::Line;
use super::{Known, ROLES_PAGE};
use crate::Console;
use crate::form::{Fields, SignedForm};
use crate::in_path::InPath;
use crate::page::{PageRefusal, Place};
use crate::sentence::sentence;
use crate::session::SignedIn;

#[derive(Template)]
#[template(path = "role.html")]
struct RolePage {
    form_token: String,
    /// Where the form goes; `None` where nothing may be changed.
    action: Option<String>,
    /// The id of a role that is there.
    id: Option<String>,
    built_in: bool,
    title: String,
    name: String,
    description: String,
    search: String,
    problem: Option<String>,
    lines: Vec<Line>,
    /// Id and address of everybody who has it.
    people: Vec<(String, String)>,
}

/// What was typed and ticked.
struct Typed {
    name: String,
    description: String,
    search: String,
    ticked: PermissionSet,
}

pub(super) async fn blank(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    let typed = Typed {
        name: String::new(),
        description: String::new(),
        search: String::new(),
        ticked: PermissionSet::default(),
    };
    match console.permit_person(&by, WORKSPACE_UPDATE).await {
        Ok(_) => console.role_page(StatusCode::OK, &by, None, typed, None),
        Err(refusal) => refusal.answer(by.uri()),
    }
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    by: SignedIn,
) -> Response {
    let page = async {
        let permitted = console.permit_person(&by, WORKSPACE_READ).await?;
        let known = console.role_of(permitted.workspace(), &id);
        let known = known.ok_or(PageRefusal::NotFound)?;
        let typed = Typed {
            name: known.role.to_string(),
            description: known.description().to_owned(),
            search: String::new(),
            ticked: known.permissions(),
        };
        Ok(console.role_page(StatusCode::OK, &by, Some(&known), typed, None))
    };
    let page: Result<Response, PageRefusal> = page.await;
    page.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

pub(super) async fn create(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    let SignedForm { by, fields } = form;
    let outcome = console.save_role(&by, None, &fields).await;
    outcome.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

pub(super) async fn change(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    form: SignedForm,
) -> Response {
    let SignedForm { by, fields } = form;
    let outcome = console.save_role(&by, Some(&id), &fields).await;
    outcome.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

impl Typed {
    /// Reads the form. Only somebody who made up a form of their own sends a word that is none.
    fn of(fields: &Fields) -> Result<Self, PageRefusal> {
        let ticked = PermissionSet::parse(fields.all("permission"));
        Ok(Self {
            name: fields.text("name").to_owned(),
            description: fields.text("description").to_owned(),
            search: fields.text("search").to_owned(),
            ticked: ticked.map_err(|_| PageRefusal::NoForm)?,
        })
    }
}

impl Console {
    async fn save_role(
        &self,
        by: &SignedIn,
        id: Option<&str>,
        fields: &Fields,
    ) -> Result<Response, PageRefusal> {
        let permitted = self.permit_person(by, WORKSPACE_UPDATE).await?;
        let workspace = permitted.workspace();
        let known = match id {
            None => None,
            Some(id) => Some(self.role_of(workspace, id).ok_or(PageRefusal::NotFound)?),
        };
        let custom = known.as_ref().map(custom_id).transpose()?;
        let typed = Typed::of(fields)?;
        if fields.has("find") {
            return Ok(self.role_page(StatusCode::OK, by, known.as_ref(), typed, None));
        }
        let wrong = |typed, problem: &dyn std::error::Error| {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            let problem = Some(sentence(problem));
            Ok(self.role_page(status, by, known.as_ref(), typed, problem))
        };
        let before = known.as_ref().map(Known::permissions);
        if let Err(error) = self.check_words(&typed.ticked, before.as_ref()) {
            return wrong(typed, &error);
        }
        let role = CustomRole::new(&typed.name, &typed.description, typed.ticked.clone());
        let role = match role {
            Ok(role) => role,
            Err(error) => return wrong(typed, &error),
        };
        let (actor, now, rng) = (permitted.actor(), by.now(), &mut SystemRandom);
        let roles = self.custom_roles.given_by(permitted.owner());
        let saved = match custom {
            None => roles.create(workspace, role, &actor, now, rng).await,
            Some(id) => roles.change(id, workspace, role, &actor, now, rng).await,
        };
        match saved {
            Ok(_) => Ok(self.done(
                by,
                ROLES_PAGE,
                format!("Role {} is saved.", typed.name.trim()),
            )),
            Err(RoleError::Store(error)) => Err(error.into()),
            Err(RoleError::Unknown(_)) => Err(PageRefusal::NotFound),
            Err(error) => wrong(typed, &error),
        }
    }

    fn role_page(
        &self,
        status: StatusCode,
        by: &SignedIn,
        known: Option<&Known>,
        typed: Typed,
        problem: Option<String>,
    ) -> Response {
        let built_in = known.is_some_and(Known::is_built_in);
        let may_change = !built_in && by.roles().permits(&WORKSPACE_UPDATE);
        let id = known.map(|known| known.role.key().to_string());
        let title = match known {
            None => "New role".to_owned(),
            Some(known) => known.role.to_string(),
        };
        let content = RolePage {
            form_token: self.form_token(by),
            action: may_change.then(|| match &id {
                None => format!("{ROLES_PAGE}/new"),
                Some(id) => format!("{ROLES_PAGE}/{id}"),
            }),
            built_in,
            title: title.clone(),
            lines: self.grid(&typed.ticked, &typed.search),
            people: known.map_or_else(Vec::new, |known| self.holders_of(known, by)),
            name: typed.name,
            description: typed.description,
            search: typed.search,
            id,
            problem,
        };
        self.page_with(status, by, Place::Roles, &title, content)
    }

    fn holders_of(&self, known: &Known, by: &SignedIn) -> Vec<(String, String)> {
        let workspace = &by.person().workspace;
        let ids = self.custom_roles.holders(known.role.key(), workspace);
        let people = ids.iter().filter_map(|id| self.people.get(*id, workspace));
        let mut people: Vec<_> = people
            .map(|person| (person.id.to_string(), person.email.to_string()))
            .collect();
        people.sort_by(|one, other| one.1.cmp(&other.1));
        people
    }
}

/// The id of a role that can be changed.
pub(super) fn custom_id(known: &Known) -> Result<RoleId, PageRefusal> {
    match &known.role {
        AssignedRole::Custom(role) => Ok(role.id),
        AssignedRole::BuiltIn(_) => Err(PageRefusal::NotFound),
    }
}
