//! The token endpoint through real HTTP: own store, free port, a clock that the test moves.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test that calls them"
)]

mod audit;
mod authentication;
mod keys;
mod requests;
mod tokens;
mod wire;
mod world;
