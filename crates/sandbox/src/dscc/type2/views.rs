//! How volumes and snapshots are shown. What follows from other objects (pool, collection, snapshots,
//! exports) is looked up when it is shown.

use std::borrow::Cow;

use hallpass_query::{AttributePath, Lookup};
use serde_json::{Value, json};

use super::super::relation::{BASES, CLONES, COLLECTED};
use super::super::{Call, collection, link, plain};
use super::{OFFLINE, ONLINE, exports, seconds, truth, volume_uri};
use crate::rest::Item;
use crate::state::State;
use crate::stored::{Fields, Stored};

const MIB: f64 = 1024.0 * 1024.0;

/// Settings of a volume that are shown as they are kept.
const SAME: &[&str] = &[
    "agent_type",
    "app_uuid",
    "block_size",
    "cache_pinned",
    "caching_enabled",
    "encryption_cipher",
    "folder_id",
    "limit",
    "limit_iops",
    "limit_mbps",
    "metadata",
    "multi_initiator",
    "perfpolicy_id",
    "read_only",
    "replication_role",
    "reserve",
    "snap_reserve",
    "snap_warn_level",
];

/// A kept object, and what is needed to show it.
pub(super) struct Of<'a> {
    stored: &'a Stored,
    state: &'a State,
    customer: &'a str,
}

pub(super) struct Volume<'a>(pub(super) Of<'a>);

pub(super) struct Snapshot<'a>(pub(super) Of<'a>);

impl<'a> Of<'a> {
    pub(super) fn new(call: &Call<'a, '_>, stored: &'a Stored) -> Self {
        Self {
            stored,
            state: call.state,
            customer: call.request.caller.customer_id,
        }
    }

    /// What is quick to find for both.
    fn kept(&self, path: &AttributePath) -> Option<Value> {
        let mut steps = path.steps();
        match (steps.next()?, steps.next()) {
            (same @ ("id" | "name" | "generation"), None) => Some(self.stored.field(same)),
            ("size", None) => Some(self.stored.field("sizeMiB")),
            ("online", None) => Some((self.stored.text("state") == ONLINE).into()),
            ("pool_id", None) => Some(self.stored.field("poolId")),
            _ => None,
        }
    }

    fn name(&self, collection: &str, id: &str) -> Value {
        let object = self.state.get(collection, id);
        object
            .map(|object| object.field("name"))
            .unwrap_or_default()
    }
}

impl Lookup for Volume<'_> {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        let quick = self.0.kept(path);
        let found = quick.or_else(|| self.render().lookup(path).map(Cow::into_owned));
        found.map(Cow::Owned)
    }
}

impl Lookup for Snapshot<'_> {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        self.render()
            .lookup(path)
            .map(|found| Cow::Owned(found.into_owned()))
    }
}

impl Item for Volume<'_> {
    fn render(&self) -> Value {
        let mut shown = self.identity();
        for part in [self.settings(), self.relations(), self.space()] {
            if let (Value::Object(shown), Value::Object(part)) = (&mut shown, part) {
                shown.extend(part);
            }
        }
        shown
    }
}

