//! The set-up page: a new person opens their one-time link, chooses a password and is signed in. The
//! link that a server prints while there is no administrator makes the first one here.
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
use hallpass_access::Role;
use hallpass_oauth::form::{Form, is_form};
use hallpass_oauth::random::SystemRandom;
use hallpass_oauth::{Secret, Subject};
use hallpass_pages::{Page, go, notice};
use hallpass_store::people::{Assignments, PersonError};
use hallpass_store::sessions::Candidate;
use hallpass_store::{Actor, AuditEvent, AuditState, Person, StoreError, Workspace};
use jiff::Timestamp;

use crate::password::{HashingError, LONGEST, NewPassword, SHORTEST, Unsuitable};
use crate::people::{BadEmail, email_of_somebody};
use crate::same_site::began_elsewhere;
use crate::sentence::sentence;
use crate::sign_in::{HOME, Proved, SIGN_IN_PATH, Visitor, row_of};
use crate::{Console, SOURCE};

/// Longest form read, in bytes: two passwords of the longest kind, percent-encoded, with room.
const LONGEST_FORM: usize = 16 * 1024;

/// The secret of a link as it came in the address; no such link may exist.
type Link = Result<Path<String>, PathRejection>;

/// The page with the form. It names no address to send to: the browser sends it to the page's own,
/// and the link's secret stays out of the text.
#[derive(Template)]
#[template(path = "setup.html")]
struct ChoosePassword<'a> {
    first: bool,
    workspace: &'a str,
    email: &'a str,
    shortest: usize,
    longest: usize,
    problem: Option<&'a Problem>,
    insecure: bool,
}

/// Whom a link is for.
#[derive(Debug)]
enum Invited {
    /// Somebody who is known.
    Person(Person),
    /// Whoever comes first, and becomes the administrator of this workspace.
    First(Arc<Workspace>),
}

/// What is wrong with what was typed.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Password(#[from] Unsuitable),
    #[error("{}", sentence(.0))]
    Email(#[from] BadEmail),
    #[error(
        "Somebody has this e-mail address already. An administrator of the machine can give them the role."
    )]
    Taken,
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
    Unsuitable {
        invited: Invited,
        email: String,
        problem: Problem,
    },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Hashing(#[from] HashingError),
}

/// What was typed.
struct Typed {
    email: String,
    password: Secret,
    again: Secret,
}

pub(crate) async fn show(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
    link: Link,
) -> Response {
    let (now, visitor) = ((console.clock)(), console.visitor(&headers, peer));
    match console.invited(&secret(link), peer.ip(), now).await {
        Ok(invited) => form(StatusCode::OK, &invited, "", None, &visitor),
        Err(refusal) => refuse(&refusal, &visitor),
    }
}

pub(crate) async fn choose(
    State(console): State<Arc<Console>>,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    link: Link,
    request: Request,
) -> Response {
    let visitor = console.visitor(request.headers(), peer);
    let entered = async {
        let (person, hash) = console
            .set_password(&secret(link), peer.ip(), request)
            .await?;
        Ok(console.enter_after_setup(person, hash, &visitor).await?)
    };
    entered
        .await
        .unwrap_or_else(|refusal: SetupRefusal| refuse(&refusal, &visitor))
}

impl Console {
    /// From the form to whose password it is now, and its hash, step by step. Only someone with a good link gets as far
    /// as the costly step.
    async fn set_password(
        &self,
        link: &Secret,
        address: IpAddr,
        request: Request,
    ) -> Result<(Person, String), SetupRefusal> {
        let (head, body) = request.into_parts();
        if began_elsewhere(&head) {
            return Err(SetupRefusal::Elsewhere);
        }
        let now = (self.clock)();
        let invited = self.invited(link, address, now).await?;
        let typed = read_form(&head.headers, body).await?;
        let (email, password) = match self.accept(&invited, typed) {
            Ok(accepted) => accepted,
            Err((email, problem)) => {
                return Err(SetupRefusal::Unsuitable {
                    invited,
                    email,
                    problem,
                });
            }
        };
        let hash = self.hashing.hash(password, &mut SystemRandom).await?;
        let person = match invited {
            Invited::Person(person) => self.redeem(link, person, &hash, address, now).await?,
            Invited::First(workspace) => {
                let (link, person) = self
                    .first_administrator(link, workspace, email, address, now)
                    .await?;
                self.redeem(&link, person, &hash, address, now).await?
            }
        };
        Ok((person, hash))
    }

