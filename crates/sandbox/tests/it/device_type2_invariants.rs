//! Whatever is done to device-type2 and to hosts, groups and initiators, in whatever order and
//! however much overlaps: both sides of each relation show the same, the numbers add up, and a
//! journal brings the state back.

use std::collections::{BTreeMap, BTreeSet};

use hallpass_sandbox::{Change, State};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::acts::{Objects, text};
use crate::device_type2::S2;
use crate::device_type2_acts::{act, any_act};
use crate::world::World;

/// A page with everything, by id.
fn all(world: &mut World, list: &str) -> BTreeMap<String, Value> {
    let (status, page) = world.get(&format!("{list}?limit=100000"));
    assert_eq!(status, 200, "{list}");
    let items = page["items"].as_array().unwrap().iter();
    items
        .map(|item| (text(item, "id").to_owned(), item.clone()))
        .collect()
}

/// Pairs of the id of an object and of one in its list, with the name that the list gives the second.
fn pairs<'a>(
    objects: &'a BTreeMap<String, Value>,
    list: &str,
    id: &str,
    name: &str,
) -> BTreeSet<(&'a str, &'a str, &'a str)> {
    let mut pairs = BTreeSet::new();
    for (from, object) in objects {
        for to in object[list].as_array().into_iter().flatten() {
            pairs.insert((from.as_str(), text(to, id), text(to, name)));
        }
    }
    pairs
}

/// The second side: the same pairs the other way round, with the names that the objects have.
fn mirrored<'a>(
    objects: &'a BTreeMap<String, Value>,
    list: &str,
    others: &'a BTreeMap<String, Value>,
) -> BTreeSet<(&'a str, &'a str, &'a str)> {
    let pairs = pairs(objects, list, "id", "name").into_iter();
    pairs
        .map(|(from, to, _)| {
            let (to, _) = others.get_key_value(to).unwrap();
            (to.as_str(), from, text(&objects[from], "name"))
        })
        .collect()
}

fn family(world: &mut World) -> Result<(), TestCaseError> {
    let hosts = all(world, "host-initiators");
    let groups = all(world, "host-initiator-groups");
    let initiators = all(world, "initiators");
    prop_assert_eq!(
        pairs(&hosts, "hostGroups", "id", "name"),
        mirrored(&groups, "hosts", &hosts)
    );
    prop_assert_eq!(
        pairs(&groups, "hosts", "id", "name"),
        mirrored(&hosts, "hostGroups", &groups)
    );
    prop_assert_eq!(
        pairs(&hosts, "initiators", "id", "name"),
        mirrored(&initiators, "hosts", &hosts)
    );
    prop_assert_eq!(
        pairs(&initiators, "hosts", "id", "name"),
        mirrored(&hosts, "initiators", &initiators)
    );
    for (objects, key) in [
        (&hosts, "name"),
        (&groups, "name"),
        (&initiators, "address"),
    ] {
        let names: BTreeSet<&str> = objects.values().map(|object| text(object, key)).collect();
        prop_assert_eq!(names.len(), objects.len(), "a {} twice", key);
    }
    Ok(())
}

fn exports(world: &mut World) -> Result<(), TestCaseError> {
    let groups = all(world, "host-initiator-groups");
    let volumes = all(world, &format!("{S2}/volumes"));
    let fleet = all(world, "volumes");
    let records = pairs(
        &volumes,
        "access_control_records",
        "initiator_group_id",
        "initiator_group_name",
    );
    let shown: BTreeSet<_> = pairs(&fleet, "initiators", "id", "deviceDiscoveredName")
        .into_iter()
        .filter(|(volume, ..)| volumes.contains_key(*volume))
        .collect();
    prop_assert_eq!(&records, &shown);
    for (_, group, name) in &records {
        prop_assert_eq!(text(&groups[*group], "name"), *name);
    }
    for host in all(world, "host-initiators").values() {
        let (_, reached) = world.get(&format!("host-initiators/{}/volumes", text(host, "id")));
        let reached = reached["items"].as_array().unwrap().iter();
        let mut reached: Vec<&str> = reached.map(|volume| text(volume, "resourceUri")).collect();
        reached.retain(|uri| uri.contains("device-type2"));
        reached.sort_unstable();
        let mine = |group: &str| {
            let mut groups = host["hostGroups"].as_array().unwrap().iter();
            groups.any(|of_host| text(of_host, "id") == group)
        };
        let expected: BTreeSet<&str> = records
            .iter()
            .filter(|(_, group, _)| mine(group))
            .map(|(volume, ..)| text(&volumes[*volume], "resourceUri"))
            .collect();
        prop_assert_eq!(reached, expected.into_iter().collect::<Vec<_>>());
    }
    Ok(())
}

