//! Which way requests get out of here: directly, or through a proxy that the environment or the
//! profile names.
//!
//! The look-up is passed in; this module reads no environment itself. Only https goes through a
//! proxy: plain http is for this machine alone, where a proxy would only carry the secret away.

use std::fmt;
use std::net::IpAddr;

use hallpass_oauth::Secret;
use percent_encoding::percent_decode_str;
use reqwest::Url;

use crate::address::{AddressError, is_loopback};
use crate::profile::Proxy;

/// The proxies of the environment.
#[derive(Debug, Clone, Default)]
pub struct Proxies {
    https: Option<Result<ProxyAddress, AddressError>>,
    exceptions: Vec<Exception>,
}

/// A proxy, and what it wants to know before it lets us through. `Display` shows the address only.
#[derive(Clone)]
pub(crate) struct ProxyAddress {
    url: Url,
    login: Option<(String, Secret)>,
}

/// What is reached past the proxy.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Exception {
    hosts: Hosts,
    port: Option<u16>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Hosts {
    All,
    /// A name and everything below it.
    Domain(String),
    /// The addresses that share so many bits with this one.
    Network(IpAddr, u8),
}

impl Proxies {
    /// No proxy at all.
    pub fn none() -> Self {
        Self::default()
    }

    /// `HTTPS_PROXY`, else `ALL_PROXY`, and `NO_PROXY`, each also in lower case. A variable set to
    /// nothing counts as not set. An address that is none is told when it would be used.
    pub fn from_environment(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name: &str| {
            let found = lookup(name)?.trim().to_owned();
            (!found.is_empty()).then_some(found)
        };
        let value = |name: &str| set(name).or_else(|| set(&name.to_ascii_lowercase()));
        let https = value("HTTPS_PROXY").map(|text| ProxyAddress::parse(&text, "HTTPS_PROXY"));
        Self {
            https: https
                .or_else(|| value("ALL_PROXY").map(|text| ProxyAddress::parse(&text, "ALL_PROXY"))),
            exceptions: value("NO_PROXY").map_or_else(Vec::new, |list| exceptions(&list)),
        }
    }

    /// The proxy on the way to `url`. The profile's own stands in place of the environment's.
    pub(crate) fn on_the_way_to(
        &self,
        url: &Url,
        own: Option<&Proxy>,
    ) -> Result<Option<ProxyAddress>, AddressError> {
        let past = url.scheme() != "https"
            || is_loopback(url)
            || self.exceptions.iter().any(|exception| exception.has(url));
        match own {
            _ if past => Ok(None),
            Some(Proxy::Direct) => Ok(None),
            Some(Proxy::Through(proxy)) => {
                ProxyAddress::parse(proxy.as_str(), "proxy of the profile").map(Some)
            }
            None => self.https.clone().transpose(),
        }
    }
}

impl ProxyAddress {
    /// Reads `http://user:password@host:port`; without a scheme it is http.
    fn parse(text: &str, what: &'static str) -> Result<Self, AddressError> {
        let whole = if text.contains("://") {
            text.to_owned()
        } else {
            format!("http://{text}")
        };
        let mut url = Url::parse(&whole).map_err(|error| AddressError::Malformed {
            what,
            reason: error.to_string(),
        })?;
        if !matches!(url.scheme(), "http" | "https") {
            let scheme = url.scheme().to_owned();
            return Err(AddressError::Scheme { what, scheme });
        }
        let decoded = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
        let login = (!url.username().is_empty()).then(|| {
            let password = Secret::from(decoded(url.password().unwrap_or_default()));
            (decoded(url.username()), password)
        });
        // An http URL has a host, so it can have these; nothing is left to be printed.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        Ok(Self { url, login })
    }

    pub(crate) fn for_reqwest(&self) -> reqwest::Result<reqwest::Proxy> {
        let proxy = reqwest::Proxy::all(self.url.as_str())?;
        Ok(match &self.login {
            Some((user, password)) => proxy.basic_auth(user, password.expose()),
            None => proxy,
        })
    }
}

impl fmt::Display for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url.origin().ascii_serialization())
    }
}

impl fmt::Debug for ProxyAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ProxyAddress({self})")
    }
}

