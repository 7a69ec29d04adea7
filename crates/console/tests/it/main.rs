//! The console through HTTP: a real store, real tokens, a clock that stands still until it is told
//! to go on.

#![allow(
    clippy::unwrap_used,
    reason = "a test that cannot go on should stop there"
)]

mod account;
mod admission;
mod audit;
mod credential_pages;
mod credentials;
mod credentials_governed;
mod documentation;
mod forms;
mod isolation;
mod names;
mod pages;
mod people;
mod refusals;
mod refused;
mod roles;
mod second_factor;
mod second_factor_rest;
mod sessions;
mod setup;
mod shared;
mod sign_in;
mod world;
