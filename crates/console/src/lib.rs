//! The console: API credentials for people and their programs.
//!
//! Here are the REST API for credentials under [`CREDENTIALS_PATH`] (domain facts, section 3.6), for
//! programs that hold a token of the platform instance and for pages of somebody signed in; the set-up
//! page under [`SETUP_PATH`], where a new person chooses a password; signing in and out, and what is a
//! person's own: password, second factor, sessions. The start page says what this server is.
//!
//! A call to the REST API is walk 2 of the architecture in small: [`guard`] turns a request into
//! `Permitted`, the handlers in [`credentials`] ask for one, and [`answer`] is the only place where
//! an outcome becomes a wire answer. This crate knows neither the token endpoint nor the API that
//! the tokens are for.

mod account;
mod admission;
mod answer;
mod audit;
mod browser;
mod by_hand;
mod credential_pages;
mod credentials;
mod document;
mod documentation;
mod form;
mod guard;
mod in_path;
mod instances;
mod operations;
mod page;
mod paging;
pub mod password;
mod people;
mod refused;
mod roles;
mod said;
mod same_site;
mod sentence;
mod session;
mod sessions;
mod setup;
mod sign_in;
mod start;
mod submission;
mod time;
mod totp;
mod transport;
mod wire;
mod workspaces;

use std::collections::BTreeMap;
use std::sync::Arc;

use axum::Router;
use axum::routing::{any, get, post};
use hallpass_oauth::{ApplicationInstanceId, Expectation};
use hallpass_openapi::Definition;
use hallpass_store::{
    AuditLog, Clock, ConsoleHandles, Credentials, CustomRoles, Passwords, People, Principals,
    PublishedKeys, SecondFactors, Sessions, SetupLinks, Workspaces,
};

pub use admission::{Guest, Neighbour, NotAdmitted};
pub use by_hand::{ByHand, Issuing, TokenByHand};
pub use document::document;
pub use documentation::{Book, DOCUMENTATION_PATH};

use operations::Operations;
use password::Hashing;
use said::Said;
use sign_in::attempts::Attempts;
use submission::Submissions;

/// Where the REST API for credentials is.
pub const CREDENTIALS_PATH: &str = "/workspaces/v1/credentials";

/// Where set-up pages are; the link's secret follows.
pub const SETUP_PATH: &str = "/setup/";

/// Names this part of the system in the audit log.
const SOURCE: &str = "console";

/// The console's parts. Built once, shared by all requests, and by all names that it answers under.
#[derive(Clone)]
pub struct Console {
    published_keys: PublishedKeys,
    principals: Principals,
    credentials: Credentials,
    people: People,
    custom_roles: CustomRoles,
    sessions: Sessions,
    passwords: Passwords,
    second_factors: SecondFactors,
    workspaces: Workspaces,
    setup_links: SetupLinks,
    audit: AuditLog,
    hashing: Hashing,
    attempts: Arc<Attempts>,
    expectation: Expectation,
    addresses: Addresses,
    first_call: String,
    by_hand: TokenByHand,
    submissions: Arc<Submissions>,
    said: Arc<Said>,
    neighbour: Option<Neighbour>,
    /// Of the application instances, and of the platform.
    operations: Arc<Operations>,
    platform_operations: Arc<Operations>,
    clock: Clock,
}

/// What the console must be told.
#[derive(Clone)]
pub struct Settings {
    /// What is asked of every token. The instance is always the platform, whatever stands here.
    pub expectation: Expectation,
    /// What the start page shows.
    pub addresses: Addresses,
    /// The path of the call that code samples make.
    pub first_call: String,
    /// The API of the application instances: what roles are about.
    pub definition: Arc<Definition>,
    /// The room beside the console, if there is one.
    pub neighbour: Option<Neighbour>,
}

/// The public addresses of the whole system.
#[derive(Debug, Clone)]
pub struct Addresses {
    /// This console, without a slash at the end.
    pub console: String,
    /// The token endpoint.
    pub token_url: String,
    /// The published keys.
    pub jwks_url: String,
    /// Where the application instances are whose listeners the configuration names, by their short
    /// names. What an administrator says about an instance goes before.
    pub instances: BTreeMap<String, String>,
}

impl Console {
    /// Takes its handles of the store. It cannot mint: `by_hand` asks somebody who can.
    pub fn new(
        handles: ConsoleHandles,
        settings: Settings,
        by_hand: TokenByHand,
        clock: Clock,
    ) -> Self {
        let ConsoleHandles {
            published_keys,
            principals,
            credentials,
            people,
            custom_roles,
            sessions,
            passwords,
            second_factors,
            workspaces,
            setup_links,
            audit,
            ..
        } = handles;
        Self {
            published_keys,
            principals,
            credentials,
            people,
            custom_roles,
            sessions,
            passwords,
            second_factors,
            workspaces,
            setup_links,
            audit,
            hashing: Hashing::new(),
            attempts: Arc::new(Attempts::new()),
            // A token for a storage region must never manage credentials.
            expectation: Expectation {
                instance: ApplicationInstanceId::platform(),
                ..settings.expectation
            },
            addresses: settings.addresses,
            first_call: settings.first_call,
            by_hand,
            submissions: Arc::default(),
            said: Arc::default(),
            neighbour: settings.neighbour,
            operations: Arc::new(Operations::of(&settings.definition)),
            platform_operations: Arc::new(Operations::of_platform()),
            clock,
        }
    }

    /// Where this console and what belongs to it are.
    pub fn addresses(&self) -> &Addresses {
        &self.addresses
    }

    /// The same console under other addresses, where tokens are asked of a server of that name.
    #[must_use]
    pub fn under(&self, addresses: Addresses, by_hand: TokenByHand) -> Self {
        Self {
            addresses,
            by_hand,
            ..self.clone()
        }
    }

    /// The routes, with the pages' assets. They want `ConnectInfo<SocketAddr>`, and
    /// [`Self::around`] them what all rooms with pages have in common.
    pub fn router(self) -> Router {
        Router::new()
            .merge(rest())
            .merge(pages())
            .merge(sign_in::pages())
            .merge(sessions::rest())
            .merge(account::pages())
            .merge(credential_pages::pages())
            .merge(people::rest())
            .merge(people::pages())
            .merge(roles::rest())
            .merge(roles::pages())
            .with_state(Arc::new(self))
            .merge(hallpass_pages::assets())
    }
}

fn rest() -> Router<Arc<Console>> {
    let credential = format!("{CREDENTIALS_PATH}/{{id}}");
    Router::new()
        .merge(audit::rest())
        .merge(account::rest::routes())
        .route(
            CREDENTIALS_PATH,
            get(credentials::list).post(credentials::create),
        )
        .route(
            &credential,
            get(credentials::show)
                .patch(credentials::change)
                .delete(credentials::delete),
        )
        .route(&format!("{credential}/reset"), post(credentials::reset))
        .merge(instances::rest::routes())
        .merge(workspaces::rest::routes())
        .route("/workspaces", any(answer::unknown_path))
        .route("/workspaces/", any(answer::unknown_path))
        .route("/workspaces/{*path}", any(answer::unknown_path))
        .method_not_allowed_fallback(answer::wrong_method)
}

fn pages() -> Router<Arc<Console>> {
    Router::new()
        .merge(audit::pages())
        .route("/", get(start::show))
        .route(
            &format!("{SETUP_PATH}{{secret}}"),
            get(setup::show).post(setup::choose),
        )
        .merge(instances::pages::routes())
        .merge(workspaces::pages::routes())
        .method_not_allowed_fallback(start::wrong_method)
}
