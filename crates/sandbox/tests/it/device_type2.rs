//! Device-type2: volumes, snapshots, clones and exports.

use serde_json::{Value, json};

use crate::world::{GROUP, World, names};

pub(crate) const S2: &str =
    "storage-systems/device-type2/0006b878a5a008ec63000000000000000000000001";

pub(crate) fn path(rest: &str) -> String {
    format!("{S2}/{rest}")
}

/// Makes a volume and gives its address.
pub(crate) fn volume(world: &mut World, name: &str, more: &Value) -> String {
    let mut body = json!({"name": name, "size": 1024});
    for (field, value) in more.as_object().unwrap() {
        body[field] = value.clone();
    }
    let answer = world.post(&path("volumes"), &body);
    let task = world.done(answer);
    assert_eq!(task["state"], "SUCCEEDED", "{task}");
    let uri = task["associatedResources"][0]["resourceUri"]
        .as_str()
        .unwrap();
    uri.trim_start_matches("/api/v1/").to_owned()
}

pub(crate) fn id(path: &str) -> &str {
    path.rsplit_once('/').unwrap().1
}

fn cluster(world: &mut World) -> String {
    let (_, found) = world.get("host-initiator-groups?filter=name eq cluster-1");
    found["items"][0]["id"].as_str().unwrap().to_owned()
}

pub(crate) fn succeeds(world: &mut World, answer: (u16, Value)) {
    let task = world.done(answer);
    assert_eq!(task["state"], "SUCCEEDED", "{task}");
}

pub(crate) fn refused(answer: &(u16, Value), word: &str) {
    assert_eq!(answer.0, 400, "{}", answer.1);
    assert!(
        answer.1["error"].as_str().unwrap().contains(word),
        "{}",
        answer.1
    );
}

#[test]
fn a_volume_is_one_object_in_all_its_views() {
    let mut world = World::new();
    let made = volume(
        &mut world,
        "one",
        &json!({"description": "d", "limit_iops": 500}),
    );
    let (_, own) = world.get(&made);
    assert_eq!(
        (&own["size"], &own["limit_iops"]),
        (&json!(1024), &json!(500))
    );
    assert_eq!(
        (&own["online"], &own["pool_name"]),
        (&json!(true), &json!("default"))
    );
    let answer = world.put(&made, &json!({"name": "two", "size": 2048}));
    succeeds(&mut world, answer);
    let (_, own) = world.get(&made);
    let (_, fleet) = world.get(&format!("volumes/{}", id(&made)));
    let (_, of_system) = world.get(&format!(
        "storage-systems/{GROUP}/volumes?filter=name eq two"
    ));
    assert_eq!(own["name"], "two");
    assert_eq!(
        (&fleet["name"], &fleet["sizeMiB"]),
        (&own["name"], &own["size"])
    );
    assert_eq!(fleet["productFamily"], "deviceType2");
    assert_eq!(of_system["items"][0]["id"], own["id"]);
    for filter in [
        "name eq two",
        "size eq 2048",
        "online eq true and name eq 'two'",
        "limit_iops eq 500",
    ] {
        let (status, found) = world.get(&path(&format!("volumes?filter={filter}")));
        if filter.starts_with("limit") {
            assert_eq!(status, 400, "only what is marked can be filtered by");
        } else {
            assert_eq!(names(&found), ["two"], "{filter}");
        }
    }
}

#[test]
fn a_volume_that_cannot_be_is_refused() {
    let mut world = World::new();
    volume(&mut world, "taken", &json!({}));
    for (body, word) in [
        (json!({"name": "taken", "size": 1}), "already"),
        (json!({"name": "x"}), "size"),
        (json!({"name": "x", "size": 0}), "size"),
        (json!({"name": "", "size": 1}), "name"),
        (json!({"name": "x", "size": 1, "pool_id": "y"}), "pool_id"),
        (
            json!({"name": "x", "size": 1, "limit_iops": 5}),
            "limit_iops",
        ),
        (
            json!({"name": "x", "size": 1, "limit_iops": -1, "limit": 101}),
            "limit",
        ),
        (
            json!({"name": "x", "clone": true, "base_snap_id": "z"}),
            "base_snap_id",
        ),
    ] {
        let answer = world.post(&path("volumes"), &body);
        refused(&answer, word);
    }
}

#[test]
fn a_volume_gets_smaller_or_goes_offline_under_its_hosts_only_by_force() {
    let mut world = World::new();
    let made = volume(&mut world, "v", &json!({}));
    let group = cluster(&mut world);
    let answer = world.post(&format!("{made}/export"), &json!({"hostGroups": [group]}));
    succeeds(&mut world, answer);
    let smaller = json!({"size": 512, "online": false});
    refused(&world.put(&made, &smaller), "larger");
    refused(&world.put(&made, &json!({"online": false})), "exported");
    let forced = json!({"size": 512, "online": false, "force": true});
    let answer = world.put(&made, &forced);
    succeeds(&mut world, answer);
    let (_, after) = world.get(&made);
    assert_eq!(
        (
            &after["size"],
            &after["vol_state"],
            &after["offline_reason"]
        ),
        (&json!(512), &json!("offline"), &json!("user"))
    );
}

