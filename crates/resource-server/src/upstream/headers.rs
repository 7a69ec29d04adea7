//! The header fields that go to an upstream, and those that come back (RFC 9110 section 7.6).
//!
//! Some servers read `_` as `-`, so a name is looked at with hyphens. What this server says about the
//! caller and about the way here is taken off in whatever spelling it came, and put on anew.

use hallpass_oauth::PresentedToken;
use http::header::{
    AUTHORIZATION, CONNECTION, CONTENT_LENGTH, COOKIE, HOST, HeaderName, SET_COOKIE, VIA,
};
use http::{HeaderMap, HeaderValue};

/// What belongs to one connection.
const OF_A_CONNECTION: [&str; 9] = [
    "connection",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// What would tell the upstream of another request than the one that was matched and permitted, or of
/// another way here.
const NOT_PASSED_ON: [&str; 12] = [
    "authorization",
    "content-length",
    "expect",
    "forwarded",
    "hallpass-fault",
    "host",
    "http2-settings",
    "via",
    "x-client-ip",
    "x-original-url",
    "x-real-ip",
    "x-request-id",
];

/// Families of such names.
const FAMILIES_NOT_PASSED_ON: [&str; 5] = [
    "x-forwarded-",
    "x-hallpass-",
    "x-http-method",
    "x-method-override",
    "x-rewrite-",
];

/// What the cookies of this system begin with: of the server, and of an explorer on the same machine.
/// Browsers send them to every port.
const OUR_COOKIES: [&str; 2] = ["__host-hallpass", "hallpass-explorer-"];

/// How this server names itself on the way.
const HERE: HeaderValue = HeaderValue::from_static("1.1 hallpass");

pub(super) fn for_upstream(came: &HeaderMap) -> HeaderMap {
    let mut headers = end_to_end(came, |name| {
        NOT_PASSED_ON.contains(&name)
            || FAMILIES_NOT_PASSED_ON
                .iter()
                .any(|family| name.starts_with(family))
    });
    let cookies: Vec<_> = headers.get_all(COOKIE).iter().filter_map(others).collect();
    headers.remove(COOKIE);
    for cookie in cookies {
        headers.append(COOKIE, cookie);
    }
    headers.insert(VIA, HERE);
    headers
}

pub(super) fn from_upstream(came: &HeaderMap) -> HeaderMap {
    let mut headers = end_to_end(came, |name| {
        // Where else the upstream is, is not for clients; the length is that of what was read.
        name == "alt-svc" || name == "content-length" || name == "x-request-id"
    });
    let cookies = headers.get_all(SET_COOKIE).iter();
    let cookies: Vec<_> = cookies
        .filter(|one| !is_ours(one.as_bytes()))
        .cloned()
        .collect();
    headers.remove(SET_COOKIE);
    for cookie in cookies {
        headers.append(SET_COOKIE, cookie);
    }
    headers
}

/// The caller's access token, where the upstream is to have it.
pub(super) fn set_token(headers: &mut HeaderMap, token: &PresentedToken) {
    if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose())) {
        value.set_sensitive(true);
        headers.insert(AUTHORIZATION, value);
    }
}

/// How the request came here.
pub(super) fn set_way(headers: &mut HeaderMap, came: &HeaderMap, secure: bool) {
    if let Some(host) = came.get(HOST) {
        headers.insert(HeaderName::from_static("x-forwarded-host"), host.clone());
    }
    set(
        headers,
        "x-forwarded-proto",
        if secure { "https" } else { "http" },
    );
}

pub(super) fn set(headers: &mut HeaderMap, name: &'static str, value: &str) {
    if let Ok(value) = HeaderValue::from_bytes(value.as_bytes()) {
        headers.insert(HeaderName::from_static(name), value);
    }
}

/// What is not about the connection alone, and not unwanted.
fn end_to_end(came: &HeaderMap, unwanted: impl Fn(&str) -> bool) -> HeaderMap {
    let named = came.get_all(CONNECTION).iter();
    let named: Vec<String> = named
        .filter_map(|value| value.to_str().ok())
        .flat_map(|list| list.split(','))
        .map(|name| spelled(name.trim()))
        .collect();
    let kept = came.iter().filter(|(name, _)| {
        let name = spelled(name.as_str());
        !OF_A_CONNECTION.contains(&name.as_str()) && !named.contains(&name) && !unwanted(&name)
    });
    let mut headers = HeaderMap::with_capacity(came.len() + 10);
    for (name, value) in kept {
        headers.append(name.clone(), value.clone());
    }
    headers.remove(CONTENT_LENGTH);
    headers
}

fn spelled(name: &str) -> String {
    name.to_ascii_lowercase().replace('_', "-")
}

/// A cookie header without this system's own cookies.
fn others(header: &HeaderValue) -> Option<HeaderValue> {
    let cookies = header.as_bytes().split(|byte| *byte == b';');
    let kept: Vec<&[u8]> = cookies
        .map(<[u8]>::trim_ascii)
        .filter(|cookie| !cookie.is_empty() && !is_ours(cookie))
        .collect();
    if kept.is_empty() {
        return None;
    }
    HeaderValue::from_bytes(&kept.join(&b"; "[..])).ok()
}

fn is_ours(cookie: &[u8]) -> bool {
    OUR_COOKIES.iter().any(|ours| {
        let start = cookie.get(..ours.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(ours.as_bytes()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map(pairs: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn nobody_but_this_server_says_who_calls() {
        for name in [
            "x-hallpass-owner",
            "X-HallPass-Owner",
            "x_hallpass_owner",
            "x-hallpass_workspace",
            "authorization",
            "x-forwarded-for",
            "X_Forwarded_Host",
            "forwarded",
            "x-real-ip",
            "x-original-url",
            "x-rewrite-url",
            "x-http-method-override",
            "x-method-override",
            "host",
            "content-length",
            "transfer-encoding",
            "te",
            "upgrade",
            "proxy_authorization",
        ] {
            let passed = for_upstream(&map(&[(name, "evil")]));
            assert_eq!(passed, map(&[("via", "1.1 hallpass")]), "{name}");
        }
    }

    #[test]
    fn what_belongs_to_the_connection_stays_on_it() {
        let came = map(&[
            ("connection", "close, X-Secret"),
            ("x-secret", "1"),
            ("accept", "application/json"),
            ("if-none-match", "\"1\""),
        ]);
        let kept = [("accept", "application/json"), ("if-none-match", "\"1\"")];
        let mut expected = map(&kept);
        expected.insert(VIA, HERE);
        assert_eq!(for_upstream(&came), expected);
        let back = map(&[
            ("connection", "x-a"),
            ("x-a", "1"),
            ("alt-svc", "h3"),
            ("etag", "\"1\""),
        ]);
        assert_eq!(from_upstream(&back), map(&[("etag", "\"1\"")]));
    }

    #[test]
    fn our_cookies_are_for_us() {
        let came = map(&[
            ("cookie", "a=1; __Host-hallpass=secret; b=2"),
            ("cookie", "__Host-hallpass-code=x"),
            ("cookie", "hallpass-explorer-4000=y"),
        ]);
        let passed = for_upstream(&came);
        let cookies: Vec<_> = passed.get_all(COOKIE).iter().collect();
        assert_eq!(cookies, ["a=1; b=2"]);
        let back = map(&[
            ("set-cookie", "__Host-hallpass=x; Path=/"),
            ("set-cookie", "c=3"),
        ]);
        assert_eq!(from_upstream(&back), map(&[("set-cookie", "c=3")]));
    }
}