impl Volume<'_> {
    fn identity(&self) -> Value {
        let stored = self.0.stored;
        let (id, system) = (stored.text("id"), stored.text("systemId"));
        let uri = volume_uri(system, id);
        let serial = stored.text("wwn").to_lowercase();
        let name = stored.text("name");
        json!({
            "id": id,
            "name": name,
            "full_name": name,
            "search_name": name,
            "type": "volume",
            "description": stored.field("comment"),
            "serial_number": serial,
            "target_name": format!("iqn.2007-11.com.example:{name}-{serial}"),
            "owned_by_group": self.0.name(collection::SYSTEMS, system),
            "owned_by_group_id": system,
            "vpd_ieee0": serial.get(..16),
            "vpd_ieee1": serial.get(16..),
            "vpd_t10": format!("Example {serial}"),
            "creation_time": seconds(stored, "created"),
            "last_modified": seconds(stored, "modified"),
            "customerId": self.0.customer,
            "generation": stored.field("generation"),
            "resourceUri": uri,
            "consoleUri": uri.replacen("/api/v1", "/data-ops-manager", 1),
            "associated_links": [
                link("storage-systems", format!("/api/v1/storage-systems/device-type2/{system}")),
                link("storage-pools", format!(
                    "/api/v1/storage-systems/device-type2/{system}/storage-pools/{}",
                    stored.text("poolId"),
                )),
                link("snapshots", format!("{uri}/snapshots")),
            ],
        })
    }

    fn settings(&self) -> Value {
        let stored = self.0.stored;
        let mut settings = json!({
            "size": stored.field("sizeMiB"),
            "online": stored.text("state") == ONLINE,
            "vol_state": stored.text("state"),
            "offline_reason": (stored.text("state") == OFFLINE).then_some("user"),
            "dedupe_enabled": truth(stored, "dataReduction"),
            "previously_deduped": false,
            "perfpolicy_name": "default",
            "warn_level": stored.field("userAllocWarning"),
            "thinly_provisioned": true,
            "cache_policy": "normal",
            "iscsi_target_scope": "volume",
            "inherit_acl": false,
            "needs_content_repl": false,
            "content_repl_errors_found": false,
            "upstream_cache_pinned": false,
            "move_aborting": false,
        });
        for name in SAME {
            super::super::set(&mut settings, name, stored.field(name));
        }
        settings
    }

    fn relations(&self) -> Value {
        let Of { stored, state, .. } = self.0;
        let id = stored.text("id");
        let parent = CLONES.to(state, id).next();
        let base = BASES.to(state, id).next();
        let set = COLLECTED.from(state, id).next();
        let snapshots = || state.with(collection::SNAPSHOTS2, "ofVolume", id);
        let online: Vec<Value> = snapshots()
            .filter(|snapshot| snapshot.text("state") == ONLINE)
            .map(named)
            .collect();
        let last = snapshots().last().map(|last| {
            json!({
                "snap_id": last.field("id"),
                "snap_name": last.field("name"),
                "snap_creation_time": seconds(last, "created"),
            })
        });
        let protected = set.is_some();
        json!({
            "pool_id": stored.field("poolId"),
            "pool_name": self.0.name(collection::POOLS, stored.text("poolId")),
            "clone": parent.is_some(),
            "parent_vol_id": parent,
            "parent_vol_name": parent.map(|id| self.0.name(collection::VOLUMES, id)),
            "base_snap_id": base,
            "base_snap_name": base.map(|id| self.0.name(collection::SNAPSHOTS2, id)),
            "volcoll_id": set,
            "volcoll_name": set.map(|id| self.0.name(collection::VOLUME_COLLECTIONS, id)),
            "protection_type": if protected { "local" } else { "unprotected" },
            "num_snaps": state.count(collection::SNAPSHOTS2, "ofVolume", id),
            "online_snaps": online,
            "last_snap": last,
            "access_control_records": exports::records(state, stored, None),
        })
    }

    fn space(&self) -> Value {
        let stored = self.0.stored;
        let used = bytes(stored.number("usedSizeMiB"));
        json!({
            "usage_valid": true,
            "space_usage_level": "normal",
            "total_usage_bytes": used,
            "vol_usage_compressed_bytes": used,
            "vol_usage_uncompressed_bytes": bytes(stored.number("writtenMiB")),
            "snap_usage_compressed_bytes": 0,
            "snap_usage_populated_bytes": 0,
            "snap_usage_uncompressed_bytes": 0,
        })
    }
}

impl Item for Snapshot<'_> {
    fn render(&self) -> Value {
        let Of {
            stored,
            state,
            customer,
        } = self.0;
        let (id, volume_id) = (stored.text("id"), stored.text("ofVolume"));
        let volume = state.get(collection::VOLUMES, volume_id);
        let pool = volume.map(|volume| self.0.name(collection::POOLS, volume.text("poolId")));
        let volume_uri = volume_uri(stored.text("systemId"), volume_id);
        let uri = format!("{volume_uri}/snapshots/{id}");
        json!({
            "id": id,
            "name": stored.field("name"),
            "type": "snapshot",
            "description": stored.field("description"),
            "size": stored.field("sizeMiB"),
            "online": stored.text("state") == ONLINE,
            "offline_reason": (stored.text("state") == OFFLINE).then_some("user"),
            "writable": stored.field("writable"),
            "vol_id": volume_id,
            "vol_name": volume.map(|volume| volume.field("name")),
            "pool_name": pool,
            "app_uuid": stored.field("app_uuid"),
            "agent_type": "none",
            "metadata": stored.field("metadata"),
            "serial_number": stored.field("serial"),
            "replication_status": null,
            "is_replica": false,
            "is_unmanaged": false,
            "is_manually_managed": true,
            "new_data_valid": true,
            "new_data_compressed_bytes": 0,
            "new_data_uncompressed_bytes": 0,
            "creation_time": seconds(stored, "created"),
            "last_modified": seconds(stored, "generation"),
            "access_control_records": volume
                .map(|volume| exports::records(state, volume, Some(stored))),
            "customerId": customer,
            "generation": stored.field("generation"),
            "resourceUri": uri,
            "consoleUri": uri.replacen("/api/v1", "/data-ops-manager", 1),
            "associated_links": [link("volumes", volume_uri)],
        })
    }
}

/// An object as lists of its kind name it.
fn named(object: &Stored) -> Value {
    json!({
        "id": object.field("id"),
        "name": object.field("name"),
        "snap_id": object.field("id"),
        "snap_name": object.field("name"),
    })
}

fn bytes(mib: f64) -> Value {
    plain((mib * MIB).round())
}
