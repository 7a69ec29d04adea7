//! The audit log over REST.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use hallpass_access::platform::AUDIT_READ;

use super::EVENTS_PATH;
use super::filter::{BadFilter, Filter};
use super::wire::AuditEventList;
use crate::Console;
use crate::answer::{Done, ErrorBody, Refusal, answer};
use crate::guard::Call;
use crate::wire;

/// Events in an answer, when nobody says how many.
const PAGE: usize = 100;

/// What this module declares.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list),
    tags((name = "Audit", description = "Who did what, and who was refused."))
)]
pub(crate) struct Api;

/// What to look for. Several conditions must hold together.
#[derive(utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "it only describes what Filter reads")]
struct Parameters {
    /// Words that all occur somewhere in the event, in any letter case.
    search: Option<String>,
    /// How it ended: `Success`, `Failure`, `PermissionDenied` or `Initiated`.
    state: Option<String>,
    /// E-mail address of the person.
    person: Option<String>,
    /// The client that acted.
    #[param(rename = "clientId")]
    client_id: Option<String>,
    /// The part of the system, such as `console`.
    source: Option<String>,
    /// Not before this time: RFC 3339, or a day.
    from: Option<String>,
    /// Before this time.
    to: Option<String>,
    /// Most events to answer.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u32>,
    /// Where to go on: `next` of the answer before.
    after: Option<String>,
}

impl From<BadFilter> for Refusal {
    fn from(error: BadFilter) -> Self {
        Self::BadRequest(error.to_string())
    }
}

/// List audit events
///
/// Newest first, of the caller's own workspace.
#[utoipa::path(
    get,
    path = EVENTS_PATH,
    tag = "Audit",
    operation_id = "listAuditEvents",
    params(Parameters),
    security(("token" = ["audit.read"])),
    responses(
        (status = 200, description = "The events", body = AuditEventList),
        (status = 400, description = "A parameter makes no sense", body = ErrorBody<'_>),
    )
)]
pub(crate) async fn list(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let call = Call::new(&head, peer, (console.clock)());
    answer(console.list_events(&call).await)
}

impl Console {
    async fn list_events(&self, call: &Call<'_>) -> Result<Done, Refusal> {
        let permitted = self.permit(call, AUDIT_READ).await?;
        let filter = Filter::read(call.head().uri.query());
        let search = filter.search(permitted.workspace())?;
        let limit = filter.limit(PAGE)?;
        self.audit.settle().await?;
        let page = self.audit.search(&search, limit).await?;
        let items: Vec<_> = page.events.into_iter().map(Into::into).collect();
        Ok(Done::Ok(wire::print(&AuditEventList {
            count: items.len(),
            items,
            next: page.next.map(|next| next.to_string()),
        })))
    }
}
