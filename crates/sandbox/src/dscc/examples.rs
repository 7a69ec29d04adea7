//! The ids that a definition gives as examples of its path parameters, and some that it gives in
//! bodies. The seed makes objects of all of them, so that requests made from the examples find
//! something.

use std::collections::BTreeSet;

use hallpass_openapi::{Definition, Fill, Location, Operation};
use serde_json::Value;

use super::routes::{Named, Row};
use crate::stored::Fields;

/// Where an example body names an object: the operation, the place in its body, and what is named.
const IN_BODIES: &[(&str, &str, &str, Named)] = &[
    (
        "PUT",
        "host-initiator-groups/{}",
        "/hostProximityValues/0/hostId",
        Named::Host,
    ),
    (
        "POST",
        "storage-systems/device-type2/{}/volumes",
        "/pool_id",
        Named::Pool,
    ),
    (
        "POST",
        "storage-systems/device-type2/{}/volumes/{}/clone",
        "/host_group_id",
        Named::HostGroup,
    ),
    (
        "POST",
        "storage-systems/device-type1/{}/volumes/{}/clone",
        "/onlineClone/0/hostGroupId",
        Named::HostGroup,
    ),
    (
        "POST",
        "storage-systems/device-type1/{}/snapshots/{}/clone",
        "/hostGroupId",
        Named::HostGroup,
    ),
    (
        "POST",
        "storage-systems/device-type2/{}/volume-collections/{}/actions/remove-volumes",
        "/volume_ids/0",
        Named::Volume,
    ),
    (
        "POST",
        "storage-systems/device-type2/{}/storage-pools",
        "/array_list/0/id",
        Named::Array,
    ),
];

/// The example paths of the operations: what each parameter names that is modelled, and its example.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Examples {
    paths: Vec<Vec<(Named, String)>>,
}

/// An example id, and the ids before it in its path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Example {
    pub(super) id: String,
    within: Vec<(Named, String)>,
}

impl Examples {
    pub(super) fn of(definition: &Definition) -> Self {
        let operations = definition.operations().iter();
        let mut paths: Vec<_> = operations.clone().filter_map(path).collect();
        paths.extend(operations.filter_map(|operation| in_body(definition, operation)));
        Self { paths }
    }

    /// What a parameter of that kind has as examples, each once within the same ids before it, in
    /// the order of the definition.
    pub(super) fn of_kind(&self, kind: Named) -> Vec<Example> {
        let mut found = Vec::new();
        for path in &self.paths {
            for (index, (named, id)) in path.iter().enumerate() {
                if *named == kind {
                    let example = Example {
                        id: id.clone(),
                        within: path[..index].to_vec(),
                    };
                    add(&mut found, example);
                }
            }
        }
        found
    }

    /// The ids of a kind, each once.
    pub(super) fn ids(&self, kind: Named) -> Vec<String> {
        let mut ids = Vec::new();
        for example in self.of_kind(kind) {
            add(&mut ids, example.id);
        }
        ids
    }

    /// The systems of device-type1, and those of no particular type that are none of device-type2.
    pub(super) fn device_type1(&self) -> Vec<String> {
        let device_type2 = self.ids(Named::DeviceType2);
        let mut ids = self.ids(Named::DeviceType1);
        for id in self.ids(Named::System) {
            if !device_type2.contains(&id) {
                add(&mut ids, id);
            }
        }
        ids
    }

    /// Ids of a kind with the system of the same path, each id once; nothing for those that are
    /// addressed without one everywhere.
    pub(super) fn on_systems(&self, kind: Named) -> Vec<(Option<String>, String)> {
        let mut found: Vec<(Option<String>, String)> = Vec::new();
        for example in self.of_kind(kind) {
            let system = example.system().map(str::to_owned);
            match found.iter_mut().find(|(_, known)| *known == example.id) {
                Some((known @ None, _)) => *known = system,
                Some(_) => {}
                None => found.push((system, example.id)),
            }
        }
        found
    }

    /// Every id there is; new ones must be none of them.
    pub(super) fn all(&self) -> BTreeSet<&str> {
        let ids = self.paths.iter().flatten();
        ids.map(|(_, id)| id.as_str()).collect()
    }
}

impl Example {
    /// The nearest id before this one that is of that kind.
    pub(super) fn within(&self, kind: Named) -> Option<&str> {
        let mut before = self.within.iter().rev();
        before
            .find(|(named, _)| *named == kind)
            .map(|(_, id)| id.as_str())
    }

    /// The system of the same path, of whatever type.
    pub(super) fn system(&self) -> Option<&str> {
        [Named::DeviceType1, Named::DeviceType2, Named::System]
            .into_iter()
            .find_map(|kind| self.within(kind))
    }
}

/// What the path parameters of an operation name, as far as that is modelled, and their examples;
/// nothing when one of them has none. Whatever is below an object must find it.
fn path(operation: &Operation) -> Option<Vec<(Named, String)>> {
    let meanings = Row::names_in(operation.path());
    let names = operation
        .path()
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    names
        .zip(meanings)
        .map(|(name, named)| Some((*named, example(operation, name)?)))
        .collect()
}

/// The id with which the example path of a modelled operation ends.
pub(super) fn last_in_path(
    definition: &Definition,
    (method, route): (&str, &str),
) -> Option<String> {
    let mut operations = definition.operations().iter();
    let operation =
        operations.find(|operation| Row::of(operation).is_some_and(|row| row.is(method, route)))?;
    path(operation)?.pop().map(|(_, id)| id)
}

/// The texts that the example body of a modelled operation has in a field: one, or a list of them.
/// The name of the field itself is what is made up for want of an example.
pub(super) fn texts_in_body(
    definition: &Definition,
    (method, path): (&str, &str),
    field: &str,
) -> Vec<String> {
    let mut operations = definition.operations().iter();
    let operation =
        operations.find(|operation| Row::of(operation).is_some_and(|row| row.is(method, path)));
    let body = operation.and_then(|operation| definition.example_body(operation, Fill::Shown));
    let value = body.map(|body| body.field(field)).unwrap_or_default();
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    let texts = values.iter().filter_map(Value::as_str);
    texts
        .filter(|text| *text != field)
        .map(str::to_owned)
        .collect()
}

/// As the path of the operation, and behind it what its example body names.
fn in_body(definition: &Definition, operation: &Operation) -> Option<Vec<(Named, String)>> {
    let row = Row::of(operation)?;
    let mut places = IN_BODIES.iter();
    let (_, _, place, named) = places.find(|(method, path, ..)| row.is(method, path))?;
    let body = definition.example_body(operation, Fill::Shown)?;
    let id = body.pointer(place)?.as_str()?.to_owned();
    if place.ends_with(&format!("/{id}")) {
        return None;
    }
    let mut path = path(operation)?;
    path.push((*named, id));
    Some(path)
}

fn example(operation: &Operation, name: &str) -> Option<String> {
    let parameter = operation
        .parameters()
        .iter()
        .find(|parameter| parameter.location == Location::Path && parameter.name == name)?;
    match parameter.example.as_ref()? {
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn add<T: PartialEq>(list: &mut Vec<T>, item: T) {
    if !list.contains(&item) {
        list.push(item);
    }
}
