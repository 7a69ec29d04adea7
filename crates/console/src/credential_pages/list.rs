//! The list of credentials: one's own, or everybody's in the workspace for those who may see them.

use std::sync::Arc;

use askama::Template;
use axum::extract::State;
use axum::response::Response;
use hallpass_access::platform::WORKSPACE_READ;

use super::shown::{InstanceShown, Shown};
use super::{CREDENTIALS_PAGE, answered};
use crate::Console;
use crate::credentials::selection::{Column, Order, Selection};
use crate::page::{PageRefusal, Place};
use crate::session::SignedIn;

/// Credentials on a page.
const PER_PAGE: usize = 25;

/// The order, unless another one is asked for.
const NEWEST_FIRST: Order = Order {
    by: Column::Created,
    descending: true,
};

#[derive(Template)]
#[template(path = "credentials/list.html")]
struct List {
    credentials: Vec<Shown>,
    instances: Vec<InstanceShown>,
    /// Whether everybody's are shown.
    everybody: bool,
    may_see_everybody: bool,
    selection: Selection,
    columns: Vec<Heading>,
    owned: usize,
    limit: usize,
    /// How many there are before anything is left out.
    of: usize,
    total: usize,
    token_url: String,
    pages: Pages,
    /// The sort as it stands in the query.
    sort: String,
}

/// A heading that sorts.
struct Heading {
    title: &'static str,
    href: String,
    /// For `aria-sort`.
    sorted: Option<&'static str>,
}

struct Pages {
    number: usize,
    count: usize,
    previous: Option<String>,
    next: Option<String>,
}

pub(super) async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    let outcome = console.list_page(&by).await;
    answered(&by, outcome)
}

impl Console {
    async fn list_page(&self, by: &SignedIn) -> Result<Response, PageRefusal> {
        let query = by.uri().query().unwrap_or_default();
        let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .into_owned()
            .collect();
        let asked = |name: &str| {
            let found = query.iter().find(|(known, _)| known == name);
            found.map_or("", |(_, value)| value.as_str())
        };
        let everybody = asked("owner") == "all";
        if everybody {
            self.permit_person(by, WORKSPACE_READ).await?;
        }
        let pairs = query
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        // A link that somebody has changed by hand shows everything.
        let mut selection = Selection::read(pairs).unwrap_or_default();
        // What was just made is looked for first.
        selection.order.get_or_insert(NEWEST_FIRST);
        let person = by.person();
        let all = if everybody {
            let mut all = self.credentials.list(None);
            all.retain(|credential| credential.workspace == person.workspace);
            all
        } else {
            self.credentials.list(Some(person.id))
        };
        let instances = self.instances();
        let of = all.len();
        let found = selection.apply(all, &instances, by.now());
        let count = found.len().div_ceil(PER_PAGE).max(1);
        let number = asked("page").parse().unwrap_or(1).clamp(1, count);
        let here = found.iter().skip((number - 1) * PER_PAGE).take(PER_PAGE);
        let page = |number: usize| address(everybody, &selection, selection.order, number);
        let content = List {
            credentials: here
                .map(|credential| Shown::new(credential, &instances, by.now()))
                .collect(),
            instances: instances.iter().map(|one| one.as_ref().into()).collect(),
            everybody,
            may_see_everybody: by.roles().permits(&WORKSPACE_READ),
            columns: headings(everybody, &selection),
            owned: self.credentials.list(Some(person.id)).len(),
            limit: self.credentials.limits().per_owner,
            of,
            total: found.len(),
            token_url: self.addresses.token_url.clone(),
            pages: Pages {
                number,
                count,
                previous: (number > 1).then(|| page(number - 1)),
                next: (number < count).then(|| page(number + 1)),
            },
            sort: selection.order.map(Order::text).unwrap_or_default(),
            selection,
        };
        Ok(self.page(by, Place::Credentials, "API Client Credentials", content))
    }
}

impl List {
    fn is_state(&self, word: &str) -> bool {
        let state = self.selection.state;
        state.is_some_and(|state| crate::credentials::selection::state_word(state) == word)
    }

    fn is_instance(&self, region: &str) -> bool {
        self.selection.instance.as_deref() == Some(region)
    }
}

fn headings(everybody: bool, selection: &Selection) -> Vec<Heading> {
    let all = [
        (Column::Name, "Name"),
        (Column::Owner, "Owner"),
        (Column::Instance, "Instance"),
        (Column::ClientId, "Client ID"),
        (Column::Created, "Created"),
        (Column::LastUsed, "Last used"),
        (Column::Expires, "Expires"),
        (Column::State, "State"),
    ];
    all.into_iter()
        .filter(|(column, _)| everybody || *column != Column::Owner)
        .map(|(by, title)| {
            let present = selection.order.filter(|order| order.by == by);
            let descending = present.is_some_and(|order| !order.descending);
            Heading {
                title,
                href: address(everybody, selection, Some(Order { by, descending }), 1),
                sorted: present.map(|order| {
                    if order.descending {
                        "descending"
                    } else {
                        "ascending"
                    }
                }),
            }
        })
        .collect()
}

/// The address of the list with that selection.
fn address(everybody: bool, selection: &Selection, order: Option<Order>, page: usize) -> String {
    let mut query = form_urlencoded::Serializer::new(String::new());
    if everybody {
        query.append_pair("owner", "all");
    }
    if let Some(instance) = &selection.instance {
        query.append_pair("instance", instance);
    }
    if let Some(state) = selection.state {
        query.append_pair("state", crate::credentials::selection::state_word(state));
    }
    if !selection.search.is_empty() {
        query.append_pair("search", &selection.search);
    }
    if let Some(order) = order {
        query.append_pair("sort", &order.text());
    }
    if page > 1 {
        query.append_pair("page", &page.to_string());
    }
    format!("{CREDENTIALS_PAGE}?{}", query.finish())
}
