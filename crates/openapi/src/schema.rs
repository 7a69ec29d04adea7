//! Checking values against the schemas of an operation.
//!
//! A schema is compiled when it is first needed and kept. Compiling takes only what the schema
//! refers to; how OpenAPI's schemas become JSON Schema is said in `translate`.

use std::sync::OnceLock;

use jsonschema::{
    Draft, ValidationError, Validator,
    error::{TypeKind, ValidationErrorKind},
};
use serde_json::Value;

use crate::operation::Operation;
use crate::translate::{self, Direction};

/// One way in which a value breaks its schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// JSON pointer (RFC 6901) to the place in the value; empty for the whole value.
    pub pointer: String,
    /// What is wrong, naming the field and what is expected.
    pub message: String,
}

/// The compiled schemas of all operations, as far as they have been needed.
pub(crate) struct Checks {
    old_dialect: bool,
    bodies: Vec<Slot>,
    responses: Vec<Box<[Slot]>>,
}

/// `None` inside: the schema cannot be compiled, so nothing can be said against a value.
type Slot = OnceLock<Option<Validator>>;

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
        }
    }

    pub(crate) fn body(&self, root: &Value, operation: &Operation, body: &Value) -> Vec<Violation> {
        match (operation.body(), self.bodies.get(operation.index())) {
            (Some(declared), Some(slot)) => {
                self.check(root, slot, &declared.schema, Direction::Request, body)
            }
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
        let slot = self
            .responses
            .get(operation.index())
            .and_then(|slots| slots.get(index));
        match (&operation.responses()[index].1, slot) {
            (Some(schema), Some(slot)) => self.check(root, slot, schema, Direction::Response, body),
            _ => Vec::new(),
        }
    }

    fn check(
        &self,
        root: &Value,
        slot: &Slot,
        schema: &Value,
        direction: Direction,
        value: &Value,
    ) -> Vec<Violation> {
        let validator = slot.get_or_init(|| {
            let translated = translate::translate(root, schema, direction, self.old_dialect);
            compile(&translated)
        });
        let mut violations = Vec::new();
        for error in validator
            .iter()
            .flat_map(|validator| validator.iter_errors(value))
        {
            explain(&error, &mut violations);
        }
        violations
    }
}

fn compile(schema: &Value) -> Option<Validator> {
    jsonschema::options()
        .with_draft(Draft::Draft202012)
        .should_validate_formats(true)
        .should_ignore_unknown_formats(true)
        .build(schema)
        .ok()
}

/// Our own words for an error: the field first, then what is expected. Values are not repeated,
/// for they may be secrets and the message may be logged.
fn explain(error: &ValidationError<'_>, violations: &mut Vec<Violation>) {
    let pointer = error.instance_path().as_str();
    let field = field(pointer);
    let message = match error.kind() {
        ValidationErrorKind::AnyOf { context } | ValidationErrorKind::OneOfNotValid { context } => {
            match nearest_branch(context, pointer) {
                Some(branch) => return branch.iter().for_each(|one| explain(one, violations)),
                None => format!("{field} fits none of the forms it can have"),
            }
        }
        ValidationErrorKind::OneOfMultipleValid { .. } => {
            format!("{field} fits more than one of the forms it can have, and must fit exactly one")
        }
        ValidationErrorKind::Required { property } => {
            let name = property.as_str().unwrap_or_default();
            let inside = if pointer.is_empty() {
                String::new()
            } else {
                format!(" in {field}")
            };
            format!("`{name}` is missing{inside}")
        }
        ValidationErrorKind::Type { kind } => {
            format!(
                "{field} must be {}, not {}",
                expected(kind),
                article(type_name(error.instance()))
            )
        }
        ValidationErrorKind::Enum { options } => format!("{field} must be {}", choices(options)),
        ValidationErrorKind::Constant { expected_value } => {
            format!("{field} must be {expected_value}")
        }
        ValidationErrorKind::Minimum { limit } => format!("{field} must be at least {limit}"),
        ValidationErrorKind::Maximum { limit } => format!("{field} must be at most {limit}"),
        ValidationErrorKind::ExclusiveMinimum { limit } => {
            format!("{field} must be more than {limit}")
        }
        ValidationErrorKind::ExclusiveMaximum { limit } => {
            format!("{field} must be less than {limit}")
        }
        ValidationErrorKind::MultipleOf { multiple_of } => {
            format!("{field} must be a multiple of {multiple_of}")
        }
        ValidationErrorKind::MinLength { limit } => {
            format!("{field} must have at least {limit} characters")
        }
        ValidationErrorKind::MaxLength { limit } => {
            format!("{field} must have at most {limit} characters")
        }
        ValidationErrorKind::MinItems { limit } => {
            format!("{field} must have at least {limit} items")
        }
        ValidationErrorKind::MaxItems { limit } => {
            format!("{field} must have at most {limit} items")
        }
        ValidationErrorKind::UniqueItems => format!("{field} must not hold an item twice"),
        ValidationErrorKind::Pattern { pattern } => {
            format!("{field} must match the pattern {pattern}")
        }
        ValidationErrorKind::Format { format } => format!("{field} must be a valid {format}"),
        ValidationErrorKind::AdditionalProperties { unexpected }
        | ValidationErrorKind::UnevaluatedProperties { unexpected } => {
            format!("{field} has unknown properties: {}", unexpected.join(", "))
        }
        other => format!(
            "{field} breaks the rule `{}` of its schema",
            other.keyword()
        ),
    };
    violations.push(Violation {
        pointer: pointer.to_owned(),
        message,
    });
}

