//! Permission words, roles, and what a person may do.
//!
//! A call is judged by the permissions its owner has at the time of the call (domain.md 4.1). This
//! crate knows the words ([`Permission`]), what each [`Role`] is allowed, and what each operation
//! of a definition asks for ([`OperationPermissions`]). Whether one meets the other is
//! [`Requirement::is_met_by`].
//!
//! It is pure: it does not know who a person is, where roles are kept, or what a token is.

mod derive;
mod grant;
mod path;
mod permission;
pub mod platform;
mod role;
mod singular;

pub use derive::{OperationPermissions, Requirement};
pub use grant::granted;
pub use permission::{Permission, PermissionPattern, PermissionWordError, Verb};
pub use role::{Role, Roles, UnknownRole};
