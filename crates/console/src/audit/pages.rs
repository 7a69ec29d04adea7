//! The audit log in the browser: the list with its filters, and an event with all that is known of it.

use std::collections::HashMap;
use std::sync::Arc;

use askama::Template;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Response;
use hallpass_access::platform::AUDIT_READ;
use hallpass_store::AuditState;
use hallpass_store::audit::{AuditPage, StoredEvent};

use super::filter::{Filter, NOBODYS};
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;
use crate::time::Shown;
use crate::{Console, SOURCE};

/// Events on a page.
const PAGE: usize = 50;

/// The parts of the system that events come from, besides the guarded APIs, which are named by their
/// addresses.
const SOURCES: [&str; 4] = [SOURCE, "authorization-server", "hallpass admin", "hallpass"];

#[derive(Template)]
#[template(path = "audit/list.html")]
struct List {
    filter: Filter,
    problem: Option<String>,
    states: Vec<Choice>,
    /// Parts of the system, to choose from.
    sources: Vec<String>,
    /// Whether there is a choice of whose events are shown.
    of_system: Option<bool>,
    rows: Vec<Row>,
    /// The query of the exports.
    query: String,
    /// The address of the next page.
    older: Option<String>,
    /// A search read only a part of the log, and this many rows of it.
    looked_at: Option<usize>,
    is_first: bool,
}

struct Choice {
    value: &'static str,
    words: &'static str,
    chosen: bool,
}

