//! The readable documentation of API definitions: our own document and those that are guarded.
//!
//! A definition may have hundreds of operations: its page lists them, with a search, and each has a page
//! of its own. All texts of a definition are somebody else's: they are shown as text, with as much of
//! Markdown as [`prose`] knows. Nobody needs to sign in to read; whoever is signed in keeps the
//! navigation.

mod operation;
mod overview;
mod prose;
mod schema;

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::Response;
use axum::routing::get;
use hallpass_access::{OperationPermissions, Requirement};
use hallpass_openapi::{Definition, Operation};
use hallpass_pages::{Page, go};
use serde_json::Value;

use crate::page::{PageRefusal, Place};
use crate::{Console, start};

/// Where the documentation begins.
pub const DOCUMENTATION_PATH: &str = "/doc/";

/// A definition and where it is documented.
#[derive(Debug, Clone)]
pub struct Book {
    /// The definition.
    pub definition: Arc<Definition>,
    /// The address of its page, with a slash at the end.
    pub path: String,
    /// Where it can be downloaded, without the ending `.json` or `.yaml`.
    pub file: String,
    /// What is served, with this definition in it, where the operations are judged by the permissions
    /// that follow from all its paths; otherwise they say themselves what they take.
    pub guarded: Option<Arc<Definition>>,
}

/// What the pages of one definition are made from.
struct Reader {
    console: Console,
    book: Book,
    /// What each operation takes, in their order.
    needs: Vec<Needs>,
}

/// What an operation takes of whoever calls it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Needs {
    /// This permission.
    Permission(String),
    /// This permission, and signed in none for what is one's own.
    UnlessOwn(String),
    /// Some role, whatever it is.
    AnyRole,
    /// Nothing that the definition names.
    Nothing,
}

#[derive(Template)]
#[template(path = "documentation/shelf.html")]
struct Shelf {
    books: Vec<Title>,
}

/// A definition on the first page.
struct Title {
    title: String,
    version: String,
    operations: usize,
    path: String,
    file: String,
}

impl Console {
    /// The documentation of these definitions.
    pub fn documentation(&self, books: Vec<Book>) -> Router {
        let mut router = Router::new();
        for book in &books {
            let reader = Arc::new(Reader::new(self.clone(), book.clone()));
            let path = book.path.clone();
            let routes = Router::new()
                .route(&book.path, get(overview::show))
                .route(
                    book.path.trim_end_matches('/'),
                    get(async move || go(&path)),
                )
                .route(
                    &format!("{}operations/{{id}}", book.path),
                    get(operation::show),
                )
                .with_state(reader);
            router = router.merge(routes);
        }
        let shelf = Arc::new((self.clone(), books));
        let shelf = Router::new()
            .route(DOCUMENTATION_PATH, get(list))
            .route(
                DOCUMENTATION_PATH.trim_end_matches('/'),
                get(async || go(DOCUMENTATION_PATH)),
            )
            .with_state(shelf);
        router
            .merge(shelf)
            .method_not_allowed_fallback(start::wrong_method)
    }

    /// A page that anybody may read.
    async fn public_page<C: Template>(
        &self,
        peer: SocketAddr,
        request: Request,
        title: &str,
        content: C,
    ) -> Response {
        let (head, _) = request.into_parts();
        match self.session_of(&head, peer.ip(), (self.clock)()).await {
            Ok(Some(by)) => self.page(&by, Place::Documentation, title, content),
            Ok(None) => Page::new(title, content).answer(StatusCode::OK),
            Err(error) => PageRefusal::Store(error).answer(&head.uri),
        }
    }
}

async fn list(
    State(shelf): State<Arc<(Console, Vec<Book>)>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (console, books) = &*shelf;
    let books = books.iter().map(Title::of).collect();
    let page = Shelf { books };
    console
        .public_page(peer, request, "Documentation", page)
        .await
}

impl Title {
    fn of(book: &Book) -> Self {
        let definition = &book.definition;
        Self {
            title: titled(definition),
            version: definition.version().to_owned(),
            operations: definition.operations().len(),
            path: book.path.clone(),
            file: book.file.clone(),
        }
    }
}

impl Reader {
    fn new(console: Console, book: Book) -> Self {
        let definition = &book.definition;
        let derived = book.guarded.as_deref();
        let derived = derived.map(|served| (served, OperationPermissions::derive(served)));
        let operations = definition.operations().iter();
        let needs = operations.map(|operation| match &derived {
            Some((served, permissions)) => permitted(served, permissions, operation),
            None => declared(definition, operation),
        });
        Self {
            needs: needs.collect(),
            console,
            book,
        }
    }

    fn address_of(&self, operation: &Operation) -> String {
        let id: String = form_urlencoded::byte_serialize(operation.id().as_bytes()).collect();
        // In a path a plus sign is itself.
        format!("{}operations/{}", self.book.path, id.replace('+', "%20"))
    }
}

impl Needs {
    fn words(&self) -> &str {
        match self {
            Self::Permission(permission) | Self::UnlessOwn(permission) => permission,
            Self::AnyRole => "any role",
            Self::Nothing => "",
        }
    }
}

/// The permission that the operation takes in what is served, where it has the same name.
fn permitted(
    served: &Definition,
    permissions: &OperationPermissions,
    operation: &Operation,
) -> Needs {
    let Ok(served) = served.operation(operation.id()) else {
        return Needs::Nothing;
    };
    match permissions.requirement(served.index()) {
        Requirement::Permission(permission) => Needs::Permission(permission.to_string()),
        Requirement::AnyRole => Needs::AnyRole,
    }
}

/// The role names that the operation's security requirements list (OpenAPI 3.1, "Security Requirement
/// Object").
fn declared(definition: &Definition, operation: &Operation) -> Needs {
    let own = definition.document().pointer(operation.pointer());
    let requirements = own.and_then(|own| own.get("security")?.as_array());
    let schemes = requirements
        .into_iter()
        .flatten()
        .filter_map(Value::as_object);
    let mut lists: Vec<Vec<&str>> = Vec::new();
    for scheme in schemes {
        let names = scheme.values().filter_map(Value::as_array).flatten();
        lists.push(names.filter_map(Value::as_str).collect());
    }
    let name = lists.iter().flatten().next();
    match name.map(|name| (*name).to_owned()) {
        None => Needs::Nothing,
        Some(name) if lists.iter().any(Vec::is_empty) => Needs::UnlessOwn(name),
        Some(name) => Needs::Permission(name),
    }
}

fn titled(definition: &Definition) -> String {
    match definition.title().trim() {
        "" => "A definition without a title".to_owned(),
        title => title.to_owned(),
    }
}

/// A parameter of the address.
fn asked(query: Option<&str>, name: &str) -> String {
    let pairs = form_urlencoded::parse(query.unwrap_or_default().as_bytes());
    let found = pairs.into_iter().find(|(known, _)| known == name);
    found.map_or_else(String::new, |(_, value)| value.into_owned())
}
