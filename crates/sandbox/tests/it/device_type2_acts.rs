//! What the test of the invariants of device-type2 and of the host family does.

use proptest::prelude::*;
use serde_json::{Value, json};

use crate::acts::{Objects, text};
use crate::device_type2::S2;
use crate::world::World;

/// What somebody does; the numbers choose among what there is.
#[derive(Debug, Clone)]
pub(crate) enum Act {
    CreateHost(u8, usize, usize),
    UpdateHost(usize, u8, usize),
    DeleteHost(usize, bool),
    CreateGroup(u8, usize),
    UpdateGroup(usize, usize, usize),
    DeleteGroup(usize, bool),
    CreateInitiator(u8),
    DeleteInitiator(usize),
    Create(u8, usize),
    Edit(usize, u8, bool),
    Delete(usize, bool),
    Export(usize, usize),
    UnExport(usize, usize),
    Snapshot(usize, u8, bool),
    ExportSnapshot(usize, usize, bool),
    DeleteSnapshot(usize, bool),
    Clone(usize, u8),
    CreateCollection(u8, usize),
    Collect(usize, usize, bool),
    DeleteCollection(usize, bool),
    HandOver(usize, u8),
    EditPool(usize, bool),
    DeletePool(usize),
}

pub(crate) fn any_act() -> impl Strategy<Value = Act> {
    let which = || 0_usize..5;
    let name = || 0_u8..4;
    let yes = any::<bool>;
    let hosts = prop_oneof![
        (name(), which(), which()).prop_map(|(n, i, g)| Act::CreateHost(n, i, g)),
        (which(), name(), which()).prop_map(|(h, n, i)| Act::UpdateHost(h, n, i)),
        (which(), yes()).prop_map(|(h, f)| Act::DeleteHost(h, f)),
        (name(), which()).prop_map(|(n, h)| Act::CreateGroup(n, h)),
        (which(), which(), which()).prop_map(|(g, a, b)| Act::UpdateGroup(g, a, b)),
        (which(), yes()).prop_map(|(g, f)| Act::DeleteGroup(g, f)),
        name().prop_map(Act::CreateInitiator),
        which().prop_map(Act::DeleteInitiator),
    ];
    let volumes = prop_oneof![
        (name(), which()).prop_map(|(n, p)| Act::Create(n, p)),
        (which(), name(), yes()).prop_map(|(v, n, f)| Act::Edit(v, n, f)),
        (which(), yes()).prop_map(|(v, f)| Act::Delete(v, f)),
        (which(), which()).prop_map(|(v, g)| Act::Export(v, g)),
        (which(), which()).prop_map(|(v, g)| Act::UnExport(v, g)),
        (which(), name(), yes()).prop_map(|(v, n, o)| Act::Snapshot(v, n, o)),
        (which(), which(), yes()).prop_map(|(s, g, e)| Act::ExportSnapshot(s, g, e)),
        (which(), yes()).prop_map(|(s, f)| Act::DeleteSnapshot(s, f)),
        (which(), name()).prop_map(|(v, n)| Act::Clone(v, n)),
    ];
    let others = prop_oneof![
        (name(), which()).prop_map(|(n, v)| Act::CreateCollection(n, v)),
        (which(), which(), yes()).prop_map(|(c, v, a)| Act::Collect(c, v, a)),
        (which(), yes()).prop_map(|(c, f)| Act::DeleteCollection(c, f)),
        (which(), name()).prop_map(|(c, n)| Act::HandOver(c, n)),
        (which(), yes()).prop_map(|(p, a)| Act::EditPool(p, a)),
        which().prop_map(Act::DeletePool),
    ];
    prop_oneof![3 => hosts, 4 => volumes, 2 => others]
}

/// The id of one of the objects of a collection, those of the system when it is one of volumes;
/// they are counted round from the newest.
fn pick<'o>(objects: &'o Objects, collection: &str, index: usize) -> Option<&'o Value> {
    let mut here = objects.all(collection);
    here.retain(|object| object["systemId"].is_null() || S2.ends_with(text(object, "systemId")));
    (!here.is_empty()).then(|| here[here.len() - 1 - index % here.len()])
}

