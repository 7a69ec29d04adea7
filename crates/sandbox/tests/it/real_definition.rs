//! The same rules with the service's own definition, when it is at hand.

use std::path::Path;
use std::sync::Arc;

use hallpass_openapi::{Definition, Fill};
use hallpass_sandbox::Settings;
use http::Method;

use crate::world::World;

/// Not all example bodies can be: some name host groups that no parameter has for an example.
const WITH_EXAMPLE_BODIES: [&str; 7] = [
    "VolumeCreate",
    "VolumeSnapshotCreate",
    "DeviceType1PromoteSnapshot",
    "DeviceType1PromoteCloneVolume",
    "DeviceType1ResyncCloneVolume",
    "DeviceType1VolumeSetsCreate",
    "DeviceType1VolumeSetsSnapshotCreate",
];

#[test]
fn its_examples_are_living_ids_and_its_schemas_are_kept() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/storage-api.json");
    let Ok(text) = std::fs::read_to_string(&path) else {
        println!("skipped: {} is not there", path.display());
        return;
    };
    let definition = Arc::new(Definition::read(&text).unwrap().definition);
    let mut world = World::with(Arc::clone(&definition), Settings::default());
    let examples = world.examples();
    assert_eq!(examples.len(), 108);
    for (method, id, path) in examples {
        if method == Method::GET {
            let (status, body) = world.get(&path);
            assert_eq!(status, 200, "{id}: {body}");
        }
        World::with(Arc::clone(&definition), Settings::default()).change(&method, &id, &path);
        if WITH_EXAMPLE_BODIES.contains(&id.as_str()) {
            let operation = definition.operation(&id).unwrap();
            let body = definition.example_body(operation, Fill::Shown).unwrap();
            let mut world = World::with(Arc::clone(&definition), Settings::default());
            let answer = world.send(&method, &path, Some(&body.to_string()));
            assert_eq!(world.done(answer)["state"], "SUCCEEDED", "{id}: {body}");
        }
    }
}
