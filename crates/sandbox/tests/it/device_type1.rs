//! What the tests send to the volumes and volume sets of device-type1.

use hallpass_openapi::Location;
use http::Method;
use serde_json::{Value, json};

use crate::world::World;

impl World {
    /// A host group that there is.
    pub(crate) fn group(&mut self) -> String {
        let (_, list) = self.get("volumes?limit=1000");
        let volumes = list["items"].as_array().unwrap();
        let mut reached = volumes
            .iter()
            .filter_map(|volume| volume["initiators"].as_array());
        let found = reached.find_map(|groups| groups.first()).unwrap();
        found["id"].as_str().unwrap().to_owned()
    }

    /// A body that the operation accepts, with ids that there are.
    pub(crate) fn device_type1_body(&mut self, id: &str) -> Option<Value> {
        let body = match id {
            "DeviceType1VlunExport" | "DeviceType1VlunExportForSnapshot" => {
                json!({"hostGroupIds": [self.group()], "autoLun": true, "override": true})
            }
            "DeviceType1VolumeSetExport" => {
                json!({"hostGroupIds": [self.group()], "proximity": "ALL"})
            }
            "DeviceType1VlunUnexport"
            | "DeviceType1VlunUnexportForSnapshot"
            | "DeviceType1VolumeSetUnexport" => json!({"hostGroupIds": [self.group()]}),
            "SnapshotCloneCreate" => json!({"destinationVolume": "copy"}),
            "VolumeSnapshotCreate" => json!({"namePattern": "PARENT_TIMESTAMP"}),
            "DeviceType1VolumeSetsSnapshotCreate" => {
                json!({"vvNamePattern": "CUSTOM", "snapshotName": "all"})
            }
            "VolumeCloneCreate" => json!({"destinationVolume": "copy", "online": true}),
            "DeviceType1VolumeSetsCreate" => {
                json!({"appSetName": "new", "appSetType": "ORACLE_LOG", "members": []})
            }
            "DeviceType1VolumeSetsEditById" => json!({"appSetName": "renamed"}),
            "DeviceType1PromoteSnapshot"
            | "DeviceType1PromoteCloneVolume"
            | "DeviceType1ResyncCloneVolume" => json!({}),
            _ => return None,
        };
        Some(body)
    }

    /// Brings about what the operation needs, and gives its address back with the query parameters
    /// that it needs: those that the definition has examples of.
    pub(crate) fn prepared(&mut self, id: &str, path: &str) -> String {
        if path.contains("/device-type1/") && path.ends_with("/un-export") {
            let export = path.replace("un-export", "export");
            let mut body = json!({"hostGroupIds": [self.group()], "proximity": "ALL"});
            if id.starts_with("DeviceType1VlunUnexport") {
                body["override"] = true.into();
            }
            let answer = self.send(&Method::POST, &export, Some(&body.to_string()));
            assert_eq!(self.done(answer)["state"], "SUCCEEDED");
        }
        if !["VolumeDelete", "VolumeSnapshotGetById"].contains(&id) {
            return path.to_owned();
        }
        let operation = self.definition.operation(id).unwrap();
        let parameters = operation.parameters().iter();
        let flags: Vec<String> = parameters
            .filter(|parameter| parameter.location == Location::Query)
            .map(|parameter| format!("{}={}", parameter.name, parameter.example.as_ref().unwrap()))
            .collect();
        format!("{path}?{}", flags.join("&"))
    }
}
