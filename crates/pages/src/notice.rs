//! A page with one thing to say: what is the matter and what to do about it.

use askama::Template;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::{Page, headers};

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    title: &'a str,
    paragraphs: &'a [&'a str],
    onward: Option<(&'a str, &'a str)>,
}

/// A page that says what is the matter, in a title and a few paragraphs.
pub fn notice(status: StatusCode, title: &str, paragraphs: &[&str]) -> Response {
    let onward = Some(("Go to the start page", "/"));
    let content = Notice {
        title,
        paragraphs,
        onward,
    };
    Page::new(title, content).answer(status)
}

/// The same for the one person at this machine, who signs in nowhere. `onward` is where they go from
/// there, if anywhere: what the link says, and where it leads.
pub fn local_notice(
    status: StatusCode,
    title: &str,
    paragraphs: &[&str],
    onward: Option<(&str, &str)>,
) -> Response {
    let content = Notice {
        title,
        paragraphs,
        onward,
    };
    Page::new(title, content).local().answer(status)
}

/// Sends the browser on to another page of this server, with GET. An address that cannot stand in a
/// header leads to the start page.
pub fn go(to: &str) -> Response {
    let to = HeaderValue::try_from(to).unwrap_or(HeaderValue::from_static("/"));
    let no_store = HeaderValue::from_static("no-store");
    let own = [(LOCATION, to), (CACHE_CONTROL, no_store)];
    let mut response = (StatusCode::SEE_OTHER, own).into_response();
    headers::protect(response.headers_mut());
    response
}

/// An SVG image that belongs to one page at one moment, such as a code that shows a secret: nobody may
/// store it.
pub fn picture(svg: String) -> Response {
    let own = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "no-store")];
    let mut response = (own, svg).into_response();
    headers::protect(response.headers_mut());
    response
}

/// The answer for an address that nothing is at. It does not repeat the address, which may hold
/// something secret.
pub async fn not_found() -> Response {
    notice(
        StatusCode::NOT_FOUND,
        "There is no page here",
        &["Check the address, or go on from the start page."],
    )
}
