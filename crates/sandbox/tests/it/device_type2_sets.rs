//! Device-type2: what volumes are put together in, and the system itself.

use serde_json::{Value, json};

use crate::device_type2::{S2, id, path, refused, succeeds, volume};
use crate::world::{GROUP, World};

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
fn the_fleet_shows_a_collection_among_its_volume_sets() {
    let mut world = World::new();
    let made = volume(&mut world, "v", &json!({}));
    let list = json!({"name": "together", "volume_list": [id(&made)]});
    let answer = world.post(&path("volume-collections"), &list);
    succeeds(&mut world, answer);
    let system = S2.rsplit('/').next().unwrap();
    for sets in [
        "volume-sets".to_owned(),
        format!("storage-systems/{system}/volume-sets"),
    ] {
        let (status, found) = world.get(&format!("{sets}?filter=name eq together"));
        assert_eq!((status, &found["total"]), (200, &json!(1)), "{sets}");
        let set = &found["items"][0];
        assert_eq!(set["members"], json!(["v"]));
        assert_eq!(set["productFamily"], "deviceType2");
        assert_eq!(set["systemId"], system);
        let one = set["id"].as_str().unwrap();
        assert_eq!(world.get(&format!("{sets}/{one}")).0, 200);
        let uri = set["resourceUri"].as_str().unwrap();
        assert_eq!(
            world.get(uri.strip_prefix("/api/v1/").unwrap()).1["id"],
            one
        );
        let (_, fleet) = world.get("volumes?filter=name eq v");
        assert_eq!(fleet["items"][0]["volumeSetId"], one);
        let (_, volumes) = world.get(&format!("volume-sets/{one}/volumes"));
        assert_eq!(volumes["total"], 1);
    }
    assert!(world.get("volume-sets").1["total"].as_i64() > Some(1));
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
