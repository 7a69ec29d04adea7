//! Everything that is said about one value: a schema, what it refers to and the members of its
//! `allOf` are layers that all apply.

use serde_json::{Map, Value};

use crate::reference::{local, target};

/// Deeper nesting of `allOf` and references says nothing more.
const MAX_LAYERS: usize = 24;

/// What a value is whose schema has one of these keywords and no type.
const TELLING: [(&str, &[&str]); 4] = [
    (
        "object",
        &[
            "properties",
            "required",
            "additionalProperties",
            "minProperties",
        ],
    ),
    (
        "array",
        &["items", "prefixItems", "minItems", "uniqueItems"],
    ),
    ("number", &["minimum", "maximum", "multipleOf"]),
    ("string", &["format", "pattern", "minLength", "maxLength"]),
];

/// The schemas that apply to one value, the outermost first.
pub(super) struct Layers<'a> {
    root: &'a Value,
    of: Vec<&'a Map<String, Value>>,
}

impl<'a> Layers<'a> {
    pub(super) fn of(root: &'a Value, schema: &'a Value) -> Self {
        let mut layers = Self {
            root,
            of: Vec::new(),
        };
        layers.add(schema);
        layers
    }

    /// Adds a schema, and those it is made of. One that is there already adds nothing, which is
    /// also what ends a circle.
    pub(super) fn add(&mut self, schema: &'a Value) {
        let Some(object) = schema.as_object() else {
            return;
        };
        if self.of.len() >= MAX_LAYERS || self.of.iter().any(|one| std::ptr::eq(*one, object)) {
            return;
        }
        self.of.push(object);
        let referred = target(schema).and_then(|reference| local(self.root, reference));
        let members = object.get("allOf").and_then(Value::as_array);
        for part in referred.into_iter().chain(members.into_iter().flatten()) {
            self.add(part);
        }
    }

    /// Adds one branch of each choice, the one with this number; those that mean `null` are none.
    pub(super) fn choose(&mut self, number: usize) {
        let mut at = 0;
        while let Some(layer) = self.of.get(at).copied() {
            let choices = ["oneOf", "anyOf"].map(|key| layer.get(key).and_then(Value::as_array));
            for branches in choices.into_iter().flatten() {
                let is_null = |branch: &&'a Value| Self::of(self.root, branch).kind() == "null";
                let useful: Vec<&Value> = branches.iter().filter(|one| !is_null(one)).collect();
                if let Some(branch) = useful.get(number.checked_rem(useful.len()).unwrap_or(0)) {
                    self.add(branch);
                }
            }
            at += 1;
        }
    }

    /// Whether one schema is a layer of both.
    pub(super) fn share_a_layer(&self, other: &Self) -> bool {
        let has = |one: &Map<String, Value>| other.of.iter().any(|two| std::ptr::eq(one, *two));
        self.of.iter().any(|one| has(one))
    }

    /// What each layer says under a keyword.
    pub(super) fn all(&self, key: &'a str) -> impl Iterator<Item = &'a Value> + '_ {
        self.of.iter().filter_map(move |layer| layer.get(key))
    }

    /// What the first layer that has the keyword says.
    pub(super) fn first(&self, key: &'a str) -> Option<&'a Value> {
        self.all(key).next()
    }

    pub(super) fn flag(&self, key: &'a str) -> bool {
        self.all(key).any(|value| value == &Value::Bool(true))
    }

    /// The largest of the lower limits.
    pub(super) fn most(&self, key: &'a str) -> Option<f64> {
        self.all(key).filter_map(Value::as_f64).reduce(f64::max)
    }

    /// The smallest of the upper limits.
    pub(super) fn least(&self, key: &'a str) -> Option<f64> {
        self.all(key).filter_map(Value::as_f64).reduce(f64::min)
    }

    pub(super) fn count(&self, key: &'a str) -> Option<usize> {
        let numbers = self.all(key).filter_map(Value::as_u64);
        numbers.filter_map(|one| usize::try_from(one).ok()).max()
    }

    /// The properties, each once, in the order of the layers.
    pub(super) fn properties(&self) -> Vec<(&'a str, &'a Value)> {
        let mut found: Vec<(&str, &Value)> = Vec::new();
        for (name, schema) in self
            .all("properties")
            .filter_map(Value::as_object)
            .flatten()
        {
            if !found.iter().any(|(known, _)| known == name) {
                found.push((name, schema));
            }
        }
        found
    }

    /// The names of the members that must be there.
    pub(super) fn required(&self) -> Vec<&'a str> {
        let lists = self.all("required").filter_map(Value::as_array).flatten();
        let mut names: Vec<&str> = Vec::new();
        for name in lists.filter_map(Value::as_str) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// The type, `null` apart; where none is written, what the other keywords are for.
    pub(super) fn kind(&self) -> &'a str {
        let words = self.all("type").flat_map(|kind| match kind {
            Value::Array(words) => words.iter().collect(),
            word => vec![word],
        });
        let mut words = words.filter_map(Value::as_str).peekable();
        let only_null = words.peek().is_some();
        if let Some(word) = words.find(|word| *word != "null") {
            return word;
        }
        if only_null {
            return "null";
        }
        let told = |keys: &[&'static str]| keys.iter().any(|key| self.first(key).is_some());
        TELLING
            .iter()
            .find(|(_, keys)| told(keys))
            .map_or("string", |(kind, _)| kind)
    }
}
