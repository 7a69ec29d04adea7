//! Permission words, roles, and what a person may do.
//!
//! A call is judged by the permissions its owner has at the time of the call (domain.md 4.1). This
//! crate knows the words ([`Permission`]), what each [`Role`] and [`CustomRole`] is allowed, and what each operation
//! of a definition asks for ([`OperationPermissions`]). Whether one meets the other is
//! [`Requirement::is_met_by`].
//!
//! It is pure: it does not know who a person is, where roles are kept, or what a token is.

mod custom_role;
mod derive;
mod grant;
pub mod name;
mod path;
mod permission;
mod permission_set;
pub mod platform;
mod role;
mod roles;
mod singular;

pub use custom_role::{CustomRole, CustomRoleError};
pub use derive::{OperationPermissions, Requirement};
pub use grant::granted;
pub use permission::{Permission, PermissionPattern, PermissionWordError, Verb};
pub use permission_set::PermissionSet;
pub use role::{Role, UnknownRole};
pub use roles::Roles;
