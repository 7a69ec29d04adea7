//! A page: a content template inside the common layout, with the headers that every page has.

use askama::Template;
use axum::http::StatusCode;
use axum::http::header::CACHE_CONTROL;
use axum::response::{Html, IntoResponse, Response};

use crate::asset::{ICON, SCRIPT, STYLESHEET};
use crate::headers;
use crate::modules::Modules;

/// A page to be answered. The content is a template, so that everything in it was escaped by one.
#[derive(Debug)]
pub struct Page<'a, C> {
    title: &'a str,
    content: C,
    around: Around,
    modules: Option<&'static Modules>,
}

/// What stands around a page.
#[derive(Debug, Default)]
enum Around {
    /// The way to sign in.
    #[default]
    Stranger,
    /// The navigation of somebody signed in.
    Person(Frame),
    /// Nothing: it is a page for the one person at this machine.
    Local,
}

/// What stands around a page that somebody signed in sees.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Where one can go from here, in the order to show.
    pub sections: Vec<Section>,
    /// Who is signed in.
    pub person: String,
    /// What they work in.
    pub workspace: String,
    /// What forms carry so that no other site can send them.
    pub form_token: String,
    /// What was done before the page was opened, if that is to be said.
    pub said: Option<String>,
}

/// One of the places in the navigation.
#[derive(Debug, Clone)]
pub struct Section {
    /// Its name.
    pub title: &'static str,
    /// Its address.
    pub href: &'static str,
    /// Whether the page belongs to it.
    pub current: bool,
}

#[derive(Template)]
#[template(path = "layout.html")]
struct Layout<'a> {
    title: &'a str,
    frame: Option<&'a Frame>,
    local: bool,
    script: String,
    modules: Option<String>,
    stylesheet: String,
    icon: String,
    content: String,
}

impl<'a, C: Template> Page<'a, C> {
    /// A page of that title: what the browser's tab and history show.
    pub fn new(title: &'a str, content: C) -> Self {
        Self {
            title,
            content,
            around: Around::Stranger,
            modules: None,
        }
    }

    /// The same page for somebody signed in: with the navigation.
    #[must_use]
    pub fn inside(mut self, frame: Frame) -> Self {
        self.around = Around::Person(frame);
        self
    }

    /// The same page for the one person at this machine, who signs in nowhere.
    #[must_use]
    pub fn local(mut self) -> Self {
        self.around = Around::Local;
        self
    }

    /// The same page with scripts of its own, which may ask this server for what they show.
    #[must_use]
    pub fn with_modules(mut self, modules: &'static Modules) -> Self {
        self.modules = Some(modules);
        self
    }

    /// The answer. Pages are made for one person at one moment, so nobody may store them.
    pub fn answer(self, status: StatusCode) -> Response {
        let no_store = [(CACHE_CONTROL, "no-store")];
        let mut response = match self.rendered() {
            Ok(text) => (status, no_store, Html(text)).into_response(),
            Err(error) => {
                tracing::error!(title = self.title, error = %error, "a page was not rendered");
                (StatusCode::INTERNAL_SERVER_ERROR, no_store).into_response()
            }
        };
        headers::protect(response.headers_mut());
        if self.modules.is_some() {
            headers::let_connect(response.headers_mut());
        }
        response
    }

    fn rendered(&self) -> askama::Result<String> {
        let frame = match &self.around {
            Around::Person(frame) => Some(frame),
            Around::Stranger | Around::Local => None,
        };
        Layout {
            title: self.title,
            frame,
            local: matches!(self.around, Around::Local),
            script: SCRIPT.path(),
            modules: self.modules.map(Modules::entry),
            stylesheet: STYLESHEET.path(),
            icon: ICON.path(),
            content: self.content.render()?,
        }
        .render()
    }
}

#[cfg(test)]
mod tests {
    use axum::body::to_bytes;

    use super::*;

    #[derive(Template)]
    #[template(source = "<p>{{ text }}</p>", ext = "html")]
    struct Content {
        text: &'static str,
    }

    async fn text(response: Response) -> String {
        let bytes = to_bytes(response.into_body(), 100_000).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[test]
    fn no_page_comes_without_the_headers() {
        let response = Page::new("x", Content { text: "x" }).answer(StatusCode::IM_A_TEAPOT);
        assert_eq!(response.status(), StatusCode::IM_A_TEAPOT);
        let header = |name: &str| response.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(
            header("content-security-policy"),
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; \
             base-uri 'none'; frame-ancestors 'none'"
        );
        assert_eq!(header("cache-control"), "no-store");
        assert_eq!(header("referrer-policy"), "no-referrer");
        assert_eq!(header("x-content-type-options"), "nosniff");
        assert_eq!(header("cross-origin-opener-policy"), "same-origin");
        assert_eq!(header("content-type"), "text/html; charset=utf-8");
    }

    #[tokio::test]
    async fn title_and_content_are_escaped_once() {
        let content = Content { text: "<b> & \"" };
        let page = Page::new("<i>", content).answer(StatusCode::OK);
        let page = text(page).await;
        assert!(
            page.contains("<title>&#60;i&#62; · Hallpass</title>"),
            "{page}"
        );
        assert!(page.contains("<p>&#60;b&#62; &#38; &#34;</p>"), "{page}");
        assert!(page.contains(&format!("href=\"{}\"", STYLESHEET.path())));
    }

    #[tokio::test]
    async fn an_address_without_a_page_says_so() {
        let response = crate::not_found().await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert!(text(response).await.contains("There is no page here"));
    }
}
