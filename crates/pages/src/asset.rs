//! Files that pages refer to, served under a name that carries a hash of their content: a browser
//! may keep them for ever, and a new version has a new name.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::get;

use crate::headers;

/// A file that is part of the program.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asset {
    name: &'static str,
    kind: Kind,
    bytes: &'static [u8],
    fingerprint: u64,
}

/// The kinds of files there are.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Stylesheet,
    Script,
    Icon,
}

/// What all pages look like.
pub(crate) const STYLESHEET: Asset = Asset::new(
    "style",
    Kind::Stylesheet,
    concat!(
        include_str!("../assets/style.css"),
        include_str!("../assets/explorer/frame.css"),
        include_str!("../assets/explorer/authorization.css"),
        include_str!("../assets/explorer/definition.css"),
        include_str!("../assets/explorer/library.css"),
        include_str!("../assets/explorer/request.css"),
        include_str!("../assets/explorer/answer.css"),
    )
    .as_bytes(),
);

/// What pages can do better with a script than without; every page works without.
pub(crate) const SCRIPT: Asset =
    Asset::new("page", Kind::Script, include_bytes!("../assets/page.js"));

/// The mark of the project: a slip with two notches.
pub(crate) const ICON: Asset = Asset::new("mark", Kind::Icon, include_bytes!("../assets/mark.svg"));

/// The routes of the shell's own assets. Merged once into whatever serves pages.
pub fn assets() -> Router {
    [STYLESHEET, SCRIPT, ICON]
        .into_iter()
        .fold(Router::new(), |router, asset| {
            router.route(&asset.path(), get(move || async move { asset.answer() }))
        })
}

impl Asset {
    const fn new(name: &'static str, kind: Kind, bytes: &'static [u8]) -> Self {
        Self {
            name,
            kind,
            bytes,
            fingerprint: fingerprint(0, bytes),
        }
    }

    /// Where it is served.
    pub(crate) fn path(&self) -> String {
        let extension = match self.kind {
            Kind::Stylesheet => "css",
            Kind::Script => "js",
            Kind::Icon => "svg",
        };
        format!(
            "/assets/{}-{:016x}.{extension}",
            self.name, self.fingerprint
        )
    }

    fn answer(self) -> Response {
        let kind = match self.kind {
            Kind::Stylesheet => "text/css; charset=utf-8",
            Kind::Script => "text/javascript; charset=utf-8",
            Kind::Icon => "image/svg+xml",
        };
        let own = [
            (CONTENT_TYPE, kind),
            (CACHE_CONTROL, "public, max-age=31536000, immutable"),
        ];
        let mut response = (own, self.bytes).into_response();
        headers::protect(response.headers_mut());
        response
    }
}

/// FNV-1a with 64 bits, computed when the program is compiled. It tells versions apart; nobody is
/// kept from making a collision, and nobody gains from one.
///
/// `from` is the fingerprint of what stands before, or 0.
pub(crate) const fn fingerprint(from: u64, bytes: &[u8]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64 ^ from;
    let mut at = 0;
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u64).wrapping_mul(0x0100_0000_01b3);
        at += 1;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The vectors of the function's authors (Fowler, Noll, Vo).
    #[test]
    fn the_fingerprint_is_fnv_1a() {
        assert_eq!(fingerprint(0, b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fingerprint(0, b"a"), 0xaf63_dc4c_8601_ec8c);
        assert_eq!(fingerprint(0, b"foobar"), 0x8594_4171_f739_67e8);
    }

    #[test]
    fn another_content_has_another_name() {
        let one = Asset::new("style", Kind::Stylesheet, b"a{}");
        let other = Asset::new("style", Kind::Stylesheet, b"b{}");
        assert_ne!(one.path(), other.path());
        assert_eq!(
            one.path(),
            format!("/assets/style-{:016x}.css", fingerprint(0, b"a{}"))
        );
    }

    /// A stylesheet that fetched from elsewhere would be refused by the content policy, and the
    /// page would look broken.
    #[test]
    fn the_stylesheet_fetches_nothing() {
        let text = std::str::from_utf8(STYLESHEET.bytes).unwrap();
        for word in ["url(", "@import", "http:", "https:"] {
            assert!(!text.contains(word), "{word}");
        }
    }
}
