//! Exports of device-type1: an export makes VLUNs, and everything that shows it follows them.

use hallpass_sandbox::Settings;
use serde_json::{Value, json};

use crate::device_type2::S2;
use crate::world::{SYSTEM, VOLUME, World, definition};

fn volume(id: &str) -> String {
    format!("storage-systems/device-type1/{SYSTEM}/volumes/{id}")
}

fn export(world: &mut World, id: &str, more: &Value) -> (u16, Value) {
    let mut body = json!({"hostGroupIds": [world.group()], "autoLun": true});
    for (name, value) in more.as_object().unwrap() {
        body[name] = value.clone();
    }
    world.post(&format!("{}/export", volume(id)), &body)
}

fn vluns(world: &mut World, id: &str) -> Value {
    world.get(&format!("{}/vluns", volume(id))).1
}

/// A new volume, and its id.
fn created(world: &mut World, name: &str) -> String {
    let path = format!("storage-systems/device-type1/{SYSTEM}/volumes");
    let body = json!({"name": name, "sizeMib": 1024, "userCpg": "SSD_r6"});
    let answer = world.post(&path, &body);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let (_, list) = world.get(&format!("volumes?filter=name eq {name}"));
    list["items"][0]["id"].as_str().unwrap().to_owned()
}

#[test]
fn an_export_makes_a_vlun_and_shows_in_both_forms_of_the_volume() {
    let mut world = World::new();
    let group = world.group();
    assert_eq!(vluns(&mut world, VOLUME)["total"], 0);
    let answer = export(&mut world, VOLUME, &json!({"proximity": "ALL"}));
    assert_eq!(vluns(&mut world, VOLUME)["total"], 0, "not before the task");
    let task = world.done(answer);
    assert_eq!(task["displayName"], "Export volume vol-1-0");
    let list = vluns(&mut world, VOLUME);
    assert_eq!(list["total"], 1);
    let vlun = &list["items"][0];
    assert_eq!(vlun["initiators"]["id"], group.as_str());
    assert_eq!(vlun["volumeName"], "vol-1-0");
    let (_, fleet) = world.get(&format!("volumes/{VOLUME}"));
    let (_, device) = world.get(&volume(VOLUME));
    for view in [&fleet, &device] {
        assert_eq!(view["initiators"].as_array().unwrap().len(), 1);
        assert_eq!(view["initiators"][0], vlun["initiators"]);
    }
    let id = vlun["id"].as_str().unwrap();
    let (status, one) = world.get(&format!("{}/vluns/{id}", volume(VOLUME)));
    assert_eq!((status, &one["lun"]), (200, &vlun["lun"]));
    assert_eq!(one["vvSize"], device["sizeMiB"]);
}

#[test]
fn a_group_has_every_lun_once_even_when_exports_overlap() {
    let mut world = World::new();
    let ids = ["a", "b", "c"].map(|name| created(&mut world, name));
    let answers: Vec<_> = ids
        .iter()
        .map(|id| export(&mut world, id, &json!({})))
        .collect();
    for answer in answers {
        assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    }
    let mut luns: Vec<i64> = ids
        .iter()
        .map(|id| vluns(&mut world, id)["items"][0]["lun"].as_i64().unwrap())
        .collect();
    luns.sort_unstable();
    luns.dedup();
    assert_eq!(luns.len(), 3);
}

#[test]
fn an_export_that_cannot_be_is_refused_in_words() {
    let mut world = World::new();
    let group = world.group();
    let path = format!("{}/export", volume(VOLUME));
    for (body, word) in [
        (json!({"hostGroups": [group]}), "no host group"),
        (json!({"hostGroupIds": []}), "no host group"),
        (json!({"hostGroupIds": [group, "nobody"]}), "nobody"),
        (
            json!({"hostGroupIds": [group], "proximity": "NEAR"}),
            "proximity",
        ),
    ] {
        let (status, answer) = world.post(&path, &body);
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"].as_str().unwrap().contains(word), "{answer}");
    }
}

