//! The real executable, as people and scripts use it: each test has a home and a data directory of
//! its own, and every server listens on free ports of loopback.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test that calls them"
)]

mod admin;
mod any_definition;
mod audit;
mod browser;
mod client_cli;
mod contract;
mod demo;
mod documents;
mod durability;
mod finding;
mod foreign;
mod health;
mod hosts;
mod http;
mod instances;
mod isolation;
mod layers;
mod logs;
mod openmetrics;
mod restart;
mod secrets;
mod served_explorer;
mod server;
mod several_definitions;
mod stand_in;
mod start_link;
mod terminal;
mod world;
