//! The published keys (RFC 7517 section 5), for whoever verifies tokens elsewhere. They are in memory,
//! so they stay served while the database is away.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, ETAG, IF_NONE_MATCH};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::description;
use crate::{AuthorizationServer, JWKS_PATHS};

/// Get the public keys
///
/// With which anybody can verify a token.
#[utoipa::path(
    get,
    path = JWKS_PATHS[0],
    tag = "Tokens",
    operation_id = "getKeys",
    security(()),
    responses(
        (status = 200, description = "The keys", body = description::KeySet, content_type = "application/jwk-set+json"),
        (status = 304, description = "They are still those of the ETag in `If-None-Match`"),
    )
)]
pub(crate) async fn published(
    State(server): State<Arc<AuthorizationServer>>,
    headers: HeaderMap,
) -> Response {
    let document = server.published_keys.document();
    let validators = [
        (ETAG, document.etag.clone()),
        (CACHE_CONTROL, server.max_age()),
    ];
    if has_match(&headers, &document.etag) {
        return (StatusCode::NOT_MODIFIED, validators).into_response();
    }
    let kind = [(CONTENT_TYPE, "application/jwk-set+json")];
    (kind, validators, document.json.clone()).into_response()
}

/// RFC 9110 section 13.1.2: a list of validators, compared weakly, or `*` for any.
fn has_match(headers: &HeaderMap, etag: &str) -> bool {
    headers
        .get_all(IF_NONE_MATCH)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == etag)
}
