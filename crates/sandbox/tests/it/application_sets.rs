//! Volume sets of device-type1 and of the fleet, and the snapshots that are made of them.

use serde_json::{Value, json};

use crate::world::{SYSTEM, VOLUME, World, names};

fn sets() -> String {
    format!("storage-systems/device-type1/{SYSTEM}/applicationsets")
}

/// Creates a set, and gives its address back.
fn created(world: &mut World, name: &str, members: &[&str]) -> String {
    let body = json!({"appSetName": name, "appSetType": "OTHER", "members": members});
    let answer = world.post(&sets(), &body);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let (_, list) = world.get(&format!("{}?filter=name eq {name}", sets()));
    format!("{}/{}", sets(), list["items"][0]["id"].as_str().unwrap())
}

fn edited(world: &mut World, set: &str, body: &Value) -> Value {
    let answer = world.put(set, body);
    world.done(answer)
}

fn id(set: &str) -> &str {
    set.rsplit('/').next().unwrap()
}

#[test]
fn a_set_is_the_same_everywhere_and_its_members_know_it() {
    let mut world = World::new();
    let set = created(&mut world, "db", &["vol-1-0", "vol-1-1"]);
    let (_, device) = world.get(&set);
    assert_eq!(device["members"], json!(["vol-1-0", "vol-1-1"]));
    assert_eq!(device["appSetType"], "OTHER");
    let (_, fleet) = world.get("volume-sets?filter=name eq db");
    assert_eq!(fleet["items"][0]["members"], device["members"]);
    let (_, one) = world.get(&format!("volume-sets/{}", id(&set)));
    assert_eq!(one["appType"], "OTHER");
    let (_, on_system) = world.get(&format!(
        "storage-systems/{SYSTEM}/volume-sets/{}",
        id(&set)
    ));
    assert_eq!(on_system["volumesCount"], 2);
    let (_, list) = world.get(&format!("storage-systems/{SYSTEM}/volume-sets?sort=name"));
    assert!(names(&list).contains(&"db"));
    let (_, volumes) = world.get(&format!("volume-sets/{}/volumes?limit=1", id(&set)));
    assert_eq!(
        (&volumes["total"], &volumes["name"]),
        (&json!(2), &json!("db"))
    );
    assert_eq!(names(&volumes), ["vol-1-0"]);
    let (_, volumes) = world.get(&format!("{set}/volumes?filter=name eq vol-1-1"));
    assert_eq!(names(&volumes["volumes"]), ["vol-1-1"]);
    let (_, volume) = world.get(&format!("volumes/{VOLUME}"));
    assert_eq!(volume["volumeSetId"], id(&set));
}

#[test]
fn a_set_that_cannot_be_is_refused_in_words() {
    let mut world = World::new();
    for (body, word) in [
        (json!({"appSetName": "s"}), "appSetType"),
        (json!({"appSetType": "OTHER"}), "appSetName"),
        (json!({"appSetName": "", "appSetType": "OTHER"}), "name"),
        (
            json!({"appSetName": "set-1", "appSetType": "OTHER"}),
            "already",
        ),
        (
            json!({"appSetName": "s", "appSetType": "CUSTOM"}),
            "customAppType",
        ),
        (
            json!({"appSetName": "s", "appSetType": "OTHER", "members": ["nobody"]}),
            "nobody",
        ),
        (
            json!({"appSetName": "s", "appSetType": "OTHER", "members": ["vol-2-0"]}),
            "vol-2-0",
        ),
    ] {
        let (status, answer) = world.post(&sets(), &body);
        assert_eq!(status, 400, "{body}");
        assert!(answer["error"].as_str().unwrap().contains(word), "{answer}");
    }
}

#[test]
fn members_join_and_leave_by_name_or_id() {
    let mut world = World::new();
    let set = created(&mut world, "db", &["vol-1-1"]);
    let body = json!({"appSetName": "data", "addMembers": [VOLUME], "removeMembers": ["vol-1-1"]});
    assert_eq!(edited(&mut world, &set, &body)["state"], "SUCCEEDED");
    let (_, shown) = world.get(&set);
    assert_eq!(shown["members"], json!(["vol-1-0"]));
    assert_eq!(
        (&shown["name"], &shown["appSetType"]),
        (&json!("data"), &json!("OTHER"))
    );
    // What comes and goes at once stays as it is, in the set or outside.
    for volume in ["vol-1-0", "vol-1-1"] {
        let body = json!({"addMembers": [volume], "removeMembers": [volume]});
        assert_eq!(edited(&mut world, &set, &body)["state"], "SUCCEEDED");
        assert_eq!(world.get(&set).1["members"], json!(["vol-1-0"]));
    }
    for body in [
        json!({"addMembers": [VOLUME]}),
        json!({"removeMembers": ["vol-1-1"]}),
        json!({"addMembers": ["nobody"]}),
        json!({"appSetName": "set-1"}),
    ] {
        assert_eq!(world.put(&set, &body).0, 400, "{body}");
    }
}

#[test]
fn a_member_is_not_deleted_and_a_deleted_set_leaves_its_members() {
    let mut world = World::new();
    let set = created(&mut world, "db", &[VOLUME]);
    let volume = format!("storage-systems/device-type1/{SYSTEM}/volumes/{VOLUME}");
    let (status, answer) = world.delete(&format!("{volume}?unExport=true&cascade=true"));
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("volume set"));
    let answer = world.delete(&set);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    assert_eq!(world.get(&set).0, 404);
    let (status, shown) = world.get(&format!("volumes/{VOLUME}"));
    assert_eq!((status, &shown["volumeSetId"]), (200, &Value::Null));
    let answer = world.delete(&volume);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
}

