//! The REST API for workspaces.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::get;
use hallpass_access::platform::{WORKSPACE_DELETE, WORKSPACE_READ, WORKSPACE_UPDATE};
use hallpass_oauth::WorkspaceId;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::Workspace;
use serde::{Deserialize, Serialize};

use super::{NO_WORKSPACE, WORKSPACES_PATH};
use crate::Console;
use crate::answer::{Done, Refusal, answer};
use crate::guard::{Call, Permitted};
use crate::in_path::InPath;
use crate::paging::Paging;
use crate::wire::{dashed, print, read, read_json_body, workspace as workspace_id};

/// What this module adds to our own OpenAPI document.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, create, show, rename, remove),
    components(schemas(List, Item, Creation, Change))
)]
pub(crate) struct Declared;

/// The workspaces.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Workspaces)]
struct List {
    items: Vec<Item>,
    count: usize,
    offset: usize,
    total: usize,
}

/// What people, credentials and the state of stand-ins belong to.
#[derive(Serialize, utoipa::ToSchema)]
#[schema(as = Workspace)]
#[serde(rename_all = "camelCase")]
struct Item {
    /// Its id.
    id: String,
    /// Its name.
    name: String,
    /// Where it is in this API.
    resource_uri: String,
    /// Whether its people administer workspaces and application instances.
    operating: bool,
    /// The workspace that manages it: its tokens can be exchanged for some of this one.
    managed_by: Option<String>,
    /// How many people it has.
    people: usize,
}

/// A workspace to be made.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = NewWorkspace)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Creation {
    /// Its name.
    name: String,
    /// The id of the workspace that manages it.
    managed_by: Option<String>,
}

/// What is to be different.
#[derive(Deserialize, utoipa::ToSchema)]
#[schema(as = WorkspaceChange)]
#[serde(deny_unknown_fields)]
struct Change {
    /// The new name.
    name: String,
}

pub(crate) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route(WORKSPACES_PATH, get(list).post(create))
        .route(
            &format!("{WORKSPACES_PATH}/{{id}}"),
            get(show).patch(rename).delete(remove),
        )
}

/// List the workspaces that one may see
#[utoipa::path(
    get,
    path = "/workspaces/v1/workspaces",
    operation_id = "listWorkspaces",
    tag = "Workspaces",
    params(Paging),
    responses((status = 200, description = "All workspaces, or one's own.", body = List)),
    security(("token" = ["workspace.read"]))
)]
pub(crate) async fn list(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.list_workspaces(&call).await)
}

/// Make a workspace
#[utoipa::path(
    post,
    path = "/workspaces/v1/workspaces",
    operation_id = "createWorkspace",
    tag = "Workspaces",
    request_body = Creation,
    responses(
        (status = 201, description = "It is there, with nobody in it.", body = Item),
        (status = 400, description = "The name or the managing workspace is no good."),
        (status = 409, description = "The name is taken."),
    ),
    security(("token" = ["workspace.update"]))
)]
pub(crate) async fn create(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.create_workspace(&call, body).await)
}

/// Show a workspace
#[utoipa::path(
    get,
    path = "/workspaces/v1/workspaces/{id}",
    operation_id = "getWorkspace",
    tag = "Workspaces",
    params(("id" = String, Path, description = "Its id, with or without hyphens.")),
    responses(
        (status = 200, description = "The workspace.", body = Item),
        (status = 404, description = "There is no such workspace for the caller."),
    ),
    security(("token" = ["workspace.read"]))
)]
pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.show_workspace(&call, &id).await)
}

/// Give a workspace another name
#[utoipa::path(
    patch,
    path = "/workspaces/v1/workspaces/{id}",
    operation_id = "renameWorkspace",
    tag = "Workspaces",
    params(("id" = String, Path, description = "Its id, with or without hyphens.")),
    request_body = Change,
    responses(
        (status = 200, description = "It has that name.", body = Item),
        (status = 400, description = "The name is no good."),
        (status = 404, description = "There is no such workspace."),
        (status = 409, description = "The name is taken."),
    ),
    security(("token" = ["workspace.update"]))
)]
pub(crate) async fn rename(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.rename_workspace(&call, &id, body).await)
}

