//! What is a person's own: their password, their second factor, their sessions.

mod password;
pub(crate) mod rest;
pub(crate) mod second_factor;
mod sessions;

use std::sync::Arc;

use askama::Template;
use axum::Router;
use axum::extract::State;
use axum::response::Response;
use axum::routing::{get, post};
use hallpass_limits::RetryAfter;
use hallpass_oauth::Secret;
use hallpass_pages::go;
use hallpass_store::StoreError;
use hallpass_store::second_factor::SecondFactor;
use jiff::Timestamp;

use crate::answer::Refusal;
use crate::page::{PageRefusal, Place};
use crate::password::{HashingError, Verified};
use crate::session::SignedIn;
use crate::{Console, browser};

/// Where it all is.
pub(crate) const ACCOUNT_PATH: &str = "/console/account";

#[derive(Template)]
#[template(path = "account.html")]
struct Account<'a> {
    done: Option<&'a str>,
    email: &'a str,
    workspace: &'a str,
    roles: String,
    second_factor: Option<SecondFactor>,
    sessions: Vec<SessionRow>,
    form_token: String,
}

/// A session as the list shows it.
struct SessionRow {
    id: String,
    browser: String,
    address: String,
    since: String,
    since_exact: String,
    last_seen: String,
    last_seen_exact: String,
    current: bool,
}

/// Why it is not known whether a password is the right one.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Unanswered {
    /// Too many were wrong.
    #[error("too many tries failed")]
    TooMany(RetryAfter),
    #[error(transparent)]
    Hashing(#[from] HashingError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<Unanswered> for PageRefusal {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::TooMany(wait) => Self::TooMany(wait),
            Unanswered::Hashing(error) => Self::Hashing(error),
            Unanswered::Store(error) => Self::Store(error),
        }
    }
}

impl From<Unanswered> for Refusal {
    fn from(unanswered: Unanswered) -> Self {
        match unanswered {
            Unanswered::TooMany(wait) => Self::TooMany(wait),
            Unanswered::Hashing(error) => Self::Hashing(error),
            Unanswered::Store(error) => Self::Unavailable(error),
        }
    }
}

pub(crate) fn pages() -> Router<Arc<Console>> {
    let at = |path: &str| format!("{ACCOUNT_PATH}{path}");
    Router::new()
        .route(ACCOUNT_PATH, get(show))
        .route(&at("/password"), get(password::show).post(password::change))
        .merge(second_factor::pages::routes())
        .route(&at("/sessions/{id}/end"), post(sessions::end))
        .route(&at("/sessions/end-others"), post(sessions::end_others))
        .method_not_allowed_fallback(crate::start::wrong_method)
}

async fn show(State(console): State<Arc<Console>>, by: SignedIn) -> Response {
    match console.account(&by).await {
        Ok(response) => response,
        Err(refusal) => refusal.answer(by.uri()),
    }
}

impl Console {
    async fn account(&self, by: &SignedIn) -> Result<Response, PageRefusal> {
        let person = by.person();
        let sessions = self.sessions.list(person.id, by.now()).await?;
        let sessions = sessions.into_iter().map(|session| SessionRow {
            current: session.id == by.session().id,
            browser: browser::in_words(&session.user_agent),
            since: minute(session.created_at),
            since_exact: format!("{:.0}", session.created_at),
            last_seen: minute(session.last_seen_at),
            last_seen_exact: format!("{:.0}", session.last_seen_at),
            address: session.address,
            id: session.id,
        });
        let workspaces = self.workspaces.list();
        let workspace = workspaces.iter().find(|known| known.id == person.workspace);
        let roles: Vec<String> = person
            .roles
            .iter()
            .map(|(_, role)| role.to_string())
            .collect();
        let content = Account {
            done: by.uri().query().and_then(done),
            email: person.email.as_str(),
            workspace: workspace.map_or("", |known| known.name.as_str()),
            roles: if roles.is_empty() {
                "none".to_owned()
            } else {
                roles.join(", ")
            },
            second_factor: self.second_factor_of(by).await?,
            sessions: sessions.collect(),
            form_token: self.form_token(by),
        };
        Ok(self.page(by, Place::Account, "Your account", content))
    }

    /// Whether that is the password of whoever is signed in; gives its hash. Asked again before what
    /// somebody at an unlocked screen must not be able to do.
    async fn confirms(
        &self,
        by: &SignedIn,
        password: Secret,
    ) -> Result<Option<String>, Unanswered> {
        let (person, now) = (by.person(), by.now());
        self.attempts
            .charge_confirmation(person.id, now)
            .map_err(Unanswered::TooMany)?;
        let stored = self.passwords.of(person.id).await?;
        let verified = self.hashing.verify(password, stored.clone()).await;
        if verified
            .as_ref()
            .is_ok_and(|verified| *verified == Verified::No)
        {
            return Ok(None);
        }
        self.attempts.give_confirmation_back(person.id);
        verified?;
        Ok(stored)
    }
}

/// Back to the account, which says what was done.
fn back(done: &str) -> Response {
    go(&format!("{ACCOUNT_PATH}?done={done}"))
}

/// What the page says was done, for the words that our own redirects use.
fn done(query: &str) -> Option<&'static str> {
    let word = query.strip_prefix("done=")?;
    Some(match word {
        "password" => "Your password is changed, and you are signed out everywhere else.",
        "second-factor-off" => "The second factor is switched off.",
        "session" => "The session has ended.",
        "sessions" => "You are signed out everywhere else.",
        _ => return None,
    })
}

/// A time for people, to the minute.
fn minute(time: Timestamp) -> String {
    time.strftime("%Y-%m-%d %H:%M UTC").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_words_of_ours_are_said() {
        assert!(done("done=session").is_some());
        for query in ["", "done=", "done=You+won", "x=session"] {
            assert_eq!(done(query), None, "{query}");
        }
    }

    #[test]
    fn times_are_read_by_people() {
        assert_eq!(minute(Timestamp::UNIX_EPOCH), "1970-01-01 00:00 UTC");
    }
}
