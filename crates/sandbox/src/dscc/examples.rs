//! The ids that a definition gives as examples of its path parameters. The seed makes objects of
//! all of them, so that requests made from the examples find something.

use hallpass_openapi::{Definition, Location, Operation};
use serde_json::Value;

use super::action::{Action, Named};

/// Example ids, each once, in the order of the definition.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Examples {
    pub(super) device_type1: Vec<String>,
    pub(super) device_type2: Vec<String>,
    /// With the system of the same path.
    pub(super) pools: Vec<(String, String)>,
    /// With the system of the same path; nothing for those addressed without one.
    pub(super) volumes: Vec<(Option<String>, String)>,
    pub(super) hosts: Vec<String>,
    pub(super) tasks: Vec<String>,
}

impl Examples {
    pub(super) fn of(definition: &Definition) -> Self {
        let mut examples = Self::default();
        let paths: Vec<Vec<(Named, String)>> =
            definition.operations().iter().filter_map(path).collect();
        for (named, id) in paths.iter().flatten() {
            examples.note_sure(*named, id);
        }
        // Only now is it known which of the systems of no particular type are device-type2.
        for path in &paths {
            examples.note_rest(path);
        }
        examples
    }

    fn note_sure(&mut self, named: Named, id: &str) {
        match named {
            Named::DeviceType1 => add(&mut self.device_type1, id.to_owned()),
            Named::DeviceType2 => add(&mut self.device_type2, id.to_owned()),
            Named::Host => add(&mut self.hosts, id.to_owned()),
            Named::Task => add(&mut self.tasks, id.to_owned()),
            Named::System | Named::Pool | Named::Volume => {}
        }
    }

    fn note_rest(&mut self, path: &[(Named, String)]) {
        let mut system = None;
        for (named, id) in path {
            match named {
                Named::System | Named::DeviceType1 | Named::DeviceType2 => {
                    if !self.device_type2.contains(id) {
                        add(&mut self.device_type1, id.clone());
                    }
                    system = Some(id.clone());
                }
                Named::Pool => {
                    if let Some(system) = system.clone() {
                        add(&mut self.pools, (system, id.clone()));
                    }
                }
                Named::Volume => self.note_volume(system.clone(), id),
                Named::Host | Named::Task => {}
            }
        }
    }

    /// The same volume is addressed with its system and without.
    fn note_volume(&mut self, system: Option<String>, id: &str) {
        match self.volumes.iter_mut().find(|(_, known)| known == id) {
            Some((known @ None, _)) => *known = system,
            Some(_) => {}
            None => self.volumes.push((system, id.to_owned())),
        }
    }
}

/// What each path parameter of a modelled operation names, and its example; nothing when one of
/// them has none.
fn path(operation: &Operation) -> Option<Vec<(Named, String)>> {
    let meanings = Action::of(operation)?.parameters();
    let names = operation
        .path()
        .split('/')
        .filter_map(|segment| segment.strip_prefix('{')?.strip_suffix('}'));
    names
        .zip(meanings)
        .map(|(name, named)| Some((*named, example(operation, name)?)))
        .collect()
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