/// Remove a workspace
///
/// Refused while people are in it.
#[utoipa::path(
    delete,
    path = "/workspaces/v1/workspaces/{id}",
    operation_id = "removeWorkspace",
    tag = "Workspaces",
    params(("id" = String, Path, description = "Its id, with or without hyphens.")),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such workspace."),
        (status = 409, description = "People are in it, it manages others, or it operates the system."),
    ),
    security(("token" = ["workspace.delete"]))
)]
pub(crate) async fn remove(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.remove_workspace(&call, &id).await)
}

impl Console {
    async fn list_workspaces(&self, call: &Call<'_>) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_READ).await?;
        let all = self.workspaces_of(permitted.workspace());
        let page = Paging::read(&call.head().uri)?;
        let items: Vec<Item> = page.of(&all).map(|one| self.workspace_item(one)).collect();
        Ok(Done::Ok(print(&List {
            count: items.len(),
            items,
            offset: page.offset(),
            total: all.len(),
        })))
    }

    async fn show_workspace(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_READ).await?;
        let known = self.visible_workspace(&permitted, id)?;
        Ok(Done::Ok(print(&self.workspace_item(&known))))
    }

    async fn create_workspace(
        &self,
        call: &Call<'_>,
        body: axum::body::Body,
    ) -> Result<Done, Refusal> {
        self.permit_operating(call, WORKSPACE_UPDATE).await?;
        let body = read_json_body(&call.head().headers, body).await?;
        // Asked again: a body may take long to arrive.
        let call = &call.at((self.clock)());
        let permitted = self.permit_operating(call, WORKSPACE_UPDATE).await?;
        let new: Creation = read(&body)?;
        let manager = new.managed_by.map(|text| {
            let words = "managedBy is the id of a workspace";
            workspace_id(&text).ok_or_else(|| Refusal::BadRequest(words.to_owned()))
        });
        let (manager, actor) = (manager.transpose()?, permitted.actor());
        let made = self
            .workspaces
            .create_managed(&new.name, manager, &actor, call.now(), &mut SystemRandom)
            .await?;
        Ok(Done::Created(print(&self.workspace_item(&made))))
    }

    async fn rename_workspace(
        &self,
        call: &Call<'_>,
        id: &str,
        body: axum::body::Body,
    ) -> Result<Done, Refusal> {
        self.permit_operating(call, WORKSPACE_UPDATE).await?;
        let body = read_json_body(&call.head().headers, body).await?;
        let call = &call.at((self.clock)());
        let permitted = self.permit_operating(call, WORKSPACE_UPDATE).await?;
        let known = self.visible_workspace(&permitted, id)?;
        let Change { name } = read(&body)?;
        let actor = permitted.actor();
        let renamed = self
            .workspaces
            .rename(&known.id, &name, &actor, call.now(), &mut SystemRandom)
            .await?;
        Ok(Done::Ok(print(&self.workspace_item(&renamed))))
    }

    async fn remove_workspace(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let permitted = self.permit_operating(call, WORKSPACE_DELETE).await?;
        let known = self.visible_workspace(&permitted, id)?;
        let actor = permitted.actor();
        self.workspaces
            .remove(&known.id, &actor, call.now(), &mut SystemRandom)
            .await?;
        Ok(Done::Deleted)
    }

    /// What somebody of this workspace may see: all of them, or their own.
    pub(crate) fn workspaces_of(&self, own: &WorkspaceId) -> Vec<Arc<Workspace>> {
        let mut all = self.workspaces.list();
        if !self.workspaces.is_operating(own) {
            all.retain(|known| known.id == *own);
        }
        all
    }

    fn visible_workspace(
        &self,
        permitted: &Permitted,
        id: &str,
    ) -> Result<Arc<Workspace>, Refusal> {
        let id = workspace_id(id);
        let visible = self.workspaces_of(permitted.workspace()).into_iter();
        let mut asked = visible.filter(|known| Some(&known.id) == id.as_ref());
        asked.next().ok_or(Refusal::NotFound(NO_WORKSPACE))
    }

    fn workspace_item(&self, workspace: &Workspace) -> Item {
        let id = dashed(&workspace.id);
        Item {
            name: workspace.name.clone(),
            resource_uri: format!("{WORKSPACES_PATH}/{id}"),
            operating: self.workspaces.is_operating(&workspace.id),
            managed_by: workspace.managed_by.as_ref().map(dashed),
            people: self.workspaces.people(&workspace.id),
            id,
        }
    }
}
