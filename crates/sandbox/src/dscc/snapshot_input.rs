//! What callers send to make snapshots, of one volume or of a set, read once.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::tasks::later;
use super::volume_input::{name, optional};
use super::{collection, ids, put, remove, remove_where};
use crate::change::{Change, Planned};
use crate::rest::Refusal;
use crate::stored::{Fields, Stored};

/// How snapshots are to be named, and how long they live.
pub(super) struct Wish {
    naming: Naming,
    comment: Option<String>,
    read_only: bool,
    created: Timestamp,
    expires: Option<Timestamp>,
    retains: Option<Timestamp>,
}

/// The three ways to name a snapshot.
enum Naming {
    /// The parent's name and the date and time.
    Date,
    /// The parent's name and the seconds since 1970.
    Seconds,
    Custom(String),
}

/// The names under which a body has the pattern and the custom name.
pub(super) type Keys = (&'static str, &'static str);

impl Wish {
    /// Times are counted from `created`, when the snapshots will be there. What must be retained does
    /// not go before that is over, though the published example has it the other way round.
    pub(super) fn parse(
        body: Map<String, Value>,
        (pattern, custom): Keys,
        created: Timestamp,
    ) -> Result<Self, Refusal> {
        let body = &Value::Object(body);
        let expires = moment(body, "expireSecs", created)?;
        let retains = moment(body, "retainSecs", created)?;
        Ok(Self {
            naming: naming(body, pattern, custom)?,
            comment: optional(body, "comment"),
            read_only: body.get("readOnly") == Some(&Value::Bool(true)),
            created,
            expires: expires.map(|expires| expires.max(retains.unwrap_or(expires))),
            retains,
        })
    }

    /// Snapshots that are named by their date and live until they are deleted.
    pub(super) fn of(created: Timestamp) -> Self {
        Self {
            naming: Naming::Date,
            comment: None,
            read_only: false,
            created,
            expires: None,
            retains: None,
        }
    }

    /// The name of a snapshot, or of a set of them, whose parent has that name.
    pub(super) fn name_of(&self, parent: &str) -> String {
        match &self.naming {
            Naming::Date => format!("{parent}_{}", self.created.strftime("%y%m%d%H%M%S")),
            Naming::Seconds => format!("{parent}_{}", self.created.as_second()),
            Naming::Custom(name) => name.clone(),
        }
    }

    /// The name of a member's snapshot; custom names are numbered.
    pub(super) fn name_in_set(&self, parent: &str, index: usize) -> String {
        match &self.naming {
            Naming::Custom(name) => format!("{name}.{index}"),
            Naming::Date | Naming::Seconds => self.name_of(parent),
        }
    }

    /// The fields of what lives as long as this says.
    pub(super) fn lifetime(&self) -> Value {
        let kept = |moment: Option<Timestamp>| moment.map(Timestamp::as_millisecond);
        json!({
            "comment": self.comment,
            "readOnly": self.read_only,
            "created": self.created.as_millisecond(),
            "expires": kept(self.expires),
            "retains": kept(self.retains),
            "generation": self.created.as_millisecond(),
        })
    }

    /// The snapshot of a volume as it is kept.
    pub(super) fn snapshot(&self, volume: &Stored, new: &New<'_>) -> Value {
        let mut value = json!({
            "id": new.id,
            "systemId": volume.field("systemId"),
            "ofVolume": volume.field("id"),
            "ofSet": new.snapset,
            "name": new.name,
            "number": new.number,
            "sizeMiB": volume.field("sizeMiB"),
            "parentUsedMiB": volume.field("usedSizeMiB"),
            "parentWrittenMiB": volume.field("writtenMiB"),
            "wwn": new.wwn,
        });
        extend(&mut value, self.lifetime());
        value
    }

    /// What makes the object, and takes it away again when its time is over.
    pub(super) fn changes(&self, kept_in: &str, value: Value) -> Vec<Change> {
        let id = value.text("id").to_owned();
        let mut changes = vec![put(kept_in, value)];
        if let Some(at) = self.expires {
            changes.push(Change::Schedule(Planned {
                at,
                checks: Vec::new(),
                then: vec![
                    remove_where(collection::VLUNS, &[("ofSnapshot", &id)]),
                    remove(kept_in, &id),
                ],
            }));
        }
        changes
    }
}

/// What is new about a snapshot.
pub(super) struct New<'a> {
    pub(super) id: String,
    pub(super) wwn: String,
    pub(super) name: String,
    pub(super) number: i64,
    pub(super) snapset: Option<&'a str>,
}

impl<'a> New<'a> {
    pub(super) fn named(
        name: String,
        number: i64,
        snapset: Option<&'a str>,
        rng: &mut dyn rand_core::Rng,
    ) -> Self {
        Self {
            id: ids::object(rng),
            wwn: ids::volume_wwn(rng),
            name,
            number,
            snapset,
        }
    }
}

/// Adds the fields of one object to another.
pub(super) fn extend(value: &mut Value, more: Value) {
    if let (Value::Object(value), Value::Object(more)) = (value, more) {
        value.extend(more);
    }
}

fn naming(body: &Value, pattern: &str, custom: &str) -> Result<Naming, Refusal> {
    match body.text(pattern) {
        "PARENT_TIMESTAMP" => Ok(Naming::Date),
        "PARENT_SEC_SINCE_EPOCH" => Ok(Naming::Seconds),
        "CUSTOM" => match optional(body, custom) {
            Some(given) => name(&given).map(Naming::Custom),
            None => Err(Refusal::BadRequest(format!(
                "{custom}: is missing; the pattern CUSTOM wants a name"
            ))),
        },
        other => Err(Refusal::BadRequest(format!(
            "{pattern}: {other:?} is none of PARENT_TIMESTAMP, PARENT_SEC_SINCE_EPOCH and CUSTOM"
        ))),
    }
}

/// A number of seconds from `start`; none, and nought, stand for no limit.
fn moment(body: &Value, key: &str, start: Timestamp) -> Result<Option<Timestamp>, Refusal> {
    let seconds = match body.get(key) {
        None | Some(Value::Null) => return Ok(None),
        Some(seconds) => seconds.as_i64().unwrap_or(-1),
    };
    let end = later(start, SignedDuration::from_secs(seconds));
    match seconds {
        0 => Ok(None),
        1.. if end > start => Ok(Some(end)),
        _ => {
            let message = format!("{key}: is no number of seconds that can be counted");
            Err(Refusal::BadRequest(message))
        }
    }
}
