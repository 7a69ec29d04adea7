//! Nobody gives more than they have: what somebody may hand on, and to whom. And nobody takes from somebody
//! who has more.
//!
//! Without this, one permission to give roles would be all of them: also by way of an administrator who was
//! made less, let in by a new link, and made one again by somebody else. The local administrator is nobody
//! and gives what they like.

use hallpass_access::{PermissionSet, Roles};
use hallpass_oauth::ApplicationInstanceId;

use super::{Assignment, PersonError, PersonId, PersonRow, roles_on};
use crate::Store;
use crate::roles::AssignedRole;

/// What somebody may hand on at one instance; `None` is what they have at every one.
pub(crate) fn permissions(
    store: &Store,
    giver: PersonId,
    instance: Option<&ApplicationInstanceId>,
) -> PermissionSet {
    let Some(live) = store.projection.person(giver).filter(|live| live.enabled) else {
        return PermissionSet::default();
    };
    let here = if let Some(instance) = instance {
        roles_on(&live.assigned, instance)
    } else {
        let everywhere = live.assigned.iter().filter(|(on, _)| on.is_none());
        let roles = everywhere.map(|(_, role)| role);
        let built_in: Roles = roles.clone().filter_map(AssignedRole::built_in).collect();
        built_in.with_custom(roles.filter_map(|role| role.custom().cloned()))
    };
    here.permissions()
}

/// Refuses assignments of which one permits what the giver does not have there.
pub(super) fn check(
    store: &Store,
    giver: Option<PersonId>,
    row: &PersonRow,
    assignments: &[Assignment],
) -> Result<(), PersonError> {
    let Some(giver) = giver else { return Ok(()) };
    for (instance, role) in assignments {
        let role = store.projection.assigned_role(&row.workspace, *role)?;
        let own = permissions(store, giver, instance.as_ref());
        let beyond = role.permissions().without(&own);
        if !beyond.is_empty() {
            return Err(PersonError::Beyond(beyond));
        }
    }
    Ok(())
}

/// Refuses to take anything from somebody who may do what the giver may not, somewhere.
pub(crate) fn reaches(
    store: &Store,
    giver: Option<PersonId>,
    row: &PersonRow,
) -> Result<(), PersonError> {
    check(store, giver, row, &row.roles).map_err(|error| match error {
        PersonError::Beyond(more) => PersonError::Above(more),
        other => other,
    })
}
