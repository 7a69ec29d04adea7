//! What callers send to create and to edit volume sets of device-type1, read once.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::collection;
use super::volume_input::{name, optional};
use crate::rest::Refusal;
use crate::state::State;
use crate::stored::{Fields, Stored};

/// Fields of the body, and the names under which they are kept.
const KEPT: [(&str, &str); 4] = [
    ("appSetType", "appType"),
    ("appSetComments", "comment"),
    ("appSetImportance", "importance"),
    ("appSetBusinessUnit", "businessUnit"),
];

/// The type that says that another field has the type.
const CUSTOM: &str = "CUSTOM";

/// A set that is to be created.
pub(super) struct NewSet<'a> {
    pub(super) name: String,
    pub(super) members: Vec<&'a Stored>,
    fields: Map<String, Value>,
}

impl<'a> NewSet<'a> {
    pub(super) fn parse(
        state: &'a State,
        system: &str,
        body: Map<String, Value>,
    ) -> Result<Self, Refusal> {
        let body = &Value::Object(body);
        let fields = fields(body)?;
        if !fields.contains_key("appType") {
            let message = "appSetType: is missing".to_owned();
            return Err(Refusal::BadRequest(message));
        }
        Ok(Self {
            name: name(body.text("appSetName"))?,
            members: volumes(state, system, body, "members")?,
            fields,
        })
    }

    /// The set as it is kept.
    pub(super) fn set(&self, id: &str, system: &str, number: i64, created: i64) -> Value {
        let mut set = json!({
            "id": id,
            "systemId": system,
            "name": self.name,
            "number": number,
            "appType": null,
            "comment": null,
            "importance": null,
            "businessUnit": null,
            "created": created,
            "generation": created,
        });
        if let Value::Object(set) = &mut set {
            set.extend(self.fields.clone());
        }
        set
    }
}

/// What is to change about a set: the fields that were sent, and no other.
pub(super) struct SetEdit<'a> {
    pub(super) name: Option<String>,
    pub(super) added: Vec<&'a Stored>,
    pub(super) removed: Vec<&'a Stored>,
    fields: Map<String, Value>,
}

impl<'a> SetEdit<'a> {
    pub(super) fn parse(
        state: &'a State,
        system: &str,
        body: Map<String, Value>,
    ) -> Result<Self, Refusal> {
        let body = &Value::Object(body);
        Ok(Self {
            name: optional(body, "appSetName")
                .as_deref()
                .map(name)
                .transpose()?,
            added: volumes(state, system, body, "addMembers")?,
            removed: volumes(state, system, body, "removeMembers")?,
            fields: fields(body)?,
        })
    }

    /// What is to be added and removed stays as it is: the published example asks for that.
    pub(super) fn keep_what_comes_and_goes(&mut self) {
        let ids = |volumes: &[&Stored]| -> BTreeSet<String> {
            let ids = volumes.iter().map(|volume| volume.text("id").to_owned());
            ids.collect()
        };
        let (coming, going) = (ids(&self.added), ids(&self.removed));
        self.added
            .retain(|volume| !going.contains(volume.text("id")));
        self.removed
            .retain(|volume| !coming.contains(volume.text("id")));
    }

    /// The changed fields of the set as it is kept.
    pub(super) fn fields(&self, generation: i64) -> Value {
        let mut fields = self.fields.clone();
        if let Some(name) = &self.name {
            fields.insert("name".to_owned(), name.clone().into());
        }
        fields.insert("generation".to_owned(), generation.into());
        Value::Object(fields)
    }
}

fn fields(body: &Value) -> Result<Map<String, Value>, Refusal> {
    let mut fields = Map::new();
    for (sent, kept) in KEPT {
        if let Some(text) = optional(body, sent) {
            fields.insert(kept.to_owned(), text.into());
        }
    }
    if body.text("appSetType") == CUSTOM {
        let custom = optional(body, "customAppType").unwrap_or_default();
        if custom.trim().is_empty() {
            let message = "customAppType: is missing; the type CUSTOM wants one".to_owned();
            return Err(Refusal::BadRequest(message));
        }
        fields.insert("appType".to_owned(), custom.into());
    }
    Ok(fields)
}

/// The volumes of the system that the body lists under `key`, by name or by id, each once.
fn volumes<'a>(
    state: &'a State,
    system: &str,
    body: &Value,
    key: &str,
) -> Result<Vec<&'a Stored>, Refusal> {
    let listed = body.get(key).and_then(Value::as_array);
    let mut found: Vec<&Stored> = Vec::new();
    let mut ids = BTreeSet::new();
    for wanted in listed.into_iter().flatten().filter_map(Value::as_str) {
        let here = |volume: &&Stored| volume.text("systemId") == system;
        let volume = state
            .get(collection::VOLUMES, wanted)
            .filter(here)
            .or_else(|| state.with(collection::VOLUMES, "name", wanted).find(here))
            .ok_or_else(|| {
                Refusal::BadRequest(format!(
                    "{key}: the system {system} has no volume with the name or id {wanted}"
                ))
            })?;
        if ids.insert(volume.text("id")) {
            found.push(volume);
        }
    }
    Ok(found)
}
