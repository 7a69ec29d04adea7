//! A stateful stand-in for an API described by OpenAPI.
//!
//! [`Sandbox`] is the rules for one definition, [`State`] is what one stand-in remembers.
//! [`Sandbox::apply`] answers a request from a state and says which changes it wants; whoever holds
//! the state makes them durable first and then hands them to [`State::commit`]. Work that takes time
//! is a task: its steps are planned in the state and happen when [`State::advance`] passes them.
//!
//! - `state`, `change`, `collection`, `stored`, `plan`: what is remembered; they know nothing of any API.
//! - `rest`: lists, bodies and refusals, as every resource of such an API has them.
//! - `dscc`: the resources themselves and their rules.
//!
//! This crate does no I/O, reads no clock and knows nothing of tokens or permissions: whoever asks
//! is a [`Caller`], and has been let through.

mod change;
mod collection;
mod dscc;
mod plan;
mod rest;
mod sandbox;
mod state;
mod stored;

pub use change::{Change, Check, Planned, Requirement};
pub use sandbox::{Caller, Outcome, Request, Response, Sandbox, Settings, TaskFate, TaskUri};
pub use state::State;
