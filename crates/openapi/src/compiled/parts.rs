//! Which parts of a document an operation needs.
//!
//! A part is what references can name: a component, or else whatever stands two steps below the
//! root, of the document or of a text that was brought into it. Needed is what the path item refers to, what that refers to, and so on; circles end because
//! a part is looked at once. Every text under `$ref` counts as a reference, also in examples: a part
//! too many does no harm.

use std::collections::HashMap;

use serde_json::{Map, Value};

use crate::definition::Definition;
use crate::document::{PARTS, join, unescape};
use crate::operation::Operation;
use crate::reference::pointer;

/// The parts of a document that some operation needs.
pub(super) struct Parts<'a> {
    root: &'a Value,
    operations: &'a [Operation],
    /// In the order of the document.
    pointers: Vec<String>,
    /// For each operation, positions in `pointers`, ascending.
    needs: Vec<Vec<usize>>,
}

impl<'a> Parts<'a> {
    /// The parts of a definition; `None` when some operation needs all of it.
    pub(super) fn of(definition: &'a Definition) -> Option<Self> {
        let (root, operations) = (definition.document(), definition.operations());
        let mut finder = Finder::new(root);
        let mut parts = Self {
            root,
            operations,
            pointers: Vec::new(),
            needs: Vec::new(),
        };
        let found: Vec<Vec<usize>> = operations
            .iter()
            .map(|operation| finder.closure(&parts.item(operation).unwrap_or_default()))
            .collect();
        if finder.whole {
            return None;
        }
        let mut order: Vec<usize> = (0..finder.pointers.len()).collect();
        order.sort_by_cached_key(|one| place(root, &finder.pointers[*one]));
        let mut position = vec![0; order.len()];
        for (new, old) in order.iter().enumerate() {
            position[*old] = new;
        }
        parts.pointers = order
            .iter()
            .map(|old| finder.pointers[*old].clone())
            .collect();
        for needed in found {
            let mut needed: Vec<usize> = needed.into_iter().map(|old| position[old]).collect();
            needed.sort_unstable();
            parts.needs.push(needed);
        }
        Some(parts)
    }

    /// JSON pointers to the parts.
    pub(super) fn pointers(&self) -> impl Iterator<Item = &str> {
        self.pointers.iter().map(String::as_str)
    }

    /// The parts that an operation needs, and how many of them stand before its path item, or are
    /// the whole of it.
    pub(super) fn needed_by(&self, operation: &Operation) -> (&[usize], usize) {
        let needs = &self.needs[operation.index()];
        let own = place(self.root, &join("/paths", operation.path()));
        let is_before = |part: &usize| place(self.root, &self.pointers[*part]) <= own;
        (needs, needs.partition_point(is_before))
    }

    /// The path item of an operation, without the other operations in it.
    pub(super) fn item(&self, operation: &Operation) -> Option<Value> {
        let item = self.root.get("paths")?.get(operation.path())?;
        let Some(members) = item.as_object() else {
            return Some(item.clone());
        };
        let of_another = |key: &String| {
            let pointer = join(&join("/paths", operation.path()), key);
            pointer != operation.pointer()
                && self
                    .operations
                    .iter()
                    .any(|other| other.pointer() == pointer)
        };
        let kept = members.iter().filter(|(key, _)| !of_another(key));
        Some(Value::Object(
            kept.map(|(key, value)| (key.clone(), value.clone()))
                .collect(),
        ))
    }
}

/// The document without what the parts bring back: paths and components are there, but empty.
pub(super) fn frame(root: &Value) -> Value {
    /// What a part of a document can be asked for, apart from paths and components.
    const KEPT: [&str; 5] = [
        "openapi",
        "info",
        "servers",
        "security",
        "jsonSchemaDialect",
    ];
    let Some(members) = root.as_object() else {
        return Value::Null;
    };
    let member = |(key, value): (&String, &Value)| match key.as_str() {
        "paths" | "components" if value.is_object() => {
            Some((key.clone(), Value::Object(Map::new())))
        }
        PARTS => None,
        kept if KEPT.contains(&kept) || kept.starts_with("x-") => {
            Some((key.clone(), value.clone()))
        }
        _ => None,
    };
    Value::Object(members.iter().filter_map(member).collect())
}

/// Puts a part where it was. What is there already, because a larger part brought it, stays.
pub(super) fn put(document: &mut Value, pointer: &str, part: Value) {
    let mut tokens: Vec<String> = pointer.split('/').skip(1).map(unescape).collect();
    let Some(last) = tokens.pop() else {
        return;
    };
    let mut place = document;
    for token in tokens {
        let Value::Object(members) = place else {
            return;
        };
        place = members
            .entry(token)
            .or_insert_with(|| Value::Object(Map::new()));
    }
    if let Value::Object(members) = place {
        members.entry(last).or_insert(part);
    }
}

