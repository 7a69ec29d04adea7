//! The words of which roles are made, over REST: what the page of a role has as its grid.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use hallpass_access::Permission;
use hallpass_access::platform::WORKSPACE_READ;
use serde::Serialize;
use utoipa::ToSchema;

use crate::Console;
use crate::answer::{Done, Refusal, answer};
use crate::guard::Call;
use crate::operations::{Listed, permissions};
use crate::wire::print;

/// Where the list is.
pub(super) const PERMISSIONS_PATH: &str = "/workspaces/v1/permissions";

#[derive(utoipa::OpenApi)]
#[openapi(paths(list))]
pub(crate) struct Declared;

/// All permissions.
#[derive(Serialize, ToSchema)]
struct PermissionList {
    items: Vec<PermissionItem>,
    count: usize,
    offset: usize,
    total: usize,
}

/// A permission, and what asks for it.
#[derive(Serialize, ToSchema)]
#[schema(as = Permission)]
struct PermissionItem {
    /// The word, as roles have it.
    #[schema(example = "volume.read")]
    permission: String,
    /// The operations that ask for it, of the loaded definitions and of this one.
    operations: Vec<OperationItem>,
}

/// An operation.
#[derive(Serialize, ToSchema)]
#[schema(as = PermittedOperation)]
#[serde(rename_all = "camelCase")]
struct OperationItem {
    operation_id: String,
    method: String,
    path: String,
}

/// List the permissions that operations ask for
///
/// Of these words roles are made; a role may also have `volume.*` and `ANY.read`, which stand for several.
#[utoipa::path(
    get, path = "/workspaces/v1/permissions", operation_id = "listPermissionWords", tag = "Roles",
    security(("token" = ["workspace.read"])),
    responses((status = 200, description = "The permissions, by their words.", body = PermissionList)),
)]
pub(super) async fn list(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.list_all_permissions(&call).await)
}

impl Console {
    async fn list_all_permissions(&self, call: &Call<'_>) -> Result<Done, Refusal> {
        self.permit(call, WORKSPACE_READ).await?;
        let known = permissions([&*self.operations, &*self.platform_operations]);
        let items: Vec<_> = known.iter().map(|one| self.permission_item(one)).collect();
        Ok(Done::Ok(print(&PermissionList {
            count: items.len(),
            offset: 0,
            total: items.len(),
            items,
        })))
    }

    fn permission_item(&self, permission: &Permission) -> PermissionItem {
        let all = self.operations.iter();
        let all = all.chain(self.platform_operations.iter());
        let asking = all.filter(|one| one.permission() == Some(permission));
        PermissionItem {
            permission: permission.to_string(),
            operations: asking.map(OperationItem::from).collect(),
        }
    }
}

impl From<&Listed> for OperationItem {
    fn from(operation: &Listed) -> Self {
        Self {
            operation_id: operation.id.clone(),
            method: operation.method.clone(),
            path: operation.path.clone(),
        }
    }
}
