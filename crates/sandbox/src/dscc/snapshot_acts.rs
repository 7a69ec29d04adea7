//! What is done with a device-type1 snapshot besides making and deleting it: it is cloned, and host
//! groups reach it (domain.md 7.8).
//!
//! Its VLUNs name it in `ofSnapshot`, its volume in `copyOf` and its set of snapshots in `ofSet`, so
//! that they go with whichever of them goes. Its clone is a volume of its own: it has what the volume
//! had when the snapshot was made, and no operation resyncs it.

use serde_json::{Map, Value};

use super::exports::{Export, Luns, groups, withdrawal};
use super::routes::{Named, Row};
use super::snapshots::uri;
use super::systems::{self, Kind};
use super::tasks::{self, Work, reference, still_there};
use super::volume_changes::{fits, names_are_free, next_number, take_numbers, within_pool};
use super::volume_input::{name, optional};
use super::volumes::{resource_of, system_reference};
use super::{Call, clones, collection, ids, not_found, pools, put, set};
use crate::rest::{Refusal, body};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/snapshots/{}/clone",
        &[Named::DeviceType1, Named::Snapshot],
        clone,
    ),
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/snapshots/{}/export",
        &[Named::DeviceType1, Named::Snapshot],
        export,
    ),
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/snapshots/{}/un-export",
        &[Named::DeviceType1, Named::Snapshot],
        un_export,
    ),
];

fn export(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, snapshot, _) = addressed(call)?;
    let body = body(call.definition, call.request, call.settings)?;
    let export = Export::parse(call, body, in_set(snapshot))?;
    let mut luns = Luns::default();
    let (more, then) = export.grants(call, snapshot, &mut luns)?;
    let mut checks = vec![still_there(collection::SNAPSHOTS, "snapshot", snapshot)];
    checks.extend(more);
    let work = Work {
        title: format!("Export snapshot {}", snapshot.text("name")),
        source: system_reference(system),
        resources: vec![resource(snapshot)],
        checks,
        first: luns.taken(),
        then,
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

fn un_export(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, snapshot, _) = addressed(call)?;
    let body = body(call.definition, call.request, call.settings)?;
    let groups = groups(call, &Value::Object(body))?;
    let work = withdrawal(system, snapshot, resource(snapshot), &groups);
    tasks::start(call, work)
}

/// A clone takes as much of its pool as the volume took when the snapshot was made.
fn clone(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, snapshot, volume) = addressed(call)?;
    let system_id = system.text("id");
    let body = Value::Object(body(call.definition, call.request, call.settings)?);
    let name = name(body.text("destinationVolume"))?;
    let pool = match optional(&body, "destinationCpg") {
        Some(name) => pools::by_name(call.state, system_id, &name)?.text("id"),
        None => volume.text("poolId"),
    };
    within_pool(
        call.state,
        pool,
        "destinationCpg",
        snapshot.number("sizeMiB"),
    )?;
    let export = clones::export(call, &body)?;
    let (id, number) = (ids::object(call.rng), next_number(call.state, system_id));
    let clone = copy(
        call,
        (snapshot, volume),
        pool,
        &Map::from_iter([
            ("id".to_owned(), id.clone().into()),
            ("name".to_owned(), name.clone().into()),
            ("number".to_owned(), number.into()),
        ]),
    );
    let mut checks = vec![
        still_there(collection::SNAPSHOTS, "snapshot", snapshot),
        fits(call.state, pool, snapshot.number("parentUsedMiB")),
    ];
    checks.extend(names_are_free(system_id, &name, None));
    let mut first = vec![take_numbers(system_id, number.saturating_add(1))];
    let mut then = vec![put(collection::VOLUMES, clone.clone())];
    if let Some(export) = export {
        let mut luns = Luns::default();
        let (more, granted) = export.grants(call, &clone, &mut luns)?;
        checks.extend(more);
        then.extend(granted);
        first.extend(luns.taken());
    }
    let work = Work {
        title: format!("Clone snapshot {} to {name}", snapshot.text("name")),
        source: system_reference(system),
        resources: vec![resource(snapshot), resource_of(system_id, &name, &id)],
        checks,
        first,
        then,
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

/// The volume that a clone of a snapshot is: with these fields, and otherwise as its parent is kept.
fn copy(
    call: &mut Call<'_, '_>,
    (snapshot, volume): (&Stored, &Stored),
    pool: &str,
    news: &Map<String, Value>,
) -> Value {
    let done = tasks::end(call).as_millisecond();
    let mut clone = volume.unpack();
    let old: [(&str, Value); 9] = [
        ("poolId", pool.into()),
        ("sizeMiB", snapshot.field("sizeMiB")),
        ("usedSizeMiB", snapshot.field("parentUsedMiB")),
        ("writtenMiB", snapshot.field("parentWrittenMiB")),
        ("comment", Value::Null),
        ("wwn", ids::volume_wwn(call.rng).into()),
        ("created", done.into()),
        ("generation", done.into()),
        ("copyOf", Value::Null),
    ];
    for (field, value) in old {
        set(&mut clone, field, value);
    }
    for (field, value) in news {
        set(&mut clone, field, value.clone());
    }
    clone
}

/// The snapshot that the path names, its system and its volume.
fn addressed<'a>(call: &Call<'a, '_>) -> Result<(&'a Stored, &'a Stored, &'a Stored), Refusal> {
    let system = systems::find(call, call.path(0), Kind::DeviceType1)?;
    let id = call.path(1);
    let snapshot = call.state.get(collection::SNAPSHOTS, id);
    let snapshot = snapshot.filter(|snapshot| snapshot.text("systemId") == system.text("id"));
    let volume = snapshot.and_then(|snapshot| {
        let volume = snapshot.text("ofVolume");
        call.state.get(collection::VOLUMES, volume)
    });
    match (snapshot, volume) {
        (Some(snapshot), Some(volume)) => Ok((system, snapshot, volume)),
        _ => Err(not_found("snapshot on this system", id)),
    }
}

fn in_set(snapshot: &Stored) -> Option<&str> {
    Some(snapshot.text("ofSet")).filter(|set| !set.is_empty())
}

fn resource(snapshot: &Stored) -> Value {
    reference("snapshot", snapshot.text("name"), uri(snapshot))
}
