//! The pages of somebody signed in: the frame around them, and the answers where there is none.

use askama::Template;
use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode, Uri};
use axum::response::Response;
use hallpass_access::platform::{AUDIT_READ, WORKSPACE_READ};
use hallpass_access::{Permission, PermissionSet};
use hallpass_limits::RetryAfter;
use hallpass_pages::{Frame, Page, Section, go, notice};
use hallpass_store::StoreError;

use crate::audit::AUDIT_PATH;
use crate::credential_pages::CREDENTIALS_PAGE;
use crate::instances::INSTANCES_PAGE;
use crate::password::HashingError;
use crate::people::USERS_PAGE;
use crate::roles::ROLES_PAGE;
use crate::session::SignedIn;
use crate::sign_in::{SIGN_IN_PATH, with_destination};
use crate::workspaces::WORKSPACES_PAGE;
use crate::{Console, DOCUMENTATION_PATH};

/// The places of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    /// Where everything begins.
    Start,
    /// The workspaces.
    Workspaces,
    /// The application instances.
    Instances,
    /// The audit log.
    Audit,
    /// What programs can call.
    Documentation,
    /// What is the person's own; behind their name, not in the navigation.
    Account,
    /// Credentials, their list and their dialogs.
    Credentials,
    /// People.
    Users,
    /// What they can be.
    Roles,
    /// The room beside the console, whose pages are its own.
    Neighbour,
    /// None of them: nothing is there.
    Nowhere,
}

/// Why a page was not shown, or what it asked for not done. Each variant has one answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PageRefusal {
    /// Nobody is signed in.
    #[error("nobody is signed in")]
    SignedOut,
    /// The person may not.
    #[error("the person lacks {0}")]
    NotPermitted(Permission),
    /// The person has no role on the application instance.
    #[error("the person has no role there")]
    NoRole,
    /// The person may do that in a workspace of their own, and this is for all.
    #[error("the person's workspace does not operate the system")]
    NotOperating,
    /// The person may change an application instance, and not say where everybody's calls to it go.
    #[error("the person lacks {0} to say where calls go")]
    NotEverything(PermissionSet),
    /// There is no such thing for this person.
    #[error("there is no such thing")]
    NotFound,
    /// The form was sent from another site, or from a page of a session that is over.
    #[error("the form was not sent from a page of this session")]
    Elsewhere,
    /// The body is no form of ours.
    #[error("the request holds no form of this page")]
    NoForm,
    /// Too many passwords or codes were wrong.
    #[error("too many tries failed")]
    TooMany(RetryAfter),
    /// A password could not be hashed or verified at this moment.
    #[error(transparent)]
    Hashing(#[from] HashingError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Place {
    /// What the navigation shows: the place, its name and its address.
    const IN_NAVIGATION: [(Self, &'static str, &'static str); 8] = [
        (Self::Start, "Start", "/"),
        (Self::Credentials, "Credentials", CREDENTIALS_PAGE),
        (Self::Users, "Users", USERS_PAGE),
        (Self::Roles, "Roles", ROLES_PAGE),
        (Self::Workspaces, "Workspaces", WORKSPACES_PAGE),
        (Self::Instances, "Instances", INSTANCES_PAGE),
        (Self::Audit, "Audit", AUDIT_PATH),
        (Self::Documentation, "Documentation", DOCUMENTATION_PATH),
    ];

    /// Whether the person may see anything there.
    fn is_open_to(self, by: &SignedIn) -> bool {
        match self {
            Self::Start
            | Self::Account
            | Self::Credentials
            | Self::Documentation
            | Self::Neighbour
            | Self::Nowhere => true,
            Self::Users | Self::Roles | Self::Workspaces | Self::Instances => {
                by.roles().permits(&WORKSPACE_READ)
            }
            Self::Audit => by.roles().permits(&AUDIT_READ),
        }
    }
}

impl Console {
    /// A page for whoever is signed in.
    pub(crate) fn page<C: Template>(
        &self,
        by: &SignedIn,
        place: Place,
        title: &str,
        content: C,
    ) -> Response {
        self.page_with(StatusCode::OK, by, place, title, content)
    }

    /// The same with another status, for a form that has to be corrected.
    pub(crate) fn page_with<C: Template>(
        &self,
        status: StatusCode,
        by: &SignedIn,
        place: Place,
        title: &str,
        content: C,
    ) -> Response {
        let frame = self.frame(by, place);
        Page::new(title, content).inside(frame).answer(status)
    }

