//! A file for the person to keep, instead of a page.

use axum::body::Body;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};

use crate::headers;

/// A file that the browser saves under that name, with the headers of a page: it is for one person at
/// one moment too. A name that cannot stand in a header is left out.
pub fn download(name: &str, kind: &'static str, body: Body) -> Response {
    let saved = format!("attachment; filename=\"{name}\"");
    let saved = HeaderValue::try_from(saved).unwrap_or(HeaderValue::from_static("attachment"));
    let own = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_DISPOSITION, saved),
        (CACHE_CONTROL, HeaderValue::from_static("no-store")),
    ];
    let mut response = (own, body).into_response();
    headers::protect(response.headers_mut());
    response
}