#[test]
fn a_set_is_exported_member_by_member_with_a_child_task_each() {
    let mut world = World::new();
    let set = created(&mut world, "db", &["vol-1-0", "vol-1-2"]);
    assert_eq!(world.get(&set).1["exportStatus"], "NOT_EXPORTED");
    let body = json!({"hostGroupIds": [world.group()], "proximity": "PRIMARY"});
    let answer = world.post(&format!("{set}/export"), &body);
    let task = world.done(answer);
    assert_eq!(task["state"], "SUCCEEDED");
    assert_eq!(task["childTasks"].as_array().unwrap().len(), 2);
    let (_, shown) = world.get(&set);
    assert_eq!(shown["exportStatus"], "EXPORTED");
    assert_eq!(
        shown["initiators"].as_array().unwrap().len(),
        1,
        "each group once"
    );
    assert_eq!(world.post(&format!("{set}/export"), &body).0, 400);

    let late = json!({"name": "late", "sizeMib": 1024, "userCpg": "SSD_r6"});
    let answer = world.post(
        &format!("storage-systems/device-type1/{SYSTEM}/volumes"),
        &late,
    );
    world.done(answer);
    let answer = world.put(&set, &json!({"addMembers": ["late"]}));
    world.done(answer);
    assert_eq!(world.get(&set).1["exportStatus"], "PARTIALLY_EXPORTED");
    for refused in [
        world.delete(&set),
        world.put(&set, &json!({"removeMembers": ["vol-1-0"]})),
    ] {
        assert_eq!(refused.0, 400);
        assert!(refused.1["error"].as_str().unwrap().contains("exported"));
    }
    let answer = world.post(&format!("{set}/un-export"), &body);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    assert_eq!(world.get(&set).1["exportStatus"], "NOT_EXPORTED");
    assert_eq!(world.post(&format!("{set}/un-export"), &body).0, 400);
    let answer = world.delete(&set);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
}

#[test]
fn a_member_that_leaves_while_the_set_is_exported_is_not_exported() {
    let mut world = World::new();
    let set = created(&mut world, "db", &["vol-1-0", "vol-1-2"]);
    let body = json!({"hostGroupIds": [world.group()], "proximity": "ALL"});
    let leaving = world.put(&set, &json!({"removeMembers": ["vol-1-2"]}));
    world.later(600);
    let export = world.post(&format!("{set}/export"), &body);
    assert_eq!(world.done(leaving)["state"], "SUCCEEDED");
    assert_eq!(world.done(export)["state"], "FAILED");
    let path = format!("storage-systems/device-type1/{SYSTEM}/volumes?filter=name eq vol-1-2");
    assert_eq!(world.get(&path).1["items"][0]["initiators"], json!([]));
    assert_eq!(world.get(&set).1["exportStatus"], "EXPORTED");
}

#[test]
fn a_snapset_has_a_snapshot_of_every_member() {
    let mut world = World::new();
    let set = created(&mut world, "db", &["vol-1-0", "vol-1-3"]);
    let body = json!({"vvNamePattern": "CUSTOM", "snapshotName": "all", "expireSecs": 60, "retainSecs": 30});
    let answer = world.post(&format!("{set}/snapsets"), &body);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    let (_, list) = world.get(&format!("{set}/snapsets"));
    assert_eq!(names(&list), ["all"]);
    let snapset = &list["items"][0];
    assert_eq!(snapset["members"], json!(["all.0", "all.1"]));
    let path = format!("{set}/snapsets/{}", snapset["id"].as_str().unwrap());
    assert_eq!(world.get(&path).1["snapSetParentName"], "db");
    let snapshots = format!("storage-systems/device-type1/{SYSTEM}/volumes/{VOLUME}/snapshots");
    assert_eq!(names(&world.get(&snapshots).1), ["all.0"]);

    let (status, answer) = world.delete(&path);
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("retained"));
    world.later(30_000);
    let answer = world.delete(&path);
    assert_eq!(world.done(answer)["state"], "SUCCEEDED");
    assert_eq!(world.get(&path).0, 404);
    assert_eq!(world.get(&snapshots).1["total"], 0);
}

#[test]
fn a_snapset_expires_as_a_whole_and_is_made_whole_or_not_at_all() {
    let mut world = World::new();
    let set = created(&mut world, "db", &["vol-1-0", "vol-1-3"]);
    let custom = json!({"vvNamePattern": "CUSTOM", "snapshotName": "all", "expireSecs": 60});
    let answer = world.post(&format!("{set}/snapsets"), &custom);
    world.done(answer);
    let again = world.post(&format!("{set}/snapsets"), &custom);
    assert_eq!(again.0, 400, "the names are taken");
    world.later(60_000);
    assert_eq!(world.get(&format!("{set}/snapsets")).1["total"], 0);
    let snapshots = format!("storage-systems/device-type1/{SYSTEM}/volumes/{VOLUME}/snapshots");
    assert_eq!(world.get(&snapshots).1["total"], 0);
    let empty = created(&mut world, "empty", &[]);
    let (status, answer) = world.post(&format!("{empty}/snapsets"), &custom);
    assert_eq!(status, 400);
    assert!(answer["error"].as_str().unwrap().contains("no members"));
}
