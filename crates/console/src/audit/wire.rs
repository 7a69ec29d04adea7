//! An event as programs get it, with the members that the guarded API's own list has (domain facts,
//! section 4.5).

use hallpass_store::audit::StoredEvent;
use serde::Serialize;
use utoipa::ToSchema;

/// A page of events, newest first.
#[derive(Serialize, ToSchema)]
pub(super) struct AuditEventList {
    pub(super) items: Vec<AuditEventItem>,
    /// How many there are in `items`.
    pub(super) count: usize,
    /// Where the list goes on: give it as `after`. Without it, that was all. A page may have fewer
    /// events than were asked for, even none, and still go on: a search reads only so much at a time.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub(super) next: Option<String>,
}

/// Something that happened, or a number of times the same within a minute.
#[derive(Serialize, ToSchema)]
#[schema(as = AuditEvent)]
#[serde(rename_all = "camelCase")]
pub(super) struct AuditEventItem {
    #[schema(format = "uuid")]
    id: String,
    /// Its place in the log; later rows have higher ones.
    sequence: i64,
    /// When it happened, or the first of those that are counted.
    #[schema(format = "date-time")]
    occurred_at: String,
    /// When the last of those that are counted happened.
    #[schema(format = "date-time")]
    logged_at: String,
    /// How it ended: `Success`, `Failure`, `PermissionDenied`, or `Initiated` for what had only
    /// begun.
    #[schema(example = "Success")]
    state: &'static str,
    /// What happened, for people.
    message: String,
    /// How often.
    count: u64,
    /// The person, where one is known.
    user_email: String,
    /// The client that acted for them.
    client_id: String,
    /// From where the request came.
    source_ip_address: String,
    /// The part of the system.
    source: String,
    /// The permission in question.
    permission: String,
    /// A word for the outcome.
    code: String,
    /// The task that was begun.
    task_id: String,
    associated_resource: AuditedResource,
}

/// What it was done to.
#[derive(Serialize, ToSchema)]
struct AuditedResource {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

impl From<StoredEvent> for AuditEventItem {
    fn from(stored: StoredEvent) -> Self {
        let event = stored.event;
        Self {
            id: event.id,
            sequence: stored.sequence,
            occurred_at: event.occurred_at.to_string(),
            logged_at: stored.logged_at.to_string(),
            state: event.state.as_str(),
            message: event.message,
            count: event.count,
            user_email: event.user_email,
            client_id: event.client_id,
            source_ip_address: event.source_ip,
            source: event.source,
            permission: event.permission,
            code: event.code,
            task_id: event.task_id,
            associated_resource: AuditedResource {
                id: event.resource.id,
                name: event.resource.name,
                kind: event.resource.kind,
            },
        }
    }
}

/// The columns of a CSV file; the order of [`AuditEventItem::cells`].
pub(super) const COLUMNS: [&str; 16] = [
    "occurredAt",
    "state",
    "message",
    "count",
    "userEmail",
    "clientId",
    "sourceIpAddress",
    "source",
    "permission",
    "code",
    "taskId",
    "resourceType",
    "resourceName",
    "resourceId",
    "loggedAt",
    "id",
];

impl AuditEventItem {
    pub(super) fn cells(&self) -> [String; 16] {
        let resource = &self.associated_resource;
        [
            &self.occurred_at,
            self.state,
            &self.message,
            &self.count.to_string(),
            &self.user_email,
            &self.client_id,
            &self.source_ip_address,
            &self.source,
            &self.permission,
            &self.code,
            &self.task_id,
            &resource.kind,
            &resource.name,
            &resource.id,
            &self.logged_at,
            &self.id,
        ]
        .map(str::to_owned)
    }
}
