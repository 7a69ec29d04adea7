//! Snapshots of device-type1: their names, how long they live, and what they keep.

use serde_json::{Value, json};

use crate::world::{SYSTEM, VOLUME, World};

fn volume() -> String {
    format!("storage-systems/device-type1/{SYSTEM}/volumes/{VOLUME}")
}

fn snapshots() -> String {
    format!("{}/snapshots", volume())
}

/// Makes a snapshot, and gives it back as it is shown.
fn made(world: &mut World, body: &Value) -> Value {
    let answer = world.post(&snapshots(), body);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let (_, list) = world.get(&snapshots());
    list["items"].as_array().unwrap().last().unwrap().clone()
}

fn custom(name: &str) -> Value {
    json!({"namePattern": "CUSTOM", "customName": name})
}

#[test]
fn a_snapshot_is_named_by_its_pattern_and_numbered_among_the_volumes() {
    let mut world = World::new();
    let (_, parent) = world.get(&volume());
    let by_date = made(&mut world, &json!({"namePattern": "PARENT_TIMESTAMP"}));
    assert_eq!(by_date["name"], "vol-1-0_240301120001");
    let by_seconds = made(
        &mut world,
        &json!({"namePattern": "PARENT_SEC_SINCE_EPOCH"}),
    );
    let seconds = world.now.as_second();
    assert_eq!(by_seconds["name"], format!("vol-1-0_{seconds}"));
    let mine = made(&mut world, &custom("mine"));
    assert_eq!(mine["name"], "mine");
    assert_eq!(mine["parentID"], parent["volumeId"]);
    assert_eq!(mine["sizeMiB"], parent["sizeMiB"]);
    assert_ne!(mine["snapshotId"], by_date["snapshotId"]);
    let id = mine["id"].as_str().unwrap();
    let (status, one) = world.get(&format!("{}/{id}", snapshots()));
    assert_eq!((status, &one["name"]), (200, &json!("mine")));
    assert_eq!(one["retentionTime"], Value::Null);
}

#[test]
fn a_snapshot_that_cannot_be_is_refused_in_words() {
    let mut world = World::new();
    for (body, word) in [
        (json!({}), "namePattern"),
        (json!({"namePattern": "OTHER"}), "namePattern"),
        (json!({"namePattern": null}), "namePattern"),
        (json!({"namePattern": "CUSTOM"}), "customName"),
        (json!({"namePattern": "CUSTOM", "customName": " "}), "name"),
        (
            json!({"namePattern": "CUSTOM", "customName": "vol-1-1"}),
            "already",
        ),
        (
            json!({"namePattern": "PARENT_TIMESTAMP", "expireSecs": -1}),
            "expireSecs",
        ),
        (
            json!({"namePattern": "PARENT_TIMESTAMP", "retainSecs": i64::MAX}),
            "retainSecs",
        ),
    ] {
        let (status, answer) = world.post(&snapshots(), &body);
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"].as_str().unwrap().contains(word), "{answer}");
    }
}

#[test]
fn a_snapshot_goes_by_the_clock() {
    let mut world = World::new();
    let body = json!({"namePattern": "CUSTOM", "customName": "short", "expireSecs": 60});
    let snapshot = made(&mut world, &body);
    let expires = snapshot["expirationTime"]["ms"].as_i64().unwrap();
    assert_eq!(expires, world.now.as_millisecond() + 60_000);
    world.later(59_999);
    assert_eq!(world.get(&snapshots()).1["total"], 1);
    world.later(1);
    assert_eq!(world.get(&snapshots()).1["total"], 0);
}

#[test]
fn a_retained_snapshot_does_not_go_before_its_time() {
    let mut world = World::new();
    let body = json!({"namePattern": "PARENT_TIMESTAMP", "expireSecs": 10, "retainSecs": 20});
    made(&mut world, &body);
    world.later(19_999);
    assert_eq!(world.get(&snapshots()).1["total"], 1);
    world.later(1);
    assert_eq!(world.get(&snapshots()).1["total"], 0);
}

#[test]
fn a_retained_snapshot_cannot_be_deleted_until_its_time_is_over() {
    let mut world = World::new();
    let body = json!({"namePattern": "CUSTOM", "customName": "kept", "retainSecs": 60});
    let snapshot = made(&mut world, &body);
    let path = format!("{}/{}", snapshots(), snapshot["id"].as_str().unwrap());
    for refused in [
        world.delete(&path),
        world.delete(&format!("{path}?force=true")),
        world.delete(&format!("{}?cascade=true", volume())),
    ] {
        assert_eq!(refused.0, 400);
        assert!(refused.1["error"].as_str().unwrap().contains("retained"));
    }
    world.later(60_000);
    let answer = world.delete(&path);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    assert_eq!(world.get(&path).0, 404);
}

#[test]
fn a_volume_with_snapshots_is_deleted_only_with_cascade() {
    let mut world = World::new();
    let snapshot = made(&mut world, &custom("mine"));
    let (status, answer) = world.delete(&volume());
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("cascade"));
    let answer = world.delete(&format!("{}?cascade=true", volume()));
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let id = snapshot["id"].as_str().unwrap();
    assert_eq!(world.get(&format!("{}/{id}", snapshots())).0, 404);
    let path = format!("storage-systems/device-type1/{SYSTEM}/volumes");
    let body = json!({"name": "mine", "sizeMib": 1, "userCpg": "SSD_r6"});
    let answer = world.post(&path, &body);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED", "its name is free");
}

#[test]
fn a_snapshot_made_while_its_volume_is_deleted_keeps_one_of_both_out() {
    let mut world = World::new();
    let deletion = world.delete(&volume());
    let late = world.post(&snapshots(), &custom("late"));
    assert_eq!(world.done(deletion)["state"], "SUCCEEDED");
    assert_eq!(world.done(late)["state"], "FAILED");

    let mut world = World::new();
    let early = world.post(&snapshots(), &custom("early"));
    let deletion = world.delete(&volume());
    assert_eq!(world.done(early)["state"], "SUCCEEDED");
    assert_eq!(world.done(deletion)["state"], "FAILED");
}

#[test]
fn promoting_is_for_the_volume_itself_and_takes_nothing_from_its_size() {
    let mut world = World::new();
    let (_, before) = world.get(&volume());
    let snapshot = made(&mut world, &custom("mine"));
    let path = format!("{}/{}", snapshots(), snapshot["id"].as_str().unwrap());
    let answer = world.put(&volume(), &json!({"sizeMib": 1_000_000}));
    world.done(answer);
    let (status, answer) = world.post(&path, &json!({"target": "vol-1-1"}));
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("vol-1-0"));
    let answer = world.post(
        &path,
        &json!({"target": "vol-1-0", "pri": "PRIORITYTYPE_HIGH"}),
    );
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let (_, after) = world.get(&volume());
    assert_eq!(after["sizeMiB"], 1_000_000);
    assert_eq!(after["usedSizeMiB"], before["usedSizeMiB"]);
    assert!(after["generation"].as_i64() > before["generation"].as_i64());
}
