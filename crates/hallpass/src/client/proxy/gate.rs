//! Who may use the local proxy: programs that know the key in its address, and no page in a browser.
//!
//! The host that a request names and the fields that browsers add tell pages apart from programs. Other
//! users of the machine can connect as well; they do not know the key, the first segment of every path.

use std::net::SocketAddr;

use http::header::ORIGIN;
use http::uri::PathAndQuery;
use http::{Request, Uri};

use crate::client::loopback::{Key, SEC_FETCH_SITE, is_asked_for};

/// Decides who comes in.
pub(super) struct Gate {
    address: SocketAddr,
    key: Option<Key>,
}

/// Why a request stays outside.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Refused {
    /// It asks for another host.
    #[error("this is a local proxy of hallpass; it answers under its own address only")]
    OtherHost,
    /// It comes from a page in a browser.
    #[error("a page in a browser may not use this proxy; it is for programs")]
    Page,
    /// It does not have the key.
    #[error("the address is not complete: use the one that `hallpass proxy` printed")]
    NoKey,
}

impl Gate {
    /// A gate at this address.
    pub(super) fn new(address: SocketAddr, key: Option<Key>) -> Self {
        Self { address, key }
    }

    /// Whether a key is asked for.
    pub(super) fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// What a program puts before the API's paths.
    pub(super) fn base_url(&self) -> String {
        match &self.key {
            Some(key) => format!("http://{}/{}", self.address, key.expose()),
            None => format!("http://{}", self.address),
        }
    }

    /// The path and query that are meant for the API.
    pub(super) fn admit<B>(&self, request: &Request<B>) -> Result<Uri, Refused> {
        if !is_asked_for(self.address, request) {
            return Err(Refused::OtherHost);
        }
        if is_from_a_page(request) {
            return Err(Refused::Page);
        }
        let path = request
            .uri()
            .path_and_query()
            .map_or("/", PathAndQuery::as_str);
        let rest = match &self.key {
            None => path,
            Some(key) => without(key, path).ok_or(Refused::NoKey)?,
        };
        let rest = if rest.starts_with('/') {
            rest.to_owned()
        } else {
            format!("/{rest}")
        };
        rest.parse().map_err(|_| Refused::NoKey)
    }
}

/// Browsers say whose page it is (RFC 6454 section 7), and how page and address are related.
fn is_from_a_page<B>(request: &Request<B>) -> bool {
    let relation = request.headers().get(SEC_FETCH_SITE);
    request.headers().contains_key(ORIGIN) || relation.is_some_and(|relation| relation != "none")
}

/// The path behind the key.
fn without<'a>(key: &Key, path: &'a str) -> Option<&'a str> {
    let path = path.strip_prefix('/')?;
    let (presented, rest) = path.split_at_checked(key.expose().len())?;
    (key.is(presented) && (rest.is_empty() || rest.starts_with(['/', '?']))).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "00112233445566778899aabbccddeeff";

    fn gate() -> Gate {
        let address = "127.0.0.1:4000".parse().unwrap();
        Gate::new(address, Some(Key::of(KEY)))
    }

    fn request(target: &str, fields: &[(&str, &str)]) -> Request<()> {
        let mut request = Request::builder().uri(target);
        for (name, value) in fields {
            request = request.header(*name, *value);
        }
        request.body(()).unwrap()
    }

    const OWN: (&str, &str) = ("host", "127.0.0.1:4000");

    #[test]
    fn what_follows_the_key_is_meant_for_the_api() {
        for (target, passed) in [
            (
                "/api/v1/volumes?filter=a%20b",
                "/api/v1/volumes?filter=a%20b",
            ),
            ("", "/"),
            ("?limit=1", "/?limit=1"),
            ("//x", "//x"),
        ] {
            let request = request(&format!("/{KEY}{target}"), &[OWN]);
            assert_eq!(
                gate().admit(&request).unwrap().to_string(),
                passed,
                "{target}"
            );
        }
    }

    #[test]
    fn without_the_key_nothing_passes() {
        let almost = KEY.replace('f', "e");
        for target in [
            "/",
            "/api/v1/volumes",
            &format!("/{almost}/x"),
            &format!("/{KEY}x/y"),
            "/ü",
        ] {
            let Ok(target) = target.parse::<Uri>() else {
                continue;
            };
            let request = request(&target.to_string(), &[OWN]);
            assert_eq!(gate().admit(&request), Err(Refused::NoKey), "{target}");
        }
        let open = Gate::new("127.0.0.1:4000".parse().unwrap(), None);
        let request = request("/api/v1/volumes", &[OWN]);
        assert_eq!(open.admit(&request).unwrap(), "/api/v1/volumes");
    }

    #[test]
    fn a_request_must_name_this_address() {
        let target = format!("/{KEY}/x");
        for fields in [
            &[][..],
            &[("host", "rebound.example:4000")],
            &[("host", "127.0.0.1:4001")],
            &[("host", "127.0.0.1")],
            &[OWN, OWN],
        ] {
            let asked = request(&target, fields);
            assert_eq!(gate().admit(&asked), Err(Refused::OtherHost), "{fields:?}");
        }
        let absolute = format!("http://rebound.example:4000{target}");
        assert_eq!(
            gate().admit(&request(&absolute, &[OWN])),
            Err(Refused::OtherHost)
        );
        assert!(
            gate()
                .admit(&request(&target, &[("host", "LOCALHOST:4000")]))
                .is_ok()
        );
    }

    #[test]
    fn pages_stay_outside_even_with_the_key() {
        let target = format!("/{KEY}/x");
        for field in [
            ("origin", "https://evil.example"),
            ("origin", "null"),
            ("origin", "http://127.0.0.1:4000"),
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-site", "same-site"),
        ] {
            let asked = request(&target, &[OWN, field]);
            assert_eq!(gate().admit(&asked), Err(Refused::Page), "{field:?}");
        }
        let typed = request(&target, &[OWN, ("sec-fetch-site", "none")]);
        assert!(gate().admit(&typed).is_ok());
    }
}
