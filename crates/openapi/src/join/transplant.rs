//! Moving a document into another one: its references are written anew, and what another version of
//! OpenAPI would read differently is marked.
//!
//! Not only what the keywords of the document lead to is looked at: references may point into
//! extensions and into the external parts that were brought in before (`link`), which are definitions
//! from there on.

use std::borrow::Cow;
use std::collections::{HashSet, VecDeque};

use serde_json::{Map, Value, json};

use crate::document::join;
use crate::reference;
use crate::translate::{OLD, tells_versions_apart};
use crate::walk::{Visit, walk_from};

/// Where the schemas are that have a name.
const SCHEMAS: &str = "/components/schemas";

/// A schema that says nothing, where a reference leads to one that OpenAPI 3.0 does not know.
const ANYTHING: &str = "x-hallpass-anything";

/// Members of a schema that are schemas, in an object and in a list.
const NAMED: [&str; 3] = ["properties", "patternProperties", "dependentSchemas"];
const LISTED: [&str; 3] = ["allOf", "anyOf", "oneOf"];

/// The document as it is to be at `pointer` in another one. With `mark`, what only OpenAPI 3.0 reads
/// as it does is marked.
pub(super) fn transplant(document: Value, pointer: &str, mark: bool) -> Value {
    let mut finder = Finder {
        root: &document,
        below: pointer,
        mark,
        seen: HashSet::new(),
        waiting: VecDeque::from([String::new()]),
        edits: Vec::new(),
    };
    finder.find();
    let edits = finder.edits;
    let mut document = document;
    for edit in edits {
        edit.make(&mut document);
    }
    document
}

/// A member or an item that is to have another value.
struct Edit {
    at: String,
    key: String,
    value: Value,
}

impl Edit {
    fn make(self, document: &mut Value) {
        match document.pointer_mut(&self.at) {
            Some(Value::Object(members)) => {
                members.insert(self.key, self.value);
            }
            Some(Value::Array(items)) => {
                let index = self.key.parse().ok();
                if let Some(item) = index.and_then(|index: usize| items.get_mut(index)) {
                    *item = self.value;
                }
            }
            _ => {}
        }
    }
}

struct Finder<'a> {
    root: &'a Value,
    below: &'a str,
    mark: bool,
    /// Objects that were looked at.
    seen: HashSet<*const Value>,
    /// Places that something refers to.
    waiting: VecDeque<String>,
    edits: Vec<Edit>,
}

impl<'a> Finder<'a> {
    fn find(&mut self) {
        while let Some(start) = self.waiting.pop_front() {
            if let Some(value) = self.root.pointer(&start) {
                walk_from(value, &start, &mut |visit| self.look_at(&visit));
            }
        }
    }

    /// Whether it is seen for the first time.
    fn look_at(&mut self, visit: &Visit<'a, '_>) -> bool {
        if !self.seen.insert(std::ptr::from_ref(visit.value)) {
            return false;
        }
        for keyword in ["$ref", "$dynamicRef", "operationRef"] {
            if let Some(written) = visit.value.get(keyword).and_then(Value::as_str) {
                self.refer(visit.pointer(), keyword, written);
            }
        }
        self.discriminator(visit);
        if let (true, Value::Object(object)) = (self.mark, visit.value) {
            self.mark_old(visit, object);
        }
        true
    }

    fn refer(&mut self, at: String, key: &str, written: &str) {
        // What is neither whole nor a pointer leads nowhere, there as here.
        let inside = |rest: &&str| rest.is_empty() || rest.starts_with('/');
        let Some(rest) = written.strip_prefix('#').filter(inside) else {
            return;
        };
        let pointer = reference::pointer(written).map(Cow::into_owned);
        let target = pointer
            .as_deref()
            .and_then(|pointer| self.root.pointer(pointer));
        if self.mark && target.is_some_and(Value::is_boolean) {
            self.set(String::new(), ANYTHING, json!({}));
            self.set(at, key, json!(["#", self.below, "/", ANYTHING].concat()));
            return;
        }
        self.waiting.extend(pointer);
        self.set(at, key, json!(["#", self.below, rest].concat()));
    }

    /// What a discriminator maps to is a reference, or the name of a schema.
    fn discriminator(&mut self, visit: &Visit<'a, '_>) {
        let discriminator = visit.value.get("discriminator");
        let mapping = discriminator.and_then(|one| one.get("mapping")?.as_object());
        for (value, target) in mapping.into_iter().flatten() {
            let Some(target) = target.as_str() else {
                continue;
            };
            let at = visit.pointer() + "/discriminator/mapping";
            let schema = join(SCHEMAS, target);
            match self.root.pointer(&schema) {
                Some(_) => self.refer(at, value, &["#", &schema.replace('%', "%25")].concat()),
                None => self.refer(at, value, target),
            }
        }
    }

    /// In 3.0 there is no schema that is a boolean, and one written all the same says nothing.
    fn mark_old(&mut self, visit: &Visit<'_, '_>, object: &Map<String, Value>) {
        if tells_versions_apart(object) {
            self.set(visit.pointer(), OLD, json!(true));
        }
        if object.get("schema").is_some_and(Value::is_boolean) {
            self.set(visit.pointer(), "schema", json!({}));
        }
        for key in NAMED {
            let members = object.get(key).and_then(Value::as_object);
            for (name, _) in members
                .into_iter()
                .flatten()
                .filter(|one| one.1.is_boolean())
            {
                self.set(join(&visit.pointer(), key), name, json!({}));
            }
        }
        for key in LISTED {
            let items = object.get(key).and_then(Value::as_array);
            for (index, item) in items.into_iter().flatten().enumerate() {
                if item.is_boolean() {
                    self.set(join(&visit.pointer(), key), &index.to_string(), json!({}));
                }
            }
        }
    }

    fn set(&mut self, at: String, key: &str, value: Value) {
        self.edits.push(Edit {
            at,
            key: key.to_owned(),
            value,
        });
    }
}
