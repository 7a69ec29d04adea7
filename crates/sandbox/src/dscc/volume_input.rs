//! What callers send to create and to edit volumes, read once.

use serde_json::{Map, Value, json};

use super::volume_changes::within_pool;
use super::{plain, pools};
use crate::rest::Refusal;
use crate::state::State;
use crate::stored::{Fields, Stored};

/// What is to be created: one volume, or several that differ in their numbers only.
pub(super) struct Creation {
    system: String,
    pool: String,
    name: String,
    count: usize,
    size_mib: f64,
    data_reduction: bool,
    comment: Option<String>,
    snap_cpg: Option<String>,
    user_alloc_warning: Value,
    snapshot_alloc_warning: Value,
}

impl Creation {
    pub(super) fn parse(
        state: &State,
        system: &str,
        body: &Map<String, Value>,
        most: usize,
    ) -> Result<Self, Refusal> {
        let body = &Value::Object(body.clone());
        let pool = pools::by_name(state, system, body.text("userCpg"))?;
        let snap_cpg = optional(body, "snapCpg");
        if let Some(name) = &snap_cpg {
            pools::by_name(state, system, name)?;
        }
        let size_mib =
            size(body)?.ok_or_else(|| Refusal::BadRequest("sizeMib: is missing".to_owned()))?;
        within_pool(state, pool.text("id"), "sizeMib", size_mib)?;
        Ok(Self {
            system: system.to_owned(),
            pool: pool.text("id").to_owned(),
            name: name(body.text("name"))?,
            count: count(body, most)?,
            size_mib,
            data_reduction: body.get("dataReduction") == Some(&Value::Bool(true)),
            comment: optional(body, "comments"),
            snap_cpg,
            user_alloc_warning: body.field("userAllocWarning"),
            snapshot_alloc_warning: body.field("snapshotAllocWarning"),
        })
    }

    /// One volume has the name itself; several are numbered from 0 (domain.md 7.8).
    pub(super) fn names(&self) -> Vec<String> {
        if self.count == 1 {
            return vec![self.name.clone()];
        }
        (0..self.count)
            .map(|number| format!("{}.{number}", self.name))
            .collect()
    }

    /// The volume as it is kept. Nothing has been written to it yet.
    pub(super) fn volume(
        &self,
        id: &str,
        name: &str,
        number: i64,
        wwn: &str,
        created: i64,
    ) -> Value {
        json!({
            "id": id,
            "systemId": self.system,
            "poolId": self.pool,
            "name": name,
            "number": number,
            "sizeMiB": plain(self.size_mib),
            "usedSizeMiB": 0,
            "writtenMiB": 0,
            "dataReduction": self.data_reduction,
            "comment": self.comment,
            "snapCpg": self.snap_cpg,
            "userAllocWarning": self.user_alloc_warning,
            "snapshotAllocWarning": self.snapshot_alloc_warning,
            "wwn": wwn,
            "created": created,
            "generation": created,
        })
    }
}

/// What is to be changed: the fields that were sent, and no other (domain.md 6.4).
pub(super) struct Edit {
    name: Option<String>,
    size_mib: Option<f64>,
    pool: Option<String>,
    data_reduction: Option<bool>,
    user_alloc_warning: Value,
    snapshot_alloc_warning: Value,
}

impl Edit {
    pub(super) fn parse(
        state: &State,
        system: &str,
        volume: &Stored,
        body: &Map<String, Value>,
    ) -> Result<Self, Refusal> {
        let body = &Value::Object(body.clone());
        let pool = optional(body, "userCpgName")
            .map(|name| pools::by_name(state, system, &name))
            .transpose()?;
        let size_mib = size(body)?;
        if pool.is_some() || size_mib.is_some() {
            let home = pool.map_or(volume.text("poolId"), |pool| pool.text("id"));
            let size = size_mib.unwrap_or(volume.number("sizeMiB"));
            within_pool(state, home, "sizeMib", size)?;
        }
        // The older way to say it; the newer one wins.
        let conversion = optional(body, "conversionType").map(|kind| kind != "CONVERSIONTYPE_THIN");
        Ok(Self {
            name: optional(body, "name").as_deref().map(name).transpose()?,
            size_mib,
            pool: pool.map(|pool| pool.text("id").to_owned()),
            data_reduction: body
                .get("dataReduction")
                .and_then(Value::as_bool)
                .or(conversion),
            user_alloc_warning: body.field("userAllocWarning"),
            snapshot_alloc_warning: body.field("snapshotAllocWarning"),
        })
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(super) fn size_mib(&self) -> Option<f64> {
        self.size_mib
    }

    pub(super) fn pool(&self) -> Option<&str> {
        self.pool.as_deref()
    }

    /// The changed fields of the volume as it is kept.
    pub(super) fn fields(&self, generation: i64) -> Value {
        let all = [
            ("name", self.name.clone().map(Value::from)),
            ("sizeMiB", self.size_mib.map(plain)),
            ("poolId", self.pool.clone().map(Value::from)),
            ("dataReduction", self.data_reduction.map(Value::from)),
            ("userAllocWarning", given(&self.user_alloc_warning)),
            ("snapshotAllocWarning", given(&self.snapshot_alloc_warning)),
            ("generation", Some(generation.into())),
        ];
        all.into_iter()
            .filter_map(|(field, value)| Some((field.to_owned(), value?)))
            .collect::<Map<_, _>>()
            .into()
    }
}

/// A name that is one.
pub(super) fn name(name: &str) -> Result<String, Refusal> {
    if name.trim().is_empty() {
        return Err(Refusal::BadRequest("name: is empty".to_owned()));
    }
    Ok(name.to_owned())
}

/// Sizes are whole MiB; nothing else is known about what the real arrays accept.
fn size(body: &Value) -> Result<Option<f64>, Refusal> {
    let size = match body.get("sizeMib") {
        None | Some(Value::Null) => return Ok(None),
        Some(size) => size.as_f64().unwrap_or_default(),
    };
    if size >= 1.0 && size.fract() == 0.0 {
        Ok(Some(size))
    } else {
        let message = "sizeMib: is no positive whole number of MiB".to_owned();
        Err(Refusal::BadRequest(message))
    }
}

fn count(body: &Value, most: usize) -> Result<usize, Refusal> {
    let count = match body.get("count") {
        None | Some(Value::Null) => return Ok(1),
        Some(count) => count.as_u64().and_then(|count| usize::try_from(count).ok()),
    };
    count
        .filter(|count| (1..=most).contains(count))
        .ok_or_else(|| Refusal::BadRequest(format!("count: is not from 1 to {most}")))
}

/// A text that may be missing.
pub(super) fn optional(body: &Value, field: &str) -> Option<String> {
    let value = body.get(field)?.as_str()?;
    Some(value.to_owned())
}

fn given(value: &Value) -> Option<Value> {
    (!value.is_null()).then(|| value.clone())
}
