//! Locations of the texts of a definition, and references resolved against them (RFC 3986
//! section 5).
//!
//! A location is an absolute URL, or a path relative to wherever the definition itself lies; what
//! it leads to, and whether anybody may read it, is the loader's to say.

/// What a reference names: a text, and a place in it.
pub(crate) fn split(reference: &str) -> (&str, &str) {
    reference.split_once('#').unwrap_or((reference, ""))
}

/// The location that `reference` (without fragment) means in a text at `base`.
pub(crate) fn resolve(base: &str, reference: &str) -> String {
    let reference = Parts::of(reference);
    let base = Parts::of(base);
    if reference.scheme.is_some() {
        return reference.joined(&without_dots(reference.path));
    }
    let inherits = |authority, path: String, query| {
        let whole = Parts {
            scheme: base.scheme,
            authority,
            path: "",
            query,
        };
        whole.joined(&path)
    };
    if reference.authority.is_some() {
        return inherits(
            reference.authority,
            without_dots(reference.path),
            reference.query,
        );
    }
    if reference.path.is_empty() {
        let query = reference.query.or(base.query);
        return inherits(base.authority, base.path.to_owned(), query);
    }
    let path = if reference.path.starts_with('/') {
        reference.path.to_owned()
    } else if base.authority.is_some() && base.path.is_empty() {
        format!("/{}", reference.path)
    } else {
        let folder = base.path.rfind('/').map_or("", |end| &base.path[..=end]);
        format!("{folder}{}", reference.path)
    };
    inherits(base.authority, without_dots(&path), reference.query)
}

/// The components of RFC 3986 section 3, without the fragment.
#[derive(Clone, Copy)]
struct Parts<'a> {
    scheme: Option<&'a str>,
    authority: Option<&'a str>,
    path: &'a str,
    query: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(text: &'a str) -> Self {
        let (scheme, rest) = match text.split_once(':') {
            Some((scheme, rest)) if is_scheme(scheme) => (Some(scheme), rest),
            _ => (None, text),
        };
        let (rest, query) = match rest.split_once('?') {
            Some((rest, query)) => (rest, Some(query)),
            None => (rest, None),
        };
        let (authority, path) = match rest.strip_prefix("//") {
            Some(rest) => {
                let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
                (Some(authority), path)
            }
            None => (None, rest),
        };
        Self {
            scheme,
            authority,
            path,
            query,
        }
    }

    fn joined(&self, path: &str) -> String {
        let mut text = String::new();
        if let Some(scheme) = self.scheme {
            text += scheme;
            text.push(':');
        }
        if let Some(authority) = self.authority {
            text += "//";
            text += authority;
        }
        text += path;
        if let Some(query) = self.query {
            text.push('?');
            text += query;
        }
        text
    }
}

fn is_scheme(text: &str) -> bool {
    text.starts_with(|first: char| first.is_ascii_alphabetic())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

/// RFC 3986 section 5.2.4. A relative path keeps the dots that lead above where it begins.
fn without_dots(path: &str) -> String {
    let absolute = path.starts_with('/');
    let mut segments: Vec<&str> = Vec::new();
    let mut ends_in_folder = false;
    for segment in path.strip_prefix('/').unwrap_or(path).split('/') {
        ends_in_folder = matches!(segment, "." | "..");
        match segment {
            "." => {}
            ".." if segments.last().is_some_and(|last| *last != "..") => {
                segments.pop();
            }
            ".." if absolute => {}
            other => segments.push(other),
        }
    }
    let mut text = if absolute { "/" } else { "" }.to_owned();
    text += &segments.join("/");
    if ends_in_folder && !segments.is_empty() && !text.ends_with("..") {
        text.push('/');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Base, reference, location: RFC 3986 section 5.4 and relative bases.
    #[test]
    fn references_resolve_against_where_they_are_written() {
        let rfc = "http://a/b/c/d;p?q";
        for (base, reference, location) in [
            (rfc, "g:h", "g:h"),
            (rfc, "g", "http://a/b/c/g"),
            (rfc, "./g/", "http://a/b/c/g/"),
            (rfc, "/g", "http://a/g"),
            (rfc, "//g", "http://g"),
            (rfc, "?y", "http://a/b/c/d;p?y"),
            (rfc, "g?y", "http://a/b/c/g?y"),
            (rfc, "", "http://a/b/c/d;p?q"),
            (rfc, "..", "http://a/b/"),
            (rfc, "../../../g", "http://a/g"),
            (rfc, "http://a/x/../y", "http://a/y"),
            ("http://a", "g", "http://a/g"),
            ("", "schemas/volume.yaml", "schemas/volume.yaml"),
            ("api.yaml", "./schemas/volume.yaml", "schemas/volume.yaml"),
            ("schemas/volume.yaml", "host.yaml", "schemas/host.yaml"),
            ("schemas/volume.yaml", "../api.yaml", "api.yaml"),
            ("schemas/volume.yaml", "../../other.yaml", "../other.yaml"),
            ("../a/b.yaml", "../../c.yaml", "../../c.yaml"),
            ("api.yaml", "/etc/passwd", "/etc/passwd"),
            ("api.yaml", "file:///etc/passwd", "file:///etc/passwd"),
            ("api.yaml", "a/../../b", "../b"),
        ] {
            assert_eq!(resolve(base, reference), location, "{reference} in {base}");
        }
        assert_eq!(split("a.yaml#/b"), ("a.yaml", "/b"));
        assert_eq!(split("#"), ("", ""));
    }
}
