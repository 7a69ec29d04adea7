//! The project's own definition, and how the seed fits it.

use hallpass_openapi::{Definition, Severity};
use hallpass_sandbox::{Level, Settings};
use http::Method;
use serde_json::json;

use crate::world::{World, definition};

#[test]
fn the_definition_has_nothing_wrong_but_what_its_paths_bring() {
    let reading = Definition::read(include_str!("../../../../api/storage-api.yaml")).unwrap();
    let problems: Vec<String> = reading
        .problems
        .iter()
        .filter(|problem| problem.severity != Severity::Note)
        // The paths are the real system's: a literal segment goes before a parameter there.
        .filter(|problem| problem.rule != "path-ambiguous")
        // So are the operation ids, and two of them differ in the case of a letter.
        .filter(|problem| problem.rule != "operation-id-case")
        .map(|p| {
            format!(
                "{}:{} {} {} ({})",
                p.line, p.column, p.pointer, p.message, p.rule
            )
        })
        .collect();
    assert!(problems.is_empty(), "{problems:#?}");
}

#[test]
fn filterable_and_sortable_are_the_attributes_that_the_facts_name() {
    let definition = definition();
    let filterable = |name: &str| {
        let mut marks = definition
            .marks(definition.operation(name).unwrap())
            .filterable;
        marks.sort();
        marks
    };
    assert_eq!(
        filterable("SystemsList"),
        ["model", "name", "softwareVersion", "state"]
    );
    assert_eq!(
        filterable("VolumesList"),
        [
            "healthState",
            "hostWrittenCapacityMiB",
            "id",
            "isInternal",
            "isSystemVolume",
            "name",
            "sizeMiB",
            "systemId",
            "usedCapacityPercent"
        ]
    );
    assert_eq!(
        filterable("HostList"),
        ["editStatus", "id", "name", "operatingSystem", "systems"]
    );
    assert_eq!(
        filterable("DeviceType1VolumesList"),
        [
            "devType",
            "generation",
            "healthState",
            "hostWrittenMiB",
            "id",
            "name",
            "parentID",
            "sizeMiB",
            "usedCapacity",
            "userCpgID",
            "wwn"
        ]
    );
    let sortable = definition
        .marks(definition.operation("HostList").unwrap())
        .sortable;
    assert_eq!(sortable, ["name"]);
}

#[test]
fn all_but_histories_and_what_the_server_knows_itself_have_rules_of_their_own() {
    let world = World::new();
    let others: Vec<&str> = world
        .definition
        .operations()
        .iter()
        .filter(|operation| world.sandbox.level(operation) != Level::Stateful)
        .map(hallpass_openapi::Operation::id)
        .collect();
    assert_eq!(
        others,
        [
            "DeviceType1SystemCapacityHistoryGet",
            "DeviceType1SystemPerformanceHistoryGet",
            "DeviceType1VolumeCapacityHistoryGetById",
            "DeviceType1VolumePerformanceHistoryGetById",
            "AuditEventsGet",
            "get_access_controls",
            "get_resource_types"
        ]
    );
}

#[test]
fn every_read_answers_200_to_its_examples() {
    let mut world = World::new();
    for (method, id, path) in world.examples() {
        if method == Method::GET {
            let (status, body) = world.get(&path);
            assert_eq!(status, 200, "{id}: {body}");
        }
    }
}

#[test]
fn every_change_is_accepted_with_its_examples() {
    for (method, id, path) in World::new().examples() {
        World::new().change(&method, &id, &path);
    }
}

#[test]
fn ids_that_nobody_has_are_not_found() {
    let mut world = World::new();
    let mut tried = 0;
    for (method, id, path) in world.examples() {
        let template = world.definition.operation(&id).unwrap().path().to_owned();
        let template = template.trim_start_matches("/api/v1/").split('/');
        let holes: Vec<usize> = template
            .enumerate()
            .filter(|(_, segment)| segment.starts_with('{'))
            .map(|(index, _)| index)
            .collect();
        for hole in holes {
            let mut wrong: Vec<&str> = path.split('/').collect();
            wrong[hole] = "no-such-id";
            let body = json!({"name": "n", "sizeMib": 1, "userCpg": "SSD_r6"}).to_string();
            let (status, body) = world.send(&method, &wrong.join("/"), Some(&body));
            assert_eq!(
                (status, &body["errorCode"]),
                (404, &json!("NOT_FOUND")),
                "{id}"
            );
            tried += 1;
        }
    }
    assert!(tried > 70);
}

#[test]
fn the_seed_follows_from_its_number() {
    let world = World::new();
    assert_eq!(world.sandbox.seed(1, world.now), world.state);
    assert_ne!(world.sandbox.seed(2, world.now), world.state);
    assert_eq!(world.state.next_due(), None);
}

#[test]
fn the_seed_makes_as_many_volumes_as_were_asked_for() {
    let settings = Settings {
        volumes: 1001,
        ..Settings::default()
    };
    let mut world = World::with(definition(), settings);
    let (_, list) = world.get("volumes?limit=1&filter=startswith(name,'vol-')");
    assert_eq!(list["total"], 1001);
}

#[test]
fn rules_and_state_can_be_shared_between_threads() {
    fn shared<T: Send + Sync>() {}
    shared::<hallpass_sandbox::Sandbox>();
    shared::<hallpass_sandbox::State>();
}
