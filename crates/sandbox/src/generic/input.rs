//! Which members of a body become which members of an object.

use std::collections::BTreeSet;

use hallpass_openapi::{Definition, Operation};
use serde_json::{Map, Value};

use super::resource::Resource;
use super::schema::{self, Outline};

/// What a body gives to an object.
#[derive(Debug)]
pub(super) struct Input {
    /// The member of the body that the objects are in, where it is not one itself.
    inside: Option<String>,
    /// Names in the body and in the object.
    members: Vec<(String, String)>,
}

impl Input {
    /// Nothing when no answer shows anything of the body.
    pub(super) fn of(
        definition: &Definition,
        operation: &Operation,
        resource: &Resource,
    ) -> Option<Self> {
        let body = operation.body()?;
        let outline = Outline::of(definition, &body.schema);
        let direct = mapped(&outline, resource);
        if !direct.is_empty() {
            return Some(Self {
                inside: None,
                members: direct,
            });
        }
        outline.properties.iter().find_map(|(name, inner)| {
            let inner = schema::items(definition, inner).unwrap_or(inner);
            let members = mapped(&Outline::of(definition, inner), resource);
            let inside = Some((*name).to_owned());
            (!members.is_empty()).then_some(Self { inside, members })
        })
    }

    /// Whether it gives this member of an object.
    pub(super) fn gives(&self, member: &str) -> bool {
        self.members.iter().any(|(_, to)| to == member)
    }

    /// Whether it gives most of what must be there besides the id.
    pub(super) fn gives_most(&self, resource: &Resource) -> bool {
        let id = resource.id_member();
        let mut needed: BTreeSet<&String> =
            resource.views().flat_map(|view| &view.required).collect();
        needed.retain(|name| Some(name.as_str()) != id);
        let given = needed.iter().filter(|name| self.gives(name)).count();
        given * 2 >= needed.len()
    }

    /// The members of an object that it can give.
    pub(super) fn targets(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(_, to)| to.as_str())
    }

    /// What a body gives, one for each object in it.
    pub(super) fn read(&self, body: &Map<String, Value>) -> Vec<Map<String, Value>> {
        let Some(inside) = &self.inside else {
            return vec![self.renamed(body)];
        };
        match body.get(inside) {
            Some(Value::Object(object)) => vec![self.renamed(object)],
            Some(Value::Array(list)) => {
                let objects = list.iter().filter_map(Value::as_object);
                objects.map(|object| self.renamed(object)).collect()
            }
            _ => Vec::new(),
        }
    }

    fn renamed(&self, body: &Map<String, Value>) -> Map<String, Value> {
        let given = |(from, to): &(String, String)| Some((to.clone(), body.get(from)?.clone()));
        self.members.iter().filter_map(given).collect()
    }
}

/// Members of the same name, however it is written (domain.md 7.5).
fn mapped(outline: &Outline<'_>, resource: &Resource) -> Vec<(String, String)> {
    let member = |(name, _): &(&str, &Value)| {
        let to = resource.member(name)?;
        Some(((*name).to_owned(), to.to_owned()))
    };
    outline.properties.iter().filter_map(member).collect()
}
