//! Clones of device-type1: full copies that know their parent until they are promoted.

use serde_json::{Value, json};

use crate::world::{SYSTEM, VOLUME, World, names};

fn volumes() -> String {
    format!("storage-systems/device-type1/{SYSTEM}/volumes")
}

fn parent() -> String {
    format!("{}/{VOLUME}", volumes())
}

/// Clones the volume, and gives the clone back as it is shown.
fn cloned(world: &mut World, body: &Value) -> Value {
    let answer = world.post(&format!("{}/clone", parent()), body);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let (_, list) = world.get(&format!("{}/clones", parent()));
    list["items"].as_array().unwrap().last().unwrap().clone()
}

fn used(world: &mut World, pool: &str) -> f64 {
    let path = format!("storage-systems/device-type1/{SYSTEM}/storage-pools?filter=name eq {pool}");
    let (_, list) = world.get(&path);
    list["items"][0]["baseSizeMiB"].as_f64().unwrap()
}

#[test]
fn a_clone_is_a_volume_that_takes_what_its_parent_uses() {
    let mut world = World::new();
    let (_, original) = world.get(&parent());
    let before = used(&mut world, "NL_r6");
    let body = json!({"destinationVolume": "copy", "onlineClone": {"destinationCpg": "NL_r6"}});
    let clone = cloned(&mut world, &body);
    assert_eq!(clone["name"], "copy");
    assert_eq!(clone["userCpgName"], "NL_r6");
    assert_eq!(clone["physicalCopy"], true);
    assert_eq!(clone["copyOfID"], original["volumeId"]);
    assert_eq!(clone["usedSizeMiB"], original["usedSizeMiB"]);
    assert_ne!(clone["wwn"], original["wwn"]);
    let grown = used(&mut world, "NL_r6") - before;
    assert!((grown - original["usedSizeMiB"].as_f64().unwrap()).abs() < 0.1);
    let (status, fleet) = world.get(&format!("volumes/{}", clone["id"].as_str().unwrap()));
    assert_eq!((status, &fleet["name"]), (200, &json!("copy")));
}

#[test]
fn an_online_clone_is_exported_when_it_is_made() {
    let mut world = World::new();
    let online = json!({"hostGroupId": world.group(), "autoLun": true, "lun": 0});
    let body = json!({"destinationVolume": "copy", "onlineClone": &online});
    let clone = cloned(&mut world, &body);
    assert_eq!(clone["initiators"][0]["id"], world.group());
    let path = format!(
        "storage-systems/device-type1/{SYSTEM}/volumes/{}/vluns",
        clone["id"].as_str().unwrap()
    );
    let (_, vluns) = world.get(&path);
    assert_eq!(vluns["total"], 1);
    // What is exported next gets another LUN.
    let body = json!({"destinationVolume": "other", "onlineClone": online});
    let other = cloned(&mut world, &body);
    let path = path.replace(clone["id"].as_str().unwrap(), other["id"].as_str().unwrap());
    assert_ne!(
        world.get(&path).1["items"][0]["lun"],
        vluns["items"][0]["lun"]
    );
}

#[test]
fn a_clone_that_cannot_be_is_refused_in_words() {
    let mut world = World::new();
    let path = format!("{}/clone", parent());
    for (body, word) in [
        (json!({}), "destinationVolume"),
        (json!({"destinationVolume": "vol-1-1"}), "already"),
        (
            json!({"destinationVolume": "c", "onlineClone": {"destinationCpg": "nope"}}),
            "no pool",
        ),
        (
            json!({"destinationVolume": "c", "onlineClone": {"hostGroupId": "g"}}),
            "no host group g",
        ),
        (
            json!({"destinationVolume": "c", "onlineClone":
                {"hostGroupId": "cluster-1", "autoLun": false, "lun": 7}}),
            "autoLun",
        ),
    ] {
        let (status, answer) = world.post(&path, &body);
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"].as_str().unwrap().contains(word), "{answer}");
    }
}

#[test]
fn a_volume_with_clones_is_not_deleted_until_they_are_promoted() {
    let mut world = World::new();
    let clone = cloned(&mut world, &json!({"destinationVolume": "copy"}));
    let id = clone["id"].as_str().unwrap();
    let (status, answer) = world.delete(&format!("{}?cascade=true&unExport=true", parent()));
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("clones"));
    let promote = format!("{}/clones/{id}/promote", parent());
    let answer = world.post(&promote, &json!({"priority": "PRIORITYTYPE_LOW"}));
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    assert_eq!(
        world.post(&promote, &json!({})).0,
        404,
        "no clone any longer"
    );
    assert_eq!(world.get(&format!("{}/clones", parent())).1["total"], 0);
    let (_, promoted) = world.get(&format!("{}/{id}", volumes()));
    assert_eq!(promoted["physicalCopy"], false);
    let answer = world.delete(&parent());
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
}

#[test]
fn resyncing_brings_the_size_of_the_parent_and_needs_a_clone() {
    let mut world = World::new();
    let clone = cloned(&mut world, &json!({"destinationVolume": "copy"}));
    let id = clone["id"].as_str().unwrap();
    let answer = world.put(&parent(), &json!({"sizeMib": 1_000_000}));
    world.done(answer);
    let resync = format!("{}/clones/{id}/resync", parent());
    let answer = world.post(&resync, &json!({}));
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let (_, after) = world.get(&format!("{}/{id}", volumes()));
    assert_eq!(after["sizeMiB"], 1_000_000);
    let other = format!("{}/clones/{VOLUME}/resync", parent());
    assert_eq!(world.post(&other, &json!({})).0, 404);
}

#[test]
fn of_a_resync_and_a_promotion_at_once_the_later_fails() {
    let mut world = World::new();
    let clone = cloned(&mut world, &json!({"destinationVolume": "copy"}));
    let path = format!("{}/clones/{}", parent(), clone["id"].as_str().unwrap());
    let promotion = world.post(&format!("{path}/promote"), &json!({}));
    let resync = world.post(&format!("{path}/resync"), &json!({}));
    assert_eq!(world.done(promotion)["state"], "SUCCEEDED");
    assert_eq!(world.done(resync)["state"], "FAILED");
}

#[test]
fn clones_can_be_filtered_like_volumes() {
    let mut world = World::new();
    for name in ["c1", "c2"] {
        cloned(&mut world, &json!({"destinationVolume": name}));
    }
    let (_, list) = world.get(&format!("{}/clones?filter=name eq c2", parent()));
    assert_eq!(names(&list), ["c2"]);
    let (_, list) = world.get(&format!("{}/clones?filter=name eq vol-1-1", parent()));
    assert_eq!(list["total"], 0, "another volume is no clone of this one");
}
