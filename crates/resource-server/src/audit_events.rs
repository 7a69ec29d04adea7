//! `audit-events`, answered from the audit log, for the caller's workspace only (domain facts,
//! section 4.5).

use hallpass_oauth::{CustomerId, WorkspaceId};
use hallpass_query::{Attributes, Filter, Page, Sort};
use hallpass_store::audit::StoredEvent;
use hallpass_store::{AuditLog, AuditQuery, StoreError};
use serde_json::{Value, json};

use crate::reply::Refusal;

/// The page length when none is asked for (domain facts, section 4.5).
const DEFAULT_LIMIT: usize = 500;

/// Longest page: clients ask for thousands at once (domain facts, section 6.1), and the memory for
/// one answer has a bound.
const MOST_LISTED: usize = 10_000;

/// How many rows are read at a time: the log has no bound, the memory for one request has.
const CHUNK: u32 = 500;

/// Most events that are sorted by a property other than their time.
const MOST_SORTED: usize = 50_000;

/// What an event can be filtered and sorted by: all that it shows.
const ATTRIBUTES: [&str; 20] = [
    "id",
    "uniqueId",
    "code",
    "message",
    "state",
    "occurredAt",
    "loggedAt",
    "associatedResource.id",
    "associatedResource.name",
    "associatedResource.type",
    "source",
    "sourceIpAddress",
    "customerId",
    "contextId",
    "taskId",
    "userEmail",
    "permission",
    "scope",
    "version",
    "count",
];

/// What was asked for.
struct Question {
    filter: Option<Filter>,
    page: Page,
    oldest_first: bool,
    sort: Option<Sort>,
}

/// Answers the list.
pub(crate) async fn list(
    audit: &AuditLog,
    workspace: &WorkspaceId,
    customer: &CustomerId,
    query: &[(String, String)],
) -> Result<Value, Refusal> {
    let question = Question::read(query)?;
    audit.settle().await.map_err(|error| unread(&error))?;
    let (items, total) = if question.filter.is_none() && question.sort.is_none() {
        one_page(audit, workspace, customer, &question).await
    } else {
        found(audit, workspace, customer, &question).await
    }?;
    Ok(json!({
        "items": items,
        "total": total,
        "numItems": items.len(),
        "pageLimit": question.page.limit,
        "pageOffset": question.page.offset,
    }))
}

/// Nothing to look for: the database counts and skips.
async fn one_page(
    audit: &AuditLog,
    workspace: &WorkspaceId,
    customer: &CustomerId,
    question: &Question,
) -> Result<(Vec<Value>, usize), Refusal> {
    let Page { limit, offset } = question.page;
    let total = audit.total(workspace).await;
    let rows = audit
        .page(workspace, question.oldest_first, offset, limit)
        .await;
    let rows = rows.map_err(|error| unread(&error))?;
    let items = rows.iter().map(|row| render(row, customer)).collect();
    Ok((items, total.map_err(|error| unread(&error))?))
}

/// Looks at every event of the workspace, some at a time.
async fn found(
    audit: &AuditLog,
    workspace: &WorkspaceId,
    customer: &CustomerId,
    question: &Question,
) -> Result<(Vec<Value>, usize), Refusal> {
    let Page { limit, offset } = question.page;
    let range = offset..offset.saturating_add(limit);
    let (mut items, mut total, mut after) = (Vec::new(), 0, None);
    loop {
        let chunk = AuditQuery {
            workspace: Some(workspace.clone()),
            oldest_first: question.oldest_first,
            after,
            limit: CHUNK,
        };
        let rows = audit.read(&chunk).await.map_err(|error| unread(&error))?;
        for row in &rows {
            let item = render(row, customer);
            if question.admits(&item) {
                if question.sort.is_some() || range.contains(&total) {
                    items.push(item);
                }
                total += 1;
            }
        }
        if question.sort.is_some() && items.len() > MOST_SORTED {
            return Err(Refusal::BadRequest(format!(
                "more than {MOST_SORTED} events match; sort by occurredAt or narrow the filter"
            )));
        }
        match rows.last() {
            Some(last) if rows.len() == CHUNK as usize => after = Some(last.sequence),
            _ => break,
        }
    }
    if let Some(sort) = &question.sort {
        let mut placed: Vec<_> = items.into_iter().map(|it| (sort.place(&it), it)).collect();
        placed.sort_by(|(a, _), (b, _)| sort.compare(a, b));
        let page = question.page.of(&placed).iter();
        items = page.map(|(_, item)| item.clone()).collect();
    }
    Ok((items, total))
}

