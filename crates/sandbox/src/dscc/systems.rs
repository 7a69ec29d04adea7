//! Storage systems: the fleet's form, and the forms of the two device types.
//!
//! A system is kept as `{id, name, deviceType, model, …}`; its capacity is kept with its pools.

use serde_json::{Value, json};

use super::pools::Usage;
use super::routes::{Named, Row};
use super::{Call, Rendered, collection, link, not_found, type2};
use crate::rest::{Envelope, Refusal};
use crate::sandbox::Outcome;
use crate::stored::{Fields, Stored};

pub(super) const TYPE1: &str = "deviceType1";
pub(super) const TYPE2: &str = "deviceType2";

const TYPES: &[(&str, &str)] = &[
    (TYPE1, "Primera, Alletra 9000 and 3PAR arrays"),
    (TYPE2, "Nimble, Alletra 5000 and Alletra 6000 groups"),
];

/// In which form systems are shown, and which of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// All of them, in the form that they share.
    Fleet,
    DeviceType1,
    DeviceType2,
}

pub(super) const ROWS: &[Row] = &[
    Row::new("GET", "storage-systems", &[], |call| {
        list(call, Kind::Fleet)
    }),
    Row::new("GET", "storage-systems/{}", &[Named::System], |call| {
        get(call, Kind::Fleet)
    }),
    Row::new("GET", "storage-systems/storage-types", &[], |call| {
        types(call)
    }),
    Row::new("GET", "storage-systems/device-type1", &[], |call| {
        list(call, Kind::DeviceType1)
    }),
    Row::new(
        "GET",
        "storage-systems/device-type1/{}",
        &[Named::DeviceType1],
        |call| get(call, Kind::DeviceType1),
    ),
    Row::new("GET", "storage-systems/device-type2", &[], |call| {
        list(call, Kind::DeviceType2)
    }),
    Row::new(
        "GET",
        "storage-systems/device-type2/{}",
        &[Named::DeviceType2],
        |call| get(call, Kind::DeviceType2),
    ),
];

fn list(call: &Call<'_, '_>, kind: Kind) -> Result<Outcome, Refusal> {
    let question = call.question()?;
    let systems = call
        .state
        .all(collection::SYSTEMS)
        .filter(|(_, system)| kind.shows(system))
        .map(|(_, system)| Rendered(view(call, system, kind)));
    let envelope = Envelope::WithUri(call.request.uri);
    Ok(Outcome::ok(question.answer(systems, envelope)))
}

fn get(call: &Call<'_, '_>, kind: Kind) -> Result<Outcome, Refusal> {
    let id = call.path(0);
    let system = find(call, id, kind)?;
    let mut shown = view(call, system, kind);
    let (console, uri) = (console_uri(system), call.request.uri);
    if kind != Kind::DeviceType2 {
        super::set(&mut shown, "consoleUri", console);
        super::set(&mut shown, "fqdn", system.field("fqdn"));
    }
    super::set(&mut shown, "requestUri", uri);
    call.one(shown)
}

fn types(call: &Call<'_, '_>) -> Result<Outcome, Refusal> {
    let types = TYPES.iter().map(|(device_type, description)| {
        Rendered(json!({"deviceType": device_type, "description": description}))
    });
    Ok(Outcome::ok(call.question()?.answer(types, Envelope::Plain)))
}

/// The system, if there is one of that id and kind.
pub(super) fn find<'a>(call: &Call<'a, '_>, id: &str, kind: Kind) -> Result<&'a Stored, Refusal> {
    call.state
        .get(collection::SYSTEMS, id)
        .filter(|system| kind.shows(system))
        .ok_or_else(|| not_found(kind.word(), id))
}

/// Where the API has a system of this device type.
pub(super) fn uri(system: &Stored) -> String {
    let kind = if system.text("deviceType") == TYPE2 {
        "device-type2"
    } else {
        "device-type1"
    };
    format!("/api/v1/storage-systems/{kind}/{}", system.text("id"))
}

impl Kind {
    fn shows(self, system: &Stored) -> bool {
        match self {
            Self::Fleet => true,
            Self::DeviceType1 => system.text("deviceType") == TYPE1,
            Self::DeviceType2 => system.text("deviceType") == TYPE2,
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Fleet => "storage system",
            Self::DeviceType1 => "device-type1 system",
            Self::DeviceType2 => "device-type2 system",
        }
    }
}

fn view(call: &Call<'_, '_>, system: &Stored, kind: Kind) -> Value {
    let customer = call.request.caller.customer_id;
    match kind {
        Kind::Fleet => fleet(call, system, customer),
        Kind::DeviceType1 => device_type1(call, system, customer),
        Kind::DeviceType2 => device_type2(call, system, customer),
    }
}

