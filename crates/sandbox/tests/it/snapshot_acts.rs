//! What is done with device-type1 snapshots: exported, withdrawn, and copied to volumes.

use serde_json::{Value, json};

use crate::world::{SYSTEM, VOLUME, World, names};

fn volume() -> String {
    format!("storage-systems/device-type1/{SYSTEM}/volumes/{VOLUME}")
}

/// A new snapshot, and its id.
fn made(world: &mut World, more: &Value) -> String {
    let mut body = json!({"namePattern": "CUSTOM", "customName": "mine"});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    let answer = world.post(&format!("{}/snapshots", volume()), &body);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    newest(world)
}

/// The id of the snapshot that was made last.
fn newest(world: &mut World) -> String {
    let (_, list) = world.get(&format!("{}/snapshots", volume()));
    let last = list["items"].as_array().unwrap().last().unwrap();
    last["id"].as_str().unwrap().to_owned()
}

fn act(world: &mut World, id: &str, what: &str, body: &Value) -> Value {
    let path = format!("storage-systems/device-type1/{SYSTEM}/snapshots/{id}/{what}");
    let answer = world.post(&path, body);
    world.done(answer)
}

/// Why it is not done.
fn refused(world: &mut World, id: &str, what: &str, body: &Value) -> String {
    let path = format!("storage-systems/device-type1/{SYSTEM}/snapshots/{id}/{what}");
    let (status, answer) = world.post(&path, body);
    assert_eq!(status, 400);
    answer["error"].as_str().unwrap().to_owned()
}

fn initiators(world: &mut World, id: &str) -> Value {
    let (_, one) = world.get(&format!("{}/snapshots/{id}", volume()));
    one["initiators"].clone()
}

/// The VLUNs that are kept for snapshots.
fn kept(world: &World) -> usize {
    let state = serde_json::to_value(&world.state).unwrap();
    let vluns = state["collections"]["vluns"].as_array().unwrap();
    vluns
        .iter()
        .filter(|vlun| vlun[1]["ofSnapshot"].is_string())
        .count()
}

#[test]
fn a_snapshot_is_reached_by_host_groups_and_its_volume_is_not() {
    let mut world = World::new();
    let id = made(&mut world, &json!({}));
    let groups = json!({"hostGroupIds": [world.group()], "autoLun": true});
    assert_eq!(initiators(&mut world, &id), json!([]));
    assert_eq!(
        act(&mut world, &id, "export", &groups)["displayName"],
        "Export snapshot mine"
    );
    assert_eq!(
        initiators(&mut world, &id)[0]["id"],
        groups["hostGroupIds"][0]
    );
    assert_eq!(world.get(&format!("{}/vluns", volume())).1["total"], 0);
    assert_eq!(world.get(&volume()).1["initiators"], json!([]));
    let told = refused(&mut world, &id, "export", &groups);
    assert!(told.starts_with("the snapshot mine is exported"), "{told}");
    assert_eq!(
        act(&mut world, &id, "un-export", &groups)["state"],
        "SUCCEEDED"
    );
    assert_eq!(initiators(&mut world, &id), json!([]));
    let told = refused(&mut world, &id, "un-export", &groups);
    assert!(
        told.starts_with("the snapshot mine is not exported"),
        "{told}"
    );
}

#[test]
fn the_exports_of_a_snapshot_stop_what_takes_it_away_or_go_with_it() {
    let mut world = World::new();
    let before = kept(&world);
    let groups = json!({"hostGroupIds": [world.group()]});
    let id = made(&mut world, &json!({}));
    act(&mut world, &id, "export", &groups);
    let one = format!("{}/snapshots/{id}", volume());
    assert_eq!(world.delete(&one).0, 400);
    let forced = world.delete(&format!("{one}?force=true"));
    assert_eq!(world.done(forced)["state"], "SUCCEEDED");
    assert_eq!(kept(&world), before);

    let id = made(&mut world, &json!({}));
    act(&mut world, &id, "export", &groups);
    let cascade = format!("{}?cascade=true", volume());
    let (status, stopped) = world.delete(&cascade);
    let told = &stopped["error"];
    assert_eq!(status, 400);
    assert!(
        told.as_str()
            .unwrap()
            .starts_with("a snapshot of the volume"),
        "{told}"
    );
    let all = world.delete(&format!("{cascade}&unExport=true"));
    assert_eq!(world.done(all)["state"], "SUCCEEDED");
    assert_eq!(kept(&world), before);
}

