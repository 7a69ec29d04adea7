//! The crate through its edge: its compiled form, collections, literals that interpreters read, and the
//! definition that HPE publishes, where that file is at hand.
#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test that calls them"
)]

mod collection;
mod compiled;
mod documented;
mod literals;
mod parts;
mod published;
