//! The API's definition where the real system's users download it (domain facts, sources).

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse as _, Response};
use axum::routing::get;
use hallpass_openapi::Definition;
use hallpass_pages::notice;

use crate::client::answer::yaml_of;

/// Where it is, without the ending that tells the form.
const PATH: &str = "/doc/api/v1/storage-api";

/// The routes. A definition is written out when it is asked for: that is seldom, and it may be large.
pub(super) fn documents(definition: Arc<Definition>) -> Router {
    Router::new()
        .route("/doc/api/v1/", get(page))
        .route(&format!("{PATH}.json"), get(json))
        .route(&format!("{PATH}.yaml"), get(yaml))
        .with_state(definition)
}

async fn page(State(definition): State<Arc<Definition>>) -> Response {
    let title = format!("{} {}", definition.title(), definition.version());
    let files = format!("Its definition is at {PATH}.yaml and {PATH}.json on this server.");
    notice(StatusCode::OK, &title, &[&files])
}

async fn json(State(definition): State<Arc<Definition>>) -> Response {
    let kind = [(CONTENT_TYPE, "application/json")];
    (kind, definition.document().to_string()).into_response()
}

async fn yaml(State(definition): State<Arc<Definition>>) -> Response {
    let text = definition.document().to_string();
    let kind = [(CONTENT_TYPE, "application/yaml")];
    match yaml_of(&text) {
        Some(text) => (kind, text).into_response(),
        // JSON is YAML too.
        None => (kind, text).into_response(),
    }
}
