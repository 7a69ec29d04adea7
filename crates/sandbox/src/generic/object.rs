//! Objects made of schemas and examples, and how they are fitted to every answer that shows them.
//!
//! An object is kept whole: what its own answer and the list show of it together. Where a list shows
//! a member in another shape than the object's own answer does, the list keeps its example.

use hallpass_openapi::{Definition, Fill};
use serde_json::{Map, Value};

use super::ids;
use super::resource::{Kind, Resource};
use super::view::View;

/// In so many rounds an object is fitted to its schemas.
const ROUNDS: usize = 3;

/// What every new object of a resource begins as.
#[derive(Debug)]
pub(super) struct Whole {
    pub(super) object: Map<String, Value>,
    /// What a list shows in a way of its own.
    list_only: Map<String, Value>,
    /// The name that a creation made from the examples wants to have.
    pub(super) wanted_name: Option<Value>,
}

impl Whole {
    pub(super) fn of<'r>(definition: &Definition, resource: &'r Resource) -> &'r Self {
        resource.whole.get_or_init(|| {
            let mut object = Map::new();
            for view in resource.views() {
                for (name, value) in view.example_object(definition) {
                    if view.shows(&name) && !object.contains_key(&name) {
                        object.insert(name, value);
                    }
                }
            }
            // The example of a path is an id that somebody chose; one in a schema may be made up.
            if let Some(member) = resource.id_member()
                && let Some(known) = resource.known.first().and_then(|ids| ids.last())
                && let Some(shown) = object.get_mut(member)
            {
                *shown = ids::typed(known, shown).unwrap_or_else(|| shown.clone());
            }
            let mut whole = Self {
                object,
                list_only: Map::new(),
                wanted_name: wanted_name(definition, resource),
            };
            if let (Some(_), Some(list)) = (&resource.one, &resource.many) {
                let example = list.example_object(definition);
                let shown = show(list, &whole.object, &Map::new());
                for member in list.objections(definition, &shown).into_iter().flatten() {
                    let is_id = resource.id_member() == Some(member.as_str());
                    if let Some(value) = example.get(&member).filter(|_| !is_id) {
                        whole.list_only.insert(member, value.clone());
                    }
                }
            }
            whole
        })
    }
}

/// What a view shows of an object.
pub(super) fn shown(
    definition: &Definition,
    resource: &Resource,
    view: &View,
    object: &Map<String, Value>,
) -> Map<String, Value> {
    let is_list = resource
        .many
        .as_ref()
        .is_some_and(|many| std::ptr::eq(many, view));
    let nothing = Map::new();
    let own = if is_list {
        &Whole::of(definition, resource).list_only
    } else {
        &nothing
    };
    show(view, object, own)
}

fn show(view: &View, object: &Map<String, Value>, own: &Map<String, Value>) -> Map<String, Value> {
    object
        .iter()
        .filter(|(name, _)| view.shows(name))
        .map(|(name, value)| (name.clone(), own.get(name).unwrap_or(value).clone()))
        .collect()
}

/// `object` with the changes that every answer can show; a member that some schema objects to goes
/// back to what it was in `before`.
pub(super) fn fitted(
    definition: &Definition,
    resource: &Resource,
    mut object: Map<String, Value>,
    before: &Map<String, Value>,
) -> Map<String, Value> {
    for _ in 0..ROUNDS {
        let mut wrong: Vec<String> = Vec::new();
        let mut as_a_whole = false;
        for view in resource.views() {
            let shown = shown(definition, resource, view, &object);
            for objection in view.objections(definition, &shown) {
                match objection {
                    Some(member) => wrong.push(member),
                    None => as_a_whole = true,
                }
            }
        }
        if wrong.is_empty() && !as_a_whole {
            return object;
        }
        if as_a_whole {
            for (name, value) in before {
                object.entry(name.clone()).or_insert_with(|| value.clone());
            }
        }
        for member in wrong {
            match before.get(&member) {
                Some(value) => drop(object.insert(member, value.clone())),
                None => drop(object.shift_remove(&member)),
            }
        }
    }
    object
}

fn wanted_name(definition: &Definition, resource: &Resource) -> Option<Value> {
    let operation = &definition.operations()[resource.creation?];
    let body = definition.example_body(operation, Fill::Shown)?;
    body.get("name").cloned()
}

/// The member by which people tell objects of a resource apart, if it has one.
pub(super) fn name_member(resource: &Resource) -> Option<&'static str> {
    let named = resource.kind == Kind::Collection && resource.member("name") == Some("name");
    named.then_some("name")
}
