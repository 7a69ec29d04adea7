//! Clones of device-type1 volumes: full copies that remember their parent until they are promoted
//! (domain.md 7.8).
//!
//! A clone is a volume with `copyOf`. The published examples address a clone under its own id, so
//! that a clone is found under its parent and under itself.

use serde_json::{Map, Value, json};

use super::exports::{Export, Luns};
use super::routes::{Named, Row};
use super::tasks::{self, Work, WorkCheck, merge, still_there};
use super::volume_changes::{fits, names_are_free, next_number, take_numbers, within_pool};
use super::volume_input::{name, optional};
use super::volume_views::is_clone;
use super::volumes::{self, addressed, resource, resource_of, system_reference};
use super::{Call, collection, ids, not_found, plain, pools, put, set, some_where};
use crate::change::Requirement;
use crate::rest::{Envelope, Refusal, body, body_or_none};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

pub(super) const ROWS: &[Row] = &[
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/volumes/{}/clone",
        &[Named::DeviceType1, Named::Volume],
        create,
    ),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}/volumes/{}/clones",
        &[Named::DeviceType1, Named::Volume],
        |call| list(call),
    ),
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/volumes/{}/clones/{}/promote",
        &[Named::DeviceType1, Named::Volume, Named::Clone],
        promote,
    ),
    Row::new(
        "POST",
        "storage-systems/device-type1/{}/volumes/{}/clones/{}/resync",
        &[Named::DeviceType1, Named::Volume, Named::Clone],
        resync,
    ),
];

fn list(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let (_, volume) = addressed(call)?;
    let owner = ("copyOf", volume.text("id"));
    let clones = call
        .candidates_of(collection::VOLUMES, owner, question.filter.as_ref())
        .map(|clone| volumes::device(call, clone));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(clones, envelope)))
}

