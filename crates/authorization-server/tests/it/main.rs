//! The authorization server through real HTTP: own store, free port, a clock that the test moves.
//!
//! One file per standard, whose tests are named after the sections; the other files are about what the
//! standards leave open.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test that calls them"
)]

mod abuse;
mod always;
mod assertion;
mod audit;
mod authentication;
mod by_hand;
mod credentials;
mod exchange;
mod keys;
mod metrics;
mod requests;
mod rfc6749;
mod rfc7009;
mod rfc7523;
mod rfc7662;
mod rfc8414;
mod rfc8693;
mod rfc8725;
mod rfc9068;
mod tokens;
mod walk;
mod wire;
mod world;
