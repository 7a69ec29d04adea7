//! What an object says of when it was made and changed.

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::names;

const CREATED: [&str; 4] = ["createdat", "created", "creationtime", "createtime"];
const CHANGED: [&str; 7] = [
    "updatedat",
    "updated",
    "modifiedat",
    "modified",
    "lastmodified",
    "lastupdated",
    "updatetime",
];

/// Counts up with each change where objects have it.
const GENERATION: &str = "generation";

/// A new object was made and changed now.
pub(super) fn created(now: Timestamp, object: &mut Map<String, Value>) {
    stamp(now, object, &CREATED);
    changed(now, object);
}

/// An object was changed now.
pub(super) fn changed(now: Timestamp, object: &mut Map<String, Value>) {
    stamp(now, object, &CHANGED);
    if let Some(generation) = object.get_mut(GENERATION)
        && generation.is_i64()
    {
        *generation = now.as_millisecond().into();
    }
}

/// Members that hold such a time as text; what numbers count is not known.
fn stamp(now: Timestamp, object: &mut Map<String, Value>, names: &[&str]) {
    for (name, value) in object.iter_mut() {
        let is_time = value
            .as_str()
            .is_some_and(|text| text.parse::<Timestamp>().is_ok());
        if is_time && names.contains(&names::key(name).as_str()) {
            *value = now.to_string().into();
        }
    }
}
