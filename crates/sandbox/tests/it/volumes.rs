//! Volumes of device-type1: what may be created and edited, and what it does to the pools.

use serde_json::{Value, json};

use crate::world::{SYSTEM, VOLUME, World, names};

fn volumes() -> String {
    format!("storage-systems/device-type1/{SYSTEM}/volumes")
}

fn new(name: &str, size: u64) -> Value {
    json!({"name": name, "sizeMib": size, "userCpg": "SSD_r6"})
}

fn pool(world: &mut World, name: &str) -> Value {
    let path = format!("storage-systems/device-type1/{SYSTEM}/storage-pools?filter=name eq {name}");
    let (_, list) = world.get(&path);
    list["items"][0].clone()
}

#[test]
fn a_created_volume_is_the_same_everywhere() {
    let mut world = World::new();
    let answer = world.post(&volumes(), &new("nightly", 2048));
    world.done(answer);
    let (_, device) = world.get(&format!("{}?filter=name eq nightly", volumes()));
    let id = device["items"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(id.len(), 32);
    let (_, fleet) = world.get(&format!("volumes/{id}"));
    let (_, system) = world.get(&format!(
        "storage-systems/{SYSTEM}/volumes?filter=id eq {id}"
    ));
    let (_, single) = world.get(&format!("{}/{id}", volumes()));
    for view in [&fleet, &system["items"][0], &single, &device["items"][0]] {
        assert_eq!(
            (&view["name"], &view["sizeMiB"]),
            (&json!("nightly"), &json!(2048))
        );
        assert_eq!(view["wwn"], fleet["wwn"]);
    }
    let wwn = fleet["wwn"].as_str().unwrap();
    assert!(wwn.len() == 32 && wwn.starts_with("60002AC0"));
    assert_eq!(fleet["healthState"], "NORMAL");
    assert_eq!(single["healthState"], 1);
}

#[test]
fn several_volumes_are_numbered() {
    let mut world = World::new();
    // Strings where numbers are wanted, as one client sends them.
    let body = json!({"name": "many", "sizeMib": "16384", "userCpg": "SSD_r6", "count": "3"});
    let answer = world.post(&volumes(), &body);
    let task = world.done(answer);
    assert_eq!(task["associatedResources"].as_array().unwrap().len(), 3);
    let (_, list) = world.get("volumes?filter=startswith(name,'many')&sort=name");
    assert_eq!(names(&list), ["many.0", "many.1", "many.2"]);
    let (_, list) = world.get(&format!("{}?filter=startswith(name,'many')", volumes()));
    let numbers: Vec<i64> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|v| v["volumeId"].as_i64().unwrap())
        .collect();
    assert!(
        numbers.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "{numbers:?}"
    );
}

#[test]
fn strict_reading_refuses_strings_for_numbers() {
    let settings = hallpass_sandbox::Settings {
        strict: true,
        ..Default::default()
    };
    let mut world = World::with(crate::world::definition(), settings);
    let body = json!({"name": "v", "sizeMib": "16384", "userCpg": "SSD_r6"});
    let (status, answer) = world.post(&volumes(), &body);
    assert_eq!(status, 400);
    assert!(
        answer["error"].as_str().unwrap().contains("sizeMib"),
        "{answer}"
    );
}

#[test]
fn a_creation_that_cannot_be_is_refused_in_words() {
    let mut world = World::new();
    let (_, existing) = world.get(&format!("volumes/{VOLUME}"));
    for (body, word) in [
        (json!({"name": "v", "sizeMib": 1}), "userCpg"),
        (
            json!({"name": "v", "sizeMib": 0, "userCpg": "SSD_r6"}),
            "sizeMib",
        ),
        (
            json!({"name": "v", "sizeMib": 1.5, "userCpg": "SSD_r6"}),
            "sizeMib",
        ),
        (
            json!({"name": " ", "sizeMib": 1, "userCpg": "SSD_r6"}),
            "name",
        ),
        (
            json!({"name": "v", "sizeMib": 1, "userCpg": "nope"}),
            "SSD_r1, NL_r6",
        ),
        (
            json!({"name": "v", "sizeMib": 1, "userCpg": "SSD_r6", "snapCpg": "x"}),
            "no pool named x",
        ),
        (
            json!({"name": "v", "sizeMib": 1, "userCpg": "SSD_r6", "count": 0}),
            "count",
        ),
        (
            json!({"name": "v", "sizeMib": 1, "userCpg": "SSD_r6", "count": 1_000_000}),
            "count",
        ),
        (
            json!({"name": existing["name"], "sizeMib": 1, "userCpg": "SSD_r6"}),
            "already",
        ),
        (json!([1]), "object"),
    ] {
        let (status, answer) = world.post(&volumes(), &body);
        assert_eq!(
            (status, &answer["errorCode"]),
            (400, &json!("BAD_REQUEST")),
            "{body}"
        );
        let error = answer["error"].as_str().unwrap();
        assert!(error.contains(word), "{body}: {error}");
    }
    for text in [None, Some(""), Some("{")] {
        let (status, _) = world.send(&http::Method::POST, &volumes(), text);
        assert_eq!(status, 400);
    }
}