/// The branch of `anyOf` that the value was most likely meant for: the only one that objects to
/// more than the value's type, else the one whose first objection lies deepest inside the value.
fn nearest_branch<'a>(
    branches: &'a [Vec<ValidationError<'static>>],
    pointer: &str,
) -> Option<&'a [ValidationError<'static>]> {
    let about_type = |error: &ValidationError<'_>| {
        error.instance_path().as_str() == pointer
            && matches!(error.kind(), ValidationErrorKind::Type { .. })
    };
    let is_null = |error: &ValidationError<'_>| matches!(error.kind(), ValidationErrorKind::Type { kind } if expected(kind) == "null");
    let not_null: Vec<_> = branches
        .iter()
        .filter(|errors| !errors.iter().all(is_null))
        .collect();
    if let [only] = not_null.as_slice() {
        return Some(only);
    }
    let depth = |errors: &[ValidationError<'_>]| {
        errors.first().map_or(0, |error| {
            error.instance_path().as_str().matches('/').count()
        })
    };
    let mut meant: Vec<_> = not_null
        .into_iter()
        .filter(|errors| !errors.iter().any(about_type))
        .collect();
    meant.sort_by_key(|errors| std::cmp::Reverse(depth(errors)));
    match meant.as_slice() {
        [only] => Some(only),
        [first, second, ..] if depth(first) > depth(second) => Some(first),
        _ => None,
    }
}

/// The place in the value as people write it: `hosts[0].name`.
fn field(pointer: &str) -> String {
    if pointer.is_empty() {
        return "the body".to_owned();
    }
    let mut name = String::new();
    for token in pointer.split('/').skip(1) {
        if !name.is_empty() && token.bytes().all(|byte| byte.is_ascii_digit()) {
            name = format!("{name}[{token}]");
            continue;
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&token.replace("~1", "/").replace("~0", "~"));
    }
    format!("`{name}`")
}

fn expected(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Single(kind) => article(&kind.to_string()),
        TypeKind::Multiple(kinds) => kinds
            .iter()
            .map(|kind| article(&kind.to_string()))
            .collect::<Vec<_>>()
            .join(" or "),
    }
}

/// A type of JSON Schema with its article.
pub(crate) fn article(word: &str) -> String {
    match word {
        "null" => "null".to_owned(),
        "array" | "integer" | "object" => format!("an {word}"),
        _ => format!("a {word}"),
    }
}

fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// The values of an `enum`; nobody reads a hundred.
fn choices(options: &Value) -> String {
    const MAX_CHOICES: usize = 20;
    let options = options.as_array().map(Vec::as_slice).unwrap_or_default();
    let listed: Vec<String> = options
        .iter()
        .take(MAX_CHOICES)
        .map(Value::to_string)
        .collect();
    let more = match options.len() - listed.len() {
        0 => String::new(),
        more => format!(" or one of {more} more"),
    };
    let text = listed.join(", ") + &more;
    match options {
        [_] => text,
        _ => format!("one of {text}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Definition;
    use crate::testing::{operation, small};
    use proptest::prelude::*;
    use serde_json::json;

    fn body(body: &Value) -> Vec<(String, String)> {
        let small = small();
        pairs(small.check_body(operation(&small, "EditVolume"), body))
    }

    fn system(body: &Value) -> Vec<(String, String)> {
        let small = small();
        pairs(small.check_response(operation(&small, "GetSystem"), 200, body))
    }

    fn pairs(violations: Vec<Violation>) -> Vec<(String, String)> {
        violations
            .into_iter()
            .map(|one| (one.pointer, one.message))
            .collect()
    }

    fn one(pointer: &str, message: &str) -> Vec<(String, String)> {
        vec![(pointer.to_owned(), message.to_owned())]
    }

    #[test]
    fn a_good_body_has_no_violations() {
        assert_eq!(
            body(&json!({
                "name": "v", "comment": null, "sizeMib": 17, "ratio": 1, "mode": null,
                "either": 3, "counts": [1], "limits": {"most": 2},
            })),
            []
        );
    }

    #[test]
    fn violations_name_the_field_and_what_is_expected() {
        assert_eq!(body(&json!({})), one("", "`name` is missing"));
        let with = |name: &str, value: Value| {
            let mut object = json!({"name": "v"});
            object[name] = value;
            body(&object)
        };
        assert_eq!(
            with("sizeMib", json!("17")),
            one("/sizeMib", "`sizeMib` must be an integer, not a string")
        );
        assert_eq!(
            with("sizeMib", json!(16)),
            one("/sizeMib", "`sizeMib` must be more than 16")
        );
        assert_eq!(
            with("counts", json!([1, "a"])),
            one("/counts/1", "`counts[1]` must be an integer, not a string")
        );
        assert_eq!(
            with("limits", json!({"most": true})),
            one(
                "/limits/most",
                "`limits.most` must be an integer, not a boolean"
            )
        );
        assert_eq!(
            with("mode", json!("THICK")),
            one("/mode", "`mode` must be one of \"THIN\", \"FULL\", null")
        );
        assert_eq!(
            with("either", json!([])),
            one("/either", "`either` fits none of the forms it can have")
        );
        assert_eq!(
            with("other", json!(1)),
            one("", "the body has unknown properties: other")
        );
        assert_eq!(
            with("name", json!("")),
            one("/name", "`name` must have at least 1 characters")
        );
        assert_eq!(
            with("ratio", json!(2)),
            one("/ratio", "`ratio` must be at most 1")
        );
        assert_eq!(
            body(&json!([])),
            one("", "the body must be an object, not an array")
        );
    }

    #[test]
    fn read_only_is_not_wanted_in_requests_nor_write_only_in_responses() {
        let small = small();
        let edit = operation(&small, "EditVolume");
        assert_eq!(small.check_body(edit, &json!({"name": "v"})), []);
        assert_eq!(
            small.check_response(edit, 202, &json!({"taskUri": "t"})),
            []
        );
        assert_eq!(small.check_response(edit, 202, &json!({})).len(), 1);
        assert_eq!(system(&json!({"name": "s"})), one("", "`id` is missing"));
    }

    #[test]
    fn cyclic_schemas_work_and_null_is_let_through() {
        let good = json!({
            "id": "1", "name": "s", "sizeMiB": null, "owner": null, "state": null,
            "parent": {"id": "2", "name": "t", "parent": {"id": "3", "name": "u", "parent": null}},
        });
        assert_eq!(system(&good), []);
        let bad = json!({
            "id": "1", "name": "s",
            "parent": {"id": "2", "name": "t", "parent": {"id": "3", "name": "too long"}},
        });
        assert_eq!(
            system(&bad),
            one(
                "/parent/parent/name",
                "`parent.parent.name` must have at most 5 characters"
            )
        );
    }

    #[test]
    fn known_formats_are_checked_and_others_ignored() {
        let with = |created: &str| system(&json!({"id": "1", "name": "s", "created": created}));
        assert_eq!(with("2024-02-29T12:00:00Z"), []);
        assert_eq!(
            with("yesterday"),
            one("/created", "`created` must be a valid date-time")
        );
        // `sizeMiB` has the format int64, which is none of JSON Schema.
        assert_eq!(
            system(&json!({"id": "1", "name": "s", "sizeMiB": u64::MAX})),
            []
        );
    }

    #[test]
    fn ranges_of_statuses_count_and_undeclared_ones_allow_anything() {
        let small = small();
        let list = operation(&small, "ListSystems");
        assert_eq!(small.check_response(list, 404, &json!({})).len(), 1);
        assert_eq!(small.check_response(list, 500, &json!({})), []);
        assert_eq!(small.check_body(list, &json!({"any": "thing"})), []);
    }

    #[test]
    fn broken_schemas_are_checked_as_far_as_they_can_be() {
        let text = "
openapi: 3.0.3
paths:
  /a:
    post:
      requestBody:
        content:
          application/json:
            schema:
              required: [a, a, 3]
              properties:
                a: { $ref: '#/nowhere' }
                b: { type: text, pattern: '(', minimum: low, maxLength: 2 }
                c: { allOf: [{ $ref: '#/components/schemas/Self' }] }
                d: 7
components: { schemas: { Self: { allOf: [{ $ref: '#/components/schemas/Self' }] } } }
";
        let definition = Definition::read(text).unwrap().definition;
        let post = &definition.operations()[0];
        let check = |body| pairs(definition.check_body(post, &body));
        assert_eq!(check(json!({"a": 1, "b": "(", "c": 1, "d": 1})), []);
        assert_eq!(check(json!({})), one("", "`a` is missing"));
        assert_eq!(
            check(json!({"a": 1, "b": "long"})),
            one("/b", "`b` must have at most 2 characters")
        );
    }

    #[test]
    fn version_3_1_is_json_schema() {
        let text = "
openapi: 3.1.0
paths:
  /a:
    post:
      requestBody:
        content:
          application/json:
            schema: { $ref: '#/components/schemas/A', maxProperties: 1 }
components:
  schemas:
    A: { type: object, properties: { a: { type: [string, 'null'] }, b: { exclusiveMinimum: 3 }, c: { const: 1 } } }
";
        let definition = Definition::read(text).unwrap().definition;
        let post = &definition.operations()[0];
        let check = |body| pairs(definition.check_body(post, &body));
        assert_eq!(check(json!({"a": null})), []);
        assert_eq!(
            check(json!({"a": 1})),
            one("/a", "`a` must be null or a string, not a number")
        );
        assert_eq!(check(json!({"b": 3})), one("/b", "`b` must be more than 3"));
        assert_eq!(check(json!({"c": 2})), one("/c", "`c` must be 1"));
        assert_eq!(
            check(json!({"a": "x", "b": 4})).len(),
            1,
            "what stands beside a reference counts"
        );
    }

    #[test]
    fn long_choices_are_cut() {
        let many: Vec<u32> = (0..25).collect();
        assert!(choices(&json!(many)).ends_with("18, 19 or one of 5 more"));
        assert_eq!(choices(&json!(["a"])), "\"a\"");
    }

    fn schema() -> impl Strategy<Value = Value> {
        let keyword = prop::sample::select(vec![
            "type",
            "enum",
            "minimum",
            "exclusiveMaximum",
            "multipleOf",
            "maxLength",
            "minItems",
            "uniqueItems",
            "format",
            "pattern",
            "required",
            "properties",
            "patternProperties",
            "items",
            "additionalProperties",
            "not",
            "allOf",
            "anyOf",
            "oneOf",
            "nullable",
            "const",
            "$ref",
            "$defs",
            "$id",
            "$schema",
            "$anchor",
            "if",
            "prefixItems",
            "contains",
            "dependentSchemas",
            "propertyNames",
            "discriminator",
        ]);
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i32>().prop_map(Value::from),
            any::<f32>().prop_map(|number| json!(number)),
            prop::sample::select(vec![
                "string", "null", "(", "a+", "#/x", "#", "int64", "uuid"
            ])
            .prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
                prop::collection::vec((keyword.clone(), inner), 0..4).prop_map(|members| {
                    members
                        .into_iter()
                        .map(|(key, value)| (key.to_owned(), value))
                        .collect()
                }),
            ]
        })
    }

    proptest! {
        /// However broken a schema is, what is left of it can be compiled.
        #[test]
        fn every_schema_compiles(schema in schema(), old in any::<bool>()) {
            let root = json!({ "x": schema });
            for direction in [Direction::Request, Direction::Response] {
                let translated = translate::translate(&root, &root["x"], direction, old);
                prop_assert!(compile(&translated).is_some(), "{}", translated);
            }
        }
    }
}
