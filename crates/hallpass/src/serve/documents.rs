//! What can be called, for people and programs: our own OpenAPI document, put together from what each
//! crate says of its part, and the definitions in use, each for itself, where the real system's users
//! download them (domain facts, sources).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::header::{CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use hallpass_console::{Addresses, Book, Console};
use hallpass_openapi::Definition;
use utoipa::openapi::Server;

use crate::client::answer::yaml_of;
use crate::definition::Served;

/// Where our own document is, without the ending that tells the form.
const OWN_FILE: &str = "/doc/hallpass";

/// Where the definitions in use are.
const API: &str = "/doc/api/v1/";

/// The file of the first one, which the real system's users know.
const API_FILE: &str = "storage-api";

/// Pages and files. A definition is written out when it is asked for: that is seldom, and it may be
/// large.
pub(super) fn documents(console: &Console, apis: &Served) -> Router {
    let own = own(console.addresses()).into_iter().map(|own| Book {
        definition: own,
        path: format!("{OWN_FILE}/"),
        file: OWN_FILE.to_owned(),
        guarded: None,
    });
    let books: Vec<Book> = own.chain(guarded(apis)).collect();
    let files = books.iter().map(|book| {
        Router::new()
            .route(&format!("{}.json", book.file), get(json))
            .route(&format!("{}.yaml", book.file), get(yaml))
            .with_state(book.definition.clone())
    });
    files.fold(console.documentation(books.clone()), Router::merge)
}

/// The definitions in use, each with its own text. The first has the addresses that one alone has; the
/// others are below, under the names of their files.
fn guarded(apis: &Served) -> Vec<Book> {
    let mut taken = vec![API_FILE.to_owned(), "operations".to_owned()];
    let mut books: Vec<Book> = Vec::new();
    for loaded in apis.books() {
        let (path, file) = if books.is_empty() {
            (API.to_owned(), API_FILE.to_owned())
        } else {
            let word = free(&loaded.word, &taken);
            (format!("{API}{word}/"), word)
        };
        books.push(Book {
            definition: loaded.definition.clone(),
            path,
            file: format!("{API}{file}"),
            guarded: Some(apis.whole().clone()),
        });
        taken.push(file);
    }
    books
}

/// The word, or else the word with a number that is not taken.
fn free(word: &str, taken: &[String]) -> String {
    let numbered = (2..).map(|number| format!("{word}-{number}"));
    let mut words = std::iter::once(word.to_owned()).chain(numbered);
    words
        .find(|word| !taken.contains(word))
        .unwrap_or_else(|| word.to_owned())
}

/// Our own document, as a definition.
fn own(addresses: &Addresses) -> Option<Arc<Definition>> {
    match Definition::read(&own_text(addresses)) {
        Ok(reading) => Some(Arc::new(reading.definition)),
        Err(error) => {
            tracing::error!(%error, "the server's own API document cannot be read");
            None
        }
    }
}

/// What the crates say of themselves, for a server at these addresses.
fn own_text(addresses: &Addresses) -> String {
    let mut document = hallpass_console::document(&addresses.token_url)
        .merge_from(hallpass_authorization_server::description());
    document.servers = Some(vec![Server::new(&addresses.console)]);
    let mut text = document.to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}

async fn json(State(definition): State<Arc<Definition>>) -> Response {
    file("application/json", definition.document().to_string())
}

async fn yaml(State(definition): State<Arc<Definition>>) -> Response {
    let text = definition.document().to_string();
    // JSON is YAML too.
    let text = yaml_of(&text).unwrap_or(text);
    file("application/yaml", text)
}

fn file(kind: &'static str, text: String) -> Response {
    let headers = [(CONTENT_TYPE, kind), (X_CONTENT_TYPE_OPTIONS, "nosniff")];
    (headers, text).into_response()
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use hallpass_openapi::Severity;

    use super::*;

    /// The addresses of a server that nobody has configured.
    fn text() -> String {
        own_text(&Addresses {
            console: "http://127.0.0.1:8080".to_owned(),
            token_url: "http://127.0.0.1:8080/as/token.oauth2".to_owned(),
            jwks_url: String::new(),
            instances: std::collections::BTreeMap::new(),
        })
    }

    /// Says what the document of the repository differs in. `INSTA_UPDATE=always` writes it anew.
    #[test]
    fn the_document_in_the_repository_is_that_of_the_code() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../api/hallpass.json");
        let text = text();
        if std::env::var("INSTA_UPDATE").is_ok_and(|word| word == "always") {
            std::fs::write(&file, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        let line = kept.lines().zip(text.lines()).position(|(a, b)| a != b);
        assert!(
            kept == text,
            "api/hallpass.json is not what the code says, from line {:?} on: run \
             `INSTA_UPDATE=always cargo test -p hallpass the_document_in_the_repository`, and look \
             at what has changed",
            line.map(|line| line + 1)
        );
    }

    #[test]
    fn our_own_check_finds_nothing_in_our_own_document() {
        let reading = Definition::read(&text()).unwrap();
        let found = reading.problems.iter();
        let found: Vec<_> = found
            .filter(|problem| problem.severity != Severity::Note)
            .collect();
        assert!(found.is_empty(), "{found:#?}");
        assert!(reading.definition.operations().len() > 6);
    }
}
