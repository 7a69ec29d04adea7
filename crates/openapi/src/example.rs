//! Examples: values for parameters, bodies and answers, taken from what the definition shows and
//! made from schemas where it shows nothing.
//!
//! A published example can break its own schema (domain.md section 7.4). So whatever is put
//! together is checked, and where the check objects the examples at that place are not believed
//! again. Schemas may be cyclic and may be large: depth and size of a value are bounded, and an
//! optional member that would exceed them is left out.

mod layers;
mod maker;
mod scalar;

use jsonschema::{Draft, Validator};
use serde_json::Value;

use crate::definition::Definition;
use crate::operation::{Operation, Parameter};
use crate::schema::Violation;
use crate::translate::{self, Direction};
use maker::Maker;

/// Which members of an object an example has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fill {
    /// Those that must be there.
    Required,
    /// Those, and the others that the definition shows a value for: nothing is made up that need
    /// not be there.
    Shown,
    /// All that may be sent or answered, without those that the definition advises against.
    All,
}

/// After so many objections a value is given out as it is: its schema asks for something that
/// cannot be made, such as a text that fits a pattern.
const ROUNDS: usize = 8;

impl Definition {
    /// A body for `operation`, the JSON one if it has the choice; `None` when it takes none.
    pub fn example_body(&self, operation: &Operation, fill: Fill) -> Option<Value> {
        let maker = Maker::new(self.document(), Direction::Request, fill);
        let Some(body) = operation.body() else {
            let body = operation.bodies().first()?;
            return Some(self.made_by(maker, &body.schema, body.example.as_ref()));
        };
        let check = |value: &Value| pointers(self.check_body(operation, value));
        Some(made(maker, &body.schema, body.example.as_ref(), check))
    }

    /// An answer of `operation` with `status`; `None` when the definition describes none.
    pub fn example_answer(&self, operation: &Operation, status: u16) -> Option<Value> {
        let index = operation.response_index(status)?;
        let schema = operation.responses()[index].1.as_ref()?;
        let check = |value: &Value| pointers(self.check_response(operation, status, value));
        let maker = Maker::new(self.document(), Direction::Response, Fill::All);
        Some(made(maker, schema, None, check))
    }

    /// A value for a parameter.
    pub fn example_value(&self, parameter: &Parameter) -> Value {
        let maker = Maker::new(self.document(), Direction::Request, Fill::All);
        let maker = maker.named(&parameter.name);
        self.made_by(maker, &parameter.schema, parameter.example.as_ref())
    }

    /// Makes what has no check of its own in the definition.
    fn made_by<'a>(
        &'a self,
        maker: Maker<'a>,
        schema: &'a Value,
        shown: Option<&'a Value>,
    ) -> Value {
        let validator = validator(self.document(), schema);
        let check = |value: &Value| {
            let errors = validator.iter().flat_map(|one| one.iter_errors(value));
            errors.map(|one| one.instance_path().to_string()).collect()
        };
        made(maker, schema, shown, check)
    }
}

/// A check for a schema: those of JSON bodies and answers are the definition's own.
fn validator(root: &Value, schema: &Value) -> Option<Validator> {
    let old = translate::is_old_dialect(root);
    let translated = translate::translate(root, schema, Direction::Request, old);
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .build(&translated)
        .ok()
}

fn pointers(violations: Vec<Violation>) -> Vec<String> {
    violations.into_iter().map(|one| one.pointer).collect()
}

/// Makes a value until `check`, which names the places it objects to, has nothing new to say.
fn made<'a>(
    mut maker: Maker<'a>,
    schema: &'a Value,
    shown: Option<&'a Value>,
    check: impl Fn(&Value) -> Vec<String>,
) -> Value {
    for _ in 0..ROUNDS {
        let value = maker.make(schema, shown);
        let objections = check(&value);
        if objections.is_empty() {
            return value;
        }
        maker.distrust(objections);
    }
    maker.make(schema, shown)
}

#[cfg(test)]
mod tests;
