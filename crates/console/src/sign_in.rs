//! Signing in and out. The password first, verified away from the threads that answer requests; the
//! code of the second factor, where there is one, on a page of its own ([`code`]).
//!
//! An address that nobody has, somebody without a password, somebody who may not sign in and a wrong
//! password are one case: one verification, one answer.

pub(crate) mod attempts;
pub(crate) mod code;
mod proof;

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{HOST, SET_COOKIE, USER_AGENT};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use axum::routing::{get, post};
use hallpass_limits::network;
use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;
use hallpass_pages::{Page, go};
use hallpass_store::{Actor, AuditEvent, AuditState, Person, StoreError};
use jiff::Timestamp;

use crate::credential_pages::CREDENTIALS_PAGE;
use crate::form::{Fields, SignedForm, read_fields};
use crate::page::PageRefusal;
use crate::session::SignedIn;
use crate::{Console, SOURCE, session};

pub(crate) use proof::Proved;

/// Where one signs in.
pub(crate) const SIGN_IN_PATH: &str = "/sign-in";

/// Where one types the code.
const CODE_PATH: &str = "/sign-in/code";

/// Where one goes after signing in when nothing else was asked for.
pub(crate) const HOME: &str = CREDENTIALS_PAGE;

/// The form. `to` is where to go afterwards; `workspace` is asked for when there is one in the address
/// of the page, for those who have the same e-mail address in several.
#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    email: &'a str,
    workspace: Option<&'a str>,
    to: &'a str,
    failed: bool,
    insecure: bool,
}

/// Who comes: where from, with what.
pub(crate) struct Visitor {
    address: IpAddr,
    agent: String,
    /// Whether their browser would drop the cookie of a session.
    insecure: bool,
}

pub(crate) fn pages() -> Router<Arc<Console>> {
    Router::new()
        .route(SIGN_IN_PATH, get(show).post(enter))
        .route(CODE_PATH, get(code::show).post(code::enter))
        .route("/sign-out", post(leave))
        .method_not_allowed_fallback(crate::start::wrong_method)
}

async fn show(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let (head, _) = request.into_parts();
    let visitor = console.visitor(&head.headers, peer);
    let query = head.uri.query().unwrap_or_default();
    let session = console.session_of(&head, peer.ip(), (console.clock)());
    match session.await {
        // Nobody signs in twice.
        Ok(Some(_)) => return go(&destination(query)),
        Ok(None) => (),
        Err(error) => return PageRefusal::Store(error).answer(&head.uri),
    }
    let workspace = parameter(query, "workspace");
    let content = SignIn {
        email: "",
        workspace: workspace.as_deref(),
        to: &destination(query),
        failed: false,
        insecure: visitor.insecure,
    };
    Page::new("Sign in", content).answer(StatusCode::OK)
}

async fn enter(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let uri = request.uri().clone();
    let visitor = console.visitor(request.headers(), peer);
    let outcome = async {
        let fields = read_fields(request).await?;
        let to = local(fields.text("to")).unwrap_or(HOME);
        let welcome = match console.proved(&fields, &visitor).await? {
            Some(proved) => console.welcome(&proved, &visitor, to).await?,
            None => None,
        };
        Ok(welcome.unwrap_or_else(|| not_together(&fields, to, &visitor)))
    };
    outcome
        .await
        .unwrap_or_else(|refusal: PageRefusal| refusal.answer(&uri))
}

async fn leave(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    let SignedForm { by, .. } = form;
    let actor = actor(by.person(), by.address());
    let (person, id) = (by.person(), &by.session().id);
    let ended = console
        .sessions
        .end(person, id, &actor, by.now(), &mut SystemRandom)
        .await;
    if let Err(error) = ended {
        return PageRefusal::Store(error).answer(by.uri());
    }
    let mut response = go(SIGN_IN_PATH);
    response.headers_mut().insert(SET_COOKIE, session::end());
    response
}

impl Visitor {
    /// Somebody who is signed in already.
    pub(crate) fn signed_in(by: &SignedIn) -> Self {
        Self {
            address: by.address(),
            agent: String::new(),
            insecure: false,
        }
    }

    /// Whether their browser would drop the cookie of a session, and whoever listens hears them.
    pub(crate) fn is_insecure(&self) -> bool {
        self.insecure
    }
}

impl Console {
    /// Who sends a request.
    pub(crate) fn visitor(&self, headers: &HeaderMap, peer: SocketAddr) -> Visitor {
        let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
        Visitor {
            address: peer.ip(),
            agent: text(USER_AGENT).unwrap_or_default().to_owned(),
            insecure: !self.is_behind_tls() && !is_this_machine(text(HOST).unwrap_or_default()),
        }
    }

    /// Whether people come here over TLS, as far as this server knows.
    pub(crate) fn is_behind_tls(&self) -> bool {
        self.addresses.console.starts_with("https://")
    }

    /// What comes after a good password: a session, or the page that asks for the code. `None` when
    /// what was proved does not stand any more.
    pub(crate) async fn welcome(
        &self,
        proved: &Proved,
        visitor: &Visitor,
        to: &str,
    ) -> Result<Option<Response>, StoreError> {
        let (now, candidate) = ((self.clock)(), proved.candidate());
        if candidate.second_factor {
            let begun = self
                .sessions
                .begin_step(candidate, now, &mut SystemRandom)
                .await?;
            return Ok(begun.map(|secret| {
                let mut response = go(&with_destination(CODE_PATH, to));
                let headers = response.headers_mut();
                headers.insert(SET_COOKIE, session::begin_step(&secret));
                response
            }));
        }
        let person = &candidate.person;
        let actor = actor(person, visitor.address);
        let begun = self
            .sessions
            .begin(candidate, &actor, &visitor.agent, now, &mut SystemRandom)
            .await?;
        Ok(begun.map(|secret| self.entered(person, &secret, visitor, to)))
    }

