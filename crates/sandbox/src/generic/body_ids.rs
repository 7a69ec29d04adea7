//! Bodies that name objects by their ids.

use hallpass_openapi::{Definition, Operation};
use serde_json::Value;

use super::schema::{self, Outline};
use super::{ids, names};

/// Where the ids of objects are in a body.
#[derive(Debug)]
pub(super) struct Ids {
    member: String,
    /// The member of each element that is the id; nothing when the elements are ids.
    inner: Option<String>,
}

impl Ids {
    /// The only list of a body, of texts or of objects with an id.
    pub(super) fn in_body(definition: &Definition, operation: &Operation) -> Option<Self> {
        let body = operation.body()?;
        let outline = Outline::of(definition, &body.schema);
        let mut lists = outline
            .properties
            .iter()
            .filter_map(|(name, schema)| Some((*name, schema::items(definition, schema)?)));
        let (member, elements) = lists.next().filter(|_| lists.next().is_none())?;
        let member = member.to_owned();
        if !schema::is_object(definition, elements) {
            return Some(Self {
                member,
                inner: None,
            });
        }
        let outline = Outline::of(definition, elements);
        let own = || match outline.properties.as_slice() {
            // `{"certificates": [{"certificate": …}]}`
            [(name, _)] if is_id_of(name, &member) => Some(*name),
            _ => None,
        };
        let inner = outline.named("id").map(|(name, _)| name).or_else(own)?;
        Some(Self {
            inner: Some(inner.to_owned()),
            member,
        })
    }

    /// The ids that a body names.
    pub(super) fn of(&self, body: &Value) -> Vec<String> {
        let elements = body.get(&self.member).and_then(Value::as_array);
        let id = |element: &Value| match &self.inner {
            Some(inner) => element.get(inner).map(ids::text).unwrap_or_default(),
            None => ids::text(element),
        };
        elements.into_iter().flatten().map(id).collect()
    }
}

/// Whether a name is that of an id of one of many.
fn is_id_of(name: &str, many: &str) -> bool {
    let one = names::singular(many);
    names::same(name, &one) || names::same(name, &format!("{one}Id"))
}
