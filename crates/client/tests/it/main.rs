//! Behaviour of the client against real servers on free ports: a token server that lets one token
//! live at a time, and an API that asks for it.

#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests fail the test that calls them"
)]

mod choosing;
mod doctor;
mod examples;
mod forwarding;
mod network;
mod odd_tokens;
mod pages;
mod processes;
mod renewal;
mod secrets;
mod sending;
mod server;
mod tasks;
mod tls;
mod tokens;