#[test]
fn names_are_unique_within_a_system_only() {
    let mut world = World::new();
    let (_, systems) = world.get("storage-systems/device-type1");
    let other = systems["items"][1]["id"].as_str().unwrap();
    for system in [SYSTEM, other] {
        let path = format!("storage-systems/device-type1/{system}/volumes");
        let answer = world.post(&path, &new("twin", 1));
        assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    }
    let (_, twins) = world.get("volumes?filter=name eq twin");
    assert_eq!(twins["total"], 2);
}

#[test]
fn the_numbers_of_the_pools_add_up() {
    let mut world = World::new();
    let before = pool(&mut world, "SSD_r6");
    let answer = world.post(&volumes(), &new("v", 10_000));
    world.done(answer);
    let after = pool(&mut world, "SSD_r6");
    let number = |pool: &Value, field: &str| pool[field].as_f64().unwrap();
    let grown = number(&after, "totalReservedMiB") - number(&before, "totalReservedMiB");
    assert!((grown - 10_000.0).abs() < 0.1);
    assert!((number(&after, "numberOfTPVV") - number(&before, "numberOfTPVV") - 1.0).abs() < 0.1);

    let (_, list) = world.get(&format!("{}?limit=1000", volumes()));
    let mine: Vec<&Value> = list["items"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|volume| volume["userCpgName"] == "SSD_r6")
        .collect();
    let sum = |field: &str| {
        mine.iter()
            .map(|volume| volume[field].as_f64().unwrap())
            .sum::<f64>()
    };
    assert!((sum("sizeMiB") - number(&after, "totalReservedMiB")).abs() < 0.1);
    assert!((sum("usedSizeMiB") - number(&after, "baseSizeMiB")).abs() < 0.1);
    let total = number(&after, "baseSizeMiB") + number(&after, "freeSizeMiB");
    assert!((total - number(&after, "totalSizeMiB")).abs() < 0.1);
    let (_, fleet) = world.get(&format!(
        "storage-systems/{SYSTEM}/storage-pools/{}",
        after["id"].as_str().unwrap()
    ));
    assert!((number(&fleet, "capacityUsed") - number(&after, "baseSizeMiB")).abs() < 0.1);
}

#[test]
fn an_edit_changes_what_was_sent_and_nothing_else() {
    let mut world = World::new();
    let path = format!("{}/{VOLUME}", volumes());
    let (_, before) = world.get(&path);
    let body = json!({"name": "renamed", "userCpgName": "NL_r6", "sizeMib": 1_000_000, "dataReduction": false});
    let answer = world.put(&path, &body);
    let (_, during) = world.get(&path);
    assert_eq!(during["name"], before["name"]);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let (_, after) = world.get(&path);
    assert_eq!(after["name"], "renamed");
    assert_eq!(after["userCpgName"], "NL_r6");
    assert_eq!(after["sizeMiB"], 1_000_000);
    assert_eq!(after["dataReduction"], "NO");
    for same in [
        "id",
        "wwn",
        "usedSizeMiB",
        "userAllocWarning",
        "volumeId",
        "creationTime",
    ] {
        assert_eq!(after[same], before[same], "{same}");
    }
    assert!(after["generation"].as_i64() > before["generation"].as_i64());
    let (_, found) = world.get("volumes?filter=name eq renamed");
    assert_eq!(found["total"], 1);
}

#[test]
fn an_edit_that_cannot_be_is_refused() {
    let mut world = World::new();
    let path = format!("{}/{VOLUME}", volumes());
    let (_, list) = world.get(&volumes());
    let taken = &list["items"]
        .as_array()
        .unwrap()
        .iter()
        .find(|v| v["id"] != VOLUME)
        .unwrap()["name"];
    for (body, word) in [
        (json!({"sizeMib": 1}), "only grow"),
        (json!({"sizeMib": -5}), "sizeMib"),
        (json!({"name": taken}), "already"),
        (json!({"name": ""}), "name"),
        (json!({"userCpgName": "nope"}), "no pool"),
    ] {
        let (status, answer) = world.put(&path, &body);
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"].as_str().unwrap().contains(word), "{answer}");
    }
    let (_, before) = world.get(&path);
    let answer = world.put(&path, &json!({"name": before["name"]}));
    assert_eq!(
        world.done(answer)["state"],
        "SUCCEEDED",
        "its own name is no obstacle"
    );
}

#[test]
fn an_exported_volume_is_deleted_only_with_un_export() {
    let mut world = World::new();
    let (_, list) = world.get("volumes");
    let items = list["items"].as_array().unwrap();
    let of_type1 = items.iter().filter(|v| v["productFamily"] == "deviceType1");
    let mut exported = of_type1.filter(|v| v["initiators"] != json!([]));
    let exported = exported.next_back().unwrap();
    let path = format!(
        "storage-systems/device-type1/{}/volumes/{}",
        exported["systemId"].as_str().unwrap(),
        exported["id"].as_str().unwrap()
    );
    let (status, answer) = world.delete(&path);
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("unExport"));
    let (status, _) = world.delete(&format!("{path}?unExport=perhaps"));
    assert_eq!(status, 400);
    let answer = world.delete(&format!("{path}?unExport=true"));
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    assert_eq!(world.get(&path).0, 404);
}

#[test]
fn volumes_of_one_system_are_not_found_on_another() {
    let mut world = World::new();
    let (_, systems) = world.get("storage-systems/device-type1");
    let other = systems["items"][1]["id"].as_str().unwrap();
    let (status, _) = world.get(&format!(
        "storage-systems/device-type1/{other}/volumes/{VOLUME}"
    ));
    assert_eq!(status, 404);
}
