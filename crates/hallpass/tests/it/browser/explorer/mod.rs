//! The explorer in a real browser: `/explorer` of a `hallpass serve`, over TLS and for somebody signed in,
//! and `hallpass explorer`, each beside a sandbox that answers.

mod answer;
mod authorization;
mod import;
mod keeping;
mod library;
mod request;
mod rows;
mod secrecy;
mod sending;
mod stage;
mod views;
