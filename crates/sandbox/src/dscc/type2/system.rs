//! Settings of a system. What is set is shown by the views of the system.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::super::routes::{Named, Row};
use super::super::systems;
use super::super::tasks::{self, merge, reference, still_there};
use super::super::{Call, collection};
use super::{named, read, system, work};
use crate::rest::Refusal;
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

/// What a caller may set and sees again under the same name.
const SETTINGS: &[&str] = &[
    "auto_switchover_enabled",
    "autoclean_unmanaged_snapshots_enabled",
    "autoclean_unmanaged_snapshots_ttl_unit",
    "cc_mode_enabled",
    "default_iscsi_target_scope",
    "group_snapshot_ttl",
    "group_target_name",
    "ntp_server",
    "tdz_enabled",
    "tdz_prefix",
    "timezone",
    "tlsv1_enabled",
];

pub(in crate::dscc) const ROWS: &[Row] = &[Row::new(
    "PUT",
    "storage-systems/device-type2/{}",
    &[Named::DeviceType2],
    edit,
)];

/// The settings that somebody made, and the clock as it was set.
pub(in crate::dscc) fn settings(stored: &Stored, now: Timestamp) -> Map<String, Value> {
    let made = SETTINGS
        .iter()
        .filter_map(|name| Some((*name, stored.get(name)?.unpack())));
    let ahead = stored.get("clockAhead").and_then(Stored::as_i64);
    let clock = now.as_second().saturating_add(ahead.unwrap_or_default());
    let made = made.chain([("date", clock.into())]);
    made.map(|(name, value)| (name.to_owned(), value)).collect()
}

fn edit(call: &mut Call<'_, '_>) -> Result<Outcome, Refusal> {
    let stored = system(call)?;
    let body = read(call)?;
    let mut fields = Map::new();
    for name in SETTINGS {
        let value = body.field(name);
        if !value.is_null() {
            fields.insert((*name).to_owned(), value);
        }
    }
    if !body.field("name").is_null() {
        fields.insert("name".to_owned(), named(&body, "name")?.into());
    }
    if let Some(date) = body.get("date").and_then(Value::as_i64) {
        let ahead = date.saturating_sub(call.moment.now().as_second());
        fields.insert("clockAhead".to_owned(), ahead.into());
    }
    let done = tasks::end(call).as_millisecond();
    fields.insert("generation".to_owned(), done.into());
    let name = stored.text("name");
    let resource = reference("storage-system", name, systems::uri(stored));
    let checks = vec![still_there(collection::SYSTEMS, "system", stored)];
    let mut work = work(stored, format!("Edit system {name}"), resource, checks);
    let id = stored.text("id");
    work.then
        .push(merge(collection::SYSTEMS, id, Value::Object(fields)));
    tasks::start(call, work)
}
