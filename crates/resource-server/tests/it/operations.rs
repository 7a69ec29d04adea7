//! The operations of the project's own definition as requests that are good in every respect but
//! the one a test is about.

use std::collections::BTreeMap;

use hallpass_access::{OperationPermissions, Requirement};
use hallpass_openapi::{Definition, Fill, Location, Operation};
use http::Method;
use serde_json::{Value, json};

use crate::world::{POOL, definition};

/// Ids of the definition's examples, and what stands in their place in a request.
pub(crate) type Ids = BTreeMap<&'static str, String>;

pub(crate) const VOLUME: &str = "9d4c17e05ab84f20b6e3217fc80da651";
pub(crate) const HOST: &str = "c2f08e6d1b7945a3a94d5e60b81f3c72";
pub(crate) const TASK: &str = "7e6f2b90-4c1d-4a58-9f03-d2b8a6c5e417";

/// A host group that the seed makes.
const GROUP: &str = "cluster-1";

/// The one that the example of an un-export names; the example of a VLUN is of another.
const REACHED: &str = "e04b86d1c7f24f5a93b8d62e1a7c50f9";

#[derive(Debug, Clone)]
pub(crate) struct Prepared {
    pub(crate) id: String,
    pub(crate) method: String,
    pub(crate) target: String,
    pub(crate) body: Option<Value>,
    /// What a refusal has to name.
    pub(crate) permission: String,
}

impl Prepared {
    pub(crate) fn changes(&self) -> bool {
        self.method != "GET"
    }
}

/// All of them, with the examples as path parameters, or what `ids` has for those.
pub(crate) fn all(ids: &Ids) -> Vec<Prepared> {
    let definition = definition();
    let permissions = OperationPermissions::derive(&definition);
    let prepare = |operation: &Operation| Prepared {
        id: operation.id().to_owned(),
        method: operation.method().to_string(),
        target: format!("{}{}", path(operation, ids), query(operation.id())),
        body: operation.body().map(|_| body(&definition, operation)),
        permission: match permissions.requirement(operation.index()) {
            Requirement::Permission(permission) => permission.to_string(),
            Requirement::AnyRole => "ANY.read".to_owned(),
        },
    };
    let prepared: Vec<_> = definition.operations().iter().map(prepare).collect();
    assert!(
        prepared
            .iter()
            .all(|operation| { operation.changes() || operation.method == Method::GET.as_str() })
    );
    prepared
}

fn path(operation: &Operation, ids: &Ids) -> String {
    let mut path = operation.path().to_owned();
    for parameter in operation.parameters() {
        if parameter.location != Location::Path {
            continue;
        }
        let example = parameter.example.as_ref().and_then(Value::as_str).unwrap();
        let value = ids.get(example).map_or(example, String::as_str);
        path = path.replace(&format!("{{{}}}", parameter.name), value);
    }
    assert!(
        !path.contains('{'),
        "{path}: a parameter without an example"
    );
    path
}

/// Without these a volume that is exported or has snapshots and a host that is in use stay.
fn query(operation: &str) -> &'static str {
    match operation {
        "VolumeDelete" => "?unExport=true&cascade=true",
        "HostDelete" => "?force=true",
        _ => "",
    }
}

/// What the definition shows, where that does.
fn body(definition: &Definition, operation: &Operation) -> Value {
    match operation.id() {
        "VolumeCreate" => json!({"name": "walked", "sizeMib": 16384, "userCpg": POOL}),
        "VolumeEdit" | "HostUpdateById" => json!({"name": "walked-edited"}),
        "HostCreate" => {
            json!({"name": "walked", "operatingSystem": "Linux", "userCreated": true})
        }
        "DeviceType1VlunExport" => json!({"hostGroupIds": [GROUP]}),
        "DeviceType1VlunUnexport" => json!({"hostGroupIds": [REACHED]}),
        "DeviceType1VolumeSetExport" | "DeviceType1VolumeSetUnexport" => {
            json!({"hostGroupIds": [GROUP], "proximity": "ALL"})
        }
        "VolumeSnapshotCreate" => json!({"namePattern": "PARENT_TIMESTAMP"}),
        "DeviceType1VolumeSetsSnapshotCreate" => json!({"vvNamePattern": "PARENT_TIMESTAMP"}),
        "VolumeCloneCreate" => json!({"destinationVolume": "walked-clone"}),
        "DeviceType1VolumeSetsCreate" => {
            json!({"appSetName": "walked-set", "appSetType": "OTHER"})
        }
        "DeviceType1VolumeSetsEditById" => json!({"appSetName": "walked-set-edited"}),
        "DeviceType1PromoteSnapshot"
        | "DeviceType1PromoteCloneVolume"
        | "DeviceType1ResyncCloneVolume" => json!({}),
        "HostGroupUpdateById" => json!({"name": "walked-group"}),
        "HostInitiatorCreate" => json!({"address": "10000000000000ab", "protocol": "FC"}),
        _ => definition.example_body(operation, Fill::Shown).unwrap(),
    }
}
