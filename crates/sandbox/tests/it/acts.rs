//! What the test of the invariants does, and what it looks at.

use std::collections::BTreeSet;

use hallpass_sandbox::State;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::world::{SYSTEM, World};

/// What somebody does; the numbers choose among what there is.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    Create(u8),
    Edit(usize, u8),
    Delete(usize, bool, bool),
    Export(usize, bool),
    UnExport(usize),
    DeleteVlun(usize),
    Snapshot(usize, u8),
    Promote(usize),
    DeleteSnapshot(usize),
    ExportSnapshot(usize),
    Clone(usize, u8),
    WorkOnClone(usize, bool),
    CreateSet(u8, usize, usize),
    EditSet(usize, usize, usize),
    DeleteSet(usize),
    ExportSet(usize, bool),
    Snapset(usize, u8),
    DeleteSnapset(usize),
}

pub(crate) fn any_act() -> impl Strategy<Value = Act> {
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
        2 => which().prop_map(Act::ExportSnapshot),
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
pub(crate) struct Objects(Value);

impl Objects {
    pub(crate) fn of(state: &State) -> Self {
        Self(serde_json::to_value(state).unwrap())
    }

    pub(crate) fn all(&self, collection: &str) -> Vec<&Value> {
        let pairs = self.0["collections"][collection].as_array();
        pairs.into_iter().flatten().map(|pair| &pair[1]).collect()
    }

    pub(crate) fn ids(&self, collection: &str) -> BTreeSet<&str> {
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

pub(crate) fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    object[field].as_str().unwrap_or_default()
}

/// Does it, if there is anything to do it to.
pub(crate) fn act(world: &mut World, act: &Act) -> Option<(u16, Value)> {
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
            if vlun["ofSnapshot"].is_string() {
                let snapshot = format!("{device}/snapshots/{}", text(vlun, "ofSnapshot"));
                let groups = json!({"hostGroupIds": [vlun["ofGroup"]]});
                return Some(world.post(&format!("{snapshot}/un-export"), &groups));
            }
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
        Act::ExportSnapshot(index) => {
            let snapshot = objects.pick("snapshots", *index)?;
            let path = format!("{device}/snapshots/{}/export", text(snapshot, "id"));
            world.post(&path, &groups)
        }
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
        _ => return act_on_sets(world, &objects, act),
    })
}

fn act_on_sets(world: &mut World, objects: &Objects, act: &Act) -> Option<(u16, Value)> {
    let device = format!("storage-systems/device-type1/{SYSTEM}");
    let group = objects
        .all("hostGroups")
        .first()
        .map(|group| group["id"].clone());
    let groups = json!({"hostGroupIds": [group], "proximity": "ALL"});
    let volume = |index: &usize| objects.pick("volumes", *index);
    let set = |index: &usize| {
        let set = objects.pick("applicationSets", *index)?;
        Some(format!("{device}/applicationsets/{}", text(set, "id")))
    };
    Some(match act {
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
        _ => return None,
    })
}