/// Entries are separated by commas or blanks: `*`, a domain (with or without a dot before it), an IP
/// address (version 6 with or without brackets) or a network, each with or without a port.
fn exceptions(list: &str) -> Vec<Exception> {
    let separator = |c: char| c == ',' || c.is_whitespace();
    list.split(separator)
        .filter(|entry| !entry.is_empty())
        .map(Exception::parse)
        .collect()
}

impl Exception {
    fn parse(entry: &str) -> Self {
        if let Some(hosts) = Hosts::network(entry) {
            return Self { hosts, port: None };
        }
        let with_port = entry
            .rsplit_once(':')
            .and_then(|(host, port)| Some((host, port.parse().ok()?)));
        let (host, port) = match with_port {
            Some((host, port)) => (host, Some(port)),
            None => (entry, None),
        };
        let hosts = match Hosts::network(host) {
            Some(network) => network,
            None if host == "*" => Hosts::All,
            None => {
                let name = host.trim_start_matches('*').trim_matches('.');
                Hosts::Domain(name.to_ascii_lowercase())
            }
        };
        Self { hosts, port }
    }

    fn has(&self, url: &Url) -> bool {
        let ours = self
            .port
            .is_none_or(|port| url.port_or_known_default() == Some(port));
        ours && url.host_str().is_some_and(|host| self.hosts.has(host))
    }
}

impl Hosts {
    fn network(text: &str) -> Option<Self> {
        let (address, length) = match text.split_once('/') {
            Some((address, length)) => (address, Some(length.parse().ok()?)),
            None => (text, None),
        };
        let address: IpAddr = address.trim_matches(['[', ']']).parse().ok()?;
        let whole = if address.is_ipv4() { 32 } else { 128 };
        let length: u8 = length.unwrap_or(whole);
        (length <= whole).then_some(Self::Network(address, length))
    }

    fn has(&self, host: &str) -> bool {
        match self {
            Self::All => true,
            Self::Domain(domain) => {
                let host = host.trim_end_matches('.').to_ascii_lowercase();
                let below = host.strip_suffix(domain.as_str());
                !domain.is_empty()
                    && below.is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
            }
            Self::Network(network, length) => {
                let address = host.trim_matches(['[', ']']).parse();
                address.is_ok_and(|address| same_network(address, *network, *length))
            }
        }
    }
}

