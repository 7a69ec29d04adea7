//! An OpenAPI definition as a document, its problems, its operations and its routes.
//!
//! [`Definition::read`] takes JSON or YAML and gives back a [`Definition`] together with every
//! [`Problem`] found in it, each with a line and a column: somebody else's document is read as far
//! as it can be, not refused. From the definition come
//!
//! * the [`Operation`]s, by name (letter case kept apart) or by [`Routes`],
//! * requests built from names and values ([`Values`] → [`BuiltRequest`]),
//! * [examples](Definition::example_body) of bodies, answers and parameters,
//! * a [`collection`] for Postman, and requests as [`code`] in several languages,
//! * checks of bodies against their schemas ([`Violation`]),
//! * the [`Marks`] that say which properties a list can be filtered and sorted by,
//! * the [`Shape`] of a schema, for people,
//! * one definition of several that are served side by side ([`Definition::join`]),
//! * the [`Compiled`] form, from which one operation is had without reading the whole again.
//!
//! References are never expanded: the document stays as written and is followed on demand, so a
//! cyclic schema costs no more than any other.
//!
//! This crate does no I/O, reads no clock and knows nothing of OAuth.

mod build;
pub mod code;
pub mod collection;
mod compiled;
mod definition;
mod document;
mod example;
mod index;
mod integers;
mod items;
mod join;
mod layers;
mod lean;
mod link;
mod location;
mod marks;
mod operation;
mod places;
mod problem;
mod read;
mod reference;
mod request;
mod route;
mod rules;
mod schema;
mod shape;
#[cfg(test)]
mod testing;
mod tolerant;
mod translate;
mod walk;

pub use build::argument::{Argument, ArgumentError};
pub use build::mistake::{Mistake, RequestError};
pub use compiled::{Bytes, Chosen, Compiled, Digest, Distrust, Source};
pub use definition::{Definition, LookupError, Reading, near};
pub use example::Fill;
pub use index::{Brief, Entry, Index, Input, Place};
pub use join::JoinError;
pub use link::Load;
pub use marks::Marks;
pub use operation::{Body, Location, Operation, Parameter, Style};
pub use problem::{Position, Problem, Severity};
pub use read::ReadError;
pub use request::{BuiltRequest, Values};
pub use route::{Route, Routes};
pub use rules::{RULES, Rule};
pub use schema::Violation;
pub use shape::{Field, Inside, Shape};
