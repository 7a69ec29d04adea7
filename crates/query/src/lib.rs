//! Filter, sort, select and page: the query language of list operations.
//!
//! Nobody has published the grammar of the real system, and its documentation, its blogs and its
//! clients each use their own dialect. [`Filter`] reads all of them with one grammar (written down
//! at the parser and in `docs/query-language.md`) and prints one canonical form.
//!
//! This crate is pure. It does not know HTTP: texts arrive percent-decoded. It does not know
//! which attributes a resource has: the caller says so with [`Attributes`]. And it does not know
//! where a value comes from: an item is anything that implements [`Lookup`], so a stand-in can add
//! attributes that are in no stored object.

mod attribute;
mod evaluate;
mod filter;
mod lexer;
mod literal;
mod page;
mod parser;
mod print;
mod select;
mod sort;
mod syntax;

pub use attribute::{AttributePath, Attributes, Lookup, UnknownAttribute};
pub use filter::Filter;
pub use page::{Page, PageError};
pub use select::Select;
pub use sort::{MAX_SORT_KEYS, Place, Sort};
pub use syntax::{MAX_DEPTH, MAX_LENGTH, MAX_TERMS, SyntaxError};