/// A clone takes as much of its pool as its parent does of its own.
fn create(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, volume) = addressed(call)?;
    let system_id = system.text("id");
    let body = body(call.definition, call.request, call.settings)?;
    let wish = Wish::parse(call, system_id, volume, &Value::Object(body))?;
    let number = next_number(call.state, system_id);
    let id = ids::object(call.rng);
    let mut checks = vec![still_there(collection::VOLUMES, "volume", volume)];
    checks.extend(names_are_free(system_id, &wish.name, None));
    checks.push(fits(call.state, &wish.pool, volume.number("usedSizeMiB")));
    let clone = wish.clone_of(call, volume, &id, number);
    let mut first = vec![take_numbers(system_id, number.saturating_add(1))];
    let mut then = vec![put(collection::VOLUMES, clone.clone())];
    if let Some(export) = &wish.export {
        let mut luns = Luns::default();
        let (more, granted) = export.grants(call, &clone, &mut luns)?;
        checks.extend(more);
        then.extend(granted);
        first.extend(luns.taken());
    }
    let work = Work {
        title: format!("Clone volume {} to {}", volume.text("name"), wish.name),
        source: system_reference(system),
        resources: vec![resource(volume), resource_of(system_id, &wish.name, &id)],
        checks,
        first,
        then,
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

/// Parts the clone from its parent.
fn promote(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, clone, _) = addressed_clone(call)?;
    body_or_none(call.definition, call.request, call.settings)?;
    let fields = json!({"copyOf": null, "generation": tasks::end(call).as_millisecond()});
    let work = Work {
        title: format!("Promote clone {}", clone.text("name")),
        source: system_reference(system),
        resources: vec![resource(clone)],
        checks: vec![
            still_there(collection::VOLUMES, "volume", clone),
            still_a_clone(clone),
        ],
        first: Vec::new(),
        then: vec![merge(collection::VOLUMES, clone.text("id"), fields)],
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

/// Copies the parent anew.
fn resync(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let (system, clone, parent) = addressed_clone(call)?;
    body_or_none(call.definition, call.request, call.settings)?;
    let (id, used) = (clone.text("id"), parent.number("usedSizeMiB"));
    let size = parent.number("sizeMiB").max(clone.number("sizeMiB"));
    within_pool(call.state, clone.text("poolId"), "size", size)?;
    let more = used - clone.number("usedSizeMiB");
    let fields = json!({
        "sizeMiB": plain(size),
        "usedSizeMiB": plain(used),
        "writtenMiB": parent.field("writtenMiB"),
        "generation": tasks::end(call).as_millisecond(),
    });
    let work = Work {
        title: format!("Resync clone {}", clone.text("name")),
        source: system_reference(system),
        resources: vec![resource(parent), resource(clone)],
        checks: vec![
            still_there(collection::VOLUMES, "volume", clone),
            still_a_clone(clone),
            not_grown_past(clone, size),
            fits(call.state, clone.text("poolId"), more.max(0.0)),
        ],
        first: Vec::new(),
        then: vec![merge(collection::VOLUMES, id, fields)],
        on_failure: Vec::new(),
    };
    tasks::start(call, work)
}

struct Wish<'a> {
    name: String,
    pool: String,
    /// The group that is to reach the clone.
    export: Option<Export<'a>>,
}

impl<'a> Wish<'a> {
    /// How the copy is made, online or offline and with which priority, changes nothing here. An
    /// online clone may name the pool it goes to and a host group that is to reach it.
    fn parse(
        call: &Call<'a, '_>,
        system: &str,
        volume: &Stored,
        body: &Value,
    ) -> Result<Self, Refusal> {
        let online = body.field("onlineClone");
        let online = online.get(0).unwrap_or(&online);
        let pool = match optional(online, "destinationCpg") {
            Some(name) => pools::by_name(call.state, system, &name)?.text("id"),
            None => volume.text("poolId"),
        };
        within_pool(call.state, pool, "destinationCpg", volume.number("sizeMiB"))?;
        Ok(Self {
            name: name(body.text("destinationVolume"))?,
            pool: pool.to_owned(),
            export: export(call, online)?,
        })
    }

    fn clone_of(&self, call: &mut Call<'_, '_>, volume: &Stored, id: &str, number: i64) -> Value {
        let done = tasks::end(call).as_millisecond();
        let mut clone = volume.unpack();
        let news: [(&str, Value); 9] = [
            ("id", id.into()),
            ("name", self.name.clone().into()),
            ("poolId", self.pool.clone().into()),
            ("number", number.into()),
            ("comment", Value::Null),
            ("wwn", ids::volume_wwn(call.rng).into()),
            ("created", done.into()),
            ("generation", done.into()),
            ("copyOf", volume.field("id")),
        ];
        for (field, value) in news {
            set(&mut clone, field, value);
        }
        clone
    }
}

/// The export that an online clone asks for. The LUN is the next that is free, as it is whenever
/// something is exported.
pub(super) fn export<'a>(
    call: &Call<'a, '_>,
    online: &Value,
) -> Result<Option<Export<'a>>, Refusal> {
    let Some(group) = optional(online, "hostGroupId").filter(|group| !group.is_empty()) else {
        return Ok(None);
    };
    let chooses = online.get("autoLun") == Some(&Value::Bool(false));
    if chooses && !online.field("lun").is_null() {
        let message = "lun: this stand-in chooses the LUN itself; send autoLun as true";
        return Err(Refusal::BadRequest(message.to_owned()));
    }
    let body = Map::from_iter([("hostGroupIds".to_owned(), json!([group]))]);
    Export::parse(call, body, None).map(Some)
}

/// The clone that the path names, its system and its parent.
fn addressed_clone<'a>(
    call: &Call<'a, '_>,
) -> Result<(&'a Stored, &'a Stored, &'a Stored), Refusal> {
    let (system, volume) = addressed(call)?;
    let id = call.path(2);
    let volumes = |id: &str| call.state.get(collection::VOLUMES, id);
    let clone = volumes(id).filter(|clone| {
        let under = [clone.text("copyOf"), clone.text("id")];
        is_clone(clone) && under.contains(&volume.text("id"))
    });
    let parent = clone.and_then(|clone| volumes(clone.text("copyOf")));
    match (clone, parent) {
        (Some(clone), Some(parent)) => Ok((system, clone, parent)),
        _ => Err(not_found("clone of this volume", id)),
    }
}

fn still_a_clone(clone: &Stored) -> WorkCheck {
    let fields = [("copyOf", clone.text("copyOf")), ("id", clone.text("id"))];
    WorkCheck {
        requirement: some_where(collection::VOLUMES, &fields),
        complaint: format!("the volume {} is no clone any longer", clone.text("name")),
        recommendation: "Look whether somebody else promoted it.",
    }
}

fn not_grown_past(clone: &Stored, size: f64) -> WorkCheck {
    WorkCheck {
        requirement: Requirement::AtMost {
            collection: collection::VOLUMES.to_owned(),
            id: clone.text("id").to_owned(),
            field: "sizeMiB".to_owned(),
            limit: size,
        },
        complaint: format!("the clone {} was made larger meanwhile", clone.text("name")),
        recommendation: "Resync it again.",
    }
}
