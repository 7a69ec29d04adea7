//! What is done with the volumes of device-type1: exports, snapshots, clones and volume sets.
//!
//! The definition's examples decide what there is. Sets have volumes for members that are no
//! examples themselves, so that a volume can be deleted by its example.

use jiff::SignedDuration;
use serde_json::{Value, json};

use super::super::application_sets::joined;
use super::super::examples::{Example, last_in_path, texts_in_body};
use super::super::exports::lun_name;
use super::super::snapshot_input::{New, Wish, extend};
use super::super::systems::TYPE1;
use super::super::{put, set, some_where};
use super::{Named, Seed, collection, earlier, ids};
use crate::stored::{Fields, Stored};

/// The operations whose example bodies name volumes.
const PROMOTE: (&str, &str) = (
    "POST",
    "storage-systems/device-type1/{}/volumes/{}/snapshots/{}",
);
const CREATE_SET: (&str, &str) = ("POST", "storage-systems/device-type1/{}/applicationsets");

const EDIT_VOLUME: (&str, &str) = ("PUT", "storage-systems/device-type1/{}/volumes/{}");
const UN_EXPORT: (&str, &str) = (
    "POST",
    "storage-systems/device-type1/{}/volumes/{}/un-export",
);
const UN_EXPORT_SET: (&str, &str) = (
    "POST",
    "storage-systems/device-type1/{}/applicationsets/{}/un-export",
);

const UN_EXPORT_SNAPSHOT: (&str, &str) = (
    "POST",
    "storage-systems/device-type1/{}/snapshots/{}/un-export",
);

/// The operations whose example bodies name host groups that are reached.
pub(super) const WITHDRAWALS: [(&str, &str); 3] = [UN_EXPORT, UN_EXPORT_SET, UN_EXPORT_SNAPSHOT];

/// How many members a set has.
const MEMBERS: usize = 2;

/// What sets are used for, in turn.
const APPLICATIONS: [(&str, &str); 2] = [("ORACLE_DATA", "HIGH"), ("OTHER", "MEDIUM")];

