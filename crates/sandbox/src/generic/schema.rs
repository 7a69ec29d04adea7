//! What a schema declares, as far as objects are concerned: its properties, through references and
//! the schemas it is made of, and where in an answer the object or the list is.
//!
//! Schemas may be cyclic; each is looked at once, and not deeper than [`DEPTH`].

use std::collections::BTreeSet;

use hallpass_openapi::Definition;
use serde_json::Value;

use super::names;

/// Schemas made of schemas made of schemas … end here.
const DEPTH: usize = 12;

/// Members of an answer that hold its list, in the order in which they are believed; otherwise the
/// only member that is a list of objects, and the first of several.
const LISTS: [&str; 8] = [
    "items", "data", "results", "value", "values", "records", "entries", "content",
];

/// The properties of an object.
#[derive(Debug, Clone, Default)]
pub(super) struct Outline<'a> {
    pub(super) properties: Vec<(&'a str, &'a Value)>,
    pub(super) required: BTreeSet<&'a str>,
}

/// Where the object or the list of an answer is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Holder {
    /// The answer is it.
    Whole,
    /// This member is it.
    Member(String),
    /// It is the only element of this member, which is a list.
    Only(String),
}

impl<'a> Outline<'a> {
    pub(super) fn of(definition: &'a Definition, schema: &'a Value) -> Self {
        let mut outline = Self::default();
        outline.add(definition, schema, &mut Vec::new(), true);
        outline
    }

    fn add(
        &mut self,
        definition: &'a Definition,
        schema: &'a Value,
        seen: &mut Vec<*const Value>,
        all: bool,
    ) {
        let schema = definition.resolve(schema);
        let here = std::ptr::from_ref(schema);
        if seen.len() > DEPTH || seen.contains(&here) {
            return;
        }
        seen.push(here);
        let properties = schema.get("properties").and_then(Value::as_object);
        for (name, property) in properties.into_iter().flatten() {
            if !self.properties.iter().any(|(known, _)| known == name) {
                self.properties.push((name, property));
            }
        }
        // What one alternative must have, another need not.
        if all {
            let required = schema.get("required").and_then(Value::as_array);
            let required = required.into_iter().flatten().filter_map(Value::as_str);
            self.required.extend(required);
        }
        for (word, all) in [("allOf", all), ("oneOf", false), ("anyOf", false)] {
            let parts = schema.get(word).and_then(Value::as_array);
            for part in parts.into_iter().flatten() {
                self.add(definition, part, seen, all);
            }
        }
        seen.pop();
    }

    /// The property of this name, however it is written.
    pub(super) fn named(&self, name: &str) -> Option<(&'a str, &'a Value)> {
        let exact = self.properties.iter().find(|(known, _)| *known == name);
        let alike = || {
            let mut known = self.properties.iter();
            known.find(|(known, _)| names::same(known, name))
        };
        exact.or_else(alike).copied()
    }
}

/// What the items of a list are, if the schema is one.
pub(super) fn items<'a>(definition: &'a Definition, schema: &'a Value) -> Option<&'a Value> {
    let schema = definition.resolve(schema);
    if schema.get("type").is_some_and(|kind| !is(kind, "array")) {
        return None;
    }
    schema.get("items")
}

/// Whether a schema is of objects.
pub(super) fn is_object(definition: &Definition, schema: &Value) -> bool {
    let resolved = definition.resolve(schema);
    match resolved.get("type") {
        Some(kind) => is(kind, "object"),
        None => has_members(definition, resolved),
    }
}

/// Whether a schema declares a member of its objects.
pub(crate) fn declares(definition: &Definition, schema: &Value, member: &str) -> bool {
    let declared = Outline::of(definition, schema).properties;
    declared.iter().any(|(name, _)| *name == member)
}

/// Whether a schema says of what members its objects are.
pub(super) fn has_members(definition: &Definition, schema: &Value) -> bool {
    !Outline::of(definition, schema).properties.is_empty()
}

/// Whether a `type` is or holds this word.
pub(super) fn is(kind: &Value, word: &str) -> bool {
    match kind {
        Value::Array(words) => words.iter().any(|one| one == word),
        one => one == word,
    }
}

/// Where the list of an answer is, and what its items are.
pub(super) fn list<'a>(
    definition: &'a Definition,
    answer: &'a Value,
) -> Option<(Holder, &'a Value)> {
    if let Some(items) = items(definition, answer) {
        return is_object(definition, items).then_some((Holder::Whole, items));
    }
    let outline = Outline::of(definition, answer);
    let lists: Vec<(&str, &Value)> = outline
        .properties
        .iter()
        .filter_map(|(name, schema)| Some((*name, items(definition, schema)?)))
        .filter(|(_, items)| is_object(definition, items))
        .collect();
    let known = LISTS
        .iter()
        .find_map(|word| lists.iter().find(|(name, _)| name == word));
    // An object with a list among its properties is no list: there must be a word for it, or
    // something that tells of pages.
    let paged = || {
        outline
            .named("pageLimit")
            .or(outline.named("total"))
            .and(lists.first())
    };
    let (name, items) = known.or_else(paged)?;
    Some((Holder::Member((*name).to_owned()), items))
}

/// Where the one object of an answer is, and its schema.
pub(super) fn one<'a>(
    definition: &'a Definition,
    answer: &'a Value,
) -> Option<(Holder, &'a Value)> {
    let outline = Outline::of(definition, answer);
    if let Some((name, schema)) = outline
        .named("data")
        .filter(|_| outline.properties.len() < 4)
        && is_object(definition, schema)
    {
        return Some((Holder::Member(name.to_owned()), schema));
    }
    // Some answer one object as a list of one, or as if it were one; nothing beside it is of the
    // object then.
    if let Some((name, schema)) = outline
        .named("items")
        .filter(|_| outline.properties.len() < 3)
    {
        let name = name.to_owned();
        match items(definition, schema) {
            Some(items) if is_object(definition, items) => {
                return Some((Holder::Only(name), items));
            }
            None if is_object(definition, schema) => return Some((Holder::Member(name), schema)),
            _ => {}
        }
    }
    is_object(definition, answer).then_some((Holder::Whole, answer))
}

impl Holder {
    /// What an answer holds.
    pub(super) fn inside<'v>(&self, answer: &'v Value) -> Option<&'v Value> {
        match self {
            Self::Whole => Some(answer),
            Self::Member(name) => answer.get(name),
            Self::Only(name) => answer.get(name)?.get(0),
        }
    }

    /// The answer that holds this.
    pub(super) fn around(&self, mut envelope: Value, inside: Value) -> Value {
        let (name, inside) = match self {
            Self::Whole => return inside,
            Self::Member(name) => (name, inside),
            Self::Only(name) => (name, Value::Array(vec![inside])),
        };
        if let Value::Object(members) = &mut envelope {
            members.insert(name.clone(), inside);
        }
        envelope
    }

    /// The member of the object that a JSON pointer into the answer is about.
    pub(super) fn member<'p>(&self, pointer: &'p str, listed: bool) -> Option<&'p str> {
        let mut steps = pointer.split('/').skip(1);
        let skipped = match self {
            Self::Whole => usize::from(listed),
            Self::Member(_) => 1 + usize::from(listed),
            Self::Only(_) => 2,
        };
        steps.nth(skipped)
    }
}
