//! An OpenAPI definition as a document, its problems, its operations and its routes.
//!
//! [`Definition::read`] takes JSON or YAML and gives back a [`Definition`] together with every
//! [`Problem`] found in it, each with a line and a column: somebody else's document is read as far
//! as it can be, not refused. From the definition come
//!
//! * the [`Operation`]s, by name (letter case kept apart) or by [`Routes`],
//! * requests built from names and values ([`Values`] → [`BuiltRequest`]),
//! * checks of bodies against their schemas ([`Violation`]),
//! * the [`Marks`] that say which properties a list can be filtered and sorted by.
//!
//! References are never expanded: the document stays as written and is followed on demand, so a
//! cyclic schema costs no more than any other.
//!
//! This crate does no I/O, reads no clock and knows nothing of OAuth.

mod build;
mod definition;
mod document;
mod items;
mod marks;
mod operation;
mod problem;
mod read;
mod reference;
mod request;
mod route;
mod rules;
mod schema;
#[cfg(test)]
mod testing;
mod tolerant;
mod translate;
mod walk;

pub use definition::{Definition, LookupError, Reading};
pub use marks::Marks;
pub use operation::{Body, Location, Operation, Parameter};
pub use problem::{Position, Problem, Severity};
pub use read::ReadError;
pub use request::{BuiltRequest, RequestError, Values};
pub use route::{Route, Routes};
pub use schema::Violation;