#[test]
fn a_snapshot_that_expires_takes_its_exports_with_it() {
    let mut world = World::new();
    let before = kept(&world);
    let id = made(&mut world, &json!({"expireSecs": 60}));
    let groups = json!({"hostGroupIds": [world.group()]});
    act(&mut world, &id, "export", &groups);
    assert_eq!(kept(&world), before + 1);
    world.later(61_000);
    assert_eq!(world.get(&format!("{}/snapshots/{id}", volume())).0, 404);
    assert_eq!(kept(&world), before);
}

#[test]
fn a_set_of_snapshots_does_not_go_while_one_is_exported() {
    let mut world = World::new();
    let sets = format!("storage-systems/device-type1/{SYSTEM}/applicationsets");
    let set = json!({"appSetName": "s", "appSetType": "Exchange", "members": ["vol-1-0"]});
    let answer = world.post(&sets, &set);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let (_, list) = world.get(&sets);
    let set = list["items"].as_array().unwrap().last().unwrap()["id"].clone();
    let snapsets = format!("{sets}/{}/snapsets", set.as_str().unwrap());
    let answer = world.post(
        &snapsets,
        &json!({"vvNamePattern": "CUSTOM", "snapshotName": "night"}),
    );
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let (_, list) = world.get(&snapsets);
    let one = format!("{snapsets}/{}", list["items"][0]["id"].as_str().unwrap());
    let id = newest(&mut world);
    let groups = json!({"hostGroupIds": [world.group()]});
    act(&mut world, &id, "export", &groups);
    assert_eq!(world.delete(&one).0, 400);
    let forced = world.delete(&format!("{one}?force=true"));
    assert_eq!(world.done(forced)["state"], "SUCCEEDED");
    assert_eq!(world.get(&format!("{}/snapshots/{id}", volume())).0, 404);
}

#[test]
fn a_copy_of_a_snapshot_is_a_volume_as_it_was_then() {
    let mut world = World::new();
    let id = made(&mut world, &json!({}));
    let (_, before) = world.get(&volume());
    let size = before["sizeMiB"].as_i64().unwrap();
    let grown = world.put(&volume(), &json!({"sizeMib": size + 1024}));
    assert_eq!(world.done(grown)["state"], "SUCCEEDED");
    let body = json!({"destinationVolume": "copy", "hostGroupId": world.group(), "autoLun": true});
    assert_eq!(act(&mut world, &id, "clone", &body)["state"], "SUCCEEDED");
    let (_, list) = world.get(&format!(
        "storage-systems/device-type1/{SYSTEM}/volumes?filter=name eq copy"
    ));
    let copy = &list["items"][0];
    assert_eq!(copy["sizeMiB"], size);
    assert_eq!(copy["usedSizeMiB"], before["usedSizeMiB"]);
    assert_eq!(copy["volumeType"], "VVTYPE_BASE");
    assert_eq!(copy["initiators"][0]["id"], body["hostGroupId"]);
    let clones = world.get(&format!("{}/clones", volume())).1;
    assert!(!names(&clones).contains(&"copy"));
    let told = refused(&mut world, &id, "clone", &body);
    assert!(told.contains("a volume named copy already"), "{told}");
    let path = format!("storage-systems/device-type1/{SYSTEM}/snapshots/{VOLUME}/clone");
    assert_eq!(world.post(&path, &body).0, 404);
    let path = format!("storage-systems/device-type1/{SYSTEM}/snapshots/{id}/clone");
    let nowhere = json!({"destinationVolume": "x", "destinationCpg": "nope"});
    assert_eq!(world.post(&path, &nowhere).0, 400);
}
