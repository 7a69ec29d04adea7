//! The guard through real HTTP: own store, free port, a clock that the test moves.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test that calls them"
)]

mod abandoned;
mod access;
mod answers;
mod audit;
mod audit_list;
mod conditional;
mod connections;
mod coverage;
mod durability;
mod faults;
mod operations;
mod revocation;
mod rfc9068;
mod spellings;
mod state;
mod tls;
mod tokens;
mod traces;
mod wire;
mod world;