    /// Sends somebody who is signed in now to where they wanted to go.
    fn entered(&self, person: &Person, secret: &Secret, visitor: &Visitor, to: &str) -> Response {
        let now = (self.clock)();
        self.attempts
            .succeeded(person.email.as_str(), visitor.address, now);
        let mut response = go(to);
        let headers = response.headers_mut();
        headers.insert(SET_COOKIE, session::begin(secret));
        response
    }

    /// Counts what a limit turned away. It costs whoever sends it nothing and comes from anywhere, so all
    /// of a minute is one row.
    fn count_turned_away(&self, now: Timestamp) {
        let message = "Sign-in turned away: too many tries";
        let event = AuditEvent::new(AuditState::Failure, message, SOURCE, now, &mut SystemRandom);
        let key = format!("{SOURCE} {message}");
        self.audit.count(event.per_minute(&key));
    }

    /// Counts a refusal in the audit log; in the workspace's own when it is known whom it is about.
    /// What was typed is not kept: it may be a password in the wrong field.
    fn count_refusal(
        &self,
        message: &str,
        person: Option<&Person>,
        visitor: &Visitor,
        now: Timestamp,
    ) {
        let mut event =
            AuditEvent::new(AuditState::Failure, message, SOURCE, now, &mut SystemRandom);
        event.source_ip = visitor.address.to_string();
        let mut key = row_of(message, visitor.address);
        if let Some(person) = person {
            event.workspace = Some(person.workspace.clone());
            event.user_email = person.email.to_string();
            key = format!("{key} {}", person.id);
        }
        self.audit.count(event.per_minute(&key));
    }
}

/// What tells rows of refusals apart. A host has many addresses of IPv6: they share a row, or whoever
/// likes could write without end.
pub(crate) fn row_of(message: &str, from: IpAddr) -> String {
    format!("{SOURCE} {message} {}", network(from))
}

/// Who acts when somebody changes what is their own.
pub(crate) fn actor(person: &Person, address: IpAddr) -> Actor {
    Actor {
        email: person.email.to_string(),
        client_id: String::new(),
        address: address.to_string(),
        source: SOURCE,
    }
}

fn not_together(fields: &Fields, to: &str, visitor: &Visitor) -> Response {
    let content = SignIn {
        email: fields.text("email"),
        workspace: fields.has("workspace").then(|| fields.text("workspace")),
        to,
        failed: true,
        insecure: visitor.insecure,
    };
    Page::new("Sign in", content).answer(StatusCode::UNPROCESSABLE_ENTITY)
}

/// Whether a browser takes the host for this machine, and so keeps a `Secure` cookie without TLS (W3C
/// Secure Contexts, section 3.1).
pub(crate) fn is_this_machine(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(v6) => return v6.split(']').next() == Some("::1"),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    let name = name.to_ascii_lowercase();
    name == "localhost"
        || name.ends_with(".localhost")
        || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A page's address with where to go afterwards.
pub(crate) fn with_destination(page: &str, to: &str) -> String {
    let to: String = form_urlencoded::byte_serialize(to.as_bytes()).collect();
    format!("{page}?to={to}")
}

/// Where the query says to go afterwards.
fn destination(query: &str) -> String {
    let to = parameter(query, "to").unwrap_or_default();
    local(&to).unwrap_or(HOME).to_owned()
}

fn parameter(query: &str, name: &str) -> Option<String> {
    let mut pairs = form_urlencoded::parse(query.as_bytes());
    let found = pairs.find(|(known, _)| known == name);
    found.map(|(_, value)| value.into_owned())
}

/// A path of this console; an address that leads elsewhere is none.
fn local(path: &str) -> Option<&str> {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic());
    let inside = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    // Those are no pages for somebody who is signed in.
    let back = path == "/sign-out" || path == SIGN_IN_PATH;
    (plain && inside && !back).then_some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nobody_is_led_to_another_site() {
        assert_eq!(destination("to=%2Fcredentials%3Fq%3D1"), "/credentials?q=1");
        for query in [
            "",
            "to=",
            "to=credentials",
            "to=https%3A%2F%2Fevil.example",
            "to=%2F%2Fevil.example",
            "to=%2F%5Cevil.example",
            "to=%2Fa%0D%0Ab",
            "to=%2Fsign-out",
        ] {
            assert_eq!(destination(query), HOME, "{query}");
        }
    }

    #[test]
    fn the_addresses_of_one_host_share_a_row() {
        let row = |from: &str| row_of("refused", from.parse().unwrap());
        assert_eq!(row("2001:db8::1"), row("2001:db8::ffff:2"));
        assert_ne!(row("2001:db8::1"), row("2001:db8:0:1::1"));
        assert_ne!(row("192.0.2.1"), row("192.0.2.2"));
    }

    #[test]
    fn browsers_keep_the_cookie_without_tls_on_this_machine_only() {
        for host in [
            "localhost",
            "LOCALHOST:8080",
            "console.localhost:8080",
            "127.0.0.1:8080",
            "127.1.2.3",
            "[::1]:8080",
            "[::1]",
        ] {
            assert!(is_this_machine(host), "{host}");
        }
        for host in [
            "",
            "example.com:8080",
            "localhost.example.com",
            "192.168.1.5:8080",
            "[2001:db8::1]:8080",
            "127.0.0.1.example.com",
        ] {
            assert!(!is_this_machine(host), "{host}");
        }
    }
}
