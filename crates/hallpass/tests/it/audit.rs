//! The audit list: 46 numbered statements that an auditor would check. Each test carries the number
//! of the statement it proves, and `docs/security-audit.md` is the list with its results; the two
//! are held together by [`document`].
//!
//! A statement is proved at the edge, by a few decisive cases; the depth is in the crates. What needs
//! a clock that moves, a store that fails or a bound that is small runs against a system in this
//! process ([`within`]), everything else against the real executable.

mod access_tokens;
mod assertions;
mod client_secrets;
mod document;
mod introspection;
mod jwt;
mod operations;
mod signing_keys;
mod token_endpoint;
mod wire;
mod within;

use std::os::unix::fs::DirBuilderExt as _;

use crate::world::{ANN, World};

/// A world whose server will have the profile `rfc9068`, with Ann in it.
fn rfc9068_world() -> World {
    configured("[tokens]\nprofile = \"rfc9068\"\n")
}

/// A world whose server will read this configuration, with Ann in it.
fn configured(toml: &str) -> World {
    let world = World::new();
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(world.data())
        .unwrap();
    std::fs::write(world.data().join("hallpass.toml"), toml).unwrap();
    world.create_user(ANN, "administrator");
    world
}
