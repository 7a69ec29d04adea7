//! Examples and defaults against the schemas that they stand beside.
//!
//! A schema is compiled once, when the first value does not plainly fit it.

use std::collections::HashMap;

use serde_json::Value;

use super::Findings;
use super::catalogue::{
    DEFAULT_INVALID, EXAMPLE_INVALID, EXAMPLE_TWICE, EXAMPLE_UNKNOWN_FIELD, Rule,
};
use super::fit::surely;
use super::grammar::Kind;
use super::tour::Node;
use crate::definition::near;
use crate::document::join;
use crate::layers::layers;
use crate::reference::{local, resolve, target};
use crate::schema::{CompiledSchema, Violation};
use crate::translate::Direction;

/// How much is told about one example.
const MAX_TOLD: usize = 10;

/// How deep fields are looked for.
const MAX_DEPTH: usize = 32;

pub(super) struct Examples<'v> {
    root: &'v Value,
    old_dialect: bool,
    /// By the place of the schema in memory.
    compiled: HashMap<(*const Value, bool), Option<CompiledSchema>>,
}

impl<'v> Examples<'v> {
    pub(super) fn new(root: &'v Value, old_dialect: bool) -> Self {
        Self {
            root,
            old_dialect,
            compiled: HashMap::new(),
        }
    }

    pub(super) fn check(&mut self, findings: &mut Findings<'_>, node: &Node<'v, '_>) {
        match node.kind {
            Kind::Schema => self.of_schema(findings, node),
            Kind::Parameter | Kind::Header | Kind::MediaType => self.beside_schema(findings, node),
            Kind::Example if both(node, "value", "externalValue") => findings.add(
                &EXAMPLE_TWICE,
                node.at("externalValue"),
                "the example has a value and an external value",
                "keep one of the two",
            ),
            _ => {}
        }
    }

    fn of_schema(&mut self, findings: &mut Findings<'_>, node: &Node<'v, '_>) {
        let (schema, directions) = (node.value, &BOTH[..]);
        if let Some(value) = node.object.get("default") {
            self.one(
                findings,
                &DEFAULT_INVALID,
                schema,
                value,
                &node.at("default"),
                directions,
            );
        }
        if let Some(value) = node.object.get("example") {
            self.one(
                findings,
                &EXAMPLE_INVALID,
                schema,
                value,
                &node.at("example"),
                directions,
            );
        }
        let several = node.object.get("examples").and_then(Value::as_array);
        for (index, value) in several.into_iter().flatten().enumerate() {
            let at = format!("{}/{index}", node.at("examples"));
            self.one(findings, &EXAMPLE_INVALID, schema, value, &at, directions);
        }
    }

    fn beside_schema(&mut self, findings: &mut Findings<'_>, node: &Node<'v, '_>) {
        if both(node, "example", "examples") {
            findings.add(
                &EXAMPLE_TWICE,
                node.at("examples"),
                "`example` and `examples` exclude each other",
                "move the one into the others",
            );
        }
        let Some(schema) = node.object.get("schema") else {
            return;
        };
        let directions = if node.is_request() {
            &BOTH[..1]
        } else {
            &BOTH[1..]
        };
        if let Some(value) = node.object.get("example") {
            self.one(
                findings,
                &EXAMPLE_INVALID,
                schema,
                value,
                &node.at("example"),
                directions,
            );
        }
        let several = node.object.get("examples").and_then(Value::as_object);
        for (name, example) in several.into_iter().flatten() {
            // What is referred to belongs to no schema by itself: its place is where it is written.
            let reference = example.get("$ref").and_then(Value::as_str);
            let at = match reference.and_then(crate::reference::pointer) {
                Some(pointer) => pointer.into_owned(),
                None => join(&node.at("examples"), name),
            };
            if let Some(value) = resolve(self.root, example).get("value") {
                self.one(
                    findings,
                    &EXAMPLE_INVALID,
                    schema,
                    value,
                    &join(&at, "value"),
                    directions,
                );
            }
        }
    }

