//! Scripts of a page that are several files: ES modules that name each other by relative paths, served
//! below one name that carries a hash of them all.

use axum::Router;
use axum::body::Bytes;
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
                let text: Bytes = served(text).into();
                let answer = move || {
                    let own = [
                        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
                        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
                    ];
                    let mut response = (own, text.clone()).into_response();
                    headers::protect(response.headers_mut());
                    async move { response }
                };
                router.route(&self.path(file), get(answer))
            })
    }

    /// How large they are together as they are served, in bytes.
    pub fn size(&self) -> usize {
        self.files.iter().map(|(_, text)| served(text).len()).sum()
    }

    fn path(&self, file: &str) -> String {
        let file = file.rsplit('/').next().unwrap_or(file);
        format!("/assets/{}-{:016x}/{file}", self.name, self.fingerprint)
    }
}

/// A script without what only its readers need: lines that are a comment, and what lines are indented by.
/// It knows lines and nothing else, so no text in a script may go over several of them.
fn served(text: &str) -> String {
    let lines = text.lines().map(str::trim);
    let code = lines.filter(|line| !line.is_empty() && !line.starts_with("//"));
    code.fold(String::with_capacity(text.len()), |mut served, line| {
        served.push_str(line);
        served.push('\n');
        served
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_stay_with_the_readers() {
        let text =
            "// Why.\nimport { a } from './a.js';\n\nif (a) {\n  // Both.\n  a('//'); // here\n}\n";
        assert_eq!(
            served(text),
            "import { a } from './a.js';\nif (a) {\na('//'); // here\n}\n"
        );
    }
}
