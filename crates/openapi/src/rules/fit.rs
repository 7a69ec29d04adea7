//! A quick look whether a value plainly fits a schema.
//!
//! Nearly every example does, and compiling a schema for each would take longer than all other
//! rules together. The look says yes only when it is sure; whatever it does not know is left to
//! the validator.

use std::cell::Cell;

use serde_json::Value;

use crate::integers::Integers;
use crate::reference::resolve;

/// How many schemas may apply to one value on top of each other.
const MAX_DEPTH: usize = 32;

/// How many schemas are looked at for one example, before the validator is asked.
const MAX_STEPS: usize = 10_000;

/// What is said of a value without being a condition.
const REMARKS: [&str; 14] = [
    "deprecated",
    "description",
    "discriminator",
    "default",
    "example",
    "examples",
    "externalDocs",
    "nullable",
    "readOnly",
    "summary",
    "title",
    "writeOnly",
    "xml",
    "$comment",
];

/// Formats that the validator does not know for texts, so that they exclude none.
const FREE_FORMATS: [&str; 12] = [
    "int64", "int32", "float", "double", "float32", "float64", "Uint64", "Uint32", "byte",
    "binary", "password", "string",
];

/// Whether `value` certainly fits `schema`.
pub(super) fn surely(root: &Value, schema: &Value, value: &Value, old: bool) -> bool {
    Look {
        root,
        old,
        steps: Cell::new(0),
    }
    .fits(schema, value, 0)
}

/// Whether a value has the type that a schema names, or one of them.
pub(super) fn has_type(kind: &Value, value: &Value) -> bool {
    match kind {
        Value::String(word) => match word.as_str() {
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "array" => value.is_array(),
            "object" => value.is_object(),
            "null" => value.is_null(),
            "number" => value.is_number(),
            "integer" => is_whole(value),
            // What is no type excludes nothing.
            _ => true,
        },
        Value::Array(words) => words.iter().any(|word| has_type(word, value)),
        _ => true,
    }
}

fn is_whole(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

struct Look<'a> {
    root: &'a Value,
    old: bool,
    steps: Cell<usize>,
}

impl Look<'_> {
    fn fits(&self, schema: &Value, value: &Value, depth: usize) -> bool {
        // Beside a reference, keywords count in 3.1.
        let beside =
            schema.get("$ref").is_some() && schema.as_object().is_some_and(|it| it.len() > 1);
        self.steps.set(self.steps.get() + 1);
        let too_far = depth > MAX_DEPTH || self.steps.get() > MAX_STEPS;
        if too_far || (beside && !self.old) {
            return false;
        }
        let Some(object) = resolve(self.root, schema).as_object() else {
            return false;
        };
        if self.old && value.is_null() && object.get("nullable") == Some(&Value::Bool(true)) {
            return true;
        }
        object
            .iter()
            .all(|(key, keyword)| self.keeps(key, keyword, value, depth))
    }

    fn keeps(&self, key: &str, keyword: &Value, value: &Value, depth: usize) -> bool {
        let fits = |schema| self.fits(schema, value, depth + 1);
        match key {
            "type" => keyword.is_string() && has_type(keyword, value),
            "enum" => keyword
                .as_array()
                .is_some_and(|allowed| allowed.contains(value)),
            "format" => has_format(keyword, value),
            "minimum" | "maximum" => within(key, keyword, value),
            "minLength" | "maxLength" => match value {
                Value::String(text) => counted(key, keyword, text.chars().count()),
                _ => true,
            },
            "minItems" | "maxItems" => match value {
                Value::Array(items) => counted(key, keyword, items.len()),
                _ => true,
            },
            "pattern" => !value.is_string(),
            "allOf" => keyword.as_array().is_some_and(|all| all.iter().all(fits)),
            "anyOf" => keyword.as_array().is_some_and(|any| any.iter().any(fits)),
            "items" => match value {
                Value::Array(items) => items.iter().all(|item| self.fits(keyword, item, depth + 1)),
                _ => true,
            },
            "properties" => self.members(keyword, value, depth),
            "required" => required(keyword, value),
            "additionalProperties" => *keyword == Value::Bool(true) || !value.is_object(),
            key => REMARKS.contains(&key) || key.starts_with("x-"),
        }
    }

    fn members(&self, properties: &Value, value: &Value, depth: usize) -> bool {
        let Value::Object(members) = value else {
            return true;
        };
        members.iter().all(|(name, member)| {
            properties
                .get(name)
                .is_none_or(|schema| self.fits(schema, member, depth + 1))
        })
    }
}

