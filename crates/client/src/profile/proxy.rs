//! The proxy of one profile, in place of what the environment says.

use std::fmt;

use reqwest::Url;

use crate::address::AddressError;

/// How requests of a profile get out.
#[derive(Clone, PartialEq, Eq)]
pub enum Proxy {
    /// Past every proxy, whatever the environment says.
    Direct,
    /// Through this one.
    Through(ProxyUrl),
}

/// The address of a proxy: http or https, host and port, nothing else.
#[derive(Clone, PartialEq, Eq)]
pub struct ProxyUrl(Url);

impl Proxy {
    /// Reads an address, or `none`. A proxy's password has no place in a profile, which may be
    /// shared; the environment's `HTTPS_PROXY` may hold one.
    pub fn parse(text: &str) -> Result<Self, AddressError> {
        let text = text.trim();
        if text.eq_ignore_ascii_case(NONE) {
            return Ok(Self::Direct);
        }
        let url = Url::parse(text).map_err(|error| AddressError::Malformed {
            what: WHAT,
            reason: error.to_string(),
        })?;
        let surplus = |part| AddressError::Surplus { what: WHAT, part };
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = url.scheme().to_owned();
            return Err(AddressError::Scheme { what: WHAT, scheme });
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(surplus("a user name or password"));
        }
        if url.query().is_some() {
            return Err(surplus("a query"));
        }
        if url.fragment().is_some() {
            return Err(surplus("a fragment"));
        }
        if url.path() != "/" {
            return Err(surplus("a path"));
        }
        Ok(Self::Through(ProxyUrl(url)))
    }

    /// The text that is read back as the same proxy.
    pub fn as_str(&self) -> &str {
        match self {
            Self::Direct => NONE,
            Self::Through(url) => url.as_str(),
        }
    }
}

impl ProxyUrl {
    /// The address.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Proxy({})", self.as_str())
    }
}

impl fmt::Debug for ProxyUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyUrl({})", self.as_str())
    }
}

const NONE: &str = "none";
const WHAT: &str = "proxy";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_read_is_printed_and_read_back() {
        for text in [
            "none",
            "http://proxy.example.com:3128/",
            "http://[2001:db8::1]:8080/",
        ] {
            let proxy = Proxy::parse(text).unwrap();
            assert_eq!(proxy.as_str(), text);
            assert_eq!(Proxy::parse(proxy.as_str()).unwrap(), proxy);
        }
    }

    #[test]
    fn a_password_is_refused_without_being_repeated() {
        for text in [
            "http://ann:planted@proxy:1",
            "http://proxy:1/planted",
            "http://proxy:1/?planted",
            "socks5://proxy:1",
            "proxy.example.com",
        ] {
            let error = Proxy::parse(text).unwrap_err();
            assert!(!format!("{error} {error:?}").contains("planted"), "{text}");
        }
    }
}
