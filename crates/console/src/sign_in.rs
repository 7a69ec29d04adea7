//! Signing in and out.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{SET_COOKIE, USER_AGENT};
use axum::http::{StatusCode, Uri};
use axum::response::Response;
use axum::routing::{get, post};
use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;
use hallpass_pages::{Page, go};
use hallpass_store::{Actor, AuditEvent, AuditState, Person};

use crate::form::{Fields, SignedForm, read_fields};
use crate::page::PageRefusal;
use crate::{Console, SOURCE, password, session};

/// Where one signs in.
pub(crate) const SIGN_IN_PATH: &str = "/sign-in";

/// Where one goes after signing in when nothing else was asked for.
const HOME: &str = "/";

/// The form. `to` is where to go afterwards.
#[derive(Template)]
#[template(path = "sign_in.html")]
struct SignIn<'a> {
    email: &'a str,
    to: &'a str,
    failed: bool,
}

pub(crate) fn pages() -> Router<Arc<Console>> {
    Router::new()
        .route(SIGN_IN_PATH, get(show).post(enter))
        .route("/sign-out", post(leave))
        .method_not_allowed_fallback(crate::start::wrong_method)
}

async fn show(uri: Uri) -> Response {
    let to = destination(uri.query().unwrap_or_default());
    form(StatusCode::OK, "", &to, false)
}

async fn enter(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let uri = request.uri().clone();
    let agent = request.headers().get(USER_AGENT);
    let agent = agent.and_then(|value| value.to_str().ok());
    let agent = agent.unwrap_or_default().to_owned();
    let fields = match read_fields(request).await {
        Ok(fields) => fields,
        Err(refusal) => return refusal.answer(&uri),
    };
    let to = local(fields.text("to")).unwrap_or(HOME).to_owned();
    match console.enter(&fields, peer, &agent).await {
        Ok(Some(secret)) => {
            let mut response = go(&to);
            let headers = response.headers_mut();
            headers.insert(SET_COOKIE, session::begin(&secret));
            response
        }
        Ok(None) => {
            let email = fields.text("email");
            form(StatusCode::UNPROCESSABLE_ENTITY, email, &to, true)
        }
        Err(refusal) => refusal.answer(&uri),
    }
}

async fn leave(State(console): State<Arc<Console>>, form: SignedForm) -> Response {
    let SignedForm { by, .. } = form;
    let actor = actor(by.person(), &by.address().to_string());
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

impl Console {
    /// From e-mail address and password to a session; `None` when they do not belong together.
    async fn enter(
        &self,
        fields: &Fields,
        peer: SocketAddr,
        agent: &str,
    ) -> Result<Option<Secret>, PageRefusal> {
        let now = (self.clock)();
        let workspace = Some(fields.text("workspace")).filter(|name| !name.is_empty());
        let candidate = self
            .sessions
            .candidate(fields.text("email"), workspace)
            .await?;
        let password = fields.secret("password");
        let proved = candidate.filter(|candidate| {
            let stored = candidate.password.as_deref();
            stored.is_some_and(|stored| password::verify(&password, stored))
        });
        let address = peer.ip().to_string();
        let Some(candidate) = proved else {
            let mut event = AuditEvent::new(
                AuditState::Failure,
                "Sign-in refused",
                SOURCE,
                now,
                &mut SystemRandom,
            );
            event.source_ip.clone_from(&address);
            let key = format!("{SOURCE} sign-in {address}");
            self.audit.count(event.per_minute(&key));
            return Ok(None);
        };
        let actor = actor(&candidate.person, &address);
        let secret = self
            .sessions
            .begin(&candidate.person, &actor, agent, now, &mut SystemRandom)
            .await?;
        Ok(Some(secret))
    }
}

fn actor(person: &Person, address: &str) -> Actor {
    Actor {
        email: person.email.to_string(),
        client_id: String::new(),
        address: address.to_owned(),
        source: SOURCE,
    }
}

fn form(status: StatusCode, email: &str, to: &str, failed: bool) -> Response {
    let content = SignIn { email, to, failed };
    Page::new("Sign in", content).answer(status)
}

/// Where the query says to go afterwards.
fn destination(query: &str) -> String {
    let to = form_urlencoded::parse(query.as_bytes()).find(|(name, _)| name == "to");
    let to = to.map(|(_, to)| to.into_owned()).unwrap_or_default();
    local(&to).unwrap_or(HOME).to_owned()
}

/// A path of this console; an address that leads elsewhere is none.
fn local(path: &str) -> Option<&str> {
    let plain = path.bytes().all(|byte| byte.is_ascii_graphic());
    let inside = path.starts_with('/') && !path.starts_with("//") && !path.contains('\\');
    (plain && inside).then_some(path)
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
        ] {
            assert_eq!(destination(query), HOME, "{query}");
        }
    }
}