fn same_network(one: IpAddr, other: IpAddr, length: u8) -> bool {
    let differing = match (one, other) {
        (IpAddr::V4(one), IpAddr::V4(other)) => u128::from(one.to_bits() ^ other.to_bits()) << 96,
        (IpAddr::V6(one), IpAddr::V6(other)) => one.to_bits() ^ other.to_bits(),
        _ => return false,
    };
    differing.leading_zeros() >= u32::from(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proxies(variables: &[(&str, &str)]) -> Proxies {
        Proxies::from_environment(|wanted| {
            let found = variables.iter().find(|(name, _)| *name == wanted);
            found.map(|(_, value)| (*value).to_owned())
        })
    }

    fn way(proxies: &Proxies, url: &str) -> Option<String> {
        let url = Url::parse(url).unwrap();
        let proxy = proxies.on_the_way_to(&url, None).unwrap();
        proxy.map(|proxy| proxy.to_string())
    }

    const API: &str = "https://us1.example.com/api";

    #[test]
    fn the_variables_are_read_in_both_cases_and_the_special_one_first() {
        for (variables, expected) in [
            (&[][..], None),
            (&[("HTTPS_PROXY", "http://p:1")], Some("http://p:1")),
            (&[("https_proxy", "p:1")], Some("http://p:1")),
            (&[("ALL_PROXY", "https://p")], Some("https://p")),
            (&[("HTTP_PROXY", "http://p:1")], None),
            (&[("HTTPS_PROXY", " ")], None),
            (
                &[("HTTPS_PROXY", ""), ("https_proxy", "p:1")],
                Some("http://p:1"),
            ),
            (
                &[
                    ("ALL_PROXY", "http://a:1"),
                    ("https_proxy", "http://[::2]:8"),
                ],
                Some("http://[::2]:8"),
            ),
        ] {
            let way = way(&proxies(variables), API);
            assert_eq!(way.as_deref(), expected, "{variables:?}");
        }
    }

    #[test]
    fn this_machine_is_reached_directly_whatever_is_set() {
        let all = proxies(&[("ALL_PROXY", "http://p:1")]);
        for url in [
            "http://127.0.0.1:8080/t",
            "https://localhost/t",
            "https://[::1]:1/",
        ] {
            assert_eq!(way(&all, url), None, "{url}");
        }
    }

    #[test]
    fn exceptions_are_names_addresses_networks_and_ports() {
        for (list, past, through) in [
            (
                "example.com",
                &[API, "https://EXAMPLE.com./"][..],
                &["https://notexample.com/"][..],
            ),
            (
                ".example.com",
                &[API, "https://example.com/"],
                &["https://example.org/"],
            ),
            (
                "*.example.com other",
                &[API, "https://other/"],
                &["https://another/"],
            ),
            ("*", &[API, "https://10.0.0.1/"], &[]),
            (
                "10.0.0.0/8,[2001:db8::1]",
                &["https://10.9.8.7/", "https://[2001:db8::1]/"],
                &["https://11.0.0.1/", "https://[2001:db8::2]/"],
            ),
            (
                "2001:db8::/33",
                &["https://[2001:db8:7fff::1]/"],
                &["https://[2001:db8:8000::1]/"],
            ),
            (
                "example.com:8443,[2001:db8::1]:8443",
                &[
                    "https://us1.example.com:8443/",
                    "https://[2001:db8::1]:8443/",
                ],
                &[API, "https://[2001:db8::1]/"],
            ),
            (
                "0.0.0.0/0",
                &["https://192.0.2.1/"],
                &["https://[2001:db8::1]/", API],
            ),
            (", ,.", &[], &[API]),
            ("10.0.0.0/33", &[], &["https://10.0.0.1/"]),
        ] {
            let proxies = proxies(&[("https_proxy", "p:1"), ("no_proxy", list)]);
            for url in past {
                assert_eq!(way(&proxies, url), None, "{list}: {url}");
            }
            for url in through {
                assert!(way(&proxies, url).is_some(), "{list}: {url}");
            }
        }
    }

    #[test]
    fn the_profiles_proxy_stands_in_place_of_the_environments() {
        let url = Url::parse(API).unwrap();
        let all = proxies(&[("ALL_PROXY", "http://p:1")]);
        let own = |text: &str| {
            let own = Proxy::parse(text).unwrap();
            let found = all.on_the_way_to(&url, Some(&own)).unwrap();
            found.map(|proxy| proxy.to_string())
        };
        assert_eq!(own("none"), None);
        assert_eq!(own("http://own:2").as_deref(), Some("http://own:2"));
    }

    #[test]
    fn a_password_is_used_and_never_shown_and_a_wrong_address_is_told_only_when_needed() {
        let address = ProxyAddress::parse("http://ann:pl%40nted@p:1", "x").unwrap();
        let (user, password) = address.login.clone().unwrap();
        assert_eq!((user.as_str(), password.expose()), ("ann", "pl@nted"));
        assert_eq!(address.to_string(), "http://p:1");
        for wrong in ["socks5://ann:planted@p:1", "ann:planted@:x", "http://"] {
            let proxies = proxies(&[("HTTPS_PROXY", wrong), ("NO_PROXY", "past.example")]);
            assert_eq!(way(&proxies, "https://past.example/"), None);
            let url = Url::parse(API).unwrap();
            let error = proxies.on_the_way_to(&url, None).unwrap_err();
            let told = format!("{error} {error:?} {proxies:?} {}", error.hint());
            assert!(
                told.contains("HTTPS_PROXY") && !told.contains("planted"),
                "{told}"
            );
        }
    }

    proptest::proptest! {
        #[test]
        fn any_list_of_exceptions_is_read(list in "[0-9a-f.:/*\\[\\], ]{0,40}", host in "[a-z0-9.]{1,20}") {
            let url = Url::parse(&format!("https://x{host}/"));
            for exception in exceptions(&list) {
                let _ = url.as_ref().map(|url| exception.has(url));
            }
        }
    }
}
