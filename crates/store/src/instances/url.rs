//! The URLs that an administrator gives to an application instance: where its clients find it, and what
//! stands behind it.
//!
//! Whoever may enter an upstream can make this server call it, so what belongs to no network of theirs
//! is refused: link-local addresses, where clouds keep the secrets of their machines, and addresses
//! that are nobody's. A name is looked at again when it is resolved, see [`is_refused`].

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use http::Uri;

/// Longest URL, in bytes.
const LONGEST: usize = 512;

/// An `http` or `https` URL that paths are put behind, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BaseUrl {
    text: String,
    host: String,
    port: u16,
}

/// The base URL of an API that calls are passed on to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamUrl(BaseUrl);

/// Why a text is no such URL.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidUrl {
    /// It cannot be read.
    #[error("write an http or https URL with a host, such as https://storage.example.com")]
    Unreadable,
    /// It holds a user name.
    #[error("the URL must not hold a user name or password")]
    Credentials,
    /// It goes on after the path.
    #[error("the URL must end with its path: no `?` and no `#`")]
    Query,
    /// Its path has other spellings.
    #[error(
        "the path of the URL must be plain: letters, digits and -._~, and no `.` or `..` alone"
    )]
    Path,
    /// It leads where no API is.
    #[error(
        "the URL leads to a link-local, multicast or unspecified address, which is refused: such \
         addresses hold the metadata of cloud machines"
    )]
    RefusedAddress,
}

impl BaseUrl {
    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// Its host, in lower case; an IPv6 address is in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port, given or implied.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether both lead to the same host and port.
    pub fn shares_host_with(&self, other: &Self) -> bool {
        self.host == other.host && self.port == other.port
    }
}

impl UpstreamUrl {
    /// The URL, without a slash at its end.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl FromStr for BaseUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let text = text.trim();
        if text.contains(['?', '#']) {
            return Err(InvalidUrl::Query);
        }
        let uri: Uri = text.parse().map_err(|_| InvalidUrl::Unreadable)?;
        let authority = uri.authority().ok_or(InvalidUrl::Unreadable)?;
        if authority.as_str().contains('@') {
            return Err(InvalidUrl::Credentials);
        }
        let (scheme, customary) = match uri.scheme_str() {
            Some("http") => ("http", 80),
            Some("https") => ("https", 443),
            _ => return Err(InvalidUrl::Unreadable),
        };
        let host = authority.host().to_ascii_lowercase();
        let (_, port) = authority.as_str().split_at(authority.host().len());
        let port = match port.strip_prefix(':') {
            None if port.is_empty() => customary,
            Some(port) => port.parse().map_err(|_| InvalidUrl::Unreadable)?,
            None => return Err(InvalidUrl::Unreadable),
        };
        if host.is_empty() || port == 0 || text.len() > LONGEST {
            return Err(InvalidUrl::Unreadable);
        }
        let path = uri.path().trim_end_matches('/');
        if !path.split('/').skip(1).all(is_plain) {
            return Err(InvalidUrl::Path);
        }
        let shown = if port == customary {
            String::new()
        } else {
            format!(":{port}")
        };
        Ok(Self {
            text: format!("{scheme}://{host}{shown}{path}"),
            host,
            port,
        })
    }
}

impl FromStr for UpstreamUrl {
    type Err = InvalidUrl;

    fn from_str(text: &str) -> Result<Self, InvalidUrl> {
        let url: BaseUrl = text.parse()?;
        let bare = url.host.trim_start_matches('[').trim_end_matches(']');
        if bare.parse().is_ok_and(is_refused) {
            return Err(InvalidUrl::RefusedAddress);
        }
        Ok(Self(url))
    }
}

/// Whether no call is passed on to this address, whatever name it was found under.
pub fn is_refused(address: IpAddr) -> bool {
    // The same machine in the other notation: ::ffff:169.254.169.254.
    match address.to_canonical() {
        IpAddr::V4(v4) => {
            v4.is_link_local()
                || v4.is_multicast()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.octets() == METADATA_V4
        }
        IpAddr::V6(v6) => {
            v6.is_unicast_link_local()
                || v6.is_multicast()
                || v6.is_unspecified()
                || v6.segments() == METADATA_V6
        }
    }
}

/// Where clouds keep the metadata of a machine outside of the link-local networks.
const METADATA_V4: [u8; 4] = [100, 100, 100, 200];
const METADATA_V6: [u16; 8] = [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254];

fn is_plain(segment: &str) -> bool {
    let known = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(known)
}

impl fmt::Display for BaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl fmt::Display for UpstreamUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_url_has_one_spelling() {
        for (text, told) in [
            ("https://API.example.com/", "https://api.example.com"),
            ("HTTPS://api.example.com:443", "https://api.example.com"),
            ("http://127.0.0.1:80/v2/", "http://127.0.0.1/v2"),
            ("https://[::1]:8443", "https://[::1]:8443"),
            (" http://localhost:8080 ", "http://localhost:8080"),
        ] {
            assert_eq!(text.parse::<BaseUrl>().unwrap().as_str(), told, "{text}");
        }
    }

    #[test]
    fn what_is_no_base_of_paths_is_refused() {
        use InvalidUrl::{Credentials, Path, Query, Unreadable};
        for (text, why) in [
            ("", Unreadable),
            ("example.com", Unreadable),
            ("/api", Unreadable),
            ("ftp://example.com", Unreadable),
            ("file:///etc/passwd", Unreadable),
            ("https://", Unreadable),
            ("https://example.com:0", Unreadable),
            ("https://example.com:99999", Unreadable),
            ("https://example.com:", Unreadable),
            ("https://ann:secret@example.com", Credentials),
            ("https://ann@example.com", Credentials),
            ("https://example.com?x=1", Query),
            ("https://example.com#top", Query),
            ("https://example.com/a/../b", Path),
            ("https://example.com/a%2fb", Path),
            ("https://example.com//b", Path),
        ] {
            assert_eq!(text.parse::<BaseUrl>(), Err(why), "{text}");
        }
    }

    #[test]
    fn the_metadata_of_a_machine_is_no_upstream() {
        for text in [
            "http://169.254.169.254",
            "http://169.254.169.254/latest",
            "http://[fe80::1]",
            "http://[::ffff:169.254.169.254]",
            "http://[::ffff:a9fe:a9fe]",
            "http://100.100.100.200",
            "http://[fd00:ec2::254]",
            "http://0.0.0.0:8080",
            "http://[::]",
            "http://224.0.0.1",
            "http://255.255.255.255",
        ] {
            assert_eq!(
                text.parse::<UpstreamUrl>(),
                Err(InvalidUrl::RefusedAddress),
                "{text}"
            );
        }
        for text in [
            "http://127.0.0.1:9000",
            "http://10.0.0.7",
            "http://[fd00::7]",
        ] {
            assert!(text.parse::<UpstreamUrl>().is_ok(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_reads_back_the_same(text in "(https?://)?[a-zA-Z0-9:.@\\[\\]/?#%_~-]{0,40}") {
            if let Ok(url) = text.parse::<BaseUrl>() {
                prop_assert_eq!(url.as_str().parse::<BaseUrl>(), Ok(url.clone()));
                prop_assert!(!url.as_str().ends_with('/'));
            }
        }
    }
}
