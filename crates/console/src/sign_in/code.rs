//! The second page of signing in: the code of the second factor, or a recovery code. Between the two
//! pages there is no session, only a step with a few tries that ends soon.

use std::net::SocketAddr;
use std::sync::Arc;

use askama::Template;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::SET_COOKIE;
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::response::Response;
use hallpass_oauth::Secret;
use hallpass_oauth::random::SystemRandom;
use hallpass_pages::{Page, go};
use hallpass_store::Person;

use super::{HOME, SIGN_IN_PATH, Visitor, actor, destination, local, with_destination};
use crate::account::Unanswered;
use crate::form::read_fields;
use crate::page::PageRefusal;
use crate::{Console, session, totp};

#[derive(Template)]
#[template(path = "sign_in_code.html")]
struct AskCode<'a> {
    to: &'a str,
    failed: bool,
}

pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    headers: HeaderMap,
    uri: Uri,
) -> Response {
    let to = destination(uri.query().unwrap_or_default());
    let Some(secret) = session::presented_step(&headers) else {
        return again(&to);
    };
    match console.sessions.step(&secret, (console.clock)()).await {
        Ok(Some(_)) => form(StatusCode::OK, &to, false),
        Ok(None) => again(&to),
        Err(error) => PageRefusal::Store(error).answer(&uri),
    }
}

pub(crate) async fn enter(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    request: Request,
) -> Response {
    let uri = request.uri().clone();
    let visitor = console.visitor(request.headers(), peer);
    let step = session::presented_step(request.headers());
    let outcome = async {
        let fields = read_fields(request).await?;
        let to = local(fields.text("to")).unwrap_or(HOME);
        let Some(step) = step else {
            return Ok(again(to));
        };
        console
            .finish(&step, &fields.secret("code"), &visitor, to)
            .await
    };
    outcome
        .await
        .unwrap_or_else(|refusal: PageRefusal| refusal.answer(&uri))
}

impl Console {
    /// From a step and a code to a session.
    async fn finish(
        &self,
        step: &Secret,
        code: &Secret,
        visitor: &Visitor,
        to: &str,
    ) -> Result<Response, PageRefusal> {
        let now = (self.clock)();
        let Some(person) = self.sessions.try_step(step, now).await? else {
            return Ok(again(to));
        };
        if !self.takes_code(&person, code, visitor).await? {
            self.count_refusal("Sign-in code refused", Some(&person), visitor, now);
            return Ok(form(StatusCode::UNPROCESSABLE_ENTITY, to, true));
        }
        let (actor, agent) = (actor(&person, visitor.address), &visitor.agent);
        let begun = self
            .sessions
            .finish(step, &person, &actor, agent, now, &mut SystemRandom)
            .await?;
        let Some(secret) = begun else {
            return Ok(again(to));
        };
        let mut response = self.entered(&person, &secret, visitor, to);
        let headers = response.headers_mut();
        headers.append(SET_COOKIE, session::end_step());
        Ok(response)
    }

    /// Whether that is a code of the person's device, or one of their recovery codes, and uses it up.
    pub(crate) async fn takes_code(
        &self,
        person: &Person,
        code: &Secret,
        visitor: &Visitor,
    ) -> Result<bool, Unanswered> {
        let now = (self.clock)();
        if is_recovery_code(code) {
            let actor = actor(person, visitor.address);
            let factors = &self.second_factors;
            return Ok(factors
                .take_recovery_code(person, code, &actor, now, &mut SystemRandom)
                .await?);
        }
        self.attempts
            .charge_code(person.id, now)
            .map_err(Unanswered::TooMany)?;
        let shared = self.second_factors.secret(person.id, now).await?;
        let step = shared.and_then(|shared| totp::step_of(code, &shared.bytes, now));
        let taken = match step {
            Some(step) => self.second_factors.take_step(person.id, step).await?,
            None => false,
        };
        if taken {
            self.attempts.give_code_back(person.id);
        }
        Ok(taken)
    }
}

/// Recovery codes are longer than those of a device, and so are not guessed.
fn is_recovery_code(code: &Secret) -> bool {
    let letters = code.expose().chars().filter(|c| c.is_alphanumeric());
    letters.count() > 6
}

/// Begins anew: the step is over, or there was none.
fn again(to: &str) -> Response {
    go(&with_destination(SIGN_IN_PATH, to))
}

fn form(status: StatusCode, to: &str, failed: bool) -> Response {
    Page::new("Sign in: code", AskCode { to, failed }).answer(status)
}
