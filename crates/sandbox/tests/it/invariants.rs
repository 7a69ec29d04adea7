//! Whatever is done to the volumes of device-type1, in whatever order and however much overlaps: the
//! state stays consistent at every moment, and a journal brings it back.

use std::collections::{BTreeMap, BTreeSet};

use hallpass_sandbox::{Change, State};
use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{SYSTEM, World};

/// What somebody does; the numbers choose among what there is.
#[derive(Debug, Clone)]
enum Act {
    Create(u8),
    Edit(usize, u8),
    Delete(usize, bool, bool),
    Export(usize, bool),
    UnExport(usize),
    DeleteVlun(usize),
    Snapshot(usize, u8),
    Promote(usize),
    DeleteSnapshot(usize),
    Clone(usize, u8),
    WorkOnClone(usize, bool),
    CreateSet(u8, usize, usize),
    EditSet(usize, usize, usize),
    DeleteSet(usize),
    ExportSet(usize, bool),
    Snapset(usize, u8),
    DeleteSnapset(usize),
}

fn any_act() -> impl Strategy<Value = Act> {
    let which = || 0_usize..4;
    let name = || 0_u8..4;
    prop_oneof![
        3 => name().prop_map(Act::Create),
        1 => (which(), name()).prop_map(|(v, n)| Act::Edit(v, n)),
        3 => (which(), any::<bool>(), any::<bool>()).prop_map(|(v, u, c)| Act::Delete(v, u, c)),
        3 => (which(), any::<bool>()).prop_map(|(v, o)| Act::Export(v, o)),
        1 => which().prop_map(Act::UnExport),
        1 => which().prop_map(Act::DeleteVlun),
        3 => (which(), name()).prop_map(|(v, n)| Act::Snapshot(v, n)),
        1 => which().prop_map(Act::Promote),
        1 => which().prop_map(Act::DeleteSnapshot),
        1 => (which(), name()).prop_map(|(v, n)| Act::Clone(v, n)),
        1 => (which(), any::<bool>()).prop_map(|(c, p)| Act::WorkOnClone(c, p)),
        1 => (name(), which(), which()).prop_map(|(n, a, b)| Act::CreateSet(n, a, b)),
        1 => (which(), which(), which()).prop_map(|(s, a, b)| Act::EditSet(s, a, b)),
        1 => which().prop_map(Act::DeleteSet),
        1 => (which(), any::<bool>()).prop_map(|(s, e)| Act::ExportSet(s, e)),
        1 => (which(), name()).prop_map(|(s, n)| Act::Snapset(s, n)),
        1 => which().prop_map(Act::DeleteSnapset),
    ]
}

/// The objects of a state, as whoever reads its snapshot sees them.
struct Objects(Value);

impl Objects {
    fn of(state: &State) -> Self {
        Self(serde_json::to_value(state).unwrap())
    }

    fn all(&self, collection: &str) -> Vec<&Value> {
        let pairs = self.0["collections"][collection].as_array();
        pairs.into_iter().flatten().map(|pair| &pair[1]).collect()
    }

    fn ids(&self, collection: &str) -> BTreeSet<&str> {
        let objects = self.all(collection).into_iter();
        objects.map(|object| text(object, "id")).collect()
    }

    /// One of the objects on the system; they are counted round.
    fn pick(&self, collection: &str, index: usize) -> Option<&Value> {
        let mut here = self.all(collection);
        here.retain(|object| object["systemId"] == SYSTEM);
        (!here.is_empty()).then(|| here[index % here.len()])
    }
}

fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