#[derive(Template)]
#[template(path = "audit/details.html")]
struct Details {
    row: Row,
    facts: Vec<(&'static str, String)>,
    /// The queries for more of the same person, and of the same client.
    of_person: String,
    of_client: String,
}

/// What clients are called, by their ids.
type Names = HashMap<String, String>;

/// An event in the words of people.
struct Row {
    href: String,
    time: String,
    machine_time: String,
    outcome: &'static str,
    tone: &'static str,
    what: String,
    on: String,
    person: String,
    /// What the client is called, if it is still there.
    credential: String,
    client: String,
    address: String,
    count: u64,
}

pub(super) async fn list(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    let outcome = console.audit_list(&by).await;
    outcome.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

pub(super) async fn details(
    State(console): State<Arc<Console>>,
    by: SignedIn,
    Path(sequence): Path<String>,
) -> Response {
    let outcome = console.audit_details(&by, &sequence).await;
    outcome.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

impl Console {
    async fn audit_list(&self, by: &SignedIn) -> Result<Response, PageRefusal> {
        let permitted = self.permit_person(by, AUDIT_READ).await?;
        let filter = Filter::read(by.uri().query());
        let seen = self.seen_events(permitted.caller());
        let of_system = seen.nobodys.then_some(filter.of == NOBODYS);
        let wanted = self.wanted_events(&filter, permitted.caller());
        let wanted = wanted.and_then(|search| Ok((search, filter.limit(PAGE)?)));
        let (status, mut page) = match wanted {
            Ok((search, limit)) => {
                self.audit.settle().await?;
                let found = self.audit.search(&search, limit).await?;
                let names = self.client_names(seen.workspace);
                (StatusCode::OK, List::of(filter, &found, limit, &names))
            }
            Err(error) => {
                let page = List::refused(filter, error.to_string());
                (StatusCode::UNPROCESSABLE_ENTITY, page)
            }
        };
        let instances = self.addresses.instances.values().cloned();
        let own = SOURCES.map(str::to_owned).into_iter();
        page.sources = own.chain(instances).collect();
        page.of_system = of_system;
        Ok(self.page_with(status, by, Place::Audit, "Audit", page))
    }

    async fn audit_details(&self, by: &SignedIn, sequence: &str) -> Result<Response, PageRefusal> {
        let permitted = self.permit_person(by, AUDIT_READ).await?;
        let found = self.event_seen(permitted.caller(), sequence).await?;
        let stored = found.ok_or(PageRefusal::NotFound)?;
        let names = self.client_names(permitted.workspace());
        let page = Details::of(&stored, &names);
        Ok(self.page(by, Place::Audit, "Audit event", page))
    }
}

impl List {
    fn of(filter: Filter, found: &AuditPage, limit: usize, names: &Names) -> Self {
        let mut page = Self::refused(filter, String::new());
        page.problem = None;
        let next = found.next.map(|next| next.to_string());
        page.older = next.map(|next| page.filter.query(&next));
        let is_short = found.events.len() < limit && page.older.is_some();
        page.looked_at = is_short.then_some(found.read);
        page.rows = found
            .events
            .iter()
            .map(|event| Row::of(event, names))
            .collect();
        page
    }

    fn refused(filter: Filter, problem: String) -> Self {
        let states = AuditState::ALL.map(|state| Choice {
            value: state.as_str(),
            words: outcome(state).0,
            chosen: filter.state == state.as_str(),
        });
        Self {
            query: filter.query(""),
            is_first: filter.after.is_empty(),
            problem: Some(problem),
            states: states.into(),
            sources: Vec::new(),
            of_system: None,
            rows: Vec::new(),
            older: None,
            looked_at: None,
            filter,
        }
    }
}

impl Details {
    fn of(stored: &StoredEvent, names: &Names) -> Self {
        let event = &stored.event;
        let row = Row::of(stored, names);
        let last = if event.count > 1 {
            Shown(stored.logged_at).exact()
        } else {
            String::new()
        };
        let facts = [
            ("Time", Shown(event.occurred_at).exact()),
            ("Times counted", event.count.to_string()),
            ("Last time", last),
            ("Person", event.user_email.clone()),
            ("Credential", row.credential.clone()),
            ("Client id", event.client_id.clone()),
            ("From", event.source_ip.clone()),
            ("Part of the system", event.source.clone()),
            ("Permission", event.permission.clone()),
            ("Code", event.code.clone()),
            ("Kind of resource", event.resource.kind.clone()),
            ("Resource", event.resource.name.clone()),
            ("Resource id", event.resource.id.clone()),
            ("Task", event.task_id.clone()),
            ("Event id", event.id.clone()),
        ];
        let like = |filter: Filter| filter.query("");
        Self {
            of_person: like(Filter {
                person: event.user_email.clone(),
                ..Filter::default()
            }),
            of_client: like(Filter {
                client_id: event.client_id.clone(),
                ..Filter::default()
            }),
            row,
            facts: facts
                .into_iter()
                .filter(|(_, text)| !text.is_empty())
                .collect(),
        }
    }
}

impl Row {
    fn of(stored: &StoredEvent, names: &Names) -> Self {
        let event = &stored.event;
        let (outcome, tone) = outcome(event.state);
        let resource = &event.resource;
        let on = [&resource.name, &resource.id];
        let on = on.into_iter().find(|text| !text.is_empty());
        // What the message says already is not said again.
        let on = on.filter(|on| !event.message.contains(on.as_str()));
        Self {
            href: format!("{}/{}", super::AUDIT_PATH, stored.sequence),
            time: event.occurred_at.strftime("%Y-%m-%d %H:%M:%S").to_string(),
            machine_time: Shown(event.occurred_at).exact(),
            outcome,
            tone,
            what: event.message.clone(),
            on: on.cloned().unwrap_or_default(),
            person: event.user_email.clone(),
            credential: names.get(&event.client_id).cloned().unwrap_or_default(),
            client: event.client_id.clone(),
            address: event.source_ip.clone(),
            count: event.count,
        }
    }
}

/// How an event ended, in a word, and how good that is.
fn outcome(state: AuditState) -> (&'static str, &'static str) {
    match state {
        AuditState::Initiated => ("Begun", "quiet"),
        AuditState::Success => ("Done", "good"),
        AuditState::Failure => ("Failed", "bad"),
        AuditState::PermissionDenied => ("Not permitted", "bad"),
    }
}
