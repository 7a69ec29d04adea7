//! The pages for workspaces.

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use hallpass_access::platform::{WORKSPACE_DELETE, WORKSPACE_READ, WORKSPACE_UPDATE};
use hallpass_oauth::random::SystemRandom;
use hallpass_store::Workspace;
use hallpass_store::workspaces::WorkspaceError;

use super::WORKSPACES_PAGE;
use crate::Console;
use crate::form::SignedForm;
use crate::page::{PageRefusal, Place};
use crate::sentence::sentence;
use crate::session::SignedIn;
use crate::wire::workspace as workspace_id;

pub(crate) fn routes() -> Router<Arc<Console>> {
    let one = format!("{WORKSPACES_PAGE}/{{id}}");
    Router::new()
        .route(WORKSPACES_PAGE, get(list))
        .route(&format!("{WORKSPACES_PAGE}/new"), get(new).post(create))
        .route(&one, get(show).post(rename))
        .route(&format!("{one}/delete"), get(confirm).post(remove))
}

#[derive(Template)]
#[template(path = "workspaces.html")]
struct ListPage {
    workspaces: Vec<Row>,
    may_change: bool,
}

struct Row {
    id: String,
    name: String,
    people: usize,
    operating: bool,
    own: bool,
    managed_by: Option<String>,
}

#[derive(Template)]
#[template(path = "workspace.html")]
struct FormPage {
    form_token: String,
    /// The one that is there already.
    row: Option<Row>,
    name: String,
    managed_by: String,
    /// Which may manage a new one.
    managers: Vec<(String, String)>,
    problem: Option<String>,
}

#[derive(Template)]
#[template(path = "workspace_delete.html")]
struct DeletePage {
    form_token: String,
    row: Row,
    problem: Option<String>,
}

async fn list(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    let permitted = console.permit_person(&by, WORKSPACE_READ).await;
    if let Err(refusal) = permitted {
        return refusal.answer(by.uri());
    }
    let own = &by.person().workspace;
    let known = console.workspaces_of(own);
    let rows = known.iter().map(|one| console.workspace_row(one, &by));
    let page = ListPage {
        workspaces: rows.collect(),
        may_change: console.workspaces.is_operating(own) && by.roles().permits(&WORKSPACE_UPDATE),
    };
    console.page(&by, Place::Workspaces, "Workspaces", page)
}

async fn new(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    let permitted = console.permit_operating_person(&by, WORKSPACE_UPDATE);
    match permitted.await {
        Ok(_) => {
            let page = console.workspace_form(&by, None, "", "", None);
            console.page(&by, Place::Workspaces, "New workspace", page)
        }
        Err(refusal) => refusal.answer(by.uri()),
    }
}

async fn create(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    let SignedForm { by, fields } = form;
    let permitted = console.permit_operating_person(&by, WORKSPACE_UPDATE);
    let permitted = match permitted.await {
        Ok(permitted) => permitted,
        Err(refusal) => return refusal.answer(by.uri()),
    };
    let (name, manager) = (fields.text("name"), fields.text("managed_by"));
    let (actor, now) = (permitted.actor(), by.now());
    let made = console
        .workspaces
        .create_managed(name, workspace_id(manager), &actor, now, &mut SystemRandom)
        .await;
    match made {
        Ok(made) => console.done(
            &by,
            WORKSPACES_PAGE,
            format!("Workspace {} is made.", made.name),
        ),
        Err(WorkspaceError::Store(error)) => PageRefusal::Store(error).answer(by.uri()),
        Err(error) => {
            let page = console.workspace_form(&by, None, name, manager, Some(error.to_string()));
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            console.page_with(status, &by, Place::Workspaces, "New workspace", page)
        }
    }
}

async fn show(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Path(id): Path<String>,
) -> Response {
    let permitted = console.permit_operating_person(&by, WORKSPACE_UPDATE).await;
    match permitted.and_then(|_| console.workspace_on_page(&id)) {
        Ok(known) => {
            let row = console.workspace_row(&known, &by);
            let page = console.workspace_form(&by, Some(row), &known.name, "", None);
            console.page(&by, Place::Workspaces, &known.name, page)
        }
        Err(refusal) => refusal.answer(by.uri()),
    }
}

