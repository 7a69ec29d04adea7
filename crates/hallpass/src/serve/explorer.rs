//! The explorer for people signed in: the crate `explorer` joined with the console, which knows who is
//! signed in, with the store, which keeps what they have, and with what may be reached from here.
//!
//! The two crates do not know each other. What a person does in the explorer is bounded here too, since
//! this server sends their requests.

mod bounds;
mod door;
mod drawer;
mod relay;

use std::sync::Arc;

use axum::Router;
use axum::middleware::from_fn;
use hallpass_console::{Console, Neighbour};
use hallpass_explorer::{Common, EXPLORER_PATH, Explorer};
use hallpass_store::{Clock, Store};

use crate::serve::{Addresses, Config};
use bounds::Bounds;
use door::SignedInDoor;
use relay::{Face, Relay};

/// What explorers are made from, one for each name.
pub(super) struct Explorers {
    store: Store,
    relay: Arc<Relay>,
    bounds: Arc<Bounds>,
    common: Common,
    clock: Clock,
}

impl Explorers {
    /// None when it is switched off.
    pub(super) fn of(
        config: &Config,
        addresses: &Addresses,
        store: &Store,
        clock: &Clock,
    ) -> Option<Self> {
        config.explorer.enabled.then(|| Self {
            store: store.clone(),
            relay: Arc::new(Relay::new(config, addresses, store, clock)),
            bounds: Arc::new(Bounds::new()),
            common: Common::new(config.data.join("answers")),
            clock: clock.clone(),
        })
    }

    /// The explorer beside this console, which lets people in.
    pub(super) fn beside(&self, console: &Console) -> Router {
        let door = SignedInDoor {
            console: console.clone(),
            documents: self.store.explorer_documents(),
            bounds: self.bounds.clone(),
            clock: self.clock.clone(),
        };
        let addresses = console.addresses();
        let face = Face::of(&addresses.console, &addresses.token_url);
        let surroundings = self.relay.seen_from(face);
        let explorer = Explorer::new(
            &self.common,
            Arc::new(door),
            Arc::new(surroundings),
            self.clock.clone(),
        );
        explorer.router().layer(from_fn(door::through))
    }
}

/// What the console's navigation shows of it.
pub(super) fn neighbour(config: &Config) -> Option<Neighbour> {
    config.explorer.enabled.then_some(Neighbour {
        title: "Explorer",
        href: EXPLORER_PATH,
    })
}
