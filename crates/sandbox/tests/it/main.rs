//! The stand-in as whoever serves it sees it: the project's own definition, a seeded state, requests
//! and a clock that the test moves.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test that calls them"
)]

mod any_definition;
mod definition;
mod every_operation;
mod hosts;
mod lists;
mod real_definition;
mod replay;
mod stand;
mod tasks;
mod volumes;
mod world;