#[test]
fn an_export_shows_at_the_volume_the_fleet_and_the_host_until_it_is_withdrawn() {
    let mut world = World::new();
    let made = volume(&mut world, "v", &json!({}));
    let group = cluster(&mut world);
    let (_, hosts) = world.get(&format!("host-initiators?filter=hostGroupId eq {group}"));
    let host = hosts["items"][0]["id"].as_str().unwrap().to_owned();
    let body = json!({"hostGroups": [group]});
    let seen = |world: &mut World| {
        let (_, own) = world.get(&made);
        let (_, fleet) = world.get(&format!("volumes/{}", id(&made)));
        let (_, reached) = world.get(&format!("host-initiators/{host}/volumes"));
        let reached = reached["items"]
            .as_array()
            .unwrap()
            .iter()
            .any(|v| v["volumeName"] == "v");
        let group = |list: &Value, key: &str| list[0][key].clone();
        (
            group(&own["access_control_records"], "initiator_group_id"),
            group(&fleet["initiators"], "id"),
            reached,
        )
    };
    assert_eq!(seen(&mut world), (Value::Null, Value::Null, false));
    let answer = world.post(&format!("{made}/export"), &body);
    succeeds(&mut world, answer);
    assert_eq!(seen(&mut world), (json!(group), json!(group), true));
    refused(&world.post(&format!("{made}/export"), &body), "already");
    let answer = world.post(&format!("{made}/un-export"), &body);
    succeeds(&mut world, answer);
    assert_eq!(seen(&mut world), (Value::Null, Value::Null, false));
    refused(
        &world.post(&format!("{made}/un-export"), &body),
        "not exported",
    );
    refused(
        &world.post(&format!("{made}/export"), &json!({"hostGroups": []})),
        "hostGroups",
    );
    refused(
        &world.post(&format!("{made}/export"), &json!({"hostGroups": ["x"]})),
        "no host group",
    );
}

#[test]
fn exports_that_overlap_get_different_numbers() {
    let mut world = World::new();
    let group = cluster(&mut world);
    let made = ["a", "b", "c"].map(|name| volume(&mut world, name, &json!({})));
    let body = json!({"hostGroups": [group]});
    let answers = made
        .each_ref()
        .map(|made| world.post(&format!("{made}/export"), &body));
    for answer in answers {
        succeeds(&mut world, answer);
    }
    let mut luns: Vec<u64> = Vec::new();
    for volume in &made {
        luns.push(
            world.get(volume).1["access_control_records"][0]["lun"]
                .as_u64()
                .unwrap(),
        );
    }
    let (_, all) = world.get(&path("volumes"));
    let records = all["items"].as_array().unwrap().iter();
    let mut all: Vec<u64> = records
        .map(|volume| &volume["access_control_records"][0])
        .filter(|record| record["initiator_group_id"] == group)
        .filter_map(|record| record["lun"].as_u64())
        .collect();
    all.sort_unstable();
    let before = all.len();
    all.dedup();
    assert_eq!((all.len(), luns.len()), (before, 3));
}

#[test]
fn a_volume_is_deleted_when_it_is_alone_and_offline_or_by_force() {
    let mut world = World::new();
    let group = cluster(&mut world);
    let made = volume(&mut world, "v", &json!({}));
    refused(&world.delete(&made), "online");
    let answer = world.post(&format!("{made}/export"), &json!({"hostGroups": [group]}));
    succeeds(&mut world, answer);
    refused(&world.delete(&format!("{made}?offline=true")), "exported");
    let snapshot = json!({"name": "s", "online": true});
    let answer = world.post(&format!("{made}/snapshots"), &snapshot);
    succeeds(&mut world, answer);
    let answer = world.post(
        &format!("{made}/un-export"),
        &json!({"hostGroups": [group]}),
    );
    succeeds(&mut world, answer);
    refused(&world.delete(&format!("{made}?offline=true")), "snapshot");
    let answer = world.delete(&format!("{made}?force=true"));
    succeeds(&mut world, answer);
    assert_eq!(world.get(&made).0, 404);
    assert_eq!(world.get(&format!("{made}/snapshots")).0, 404);
    assert_eq!(world.get(&format!("volumes/{}", id(&made))).0, 404);

    let alone = volume(&mut world, "alone", &json!({}));
    let answer = world.delete(&format!("{alone}?offline=true"));
    succeeds(&mut world, answer);
}

