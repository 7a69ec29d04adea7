//! The page that lists the roles, and the dialog before one is deleted.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_access::platform::{WORKSPACE_DELETE, WORKSPACE_READ, WORKSPACE_UPDATE};
use hallpass_oauth::random::SystemRandom;
use hallpass_store::roles::RoleError;

use super::form::custom_id;
use super::{Known, ROLES_PAGE};
use crate::Console;
use crate::form::SignedForm;
use crate::in_path::InPath;
use crate::page::{PageRefusal, Place};
use crate::sentence::sentence;
use crate::session::SignedIn;

#[derive(Template)]
#[template(path = "roles.html")]
struct Roles {
    may_change: bool,
    roles: Vec<Row>,
}

struct Row {
    id: String,
    name: String,
    description: String,
    built_in: bool,
    words: String,
    people: usize,
}

#[derive(Template)]
#[template(path = "role_delete.html")]
struct Delete {
    form_token: String,
    id: String,
    name: String,
    people: usize,
    problem: Option<String>,
}

pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    let permitted = match console.permit_person(&by, WORKSPACE_READ).await {
        Ok(permitted) => permitted,
        Err(refusal) => return refusal.answer(by.uri()),
    };
    let roles = console.roles_of(permitted.workspace());
    let page = Roles {
        may_change: by.roles().permits(&WORKSPACE_UPDATE),
        roles: roles.iter().map(row).collect(),
    };
    console.page(&by, Place::Roles, "Roles", page)
}

pub(super) async fn ask_to_delete(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    by: SignedIn,
) -> Response {
    let page = async {
        let permitted = console.permit_person(&by, WORKSPACE_DELETE).await?;
        let known = console.role_of(permitted.workspace(), &id);
        let known = known.ok_or(PageRefusal::NotFound)?;
        custom_id(&known)?;
        Ok(console.delete_page(StatusCode::OK, &by, &known, None))
    };
    let page: Result<Response, PageRefusal> = page.await;
    page.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

pub(super) async fn delete(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    form: SignedForm,
) -> Response {
    let SignedForm { by, fields } = form;
    let outcome = console.delete_role(&by, &id, fields.has("take_away")).await;
    outcome.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

impl Console {
    async fn delete_role(
        &self,
        by: &SignedIn,
        id: &str,
        take_away: bool,
    ) -> Result<Response, PageRefusal> {
        let permitted = self.permit_person(by, WORKSPACE_DELETE).await?;
        let known = self.role_of(permitted.workspace(), id);
        let known = known.ok_or(PageRefusal::NotFound)?;
        let (role, workspace) = (custom_id(&known)?, permitted.workspace());
        let (actor, rng) = (permitted.actor(), &mut SystemRandom);
        let removed = self
            .custom_roles
            .given_by(permitted.owner())
            .remove(role, workspace, take_away, &actor, by.now(), rng)
            .await;
        match removed {
            Ok(()) => Ok(self.done(by, ROLES_PAGE, format!("Role {} is deleted.", known.role))),
            Err(RoleError::Store(error)) => Err(error.into()),
            Err(error @ (RoleError::Assigned { .. } | RoleError::Above(_))) => {
                let (status, problem) = (StatusCode::UNPROCESSABLE_ENTITY, sentence(&error));
                Ok(self.delete_page(status, by, &known, Some(problem)))
            }
            Err(_) => Err(PageRefusal::NotFound),
        }
    }

    fn delete_page(
        &self,
        status: StatusCode,
        by: &SignedIn,
        known: &Known,
        problem: Option<String>,
    ) -> Response {
        let content = Delete {
            form_token: self.form_token(by),
            id: known.role.key().to_string(),
            name: known.role.to_string(),
            people: known.people,
            problem,
        };
        self.page_with(status, by, Place::Roles, "Delete role", content)
    }
}

fn row(known: &Known) -> Row {
    Row {
        id: known.role.key().to_string(),
        name: known.role.to_string(),
        description: known.description().to_owned(),
        built_in: known.is_built_in(),
        words: known.permissions().to_string(),
        people: known.people,
    }
}
