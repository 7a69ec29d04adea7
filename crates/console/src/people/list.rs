//! The page that lists the people of a workspace.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use hallpass_access::platform::{WORKSPACE_READ, WORKSPACE_UPDATE};

use super::selection::{Selection, Sort};
use super::{Entry, USERS_PAGE};
use crate::Console;
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;
use crate::time::Shown;

/// How many people a page shows.
const ON_A_PAGE: usize = 50;

#[derive(Template)]
#[template(path = "users.html")]
struct Users {
    may_change: bool,
    search: String,
    state: &'static str,
    sort: String,
    /// Value, name and whether it is chosen.
    roles: Vec<(String, String, bool)>,
    columns: Vec<Column>,
    people: Vec<Row>,
    first: usize,
    total: usize,
    filtered: bool,
    earlier: Option<String>,
    later: Option<String>,
}

/// A heading that sorts by its column.
struct Column {
    title: &'static str,
    href: String,
    /// How the list is sorted by it now.
    sorted: Option<&'static str>,
}

struct Row {
    id: String,
    email: String,
    state: &'static str,
    /// Role, and where.
    roles: Vec<(String, String)>,
    last_sign_in: Option<Shown>,
    added: Option<Shown>,
    second_factor: bool,
    credentials: usize,
}

pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    let page = console.users_page(&by).await;
    page.unwrap_or_else(|refusal| refusal.answer(by.uri()))
}

impl Console {
    async fn users_page(&self, by: &SignedIn) -> Result<Response, PageRefusal> {
        let permitted = self.permit_person(by, WORKSPACE_READ).await?;
        let query = by.uri().query().unwrap_or_default();
        // Nobody types these: what is not understood comes from an address that was cut off.
        let mut selection = Selection::read(query).unwrap_or_default();
        selection.limit = Some(ON_A_PAGE);
        let (people, total) = selection.of(self.people_of(permitted.workspace()).await?);
        let known = self.custom_roles.list(permitted.workspace());
        let known = known
            .iter()
            .map(|role| (role.id.to_string(), role.role.name()));
        let built_in = hallpass_access::Role::ALL.map(|role| (role.to_string(), role.to_string()));
        let all = built_in.into_iter();
        let all = all.chain(known.map(|(id, name)| (id, name.to_owned())));
        let page = Users {
            may_change: by.roles().permits(&WORKSPACE_UPDATE),
            roles: all
                .map(|(id, name)| {
                    let chosen = id == selection.role;
                    (id, name, chosen)
                })
                .collect(),
            state: selection.state.map_or("", super::State::as_str),
            sort: sort_word(selection.sort, selection.descending),
            columns: columns(&selection),
            first: selection.offset.saturating_add(1),
            filtered: !selection.search.is_empty()
                || !selection.role.is_empty()
                || selection.state.is_some(),
            earlier: (selection.offset > 0)
                .then(|| page_at(&selection, selection.offset.saturating_sub(ON_A_PAGE))),
            later: (selection.offset.saturating_add(people.len()) < total)
                .then(|| page_at(&selection, selection.offset.saturating_add(ON_A_PAGE))),
            people: people.iter().map(|entry| self.user_row(entry)).collect(),
            search: selection.search,
            total,
        };
        Ok(self.page(by, Place::Users, "Users", page))
    }

    fn user_row(&self, entry: &Entry) -> Row {
        let roles = entry.person.roles.iter();
        Row {
            id: entry.person.id.to_string(),
            email: entry.person.email.to_string(),
            state: entry.state().as_str(),
            roles: roles
                .map(|(instance, role)| (role.to_string(), self.instance_word(instance.as_ref())))
                .collect(),
            last_sign_in: entry
                .facts
                .and_then(|facts| facts.last_sign_in_at)
                .map(Shown),
            added: entry.facts.map(|facts| Shown(facts.created_at)),
            second_factor: entry.has_second_factor(),
            credentials: entry.credentials,
        }
    }

    /// The short word of an instance.
    fn instance_word(&self, id: Option<&hallpass_oauth::ApplicationInstanceId>) -> String {
        let Some(id) = id else {
            return "everywhere".to_owned();
        };
        let known = self.workspaces.find_instance(id.as_str());
        known.map_or_else(|| id.to_string(), |instance| instance.name.clone())
    }
}

fn columns(selection: &Selection) -> Vec<Column> {
    let column = |title, sort| {
        let current = selection.sort == sort;
        let descending = current && !selection.descending;
        Column {
            title,
            href: address(selection, sort, descending, 0),
            sorted: current.then_some(if selection.descending {
                "descending"
            } else {
                "ascending"
            }),
        }
    };
    vec![
        column("E-mail address", Sort::Email),
        column("Last sign-in", Sort::LastSignInAt),
        column("Credentials", Sort::Credentials),
        column("Added", Sort::CreatedAt),
    ]
}

fn page_at(selection: &Selection, offset: usize) -> String {
    address(selection, selection.sort, selection.descending, offset)
}

fn address(selection: &Selection, sort: Sort, descending: bool, offset: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    let state = selection.state.map_or("", super::State::as_str);
    for (name, value) in [
        ("search", selection.search.as_str()),
        ("role", selection.role.as_str()),
        ("state", state),
    ] {
        if !value.is_empty() {
            query.append_pair(name, value);
        }
    }
    query.append_pair("sort", &sort_word(sort, descending));
    if offset > 0 {
        query.append_pair("offset", &offset.to_string());
    }
    format!("{USERS_PAGE}?{}", query.finish())
}

fn sort_word(sort: Sort, descending: bool) -> String {
    let order = if descending { "desc" } else { "asc" };
    format!("{} {order}", sort.as_str())
}
