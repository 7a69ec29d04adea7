//! What each operation of a definition asks of the person behind it, derived from its path and
//! method: hundreds of operations cannot be mapped by hand.
//!
//! | Request | Verb |
//! | --- | --- |
//! | GET, HEAD, OPTIONS, TRACE | read |
//! | POST to a collection | create |
//! | POST to an item or an action, PUT, PATCH | update |
//! | DELETE, and actions that remove things | delete |
//!
//! The resource is the singular of the segment that names the collection, or what [`resource`]
//! calls it when people know it by another name. Does not know who has which role.

use std::collections::BTreeSet;

use hallpass_openapi::Definition;
use http::Method;

use crate::path::{Paths, Place, Target};
use crate::permission::{Permission, Verb};
use crate::roles::Roles;
use crate::singular::{hyphenated, singular};

/// The resource of paths that name none, such as `/` and `/{id}`.
const ROOT: &str = "root";

/// Collections everybody with a role may read: they only tell what one may do oneself (domain.md
/// 4.3).
const FOR_EVERYBODY: [&str; 2] = ["access-controls", "resource-types"];

/// Actions that remove what they act on. Were they updates, an operator, who may delete nothing,
/// could delete with them.
const REMOVING: [&str; 4] = ["delete", "destroy", "purge", "remove"];

/// Collections that are asked by POST what others are asked by GET (domain.md 7.5).
const ASKED_BY_POST: [&str; 1] = ["uninitialized-arrays"];

/// What an operation asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Requirement {
    /// This permission.
    Permission(Permission),
    /// No permission, but some role in the workspace.
    AnyRole,
}

impl Requirement {
    /// May somebody with these roles do it?
    pub fn is_met_by(&self, roles: &Roles) -> bool {
        match self {
            Self::Permission(permission) => roles.permits(permission),
            Self::AnyRole => !roles.is_empty(),
        }
    }
}

/// The requirements of all operations of one definition.
#[derive(Clone, Debug)]
pub struct OperationPermissions {
    /// In the order of the operations.
    requirements: Vec<Requirement>,
}

impl OperationPermissions {
    /// Derives them.
    pub fn derive(definition: &Definition) -> Self {
        let operations = definition.operations().iter();
        Self::of(operations.map(|one| (one.method(), one.path())))
    }

    /// Derives them from the method and the path of every operation of a definition.
    pub fn of<'a>(operations: impl Iterator<Item = (&'a Method, &'a str)> + Clone) -> Self {
        let paths = Paths::of(operations.clone());
        let requirements = operations
            .map(|(method, path)| requirement(method, &paths.target(method, path)))
            .collect();
        Self { requirements }
    }

    /// What the operation with this index in the definition asks for.
    ///
    /// # Panics
    ///
    /// When the index is not of an operation of the definition this was derived from.
    pub fn requirement(&self, operation_index: usize) -> &Requirement {
        &self.requirements[operation_index]
    }

    /// The kinds of resources there are, sorted.
    pub fn resource_types(&self) -> Vec<String> {
        let types: BTreeSet<_> = self.all().map(Permission::resource).collect();
        types.into_iter().map(str::to_owned).collect()
    }

    /// The permissions there are: all that some operation asks for, sorted.
    pub fn permissions(&self) -> Vec<Permission> {
        let permissions: BTreeSet<_> = self.all().collect();
        permissions.into_iter().cloned().collect()
    }

    fn all(&self) -> impl Iterator<Item = &Permission> {
        self.requirements
            .iter()
            .filter_map(|requirement| match requirement {
                Requirement::Permission(permission) => Some(permission),
                Requirement::AnyRole => None,
            })
    }
}

fn requirement(method: &Method, target: &Target<'_>) -> Requirement {
    let collection = target.collection.map(hyphenated).unwrap_or_default();
    let verb = if *method == Method::POST && ASKED_BY_POST.contains(&collection.as_str()) {
        Verb::Read
    } else {
        verb(method, &target.place)
    };
    if verb == Verb::Read && FOR_EVERYBODY.contains(&collection.as_str()) {
        return Requirement::AnyRole;
    }
    Requirement::Permission(Permission::of(resource(&collection).into(), verb))
}

fn verb(method: &Method, place: &Place<'_>) -> Verb {
    match (method.as_str(), place) {
        ("GET" | "HEAD" | "OPTIONS" | "TRACE", _) => Verb::Read,
        ("DELETE", _) => Verb::Delete,
        (_, Place::Action(word)) if REMOVING.contains(word) => Verb::Delete,
        ("POST", Place::Collection) => Verb::Create,
        _ => Verb::Update,
    }
}

/// The word for what a collection holds. The two device families have their own words for the same
/// things (domain.md 1.3), and permissions know one for both.
fn resource(collection: &str) -> String {
    let known = match collection {
        "" => ROOT,
        "applicationsets" | "volume-collections" => "volume-set",
        "audit-events" => "audit",
        "host-groups" => "host-initiator-group",
        "nodes-batteries" => "node-battery",
        "snapsets" | "snapshot-collections" => "snapshot",
        "storage-types" => "storage-system",
        family if is_device_family(family) => "storage-system",
        other => return singular(other),
    };
    known.to_owned()
}

/// `device-type1`, `device-type2` and, in newer definitions, `device-type4`.
fn is_device_family(collection: &str) -> bool {
    let number = collection.strip_prefix("device-type").unwrap_or_default();
    !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests;
