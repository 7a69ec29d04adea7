//! The REST API for roles, under [`ROLES_PATH`](super::ROLES_PATH).

use std::net::SocketAddr;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use hallpass_access::platform::{WORKSPACE_DELETE, WORKSPACE_READ, WORKSPACE_UPDATE};
use hallpass_access::{CustomRole, PermissionSet};
use hallpass_oauth::WorkspaceId;
use hallpass_oauth::random::SystemRandom;
use hallpass_store::roles::{AssignedRole, RoleId, WorkspaceRole};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Known;
use super::permissions::PERMISSIONS_PATH;
use crate::Console;
use crate::answer::{Done, Refusal, answer};
use crate::guard::{Call, Permitted};
use crate::in_path::InPath;
use crate::people::time;
use crate::wire::print;

#[derive(utoipa::OpenApi)]
#[openapi(paths(list, create, show, change, remove))]
pub(crate) struct Declared;

/// A page of a list.
#[derive(Serialize, ToSchema)]
struct RoleList {
    items: Vec<RoleItem>,
    count: usize,
    offset: usize,
    total: usize,
}

/// A role.
#[derive(Serialize, ToSchema)]
#[schema(as = Role)]
#[serde(rename_all = "camelCase")]
struct RoleItem {
    id: String,
    name: String,
    description: String,
    /// Built-in roles stay as they are.
    built_in: bool,
    /// What it permits: `volume.create`, `volume.*`, `ANY.read`.
    permissions: Vec<String>,
    /// How many people have it.
    users: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    created_at: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(format = DateTime)]
    updated_at: Option<String>,
}

/// A role as somebody wants it.
#[derive(Deserialize, ToSchema)]
#[schema(as = NewRole)]
#[serde(deny_unknown_fields)]
struct NewRole {
    name: String,
    #[serde(default)]
    description: String,
    /// What it permits: `volume.create`, `volume.*`, `ANY.read`.
    permissions: Vec<String>,
}

/// List the roles of the workspace, the built-in ones first
#[utoipa::path(
    get, path = "/workspaces/v1/roles", operation_id = "listRoles", tag = "Roles",
    security(("token" = ["workspace.read"])),
    responses((status = 200, description = "The roles.", body = RoleList)),
)]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(console.list_roles(&console.call_of(&head, peer)).await)
}

/// Make a role
#[utoipa::path(
    post, path = "/workspaces/v1/roles", operation_id = "createRole", tag = "Roles",
    security(("token" = ["workspace.update"])), request_body = NewRole,
    responses((status = 201, description = "The role.", body = RoleItem),
        (status = 400, description = "The body is not understood, or is no role."),
        (status = 409, description = "The workspace has a role of that name.")),
)]
pub(super) async fn create(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    answer(
        console
            .create_role(&console.call_of(&head, peer), body)
            .await,
    )
}

/// Show a role
#[utoipa::path(
    get, path = "/workspaces/v1/roles/{id}", operation_id = "getRole", tag = "Roles",
    security(("token" = ["workspace.read"])), params(("id" = String, Path)),
    responses((status = 200, description = "The role.", body = RoleItem),
        (status = 404, description = "There is no such role in the workspace.")),
)]
pub(super) async fn show(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(console.show_role(&console.call_of(&head, peer), &id).await)
}

/// Change a role; it acts on the next call of everybody who has it
#[utoipa::path(
    put, path = "/workspaces/v1/roles/{id}", operation_id = "changeRole", tag = "Roles",
    security(("token" = ["workspace.update"])), params(("id" = String, Path)),
    request_body = NewRole,
    responses((status = 200, description = "The role.", body = RoleItem),
        (status = 400, description = "The body is not understood, or is no role."),
        (status = 404, description = "There is no such role in the workspace."),
        (status = 409, description = "It is built in, or the workspace has a role of that name.")),
)]
pub(super) async fn change(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    answer(
        console
            .change_role(&console.call_of(&head, peer), &id, body)
            .await,
    )
}

/// Remove a role
#[utoipa::path(
    delete, path = "/workspaces/v1/roles/{id}", operation_id = "removeRole", tag = "Roles",
    security(("token" = ["workspace.delete"])),
    params(("id" = String, Path),
        ("takeAway" = Option<bool>, Query, description = "Take it from everybody who has it")),
    responses((status = 204, description = "It is gone."),
        (status = 404, description = "There is no such role in the workspace."),
        (status = 409, description = "It is built in, or people have it.")),
)]
pub(super) async fn remove(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    answer(
        console
            .remove_role(&console.call_of(&head, peer), &id)
            .await,
    )
}

