//! Whether a form was sent from a page of another site.
//!
//! The secret in a set-up link is the proof that a request is wanted; this is a second lock. It
//! compares what browsers say about where a request began and is silent about programs, which say
//! nothing.

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;

/// Whether a browser says that the request began on another site.
pub(crate) fn began_elsewhere(head: &Parts) -> bool {
    let text = |name: &str| {
        head.headers
            .get(name)
            .map(|value| value.to_str().unwrap_or("?"))
    };
    if let Some(site) = text("sec-fetch-site") {
        // `none` is the person's own doing: a reload, a restored tab.
        return !matches!(site, "same-origin" | "none");
    }
    match text(ORIGIN.as_str()) {
        // `null` is what browsers send from our own pages, because their referrer policy is
        // no-referrer (Fetch, "append a request Origin header").
        None | Some("null") => false,
        Some(origin) => {
            let host = text(HOST.as_str());
            let authority = origin.split_once("://").map(|(_, authority)| authority);
            authority.is_none() || authority != host
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn elsewhere(headers: &[(&str, &str)]) -> bool {
        let mut request = Request::builder().header("host", "127.0.0.1:8080");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        began_elsewhere(&request.body(()).unwrap().into_parts().0)
    }

    #[test]
    fn browsers_and_programs_at_home_pass() {
        for headers in [
            &[][..],
            &[("sec-fetch-site", "same-origin"), ("origin", "null")],
            &[("sec-fetch-site", "none")],
            &[("origin", "http://127.0.0.1:8080")],
            &[("origin", "null")],
        ] {
            assert!(!elsewhere(headers), "{headers:?}");
        }
    }

    #[test]
    fn other_sites_do_not() {
        for headers in [
            &[("sec-fetch-site", "cross-site")][..],
            &[("sec-fetch-site", "same-site")],
            &[
                ("sec-fetch-site", "cross-site"),
                ("origin", "http://127.0.0.1:8080"),
            ],
            &[("origin", "https://evil.example")],
            &[("origin", "http://127.0.0.1:8081")],
            &[("origin", "127.0.0.1:8080")],
        ] {
            assert!(elsewhere(headers), "{headers:?}");
        }
    }
}