fn device(world: &mut World) -> Result<(), TestCaseError> {
    let volumes = all(world, &format!("{S2}/volumes"));
    let collections = all(world, &format!("{S2}/volume-collections"));
    let pools = all(world, &format!("{S2}/storage-pools"));
    let mut members = BTreeSet::new();
    for (id, volume) in &volumes {
        if let Some(collection) = volume["volcoll_id"].as_str() {
            members.insert((collection, id.as_str(), text(volume, "name")));
            prop_assert_eq!(&collections[collection]["name"], &volume["volcoll_name"]);
        }
        prop_assert_eq!(
            &pools[text(volume, "pool_id")]["name"],
            &volume["pool_name"]
        );
        prop_assert!(
            volume["total_usage_bytes"].as_i64() <= volume["size"].as_i64().map(|size| size << 20)
        );
        let (_, snapshots) = world.get(&format!("{S2}/volumes/{id}/snapshots"));
        prop_assert_eq!(&snapshots["total"], &volume["num_snaps"]);
        if volume["clone"] == json!(true) {
            let parent = &volumes[text(volume, "parent_vol_id")];
            prop_assert_eq!(&parent["name"], &volume["parent_vol_name"]);
            prop_assert!(
                volume["base_snap_name"].is_string(),
                "a clone without its snapshot"
            );
        }
    }
    prop_assert_eq!(pairs(&collections, "volume_list", "id", "name"), members);
    let (mut used, mut capacity) = (0, 0);
    for (id, pool) in &pools {
        let here = volumes
            .values()
            .filter(|volume| text(volume, "pool_id") == id);
        let sum: i64 = here
            .clone()
            .filter_map(|volume| volume["total_usage_bytes"].as_i64())
            .sum();
        prop_assert_eq!(pool["usage"].as_i64(), Some(sum));
        prop_assert_eq!(pool["vol_count"].as_u64(), Some(here.count() as u64));
        let free = pool["capacity"].as_i64().unwrap() - sum;
        prop_assert_eq!(pool["free_space"].as_i64(), Some(free));
        used += sum;
        capacity += pool["capacity"].as_i64().unwrap();
    }
    let (_, system) = world.get(S2);
    prop_assert_eq!(system["usage"].as_i64(), Some(used));
    prop_assert_eq!(system["usable_capacity_bytes"].as_i64(), Some(capacity));
    prop_assert_eq!(system["free_space"].as_i64(), Some(capacity - used));
    prop_assert_eq!(
        pools
            .values()
            .filter(|pool| pool["is_default"] == true)
            .count(),
        1
    );
    Ok(())
}

/// Pairs whose ends are there, arrays in one pool, records of what there is.
fn nothing_dangles(state: &State) -> Result<(), TestCaseError> {
    let objects = Objects::of(state);
    let ids = |collection: &str| objects.ids(collection);
    let subjects: BTreeSet<&str> = ids("volumes")
        .union(&ids("deviceType2Snapshots"))
        .copied()
        .collect();
    for (relation, from, to) in [
        ("hostsOfGroups", &ids("hostGroups"), &ids("hosts")),
        ("initiatorsOfHosts", &ids("hosts"), &ids("initiators")),
        ("accessControlRecords", &subjects, &ids("hostGroups")),
        (
            "volumesOfCollections",
            &ids("volumes"),
            &ids("volumeCollections"),
        ),
        ("clonesOfVolumes", &ids("volumes"), &ids("volumes")),
        (
            "clonesOfSnapshots",
            &ids("deviceType2Snapshots"),
            &ids("volumes"),
        ),
        ("poolsOfArrays", &ids("arrays"), &ids("pools")),
    ] {
        for pair in objects.all(relation) {
            prop_assert!(from.contains(text(pair, "from")), "{relation}: {pair}");
            prop_assert!(to.contains(text(pair, "to")), "{relation}: {pair}");
        }
    }
    let arrays = objects.all("poolsOfArrays");
    let once: BTreeSet<&str> = arrays.iter().map(|pair| text(pair, "from")).collect();
    prop_assert_eq!(once.len(), arrays.len(), "an array in two pools");
    for pool in objects.all("pools") {
        let mine = arrays.iter().filter(|pair| pair["to"] == pool["id"]);
        let of_arrays: Option<f64> = mine
            .map(|pair| {
                let all = objects.all("arrays");
                let array = all.into_iter().find(|array| array["id"] == pair["from"]);
                array?["capacityMiB"].as_f64()
            })
            .sum();
        let device_type2 = text(pool, "id").len() == 42;
        prop_assert!(
            !device_type2 || pool["totalSizeMiB"].as_f64() == of_arrays,
            "{pool}"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn both_sides_agree_at_every_moment_and_the_journal_brings_them_back(
        acts in prop::collection::vec((any_act(), 0_i64..600), 1..30),
    ) {
        let mut world = World::new();
        let mut restarted = world.state.clone();
        for (next, pause) in &acts {
            if let Some((status, answer)) = act(&mut world, next) {
                prop_assert!([200, 202, 400, 404].contains(&status), "{next:?}: {answer}");
            }
            world.later(*pause);
            world.state.advance(world.now);
            nothing_dangles(&world.state)?;
        }
        family(&mut world)?;
        exports(&mut world)?;
        device(&mut world)?;
        world.later(10_000);
        world.state.advance(world.now);
        nothing_dangles(&world.state)?;
        family(&mut world)?;
        exports(&mut world)?;
        device(&mut world)?;
        prop_assert_eq!(world.state.next_due(), None);
        let ended = Objects::of(&world.state);
        prop_assert!(ended.all("tasks").iter().all(|task| !task["endedAt"].is_null()));
        for collection in ["hosts", "hostGroups"] {
            for object in ended.all(collection) {
                prop_assert!(!text(object, "editStatus").ends_with("In_Progress"), "{object}");
            }
        }

        let journal = serde_json::to_string(&world.journal).unwrap();
        let journal: Vec<(Vec<Change>, Timestamp)> = serde_json::from_str(&journal).unwrap();
        for (changes, now) in journal {
            restarted.commit(&changes, now);
        }
        restarted.advance(world.now);
        prop_assert_eq!(&restarted, &world.state);
        let read: State = serde_json::from_value(serde_json::to_value(&restarted).unwrap()).unwrap();
        prop_assert_eq!(read, restarted);
    }
}