async fn rename(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    form: SignedForm,
) -> Response {
    let SignedForm { by, fields } = form;
    let permitted = console.permit_operating_person(&by, WORKSPACE_UPDATE).await;
    let found = permitted.and_then(|permitted| Ok((permitted, console.workspace_on_page(&id)?)));
    let (permitted, known) = match found {
        Ok(found) => found,
        Err(refusal) => return refusal.answer(by.uri()),
    };
    let (actor, name) = (permitted.actor(), fields.text("name"));
    let renamed = console
        .workspaces
        .rename(&known.id, name, &actor, by.now(), &mut SystemRandom)
        .await;
    match renamed {
        Ok(renamed) => console.done(
            &by,
            WORKSPACES_PAGE,
            format!("The workspace is called {} now.", renamed.name),
        ),
        Err(WorkspaceError::Store(error)) => PageRefusal::Store(error).answer(by.uri()),
        Err(error) => {
            let row = console.workspace_row(&known, &by);
            let page = console.workspace_form(&by, Some(row), name, "", Some(error.to_string()));
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            console.page_with(status, &by, Place::Workspaces, &known.name, page)
        }
    }
}

async fn confirm(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Path(id): Path<String>,
) -> Response {
    let permitted = console.permit_operating_person(&by, WORKSPACE_DELETE).await;
    match permitted.and_then(|_| console.workspace_on_page(&id)) {
        Ok(known) => console.workspace_delete_page(&by, &known, None),
        Err(refusal) => refusal.answer(by.uri()),
    }
}

async fn remove(
    State(console): State<Arc<Console>>,
    Path(id): Path<String>,
    form: SignedForm,
) -> Response {
    let by = form.by;
    let permitted = console.permit_operating_person(&by, WORKSPACE_DELETE).await;
    let found = permitted.and_then(|permitted| Ok((permitted, console.workspace_on_page(&id)?)));
    let (permitted, known) = match found {
        Ok(found) => found,
        Err(refusal) => return refusal.answer(by.uri()),
    };
    let (actor, rng) = (permitted.actor(), &mut SystemRandom);
    let removed = console
        .workspaces
        .remove(&known.id, &actor, by.now(), rng)
        .await;
    match removed {
        Ok(()) => console.done(
            &by,
            WORKSPACES_PAGE,
            format!("Workspace {} is removed.", known.name),
        ),
        Err(WorkspaceError::Store(error)) => PageRefusal::Store(error).answer(by.uri()),
        Err(error) => console.workspace_delete_page(&by, &known, Some(error.to_string())),
    }
}

impl Console {
    fn workspace_on_page(&self, id: &str) -> Result<Arc<Workspace>, PageRefusal> {
        let known = workspace_id(id).and_then(|id| self.workspaces.find(&id));
        known.ok_or(PageRefusal::NotFound)
    }

    fn workspace_row(&self, workspace: &Workspace, by: &SignedIn) -> Row {
        let manager = workspace.managed_by.as_ref();
        let manager = manager.and_then(|id| self.workspaces.find(id));
        Row {
            id: workspace.id.to_string(),
            name: workspace.name.clone(),
            people: self.workspaces.people(&workspace.id),
            operating: self.workspaces.is_operating(&workspace.id),
            own: workspace.id == by.person().workspace,
            managed_by: manager.map(|manager| manager.name.clone()),
        }
    }

    fn workspace_form(
        &self,
        by: &SignedIn,
        row: Option<Row>,
        name: &str,
        managed_by: &str,
        problem: Option<String>,
    ) -> FormPage {
        let all = self.workspaces.list();
        let managers = all.iter().filter(|known| known.managed_by.is_none());
        FormPage {
            form_token: self.form_token(by),
            row,
            name: name.to_owned(),
            managed_by: managed_by.to_owned(),
            managers: managers
                .map(|known| (known.id.to_string(), known.name.clone()))
                .collect(),
            problem: problem.map(|words| sentence(&words)),
        }
    }

    fn workspace_delete_page(
        &self,
        by: &SignedIn,
        workspace: &Workspace,
        problem: Option<String>,
    ) -> Response {
        let status = match &problem {
            None => StatusCode::OK,
            Some(_) => StatusCode::UNPROCESSABLE_ENTITY,
        };
        let page = DeletePage {
            form_token: self.form_token(by),
            row: self.workspace_row(workspace, by),
            problem: problem.map(|words| sentence(&words)),
        };
        self.page_with(status, by, Place::Workspaces, "Remove workspace", page)
    }
}