#[test]
fn what_names_nobody_changes_nothing_unless_the_stand_in_is_strict() {
    let volumes2 = format!("{S2}/volumes");
    let id = World::new().get(&volumes2).1["items"][0]["id"].clone();
    for path in [
        volume(VOLUME),
        format!("{volumes2}/{}", id.as_str().unwrap()),
    ] {
        let mut world = World::new();
        let before = world.get(&path).1;
        let answer = world.post(&format!("{path}/export"), &json!({}));
        assert_eq!(world.done(answer)["state"], "SUCCEEDED");
        assert_eq!(world.get(&path).1, before);

        let strict = Settings {
            strict: true,
            ..Settings::default()
        };
        let mut world = World::with(definition(), strict);
        let (status, answer) = world.post(&format!("{path}/export"), &json!({}));
        assert_eq!(status, 400, "{answer}");
    }
}

#[test]
fn a_second_export_to_a_group_needs_override_and_replaces_the_first() {
    let mut world = World::new();
    let answer = export(&mut world, VOLUME, &json!({}));
    world.done(answer);
    let first = vluns(&mut world, VOLUME)["items"][0].clone();
    let (status, answer) = export(&mut world, VOLUME, &json!({}));
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("already"));
    let answer = export(&mut world, VOLUME, &json!({"override": true}));
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let list = vluns(&mut world, VOLUME);
    assert_eq!(list["total"], 1);
    assert_ne!(list["items"][0]["id"], first["id"]);
}

#[test]
fn a_group_may_be_called_by_its_name_and_counts_once() {
    let mut world = World::new();
    let group = world.group();
    let body = json!({"hostGroupIds": ["cluster-1", group]});
    let answer = world.post(&format!("{}/export", volume(VOLUME)), &body);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let list = vluns(&mut world, VOLUME);
    assert_eq!(list["total"], 1);
    assert_eq!(list["items"][0]["initiators"]["id"], group.as_str());
}

#[test]
fn of_two_exports_at_once_the_second_fails() {
    let mut world = World::new();
    let first = export(&mut world, VOLUME, &json!({}));
    let second = export(&mut world, VOLUME, &json!({}));
    assert_eq!(world.done(first)["state"], "SUCCEEDED");
    assert_eq!(world.done(second)["state"], "FAILED");
    assert_eq!(vluns(&mut world, VOLUME)["total"], 1);
}

#[test]
fn withdrawing_takes_the_vlun_away_by_group_or_by_id() {
    let mut world = World::new();
    let body = json!({"hostGroupIds": [world.group()]});
    let un_export = format!("{}/un-export", volume(VOLUME));
    let (status, answer) = world.post(&un_export, &body);
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("not exported"));
    let answer = export(&mut world, VOLUME, &json!({}));
    world.done(answer);
    let answer = world.post(&un_export, &body);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    assert_eq!(vluns(&mut world, VOLUME)["total"], 0);
    let (_, shown) = world.get(&volume(VOLUME));
    assert_eq!(shown["initiators"], json!([]));

    let answer = export(&mut world, VOLUME, &json!({}));
    world.done(answer);
    let list = vluns(&mut world, VOLUME);
    let id = list["items"][0]["id"].as_str().unwrap();
    let path = format!("{}/vluns/{id}", volume(VOLUME));
    let answer = world.delete(&path);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    assert_eq!(world.get(&path).0, 404);
    assert_eq!(vluns(&mut world, VOLUME)["total"], 0);
}

#[test]
fn an_export_that_overlaps_a_deletion_leaves_no_vlun_behind() {
    let mut world = World::new();
    let deletion = world.delete(&format!("{}?unExport=true", volume(VOLUME)));
    let late = export(&mut world, VOLUME, &json!({}));
    assert_eq!(world.done(deletion)["state"], "SUCCEEDED");
    assert_eq!(world.done(late)["state"], "FAILED");

    let mut world = World::new();
    let early = export(&mut world, VOLUME, &json!({}));
    let deletion = world.delete(&volume(VOLUME));
    assert_eq!(world.done(early)["state"], "SUCCEEDED");
    assert_eq!(world.done(deletion)["state"], "FAILED");
    assert_eq!(vluns(&mut world, VOLUME)["total"], 1);
}

#[test]
fn the_vluns_of_a_volume_can_be_filtered_and_sorted() {
    let mut world = World::new();
    let answer = export(&mut world, VOLUME, &json!({}));
    world.done(answer);
    let path = format!("{}/vluns", volume(VOLUME));
    let (_, list) = world.get(&format!(
        "{path}?filter=volumeName eq vol-1-0&sort=lun desc"
    ));
    assert_eq!(list["total"], 1);
    let (_, list) = world.get(&format!("{path}?filter=lun gt 999"));
    assert_eq!(list["total"], 0);
}
