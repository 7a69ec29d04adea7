//! Permissions on the platform itself: the workspace, and with it the credentials of its people.
//!
//! They, and the one on the stand-in, belong to no operation of a storage definition, so they are named here. What the roles
//! allow follows from [`Role::permits`](crate::Role::permits): everybody sees the workspace, only
//! administrators change it.

use std::borrow::Cow;

use crate::permission::{Permission, Verb};

/// The resources of the platform. A word for every resource (`ANY.update`) does not stand for them:
/// whoever may do everything with the storage is no administrator of people for that.
pub(crate) const RESOURCES: [&str; 3] = ["audit", "sandbox", "workspace"];

const WORKSPACE: Cow<'static, str> = Cow::Borrowed("workspace");

/// `workspace.read`: see the workspace and one's credentials.
pub const WORKSPACE_READ: Permission = Permission::of(WORKSPACE, Verb::Read);

/// `workspace.update`: create and reset credentials.
pub const WORKSPACE_UPDATE: Permission = Permission::of(WORKSPACE, Verb::Update);

/// `workspace.delete`: delete credentials.
pub const WORKSPACE_DELETE: Permission = Permission::of(WORKSPACE, Verb::Delete);

/// `audit.read`: read the audit log of the workspace.
pub const AUDIT_READ: Permission = Permission::of(Cow::Borrowed("audit"), Verb::Read);

/// `sandbox.update`: save, restore and reset the state of a workspace's stand-in.
pub const SANDBOX_UPDATE: Permission = Permission::of(Cow::Borrowed("sandbox"), Verb::Update);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Role;

    #[test]
    fn only_administrators_change_the_workspace() {
        for role in Role::ALL {
            let administrator = role == Role::Administrator;
            assert!(role.permits(&WORKSPACE_READ));
            assert!(role.permits(&AUDIT_READ));
            assert_eq!(role.permits(&WORKSPACE_UPDATE), administrator, "{role}");
            assert_eq!(role.permits(&WORKSPACE_DELETE), administrator, "{role}");
            assert_eq!(role.permits(&SANDBOX_UPDATE), administrator, "{role}");
        }
    }

    #[test]
    fn they_are_ordinary_permissions() {
        for permission in [
            WORKSPACE_READ,
            WORKSPACE_UPDATE,
            WORKSPACE_DELETE,
            AUDIT_READ,
            SANDBOX_UPDATE,
        ] {
            assert_eq!(permission.to_string().parse(), Ok(permission));
        }
    }
}