/// Finds parts by following references.
struct Finder<'a> {
    root: &'a Value,
    pointers: Vec<String>,
    known: HashMap<String, usize>,
    /// What each part refers to itself; made when first asked for.
    refers: Vec<Option<Vec<usize>>>,
    /// The names of security schemes are references without a `$ref`, and few.
    always: Vec<usize>,
    /// A reference means the document itself, which is no part.
    whole: bool,
}

impl<'a> Finder<'a> {
    fn new(root: &'a Value) -> Self {
        let mut finder = Self {
            root,
            pointers: Vec::new(),
            known: HashMap::new(),
            refers: Vec::new(),
            always: Vec::new(),
            whole: false,
        };
        let schemes = root
            .pointer("/components/securitySchemes")
            .and_then(Value::as_object);
        for name in schemes.into_iter().flat_map(Map::keys) {
            let part = finder.part(&join("/components/securitySchemes", name));
            finder.always.extend(part);
        }
        finder
    }

    /// Everything that `value` needs.
    fn closure(&mut self, value: &Value) -> Vec<usize> {
        let mut waiting = self.always.clone();
        waiting.extend(self.direct(value));
        let mut needed = Vec::new();
        let mut seen = std::collections::HashSet::new();
        while let Some(part) = waiting.pop() {
            if !seen.insert(part) {
                continue;
            }
            needed.push(part);
            if self.refers[part].is_none() {
                let value = self.root.pointer(&self.pointers[part]);
                let direct = value.map(|value| self.direct(value));
                self.refers[part] = Some(direct.unwrap_or_default());
            }
            waiting.extend(self.refers[part].iter().flatten());
        }
        needed
    }

    /// What `value` refers to itself.
    fn direct(&mut self, value: &Value) -> Vec<usize> {
        let mut pointers = Vec::new();
        references(value, &mut pointers);
        let parts = pointers.iter().filter_map(|pointer| self.part(pointer));
        parts.collect()
    }

    /// The part that `pointer` lies in.
    fn part(&mut self, pointer: &str) -> Option<usize> {
        // A pointer that leads nowhere in the document leads nowhere in a part of it either.
        self.root.pointer(pointer)?;
        let steps = steps(pointer);
        let mut part = String::new();
        let mut value = self.root;
        for token in pointer.split('/').skip(1).take(steps) {
            if !value.is_object() {
                break;
            }
            part = format!("{part}/{token}");
            value = self.root.pointer(&part)?;
        }
        if part.is_empty() {
            self.whole = true;
            return None;
        }
        Some(*self.known.entry(part).or_insert_with_key(|part| {
            self.pointers.push(part.clone());
            self.refers.push(None);
            self.pointers.len() - 1
        }))
    }
}

/// How many steps of a pointer lead to the part it lies in.
fn steps(pointer: &str) -> usize {
    let mut tokens = pointer.split('/').skip(1);
    match tokens.next() {
        Some("components") => 3,
        // Then the location of the text, then what is in it.
        Some(PARTS) => match tokens.nth(1) {
            Some("components") => 5,
            _ => 4,
        },
        _ => 2,
    }
}

/// The local pointers of all references in a value, those of `discriminator` included.
fn references(value: &Value, pointers: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (key, member) in members {
                match (key.as_str(), member) {
                    ("$ref" | "$dynamicRef" | "operationRef", Value::String(reference)) => {
                        pointers.extend(pointer(reference).map(std::borrow::Cow::into_owned));
                    }
                    ("mapping", Value::Object(names)) => {
                        for name in names.values().filter_map(Value::as_str) {
                            // A mapping may also be the bare name of a schema.
                            pointers.push(join("/components/schemas", name));
                            pointers.extend(pointer(name).map(std::borrow::Cow::into_owned));
                        }
                    }
                    _ => {}
                }
                references(member, pointers);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| references(item, pointers)),
        _ => {}
    }
}

/// Where a part stands among the others: its position at each step.
fn place(root: &Value, pointer: &str) -> Vec<usize> {
    let mut value = root;
    let mut place = Vec::new();
    for token in pointer.split('/').skip(1) {
        let token = unescape(token);
        let Some(members) = value.as_object() else {
            break;
        };
        place.push(
            members
                .keys()
                .position(|key| *key == token)
                .unwrap_or(usize::MAX),
        );
        match members.get(&token) {
            Some(inner) => value = inner,
            None => break,
        }
    }
    place
}