fn console_uri(system: &Stored) -> String {
    uri(system).replacen("/api/v1", "/data-ops-manager", 1)
}

fn fleet(call: &Call<'_, '_>, system: &Stored, customer: &str) -> Value {
    let id = system.text("id");
    json!({
        "id": id,
        "name": system.field("name"),
        "description": system.field("description"),
        "type": "storage-system",
        "model": system.field("model"),
        "productFamily": system.field("deviceType"),
        "state": "NORMAL",
        "softwareVersion": system.field("softwareVersion"),
        "systemWWN": system.field("systemWWN"),
        "tierType": system.field("tierType"),
        "callhomeStatus": "ENABLED_NORMAL",
        "connectionStatus": "CONNECTED",
        "lastConnectedTime": call.moment.now().as_millisecond(),
        "upSince": system.field("upSince"),
        "arrayList": system.field("arrays"),
        "customerId": customer,
        "generation": system.field("generation"),
        "resourceUri": format!("/api/v1/storage-systems/{id}"),
        "associatedLinks": [
            link("storage-pools", format!("/api/v1/storage-systems/{id}/storage-pools")),
            link("volumes", format!("/api/v1/storage-systems/{id}/volumes")),
        ],
    })
}

fn device_type1(call: &Call<'_, '_>, system: &Stored, customer: &str) -> Value {
    let (id, name) = (system.text("id"), system.text("name"));
    let version = system.text("softwareVersion");
    let nodes: Vec<i64> = (0..system.field("nodes").as_i64().unwrap_or_default()).collect();
    let uri = uri(system);
    json!({
        "id": id,
        "name": name,
        "displayname": format!("System {name}"),
        "type": "storage-system",
        "systemWWN": system.field("systemWWN"),
        "state": {"overall": "STATE_NORMAL", "detailed": []},
        "overallState": "NORMAL",
        "manufacturing": {
            "manufacturer": "HPE",
            "model": system.field("model"),
            "serialNumber": id,
            "hpeModelName": system.field("model"),
        },
        "softwareVersions": {
            "baseVersion": version,
            "fullVersion": version,
            "release": "",
            "patches": "",
        },
        "descriptors": {
            "comment": system.field("description"),
            "contact": "",
            "location": system.field("location"),
            "owner": "",
        },
        "nodesCount": nodes.len(),
        "masterNode": 0,
        "nodesPresent": nodes,
        "onlineNodes": nodes,
        "minimumPasswordLength": 8,
        "systemDate": call.moment.now().as_second(),
        "timezone": "UTC",
        "uptime": {"ms": system.field("upSince"), "tz": "UTC"},
        "customerId": customer,
        "generation": system.field("generation"),
        "resourceUri": uri,
        "associatedLinks": [
            link("storage-pools", format!("{uri}/storage-pools")),
            link("volumes", format!("{uri}/volumes")),
        ],
    })
}

fn device_type2(call: &Call<'_, '_>, system: &Stored, customer: &str) -> Value {
    const MIB: f64 = 1024.0 * 1024.0;
    let usage = Usage::of_system(call.state, system.text("id"));
    let array = system.field("arrays").get(0).cloned();
    let uri = uri(system);
    let mut shown = json!({
        "id": system.field("id"),
        "name": system.field("name"),
        "version_current": system.field("softwareVersion"),
        "timezone": "UTC",
        "date": call.moment.now().as_second(),
        "domain_name": system.text("fqdn").split_once('.').map_or("", |(_, domain)| domain),
        "leader_array_name": array.map(|array| array.field("name")),
        "leader_array_serial": system.field("serial"),
        "failover_mode": "Manual",
        "iscsi_enabled": true,
        "fc_enabled": false,
        "usable_capacity_bytes": super::plain(usage.total_mib * MIB),
        "usage": super::plain((usage.used_mib * MIB).round()),
        "free_space": super::plain(((usage.total_mib - usage.used_mib) * MIB).round()),
        "compression_ratio": 1,
        "dedupe_ratio": 1,
        "data_reduction_ratio": 1,
        "num_connections": system.field("connections"),
        "customerId": customer,
        "generation": system.field("generation"),
        "resourceUri": uri,
        "associated_links": [link("storage-pools", format!("{uri}/storage-pools"))],
    });
    if let Value::Object(shown) = &mut shown {
        shown.extend(type2::settings(system, call.moment.now()));
    }
    shown
}
