//! How a volume collection is shown.

use std::borrow::Cow;

use hallpass_query::{AttributePath, Lookup};
use serde_json::{Value, json};

use super::super::relation::COLLECTED;
use super::super::{Call, collection, link, set};
use super::handover::RUNNING;
use super::seconds;
use crate::rest::Item;
use crate::state::State;
use crate::stored::{Fields, Stored};

/// What its maker may say about a collection; kept and shown under the same name.
pub(super) const SAME: &[&str] = &[
    "agent_hostname",
    "app_cluster_name",
    "app_id",
    "app_server",
    "app_service_name",
    "app_sync",
    "description",
    "is_standalone_volcoll",
    "metadata",
    "prottmpl_id",
    "replication_type",
    "vcenter_hostname",
    "vcenter_username",
];

pub(super) struct VolumeCollection<'a> {
    stored: &'a Stored,
    state: &'a State,
    customer: &'a str,
}

/// Where the API has a volume collection.
pub(in crate::dscc) fn uri(stored: &Stored) -> String {
    let (system, id) = (stored.text("systemId"), stored.text("id"));
    format!("/api/v1/storage-systems/device-type2/{system}/volume-collections/{id}")
}

impl<'a> VolumeCollection<'a> {
    pub(super) fn new(call: &Call<'a, '_>, stored: &'a Stored) -> Self {
        Self {
            stored,
            state: call.state,
            customer: call.request.caller.customer_id,
        }
    }

    fn volumes(&self) -> Vec<Value> {
        COLLECTED
            .to(self.state, self.stored.text("id"))
            .filter_map(|id| self.state.get(collection::VOLUMES, id))
            .map(|volume| {
                let (id, name) = (volume.field("id"), volume.field("name"));
                json!({"id": id, "name": name, "vol_id": id, "vol_name": name})
            })
            .collect()
    }
}

impl Lookup for VolumeCollection<'_> {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        self.render()
            .lookup(path)
            .map(|found| Cow::Owned(found.into_owned()))
    }
}

impl Item for VolumeCollection<'_> {
    fn render(&self) -> Value {
        let stored = self.stored;
        let name = stored.field("name");
        let system = self.state.get(collection::SYSTEMS, stored.text("systemId"));
        let partner = stored.text("partner");
        let handing_over = stored.text("handover") == RUNNING;
        let volumes = self.volumes();
        let uri = uri(stored);
        let mut shown = json!({
            "id": stored.field("id"),
            "name": name,
            "full_name": name,
            "search_name": name,
            "type": "volume-collection",
            "pol_owner_name": match partner {
                "" => system.map(|system| system.field("name")).unwrap_or_default(),
                partner => partner.into(),
            },
            "protection_type": "local",
            "synchronous_replication_type": "not_applicable",
            "synchronous_replication_state": "not_applicable",
            "replication_partner": if partner.is_empty() { vec![] } else { vec![partner] },
            "handover_replication_partner": handing_over.then(|| stored.field("handoverPartner")),
            "is_handing_over": handing_over,
            "volume_count": volumes.len(),
            "volume_list": volumes,
            "cache_pinned_volume_list": [],
            "schedule_list": [],
            "snapcoll_count": 0,
            "last_snapcoll": null,
            "last_replicated_snapcoll": null,
            "repl_priority": "normal",
            "creation_time": seconds(stored, "created"),
            "customerId": self.customer,
            "generation": stored.field("generation"),
            "resourceUri": uri,
            "consoleUri": uri.replacen("/api/v1", "/data-ops-manager", 1),
            "associated_links": [link("volumes", format!(
                "/api/v1/storage-systems/device-type2/{}/volumes?filter=volcoll_id eq {}",
                stored.text("systemId"),
                stored.text("id"),
            ))],
        });
        for name in SAME {
            set(&mut shown, name, stored.field(name));
        }
        shown
    }
}
