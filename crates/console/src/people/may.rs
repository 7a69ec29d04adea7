//! What a person may do: the operations of an application instance, and which role allows each.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use hallpass_access::platform::WORKSPACE_READ;
use hallpass_oauth::ApplicationInstanceId;
use hallpass_store::Person;

use super::wire::OperationItem;
use crate::Console;
use crate::in_path::InPath;
use crate::operations::{Listed, Operations};
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;

#[derive(Template)]
#[template(path = "user_may.html")]
struct May {
    id: String,
    email: String,
    enabled: bool,
    instances: Vec<(String, String, bool)>,
    show: String,
    search: String,
    groups: Vec<Group>,
    allowed: usize,
    all: usize,
    shown: usize,
}

struct Group {
    resource: String,
    operations: Vec<Row>,
}

struct Row {
    method: String,
    path: String,
    id: String,
    asks_for: String,
    allowed: bool,
    by: String,
}

pub(super) async fn show(
    State(console): State<Arc<Console>>,
    InPath(id): InPath<String>,
    by: SignedIn,
) -> Response {
    let page = console.may_page(&by, &id).await;
    page.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

impl Console {
    /// The operations of an instance; `wanted` keeps those that the person may, or may not, do.
    pub(super) fn allowed(
        &self,
        person: &Person,
        instance: &ApplicationInstanceId,
        wanted: Option<bool>,
    ) -> Vec<OperationItem> {
        let operations = self.operations_of(instance).iter();
        let items = operations.filter_map(|operation| {
            let (allowed, by) = decided(person, instance, operation);
            let shown = wanted.is_none_or(|wanted| wanted == allowed);
            shown.then(|| OperationItem::new(operation, allowed, by))
        });
        items.collect()
    }

    /// The operations that are called at an instance.
    pub(crate) fn operations_of(&self, instance: &ApplicationInstanceId) -> &Operations {
        if *instance == ApplicationInstanceId::platform() {
            &self.platform_operations
        } else {
            &self.operations
        }
    }

    async fn may_page(&self, by: &SignedIn, id: &str) -> Result<Response, PageRefusal> {
        let permitted = self.permit_person(by, WORKSPACE_READ).await?;
        let person = self.user_of(permitted.workspace(), id);
        let person = person.ok_or(PageRefusal::NotFound)?;
        let query = by.uri().query().unwrap_or_default();
        let asked = |name: &str| {
            let mut pairs = form_urlencoded::parse(query.as_bytes());
            let found = pairs.find(|(known, _)| known == name);
            found
                .map(|(_, value)| value.trim().to_owned())
                .unwrap_or_default()
        };
        let instances = self.workspaces.instances();
        let chosen = instances
            .iter()
            .find(|one| one.name == asked("instance"))
            .or_else(|| instances.last());
        let chosen = chosen.ok_or(PageRefusal::NotFound)?;
        let (show, search) = (asked("show"), asked("search"));
        let mut page = May {
            id: person.id.to_string(),
            email: person.email.to_string(),
            enabled: person.enabled,
            instances: instances
                .iter()
                .map(|one| (one.name.clone(), one.title.clone(), one.id == chosen.id))
                .collect(),
            show,
            search,
            groups: Vec::new(),
            allowed: 0,
            all: 0,
            shown: 0,
        };
        page.fill(&person, &chosen.id, self.operations_of(&chosen.id));
        let title = format!("What {} may do", person.email);
        Ok(self.page(by, Place::Users, &title, page))
    }
}

impl May {
    fn fill(&mut self, person: &Person, instance: &ApplicationInstanceId, all: &Operations) {
        for (resource, operations) in all.by_resource() {
            let mut rows = Vec::new();
            for operation in operations {
                let (allowed, by) = decided(person, instance, operation);
                self.all += 1;
                self.allowed += usize::from(allowed);
                let wanted = match self.show.as_str() {
                    "allowed" => allowed,
                    "refused" => !allowed,
                    _ => true,
                };
                if wanted && operation.is_found_by(&self.search) {
                    rows.push(Row {
                        method: operation.method.clone(),
                        path: operation.path.clone(),
                        id: operation.id.clone(),
                        asks_for: operation.asks_for(),
                        allowed,
                        by: by.join(", "),
                    });
                }
            }
            self.shown += rows.len();
            if !rows.is_empty() {
                self.groups.push(Group {
                    resource: resource.to_owned(),
                    operations: rows,
                });
            }
        }
    }
}

/// Whether a person may do an operation there, and the roles that allow it: none where it is allowed for
/// what is their own.
fn decided(
    person: &Person,
    instance: &ApplicationInstanceId,
    operation: &Listed,
) -> (bool, Vec<String>) {
    if !person.enabled {
        return (false, Vec::new());
    }
    let here = person
        .roles
        .iter()
        .filter(|(on, _)| on.as_ref().is_none_or(|on| on == instance))
        .map(|(_, role)| role);
    let mut by: Vec<String> = here
        .filter(|role| {
            let permission = operation.permission();
            permission.is_none_or(|permission| role.permits(permission))
        })
        .map(ToString::to_string)
        .collect();
    by.dedup();
    let own = operation.own && !person.roles.is_empty();
    (own || !by.is_empty(), by)
}
