//! The derivation on a definition made for the purpose, and on the real one where it is present.

use std::path::Path;

use serde_json::{Map, Value, json};

use super::*;
use crate::role::Role;

fn definition(operations: &[(&str, &str)]) -> Definition {
    let mut paths: Map<String, Value> = Map::new();
    for (method, path) in operations {
        let names = path
            .split('{')
            .skip(1)
            .filter_map(|rest| rest.split('}').next());
        let parameters: Vec<_> = names
            .map(|name| json!({"name": name, "in": "path", "required": true, "schema": {"type": "string"}}))
            .collect();
        let operation = json!({
            "operationId": format!("{method} {path}"),
            "parameters": parameters,
            "responses": {"200": {"description": "done"}},
        });
        let item = paths.entry(*path).or_insert_with(|| json!({}));
        item[method.to_ascii_lowercase()] = operation;
    }
    let document =
        json!({"openapi": "3.0.3", "info": {"title": "t", "version": "1"}, "paths": paths});
    Definition::read(&document.to_string()).unwrap().definition
}

/// The requirement of each operation, in words.
fn derived(operations: &[(&str, &str)]) -> Vec<(String, String)> {
    let definition = definition(operations);
    let permissions = OperationPermissions::derive(&definition);
    let words = |operation: &hallpass_openapi::Operation| {
        let word = match permissions.requirement(operation.index()) {
            Requirement::Permission(permission) => permission.to_string(),
            Requirement::AnyRole => "any role".to_owned(),
        };
        (operation.id().to_owned(), word)
    };
    definition.operations().iter().map(words).collect()
}

fn check(expected: &[(&str, &str, &str)]) {
    let operations: Vec<_> = expected
        .iter()
        .map(|(method, path, _)| (*method, *path))
        .collect();
    let derived = derived(&operations);
    assert_eq!(derived.len(), expected.len());
    for (method, path, word) in expected {
        let id = format!("{method} {path}");
        let (_, found) = derived.iter().find(|(found, _)| *found == id).unwrap();
        assert_eq!(found, word, "{id}");
    }
}

#[test]
fn verbs_follow_from_method_and_place() {
    check(&[
        ("GET", "/v1/disks", "disk.read"),
        ("HEAD", "/v1/disks", "disk.read"),
        ("POST", "/v1/disks", "disk.create"),
        ("PUT", "/v1/disks", "disk.update"),
        ("DELETE", "/v1/disks", "disk.delete"),
        ("GET", "/v1/disks/{id}", "disk.read"),
        ("POST", "/v1/disks/{id}", "disk.update"),
        ("PATCH", "/v1/disks/{id}", "disk.update"),
        ("DELETE", "/v1/disks/{id}", "disk.delete"),
        ("POST", "/v1/disks/{id}/export", "disk.update"),
        ("DELETE", "/v1/disks/{id}/lock", "disk.delete"),
        ("POST", "/v1/disks/{id}/actions/locate", "disk.update"),
        ("POST", "/v1/disks/remove", "disk.delete"),
        ("POST", "/v1/disks/{id}/actions/remove-parts", "disk.update"),
        ("GET", "/v1/disks/{id}/usage-history", "usage-history.read"),
        (
            "POST",
            "/v1/uninitialized-arrays",
            "uninitialized-array.read",
        ),
        (
            "POST",
            "/v1/uninitialized-arrays/{id}",
            "uninitialized-array.read",
        ),
        (
            "DELETE",
            "/v1/uninitialized-arrays/{id}",
            "uninitialized-array.delete",
        ),
    ]);
}

