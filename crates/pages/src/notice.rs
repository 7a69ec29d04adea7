//! A page with one thing to say: what is the matter and what to do about it.

use askama::Template;
use axum::http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, LOCATION};
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};

use crate::{Frame, Page, headers};

/// What such a page says. It goes with the answer ([`Response::extensions`]), so that somebody who knows
/// who is signed in can put their navigation around it.
#[derive(Debug, Clone, Template)]
#[template(path = "notice.html")]
pub struct Notice {
    title: String,
    paragraphs: Vec<String>,
    onward: Option<(String, String)>,
}

impl Notice {
    fn new(title: &str, paragraphs: &[&str], onward: Option<(&str, &str)>) -> Self {
        Self {
            title: title.to_owned(),
            paragraphs: paragraphs.iter().map(|&said| said.to_owned()).collect(),
            onward: onward.map(|(title, href)| (title.to_owned(), href.to_owned())),
        }
    }

    /// An answer of [`notice()`] once more, for somebody signed in. Any other answer stays what it is.
    pub fn inside(frame: Frame, response: Response) -> Response {
        let (mut head, body) = response.into_parts();
        let Some(notice) = head.extensions.remove::<Self>() else {
            return Response::from_parts(head, body);
        };
        let page = Page::new(&notice.title, &notice).inside(frame);
        let body = page.answer(head.status).into_body();
        // It was the length of the page without navigation.
        head.headers.remove(CONTENT_LENGTH);
        Response::from_parts(head, body)
    }
}

/// A page that says what is the matter, in a title and a few paragraphs.
pub fn notice(status: StatusCode, title: &str, paragraphs: &[&str]) -> Response {
    let notice = Notice::new(title, paragraphs, Some(("Go to the start page", "/")));
    let mut response = Page::new(title, &notice).answer(status);
    response.extensions_mut().insert(notice);
    response
}

/// The same for the one person at this machine, who signs in nowhere. `onward` is where they go from
/// there, if anywhere: what the link says, and where it leads.
pub fn local_notice(
    status: StatusCode,
    title: &str,
    paragraphs: &[&str],
    onward: Option<(&str, &str)>,
) -> Response {
    let notice = Notice::new(title, paragraphs, onward);
    Page::new(title, &notice).local().answer(status)
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
