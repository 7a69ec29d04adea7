//! Every part that pages are made of, on pages that exist for this test only: what they look like can
//! be seen in the pictures before, and without, the data that would bring them out.

use askama::Template;
use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use hallpass_pages::{Frame, Page, Section, assets};
use tokio::runtime::Runtime;

use super::inspection::Inspection;
use super::is_installed;
use super::window::Window;
use crate::world::World;

/// The pages: a name, which is also the title, and what is on it.
const PAGES: [(&str, &str); 4] = [
    ("gallery-list", include_str!("gallery/list.html")),
    ("gallery-dialog", include_str!("gallery/dialog.html")),
    ("gallery-parts", include_str!("gallery/parts.html")),
    ("gallery-empty", include_str!("gallery/empty.html")),
];

#[derive(Template)]
#[template(source = "{{ text|safe }}", ext = "html")]
struct Content {
    text: &'static str,
}

/// The pages, served, and a window to look at them.
pub(super) struct Gallery {
    pub(super) window: Window,
    origin: String,
    _server: Runtime,
    _world: World,
}

impl Gallery {
    /// `None`, and a word, where there is no browser.
    #[track_caller]
    pub(super) fn open() -> Option<Self> {
        if !is_installed() {
            return None;
        }
        let (origin, server) = serve();
        let world = World::new();
        let window = Window::start(&world.path(""));
        window.allow_clipboard(&origin);
        Some(Self {
            window,
            origin,
            _server: server,
            _world: world,
        })
    }

    /// Opens one of the pages.
    #[track_caller]
    pub(super) fn show(&self, name: &str) {
        self.window.open(&format!("{}/{name}", self.origin));
    }
}

#[test]
fn every_part_of_a_page_can_be_seen_by_everybody() {
    let Some(gallery) = Gallery::open() else {
        return;
    };
    let Some(mut inspection) = Inspection::of(&gallery.origin) else {
        return;
    };
    let window = &gallery.window;
    for (name, _) in PAGES {
        gallery.show(name);
        inspection.look(window, name);
    }
    window.size(390, 900);
    window.press("Menu");
    inspection.look(window, "gallery-menu");
    inspection.end();
}

/// Serves the pages until the value goes.
fn serve() -> (String, Runtime) {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let router = PAGES
        .into_iter()
        .fold(Router::new(), |router, (name, text)| {
            let page = move || async move {
                let content = Content { text };
                Page::new(name, content)
                    .inside(frame())
                    .answer(StatusCode::OK)
            };
            router.route(&format!("/{name}"), get(page))
        });
    let router = router.merge(assets());
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.set_nonblocking(true).unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    runtime.spawn(async move {
        let listener = tokio::net::TcpListener::from_std(listener).unwrap();
        axum::serve(listener, router).await.unwrap();
    });
    (origin, runtime)
}

fn frame() -> Frame {
    let section = |(title, href): (&'static str, &'static str)| Section {
        title,
        href,
        current: title == "Credentials",
    };
    let sections = [
        ("Credentials", "/console/credentials"),
        ("Users", "/console/users"),
        ("Roles", "/console/roles"),
        ("Workspaces", "/console/workspaces"),
        ("Instances", "/console/instances"),
        ("Audit", "/console/audit"),
        ("Documentation", "/doc/"),
    ];
    Frame {
        sections: sections.map(section).into(),
        person: "ann@example.com".to_owned(),
        workspace: "Main".to_owned(),
        form_token: "x".to_owned(),
        said: Some("nightly is changed.".to_owned()),
    }
}
