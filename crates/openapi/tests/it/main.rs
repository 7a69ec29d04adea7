//! The crate against the definition as HPE publishes it, where that file is at hand.

mod compiled;
mod published;