/// Does it, if there is anything to do it to.
pub(crate) fn act(world: &mut World, act: &Act) -> Option<(u16, Value)> {
    world.state.advance(world.now);
    let objects = Objects::of(&world.state);
    let id = |collection: &str, index: usize| Some(text(pick(&objects, collection, index)?, "id"));
    Some(match act {
        Act::CreateHost(name, initiator, group) => world.post(
            "host-initiators",
            &json!({"name": format!("h{name}"), "operatingSystem": "AIX", "userCreated": true,
                    "initiatorIds": [id("initiators", *initiator)?],
                    "initiatorsToCreate": [{"address": format!("a{name}"), "protocol": "FC"}],
                    "hostGroupIds": [id("hostGroups", *group)?]}),
        ),
        Act::UpdateHost(host, name, initiator) => world.put(
            &format!("host-initiators/{}", id("hosts", *host)?),
            &json!({"name": format!("h{name}"), "updatedInitiators": [id("initiators", *initiator)?]}),
        ),
        Act::DeleteHost(host, force) => {
            world.delete(&format!("host-initiators/{}?force={force}", id("hosts", *host)?))
        }
        Act::CreateGroup(name, host) => world.post(
            "host-initiator-groups",
            &json!({"name": format!("g{name}"), "userCreated": true, "hostIds": [id("hosts", *host)?],
                    "hostsToCreate": [{"name": format!("h{name}"), "operatingSystem": "AIX", "userCreated": true}]}),
        ),
        Act::UpdateGroup(group, added, removed) => world.put(
            &format!("host-initiator-groups/{}", id("hostGroups", *group)?),
            &json!({"updatedHosts": [id("hosts", *added)?], "removedHosts": [id("hosts", *removed)?]}),
        ),
        Act::DeleteGroup(group, force) => world.delete(&format!(
            "host-initiator-groups/{}?force={force}",
            id("hostGroups", *group)?
        )),
        Act::CreateInitiator(name) => world.post(
            "initiators",
            &json!({"address": format!("a{name}"), "protocol": "FC"}),
        ),
        Act::DeleteInitiator(initiator) => {
            world.delete(&format!("initiators/{}", id("initiators", *initiator)?))
        }
        Act::CreateCollection(..)
        | Act::Collect(..)
        | Act::DeleteCollection(..)
        | Act::HandOver(..)
        | Act::EditPool(..)
        | Act::DeletePool(..) => return act_on_others(world, &objects, act),
        _ => return act_on_volumes(world, &objects, act),
    })
}

fn act_on_volumes(world: &mut World, objects: &Objects, act: &Act) -> Option<(u16, Value)> {
    let id = |collection: &str, index: usize| Some(text(pick(objects, collection, index)?, "id"));
    let volume = |index: usize| Some(format!("{S2}/volumes/{}", id("volumes", index)?));
    let groups = |index: usize| Some(json!({"hostGroups": [id("hostGroups", index)?]}));
    let snapshot = |index: usize| {
        let snapshot = pick(objects, "deviceType2Snapshots", index)?;
        let (of, id) = (text(snapshot, "ofVolume"), text(snapshot, "id"));
        Some(format!("{S2}/volumes/{of}/snapshots/{id}"))
    };
    Some(match act {
        Act::Create(name, pool) => world.post(
            &format!("{S2}/volumes"),
            &json!({"name": format!("v{name}"), "size": 64, "pool_id": id("pools", *pool)?}),
        ),
        Act::Edit(index, name, force) => world.put(
            &volume(*index)?,
            &json!({"name": format!("v{name}"), "size": 16 << name, "online": name % 2 == 0, "force": force}),
        ),
        Act::Delete(index, force) => world.delete(&format!("{}?force={force}", volume(*index)?)),
        Act::Export(index, group) => {
            world.post(&format!("{}/export", volume(*index)?), &groups(*group)?)
        }
        Act::UnExport(index, group) => {
            world.post(&format!("{}/un-export", volume(*index)?), &groups(*group)?)
        }
        Act::Snapshot(index, name, online) => world.post(
            &format!("{}/snapshots", volume(*index)?),
            &json!({"name": format!("s{name}"), "online": online}),
        ),
        Act::ExportSnapshot(index, group, export) => {
            let verb = if *export { "export" } else { "un-export" };
            world.post(&format!("{}/{verb}", snapshot(*index)?), &groups(*group)?)
        }
        Act::DeleteSnapshot(index, force) => {
            world.delete(&format!("{}?force={force}", snapshot(*index)?))
        }
        Act::Clone(index, name) => world.post(
            &format!("{}/clone", volume(*index)?),
            &json!({"clone_volume_name": format!("v{name}")}),
        ),
        _ => return None,
    })
}

fn act_on_others(world: &mut World, objects: &Objects, act: &Act) -> Option<(u16, Value)> {
    let id = |collection: &str, index: usize| Some(text(pick(objects, collection, index)?, "id"));
    let collection = |index: usize| {
        let id = id("volumeCollections", index)?;
        Some(format!("{S2}/volume-collections/{id}"))
    };
    Some(match act {
        Act::CreateCollection(name, volume) => world.post(
            &format!("{S2}/volume-collections"),
            &json!({"name": format!("c{name}"), "volume_list": [id("volumes", *volume)?]}),
        ),
        Act::Collect(index, volume, add) => {
            let verb = if *add {
                "add-volumes"
            } else {
                "remove-volumes"
            };
            world.post(
                &format!("{}/actions/{verb}", collection(*index)?),
                &json!({"volume_ids": [id("volumes", *volume)?]}),
            )
        }
        Act::DeleteCollection(index, force) => {
            world.delete(&format!("{}?force={force}", collection(*index)?))
        }
        Act::HandOver(index, name) => {
            let verb = ["promote", "demote", "handover", "abort-handover"][usize::from(*name)];
            world.post(
                &format!("{}/actions/{verb}", collection(*index)?),
                &json!({"replication_partner_id": "p"}),
            )
        }
        Act::EditPool(index, default) => {
            let array = id("arrays", *index)?;
            world.put(
                &format!("{S2}/storage-pools/{}", id("pools", *index)?),
                &json!({"array_list": [{"id": array}], "is_default": default}),
            )
        }
        Act::DeletePool(index) => {
            world.delete(&format!("{S2}/storage-pools/{}", id("pools", *index)?))
        }
        _ => return None,
    })
}
