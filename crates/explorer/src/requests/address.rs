//! Where a request goes: the address of a draft, taken apart into its server, its path and its query.
//!
//! The path is that of an operation behind a base URL, as a fresh draft has it, or whatever a person
//! typed. What is typed and cannot stand in an address is percent-encoded; what is encoded stays so.

use percent_encoding::{AsciiSet, CONTROLS, NON_ALPHANUMERIC, utf8_percent_encode};

use hallpass_client::address::{AddressError, BaseUrl};

/// An address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address {
    /// What stands before the path of the operation, as it was typed; without an operation, the server.
    pub(super) base: String,
    /// The path, with the `{names}` of parameters.
    pub(super) path: String,
    /// The query as it was typed, without its question mark.
    pub(super) query: String,
    /// Whether the path is the operation's.
    pub(super) is_template: bool,
}

impl Address {
    /// Takes an address apart. `template` is the path of the operation, if there is one.
    pub(super) fn read(url: &str, template: Option<&str>) -> Self {
        let url = url.split('#').next().unwrap_or_default();
        let (whole, query) = url.split_once('?').unwrap_or((url, ""));
        let by_template = template.and_then(|path| Some((whole.strip_suffix(path)?, path)));
        let (base, path) = by_template.unwrap_or_else(|| {
            let server = whole.find("://").map_or(0, |at| at + 3);
            let path = whole[server..].find('/').map(|at| at + server);
            path.map_or((whole, "/"), |at| whole.split_at(at))
        });
        Self {
            base: base.to_owned(),
            path: path.to_owned(),
            query: query.to_owned(),
            is_template: by_template.is_some(),
        }
    }

    /// The server, and the path that the base has beyond it.
    pub(super) fn server(&self) -> Result<(BaseUrl, String), AddressError> {
        let base = BaseUrl::parse(&self.base)?;
        let text = base.as_str();
        let server = text.find("://").map_or(0, |at| at + 3);
        let end = text[server..]
            .find('/')
            .map_or(text.len(), |at| at + server);
        let path = text[end..].to_owned();
        let server = BaseUrl::parse(&text[..end])?;
        Ok((server, path))
    }

    /// The path with values in place of its `{names}`. A name without a value stays.
    pub(super) fn filled<'a>(&self, value: impl Fn(&str) -> Option<&'a str>) -> String {
        let mut path = String::new();
        let mut rest = self.path.as_str();
        while let Some((before, name, after)) = next_name(rest) {
            path.push_str(&typed(before));
            match value(name).filter(|value| !value.is_empty()) {
                Some(value) => path.push_str(&segment(value)),
                None => path.extend(["{", name, "}"]),
            }
            rest = after;
        }
        path.push_str(&typed(rest));
        path
    }

    /// The query as it can be sent.
    pub(super) fn query_pairs(&self) -> impl Iterator<Item = String> {
        let pairs = self.query.split('&').filter(|pair| !pair.is_empty());
        pairs.map(typed)
    }
}

/// A value as one segment of a path, or as one part of a query: all but the unreserved characters (RFC
/// 3986 section 2.3).
pub(crate) fn segment(value: &str) -> String {
    utf8_percent_encode(value, SEGMENT).to_string()
}

/// The names that are still open in a path.
pub(super) fn open_names(path: &str) -> Vec<&str> {
    let mut names = Vec::new();
    let mut rest = path;
    while let Some((_, name, after)) = next_name(rest) {
        names.push(name);
        rest = after;
    }
    names
}

fn next_name(text: &str) -> Option<(&str, &str, &str)> {
    let open = text.find('{')?;
    let close = open + text[open..].find('}')?;
    let name = &text[open + 1..close];
    Some((&text[..open], name, &text[close + 1..]))
}

/// What a person typed, as it can be sent.
pub(crate) fn typed(text: &str) -> String {
    utf8_percent_encode(text, TYPED).to_string()
}

const SEGMENT: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// What cannot stand in a path or a query.
const TYPED: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'<')
    .add(b'>')
    .add(b'\\')
    .add(b'^')
    .add(b'`')
    .add(b'{')
    .add(b'|')
    .add(b'}');

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_path_of_the_operation_stands_behind_any_base() {
        let address = Address::read(
            "https://a.example/base/v1/x/{id}?limit=1#top",
            Some("/v1/x/{id}"),
        );
        assert_eq!(
            (&*address.base, &*address.path, &*address.query),
            ("https://a.example/base", "/v1/x/{id}", "limit=1")
        );
        assert!(address.is_template);
        let (server, path) = address.server().unwrap();
        assert_eq!((server.as_str(), &*path), ("https://a.example", "/base"));
        let value = |name: &str| (name == "id").then_some("a/b c");
        assert_eq!(address.filled(value), "/v1/x/a%2Fb%20c");
        assert_eq!(address.filled(|_| None), "/v1/x/{id}");
    }

    #[test]
    fn another_path_is_taken_as_it_was_typed() {
        let address = Address::read("https://a.example/v1/ä b%20c", Some("/v1/x"));
        assert!(!address.is_template);
        assert_eq!(address.base, "https://a.example");
        assert_eq!(address.filled(|_| None), "/v1/%C3%A4%20b%20c");
        assert_eq!(Address::read("https://a.example", None).path, "/");
        assert!(Address::read("nonsense", None).server().is_err());
        assert!(Address::read("http://a.example/x", None).server().is_err());
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_leaves_its_server(rest in "[/@:?#\\\\.%a{} ]{0,12}") {
            let address = Address::read(&format!("https://a.example/{rest}"), None);
            let (server, _) = address.server().unwrap();
            prop_assert_eq!(server.as_str(), "https://a.example");
            prop_assert!(address.filled(|_| Some("x/y")).starts_with('/'));
        }
    }
}