impl RoleItem {
    fn new(known: &Known) -> Self {
        let custom = match &known.role {
            AssignedRole::BuiltIn(_) => None,
            AssignedRole::Custom(role) => Some(role),
        };
        Self {
            id: known.role.key().to_string(),
            name: known.role.to_string(),
            description: known.description().to_owned(),
            built_in: known.is_built_in(),
            permissions: known.permissions().words(),
            users: known.people,
            created_at: custom.map(|role| time(role.created_at)),
            updated_at: custom.map(|role| time(role.updated_at)),
        }
    }
}

impl NewRole {
    fn read(&self) -> Result<CustomRole, Refusal> {
        let words = self.permissions.iter().map(String::as_str);
        let permissions = PermissionSet::parse(words);
        let permissions = permissions.map_err(|error| Refusal::BadRequest(error.to_string()))?;
        let role = CustomRole::new(&self.name, &self.description, permissions);
        role.map_err(|error| Refusal::BadRequest(error.to_string()))
    }
}

impl Console {
    fn role_meant(&self, permitted: &Permitted, id: &str) -> Result<Known, Refusal> {
        let known = self.role_of(permitted.workspace(), id);
        known.ok_or(Refusal::NotFound("there is no such role in your workspace"))
    }

    fn own_role(&self, permitted: &Permitted, id: &str) -> Result<RoleId, Refusal> {
        match self.role_meant(permitted, id)?.role {
            AssignedRole::Custom(role) => Ok(role.id),
            AssignedRole::BuiltIn(role) => {
                let why = format!("{role} is built in and stays as it is");
                Err(Refusal::Conflict(why))
            }
        }
    }

    /// The role that is wanted, of words that mean something here or that it had `before`.
    fn read_role(
        &self,
        new: &NewRole,
        before: Option<&WorkspaceRole>,
    ) -> Result<CustomRole, Refusal> {
        let role = new.read()?;
        let before = before.map(|before| before.role.permissions());
        self.check_words(role.permissions(), before)
            .map_err(|error| {
                let all = format!("GET {PERMISSIONS_PATH} lists the words that there are");
                Refusal::BadRequest(format!("permissions: {error}; {all}"))
            })?;
        Ok(role)
    }

    fn print_role(&self, role: Arc<WorkspaceRole>, workspace: &WorkspaceId) -> String {
        let known = self.known_role(AssignedRole::Custom(role), workspace);
        print(&RoleItem::new(&known))
    }

    async fn list_roles(&self, call: &Call<'_>) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_READ).await?;
        let roles = self.roles_of(permitted.workspace());
        let items: Vec<RoleItem> = roles.iter().map(RoleItem::new).collect();
        let count = items.len();
        Ok(Done::Ok(print(&RoleList {
            items,
            count,
            offset: 0,
            total: count,
        })))
    }

    async fn create_role(&self, call: &Call<'_>, body: Body) -> Result<Done, Refusal> {
        let (permitted, new) = self
            .permit_with::<NewRole>(call, WORKSPACE_UPDATE, body)
            .await?;
        let (role, workspace) = (self.read_role(&new, None)?, permitted.workspace());
        let (now, rng) = ((self.clock)(), &mut SystemRandom);
        let made = self
            .custom_roles
            .create(workspace, role, &permitted.actor(), now, rng)
            .await?;
        Ok(Done::Created(self.print_role(made, workspace)))
    }

    async fn show_role(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_READ).await?;
        let known = self.role_meant(&permitted, id)?;
        Ok(Done::Ok(print(&RoleItem::new(&known))))
    }

    async fn change_role(&self, call: &Call<'_>, id: &str, body: Body) -> Result<Done, Refusal> {
        let (permitted, new) = self
            .permit_with::<NewRole>(call, WORKSPACE_UPDATE, body)
            .await?;
        let (id, workspace) = (self.own_role(&permitted, id)?, permitted.workspace());
        let role = self.read_role(&new, self.custom_roles.get(id, workspace).as_deref())?;
        let (now, rng) = ((self.clock)(), &mut SystemRandom);
        let changed = self
            .custom_roles
            .given_by(permitted.owner())
            .change(id, workspace, role, &permitted.actor(), now, rng)
            .await?;
        Ok(Done::Ok(self.print_role(changed, workspace)))
    }

    async fn remove_role(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_DELETE).await?;
        let (id, workspace) = (self.own_role(&permitted, id)?, permitted.workspace());
        let query = call.head().uri.query().unwrap_or_default();
        let take_away = form_urlencoded::parse(query.as_bytes())
            .any(|(name, value)| name == "takeAway" && value == "true");
        let (now, rng) = (call.now(), &mut SystemRandom);
        self.custom_roles
            .given_by(permitted.owner())
            .remove(id, workspace, take_away, &permitted.actor(), now, rng)
            .await?;
        Ok(Done::Deleted)
    }
}
