//! Device-type2: volumes, snapshots, clones, exports, volume collections and pools.

use serde_json::{Value, json};

use crate::world::{GROUP, World, names};

const S2: &str = "storage-systems/device-type2/0006b878a5a008ec63000000000000000000000001";

fn path(rest: &str) -> String {
    format!("{S2}/{rest}")
}

/// Makes a volume and gives its address.
fn volume(world: &mut World, name: &str, more: &Value) -> String {
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

fn id(path: &str) -> &str {
    path.rsplit_once('/').unwrap().1
}

fn cluster(world: &mut World) -> String {
    let (_, found) = world.get("host-initiator-groups?filter=name eq cluster-1");
    found["items"][0]["id"].as_str().unwrap().to_owned()
}

fn succeeds(world: &mut World, answer: (u16, Value)) {
    let task = world.done(answer);
    assert_eq!(task["state"], "SUCCEEDED", "{task}");
}

fn refused(answer: &(u16, Value), word: &str) {
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
        .filter_map(|volume| volume["access_control_records"][0]["lun"].as_u64())
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
fn a_volume_is_in_one_collection_and_both_show_it() {
    let mut world = World::new();
    let made = volume(&mut world, "v", &json!({}));
    let list = json!({"name": "set", "volume_list": [id(&made)], "description": "d"});
    let answer = world.post(&path("volume-collections"), &list);
    succeeds(&mut world, answer);
    let (_, sets) = world.get(&path("volume-collections?filter=name eq set"));
    let set = sets["items"][0].clone();
    let address = path(&format!(
        "volume-collections/{}",
        set["id"].as_str().unwrap()
    ));
    assert_eq!(
        (&set["volume_count"], &set["volume_list"][0]["name"]),
        (&json!(1), &json!("v"))
    );
    assert_eq!(world.get(&made).1["volcoll_id"], set["id"]);
    refused(&world.delete(&format!("{made}?offline=true")), "collection");

    let (_, others) = world.get(&path("volume-collections?filter=name ne set"));
    let other = path(&format!(
        "volume-collections/{}",
        others["items"][0]["id"].as_str().unwrap()
    ));
    let ids = json!({"volume_ids": [id(&made)]});
    refused(
        &world.post(&format!("{other}/actions/add-volumes"), &ids),
        "another",
    );
    refused(
        &world.post(&format!("{other}/actions/remove-volumes"), &ids),
        "not in",
    );
    refused(&world.delete(&address), "has volumes");

    let answer = world.post(&format!("{address}/actions/remove-volumes"), &ids);
    succeeds(&mut world, answer);
    let answer = world.post(&format!("{other}/actions/add-volumes"), &ids);
    succeeds(&mut world, answer);
    let answer = world.put(&other, &json!({"name": "renamed"}));
    succeeds(&mut world, answer);
    assert_eq!(world.get(&made).1["volcoll_name"], "renamed");
    let answer = world.delete(&format!("{other}?force=true"));
    succeeds(&mut world, answer);
    assert_eq!(world.get(&made).1["volcoll_id"], Value::Null);
}

#[test]
fn a_collection_changes_hands_and_its_volumes_with_it() {
    let mut world = World::new();
    let made = volume(&mut world, "v", &json!({}));
    let list = json!({"name": "set", "volume_list": [id(&made)]});
    let answer = world.post(&path("volume-collections"), &list);
    succeeds(&mut world, answer);
    let (_, sets) = world.get(&path("volume-collections?filter=name eq set"));
    let address = path(&format!(
        "volume-collections/{}",
        sets["items"][0]["id"].as_str().unwrap()
    ));
    let partner = json!({"replication_partner_id": "p1"});

    let handover = world.post(&format!("{address}/actions/handover"), &partner);
    let (_, during) = world.get(&address);
    assert_eq!(
        (
            &during["is_handing_over"],
            &during["handover_replication_partner"]
        ),
        (&json!(true), &json!("p1"))
    );
    refused(
        &world.post(&format!("{address}/actions/handover"), &partner),
        "already",
    );
    let aborted = world.post(&format!("{address}/actions/abort-handover"), &json!({}));
    assert_eq!(world.done(handover)["state"], "FAILED");
    succeeds(&mut world, aborted);
    let (_, after) = world.get(&address);
    assert_eq!(
        (&after["is_handing_over"], &after["replication_partner"]),
        (&json!(false), &json!([]))
    );
    assert_eq!(world.get(&made).1["online"], true);

    for (action, body, online, owner) in [
        ("handover", &partner, false, "p1"),
        ("promote", &json!({}), true, "group-1"),
        ("demote", &partner, false, "p1"),
    ] {
        let answer = world.post(&format!("{address}/actions/{action}"), body);
        succeeds(&mut world, answer);
        assert_eq!(world.get(&address).1["pol_owner_name"], owner, "{action}");
        assert_eq!(world.get(&made).1["online"], online, "{action}");
    }
}

#[test]
fn pools_are_made_of_arrays_and_add_up() {
    let mut world = World::new();
    let (_, before) = world.get(&path("storage-pools"));
    let capacity = |list: &Value| -> f64 {
        let pools = list["items"].as_array().unwrap().iter();
        pools.map(|pool| pool["capacity"].as_f64().unwrap()).sum()
    };
    let spare = "0006b878a5a008ec6700000000000000000000006e";
    let body = json!({"name": "new", "array_list": [{"id": spare}]});
    let answer = world.post(&path("storage-pools"), &body);
    succeeds(&mut world, answer);
    let (_, after) = world.get(&path("storage-pools"));
    assert!(capacity(&after) > capacity(&before));
    let (_, system) = world.get(S2);
    assert_eq!(
        system["usable_capacity_bytes"].as_f64().unwrap().to_bits(),
        capacity(&after).to_bits()
    );
    let taken = json!({"name": "more", "array_list": [{"id": spare}]});
    refused(&world.post(&path("storage-pools"), &taken), "another pool");

    let (_, found) = world.get(&path("storage-pools?filter=name eq new"));
    let pool = found["items"][0]["id"].as_str().unwrap().to_owned();
    let address = path(&format!("storage-pools/{pool}"));
    let made = volume(&mut world, "v", &json!({"pool_id": pool}));
    assert_eq!(world.get(&address).1["vol_list"][0]["vol_name"], "v");
    refused(&world.delete(&address), "has volumes");
    refused(
        &world.put(&address, &json!({"array_list": []})),
        "has volumes",
    );
    let answer = world.put(&address, &json!({"is_default": true, "description": "d"}));
    succeeds(&mut world, answer);
    let by_default = volume(&mut world, "by-default", &json!({}));
    assert_eq!(world.get(&by_default).1["pool_name"], "new");
    refused(&world.delete(&address), "default pool");
    let (_, old) = world.get(&path("storage-pools?filter=name eq default"));
    let old = path(&format!(
        "storage-pools/{}",
        old["items"][0]["id"].as_str().unwrap()
    ));
    let answer = world.put(&old, &json!({"is_default": true}));
    succeeds(&mut world, answer);
    for volume in [made, by_default] {
        let answer = world.delete(&format!("{volume}?force=true"));
        succeeds(&mut world, answer);
    }
    let answer = world.delete(&address);
    succeeds(&mut world, answer);
    let answer = world.post(&path("storage-pools"), &body);
    succeeds(&mut world, answer);
}

#[test]
fn a_pool_that_goes_meanwhile_takes_no_new_volume() {
    let mut world = World::new();
    let body = json!({"name": "new", "array_list": [{"id": "0006b878a5a008ec6700000000000000000000006e"}]});
    let answer = world.post(&path("storage-pools"), &body);
    succeeds(&mut world, answer);
    let (_, found) = world.get(&path("storage-pools?filter=name eq new"));
    let pool = found["items"][0]["id"].as_str().unwrap().to_owned();
    let gone = world.delete(&path(&format!("storage-pools/{pool}")));
    world.later(100);
    let late = json!({"name": "late", "size": 1, "pool_id": pool});
    let answer = world.post(&path("volumes"), &late);
    succeeds(&mut world, gone);
    assert_eq!(world.done(answer)["state"], "FAILED");
}

#[test]
fn settings_of_a_system_are_shown_once_they_are_made() {
    let mut world = World::new();
    let body = json!({"name": "renamed", "timezone": "Europe/Berlin", "date": 1_700_000_000});
    let answer = world.put(S2, &body);
    succeeds(&mut world, answer);
    let (_, system) = world.get(S2);
    assert_eq!(
        (&system["name"], &system["timezone"]),
        (&json!("renamed"), &json!("Europe/Berlin"))
    );
    assert_eq!(system["date"], 1_700_000_001);
    assert_eq!(
        world.get(&format!("storage-systems/{GROUP}")).1["name"],
        "renamed"
    );
    let (_, volumes) = world.get(&path("volumes?limit=1"));
    assert_eq!(volumes["items"][0]["owned_by_group"], "renamed");
}
