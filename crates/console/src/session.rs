//! Who is signed in: from a browser's cookie to [`SignedIn`], which pages ask for as an argument.
//!
//! The cookie holds the session's secret and nothing else. Scripts cannot read it, other sites' forms
//! do not carry it, and a form must also hold the session's form token, which only our pages have.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::header::{COOKIE, HeaderValue};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Uri};
use axum::response::Response;
use hallpass_access::Roles;
use hallpass_oauth::{ApplicationInstanceId, Secret};
use hallpass_store::{Person, Session, StoreError};
use jiff::Timestamp;

use crate::Console;
use crate::page::PageRefusal;

/// The cookie. The prefix makes browsers refuse one that another host or path has set (RFC 6265bis,
/// section 4.1.3.2).
pub(crate) const COOKIE_NAME: &str = "__Host-hallpass";

/// The cookie between password and code.
const STEP_COOKIE_NAME: &str = "__Host-hallpass-code";

/// Where a script of our own pages puts the form token when it calls the REST API.
pub(crate) const FORM_TOKEN_HEADER: &str = "x-csrf-token";

/// A person signed in, as they are at the moment of the request.
pub(crate) struct SignedIn {
    session: Session,
    secret: Secret,
    address: IpAddr,
    uri: Uri,
    now: Timestamp,
}

impl SignedIn {
    /// Who they are.
    pub(crate) fn person(&self) -> &Person {
        &self.session.person
    }

    /// What they are on the platform.
    pub(crate) fn roles(&self) -> Roles {
        self.person().roles_on(&ApplicationInstanceId::platform())
    }

    /// Their session.
    pub(crate) fn session(&self) -> &Session {
        &self.session
    }

    /// Where the request came from.
    pub(crate) fn address(&self) -> IpAddr {
        self.address
    }

    /// What was asked for.
    pub(crate) fn uri(&self) -> &Uri {
        &self.uri
    }

    /// When the request came.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }
}

impl FromRequestParts<Arc<Console>> for SignedIn {
    type Rejection = Response;

    async fn from_request_parts(
        head: &mut Parts,
        console: &Arc<Console>,
    ) -> Result<Self, Response> {
        let peer = ConnectInfo::<SocketAddr>::from_request_parts(head, console).await;
        let Ok(ConnectInfo(peer)) = peer else {
            return Err(PageRefusal::SignedOut.answer(&head.uri));
        };
        match console.session_of(head, peer.ip(), (console.clock)()).await {
            Ok(Some(signed_in)) => Ok(signed_in),
            Ok(None) => Err(PageRefusal::SignedOut.answer(&head.uri)),
            Err(error) => Err(PageRefusal::Store(error).answer(&head.uri)),
        }
    }
}

impl Console {
    /// Whose session the cookie belongs to, if it goes on.
    pub(crate) async fn session_of(
        &self,
        head: &Parts,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Option<SignedIn>, StoreError> {
        let Some(secret) = presented(&head.headers, COOKIE_NAME) else {
            return Ok(None);
        };
        let session = self.sessions.find(&secret, now).await?;
        Ok(session.map(|session| SignedIn {
            session,
            secret,
            address,
            uri: head.uri.clone(),
            now,
        }))
    }

    /// What the forms of this person's pages carry.
    pub(crate) fn form_token(&self, by: &SignedIn) -> String {
        self.sessions.form_token(&by.secret).expose().to_owned()
    }

    /// Whether that is the form token of this session.
    pub(crate) fn is_form_token(&self, by: &SignedIn, presented: &Secret) -> bool {
        self.sessions.is_form_token(&by.secret, presented)
    }

    /// Whether a script of our own pages made the call.
    pub(crate) fn carries_form_token(&self, by: &SignedIn, head: &Parts) -> bool {
        let presented = head.headers.get(FORM_TOKEN_HEADER);
        let presented = presented.and_then(|value| value.to_str().ok());
        presented.is_some_and(|text| self.is_form_token(by, &Secret::from(text.to_owned())))
    }
}

/// The cookie that begins a session. Without an end of its own: it goes when the browser ends.
pub(crate) fn begin(secret: &Secret) -> HeaderValue {
    cookie(COOKIE_NAME, secret.expose(), "")
}

/// The cookie that ends one.
pub(crate) fn end() -> HeaderValue {
    cookie(COOKIE_NAME, "", "; Max-Age=0")
}

/// The cookie between password and code.
pub(crate) fn begin_step(secret: &Secret) -> HeaderValue {
    cookie(STEP_COOKIE_NAME, secret.expose(), "")
}

/// The cookie that ends that.
pub(crate) fn end_step() -> HeaderValue {
    cookie(STEP_COOKIE_NAME, "", "; Max-Age=0")
}

/// Whether a request may be somebody's who is signed in.
pub(crate) fn is_presented(headers: &HeaderMap) -> bool {
    presented(headers, COOKIE_NAME).is_some()
}

/// The secret of somebody between password and code.
pub(crate) fn presented_step(headers: &HeaderMap) -> Option<Secret> {
    presented(headers, STEP_COOKIE_NAME)
}

fn cookie(name: &str, value: &str, more: &str) -> HeaderValue {
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{more}");
    let mut value = HeaderValue::try_from(text).unwrap_or(HeaderValue::from_static(""));
    value.set_sensitive(true);
    value
}

/// The secret in the cookie. With two cookies of the name, somebody else set one: none counts.
fn presented(headers: &HeaderMap, cookie: &str) -> Option<Secret> {
    let lines = headers.get_all(COOKIE).into_iter();
    let pairs = lines.filter_map(|line| line.to_str().ok());
    let pairs = pairs.flat_map(|line| line.split(';'));
    let mut ours = pairs.filter_map(|pair| {
        let (name, value) = pair.trim().split_once('=')?;
        (name == cookie).then(|| Secret::from(value.to_owned()))
    });
    let first = ours.next();
    if ours.next().is_some() { None } else { first }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &[&'static str]) -> Option<String> {
        let mut headers = HeaderMap::new();
        for line in lines {
            headers.append(COOKIE, HeaderValue::from_static(line));
        }
        presented(&headers, COOKIE_NAME).map(|secret| secret.expose().to_owned())
    }

    #[test]
    fn our_cookie_is_found_among_others_and_two_are_none() {
        let one = Some("abc".to_owned());
        assert_eq!(read(&["__Host-hallpass=abc"]), one);
        let both = "__Host-hallpass-code=x; __Host-hallpass=abc";
        assert_eq!(read(&[both]), one);
        assert_eq!(read(&["__Host-hallpass-code=x"]), None);
        assert_eq!(read(&["a=b; __Host-hallpass=abc ; c=d"]), one);
        assert_eq!(read(&["a=b", "__Host-hallpass=abc"]), one);
        assert_eq!(read(&["hallpass=abc; __host-hallpass=abc"]), None);
        assert_eq!(read(&["__Host-hallpass=abc; __Host-hallpass=x"]), None);
        assert_eq!(read(&["__Host-hallpass=abc", "__Host-hallpass=x"]), None);
        assert_eq!(read(&[]), None);
    }

    #[test]
    fn the_cookie_stays_with_this_host_and_out_of_scripts() {
        let begun = begin(&Secret::from("abc".to_owned()));
        assert_eq!(
            begun,
            "__Host-hallpass=abc; Path=/; Secure; HttpOnly; SameSite=Lax"
        );
        assert!(begun.is_sensitive());
        assert!(end().to_str().unwrap().ends_with("; Max-Age=0"));
    }
}
