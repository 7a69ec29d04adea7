//! The crate from outside: its compiled form, and the definition as HPE publishes it, where that file
//! is at hand.

#![expect(
    clippy::unwrap_used,
    reason = "helpers of tests fail the test that calls them"
)]

mod compiled;
mod published;
