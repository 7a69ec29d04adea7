//! Addresses that an answer gives: the next page, a task.
//!
//! They lead only to the server that gave them, and are followed below the base URL of the profile
//! like every other path: a token is never taken to where an answer points.

use crate::address::BaseUrl;

/// Where `link` leads, as path and query below the base; `None` when it leads to another server.
/// It may be a whole URL, a path with or without the path of the base, or a query alone, which
/// belongs to `from`.
pub(crate) fn below(base: &BaseUrl, from: &str, link: &str) -> Option<String> {
    let from = base.join(from)?;
    let target = from.join(link).ok()?;
    if target.origin() != from.origin() {
        return None;
    }
    let own = base.url().path().trim_end_matches('/');
    let path = match target.path().strip_prefix(own) {
        Some(rest) if rest.starts_with('/') => rest,
        // A server behind a proxy does not know which path the proxy adds.
        _ => target.path(),
    };
    Some(match target.query() {
        Some(query) => format!("{path}?{query}"),
        None => path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(base: &str, link: &str) -> Option<String> {
        let base = BaseUrl::parse(base).unwrap();
        below(&base, "/v1/items?limit=5", link)
    }

    #[test]
    fn every_form_of_an_address_leads_below_the_base() {
        let expected = Some("/v1/items?offset=5".to_owned());
        for base in ["https://example.com", "https://example.com/base/"] {
            assert_eq!(found(base, "?offset=5"), expected, "{base}");
            assert_eq!(found(base, "/v1/items?offset=5"), expected, "{base}");
            let whole = format!("{}/v1/items?offset=5", base.trim_end_matches('/'));
            assert_eq!(found(base, &whole), expected, "{base}");
        }
        let known = found("https://example.com/base", "/base/v1/x");
        assert_eq!(known.as_deref(), Some("/v1/x"));
        assert_eq!(
            found("https://example.com/base", "/baseline").as_deref(),
            Some("/baseline"),
            "a name that only begins like the base is another"
        );
    }

    #[test]
    fn no_address_leads_to_another_server() {
        for link in [
            "https://evil.example/v1/items",
            "//evil.example/v1/items",
            "http://example.com/v1/items",
            "https://example.com:444/v1/items",
            "https://example.com@evil.example/",
            "\\\\evil.example\\",
            "javascript:alert(1)",
        ] {
            assert_eq!(found("https://example.com", link), None, "{link}");
        }
    }

    proptest::proptest! {
        #[test]
        fn what_is_found_can_be_sent_to_the_same_server(link in "(https?:|/|\\?|[a-z.:@/%2e\\\\#\t-]){0,12}") {
            let base = BaseUrl::parse("https://example.com/base").unwrap();
            if let Some(path) = below(&base, "/v1/items", &link) {
                let url = base.join(&path);
                proptest::prop_assert!(url.is_none_or(|url| url.host_str() == Some("example.com")));
            }
        }
    }
}
