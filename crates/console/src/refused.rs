//! The navigation around what somebody signed in is told instead of a page: that they may not, that
//! nothing is there, that a form was old. Whoever answers so need not know who asks; it is put around
//! afterwards, in one place for all rooms with pages.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::request::Parts;
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use hallpass_pages::Notice;

use crate::Console;
use crate::session::is_presented;

impl Console {
    /// The same routes, where every notice stands inside the navigation of whoever is signed in.
    pub(crate) fn around_notices(&self, router: Router) -> Router {
        router.layer(from_fn_with_state(Arc::new(self.clone()), put_around))
    }
}

async fn put_around(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    let (head, body) = request.into_parts();
    let asking = is_presented(&head.headers).then(|| head.clone());
    let response = next.run(Request::from_parts(head, body)).await;
    match asking {
        Some(head) if response.extensions().get::<Notice>().is_some() => {
            console.for_whoever_asks(&head, response).await
        }
        _ => response,
    }
}

impl Console {
    /// The session is looked up after the answer, so that whoever just signed out is a stranger in it.
    async fn for_whoever_asks(&self, head: &Parts, response: Response) -> Response {
        let Some(ConnectInfo(peer)) = head.extensions.get::<ConnectInfo<SocketAddr>>() else {
            return response;
        };
        match self.session_of(head, peer.ip(), (self.clock)()).await {
            Ok(Some(by)) => {
                let place = self.place_of(head.uri.path());
                Notice::inside(self.frame(&by, place), response)
            }
            // Nobody, or the store fails: what was said stays right.
            Ok(None) | Err(_) => response,
        }
    }
}
