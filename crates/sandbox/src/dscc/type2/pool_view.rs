//! How a pool is shown, and which is the default one.

use std::borrow::Cow;

use hallpass_query::{AttributePath, Lookup};
use serde_json::{Value, json};

use super::super::relation::ASSIGNED;
use super::super::{Call, collection, link, plain, pools, systems};
use super::{seconds, truth};
use crate::rest::Item;
use crate::state::State;
use crate::stored::{Fields, Stored};

const MIB: f64 = 1024.0 * 1024.0;

pub(super) struct Pool<'a> {
    stored: &'a Stored,
    system: &'a Stored,
    state: &'a State,
    customer: &'a str,
}

/// The pool that volumes are made in when nobody names one: the one that was said to be, or the
/// oldest.
pub(super) fn default_of<'s>(state: &'s State, system: &'s str) -> Option<&'s Stored> {
    let mut pools = pools::of_system(state, system);
    pools
        .find(|pool| truth(pool, "is_default"))
        .or_else(|| pools::of_system(state, system).next())
}

/// Whether volumes are made in the pool when nobody names one.
pub(super) fn is_default(state: &State, system: &Stored, pool: &Stored) -> bool {
    let default = default_of(state, system.text("id"));
    default.is_some_and(|default| default.text("id") == pool.text("id"))
}

impl<'a> Pool<'a> {
    pub(super) fn new(call: &Call<'a, '_>, system: &'a Stored, stored: &'a Stored) -> Self {
        Self {
            stored,
            system,
            state: call.state,
            customer: call.request.caller.customer_id,
        }
    }
}

impl Lookup for Pool<'_> {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        let found = if path.is("id") || path.is("name") {
            self.stored.field(if path.is("id") { "id" } else { "name" })
        } else {
            self.render().lookup(path)?.into_owned()
        };
        Some(Cow::Owned(found))
    }
}

impl Item for Pool<'_> {
    fn render(&self) -> Value {
        let Self { stored, state, .. } = *self;
        let id = stored.text("id");
        let name = stored.field("name");
        let volumes = || state.with(collection::VOLUMES, "poolId", id);
        let used: f64 = volumes().map(|volume| volume.number("usedSizeMiB")).sum();
        let total = stored.number("totalSizeMiB");
        let arrays: Vec<Value> = ASSIGNED
            .to(state, id)
            .filter_map(|array| state.get(collection::ARRAYS, array))
            .map(|array| summary(array, "array"))
            .collect();
        let uri = format!("{}/storage-pools/{id}", systems::uri(self.system));
        let volumes: Vec<Value> = volumes().map(|volume| summary(volume, "vol")).collect();
        json!({
            "id": id,
            "name": name,
            "full_name": name,
            "search_name": name,
            "type": "storage-pool",
            "description": stored.text("description"),
            "is_default": is_default(state, self.system, stored),
            "capacity": plain(total * MIB),
            "usage": plain(used * MIB),
            "free_space": plain((total - used) * MIB),
            "usage_valid": true,
            "unused_reserve": 0,
            "array_count": arrays.len(),
            "array_list": arrays,
            "unassigned_array_list": [],
            "vol_count": volumes.len(),
            "vol_list": volumes,
            "pinned_vol_list": [],
            "folder_list": [],
            "all_flash": stored.text("diskType") == "DEVICE_TYPE_SSD",
            "dedupe_capable": stored.get("dedupe_capable") != Some(&Stored::Bool(false)),
            "dedupe_all_volumes": truth(stored, "dedupe_all_volumes"),
            "clone_ratio": 1,
            "compression_ratio": 1,
            "dedupe_ratio": 1,
            "data_reduction_ratio": 1,
            "savings_ratio": 1,
            "creation_time": seconds(stored, "created"),
            "last_modified": seconds(stored, "generation"),
            "customerId": self.customer,
            "generation": stored.field("generation"),
            "resourceUri": uri,
            "consoleUri": uri.replacen("/api/v1", "/data-ops-manager", 1),
            "associated_links": [link("storage-systems", systems::uri(self.system))],
        })
    }
}

/// An object as a list of its kind names it, under both of its names.
fn summary(object: &Stored, kind: &str) -> Value {
    let (id, name) = (object.field("id"), object.field("name"));
    let mut summary = json!({"id": id, "name": name});
    super::super::set(&mut summary, &format!("{kind}_id"), id);
    super::super::set(&mut summary, &format!("{kind}_name"), name);
    summary
}
