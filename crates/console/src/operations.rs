//! The operations that people may or may not do, with what each asks for: those of the loaded
//! definition, and those of the platform, which are the console's own.
//!
//! The console decides about none of the first: the resource server derives the same requirements
//! from the same definition, and asks for them on every call.

use std::collections::{BTreeMap, BTreeSet};

use hallpass_access::platform::SANDBOX_UPDATE;
use hallpass_access::{OperationPermissions, Permission, Requirement};
use hallpass_openapi::Definition;
use serde_json::Value;

/// The operations of one API.
pub(crate) struct Operations(Vec<Listed>);

/// An operation and what it asks for.
pub(crate) struct Listed {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) id: String,
    pub(crate) requirement: Requirement,
    /// Whether somebody signed in does it to what is their own with any role.
    pub(crate) own: bool,
}

impl Operations {
    /// Those of a definition.
    pub(crate) fn of(definition: &Definition) -> Self {
        let permissions = OperationPermissions::derive(definition);
        let operations = definition.operations().iter().enumerate();
        let listed = operations.map(|(index, operation)| Listed {
            method: operation.method().to_string(),
            path: operation.path().to_owned(),
            id: operation.id().to_owned(),
            requirement: permissions.requirement(index).clone(),
            own: false,
        });
        Self(listed.collect())
    }

    /// Those of the platform, as the console's own document declares them.
    pub(crate) fn of_platform() -> Self {
        let document = serde_json::to_value(crate::document::document("")).unwrap_or_default();
        let paths = document["paths"].as_object().cloned().unwrap_or_default();
        let operations = paths.iter().flat_map(|(path, item)| {
            let methods = item.as_object().into_iter().flatten();
            methods.filter_map(move |(method, operation)| declared(method, path, operation))
        });
        Self(operations.collect())
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Listed> {
        self.0.iter()
    }

    /// The operations by the resource they are about.
    pub(crate) fn by_resource(&self) -> BTreeMap<&str, Vec<&Listed>> {
        let mut groups: BTreeMap<&str, Vec<&Listed>> = BTreeMap::new();
        for operation in &self.0 {
            groups
                .entry(operation.resource())
                .or_default()
                .push(operation);
        }
        groups
    }
}

impl Listed {
    /// What it is about.
    pub(crate) fn resource(&self) -> &str {
        self.permission()
            .map_or("for every role", Permission::resource)
    }

    /// The permission it asks for; `None`: any role is enough.
    pub(crate) fn permission(&self) -> Option<&Permission> {
        match &self.requirement {
            Requirement::Permission(permission) => Some(permission),
            Requirement::AnyRole => None,
        }
    }

    /// What it asks for, in words.
    pub(crate) fn asks_for(&self) -> String {
        let permission = self.permission().map(ToString::to_string);
        permission.unwrap_or_else(|| "any role".to_owned())
    }

    /// Whether a text occurs in what is shown of it.
    pub(crate) fn is_found_by(&self, text: &str) -> bool {
        let shown = [&self.method, &self.path, &self.id, &self.asks_for()];
        let shown = shown.map(|one| one.to_lowercase()).join(" ");
        let text = text.to_lowercase();
        text.split_whitespace().all(|word| shown.contains(word))
    }
}

/// All permissions that some operation asks for, and those that no definition has.
pub(crate) fn permissions<'a>(
    operations: impl IntoIterator<Item = &'a Operations>,
) -> BTreeSet<Permission> {
    let all = operations.into_iter().flat_map(Operations::iter);
    let asked = all.filter_map(|one| one.permission().cloned());
    asked.chain([SANDBOX_UPDATE]).collect()
}

fn declared(method: &str, path: &str, operation: &Value) -> Option<Listed> {
    let id = operation["operationId"].as_str()?;
    let schemes = operation["security"].as_array().into_iter().flatten();
    let in_session = schemes.clone().find_map(|one| one["session"].as_array());
    let mut tokens = schemes
        .filter_map(|scheme| scheme["token"].as_array())
        .peekable();
    // What no token does is one's own: no role gives it.
    tokens.peek()?;
    let words = tokens.flatten();
    let mut permissions = words.filter_map(|word| word.as_str()?.parse().ok());
    let requirement = permissions
        .next()
        .map_or(Requirement::AnyRole, Requirement::Permission);
    Some(Listed {
        own: requirement != Requirement::AnyRole && in_session.is_some_and(Vec::is_empty),
        method: method.to_uppercase(),
        path: path.to_owned(),
        id: id.to_owned(),
        requirement,
    })
}