    /// The place that a path belongs to.
    pub(crate) fn place_of(&self, path: &str) -> Place {
        let beside = self.neighbour.iter();
        let beside = beside.map(|beside| (Place::Neighbour, beside.title, beside.href));
        let mut known = Place::IN_NAVIGATION.into_iter().chain(beside);
        let found = known.find(|&(.., href)| is_below(path, href));
        found.map_or(Place::Nowhere, |(place, ..)| place)
    }

    /// What stands around a page for whoever is signed in.
    pub(crate) fn frame(&self, by: &SignedIn, place: Place) -> Frame {
        let person = by.person();
        let known = self.workspaces.list();
        let workspace = known.iter().find(|known| known.id == person.workspace);
        let open = Place::IN_NAVIGATION.into_iter();
        let beside = self.neighbour.iter();
        let beside = beside.map(|beside| (Place::Neighbour, beside.title, beside.href));
        let open = open.chain(beside);
        let open = open.filter(|(section, ..)| section.is_open_to(by));
        let sections = open.map(|(section, title, href)| Section {
            title,
            href,
            current: section == place,
        });
        Frame {
            sections: sections.collect(),
            person: person.email.to_string(),
            workspace: workspace.map_or_else(String::new, |known| known.name.clone()),
            form_token: self.form_token(by),
            said: self.to_say(by),
        }
    }
}

impl PageRefusal {
    /// The answer. `uri` is where to come back to after signing in.
    pub(crate) fn answer(&self, uri: &Uri) -> Response {
        match self {
            Self::SignedOut => go(&sign_in_first(uri)),
            Self::NotPermitted(permission) => notice(
                StatusCode::FORBIDDEN,
                "You may not do that",
                &[
                    &format!("It takes the permission {permission}, which none of your roles has."),
                    "Ask an administrator of your workspace for a role that has it.",
                ],
            ),
            Self::NoRole => notice(
                StatusCode::FORBIDDEN,
                "You may not do that",
                &[
                    "You have no role on that application instance.",
                    "Ask an administrator of your workspace for one.",
                ],
            ),
            Self::NotOperating => notice(
                StatusCode::FORBIDDEN,
                "You may not do that",
                &[
                    "Workspaces and application instances are for everybody here: only people of the workspace that operates this system change them.",
                    "Ask one of its administrators.",
                ],
            ),
            Self::NotEverything(lacking) => notice(
                StatusCode::FORBIDDEN,
                "You may not do that",
                &[
                    &format!(
                        "Where the calls of an application instance go is said by those who may do everything on it: everybody's tokens and data go there. You lack {lacking}."
                    ),
                    "Ask an administrator of the workspace that operates this system.",
                ],
            ),
            Self::NotFound => notice(
                StatusCode::NOT_FOUND,
                "That is not there",
                &["It was removed meanwhile, or the address is not complete."],
            ),
            Self::Elsewhere => notice(
                StatusCode::FORBIDDEN,
                "This form is not from your session",
                &[
                    "Nothing was changed. You may have signed out or in again meanwhile: go back, load the page again and repeat what you did.",
                ],
            ),
            Self::NoForm => notice(
                StatusCode::BAD_REQUEST,
                "The form could not be read",
                &["Nothing was changed. Go back, load the page again and repeat what you did."],
            ),
            Self::TooMany(wait) => too_many(*wait),
            // Strangers can cause any number of these.
            Self::Hashing(HashingError::Overloaded) => try_again(),
            Self::Hashing(error) => unavailable(error),
            Self::Store(error) => unavailable(error),
        }
    }
}

/// Whether a path is that page's or one of a page below it. Nothing is below the start page.
fn is_below(path: &str, page: &str) -> bool {
    let rest = path.strip_prefix(page.trim_end_matches('/'));
    rest.is_some_and(|rest| matches!(rest, "" | "/") || (page != "/" && rest.starts_with('/')))
}

fn sign_in_first(uri: &Uri) -> String {
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    with_destination(SIGN_IN_PATH, path)
}

fn too_many(wait: RetryAfter) -> Response {
    let seconds = wait.seconds();
    let after = format!("Wait {seconds} seconds and try again. Nothing was changed.");
    let mut response = notice(
        StatusCode::TOO_MANY_REQUESTS,
        "Too many tries have failed",
        &[
            &after,
            "If that was not you, somebody near you is guessing; nobody got in. An administrator can send you a new set-up link.",
        ],
    );
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from(seconds));
    response
}

fn unavailable(error: &dyn std::error::Error) -> Response {
    let cause = error.source().map(ToString::to_string);
    tracing::error!(error = %error, cause, "a page failed");
    try_again()
}

fn try_again() -> Response {
    let mut response = notice(
        StatusCode::SERVICE_UNAVAILABLE,
        "That did not work just now",
        &["Nothing was changed. Wait a moment and try again."],
    );
    let headers = response.headers_mut();
    headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
    response
}
