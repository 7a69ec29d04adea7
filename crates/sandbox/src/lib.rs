//! A stateful stand-in for an API described by OpenAPI.
//!
//! [`Sandbox`] is the rules for one definition, [`State`] is what one stand-in remembers.
//! [`Sandbox::apply`] answers a request from a state and says which changes it wants; whoever holds
//! the state makes them durable first and then hands them to [`State::commit`]. Work that takes time
//! is a task: its steps are planned in the state and happen when [`State::advance`] passes them.
//!
//! - `state`, `change`, `collection`, `stored`, `plan`: what is remembered; they know nothing of any API.
//! - `rest`: lists, bodies and refusals, as every resource of such an API has them.
//! - `dscc`: the resources of the storage API and their rules.
//! - `generic`: whatever else a definition describes, by its paths and schemas.
//!
//! This crate does no I/O, reads no clock and knows nothing of tokens or permissions: whoever asks
//! is a [`Caller`], and has been let through.

mod change;
mod collection;
mod dscc;
mod forms;
mod generic;
mod given;
mod level;
mod neighbours;
mod plan;
mod rest;
mod sandbox;
mod state;
mod stored;

pub use change::{Change, Check, Planned, Requirement};
pub use dscc::{Begun, Ended, Place};
pub use level::{Level, Reason};
pub use sandbox::{Body, Caller, Outcome, Request, Response, Sandbox, Settings, TaskFate, TaskUri};
pub use state::State;
