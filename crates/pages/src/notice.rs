//! A page with one thing to say: what is the matter and what to do about it.

use askama::Template;
use axum::http::StatusCode;
use axum::response::Response;

use crate::Page;

#[derive(Template)]
#[template(path = "notice.html")]
struct Notice<'a> {
    title: &'a str,
    paragraphs: &'a [&'a str],
}

/// A page that says what is the matter, in a title and a few paragraphs.
pub fn notice(status: StatusCode, title: &str, paragraphs: &[&str]) -> Response {
    Page::new(title, Notice { title, paragraphs }).answer(status)
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
