//! What the page is told of an answer: how it came, how it differs from the definition, where it leads,
//! and what its errors mean. The body itself is fetched apart, as it came.

use std::sync::Arc;

use hallpass_client::{BuiltRequest, Client, Kept, Response};
use hallpass_openapi::Operation;
use serde::Serialize;
use serde_json::Value;

use super::compose::{Composed, Gathered};
use super::links::{Leads, Link};
use super::preview::{Header, unmasked};
use super::secrecy::Secrets;
use crate::authorization::SentWith;
use crate::id::Id;
use crate::workspace::Draft;

/// An answer, as the page knows it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Answered {
    pub(super) id: Id,
    pub(super) status: u16,
    reason: &'static str,
    pub(super) milliseconds: u64,
    size: u64,
    headers: Vec<Named>,
    media_type: Option<String>,
    /// How many bytes of the body are at hand.
    kept: usize,
    /// Whether that is all of it.
    complete: bool,
    /// Whether it is too large for the page: it can be saved.
    file: bool,
    pub(super) url: String,
    pub(super) method: String,
    sent: Sent,
    events: Vec<String>,
    violations: Vec<Difference>,
    /// Whether the definition declares the status; true without an operation.
    known: bool,
    list: Option<List>,
    next: Option<Draft>,
    task: Option<Task>,
    links: Vec<Link>,
    problem: Option<Problem>,
    token: Option<SentWith>,
    /// The operation that it is an answer of.
    pub(super) definition: Option<Id>,
    pub(super) operation: Option<String>,
}

#[derive(Debug, Serialize)]
struct Named {
    name: String,
    value: String,
}

#[derive(Debug, Serialize)]
struct Sent {
    headers: Vec<Header>,
    body: Option<String>,
}

/// A difference from the definition.
#[derive(Debug, PartialEq, Eq, Serialize)]
struct Difference {
    pointer: String,
    what: String,
}

#[derive(Debug, Serialize)]
struct List {
    items: usize,
    total: Option<u64>,
    offset: u64,
    limit: Option<u64>,
}

#[derive(Debug, Serialize)]
struct Task {
    uri: String,
    draft: Draft,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Problem {
    what: String,
    hint: String,
    code: Option<String>,
    trace_id: Option<String>,
}

/// What came of a request, and what is needed to look at it.
pub(super) struct Outcome {
    pub(super) id: Id,
    pub(super) milliseconds: u64,
    /// The headers that were sent, as they are shown.
    pub(super) headers: Vec<Header>,
    pub(super) gathered: Arc<Gathered>,
    pub(super) shown: Composed,
    pub(super) request: BuiltRequest,
    pub(super) client: Client,
    pub(super) events: Vec<String>,
    pub(super) token: Option<SentWith>,
    pub(super) kept: Kept,
    pub(super) secrets: Arc<Secrets>,
}

impl Outcome {
    /// Looks at it. Takes its time with a large body.
    pub(super) fn look(self) -> Answered {
        let response = self.kept.response();
        let complete = self.kept.overflow().is_none();
        let body: Option<Value> = complete
            .then(|| serde_json::from_slice(response.body()).ok())
            .flatten();
        let known = self.shown.known.as_ref();
        let operation = known.map(super::compose::Known::operation);
        let leads = Leads::new(&self);
        let page = complete
            .then(|| self.client.page_of(&self.request, response))
            .flatten()
            .filter(|_| response.status().is_success());
        let task = complete
            .then(|| self.client.task_of(response))
            .flatten()
            .filter(|_| response.status().is_success());
        let shown = self.shown.request.as_ref();
        let header = |(name, value): (&http::HeaderName, &http::HeaderValue)| Named {
            name: name.to_string(),
            value: String::from_utf8_lossy(value.as_bytes()).into_owned(),
        };
        Answered {
            status: response.status().as_u16(),
            reason: response.status().canonical_reason().unwrap_or_default(),
            milliseconds: self.milliseconds,
            size: self.kept.size(),
            headers: response.headers().iter().map(header).collect(),
            media_type: response.media_type(),
            kept: response.body().len(),
            complete,
            file: !complete,
            url: shown.map_or_else(String::new, |(server, request)| {
                unmasked(&format!("{}{}", server.as_str(), request.path_and_query))
            }),
            method: self.shown.method.to_string(),
            violations: self.differences(body.as_ref()),
            known: operation.is_none_or(|one| declares(one, response.status().as_u16())),
            next: page
                .as_ref()
                .and_then(|page| leads.next(page.next.as_deref()?)),
            list: page.map(|page| List {
                items: page.items,
                total: page.total,
                offset: page.offset,
                limit: limit(body.as_ref()),
            }),
            task: task.map(|task| Task {
                uri: self.secrets.masked(task.path()),
                draft: leads.to_path(task.path()),
            }),
            links: body
                .as_ref()
                .map(|body| leads.all(body))
                .unwrap_or_default(),
            problem: response.problem().map(|problem| Problem {
                what: std::iter::once(problem.message().to_owned())
                    .chain(problem.details().iter().cloned())
                    .collect::<Vec<_>>()
                    .join("; "),
                hint: advice(&problem),
                code: problem.code().map(str::to_owned),
                trace_id: problem.trace_id().map(str::to_owned),
            }),
            sent: Sent {
                headers: self.headers.clone(),
                body: self
                    .shown
                    .filled
                    .body
                    .as_ref()
                    .map(|body| body.text.clone()),
            },
            definition: known.map(|known| known.id.clone()),
            operation: operation.map(|one| one.id().to_owned()),
            id: self.id,
            events: self.events,
            token: self.token,
        }
    }

