//! The set-up page: a new person opens their one-time link and chooses a password.
//!
//! The link's secret stands in the address. So it is never logged, no page repeats it, and pages
//! forbid the browser to tell it to others.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use askama::Template;
use axum::body::{Body, to_bytes};
use axum::extract::rejection::PathRejection;
use axum::extract::{ConnectInfo, Path, Request, State};
use axum::http::header::{CONTENT_TYPE, HeaderValue, RETRY_AFTER};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use hallpass_oauth::Secret;
use hallpass_oauth::form::{Form, is_form};
use hallpass_oauth::random::SystemRandom;
use hallpass_pages::{Page, notice};
use hallpass_store::{AuditEvent, AuditState, Person, StoreError};
use jiff::Timestamp;

use crate::password::{HashingError, LONGEST, NewPassword, SHORTEST, Unsuitable};
use crate::same_site::began_elsewhere;
use crate::{CREDENTIALS_PATH, Console, SOURCE};

/// Longest form read, in bytes: two passwords of the longest kind, percent-encoded, with room.
const LONGEST_FORM: usize = 16 * 1024;

/// The secret of a link as it came in the address; no such link may exist.
type Link = Result<Path<String>, PathRejection>;

/// The page with the form. It names no address to send to: the browser sends it to the page's own,
/// and the link's secret stays out of the text.
#[derive(Template)]
#[template(path = "setup.html")]
struct ChoosePassword<'a> {
    email: &'a str,
    shortest: usize,
    longest: usize,
    problem: Option<Unsuitable>,
}

#[derive(Template)]
#[template(path = "setup_done.html")]
struct PasswordSet<'a> {
    email: &'a str,
    credentials_path: &'a str,
}

/// Why no password was set.
#[derive(Debug, thiserror::Error)]
enum SetupRefusal {
    #[error("the link is not good (any more)")]
    NotGood,
    #[error("the form was sent from another site")]
    Elsewhere,
    #[error("the request holds no form of this page")]
    NoForm,
    #[error("{problem}")]
    Unsuitable { email: String, problem: Unsuitable },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Hashing(#[from] HashingError),
}

pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    link: Link,
) -> Response {
    let now = (console.clock)();
    match console.invited(&secret(link), peer.ip(), now).await {
        Ok(person) => form(StatusCode::OK, person.email.as_str(), None),
        Err(refusal) => refuse(&refusal),
    }
}

pub(crate) async fn choose(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    link: Link,
    request: Request,
) -> Response {
    match console
        .set_password(&secret(link), peer.ip(), request)
        .await
    {
        Ok(email) => done(&email),
        Err(refusal) => refuse(&refusal),
    }
}

impl Console {
    /// From the form to the stored hash, step by step. Only someone with a good link gets as far
    /// as the costly step.
    async fn set_password(
        &self,
        link: &Secret,
        address: IpAddr,
        request: Request,
    ) -> Result<String, SetupRefusal> {
        let (head, body) = request.into_parts();
        if began_elsewhere(&head) {
            return Err(SetupRefusal::Elsewhere);
        }
        let now = (self.clock)();
        let email = self.invited(link, address, now).await?.email.to_string();
        let (first, second) = read_passwords(&head.headers, body).await?;
        let password = NewPassword::parse(first, &second, &email).map_err(|problem| {
            let email = email.clone();
            SetupRefusal::Unsuitable { email, problem }
        })?;
        let hash = self.hashing.hash(password, &mut SystemRandom).await?;
        let address = address.to_string();
        let set = self
            .setup_links
            .redeem(link, &hash, &address, now, &mut SystemRandom)
            .await?;
        if set {
            Ok(email)
        } else {
            Err(SetupRefusal::NotGood)
        }
    }

    /// Whose link it is. A bad one is counted, since guessing must not go unseen.
    async fn invited(
        &self,
        link: &Secret,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Person, SetupRefusal> {
        if let Some(person) = self.setup_links.find(link, now).await? {
            return Ok(person);
        }
        let mut event = AuditEvent::new(
            AuditState::Failure,
            "Set-up link refused",
            SOURCE,
            now,
            &mut SystemRandom,
        );
        event.source_ip = address.to_string();
        let key = format!("{SOURCE} set-up link {address}");
        self.audit.count(event.per_minute(&key));
        Err(SetupRefusal::NotGood)
    }
}

/// Bytes that are no text are no secret of ours.
fn secret(link: Link) -> Secret {
    Secret::from(link.map_or_else(|_| String::new(), |Path(text)| text))
}

async fn read_passwords(headers: &HeaderMap, body: Body) -> Result<(Secret, Secret), SetupRefusal> {
    let form_encoded = headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(is_form);
    if !form_encoded {
        return Err(SetupRefusal::NoForm);
    }
    let bytes = to_bytes(body, LONGEST_FORM)
        .await
        .map_err(|_| SetupRefusal::NoForm)?;
    let form = Form::parse(&bytes).map_err(|_| SetupRefusal::NoForm)?;
    let field = |name| Secret::from(form.value(name).unwrap_or_default().to_owned());
    Ok((field("password"), field("again")))
}

fn form(status: StatusCode, email: &str, problem: Option<Unsuitable>) -> Response {
    let content = ChoosePassword {
        email,
        shortest: SHORTEST,
        longest: LONGEST,
        problem,
    };
    Page::new("Choose a password", content).answer(status)
}

fn done(email: &str) -> Response {
    let content = PasswordSet {
        email,
        credentials_path: CREDENTIALS_PATH,
    };
    Page::new("Your password is set", content).answer(StatusCode::OK)
}

/// The one place where a refusal becomes a page.
fn refuse(refusal: &SetupRefusal) -> Response {
    match refusal {
        // RFC 9110 section 15.5.11: 410 is for those who know that something was there. A used, an
        // expired and an invented link look the same from here, and must.
        SetupRefusal::NotGood => notice(
            StatusCode::NOT_FOUND,
            "This link does not work",
            &[
                "It was used already, it has expired, or it is not complete.",
                "Check that you opened the whole link. If you did, ask your administrator for a new one.",
            ],
        ),
        SetupRefusal::Elsewhere => notice(
            StatusCode::FORBIDDEN,
            "This did not come from the set-up page",
            &[
                "Another site sent this form, so nothing was changed. Open your link again and use the form there.",
            ],
        ),
        SetupRefusal::NoForm => notice(
            StatusCode::BAD_REQUEST,
            "The form could not be read",
            &["Nothing was changed. Open your link again and use the form there."],
        ),
        SetupRefusal::Unsuitable { email, problem } => {
            form(StatusCode::UNPROCESSABLE_ENTITY, email, Some(*problem))
        }
        SetupRefusal::Store(_) | SetupRefusal::Hashing(_) => unavailable(refusal),
    }
}

fn unavailable(refusal: &SetupRefusal) -> Response {
    let cause = std::error::Error::source(refusal).map(ToString::to_string);
    tracing::error!(error = %refusal, cause, "a set-up page failed");
    let mut response = notice(
        StatusCode::SERVICE_UNAVAILABLE,
        "That did not work just now",
        &["Nothing was changed, and your link is still good. Wait a moment and try again."],
    );
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
