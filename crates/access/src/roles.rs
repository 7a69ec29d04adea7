//! The roles of one person in one place: what any of them allows is allowed.

use std::sync::Arc;

use crate::custom_role::CustomRole;
use crate::permission::Permission;
use crate::permission_set::PermissionSet;
use crate::role::Role;

/// The roles of one person. Cheap to copy into every request: the built-in ones are bits, and those
/// that administrators made, where there are any, are shared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    bits: u8,
    /// `None` where there are none: most people have none.
    custom: Option<Arc<[Arc<CustomRole>]>>,
}

impl Roles {
    /// No role, which permits nothing.
    pub const NONE: Self = Self {
        bits: 0,
        custom: None,
    };

    /// The same roles and these, each once.
    #[must_use]
    pub fn with_custom(self, roles: impl IntoIterator<Item = Arc<CustomRole>>) -> Self {
        let mut custom = self.custom().to_vec();
        for role in roles {
            if !custom.contains(&role) {
                custom.push(role);
            }
        }
        Self {
            bits: self.bits,
            custom: (!custom.is_empty()).then(|| custom.into()),
        }
    }

    /// Does one of them allow it?
    pub fn permits(&self, permission: &Permission) -> bool {
        self.built_in().any(|role| role.permits(permission))
            || self.custom().iter().any(|role| role.permits(permission))
    }

    /// All that they permit together.
    pub fn permissions(&self) -> PermissionSet {
        let mut all = PermissionSet::default();
        for role in self.built_in() {
            all.join(&role.permissions());
        }
        for role in self.custom() {
            all.join(role.permissions());
        }
        all
    }

    /// Is this role one of them?
    pub fn contains(&self, role: Role) -> bool {
        self.bits & role.bit() != 0
    }

    /// Has the person no role at all?
    pub fn is_empty(&self) -> bool {
        self.bits == 0 && self.custom.is_none()
    }

    /// The built-in ones, the mightiest first.
    pub fn built_in(&self) -> impl Iterator<Item = Role> + '_ {
        Role::ALL.into_iter().filter(|role| self.contains(*role))
    }

    /// Those that administrators made.
    pub fn custom(&self) -> &[Arc<CustomRole>] {
        self.custom.as_deref().unwrap_or_default()
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self {
            bits: roles.into_iter().fold(0, |bits, role| bits | role.bit()),
            custom: None,
        }
    }
}

impl From<Role> for Roles {
    fn from(role: Role) -> Self {
        Self::from_iter([role])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn custom(words: &str) -> Arc<CustomRole> {
        Arc::new(CustomRole::new(words, "", words.parse().unwrap()).unwrap())
    }

    #[test]
    fn several_roles_are_their_union() {
        let create = "volume.create".parse().unwrap();
        let read = "volume.read".parse().unwrap();
        let roles = |roles: &[Role]| roles.iter().copied().collect::<Roles>();
        assert!(!Roles::NONE.permits(&read) && Roles::NONE.is_empty());
        assert!(!roles(&[Role::Observer]).permits(&create));
        assert!(roles(&[Role::Observer, Role::Operator]).permits(&create));
        let both = roles(&[Role::Observer, Role::Administrator, Role::Observer]);
        assert_eq!(
            both.built_in().collect::<Vec<_>>(),
            [Role::Administrator, Role::Observer]
        );
        assert!(!both.is_empty() && !both.contains(Role::Operator));
        assert_eq!(Roles::from(Role::Operator), roles(&[Role::Operator]));
    }

    #[test]
    fn custom_roles_add_to_the_others() {
        let (create, delete) = (custom("volume.create"), custom("volume.delete"));
        let permits = |roles: &Roles, word: &str| roles.permits(&word.parse().unwrap());
        let one = Roles::NONE.with_custom([create.clone(), create.clone()]);
        assert!(!one.is_empty() && one.custom().len() == 1);
        assert!(permits(&one, "volume.create") && !permits(&one, "volume.read"));
        let three = Roles::from(Role::Observer).with_custom([create, delete]);
        for word in ["volume.create", "volume.delete", "volume.read"] {
            assert!(permits(&three, word), "{word}");
        }
        assert!(!permits(&three, "volume.update"));
        let all = "ANY.read audit.read sandbox.read workspace.read volume.create volume.delete";
        assert_eq!(three.permissions(), all.parse().unwrap());
        assert_eq!(Roles::NONE.with_custom([]), Roles::NONE);
    }
}
