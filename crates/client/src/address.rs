//! The two addresses of a connection, checked: the token endpoint and the base of the API.
//!
//! A token request carries the client secret and every API call a token, so neither goes over an
//! unencrypted connection that leaves the machine, and neither address may hold credentials itself:
//! addresses are printed, secrets are not.

use std::fmt;
use std::net::IpAddr;

use reqwest::Url;

/// Why a text is no usable address. Never repeats the text: it may hold a password or a token.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AddressError {
    /// Not a URL.
    #[error("the {what} is no URL: {reason}")]
    Malformed {
        /// Which address.
        what: &'static str,
        /// What the parser said.
        reason: String,
    },
    /// Neither http nor https.
    #[error("the {what} starts with `{scheme}:`, not with https:")]
    Scheme {
        /// Which address.
        what: &'static str,
        /// The scheme found.
        scheme: String,
    },
    /// Plain http to another machine.
    #[error("the {what} is plain http to `{host}`, so everybody on the way could read along")]
    Unencrypted {
        /// Which address.
        what: &'static str,
        /// The host found.
        host: String,
    },
    /// A part that has no business there.
    #[error("the {what} holds {part}")]
    Surplus {
        /// Which address.
        what: &'static str,
        /// `a user name or password`, `a query` or `a fragment`.
        part: &'static str,
    },
}

impl AddressError {
    /// What to do about it.
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Malformed { .. } | Self::Scheme { .. } => {
                "write the whole address, such as https://us1.data.cloud.hpe.com"
            }
            Self::Unencrypted { .. } => "use https; plain http is for this machine only",
            Self::Surplus { .. } => "leave it out: credentials are kept apart from addresses",
        }
    }
}

/// Where tokens are asked for (RFC 6749 section 3.2).
#[derive(Clone, PartialEq, Eq)]
pub struct TokenUrl(Url);

impl TokenUrl {
    /// Checks the address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        checked(text, "token URL").map(Self)
    }

    /// The address as it is sent to.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }
}

/// What the paths of an API definition are appended to. May have a path of its own; ends without a
/// slash.
#[derive(Clone, PartialEq, Eq)]
pub struct BaseUrl(Url);

impl BaseUrl {
    /// Checks the address.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        checked(text, "base URL").map(Self)
    }

    /// The address, without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_str().trim_end_matches('/')
    }

    pub(crate) fn url(&self) -> &Url {
        &self.0
    }

    /// The address of `path_and_query` below this base; `None` when it is no path, or when a URL
    /// parser would call something else than what was written: it walks up at `..`, takes
    /// backslashes for slashes, and leaves out line breaks, tabs and everything after `#`.
    pub(crate) fn join(&self, path_and_query: &str) -> Option<Url> {
        let path = path_and_query.split('?').next().unwrap_or_default();
        let misread = |c: char| c.is_control() || c == '#';
        if !path.starts_with('/')
            || path.contains('\\')
            || path.split('/').any(is_dots)
            || path_and_query.contains(misread)
        {
            return None;
        }
        let url = Url::parse(&format!("{}{path_and_query}", self.as_str())).ok()?;
        (url.origin() == self.0.origin()).then_some(url)
    }
}

/// Whether the address stays on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let Some(host) = url.host_str() else {
        return false;
    };
    match host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => host == "localhost" || host.ends_with(".localhost"),
    }
}

fn checked(text: &str, what: &'static str) -> Result<Url, AddressError> {
    let url = Url::parse(text.trim()).map_err(|error| AddressError::Malformed {
        what,
        reason: error.to_string(),
    })?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(AddressError::Surplus {
            what,
            part: "a user name or password",
        });
    }
    match url.scheme() {
        "https" => {}
        "http" if is_loopback(&url) => {}
        "http" => {
            let host = url.host_str().unwrap_or_default().to_owned();
            return Err(AddressError::Unencrypted { what, host });
        }
        scheme => {
            return Err(AddressError::Scheme {
                what,
                scheme: scheme.to_owned(),
            });
        }
    }
    if url.query().is_some() {
        return Err(AddressError::Surplus {
            what,
            part: "a query",
        });
    }
    if url.fragment().is_some() {
        return Err(AddressError::Surplus {
            what,
            part: "a fragment",
        });
    }
    Ok(url)
}

/// `.` and `..`, also percent-encoded, as the URL standard reads them.
fn is_dots(segment: &str) -> bool {
    matches!(
        segment.to_ascii_lowercase().replace("%2e", ".").as_str(),
        "." | ".."
    )
}

macro_rules! printed {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self.as_str())
            }
        }
    };
}
printed!(TokenUrl);
printed!(BaseUrl);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_only() {
        for text in [
            "http://127.0.0.1:8080/t",
            "http://localhost/t",
            "http://[::1]:1/t",
        ] {
            assert!(TokenUrl::parse(text).is_ok(), "{text}");
        }
        for text in [
            "http://example.com/t",
            "http://127.0.0.1.example.com/",
            "http://10.0.0.1/",
        ] {
            let error = TokenUrl::parse(text).unwrap_err();
            assert!(
                matches!(error, AddressError::Unencrypted { .. }),
                "{text}: {error}"
            );
        }
        assert!(matches!(
            TokenUrl::parse("ftp://localhost/"),
            Err(AddressError::Scheme { .. })
        ));
        assert!(matches!(
            BaseUrl::parse("us1"),
            Err(AddressError::Malformed { .. })
        ));
    }

    #[test]
    fn credentials_queries_and_fragments_are_refused_without_being_repeated() {
        for text in [
            "https://ann:planted@example.com/t",
            "https://planted@example.com/t",
            "https://example.com/t?client_secret=planted",
            "https://example.com/t#planted",
        ] {
            let error = TokenUrl::parse(text).unwrap_err();
            assert!(matches!(error, AddressError::Surplus { .. }), "{text}");
            assert!(!format!("{error} {error:?}").contains("planted"), "{error}");
        }
    }

    #[test]
    fn a_path_is_appended_and_never_leaves_the_base() {
        let base = BaseUrl::parse("https://example.com/base/").unwrap();
        assert_eq!(base.as_str(), "https://example.com/base");
        let url = base.join("/api/v1/x?filter=a%20b").unwrap();
        assert_eq!(
            url.as_str(),
            "https://example.com/base/api/v1/x?filter=a%20b"
        );
        for path in [
            "@evil.com/",
            "api",
            "",
            "/a/../b",
            "/a/%2E%2e",
            "/./a",
            "/a\\..\\b",
            ".evil/",
        ] {
            assert_eq!(base.join(path), None, "{path}");
        }
        assert!(
            base.join("/a/..b/%2F..?x=/../").is_some(),
            "dots inside a segment are only dots"
        );
    }

    proptest::proptest! {
        #[test]
        fn whatever_is_appended_stays_below_the_base(path in "/?[/.%2eE\\\\@:?#a \t]{0,12}") {
            let base = BaseUrl::parse("https://example.com/base").unwrap();
            if let Some(url) = base.join(&path) {
                proptest::prop_assert_eq!(url.host_str(), Some("example.com"));
                proptest::prop_assert!(url.path().starts_with("/base/"), "{}", url);
                let written = path.split('?').next().unwrap().matches('/').count();
                proptest::prop_assert_eq!(url.path().matches('/').count(), written + 1);
            }
        }
    }
}