fn unread(error: &StoreError) -> Refusal {
    let error: &(dyn std::error::Error + 'static) = error;
    tracing::error!(error, "the audit log was not read");
    Refusal::Unavailable
}

impl Question {
    fn admits(&self, item: &Value) -> bool {
        self.filter
            .as_ref()
            .is_none_or(|filter| filter.matches(item))
    }

    fn read(query: &[(String, String)]) -> Result<Self, Refusal> {
        let value = |name: &str| {
            query
                .iter()
                .find(|(known, _)| known == name)
                .map(|(_, value)| value.as_str())
        };
        let bad = |what: &str, error: &dyn std::fmt::Display| {
            Refusal::BadRequest(format!("{what}: {error}"))
        };
        let filters = query
            .iter()
            .filter(|(name, _)| name == "filter")
            .map(|(_, f)| f.as_str());
        let filter = Filter::parse_all(filters).map_err(|error| bad("filter", &error))?;
        let known = Attributes::of(ATTRIBUTES);
        if let Some(filter) = &filter {
            filter
                .check(&known)
                .map_err(|error| bad("filter", &error))?;
        }
        let mut page = Page::parse(value("limit"), value("offset"), DEFAULT_LIMIT)
            .map_err(|error| bad("page", &error))?;
        // Clients go on from the limit that the answer names.
        page.limit = page.limit.min(MOST_LISTED);
        let sort = value("sort").filter(|text| !text.trim().is_empty());
        // The log is kept in the order of writing, which is that of time but for counted events, which
        // are written up to two seconds late; only another order has to be made.
        let words: Vec<&str> = sort.unwrap_or_default().split_whitespace().collect();
        let by_time = words
            .first()
            .is_none_or(|name| name.eq_ignore_ascii_case("occurredAt"))
            && words.len() <= 2
            && !sort.unwrap_or_default().contains(',');
        let oldest_first = sort.is_some()
            && by_time
            && words
                .get(1)
                .is_none_or(|direction| direction.eq_ignore_ascii_case("asc"));
        let sort = sort
            .map(|text| Sort::parse(text).map_err(|error| bad("sort", &error)))
            .transpose()?;
        if let Some(sort) = &sort {
            sort.check(&known).map_err(|error| bad("sort", &error))?;
        }
        let sort = sort.filter(|_| !by_time);
        Ok(Self {
            filter,
            page,
            oldest_first,
            sort,
        })
    }
}

fn render(stored: &StoredEvent, customer: &CustomerId) -> Value {
    let event = &stored.event;
    let mut item = json!({
        "id": event.id,
        "uniqueId": format!("audit.events+0+{}", stored.sequence),
        "code": event.code,
        "message": event.message,
        "state": event.state.as_str(),
        "occurredAt": event.occurred_at.to_string(),
        "loggedAt": stored.logged_at.to_string(),
        "associatedResource": {
            "id": event.resource.id,
            "name": event.resource.name,
            "type": event.resource.kind,
        },
        "source": event.source,
        "sourceIpAddress": event.source_ip,
        "customerId": customer.as_str(),
        "contextId": event.client_id,
        "taskId": event.task_id,
        "userEmail": event.user_email,
        "permission": event.permission,
        "scope": "",
        "version": 1,
    });
    // A row that stands for several events says so.
    if event.counted.is_some() {
        item["count"] = json!(event.count);
    }
    item
}
