//! The published keys (RFC 7517 section 5), for whoever verifies tokens elsewhere.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::AuthorizationServer;

/// How long a verifier may keep the set.
const MAX_AGE: &str = "public, max-age=300";

pub(crate) async fn published(State(server): State<Arc<AuthorizationServer>>) -> Response {
    let headers = [
        (CONTENT_TYPE, "application/jwk-set+json"),
        (CACHE_CONTROL, MAX_AGE),
    ];
    (headers, server.published_keys.current().to_json()).into_response()
}
