//! The audit log over REST.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::extract::{ConnectInfo, Request, State};
use axum::response::Response;
use hallpass_access::platform::AUDIT_READ;

use super::EVENTS_PATH;
use super::export::{CSV, Format, LINES};
use super::filter::{BadFilter, Filter};
use super::wire::{AuditEventItem, AuditEventList};
use crate::Console;
use crate::answer::{Done, ErrorBody, Refusal, answer};
use crate::guard::Call;
use crate::in_path::InPath;
use crate::wire;

/// Events in an answer, when nobody says how many.
const PAGE: usize = 100;

/// What this module declares.
#[derive(utoipa::OpenApi)]
#[openapi(
    paths(list, show, csv, lines),
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
    /// `system` for events that belong to no workspace, such as what strangers tried: for administrators
    /// of the workspace that operates the system. Without it, those of the caller's workspace.
    of: Option<String>,
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
    let call = console.call_of(&head, peer);
    answer(console.list_events(&call).await)
}

/// Show an audit event
#[utoipa::path(
    get,
    path = "/workspaces/v1/audit-events/{sequence}",
    tag = "Audit",
    operation_id = "getAuditEvent",
    params(("sequence" = i64, Path, description = "Its place in the log, `sequence` of the list")),
    security(("token" = ["audit.read"])),
    responses(
        (status = 200, description = "The event", body = AuditEventItem),
        (status = 404, description = "There is no such event for whoever asks", body = ErrorBody<'_>),
    )
)]
pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    InPath(sequence): InPath<String>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let call = console.call_of(&head, peer);
    answer(console.show_event(&call, &sequence).await)
}

/// Download audit events as CSV
///
/// Everything that the parameters ask for, newest first, as a file for spreadsheets; `limit` is not
/// regarded. A file that breaks off is not the whole: the caller lost the right, or the store failed.
#[utoipa::path(
    get,
    path = "/workspaces/v1/audit-events/export.csv",
    tag = "Audit",
    operation_id = "exportAuditEventsAsCsv",
    params(Parameters),
    security(("token" = ["audit.read"])),
    responses(
        (status = 200, description = "The file", body = String, content_type = "text/csv"),
        (status = 400, description = "A parameter makes no sense", body = ErrorBody<'_>),
    )
)]
pub(crate) async fn csv(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    console.export_events(request, peer, CSV).await
}

/// Download audit events as JSON lines
///
/// The same with one event, a JSON object, on each line.
#[utoipa::path(
    get,
    path = "/workspaces/v1/audit-events/export.jsonl",
    tag = "Audit",
    operation_id = "exportAuditEventsAsJsonLines",
    params(Parameters),
    security(("token" = ["audit.read"])),
    responses(
        (status = 200, description = "The file", body = String, content_type = "application/jsonl"),
        (status = 400, description = "A parameter makes no sense", body = ErrorBody<'_>),
    )
)]
pub(crate) async fn lines(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    console.export_events(request, peer, LINES).await
}

impl Console {
    async fn export_events(&self, request: Request, peer: SocketAddr, format: Format) -> Response {
        let (head, _) = request.into_parts();
        let call = self.call_of(&head, peer);
        match self.exported_events(&call, format).await {
            Ok(file) => file,
            Err(refusal) => answer(Err(refusal)),
        }
    }

    async fn exported_events(&self, call: &Call<'_>, format: Format) -> Result<Response, Refusal> {
        let permitted = self.permit(call, AUDIT_READ).await?;
        let filter = Filter::read(call.head().uri.query());
        let search = self.wanted_events(&filter, permitted.caller())?;
        self.audit.settle().await?;
        Ok(self.audit_file(&permitted, search, format, call.now()))
    }

    async fn show_event(&self, call: &Call<'_>, sequence: &str) -> Result<Done, Refusal> {
        let permitted = self.permit(call, AUDIT_READ).await?;
        let found = self.event_seen(permitted.caller(), sequence).await?;
        let stored = found.ok_or(Refusal::NotFound(
            "there is no such event in your workspace",
        ))?;
        Ok(Done::Ok(wire::print(&AuditEventItem::from(stored))))
    }

    async fn list_events(&self, call: &Call<'_>) -> Result<Done, Refusal> {
        let permitted = self.permit(call, AUDIT_READ).await?;
        let filter = Filter::read(call.head().uri.query());
        let search = self.wanted_events(&filter, permitted.caller())?;
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