impl Seed<'_> {
    pub(super) fn storage(&mut self) {
        self.names();
        self.exports();
        self.snapshots();
        self.clones();
        self.volume_sets();
        self.snapsets();
        self.withdrawable();
        self.withdrawable_snapshot();
    }

    /// Bodies name volumes, and the example bodies those that have to be there: the one that a
    /// snapshot is promoted to, the members of a new set, and the pool that a volume moves to.
    fn names(&mut self) {
        let texts = |route, field| texts_in_body(self.definition, route, field);
        let targets = texts(PROMOTE, "target");
        let members = texts(CREATE_SET, "members");
        let parents = self.examples.of_kind(Named::Snapshot).into_iter();
        let parents = parents.filter_map(|example| Some(example.within(Named::Volume)?.to_owned()));
        let first = self.examples.of_kind(Named::VolumeSet).into_iter().next();
        let others = self.others(first.as_ref().and_then(Example::system));
        let wanted: Vec<(String, String)> = parents
            .zip(targets)
            .chain(others.into_iter().zip(members))
            .collect();
        for (volume, name) in wanted {
            self.rename(collection::VOLUMES, &volume, name);
        }
        let edited = last_in_path(self.definition, EDIT_VOLUME).unwrap_or_default();
        for name in texts(EDIT_VOLUME, "userCpgName") {
            if let Some(pool) = self.last_pool_beside(&edited) {
                self.rename(collection::POOLS, &pool, name);
            }
        }
    }

    /// The last pool of the system that a volume is on.
    fn last_pool_beside(&self, volume: &str) -> Option<String> {
        let volume = self.state.get(collection::VOLUMES, volume)?;
        let pools = self
            .state
            .with(collection::POOLS, "systemId", volume.text("systemId"));
        pools.last().map(|pool| pool.text("id").to_owned())
    }

    fn rename(&mut self, collection: &str, id: &str, name: String) {
        let taken = self.state.count(collection, "name", &name) > 0;
        let object = self.state.get(collection, id);
        if let Some(mut object) = object.filter(|_| !taken).map(Stored::unpack) {
            set(&mut object, "name", name);
            self.put(collection, object);
        }
    }

    /// The example VLUNs, and the last volume that is no example.
    fn exports(&mut self) {
        let mut wanted: Vec<(String, String)> = self
            .examples
            .of_kind(Named::Vlun)
            .into_iter()
            .filter_map(|vlun| Some((vlun.within(Named::Volume)?.to_owned(), vlun.id)))
            .collect();
        if let Some(last) = self.others(None).pop() {
            wanted.push((last, ids::object(&mut self.rng)));
        }
        let group = self.first(collection::HOST_GROUPS).map(Stored::unpack);
        let Some(group) = group else { return };
        for (volume, id) in &wanted {
            self.vlun(id, ("ofVolume", volume), group.text("id"));
        }
    }

    /// What the examples withdraw from host groups reaches them.
    fn withdrawable(&mut self) {
        let volumes = last_in_path(self.definition, UN_EXPORT).into_iter();
        let set = last_in_path(self.definition, UN_EXPORT_SET).unwrap_or_default();
        let members = self.state.with(collection::MEMBERS, "ofSet", &set);
        let members: Vec<String> = members
            .map(|member| member.text("ofVolume").to_owned())
            .collect();
        for (route, volumes) in [(UN_EXPORT, volumes.collect()), (UN_EXPORT_SET, members)] {
            for group in texts_in_body(self.definition, route, "hostGroupIds") {
                for volume in &volumes {
                    self.reached(("ofVolume", volume), &group);
                }
            }
        }
    }

    /// The same of snapshots.
    fn withdrawable_snapshot(&mut self) {
        let Some(snapshot) = last_in_path(self.definition, UN_EXPORT_SNAPSHOT) else {
            return;
        };
        for group in texts_in_body(self.definition, UN_EXPORT_SNAPSHOT, "hostGroupIds") {
            self.reached(("ofSnapshot", &snapshot), &group);
        }
    }

    /// Exports a volume or a snapshot to a group with this name or id, unless it is.
    fn reached(&mut self, exported: (&'static str, &str), group: &str) {
        let named = self.state.with(collection::HOST_GROUPS, "name", group);
        let group = match named.map(|group| group.text("id")).next() {
            Some(id) => id.to_owned(),
            None => group.to_owned(),
        };
        let pair = [exported, ("ofGroup", &group)];
        if !self.state.holds(&some_where(collection::VLUNS, &pair)) {
            let id = ids::object(&mut self.rng);
            self.vlun(&id, exported, &group);
        }
    }

    fn vlun(&mut self, id: &str, (names_it, exported): (&'static str, &str), group: &str) {
        let created = self.days_ago(10);
        let kept_in = match names_it {
            "ofSnapshot" => collection::SNAPSHOTS,
            _ => collection::VOLUMES,
        };
        let Some(exported) = self.state.get(kept_in, exported).cloned() else {
            return;
        };
        let lun = self.number(group);
        let mut vlun = json!({
            "id": id,
            "systemId": exported.field("systemId"),
            "ofVolume": null,
            "ofGroup": group,
            "ofSet": exported.field("ofSet"),
            "name": lun_name(group, lun),
            "lun": lun,
            "proximity": "PRIMARY",
            "position": null,
            "created": created,
            "generation": created,
        });
        set(&mut vlun, names_it, exported.field("id"));
        if kept_in == collection::SNAPSHOTS {
            set(&mut vlun, "copyOf", exported.field("ofVolume"));
        }
        self.put(collection::VLUNS, vlun);
    }

    fn snapshots(&mut self) {
        let examples = self.examples.of_kind(Named::Snapshot);
        for example in &examples {
            if let Some(volume) = example.within(Named::Volume) {
                self.snapshot(example.id.clone(), volume, None);
            }
        }
        // Some are addressed without their volume.
        for example in examples {
            let is_there = self.state.get(collection::SNAPSHOTS, &example.id).is_some();
            let volume = self.others(example.system()).into_iter().next();
            if let Some(volume) = volume.filter(|_| !is_there) {
                self.snapshot(example.id, &volume, None);
            }
        }
    }

    fn snapshot(&mut self, id: String, volume: &str, snapset: Option<&str>) {
        let Some(volume) = self.state.get(collection::VOLUMES, volume).cloned() else {
            return;
        };
        let wish = self.yesterday();
        let mut name = wish.name_of(volume.text("name"));
        let number = self.number(volume.text("systemId"));
        if self.state.count(collection::SNAPSHOTS, "name", &name) > 0 {
            name = format!("{name}.{number}");
        }
        let new = New {
            id,
            wwn: ids::volume_wwn(&mut self.rng),
            name,
            number,
            snapset,
        };
        self.put(collection::SNAPSHOTS, wish.snapshot(&volume, &new));
    }

    /// An example clone that has the id of its parent is made a clone of another volume.
    fn clones(&mut self) {
        for example in self.examples.of_kind(Named::Clone) {
            let parent = example.within(Named::Volume).map(str::to_owned);
            let other = self.others(example.system()).into_iter().next();
            let parent = parent.filter(|parent| *parent != example.id).or(other);
            let clone = self.state.get(collection::VOLUMES, &example.id);
            let clone = clone.map(Stored::unpack);
            if let (Some(mut clone), Some(parent)) = (clone, parent) {
                set(&mut clone, "copyOf", parent);
                self.put(collection::VOLUMES, clone);
            }
        }
    }

    fn volume_sets(&mut self) {
        let examples = self.examples.on_systems(Named::VolumeSet).into_iter();
        let first = self.first(collection::SYSTEMS);
        let first = first.map(|system| system.text("id").to_owned());
        let wanted: Vec<(String, String)> = examples
            .filter_map(|(system, id)| Some((system.or_else(|| first.clone())?, id)))
            .collect();
        for (index, (system, id)) in wanted.iter().enumerate() {
            let members = self
                .others(Some(system))
                .into_iter()
                .take(MEMBERS)
                .collect();
            self.volume_set(id, system, index, members);
        }
    }

    fn volume_set(&mut self, id: &str, system: &str, index: usize, members: Vec<String>) {
        let (kind, importance) = APPLICATIONS[index % APPLICATIONS.len()];
        let created = self.days_ago(10);
        let set = json!({
            "id": id,
            "systemId": system,
            "name": format!("set-{}", index + 1),
            "number": self.number(system),
            "appType": kind,
            "comment": "Made up by the seed",
            "importance": importance,
            "businessUnit": null,
            "created": created,
            "generation": created,
        });
        self.put(collection::SETS, set);
        for member in members {
            let volume = self.state.get(collection::VOLUMES, &member);
            if let Some(change) = volume.map(|volume| joined(id, volume)) {
                self.state.commit(&[change], self.now);
            }
        }
    }

    fn snapsets(&mut self) {
        for example in self.examples.of_kind(Named::Snapset) {
            let parent = example.within(Named::VolumeSet).unwrap_or_default();
            let Some(parent) = self.state.get(collection::SETS, parent).cloned() else {
                continue;
            };
            let wish = self.yesterday();
            let mut snapset = json!({
                "id": example.id,
                "systemId": parent.field("systemId"),
                "ofSet": parent.field("id"),
                "name": wish.name_of(parent.text("name")),
                "number": self.number(parent.text("systemId")),
            });
            extend(&mut snapset, wish.lifetime());
            self.state
                .commit(&[put(collection::SNAPSETS, snapset)], self.now);
            let members: Vec<String> = self
                .state
                .with(collection::MEMBERS, "ofSet", parent.text("id"))
                .map(|member| member.text("ofVolume").to_owned())
                .collect();
            for volume in members {
                let id = ids::object(&mut self.rng);
                self.snapshot(id, &volume, Some(&example.id));
            }
        }
    }

    /// How the seed's snapshots are: a day old, and without a date at which they end.
    fn yesterday(&self) -> Wish {
        Wish::of(earlier(self.now, SignedDuration::from_hours(24)))
    }

    /// The volumes of device-type1, on one system or on all, that are no examples.
    fn others(&self, system: Option<&str>) -> Vec<String> {
        let examples = self.examples.all();
        let systems: Vec<&Stored> = self
            .state
            .all(collection::SYSTEMS)
            .map(|(_, found)| found)
            .filter(|found| found.text("deviceType") == TYPE1)
            .filter(|found| system.is_none_or(|system| found.text("id") == system))
            .collect();
        systems
            .iter()
            .flat_map(|system| {
                self.state
                    .with(collection::VOLUMES, "systemId", system.text("id"))
            })
            .map(|volume| volume.text("id").to_owned())
            .filter(|id| !examples.contains(id.as_str()))
            .collect()
    }

    /// The next number of an object on a system, or of a volume that a group reaches.
    fn number(&mut self, owner: &str) -> i64 {
        let next = self.state.get(collection::NUMBERS, owner);
        let next = next.map_or(Value::Null, Stored::unpack);
        let next = next.as_i64().unwrap_or_default();
        self.put_raw(collection::NUMBERS, owner, json!(next + 1));
        next
    }
}
