//! Which of the permissions asked about somebody has: the answer of `access-controls` (domain.md
//! 4.3). Does not know the request or the answer's shape.

use crate::permission::{Permission, PermissionPattern};
use crate::roles::Roles;

/// The permissions among `asked` that these roles have, in the order of the question and each
/// once. A wildcard stands for all of `known` that it covers; nothing asked is everything.
pub fn granted(
    roles: &Roles,
    asked: &[PermissionPattern],
    known: &[Permission],
) -> Vec<Permission> {
    let permitted = |permission: &&Permission| roles.permits(permission);
    if asked.is_empty() {
        return known.iter().filter(permitted).cloned().collect();
    }
    let mut granted = Vec::new();
    for pattern in asked {
        let candidates = pattern.single().map_or_else(
            || {
                known
                    .iter()
                    .filter(|permission| pattern.covers(permission))
                    .cloned()
                    .collect()
            },
            |permission| vec![permission],
        );
        for permission in candidates {
            if roles.permits(&permission) && !granted.contains(&permission) {
                granted.push(permission);
            }
        }
    }
    granted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::role::Role;

    fn answer(roles: impl Into<Roles>, asked: &[&str]) -> Vec<String> {
        let known = [
            "disk.read",
            "disk.update",
            "volume.create",
            "volume.delete",
            "volume.read",
        ];
        let known: Vec<_> = known.iter().map(|word| word.parse().unwrap()).collect();
        let asked: Vec<_> = asked.iter().map(|word| word.parse().unwrap()).collect();
        granted(&roles.into(), &asked, &known)
            .iter()
            .map(ToString::to_string)
            .collect()
    }

    #[test]
    fn a_question_is_answered_with_what_one_has_of_it() {
        let asked = [
            "volume.delete",
            "volume.create",
            "port.read",
            "data-services.volume.create",
        ];
        assert_eq!(
            answer(Role::Operator, &asked),
            ["volume.create", "port.read"]
        );
        assert_eq!(answer(Role::Observer, &asked), ["port.read"]);
        assert_eq!(
            answer(Role::Administrator, &asked),
            ["volume.delete", "volume.create", "port.read"]
        );
        assert!(answer(Roles::NONE, &asked).is_empty());
    }

    #[test]
    fn wildcards_stand_for_what_is_known() {
        assert_eq!(
            answer(Role::Observer, &["ANY.read"]),
            ["disk.read", "volume.read"]
        );
        assert_eq!(
            answer(Role::Operator, &["ALL.create", "ALL.update"]),
            ["volume.create"]
        );
        assert_eq!(
            answer(Role::Operator, &["volume.*"]),
            ["volume.create", "volume.read"]
        );
        assert_eq!(
            answer(Role::Observer, &["volume.read", "ANY.read"]),
            ["volume.read", "disk.read"]
        );
    }

    #[test]
    fn without_a_question_everything_one_has_is_told() {
        assert_eq!(
            answer(Role::Operator, &[]),
            ["disk.read", "volume.create", "volume.read"]
        );
        assert_eq!(answer(Role::Administrator, &[]).len(), 5);
        assert!(answer(Roles::NONE, &[]).is_empty());
    }
}
