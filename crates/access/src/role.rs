//! The roles a person can have, and what each is allowed.
//!
//! The real system's roles have names only; what they allow is our reading of them (domain.md
//! 4.1). Custom roles with a scope are not modelled.

use std::fmt;
use std::str::FromStr;

use crate::permission::{Permission, Verb};

/// What people provision from day to day, and so what an operator may create and change.
const PROVISIONED: [&str; 6] = [
    "host-initiator",
    "host-initiator-group",
    "initiator",
    "snapshot",
    "volume",
    "volume-set",
];

/// A role. Displayed, and read, as its lower-case word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// May do everything, including system settings and removal.
    Administrator,
    /// May read everything, and provision: volumes, sets of them, snapshots, hosts.
    Operator,
    /// May read everything.
    Observer,
}

/// A word that is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{word}` is no role; the roles are administrator, operator and observer")]
pub struct UnknownRole {
    /// The word.
    pub word: String,
}

impl Role {
    /// All of them, the mightiest first.
    pub const ALL: [Self; 3] = [Self::Administrator, Self::Operator, Self::Observer];

    /// Does this role allow it?
    pub fn permits(&self, permission: &Permission) -> bool {
        match (self, permission.verb()) {
            (Self::Administrator, _) | (_, Verb::Read) => true,
            (Self::Operator, Verb::Create | Verb::Update) => {
                PROVISIONED.contains(&permission.resource())
            }
            (Self::Operator, Verb::Delete) | (Self::Observer, _) => false,
        }
    }

    const fn bit(self) -> u8 {
        match self {
            Self::Administrator => 1,
            Self::Operator => 2,
            Self::Observer => 4,
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(word: &str) -> Result<Self, Self::Err> {
        match word {
            "administrator" => Ok(Self::Administrator),
            "operator" => Ok(Self::Operator),
            "observer" => Ok(Self::Observer),
            _ => Err(UnknownRole {
                word: word.to_owned(),
            }),
        }
    }
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Administrator => "administrator",
            Self::Operator => "operator",
            Self::Observer => "observer",
        })
    }
}

/// The roles of one person: what any of them allows is allowed. Small enough to be copied into
/// every request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Roles {
    bits: u8,
}

impl Roles {
    /// No role, which permits nothing.
    pub const NONE: Self = Self { bits: 0 };

    /// Does one of them allow it?
    pub fn permits(self, permission: &Permission) -> bool {
        self.iter().any(|role| role.permits(permission))
    }

    /// Is this role one of them?
    pub fn contains(self, role: Role) -> bool {
        self.bits & role.bit() != 0
    }

    /// Has the person no role at all?
    pub fn is_empty(self) -> bool {
        self == Self::NONE
    }

    /// The roles, the mightiest first.
    pub fn iter(self) -> impl Iterator<Item = Role> {
        Role::ALL
            .into_iter()
            .filter(move |role| self.contains(*role))
    }
}

impl FromIterator<Role> for Roles {
    fn from_iter<I: IntoIterator<Item = Role>>(roles: I) -> Self {
        Self {
            bits: roles.into_iter().fold(0, |bits, role| bits | role.bit()),
        }
    }
}

impl From<Role> for Roles {
    fn from(role: Role) -> Self {
        Self { bits: role.bit() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn permits(role: Role, permission: &str) -> bool {
        role.permits(&permission.parse().unwrap())
    }

    #[test]
    fn an_observer_reads_and_does_nothing_else() {
        assert!(permits(Role::Observer, "audit.read"));
        for verb in ["create", "update", "delete"] {
            assert!(!permits(Role::Observer, &format!("volume.{verb}")));
        }
    }

    #[test]
    fn an_operator_provisions_but_removes_nothing_and_leaves_the_system_alone() {
        assert!(permits(Role::Operator, "storage-system.read"));
        for resource in PROVISIONED {
            assert!(permits(Role::Operator, &format!("{resource}.create")));
            assert!(permits(Role::Operator, &format!("{resource}.update")));
            assert!(!permits(Role::Operator, &format!("{resource}.delete")));
        }
        for resource in [
            "storage-system",
            "system-setting",
            "workspace",
            "certificate",
            "volumes",
        ] {
            assert!(!permits(Role::Operator, &format!("{resource}.create")));
            assert!(!permits(Role::Operator, &format!("{resource}.update")));
        }
    }

    #[test]
    fn an_administrator_does_everything() {
        for verb in Verb::ALL {
            assert!(permits(
                Role::Administrator,
                &format!("system-setting.{verb}")
            ));
        }
    }

    #[test]
    fn words_are_read_and_printed() {
        for role in Role::ALL {
            assert_eq!(role.to_string().parse(), Ok(role));
        }
        let error = "Root".parse::<Role>().unwrap_err();
        assert!(
            error
                .to_string()
                .starts_with("`Root` is no role; the roles are administrator")
        );
        assert!("Administrator".parse::<Role>().is_err());
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
            both.iter().collect::<Vec<_>>(),
            [Role::Administrator, Role::Observer]
        );
        assert!(!both.is_empty() && !both.contains(Role::Operator));
        assert_eq!(Roles::from(Role::Operator), roles(&[Role::Operator]));
    }
}
