//! What callers send to create and to edit volumes, read once. Sizes are MiB.

use serde_json::{Map, Value, json};

use super::super::volume_changes::within_pool;
use super::super::{Call, collection, plain};
use super::{OFFLINE, ONLINE, known, named, pool_view};
use crate::rest::Refusal;
use crate::stored::{Fields, Stored};

/// What a caller may set and the stand-in keeps as it is, under the same name, with what it is when
/// nobody sets it.
fn settings() -> Map<String, Value> {
    let settings = json!({
        "agent_type": "none",
        "app_uuid": "",
        "block_size": 4096,
        "cache_pinned": false,
        "caching_enabled": true,
        "encryption_cipher": "none",
        "folder_id": "",
        "limit": 100,
        "limit_iops": -1,
        "limit_mbps": -1,
        "metadata": [],
        "multi_initiator": false,
        "owned_by_group_id": null,
        "perfpolicy_id": null,
        "read_only": false,
        "reserve": 0,
        "snap_reserve": 0,
        "snap_warn_level": 0,
    });
    match settings {
        Value::Object(settings) => settings,
        _ => Map::new(),
    }
}

/// Numbers that have limits: the least and the most, apart from -1, which stands for none.
const LIMITS: &[(&str, i64, i64)] = &[
    ("limit", 0, 100),
    ("limit_iops", 256, 4_294_967_294),
    ("limit_mbps", 1, 4_294_967_294),
    ("reserve", 0, 100),
    ("snap_reserve", 0, 100),
    ("snap_warn_level", 0, 100),
    ("warn_level", 0, 100),
];

/// A volume to be made.
pub(super) struct Creation<'a> {
    system: &'a str,
    pool: &'a str,
    name: String,
    size_mib: f64,
    body: Value,
    base: Option<&'a Stored>,
}

impl<'a> Creation<'a> {
    pub(super) fn parse(
        call: &Call<'a, '_>,
        system: &'a Stored,
        body: &Value,
    ) -> Result<Self, Refusal> {
        let system_id = system.text("id");
        within_limits(body)?;
        let base = base(call, system, body)?;
        let parent =
            base.and_then(|base| call.state.get(collection::VOLUMES, base.text("ofVolume")));
        let pool = pool(call, system, body, parent)?;
        let size_mib = match (size(body)?, parent) {
            (Some(size), _) => size,
            (None, Some(parent)) => parent.number("sizeMiB"),
            (None, None) => {
                let message = "size: is missing; only a clone has the size of its parent";
                return Err(Refusal::BadRequest(message.to_owned()));
            }
        };
        within_pool(call.state, pool, "size", size_mib)?;
        let name = match (named(body, "name")?, body.get("suffix")) {
            (name, Some(Value::Number(suffix))) => format!("{name}.{suffix}"),
            (name, _) => name,
        };
        Ok(Self {
            system: system_id,
            pool,
            name,
            size_mib,
            body: body.clone(),
            base,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// The pool that it is to be cut from.
    pub(super) fn pool(&self) -> &'a str {
        self.pool
    }

    /// The snapshot that it is to be a clone of.
    pub(super) fn base(&self) -> Option<&'a Stored> {
        self.base
    }

    pub(super) fn volume(&self, id: &str, wwn: &str, created: i64) -> Value {
        let mut volume = kept(id, (self.system, self.pool), &self.name, wwn, created);
        if let Value::Object(volume) = &mut volume {
            volume.insert("sizeMiB".to_owned(), plain(self.size_mib));
            volume.extend(changed(&self.body));
        }
        volume
    }
}

/// A volume of a system and pool, as it is kept: online, empty, and nothing set.
pub(in crate::dscc) fn kept(
    id: &str,
    (system, pool): (&str, &str),
    name: &str,
    wwn: &str,
    created: i64,
) -> Value {
    let mut volume = json!({
        "id": id,
        "systemId": system,
        "poolId": pool,
        "name": name,
        "sizeMiB": 0,
        "usedSizeMiB": 0,
        "writtenMiB": 0,
        "dataReduction": false,
        "comment": "",
        "userAllocWarning": 80,
        "wwn": wwn,
        "state": ONLINE,
        "replication_role": "no_replication",
        "created": created,
        "modified": created,
        "generation": created,
    });
    if let Value::Object(volume) = &mut volume {
        volume.extend(settings());
    }
    volume
}

/// What is to be changed: the fields that were sent, and no other (domain.md 6.4).
pub(super) struct Edit {
    name: Option<String>,
    size_mib: Option<f64>,
    force: bool,
    body: Value,
}

impl Edit {
    pub(super) fn parse(body: &Value) -> Result<Self, Refusal> {
        within_limits(body)?;
        let renamed = !body.field("name").is_null();
        Ok(Self {
            name: renamed.then(|| named(body, "name")).transpose()?,
            size_mib: size(body)?,
            force: super::yes(body, "force"),
            body: body.clone(),
        })
    }