fn act(world: &mut World, act: &Act) -> Option<(u16, Value)> {
    world.state.advance(world.now);
    let objects = Objects::of(&world.state);
    let device = format!("storage-systems/device-type1/{SYSTEM}");
    let group = objects
        .all("hostGroups")
        .first()
        .map(|group| group["id"].clone());
    let groups = json!({"hostGroupIds": [group], "proximity": "ALL"});
    let volume = |index: &usize| objects.pick("volumes", *index);
    let path = |volume: &Value| format!("{device}/volumes/{}", text(volume, "id"));
    let set = |index: &usize| {
        let set = objects.pick("applicationSets", *index)?;
        Some(format!("{device}/applicationsets/{}", text(set, "id")))
    };
    Some(match act {
        Act::Create(name) => world.post(
            &format!("{device}/volumes"),
            &json!({"name": format!("v{name}"), "sizeMib": 1024, "userCpg": "SSD_r1", "count": 1 + name % 3}),
        ),
        Act::Edit(index, name) => world.put(
            &path(volume(index)?),
            &json!({"name": format!("v{name}"), "sizeMib": 300_000 + u32::from(*name), "userCpgName": "NL_r6"}),
        ),
        Act::Delete(index, un_export, cascade) => world.delete(&format!(
            "{}?unExport={un_export}&cascade={cascade}",
            path(volume(index)?)
        )),
        Act::Export(index, again) => {
            let mut body = groups;
            body["override"] = (*again).into();
            world.post(&format!("{}/export", path(volume(index)?)), &body)
        }
        Act::UnExport(index) => {
            world.post(&format!("{}/un-export", path(volume(index)?)), &groups)
        }
        Act::DeleteVlun(index) => {
            let vlun = objects.pick("vluns", *index)?;
            world.delete(&format!(
                "{device}/volumes/{}/vluns/{}",
                text(vlun, "ofVolume"),
                text(vlun, "id")
            ))
        }
        Act::Snapshot(index, name) => world.post(
            &format!("{}/snapshots", path(volume(index)?)),
            &json!({"namePattern": "CUSTOM", "customName": format!("v{name}"), "expireSecs": name, "retainSecs": name / 2}),
        ),
        Act::Promote(index) | Act::DeleteSnapshot(index) => {
            let snapshot = objects.pick("snapshots", *index)?;
            let path = format!(
                "{device}/volumes/{}/snapshots/{}",
                text(snapshot, "ofVolume"),
                text(snapshot, "id")
            );
            match act {
                Act::Promote(_) => world.post(&path, &json!({})),
                _ => world.delete(&path),
            }
        }
        Act::Clone(index, name) => world.post(
            &format!("{}/clone", path(volume(index)?)),
            &json!({"destinationVolume": format!("v{name}")}),
        ),
        Act::WorkOnClone(index, promote) => {
            let mut clones = objects.all("volumes");
            clones.retain(|volume| volume["systemId"] == SYSTEM && volume["copyOf"].is_string());
            let clone = clones.get(index % clones.len().max(1))?;
            let verb = if *promote { "promote" } else { "resync" };
            let (parent, id) = (text(clone, "copyOf"), text(clone, "id"));
            world.post(
                &format!("{device}/volumes/{parent}/clones/{id}/{verb}"),
                &json!({}),
            )
        }
        Act::CreateSet(name, one, other) => world.post(
            &format!("{device}/applicationsets"),
            &json!({"appSetName": format!("s{name}"), "appSetType": "OTHER",
                    "members": [volume(one)?["name"], volume(other)?["id"]]}),
        ),
        Act::EditSet(index, one, other) => world.put(
            &set(index)?,
            &json!({"addMembers": [volume(one)?["name"]], "removeMembers": [volume(other)?["name"]]}),
        ),
        Act::DeleteSet(index) => world.delete(&set(index)?),
        Act::ExportSet(index, export) => {
            let verb = if *export { "export" } else { "un-export" };
            world.post(&format!("{}/{verb}", set(index)?), &groups)
        }
        Act::Snapset(index, name) => world.post(
            &format!("{}/snapsets", set(index)?),
            &json!({"vvNamePattern": "CUSTOM", "snapshotName": format!("v{name}"), "expireSecs": name}),
        ),
        Act::DeleteSnapset(index) => {
            let snapset = objects.pick("snapsets", *index)?;
            world.delete(&format!(
                "{device}/applicationsets/{}/snapsets/{}",
                text(snapset, "ofSet"),
                text(snapset, "id")
            ))
        }
    })
}

fn check(state: &State) -> Result<(), TestCaseError> {
    let objects = Objects::of(state);
    let [volumes, groups, sets] =
        ["volumes", "hostGroups", "applicationSets"].map(|collection| objects.ids(collection));
    let mut luns = BTreeSet::new();
    let memberships = objects.ids("setMembers");
    for vlun in objects.all("vluns") {
        prop_assert!(
            volumes.contains(text(vlun, "ofVolume")),
            "a VLUN without its volume"
        );
        prop_assert!(
            groups.contains(text(vlun, "ofGroup")),
            "a VLUN without its group"
        );
        prop_assert!(luns.insert(text(vlun, "name")), "a LUN twice in a group");
        let member = format!("{}/{}", text(vlun, "ofSet"), text(vlun, "ofVolume"));
        prop_assert!(
            vlun["ofSet"].is_null() || memberships.contains(member.as_str()),
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
