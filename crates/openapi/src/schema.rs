//! Checking values against the schemas of an operation.
//!
//! A schema is compiled when it is first needed and kept. Compiling takes only what the schema
//! refers to; how OpenAPI's schemas become JSON Schema is said in `translate`, and how an objection
//! becomes a sentence in `explain`.

mod alternatives;
mod explain;
mod plain;
#[cfg(test)]
pub(crate) mod properties;
#[cfg(test)]
mod tests;
mod words;

use std::sync::OnceLock;

use jsonschema::{Draft, Validator};
use serde_json::Value;

use crate::integers;
use crate::operation::Operation;
use crate::translate::{self, Direction};

pub(crate) use words::article;

/// One way in which a value breaks its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer (RFC 6901) to the place in the value; empty for the whole value.
    pub pointer: String,
    /// What is wrong: the field as people write it, a colon, and what is expected. Text is repeated
    /// only where the schema wants no free text, so that no password gets into a message.
    pub message: String,
}

/// The compiled schemas of all operations, as far as they have been needed.
pub(crate) struct Checks {
    old_dialect: bool,
    bodies: Vec<Slot>,
    responses: Vec<Box<[Slot]>>,
    parameters: Vec<Box<[Slot]>>,
}

/// `None` inside: the schema cannot be compiled, so nothing can be said against a value.
type Slot = OnceLock<Option<CompiledSchema>>;

impl Checks {
    pub(crate) fn new(root: &Value, operations: &[Operation]) -> Self {
        let slots = |count: usize| (0..count).map(|_| Slot::new()).collect();
        Self {
            old_dialect: translate::is_old_dialect(root),
            bodies: operations.iter().map(|_| Slot::new()).collect(),
            responses: operations
                .iter()
                .map(|one| slots(one.responses().len()))
                .collect(),
            parameters: operations
                .iter()
                .map(|one| slots(one.parameters().len()))
                .collect(),
        }
    }

    pub(crate) fn body(&self, root: &Value, operation: &Operation, body: &Value) -> Vec<Violation> {
        match (operation.body(), self.bodies.get(operation.index())) {
            (Some(declared), Some(slot)) => self
                .compiled(root, slot, &declared.schema, Direction::Request)
                .map_or_else(Vec::new, |schema| schema.violations(THE_BODY, body)),
            _ => Vec::new(),
        }
    }

    pub(crate) fn response(
        &self,
        root: &Value,
        operation: &Operation,
        status: u16,
        body: &Value,
    ) -> Vec<Violation> {
        let Some(index) = operation.response_index(status) else {
            return Vec::new();
        };
        let slot = slot(&self.responses, operation, index);
        match (&operation.responses()[index].1, slot) {
            (Some(schema), Some(slot)) => self
                .compiled(root, slot, schema, Direction::Response)
                .map_or_else(Vec::new, |schema| schema.violations(THE_BODY, body)),
            _ => Vec::new(),
        }
    }

    pub(crate) fn parameter(
        &self,
        root: &Value,
        operation: &Operation,
        name: &str,
        value: &Value,
    ) -> Vec<Violation> {
        let parameters = operation.parameters();
        let Some(index) = parameters.iter().position(|one| one.name == name) else {
            return Vec::new();
        };
        if plain::certainly_fits(&parameters[index].schema, value) {
            return Vec::new();
        }
        slot(&self.parameters, operation, index)
            .and_then(|slot| {
                self.compiled(root, slot, &parameters[index].schema, Direction::Request)
            })
            .map_or_else(Vec::new, |schema| schema.violations(name, value))
    }

    fn compiled<'a>(
        &self,
        root: &Value,
        slot: &'a Slot,
        schema: &Value,
        direction: Direction,
    ) -> Option<&'a CompiledSchema> {
        slot.get_or_init(|| CompiledSchema::new(root, schema, direction, self.old_dialect))
            .as_ref()
    }
}

/// What a body as a whole is called in a message.
const THE_BODY: &str = "the body";

fn slot<'a>(slots: &'a [Box<[Slot]>], operation: &Operation, index: usize) -> Option<&'a Slot> {
    slots.get(operation.index())?.get(index)
}

/// A schema that is ready to check values.
pub(crate) struct CompiledSchema {
    validator: Validator,
    /// As JSON Schema: messages look up names in it.
    schema: Value,
}

impl CompiledSchema {
    /// `None` when the schema cannot be compiled.
    pub(crate) fn new(
        root: &Value,
        schema: &Value,
        direction: Direction,
        old_dialect: bool,
    ) -> Option<Self> {
        let schema = translate::translate(root, schema, direction, old_dialect);
        let validator = jsonschema::options()
            .with_draft(Draft::Draft202012)
            .should_validate_formats(true)
            .should_ignore_unknown_formats(true)
            .with_keyword(integers::KEYWORD, integers::keyword)
            .build(&schema)
            .ok()?;
        Some(Self { validator, schema })
    }

    /// What is wrong with `value`, which messages call `whole`.
    pub(crate) fn violations(&self, whole: &str, value: &Value) -> Vec<Violation> {
        let errors: Vec<_> = self.validator.iter_errors(value).collect();
        explain::explain(&self.schema, whole, &errors)
    }
}
