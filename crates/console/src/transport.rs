//! Telling browsers to come over TLS only (RFC 6797).

use axum::Router;
use axum::http::header::{HeaderValue, STRICT_TRANSPORT_SECURITY};
use axum::middleware::map_response;
use axum::response::Response;

use crate::Console;
use crate::sign_in::is_this_machine;

/// A year, and for this name alone: what its neighbours do is not known here.
const YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");

impl Console {
    /// Whether browsers are told. Not for names of this machine: the word counts for all ports of a name,
    /// and the plain listener would not be reached any more.
    fn strict_transport(&self) -> bool {
        let authority = self.addresses.console.strip_prefix("https://");
        authority.is_some_and(|authority| !is_this_machine(authority.trim_end_matches('/')))
    }

    /// What the rooms with pages have in common, around all of their routes, the fallback among them:
    /// what is refused is said inside the navigation of whoever is signed in, and browsers are told to
    /// come over TLS.
    pub fn around(&self, rooms: Router) -> Router {
        protect(self.around_notices(rooms), self.strict_transport())
    }
}

/// Puts the header on every answer.
fn protect(router: Router, strict: bool) -> Router {
    if !strict {
        return router;
    }
    router.layer(map_response(async |mut response: Response| {
        let headers = response.headers_mut();
        headers.insert(STRICT_TRANSPORT_SECURITY, YEAR);
        response
    }))
}