    fn differences(&self, body: Option<&Value>) -> Vec<Difference> {
        let Some(known) = &self.shown.known else {
            return Vec::new();
        };
        let (operation, response) = (known.operation(), self.kept.response());
        let status = response.status().as_u16();
        let whole = |what: String| Difference {
            pointer: String::new(),
            what,
        };
        if !declares(operation, status) {
            let what = format!(
                "the definition of {} says nothing of HTTP {status}",
                operation.id()
            );
            return vec![whole(what)];
        }
        match body {
            Some(body) => {
                let found = known.definition().check_response(operation, status, body);
                let found = found.into_iter().take(MOST_DIFFERENCES);
                found
                    .map(|one| Difference {
                        pointer: one.pointer,
                        what: one.message,
                    })
                    .collect()
            }
            None => no_json(operation, response, self.kept.overflow().is_some())
                .map(whole)
                .into_iter()
                .collect(),
        }
    }
}

/// What is to be said when JSON was declared and something else came.
fn no_json(operation: &Operation, response: &Response, large: bool) -> Option<String> {
    let status = response.status().as_u16();
    let wanted = declared(operation, status).is_some_and(|(_, schema)| schema.is_some());
    if !wanted || large {
        return None;
    }
    if response.body().is_empty() {
        return Some("the definition declares a body, and none came".to_owned());
    }
    Some(match response.media_type() {
        Some(name) if !name.ends_with("json") => {
            format!("the definition declares JSON, and this is {name}")
        }
        _ => "the body is no JSON".to_owned(),
    })
}

fn declares(operation: &Operation, status: u16) -> bool {
    declared(operation, status).is_some()
}

/// Which declared response speaks for a status: itself, its range, or the default.
fn declared(operation: &Operation, status: u16) -> Option<&(String, Option<Value>)> {
    let names = [
        status.to_string(),
        format!("{}XX", status / 100),
        "default".to_owned(),
    ];
    names.iter().find_map(|name| {
        let mut all = operation.responses().iter();
        all.find(|(declared, _)| declared.eq_ignore_ascii_case(name))
    })
}

/// The size of a page, as the server understood it.
fn limit(body: Option<&Value>) -> Option<u64> {
    let body = body?;
    ["pageLimit", "limit", "count"]
        .iter()
        .find_map(|name| body.get(name)?.as_u64())
}

/// What to do about a refusal, in the words of the page.
fn advice(problem: &hallpass_client::ApiProblem) -> String {
    let own = match problem.status() {
        400 | 422 => {
            "the server does not take these values; compare what was sent with the documentation, \
             a filter's columns first"
        }
        401 => {
            "the server does not take the token: get a new one in Authorization, and check that the \
             credential belongs to this region and service"
        }
        300..=399 => "the server sends you elsewhere; check the address of the environment",
        _ => "",
    };
    if own.is_empty() {
        return problem.hint().unwrap_or_default();
    }
    own.to_owned()
}

/// How many differences are told.
const MOST_DIFFERENCES: usize = 100;
