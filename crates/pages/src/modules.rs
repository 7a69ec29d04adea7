//! Scripts of a page that are several files: ES modules that name each other by relative paths, served
//! below one name that carries a hash of them all.

use axum::Router;
use axum::body::Bytes;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::IntoResponse as _;
use axum::routing::get;

use crate::asset::fingerprint;
use crate::headers;

/// Scripts that belong together. Made by [`modules!`](macro@crate::modules); the first is where they begin.
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
    /// See [`modules!`](macro@crate::modules).
    #[doc(hidden)]
    pub const fn new(name: &'static str, files: &'static [(&'static str, &'static str)]) -> Self {
        let mut hash = LEAN;
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
                let text = lean(text);
                let answer = async move || {
                    let own = [
                        (CONTENT_TYPE, "text/javascript; charset=utf-8"),
                        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
                    ];
                    let mut response = (own, text.clone()).into_response();
                    headers::protect(response.headers_mut());
                    response
                };
                router.route(&self.path(file), get(answer))
            })
    }

    /// How large they are together, in bytes, as they are served.
    pub fn size(&self) -> usize {
        let sizes = self.files.iter().map(|(_, text)| lean(text).len());
        sizes.sum()
    }

    /// How large those are, as they are served, that a page loads before anybody asks for more: the first,
    /// those that it imports, and so on. What a script imports later, with `import(…)`, does not count.
    pub fn size_at_start(&self) -> usize {
        self.size_with(&[])
    }

    /// The same when these have been loaded later, with what they import in turn.
    pub fn size_with<'a>(&'a self, later: &[&'a str]) -> usize {
        let first = self.files.iter().take(1).map(|(file, _)| name(file));
        let mut wanted: Vec<&str> = first.chain(later.iter().copied()).collect();
        let mut at = 0;
        let mut size = 0;
        while let Some(one) = wanted.get(at).copied() {
            at += 1;
            let found = self.files.iter().find(|(file, _)| name(file) == one);
            let Some((_, text)) = found else { continue };
            size += lean(text).len();
            for imported in kept(text).filter_map(imported) {
                if !wanted.contains(&imported) {
                    wanted.push(imported);
                }
            }
        }
        size
    }

    /// The lines on which a text begins that goes on in the next: what stands before its further lines
    /// would be taken for indentation.
    pub fn long_texts(&self) -> impl Iterator<Item = &'static str> {
        let lines = self.files.iter().flat_map(|(_, text)| kept(text));
        lines.filter(|line| line.matches('`').count() % 2 == 1)
    }

    fn path(&self, file: &str) -> String {
        let file = name(file);
        format!("/assets/{}-{:016x}/{file}", self.name, self.fingerprint)
    }
}

/// The last part of a path.
fn name(file: &str) -> &str {
    file.rsplit('/').next().unwrap_or(file)
}

/// The script that a line imports at once.
fn imported(line: &str) -> Option<&str> {
    let (_, quoted) = line.strip_prefix("import ")?.rsplit_once("'./")?;
    quoted.strip_suffix("';")
}

/// A script as it is served: without indentation, empty lines and lines that are comments, which are a
/// sixth of it and are for whoever reads the source.
fn lean(text: &str) -> Bytes {
    let mut lean = String::with_capacity(text.len());
    for line in kept(text) {
        lean.push_str(line);
        lean.push('\n');
    }
    lean.into()
}

fn kept(text: &str) -> impl Iterator<Item = &str> {
    let lines = text.lines().map(str::trim);
    lines.filter(|line| !line.is_empty() && !line.starts_with("//"))
}

/// Part of the name under which scripts are served: another way to make them lean has another number.
const LEAN: u64 = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_loaded_at_the_start_is_what_the_first_script_leads_to() {
        let modules = Modules::new(
            "m",
            &[
                (
                    "../a.js",
                    "import { b } from './b.js';\nlater(() => import('./d.js'));",
                ),
                ("../b.js", "import './c.js';\nimport './a.js';"),
                ("../c.js", "c();"),
                ("../d.js", "d();"),
            ],
        );
        assert_eq!(modules.size() - modules.size_at_start(), "d();\n".len());
        assert_eq!(modules.size_with(&["d.js", "b.js"]), modules.size());
    }

    #[test]
    fn what_is_served_has_no_comments_and_no_indentation() {
        const SCRIPT: &str = "// About it.\n\nif (a) {\n  // Why.\n  b('//c'); // d\n}\n";
        let modules = Modules::new("m", &[("m.js", SCRIPT)]);
        let served = "if (a) {\nb('//c'); // d\n}\n";
        assert_eq!(lean(SCRIPT), served);
        assert_eq!(modules.size(), served.len());
        assert_eq!(modules.long_texts().count(), 0);
        let long = Modules::new("m", &[("m.js", "a(`\n  b`);\n// `\nc(`d`);")]);
        assert_eq!(long.long_texts().collect::<Vec<_>>(), ["a(`", "b`);"]);
    }
}