    /// What was typed, if it can be taken.
    fn accept(
        &self,
        invited: &Invited,
        typed: Typed,
    ) -> Result<(Subject, NewPassword), (String, Problem)> {
        let email = match invited {
            Invited::Person(person) => person.email.clone(),
            Invited::First(workspace) => {
                let text = typed.email.trim().to_owned();
                let email = match email_of_somebody(&text) {
                    Ok(email) => email,
                    Err(problem) => return Err((text, problem.into())),
                };
                if self.people.find(&text, Some(&workspace.id)).is_ok() {
                    return Err((text, Problem::Taken));
                }
                email
            }
        };
        match NewPassword::parse(typed.password, &typed.again, email.as_str()) {
            Ok(password) => Ok((email, password)),
            Err(problem) => Err((email.to_string(), problem.into())),
        }
    }

    async fn redeem(
        &self,
        link: &Secret,
        person: Person,
        hash: &str,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Person, SetupRefusal> {
        let address = address.to_string();
        let set = self
            .setup_links
            .redeem(link, hash, &address, now, &mut SystemRandom)
            .await?;
        if set {
            Ok(person)
        } else {
            Err(SetupRefusal::NotGood)
        }
    }

    /// Makes the first administrator, with a link of their own. Of many requests with the link of the
    /// start, one gets here.
    async fn first_administrator(
        &self,
        link: &Secret,
        workspace: Arc<Workspace>,
        email: Subject,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(Secret, Person), SetupRefusal> {
        if !self.setup_links.take_first(link).await? {
            return Err(SetupRefusal::NotGood);
        }
        let actor = Actor {
            email: email.to_string(),
            client_id: String::new(),
            address: address.to_string(),
            source: SOURCE,
        };
        let roles = Assignments::from(Some(Role::Administrator));
        let made = self
            .people
            .invite(&workspace.id, email, roles, &actor, now, &mut SystemRandom)
            .await;
        match made {
            Ok((person, secret)) => Ok((secret, person)),
            Err(PersonError::Store(error)) => Err(error.into()),
            // Somebody made the same person at the same moment.
            Err(_) => Err(SetupRefusal::NotGood),
        }
    }

    /// Whoever has just chosen a password is signed in; a second factor they had is still asked for.
    async fn enter_after_setup(
        &self,
        person: Person,
        hash: String,
        visitor: &Visitor,
    ) -> Result<Response, StoreError> {
        let factor = self.second_factors.of(person.id, (self.clock)()).await?;
        let proved = Proved::chosen(Candidate {
            person,
            password: Some(hash),
            second_factor: factor.is_some_and(|factor| factor.since.is_some()),
        });
        let welcome = self.welcome(&proved, visitor, HOME).await?;
        // Somebody has changed something meanwhile: the password was stored, and is asked for.
        Ok(welcome.unwrap_or_else(|| go(SIGN_IN_PATH)))
    }

    /// Whom the link is for. A bad one is counted, since guessing must not go unseen.
    async fn invited(
        &self,
        link: &Secret,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<Invited, SetupRefusal> {
        if let Some(person) = self.setup_links.find(link, now).await? {
            return Ok(Invited::Person(person));
        }
        let first = self.setup_links.makes_first_administrator(link, now);
        if let Some(workspace) = first.await? {
            return Ok(Invited::First(workspace));
        }
        let mut event = AuditEvent::new(
            AuditState::Failure,
            "Set-up link refused",
            SOURCE,
            now,
            &mut SystemRandom,
        );
        event.source_ip = address.to_string();
        let key = row_of("set-up link", address);
        self.audit.count(event.per_minute(&key));
        Err(SetupRefusal::NotGood)
    }
}

/// Bytes that are no text are no secret of ours.
fn secret(link: Link) -> Secret {
    Secret::from(link.map_or_else(|_| String::new(), |Path(text)| text))
}

async fn read_form(headers: &HeaderMap, body: Body) -> Result<Typed, SetupRefusal> {
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
    let field = |name| form.value(name).unwrap_or_default().to_owned();
    Ok(Typed {
        email: field("email"),
        password: Secret::from(field("password")),
        again: Secret::from(field("again")),
    })
}

fn form(
    status: StatusCode,
    invited: &Invited,
    typed: &str,
    problem: Option<&Problem>,
    visitor: &Visitor,
) -> Response {
    let (first, workspace, email) = match invited {
        Invited::Person(person) => (false, "", person.email.as_str()),
        Invited::First(workspace) => (true, workspace.name.as_str(), typed),
    };
    let content = ChoosePassword {
        first,
        workspace,
        email,
        shortest: SHORTEST,
        longest: LONGEST,
        problem,
        insecure: visitor.is_insecure(),
    };
    Page::new("Choose a password", content).answer(status)
}

/// The one place where a refusal becomes a page.
fn refuse(refusal: &SetupRefusal, visitor: &Visitor) -> Response {
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
        SetupRefusal::Unsuitable {
            invited,
            email,
            problem,
        } => {
            let status = StatusCode::UNPROCESSABLE_ENTITY;
            form(status, invited, email, Some(problem), visitor)
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
