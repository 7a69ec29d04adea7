//! The request target, read once. What is matched here is exactly what the origin gets: a rule
//! that looks at one spelling of a path and a server that acts on another is how guards are
//! walked around.

use std::sync::Arc;

use http::{HeaderValue, Uri};
use percent_encoding::percent_decode_str;

/// The URL by which a request was asked, without a slash at the end. Whoever serves a resource server
/// under other names than its own puts it among the request's extensions; answers then name that one.
#[derive(Debug, Clone)]
pub struct AskedUrl(pub Arc<str>);

/// A path in its only accepted spelling, and the decoded query.
#[derive(Debug)]
pub(crate) struct Target {
    asked: Option<AskedUrl>,
    path: String,
    query: Vec<(String, String)>,
    uri: String,
}

/// Why a target is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TargetError {
    #[error("the path has an empty, `.` or `..` segment")]
    Segment,
    #[error("the path has a control character or a broken percent-encoding")]
    Encoding,
    #[error("the request names another host than the one it was sent to")]
    ForeignHost,
    #[error("the query has more than {MOST_PARAMETERS} parameters")]
    TooManyParameters,
}

/// Most characters of a target that go into an audit event.
const LONGEST_LOGGED: usize = 2048;

/// Most query parameters read.
const MOST_PARAMETERS: usize = 200;

/// The asterisk-form (RFC 9112 section 3.2.4).
const SERVER: &str = "*";

impl Target {
    /// Reads the target of a request that came with this Host header.
    pub(crate) fn read(uri: &Uri, host: Option<&HeaderValue>) -> Result<Self, TargetError> {
        check_host(uri, host)?;
        let path = uri.path();
        if path != SERVER {
            check_path(path)?;
        }
        let query = uri.query().unwrap_or_default();
        let query: Vec<(String, String)> = form_urlencoded::parse(query.as_bytes())
            .take(MOST_PARAMETERS + 1)
            .map(|(name, value)| (name.into_owned(), value.into_owned()))
            .collect();
        if query.len() > MOST_PARAMETERS {
            return Err(TargetError::TooManyParameters);
        }
        let uri = uri
            .path_and_query()
            .map_or_else(|| path.to_owned(), ToString::to_string);
        Ok(Self {
            asked: None,
            path: path.to_owned(),
            query,
            uri,
        })
    }

    /// The same for a request that was asked by that URL.
    pub(crate) fn asked_by(self, asked: Option<AskedUrl>) -> Self {
        Self { asked, ..self }
    }

    /// The URL of the whole request: below the one that it was asked by, else below `own`.
    pub(crate) fn url(&self, own: &str) -> String {
        let base = self.asked.as_ref().map_or(own, |AskedUrl(url)| url);
        format!("{base}{}", self.uri)
    }

    /// Whether the request is about the server and no resource of it (RFC 9110 section 9.3.7).
    pub(crate) fn is_server(&self) -> bool {
        self.path == SERVER
    }

    /// The path, still percent-encoded.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Path and query exactly as they came.
    pub(crate) fn path_and_query(&self) -> &str {
        &self.uri
    }

    /// The decoded parameters, in order, repeated ones kept.
    pub(crate) fn query(&self) -> &[(String, String)] {
        &self.query
    }

    /// Path and query for the audit log, cut to a length that nobody can fill it with.
    pub(crate) fn uri_for_log(&self) -> String {
        self.uri.chars().take(LONGEST_LOGGED).collect()
    }
}

/// The absolute form must be taken (RFC 9112 section 3.2.2). With another host in it than in the
/// Host header, two servers on the way could believe different ones.
fn check_host(uri: &Uri, host: Option<&HeaderValue>) -> Result<(), TargetError> {
    let Some(named) = uri.authority() else {
        return Ok(());
    };
    let same = |host: &HeaderValue| {
        host.as_bytes()
            .eq_ignore_ascii_case(named.as_str().as_bytes())
    };
    if host.is_some_and(same) {
        Ok(())
    } else {
        Err(TargetError::ForeignHost)
    }
}

fn check_path(path: &str) -> Result<(), TargetError> {
    let segments = path.strip_prefix('/').ok_or(TargetError::Segment)?;
    if segments.is_empty() {
        return Ok(());
    }
    for segment in segments.split('/') {
        let decoded = percent_decode_str(segment);
        let broken = segment.match_indices('%').any(|(at, _)| {
            !segment
                .as_bytes()
                .get(at + 1..at + 3)
                .is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
        });
        if broken || decoded.clone().any(|byte| byte < 0x20 || byte == 0x7f) {
            return Err(TargetError::Encoding);
        }
        let decoded: Vec<u8> = decoded.collect();
        if matches!(decoded.as_slice(), b"" | b"." | b"..") {
            return Err(TargetError::Segment);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(target: &str) -> Result<Target, TargetError> {
        let host = HeaderValue::from_static("Here:8081");
        Target::read(&target.parse().unwrap(), Some(&host))
    }

    #[test]
    fn one_spelling_of_a_path_is_accepted() {
        for good in [
            "/",
            "/api/v1/volumes",
            "/api/v1/tasks/%2Fapi%2Fv1%2Ftasks%2Fx",
            "/a/b.c/..d",
        ] {
            assert!(read(good).is_ok(), "{good}");
        }
        for bad in [
            "/api/v1/../../admin",
            "/api/%2e%2e/x",
            "/api/.%2E/x",
            "//api",
            "/api//v1",
            "/a/",
            "/a/./b",
        ] {
            assert_eq!(read(bad).unwrap_err(), TargetError::Segment, "{bad}");
        }
        for bad in ["/a%00", "/a%0d%0aX:y", "/a%7f", "/a%2", "/a%zz"] {
            assert_eq!(read(bad).unwrap_err(), TargetError::Encoding, "{bad}");
        }
    }

    #[test]
    fn the_absolute_form_must_name_the_host_that_was_asked() {
        let target = read("http://here:8081/api?x=1").unwrap();
        assert_eq!(target.url("https://own"), "https://own/api?x=1");
        let asked = AskedUrl("https://asked".into());
        let target = target.asked_by(Some(asked));
        assert_eq!(target.url("https://own"), "https://asked/api?x=1");
        for foreign in [
            "http://elsewhere/api",
            "http://here:8082/api",
            "http://here:8081@elsewhere/api",
        ] {
            assert_eq!(read(foreign).unwrap_err(), TargetError::ForeignHost);
        }
        let uri = "http://here/api".parse().unwrap();
        assert_eq!(
            Target::read(&uri, None).unwrap_err(),
            TargetError::ForeignHost
        );
    }

    #[test]
    fn plus_is_a_space_in_the_query_and_not_in_the_path() {
        let target = read("/a+b?filter=name+eq+%27V1%27&x=1&x=2").unwrap();
        assert_eq!(target.path(), "/a+b");
        let pairs: Vec<_> = target
            .query()
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(pairs, [("filter", "name eq 'V1'"), ("x", "1"), ("x", "2")]);
        let many = format!("/a?{}", "x=1&".repeat(201));
        assert_eq!(read(&many).unwrap_err(), TargetError::TooManyParameters);
    }
}
