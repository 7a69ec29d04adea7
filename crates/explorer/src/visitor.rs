//! Whose request it is, and what they may reach: told from outside, because a person at their own
//! machine and a person signed in on a server are let in by different doors.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use hallpass_client::{CredentialSource, Options, Profile};
use hallpass_pages::Frame;
use reqwest::Url;

use crate::Explorer;
use crate::answer::Failure;
use crate::drawer::SharedDrawer;

/// Somebody who was let in.
#[derive(Clone)]
pub struct Visitor {
    /// Who: the same for all their requests, different for everybody else.
    pub key: String,
    /// What stands around their pages; nothing on a person's own machine.
    pub frame: Option<Frame>,
    /// What the page's script puts into the header `x-csrf-token` of every request that is no `GET`.
    pub form_token: String,
    /// Where their workspaces are.
    pub drawer: SharedDrawer,
}

/// The door: finds out whose request it is, or answers instead.
///
/// A request that is no `GET` or `HEAD` has been checked for the form token when it comes through.
pub trait Door: Send + Sync {
    /// Whose request it is. The answer in its place is a page to sign in at, or a refusal.
    fn visitor<'a>(&'a self, head: &'a Parts) -> Entry<'a>;
}

/// Somebody on their way through the door.
pub type Entry<'a> = Pin<Box<dyn Future<Output = Result<Visitor, Response>> + Send + 'a>>;

/// Where the explorer runs, and what it may do there.
pub trait Surroundings: Send + Sync {
    /// On a person's own machine, or for people signed in on a server.
    fn is_local(&self) -> bool;

    /// Whether a request may be sent to this address; if not, why. Asked before each request, those to
    /// token endpoints included.
    fn may_reach(&self, url: &Url) -> Result<(), Failure>;

    /// What clients are made with: proxies, limits, clock, events, where tokens are kept.
    fn options(&self) -> Options;

    /// Gives a profile that the explorer made what belongs to the place: on a server, the certificate
    /// authority of its own TLS listener.
    fn adapt(&self, profile: Profile) -> Profile {
        profile
    }

    /// Places where the API is, to be offered: regions, or the server's own application instances.
    fn regions(&self) -> Vec<Region>;

    /// Where tokens are asked for, to be offered.
    fn token_url(&self) -> String;

    /// The definition that comes with the program: its text.
    fn built_in(&self) -> &'static str;

    /// The names of the profiles of this person's command line. None on a server.
    fn profiles(&self) -> Vec<String> {
        Vec::new()
    }

    /// The profile of this name, and where its secret comes from.
    fn profile(&self, name: &str) -> Result<(Profile, CredentialSource), Failure> {
        Err(Failure::wrong(
            format!("there is no profile {name:?} here"),
            "profiles belong to the command line of one person",
        ))
    }

    /// The bytes of a definition at a URL. A server does not import by URL.
    fn fetch<'a>(&'a self, url: &'a Url) -> Fetch<'a>;
}

/// A definition on its way.
pub type Fetch<'a> = Pin<Box<dyn Future<Output = Result<Vec<u8>, Failure>> + Send + 'a>>;

/// A place where the API is.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Region {
    /// Its short name: `eu1`.
    pub name: String,
    /// Where in the world it is, or what it is for.
    pub title: String,
    /// Where its API is.
    pub base_url: String,
}

impl FromRequestParts<Arc<Explorer>> for Visitor {
    type Rejection = Response;

    async fn from_request_parts(
        head: &mut Parts,
        explorer: &Arc<Explorer>,
    ) -> Result<Self, Response> {
        explorer.door.visitor(head).await
    }
}

/// A page or an answer for somebody whose request has no form token.
pub fn no_form_token() -> Response {
    Failure::refused(
        "the request does not come from a page of this explorer",
        "load the page again",
    )
    .into_response()
}
