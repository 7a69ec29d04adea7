//! The page of a definition: what it is, how to authenticate, and its operations by tag.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, RawQuery, Request, State};
use axum::response::Response;
use hallpass_openapi::{Definition, Operation};
use serde_json::Value;

use super::prose::Prose;
use super::{Reader, asked, titled};

#[derive(Template)]
#[template(path = "documentation/overview.html")]
struct Overview {
    title: String,
    version: String,
    about: Prose,
    file: String,
    path: String,
    /// Where this server answers for the API: title and base URL.
    instances: Vec<(String, String)>,
    /// Those that the definition names.
    servers: Vec<String>,
    guarded: bool,
    token_url: String,
    schemes: Vec<Scheme>,
    search: String,
    found: usize,
    all: usize,
    groups: Vec<Group>,
}

/// One way to authenticate.
struct Scheme {
    name: String,
    kind: String,
    about: Prose,
}

/// The operations with the same tag.
struct Group {
    name: String,
    rows: Vec<Row>,
}

struct Row {
    method: String,
    path: String,
    href: String,
    summary: String,
    id: String,
    needs: String,
    deprecated: bool,
}

pub(super) async fn show(
    State(reader): State<Arc<Reader>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    RawQuery(query): RawQuery,
    request: Request,
) -> Response {
    let page = reader.overview(&asked(query.as_deref(), "q"));
    let title = page.title.clone();
    reader
        .console
        .public_page(peer, request, &title, page)
        .await
}

impl Reader {
    fn overview(&self, search: &str) -> Overview {
        let definition = &self.book.definition;
        let groups = self.groups(search);
        let about = definition.document().pointer("/info/description");
        let instances = self.instances();
        let named = definition.servers().map(str::to_owned);
        let is_ours = |server: &String| instances.iter().any(|(_, url)| url == server);
        Overview {
            title: titled(definition),
            version: definition.version().to_owned(),
            about: Prose::read(about.and_then(Value::as_str).unwrap_or_default()),
            file: self.book.file.clone(),
            path: self.book.path.clone(),
            servers: named.filter(|server| !is_ours(server)).collect(),
            instances,
            guarded: self.book.guarded.is_some(),
            token_url: self.console.addresses.token_url.clone(),
            schemes: schemes(definition),
            search: search.trim().to_owned(),
            found: groups.iter().map(|group| group.rows.len()).sum(),
            all: definition.operations().len(),
            groups,
        }
    }

    /// The application instances that are guarded by this definition.
    fn instances(&self) -> Vec<(String, String)> {
        if self.book.guarded.is_none() {
            return Vec::new();
        }
        let known = self.console.workspaces.instances();
        let known = known.iter().filter(|one| one.enabled && !one.is_platform());
        known
            .filter_map(|one| Some((one.title.clone(), self.console.base_url_of(one)?)))
            .collect()
    }

    /// The operations that hold every word, by tag, in the order in which the definition first uses
    /// them.
    fn groups(&self, search: &str) -> Vec<Group> {
        let search = search.to_lowercase();
        let words: Vec<&str> = search.split_whitespace().collect();
        let mut groups: Vec<Group> = Vec::new();
        for operation in self.book.definition.operations() {
            if !holds(operation, &words) {
                continue;
            }
            let name = operation.tag().unwrap_or("Operations");
            let row = self.row(operation);
            match groups.iter_mut().find(|group| group.name == name) {
                Some(group) => group.rows.push(row),
                None => groups.push(Group {
                    name: name.to_owned(),
                    rows: vec![row],
                }),
            }
        }
        groups
    }

    fn row(&self, operation: &Operation) -> Row {
        Row {
            method: operation.method().to_string(),
            path: operation.path().to_owned(),
            href: self.address_of(operation),
            summary: operation.summary().to_owned(),
            id: operation.id().to_owned(),
            needs: self.needs[operation.index()].words().to_owned(),
            deprecated: operation.deprecated(),
        }
    }
}

fn holds(operation: &Operation, words: &[&str]) -> bool {
    let text = format!(
        "{} {} {} {} {}",
        operation.method(),
        operation.path(),
        operation.id(),
        operation.tag().unwrap_or_default(),
        operation.summary()
    );
    let text = text.to_lowercase();
    words.iter().all(|word| text.contains(word))
}

/// The ways to authenticate that the definition names.
fn schemes(definition: &Definition) -> Vec<Scheme> {
    let known = definition.document().pointer("/components/securitySchemes");
    let known = known.and_then(Value::as_object).into_iter().flatten();
    let read = known.map(|(name, scheme)| {
        let scheme = definition.resolve(scheme);
        let text = |key: &str| scheme.get(key).and_then(Value::as_str).unwrap_or_default();
        Scheme {
            name: name.clone(),
            kind: kind(text("type"), text("scheme"), text("in"), text("name")),
            about: Prose::read(text("description")),
        }
    });
    read.collect()
}

fn kind(kind: &str, scheme: &str, place: &str, name: &str) -> String {
    match (kind, scheme.to_ascii_lowercase().as_str(), place) {
        ("http", "bearer", _) => "header Authorization: Bearer …".to_owned(),
        ("http", "basic", _) => "header Authorization: Basic …".to_owned(),
        ("http", _, _) => format!("header Authorization: {scheme} …"),
        ("apiKey", _, "cookie") => format!("cookie {name}"),
        ("apiKey", _, "query") => format!("query parameter {name}"),
        ("apiKey", _, _) => format!("header {name}"),
        ("oauth2", _, _) => "OAuth 2.0".to_owned(),
        ("openIdConnect", _, _) => "OpenID Connect".to_owned(),
        ("mutualTLS", _, _) => "client certificate".to_owned(),
        (other, _, _) => other.to_owned(),
    }
}