    /// `at` is the place of the value; a finding has the place of the bad part in it.
    fn one(
        &mut self,
        findings: &mut Findings<'_>,
        rule: &Rule,
        schema: &'v Value,
        value: &Value,
        at: &str,
        directions: &[Direction],
    ) {
        if !surely(self.root, schema, value, self.old_dialect) {
            let violations = self.violations(schema, value, directions);
            for violation in violations.into_iter().take(MAX_TOLD) {
                let what = if *rule == DEFAULT_INVALID {
                    "the default"
                } else {
                    "the example"
                };
                findings.add(
                    rule,
                    format!("{at}{}", violation.pointer),
                    format!("{what} breaks its schema: {}", violation.message),
                    "correct whichever of the two is wrong",
                );
            }
        }
        self.unknown_fields(findings, schema, value, at, 0);
    }

    /// What no direction lets through.
    fn violations(
        &mut self,
        schema: &'v Value,
        value: &Value,
        directions: &[Direction],
    ) -> Vec<Violation> {
        let mut told = Vec::new();
        for direction in directions {
            let key = (std::ptr::from_ref(schema), *direction == Direction::Request);
            let (root, old_dialect) = (self.root, self.old_dialect);
            let compiled = self
                .compiled
                .entry(key)
                .or_insert_with(|| CompiledSchema::new(root, schema, *direction, old_dialect));
            told = match compiled {
                Some(compiled) => compiled.violations("the value", value),
                None => Vec::new(),
            };
            if told.is_empty() {
                break;
            }
        }
        told
    }

    /// Fields that a schema allows only because it forbids none.
    fn unknown_fields(
        &self,
        findings: &mut Findings<'_>,
        schema: &'v Value,
        value: &Value,
        at: &str,
        depth: usize,
    ) {
        if depth > MAX_DEPTH || !(value.is_object() || value.is_array()) {
            return;
        }
        let mut known = Known::default();
        known.gather(self.root, schema);
        match value {
            Value::Object(members) => {
                for (name, member) in members {
                    let at = join(at, name);
                    if let Some(schema) = known.property(name) {
                        self.unknown_fields(findings, schema, member, &at, depth + 1);
                    } else if !known.open && !known.properties.is_empty() {
                        let names = known.properties.iter().map(|(name, _)| *name);
                        let advice = match near(&name.to_lowercase(), names).first() {
                            Some(nearest) => format!("did you mean `{nearest}`?"),
                            None => {
                                "declare it in the schema, or remove it from the example".to_owned()
                            }
                        };
                        findings.add(
                            &EXAMPLE_UNKNOWN_FIELD,
                            at,
                            format!("the example has a field `{name}`, which its schema does not declare"),
                            advice,
                        );
                    }
                }
            }
            Value::Array(items) => {
                if let Some(schema) = known.items {
                    for (index, item) in items.iter().enumerate() {
                        self.unknown_fields(
                            findings,
                            schema,
                            item,
                            &format!("{at}/{index}"),
                            depth + 1,
                        );
                    }
                }
            }
            _ => {}
        }
    }
}

const BOTH: [Direction; 2] = [Direction::Request, Direction::Response];

fn both(node: &Node<'_, '_>, one: &str, other: &str) -> bool {
    node.object.contains_key(one) && node.object.contains_key(other)
}

/// What a schema and its parts declare.
#[derive(Default)]
struct Known<'v> {
    properties: Vec<(&'v str, &'v Value)>,
    items: Option<&'v Value>,
    /// Something is said about other fields, or not all that is said is known.
    open: bool,
}

impl<'v> Known<'v> {
    fn gather(&mut self, root: &'v Value, schema: &'v Value) {
        for layer in layers(root, schema, &["allOf", "anyOf", "oneOf"]) {
            self.add(root, layer);
        }
    }

    fn add(&mut self, root: &'v Value, schema: &'v Value) {
        let dangling = target(schema).is_some_and(|one| local(root, one).is_none());
        let Some(object) = schema.as_object().filter(|_| !dangling) else {
            self.open = true;
            return;
        };
        for (key, keyword) in object {
            match key.as_str() {
                "properties" => {
                    let properties = keyword.as_object().into_iter().flatten();
                    self.properties
                        .extend(properties.map(|(name, schema)| (name.as_str(), schema)));
                }
                "items" => self.items = Some(keyword),
                "additionalProperties" | "patternProperties" | "unevaluatedProperties" | "if" => {
                    self.open = true;
                }
                _ => {}
            }
        }
    }

    fn property(&self, name: &str) -> Option<&'v Value> {
        let found = self.properties.iter().find(|(known, _)| *known == name);
        found.map(|(_, schema)| *schema)
    }
}
