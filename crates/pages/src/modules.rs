//! Scripts of a page that are several files: ES modules that name each other by relative paths, served
//! below one name that carries a hash of them all.

use axum::Router;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse as _;
use axum::routing::get;

use crate::asset::fingerprint;
use crate::headers;

/// Scripts that belong together. Made by [`modules!`](crate::modules); the first is where they begin.
#[derive(Debug, Clone, Copy)]
pub struct Modules {
    name: &'static str,
    files: &'static [(&'static str, &'static str)],
    fingerprint: u64,
}

/// Takes scripts into the program: a name for all, and the files, the one where they begin first.
#[macro_export]
macro_rules! modules {
    ($name:literal; $($file:literal),+ $(,)?) => {
        $crate::Modules::new($name, &[$(($file, include_str!($file))),+])
    };
}

impl Modules {
    /// See [`modules!`](crate::modules).
    #[doc(hidden)]
    pub const fn new(name: &'static str, files: &'static [(&'static str, &'static str)]) -> Self {
        let mut hash = 0;
        let mut at = 0;
        while at < files.len() {
            hash = fingerprint(hash, files[at].1.as_bytes());
            at += 1;
        }
        Self {
            name,
            files,
            fingerprint: hash,
        }
    }

    /// Where the first of them is served.
    pub(crate) fn entry(&self) -> String {
        self.files
            .first()
            .map(|(file, _)| self.path(file))
            .unwrap_or_default()
    }

    /// Their routes.
    pub fn routes(&self) -> Router {
        self.files
            .iter()
            .fold(Router::new(), |router, (file, text)| {
                let text = *text;
                let answer = move || async move {
                    let own = [
                        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
                        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
                    ];
                    let mut response = (own, text).into_response();
                    headers::protect(response.headers_mut());
                    response
                };
                router.route(&self.path(file), get(answer))
            })
    }

    /// How large they are together, in bytes.
    pub fn size(&self) -> usize {
        self.files.iter().map(|(_, text)| text.len()).sum()
    }

    fn path(&self, file: &str) -> String {
        let file = file.rsplit('/').next().unwrap_or(file);
        format!("/assets/{}-{:016x}/{file}", self.name, self.fingerprint)
    }
}