#[test]
fn a_snapshot_counts_at_its_volume_and_is_online_while_it_is_exported() {
    let mut world = World::new();
    let group = cluster(&mut world);
    let made = volume(&mut world, "v", &json!({}));
    let answer = world.post(
        &format!("{made}/snapshots"),
        &json!({"name": "s", "description": "d"}),
    );
    succeeds(&mut world, answer);
    refused(
        &world.post(&format!("{made}/snapshots"), &json!({"name": "s"})),
        "already",
    );
    let (_, list) = world.get(&format!(
        "{made}/snapshots?filter=name eq s and online eq false"
    ));
    assert_eq!(list["total"], 1);
    let snapshot = format!(
        "{made}/snapshots/{}",
        list["items"][0]["id"].as_str().unwrap()
    );
    let (_, of) = world.get(&made);
    assert_eq!(
        (&of["num_snaps"], &of["last_snap"]["snap_name"]),
        (&json!(1), &json!("s"))
    );
    let body = json!({"hostGroups": [group]});
    let answer = world.post(&format!("{snapshot}/export"), &body);
    succeeds(&mut world, answer);
    let (_, seen) = world.get(&snapshot);
    assert_eq!(
        (
            &seen["online"],
            &seen["access_control_records"][0]["snap_name"]
        ),
        (&json!(true), &json!("s"))
    );
    assert_eq!(world.get(&made).1["online_snaps"][0]["name"], "s");
    refused(&world.delete(&snapshot), "online");
    let answer = world.post(&format!("{snapshot}/un-export"), &body);
    succeeds(&mut world, answer);
    assert_eq!(world.get(&snapshot).1["online"], false);
    let answer = world.delete(&snapshot);
    succeeds(&mut world, answer);
    assert_eq!(world.get(&made).1["num_snaps"], 0);
    let other = volume(&mut world, "other", &json!({}));
    assert_eq!(
        world.get(&format!("{other}/snapshots/{}", id(&snapshot))).0,
        404
    );
}

#[test]
fn a_clone_holds_on_to_what_it_was_made_from() {
    let mut world = World::new();
    let group = cluster(&mut world);
    let made = volume(&mut world, "v", &json!({"limit": 50}));
    let body = json!({"clone_volume_name": "c", "host_group_id": group, "lun": 77});
    let answer = world.post(&format!("{made}/clone"), &body);
    succeeds(&mut world, answer);
    let (_, list) = world.get(&path("volumes?filter=name eq c"));
    let clone = &list["items"][0];
    assert_eq!(
        (&clone["clone"], &clone["parent_vol_name"]),
        (&json!(true), &json!("v"))
    );
    assert_eq!(
        (&clone["limit"], &clone["size"]),
        (&json!(50), &json!(1024))
    );
    assert_eq!(clone["access_control_records"][0]["lun"], 77);
    let base = clone["base_snap_id"].as_str().unwrap();
    refused(&world.delete(&format!("{made}?force=true")), "clones");
    refused(
        &world.delete(&format!("{made}/snapshots/{base}?force=true")),
        "clones",
    );

    let again = json!({"name": "second", "clone": true, "base_snap_id": base});
    let answer = world.post(&path("volumes"), &again);
    succeeds(&mut world, answer);
    let (_, second) = world.get(&path("volumes?filter=name eq second"));
    assert_eq!(second["items"][0]["base_snap_id"], base);
    for clone in [clone, &second["items"][0]] {
        let answer = world.delete(&path(&format!(
            "volumes/{}?force=true",
            clone["id"].as_str().unwrap()
        )));
        succeeds(&mut world, answer);
    }
    let answer = world.delete(&format!("{made}?force=true"));
    succeeds(&mut world, answer);
}

#[test]
fn a_group_has_each_lun_once() {
    let mut world = World::new();
    let made = volume(&mut world, "v", &json!({}));
    let group = cluster(&mut world);
    let clone = |name: &str| json!({"clone_volume_name": name, "host_group_id": group, "lun": 77});
    let address = format!("{made}/clone");
    let first = world.post(&address, &clone("one"));
    let second = world.post(&address, &clone("two"));
    succeeds(&mut world, first);
    let (_, late) = world.get(&format!("tasks/{}", second.1["taskUri"].as_str().unwrap()));
    assert_eq!(late["state"], "FAILED", "{late}");
    refused(&world.post(&address, &clone("three")), "lun: 77 is taken");
}

#[test]
fn a_volume_is_no_larger_than_its_pool() {
    let mut world = World::new();
    let made = volume(&mut world, "v", &json!({}));
    let huge = 1_000_000_000_000_000_u64;
    let body = json!({"name": "x", "size": huge});
    refused(&world.post(&path("volumes"), &body), "whole pool");
    refused(&world.put(&made, &json!({"size": huge})), "whole pool");
}
