//! The explorer: an API for people who do not program, in a web page of their own machine or of the
//! server that they are signed in on.
//!
//! It is walk 4 of the architecture: a definition and its problems ([`definitions`]) become a library of
//! operations ([`library`]); an operation's fields become a form; the form is a [`workspace::Draft`], which
//! becomes the same request, and is sent in the same way, as by the command line; the answer becomes a
//! view. Everything that the page shows comes from the JSON answers of the modules here; the page's
//! scripts (`assets/`) only draw it.
//!
//! Who is asking ([`Door`]), where workspaces are kept ([`Drawer`]) and what may be reached
//! ([`Surroundings`]) is told from outside, so the same program runs on a person's own machine and for
//! people signed in on a server. Secrets go to the drawer and to servers that ask for them, and never to
//! the page.

mod answer;
mod authorization;
mod cabinet;
pub mod definitions;
mod drawer;
mod environments;
mod id;
pub mod library;
mod page;
mod requests;
mod sharing;
mod tokens;
mod trust;
pub mod variables;
mod visitor;
pub mod workspace;
mod workspaces;

use std::sync::Arc;

use axum::Router;
use hallpass_client::Clock;

pub use answer::Failure;
pub use authorization::{Authorized, SentWith};
pub use drawer::{Document, Drawer, DrawerError, Job, SharedDrawer};
pub use id::Id;
pub use visitor::{Door, Entry, Fetch, Region, Surroundings, Visitor, no_form_token};

use cabinet::Turns;
use definitions::Shelf;
use requests::Answers;
use tokens::Engines;

/// Where the explorer's pages and its interface are.
pub const EXPLORER_PATH: &str = "/explorer";

/// The explorer's parts. Built once, shared by all requests.
pub struct Explorer {
    door: Arc<dyn Door>,
    surroundings: Arc<dyn Surroundings>,
    clock: Clock,
    turns: Turns,
    shelf: Shelf,
    engines: Engines,
    answers: Answers,
}

impl Explorer {
    /// An explorer behind this door, in these surroundings.
    pub fn new(door: Arc<dyn Door>, surroundings: Arc<dyn Surroundings>, clock: Clock) -> Self {
        Self {
            door,
            surroundings,
            clock,
            turns: Turns::default(),
            shelf: Shelf::default(),
            engines: Engines::default(),
            answers: Answers::default(),
        }
    }

    /// The routes, all below [`EXPLORER_PATH`], and the page's scripts.
    pub fn router(self) -> Router {
        let state = Arc::new(self);
        Router::new()
            .merge(page::routes())
            .merge(workspaces::routes())
            .merge(environments::routes())
            .merge(authorization::routes())
            .merge(tokens::routes())
            .merge(trust::routes())
            .merge(definitions::routes())
            .merge(library::routes())
            .merge(requests::routes())
            .merge(sharing::routes())
            .with_state(state)
            .merge(page::assets())
    }

    /// What time it is.
    pub(crate) fn now(&self) -> jiff::Timestamp {
        (self.clock)()
    }
}
