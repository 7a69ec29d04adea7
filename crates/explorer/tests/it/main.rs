//! The explorer through its HTTP interface.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on panics")]

mod definitions;
mod environments;
mod expressions;
mod import;
mod issuer;
mod memory;
mod previews;
mod sending;
mod sharing;
mod tokens;
mod trust;
mod workspaces;
mod world;