#[test]
fn things_with_two_names_have_one_permission() {
    check(&[
        ("GET", "/systems/device-type1", "storage-system.read"),
        ("PUT", "/systems/device-type2/{id}", "storage-system.update"),
        (
            "POST",
            "/systems/device-type4/{id}/actions/merge",
            "storage-system.update",
        ),
        (
            "POST",
            "/systems/device-type1/{id}/applicationsets",
            "volume-set.create",
        ),
        (
            "DELETE",
            "/systems/{id}/volume-collections/{setId}",
            "volume-set.delete",
        ),
        ("GET", "/sets/{id}/snapsets/{snapId}", "snapshot.read"),
        (
            "POST",
            "/sets/{id}/snapshot-collections/remove",
            "snapshot.delete",
        ),
        ("POST", "/volumes/{id}/snapshots", "snapshot.create"),
        (
            "POST",
            "/systems/{id}/host-groups",
            "host-initiator-group.create",
        ),
        ("GET", "/audit-events", "audit.read"),
        ("GET", "/systems/storage-types", "storage-system.read"),
        ("GET", "/systems/device-types", "device-type.read"),
    ]);
}

#[test]
fn what_one_may_do_can_be_read_with_any_role_and_only_read() {
    check(&[
        ("GET", "/api/v1/access-controls", "any role"),
        ("GET", "/api/v1/resource-types", "any role"),
        ("POST", "/api/v1/access-controls", "access-control.create"),
    ]);
    assert!(!Requirement::AnyRole.is_met_by(&Roles::NONE));
    assert!(Requirement::AnyRole.is_met_by(&Role::Observer.into()));
}

#[test]
fn a_requirement_is_met_by_a_role_that_permits_it() {
    let requirement = Requirement::Permission("volume.create".parse().unwrap());
    assert!(requirement.is_met_by(&Role::Operator.into()));
    assert!(!requirement.is_met_by(&Role::Observer.into()));
    assert!(!requirement.is_met_by(&Roles::NONE));
}

#[test]
fn paths_of_any_style_have_a_resource() {
    check(&[
        ("GET", "/", "root.read"),
        ("GET", "/{id}", "root.read"),
        ("GET", "/api/v2/HostGroups", "host-initiator-group.read"),
        ("GET", "/pet_shops/{shop}/kitties", "kitty.read"),
    ]);
}

#[test]
fn types_and_permissions_are_sorted_and_unique() {
    let definition = definition(&[
        ("GET", "/volumes"),
        ("GET", "/volumes/{id}"),
        ("POST", "/volumes"),
        ("GET", "/disks"),
        ("GET", "/access-controls"),
    ]);
    let permissions = OperationPermissions::derive(&definition);
    assert_eq!(permissions.resource_types(), ["disk", "volume"]);
    let words: Vec<_> = permissions
        .permissions()
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(words, ["disk.read", "volume.create", "volume.read"]);
}

/// The definition of the real system, which is not part of this project.
#[test]
fn every_operation_of_the_real_definition_has_a_requirement() {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/storage-api.json");
    let Ok(text) = std::fs::read_to_string(&file) else {
        println!("skipped: {} is absent", file.display());
        return;
    };
    let definition = Definition::read(&text).unwrap().definition;
    let permissions = OperationPermissions::derive(&definition);
    assert_eq!(definition.operations().len(), 349);
    let mut for_everybody = 0;
    for operation in definition.operations() {
        match permissions.requirement(operation.index()) {
            Requirement::AnyRole => for_everybody += 1,
            Requirement::Permission(permission) => {
                let word = permission.to_string();
                let known = word
                    .parse()
                    .is_ok_and(|read: Permission| read == *permission);
                assert!(known, "operation {} asks for {word}", operation.index());
                if *operation.method() == Method::GET {
                    assert_eq!(
                        permission.verb(),
                        Verb::Read,
                        "operation {}",
                        operation.index()
                    );
                }
            }
        }
    }
    assert_eq!(for_everybody, 2);
    let types = permissions.resource_types();
    assert!(
        types
            .iter()
            .all(|word| singular(word) == *word && hyphenated(word) == *word)
    );
    assert!(
        !types
            .iter()
            .any(|word| word == ROOT || word.starts_with("device-type"))
    );
}
