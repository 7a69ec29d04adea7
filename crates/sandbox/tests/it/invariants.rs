//! Whatever is done to the volumes of device-type1, in whatever order and however much overlaps: the
//! state stays consistent at every moment, and a journal brings it back.

use std::collections::{BTreeMap, BTreeSet};

use hallpass_sandbox::{Change, State};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::Value;

use crate::acts::{Objects, act, any_act, text};
use crate::world::World;

fn check(state: &State) -> Result<(), TestCaseError> {
    let objects = Objects::of(state);
    let [volumes, groups, sets] =
        ["volumes", "hostGroups", "applicationSets"].map(|collection| objects.ids(collection));
    let mut luns = BTreeSet::new();
    let memberships = objects.ids("setMembers");
    let snapshots = objects.ids("snapshots");
    for vlun in objects.all("vluns") {
        let of_snapshot = vlun["ofSnapshot"].is_string();
        prop_assert!(
            if of_snapshot {
                snapshots.contains(text(vlun, "ofSnapshot"))
                    && volumes.contains(text(vlun, "copyOf"))
            } else {
                volumes.contains(text(vlun, "ofVolume"))
            },
            "a VLUN without its volume"
        );
        prop_assert!(
            groups.contains(text(vlun, "ofGroup")),
            "a VLUN without its group"
        );
        prop_assert!(luns.insert(text(vlun, "name")), "a LUN twice in a group");
        let member = format!("{}/{}", text(vlun, "ofSet"), text(vlun, "ofVolume"));
        prop_assert!(
            vlun["ofSet"].is_null() || of_snapshot || memberships.contains(member.as_str()),
            "exported through a set that it is not in"
        );
    }
    for member in objects.all("setMembers") {
        prop_assert!(
            volumes.contains(text(member, "ofVolume")),
            "a member that is gone"
        );
        prop_assert!(
            sets.contains(text(member, "ofSet")),
            "a member of a set that is gone"
        );
    }
    for snapshot in objects.all("snapshots") {
        prop_assert!(
            volumes.contains(text(snapshot, "ofVolume")),
            "a snapshot of nothing"
        );
    }
    for snapset in objects.all("snapsets") {
        prop_assert!(
            sets.contains(text(snapset, "ofSet")),
            "snapshots of a set that is gone"
        );
    }
    names_are_unique(&objects)?;
    capacity_adds_up(&objects)?;
    tasks_are_consistent(&objects)
}

fn names_are_unique(objects: &Objects) -> Result<(), TestCaseError> {
    let mut names = BTreeSet::new();
    for object in [objects.all("volumes"), objects.all("snapshots")].concat() {
        let name = (text(object, "systemId"), text(object, "name"));
        prop_assert!(names.insert(name), "{name:?} twice");
    }
    Ok(())
}

fn capacity_adds_up(objects: &Objects) -> Result<(), TestCaseError> {
    let volumes = objects.ids("volumes");
    let mut used: BTreeMap<&str, f64> = BTreeMap::new();
    for volume in objects.all("volumes") {
        let (size, mine) = (&volume["sizeMiB"], &volume["usedSizeMiB"]);
        prop_assert!(
            mine.as_f64() <= size.as_f64(),
            "more used than there is: {volume}"
        );
        *used.entry(text(volume, "poolId")).or_default() += mine.as_f64().unwrap();
        let parent = text(volume, "copyOf");
        prop_assert!(
            parent.is_empty() || volumes.contains(parent),
            "a clone of nothing"
        );
    }
    for pool in objects.all("pools") {
        let total = pool["totalSizeMiB"].as_f64().unwrap();
        let used = used.remove(text(pool, "id")).unwrap_or_default();
        prop_assert!(used <= total, "a pool is more than full: {pool}");
    }
    prop_assert!(used.is_empty(), "volumes in no pool");
    Ok(())
}

fn tasks_are_consistent(objects: &Objects) -> Result<(), TestCaseError> {
    let tasks: BTreeMap<&str, &Value> = objects
        .all("tasks")
        .into_iter()
        .map(|task| (text(task, "resourceUri"), task))
        .collect();
    for task in tasks.values() {
        let over = ["SUCCEEDED", "FAILED"].contains(&text(task, "state"));
        prop_assert_eq!(over, task["progressPercent"] == 100);
        prop_assert_eq!(over, !task["endedAt"].is_null());
        let mut failed = false;
        for child in task["childTasks"].as_array().unwrap() {
            let child = tasks[text(child, "resourceUri")];
            prop_assert_eq!(&child["parentTask"]["resourceUri"], &task["resourceUri"]);
            prop_assert!(
                !over || !child["endedAt"].is_null(),
                "a child outlives its parent"
            );
            failed |= child["state"] == "FAILED";
        }
        prop_assert!(
            !(failed && task["state"] == "SUCCEEDED"),
            "a failed child went unseen"
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_state_is_consistent_at_every_moment_and_comes_back(
        acts in prop::collection::vec((any_act(), 0_i64..500), 1..40),
    ) {
        let mut world = World::new();
        let mut restarted = world.state.clone();
        for (next, pause) in &acts {
            if let Some((status, answer)) = act(&mut world, next) {
                prop_assert!([202, 400, 404].contains(&status), "{next:?}: {answer}");
            }
            world.later(*pause);
            world.state.advance(world.now);
            check(&world.state)?;
        }
        world.later(10_000);
        world.state.advance(world.now);
        check(&world.state)?;
        prop_assert_eq!(world.state.next_due(), None);
        let ended = Objects::of(&world.state);
        prop_assert!(ended.all("tasks").iter().all(|task| !task["endedAt"].is_null()));

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
