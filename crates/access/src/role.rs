//! The roles that are built in, and what each is allowed.
//!
//! The real system's roles have names only; what they allow is our reading of them (domain.md
//! 4.1). Those that administrators make are in [`CustomRole`](crate::CustomRole).

use std::fmt;
use std::str::FromStr;

use crate::permission::{Permission, PermissionPattern, Verb};
use crate::permission_set::PermissionSet;
use crate::platform;

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

    /// All that it permits, as one could make a role of one's own of.
    pub fn permissions(self) -> PermissionSet {
        let provisioned = PROVISIONED.iter().flat_map(|resource| {
            let verbs = [Verb::Create, Verb::Update].into_iter();
            verbs.map(|verb| PermissionPattern::of(Some(*resource), Some(verb)))
        });
        let everywhere = |verb: Option<Verb>| {
            let named = platform::RESOURCES.into_iter().map(Some);
            let all = [None].into_iter().chain(named);
            all.map(move |resource| PermissionPattern::of(resource, verb))
        };
        match self {
            Self::Administrator => everywhere(None).collect(),
            Self::Operator => provisioned.chain(everywhere(Some(Verb::Read))).collect(),
            Self::Observer => everywhere(Some(Verb::Read)).collect(),
        }
    }

    pub(crate) const fn bit(self) -> u8 {
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
    fn the_set_of_a_role_says_what_the_role_does() {
        for role in Role::ALL {
            let set = role.permissions();
            for resource in PROVISIONED
                .into_iter()
                .chain(["disk"])
                .chain(platform::RESOURCES)
            {
                for verb in Verb::ALL {
                    let permission = format!("{resource}.{verb}").parse().unwrap();
                    let same = set.permits(&permission) == role.permits(&permission);
                    assert!(same, "{role}: {permission}");
                }
            }
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
}
