//! Issues: what is wrong with an object, or could be better (domain.md 4 and 6.2).
//!
//! An issue names its object by collection and id and is shown as long as the object is there: with
//! the object gone nothing is wrong with it any more. Issues cannot be changed by a call.

use std::borrow::Cow;

use hallpass_query::{AttributePath, Filter, Lookup};
use serde_json::{Value, json};

use super::host_views::Kind;
use super::routes::{Named, Row};
use super::{Call, Rendered, collection, not_found, systems};
use crate::rest::{Envelope, Item, Refusal, Virtual};
use crate::sandbox::Outcome;
use crate::state::State;
use crate::stored::{Fields, Stored};

/// What issues can be filtered by.
const FILTERABLE: &[&str] = &[
    "issueType",
    "severity",
    "category",
    "state",
    "relatedObject",
    "relatedObjectType",
    "relatedObjectOwner",
    "relatedObjectOwnerType",
    "ruleId",
    "createdAt",
];

/// Attributes that have few values; asking for another is an error here.
const VALUES: &[(&str, &[&str])] = &[
    ("issueType", &["ISSUE", "RECOMMENDATION"]),
    (
        "severity",
        &["CRITICAL", "WARNING", "INFO", "HIGH", "MEDIUM", "LOW"],
    ),
    (
        "state",
        &["CREATED", "ASSIGNED", "CLOSED", "SNOOZED", "DELETED"],
    ),
];

pub(super) const ROWS: &[Row] = &[
    Row::new("GET", "issues", &[], |call| list(call)).filtered_by(Virtual::Only(FILTERABLE)),
    Row::new("GET", "issues/{}", &[Named::Issue], |call| get(call)),
];

/// An issue that is shown, with its parts that filters call by other names.
struct Issue(Value);

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    if let Some(filter) = &question.filter {
        values_exist(filter)?;
    }
    let issues = call
        .state
        .all(collection::ISSUES)
        .filter_map(|(_, stored)| view(call, stored))
        .map(Issue);
    Ok(Outcome::ok(question.answer(issues, Envelope::Plain)))
}

fn get(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let id = call.path(0);
    let stored = call.state.get(collection::ISSUES, id);
    let shown = stored.and_then(|stored| view(call, stored));
    call.one(shown.ok_or_else(|| not_found("issue", id))?)
}

/// The declared 404 of a filter whose value does not exist (domain.md 6.2).
fn values_exist(filter: &Filter) -> Result<(), Refusal> {
    for (path, text) in filter.equalities() {
        let closed = VALUES.iter().find(|(name, _)| path.is(name));
        if let Some((name, values)) = closed
            && !values.contains(&text)
        {
            let values = values.join(", ");
            return Err(Refusal::NotFound(format!(
                "filter: there is no {name} {text}; there are {values}"
            )));
        }
    }
    Ok(())
}

impl Lookup for Issue {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        let part = |object: &str, field: &str| self.0.get(object)?.get(field).map(Cow::Borrowed);
        match () {
            () if path.is("relatedObject") => part("relatedResource", "resourceUri"),
            () if path.is("relatedObjectType") => part("relatedResource", "type"),
            () if path.is("relatedObjectOwner") => part("relatedResourceOwner", "resourceUri"),
            () if path.is("relatedObjectOwnerType") => part("relatedResourceOwner", "type"),
            () => self.0.lookup(path),
        }
    }
}

impl Item for Issue {
    fn render(&self) -> Value {
        Rendered(self.0.clone()).render()
    }
}

/// The issue as it is shown; nothing when its object is gone.
fn view(call: &Call<'_, '_>, stored: &Stored) -> Option<Value> {
    let id = stored.text("id");
    let object = reference(call.state, stored.text("about"), stored.text("aboutId"))?;
    let owner = reference(call.state, stored.text("owner"), stored.text("ownerId"));
    let owner = owner.unwrap_or_else(|| object.clone());
    let name = object.text("name").to_owned();
    let console = object
        .text("resourceUri")
        .replacen("/api/v1", "/data-ops-manager", 1);
    Some(json!({
        "id": id,
        "name": name,
        "type": "issue",
        "title": format!("{} {name}", stored.text("title")),
        "body": stored.field("body"),
        "issueType": stored.field("issueType"),
        "severity": stored.field("severity"),
        "category": stored.field("category"),
        "state": "CREATED",
        "ruleId": stored.field("ruleId"),
        "createdAt": stored.field("createdAt"),
        "lastOccurredAt": stored.field("createdAt"),
        "occurrenceCount": 1,
        "relatedResource": object,
        "relatedResourceOwner": owner,
        "customerId": call.request.caller.customer_id,
        "generation": "1",
        "resourceUri": format!("/api/v1/issues/{id}"),
        "additionalDetails": {"consoleUri": console},
    }))
}

fn reference(state: &State, collection: &str, id: &str) -> Option<Value> {
    let object = state.get(collection, id)?;
    let (kind, uri) = match collection {
        collection::SYSTEMS => ("storage-system", systems::uri(object)),
        collection::VOLUMES => {
            let system = state.get(collection::SYSTEMS, object.text("systemId"))?;
            ("volume", format!("{}/volumes/{id}", systems::uri(system)))
        }
        collection::POOLS => {
            let system = state.get(collection::SYSTEMS, object.text("systemId"))?;
            let uri = systems::uri(system);
            ("storage-pool", format!("{uri}/storage-pools/{id}"))
        }
        _ => (Kind::Host.name(), Kind::Host.uri(id)),
    };
    Some(json!({"name": object.field("name"), "type": kind, "resourceUri": uri}))
}
