//! A role that an administrator made: a name, a description and a set of permissions.
//!
//! Does not know whose it is or where it is kept.

use crate::name::{self, BadName};
use crate::permission::{Permission, PermissionWordError};
use crate::permission_set::PermissionSet;
use crate::role::Role;

/// Longest name, in characters.
const LONGEST_NAME: usize = 64;

/// Longest description, in characters.
const LONGEST_DESCRIPTION: usize = 500;

/// Most words that a role is made of.
const MOST_WORDS: usize = 1000;

/// A role beside those that are built in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CustomRole {
    name: String,
    description: String,
    permissions: PermissionSet,
}

/// Why something is no role.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CustomRoleError {
    /// The name is no name.
    #[error("the name of a role {0}")]
    BadName(BadName),
    /// The name is that of a role that is there already.
    #[error("`{0}` is a built-in role; give this one another name")]
    BuiltIn(Role),
    /// The description is too long, or has what is not shown.
    #[error("the description of a role {0}")]
    BadDescription(BadName),
    /// It would permit nothing.
    #[error("a role needs at least one permission, such as `volume.read`")]
    NoPermission,
    /// It has too many words.
    #[error("a role has at most {MOST_WORDS} permission words; `volume.*` stands for four")]
    TooManyWords,
    /// A word is no permission.
    #[error(transparent)]
    Word(#[from] PermissionWordError),
}

impl CustomRole {
    /// Makes one. The name is compared without regard to case with those of the built-in roles.
    pub fn new(
        name: &str,
        description: &str,
        permissions: PermissionSet,
    ) -> Result<Self, CustomRoleError> {
        let name = name::name(name, LONGEST_NAME).map_err(CustomRoleError::BadName)?;
        let description = name::text(description, LONGEST_DESCRIPTION);
        let description = description.map_err(CustomRoleError::BadDescription)?;
        if let Ok(role) = name.to_ascii_lowercase().parse() {
            return Err(CustomRoleError::BuiltIn(role));
        }
        if permissions.is_empty() {
            return Err(CustomRoleError::NoPermission);
        }
        if permissions.words().len() > MOST_WORDS {
            return Err(CustomRoleError::TooManyWords);
        }
        Ok(Self {
            name,
            description,
            permissions,
        })
    }

    /// One that was made by the rules of its time and is kept since, whatever the rules are now.
    pub fn kept(name: String, description: String, permissions: PermissionSet) -> Self {
        Self {
            name,
            description,
            permissions,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it is for, in the words of whoever made it.
    pub fn description(&self) -> &str {
        &self.description
    }

    /// What it permits.
    pub fn permissions(&self) -> &PermissionSet {
        &self.permissions
    }

    /// Does this role allow it?
    pub fn permits(&self, permission: &Permission) -> bool {
        self.permissions.permits(permission)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn role(name: &str, description: &str, words: &str) -> Result<CustomRole, CustomRoleError> {
        CustomRole::new(name, description, words.parse()?)
    }

    #[test]
    fn a_role_is_trimmed_and_permits_its_words() {
        let role = role(" Backup ", " nightly ", "snapshot.*").unwrap();
        assert_eq!((role.name(), role.description()), ("Backup", "nightly"));
        assert!(role.permits(&"snapshot.create".parse().unwrap()));
        assert!(!role.permits(&"volume.read".parse().unwrap()));
    }

    #[test]
    fn what_is_no_role_is_refused() {
        let refused = |name: &str, description: &str, words: &str| {
            role(name, description, words).unwrap_err()
        };
        for name in ["", "  ", "a\nb", "ad\u{202e}min", &"x".repeat(65)] {
            let error = refused(name, "", "a.read");
            assert!(matches!(error, CustomRoleError::BadName(_)), "{name}");
        }
        for name in ["observer", "Administrator", " OPERATOR "] {
            let error = refused(name, "", "a.read");
            assert!(matches!(error, CustomRoleError::BuiltIn(_)), "{name}");
        }
        for description in ["a\u{2066}b", &"x".repeat(501)] {
            let error = refused("a", description, "a.read");
            assert!(matches!(error, CustomRoleError::BadDescription(_)));
        }
        assert_eq!(refused("a", "", ""), CustomRoleError::NoPermission);
        assert!(matches!(refused("a", "", "fly"), CustomRoleError::Word(_)));
        let many: Vec<_> = (0..=MOST_WORDS).map(|n| format!("r{n}.read")).collect();
        assert_eq!(
            refused("a", "", &many.join(" ")),
            CustomRoleError::TooManyWords
        );
    }
}
