//! The REST API for application instances.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use axum::routing::get;
use hallpass_access::platform::{WORKSPACE_DELETE, WORKSPACE_READ, WORKSPACE_UPDATE};
use hallpass_oauth::random::SystemRandom;
use hallpass_store::ApplicationInstance;

use super::wire::{Change, Creation, Item, List};
use super::{INSTANCES_PATH, NO_INSTANCE, directs};
use crate::Console;
use crate::answer::{Done, Refusal, answer};
use crate::guard::{Call, Permitted};
use crate::in_path::InPath;
use crate::paging::Paging;
use crate::wire::{print, read_json_body};

/// What this module adds to our own OpenAPI document.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, create, show, change, remove),
    components(schemas(List, Item, Creation, Change))
)]
pub(crate) struct Declared;

pub(crate) fn routes() -> Router<Arc<Console>> {
    Router::new()
        .route(INSTANCES_PATH, get(list).post(create))
        .route(
            &format!("{INSTANCES_PATH}/{{id}}"),
            get(show).patch(change).delete(remove),
        )
}

/// List the application instances
#[utoipa::path(
    get,
    path = "/workspaces/v1/application-instances",
    operation_id = "listApplicationInstances",
    tag = "Application instances",
    params(Paging),
    responses((status = 200, description = "The instances.", body = List)),
    security(("token" = ["workspace.read"]))
)]
pub(crate) async fn list(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.list_instances(&call).await)
}

/// Make an application instance
#[utoipa::path(
    post,
    path = "/workspaces/v1/application-instances",
    operation_id = "createApplicationInstance",
    tag = "Application instances",
    request_body = Creation,
    responses(
        (status = 201, description = "It is served.", body = Item),
        (status = 400, description = "Something in the body is wrong."),
        (status = 409, description = "Its name, host or listener is taken."),
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
    answer(console.create_instance(&call, body).await)
}

/// Show an application instance
#[utoipa::path(
    get,
    path = "/workspaces/v1/application-instances/{id}",
    operation_id = "getApplicationInstance",
    tag = "Application instances",
    params(("id" = String, Path, description = "Its id.")),
    responses(
        (status = 200, description = "The instance.", body = Item),
        (status = 404, description = "There is no such instance."),
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
    answer(console.show_instance(&call, &id).await)
}

/// Change an application instance
///
/// The change acts on the next call.
#[utoipa::path(
    patch,
    path = "/workspaces/v1/application-instances/{id}",
    operation_id = "changeApplicationInstance",
    tag = "Application instances",
    params(("id" = String, Path, description = "Its id.")),
    request_body = Change,
    responses(
        (status = 200, description = "It is as wanted.", body = Item),
        (status = 400, description = "Something in the body is wrong."),
        (status = 404, description = "There is no such instance."),
        (status = 409, description = "Its host or listener is taken, or it stays as it is."),
    ),
    security(("token" = ["workspace.update"]))
)]
pub(crate) async fn change(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(id): InPath<String>,
    request: Request,
) -> Response {
    let (head, body) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.change_instance(&call, &id, body).await)
}

/// Remove an application instance
///
/// Refused while credentials are for it, unless they go too: `?withCredentials=true`.
#[utoipa::path(
    delete,
    path = "/workspaces/v1/application-instances/{id}",
    operation_id = "removeApplicationInstance",
    tag = "Application instances",
    params(
        ("id" = String, Path, description = "Its id."),
        ("withCredentials" = Option<bool>, Query, description = "Delete the credentials for it too."),
    ),
    responses(
        (status = 204, description = "It is gone."),
        (status = 404, description = "There is no such instance."),
        (status = 409, description = "Credentials are for it, or every system has it."),
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
    answer(console.remove_instance(&call, &id).await)
}

impl Console {
    async fn list_instances(&self, call: &Call<'_>) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_READ).await?;
        let all = self.workspaces.instances();
        let page = Paging::read(&call.head().uri)?;
        let shown = page.of(&all);
        let items: Vec<Item> = shown.map(|one| self.item(&permitted, one)).collect();
        Ok(Done::Ok(print(&List {
            count: items.len(),
            items,
            offset: page.offset(),
            total: all.len(),
        })))
    }

    async fn show_instance(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        let permitted = self.permit(call, WORKSPACE_READ).await?;
        let instance = self.instance(id)?;
        Ok(Done::Ok(print(&self.item(&permitted, &instance))))
    }

    async fn create_instance(
        &self,
        call: &Call<'_>,
        body: axum::body::Body,
    ) -> Result<Done, Refusal> {
        self.permit_directing(call, WORKSPACE_UPDATE, None).await?;
        let body = read_json_body(&call.head().headers, body).await?;
        // Asked again: a body may take long to arrive.
        let call = &call.at((self.clock)());
        let permitted = self.permit_directing(call, WORKSPACE_UPDATE, None).await?;
        let new = Creation::parse(&body)?;
        let made = self
            .workspaces
            .create_instance(new, &permitted.actor(), call.now(), &mut SystemRandom)
            .await?;
        Ok(Done::Created(print(&self.item(&permitted, &made))))
    }

    async fn change_instance(
        &self,
        call: &Call<'_>,
        id: &str,
        body: axum::body::Body,
    ) -> Result<Done, Refusal> {
        self.permit_operating(call, WORKSPACE_UPDATE).await?;
        let body = read_json_body(&call.head().headers, body).await?;
        let call = &call.at((self.clock)());
        let permitted = self.permit_operating(call, WORKSPACE_UPDATE).await?;
        let instance = self.instance(id)?;
        let change = Change::parse(&body)?;
        if directs(&instance, &change) {
            self.permit_directing(call, WORKSPACE_UPDATE, Some(&instance.id))
                .await?;
        }
        let actor = permitted.actor();
        let changed = self
            .workspaces
            .change_instance(&instance.id, change, &actor, call.now(), &mut SystemRandom)
            .await?;
        Ok(Done::Ok(print(&self.item(&permitted, &changed))))
    }

    async fn remove_instance(&self, call: &Call<'_>, id: &str) -> Result<Done, Refusal> {
        self.permit_operating(call, WORKSPACE_DELETE).await?;
        let instance = self.instance(id)?;
        let permitted = self
            .permit_directing(call, WORKSPACE_DELETE, Some(&instance.id))
            .await?;
        let query = call.head().uri.query().unwrap_or_default();
        let with_credentials = form_urlencoded::parse(query.as_bytes())
            .any(|(name, value)| name == "withCredentials" && value == "true");
        let actor = permitted.actor();
        self.workspaces
            .remove_instance(
                &instance.id,
                with_credentials,
                &actor,
                call.now(),
                &mut SystemRandom,
            )
            .await?;
        Ok(Done::Deleted)
    }

    fn instance(&self, id: &str) -> Result<Arc<ApplicationInstance>, Refusal> {
        let known = self.workspaces.instances().into_iter();
        let mut known = known.filter(|one| one.id.as_str().eq_ignore_ascii_case(id));
        known.next().ok_or(Refusal::NotFound(NO_INSTANCE))
    }

    fn item(&self, permitted: &Permitted, instance: &ApplicationInstance) -> Item {
        let operating = self.workspaces.is_operating(permitted.workspace());
        let credentials = operating.then(|| self.workspaces.credentials_for(&instance.id));
        Item::new(instance, self.base_url_of(instance), credentials)
    }
}