fn has_format(keyword: &Value, value: &Value) -> bool {
    match value {
        Value::String(_) => keyword
            .as_str()
            .is_some_and(|it| FREE_FORMATS.contains(&it)),
        value => Integers::of(keyword).is_none_or(|it| it.hold(value)),
    }
}

fn within(key: &str, limit: &Value, value: &Value) -> bool {
    // From here on neighbouring integers are one floating point number.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    let Some(number) = value.as_f64() else {
        return true;
    };
    let exact = |number: &f64| number.abs() < EXACT;
    let Some(limit) = limit.as_f64().filter(exact).filter(|_| exact(&number)) else {
        return false;
    };
    if key == "minimum" {
        number >= limit
    } else {
        number <= limit
    }
}

fn counted(key: &str, limit: &Value, count: usize) -> bool {
    let Some(limit) = limit.as_u64().and_then(|limit| usize::try_from(limit).ok()) else {
        return false;
    };
    if key.starts_with("min") {
        count >= limit
    } else {
        count <= limit
    }
}

fn required(names: &Value, value: &Value) -> bool {
    let Value::Object(members) = value else {
        return true;
    };
    let given = |name: &Value| name.as_str().is_some_and(|name| members.contains_key(name));
    names
        .as_array()
        .is_some_and(|names| names.iter().all(given))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::schema::properties::{fitting, schema, value, violations};
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn a_plain_value_is_seen_to_fit() {
        let schema = json!({
            "type": "object", "required": ["a"], "description": "d",
            "properties": {
                "a": {"type": "integer", "minimum": 1, "format": "int64"},
                "b": {"type": "array", "items": {"enum": ["x", "y"]}, "maxItems": 2},
                "c": {"type": "string", "nullable": true, "maxLength": 2},
            },
        });
        let fits = |value: Value| surely(&Value::Null, &schema, &value, true);
        assert!(fits(json!({"a": 1, "b": ["x", "y"], "c": null, "d": 1})));
        for bad in [
            json!({}),
            json!({"a": 0}),
            json!({"a": 1, "b": ["z"]}),
            json!({"a": 1, "c": "abc"}),
        ] {
            assert!(!fits(bad));
        }
        let large = json!({"maximum": u64::MAX - 1});
        assert!(!surely(&Value::Null, &large, &json!(u64::MAX), true));
    }

    /// The answer, and how many schemas were looked at for it.
    fn look(root: &Value, schema: &str) -> (bool, usize) {
        let look = Look {
            root,
            old: true,
            steps: Cell::new(0),
        };
        (look.fits(&root[schema], &json!(1), 0), look.steps.get())
    }

    #[test]
    fn schemas_over_schemas_cost_one_step_each() {
        let mut root = json!({"s25": {"type": "integer"}});
        for index in 0..25 {
            let next = json!({"$ref": format!("#/s{}", index + 1)});
            root[format!("s{index}")] = json!({"allOf": [next]});
        }
        assert_eq!(look(&root, "s0"), (true, 26));
        let again = vec![json!({"$ref": "#/A"}); 8];
        let (fits, steps) = look(&json!({"A": {"allOf": again}}), "A");
        assert!(!fits && steps < 100, "{steps}");
        let (fits, steps) = look(&json!({"A": {"anyOf": again}}), "A");
        assert!(!fits && steps < 2 * MAX_STEPS, "{steps}");
    }

    proptest! {
        /// It may miss what fits, but must not let through what does not.
        #[test]
        fn what_it_lets_through_fits((fitting, _) in fitting(), odd in schema(), value in value()) {
            for schema in [fitting, odd] {
                if surely(&schema, &schema, &value, false) {
                    prop_assert_eq!(violations(&schema, &value), [], "{} {}", schema, value);
                }
            }
        }
    }
}
