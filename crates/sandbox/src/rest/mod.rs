//! What every resource of the API has in common: lists with filter, sort, select and pages; bodies
//! that are checked against the definition; refusals with a code and a trace id.
//!
//! Knows no resource.

mod body;
mod list;
mod refusal;
mod rules;
mod said;

pub(crate) use body::{body, body_or_none, flag};
pub(crate) use list::{Envelope, Item, Question, write};
pub(crate) use refusal::Refusal;
pub(crate) use rules::{ListRules, Virtual};