    pub(super) fn name(&self) -> Option<&str> {
        self.name.as_deref()
    }

    pub(super) fn size_mib(&self) -> Option<f64> {
        self.size_mib
    }

    /// Whether what would go wrong is to be refused.
    pub(super) fn needs_force(&self) -> bool {
        !self.force
    }

    pub(super) fn goes_offline(&self) -> bool {
        self.body.get("online") == Some(&Value::Bool(false))
    }

    /// The changed fields of the volume as it is kept. What no longer fits is cut off.
    pub(super) fn fields(&self, volume: &Stored, at: i64) -> Value {
        let mut fields = changed(&self.body);
        if let Some(name) = &self.name {
            fields.insert("name".to_owned(), name.as_str().into());
        }
        if let Some(size) = self.size_mib {
            let used = volume.number("usedSizeMiB").min(size);
            fields.insert("sizeMiB".to_owned(), plain(size));
            fields.insert("usedSizeMiB".to_owned(), plain(used));
        }
        fields.insert("modified".to_owned(), at.into());
        fields.insert("generation".to_owned(), at.into());
        Value::Object(fields)
    }
}

/// What the body sets, under the names under which it is kept; not the name and the size.
fn changed(body: &Value) -> Map<String, Value> {
    let mut fields = Map::new();
    let kept = [
        ("dedupe_enabled", "dataReduction"),
        ("description", "comment"),
        ("warn_level", "userAllocWarning"),
    ];
    let settings = settings();
    let same = settings.keys().map(|name| (name.as_str(), name.as_str()));
    for (sent, kept) in kept.into_iter().chain(same) {
        let value = body.field(sent);
        if !value.is_null() {
            fields.insert(kept.to_owned(), value);
        }
    }
    if let Some(online) = body.get("online").and_then(Value::as_bool) {
        let state = if online { ONLINE } else { OFFLINE };
        fields.insert("state".to_owned(), state.into());
    }
    fields
}

/// The pool that the body names; otherwise that of the parent, otherwise the default of the system.
fn pool<'a>(
    call: &Call<'a, '_>,
    system: &'a Stored,
    body: &Value,
    parent: Option<&'a Stored>,
) -> Result<&'a str, Refusal> {
    match (body.text("pool_id"), parent) {
        ("", Some(parent)) => Ok(parent.text("poolId")),
        ("", None) => pool_view::default_of(call.state, system.text("id"))
            .map(|pool| pool.text("id"))
            .ok_or_else(|| Refusal::BadRequest("the system has no pool".to_owned())),
        (id, _) => known(call, system, collection::POOLS, id)
            .map(|pool| pool.text("id"))
            .ok_or_else(|| {
                Refusal::BadRequest(format!("pool_id: the system has no pool with the id {id}"))
            }),
    }
}

/// The snapshot to clone, when the body wants a clone.
fn base<'a>(
    call: &Call<'a, '_>,
    system: &Stored,
    body: &Value,
) -> Result<Option<&'a Stored>, Refusal> {
    if !super::yes(body, "clone") {
        return Ok(None);
    }
    let id = body.text("base_snap_id");
    let snapshot = known(call, system, collection::SNAPSHOTS2, id);
    let message = || format!("base_snap_id: the system has no snapshot with the id {id:?}");
    snapshot
        .map(Some)
        .ok_or_else(|| Refusal::BadRequest(message()))
}

fn size(body: &Value) -> Result<Option<f64>, Refusal> {
    let size = match body.get("size") {
        None | Some(Value::Null) => return Ok(None),
        Some(size) => size.as_f64().unwrap_or_default(),
    };
    if size >= 1.0 && size.fract() == 0.0 {
        return Ok(Some(size));
    }
    let message = "size: is no positive whole number of MiB";
    Err(Refusal::BadRequest(message.to_owned()))
}

fn within_limits(body: &Value) -> Result<(), Refusal> {
    for (field, least, most) in LIMITS {
        let Some(number) = body.get(*field).and_then(Value::as_i64) else {
            continue;
        };
        let unlimited = number == -1 && field.starts_with("limit_");
        if !unlimited && !(*least..=*most).contains(&number) {
            let message = format!("{field}: {number} is not from {least} to {most}");
            return Err(Refusal::BadRequest(message));
        }
    }
    Ok(())
}
