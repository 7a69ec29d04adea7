//! Strings where the schema wants a number or a boolean.
//!
//! One client in the field sends `"16384"`, `"true"` (domain.md section 8.4, point 7). The change
//! is made only where the schema leaves no doubt: a place that also allows strings keeps them.

use std::collections::HashMap;

use serde_json::{Number, Value};

use crate::layers::{parts, walk};
use crate::marks::is_or_holds;
use crate::reference::resolve;
use crate::translate::{is_marked_old, is_old_dialect};

/// How many schemas may lie over one another where a text may stand.
const MAX_LAYERS: usize = 16;

/// Turns strings in `value` into what `schema` wants.
pub(crate) fn coerce(root: &Value, schema: &Value, value: &mut Value) {
    apply(root, vec![schema], value);
}

/// All schemas of a value are applied at once: one after the other, each would go through all that is
/// inside.
fn apply<'a>(root: &'a Value, schemas: Vec<&'a Value>, value: &mut Value) {
    let is_text = value.is_string();
    let mut known = HashMap::new();
    let mut layers = walk(root, schemas, true, |schema| {
        let mut next = parts(schema, &["allOf"]);
        for choice in ["anyOf", "oneOf"] {
            let choices = parts(schema, &[choice]);
            let stays = is_text
                && choices
                    .iter()
                    .any(|one| allows_text(root, one, 0, &mut known));
            if !stays {
                next.extend(choices);
            }
        }
        next
    });
    layers.reverse();
    match value {
        Value::String(text) => {
            let mut kinds = layers.iter().filter_map(|layer| layer.get("type"));
            if let Some(wanted) = kinds.find_map(|kind| parse(kind, text)) {
                *value = wanted;
            }
        }
        Value::Array(items) => {
            let inner: Vec<&Value> = layers.iter().filter_map(|one| one.get("items")).collect();
            for item in items {
                apply(root, inner.clone(), item);
            }
        }
        Value::Object(members) => {
            for (name, member) in members.iter_mut() {
                let declared = |layer: &&'a Value| {
                    let property = layer.get("properties").and_then(|all| all.get(name));
                    property.or_else(|| layer.get("additionalProperties"))
                };
                apply(root, layers.iter().filter_map(declared).collect(), member);
            }
        }
        _ => {}
    }
}

/// `known` holds what was found out before; a schema inside itself forbids no text.
fn allows_text<'a>(
    root: &'a Value,
    schema: &'a Value,
    layer: usize,
    known: &mut HashMap<*const Value, bool>,
) -> bool {
    if layer > MAX_LAYERS {
        return true;
    }
    let end = resolve(root, schema);
    let old = is_old_dialect(root) || is_marked_old(schema);
    let schema = if old { end } else { schema };
    let key = std::ptr::from_ref(schema);
    if let Some(known) = known.get(&key) {
        return *known;
    }
    if let Some(kind) = schema.get("type") {
        return is_or_holds(kind, "string");
    }
    known.insert(key, true);
    let mut all = parts(schema, &["allOf"]);
    if !std::ptr::eq(schema, end) {
        all.push(end);
    }
    let any = parts(schema, &["anyOf", "oneOf"]);
    let mut allows = |one: &&'a Value| allows_text(root, one, layer + 1, known);
    let allowed = all.iter().all(&mut allows) && (any.is_empty() || any.iter().any(&mut allows));
    known.insert(key, allowed);
    allowed
}

/// What a text means to a schema's `type`; `None` when it may stay a text or means nothing.
pub(crate) fn parse(kind: &Value, text: &str) -> Option<Value> {
    if is_or_holds(kind, "string") {
        return None;
    }
    let number = || text.parse::<Number>().ok();
    if is_or_holds(kind, "integer")
        && let Some(number) = number().filter(|number| !number.is_f64())
    {
        return Some(Value::Number(number));
    }
    if is_or_holds(kind, "number")
        && let Some(number) = number()
    {
        return Some(Value::Number(number));
    }
    match text {
        "true" | "false" if is_or_holds(kind, "boolean") => Some(Value::Bool(text == "true")),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crate::testing::{operation, small};
    use serde_json::{Value, json};

    fn tolerant(body: Value) -> Value {
        let small = small();
        small.tolerant(operation(&small, "EditVolume"), body)
    }

    #[test]
    fn strings_become_what_the_schema_wants() {
        let given = json!({
            "name": "1", "sizeMib": "16384", "ratio": "0.5", "dataReduction": "true",
            "counts": ["1", 2], "count": "18446744073709551615", "limits": {"most": "-3"},
        });
        let wanted = json!({
            "name": "1", "sizeMib": 16384, "ratio": 0.5, "dataReduction": true,
            "counts": [1, 2], "count": u64::MAX, "limits": {"most": -3},
        });
        assert_eq!(tolerant(given), wanted);
    }

    #[test]
    fn what_does_not_fit_stays() {
        let given = json!({
            "sizeMib": "large", "ratio": "NaN", "dataReduction": "yes", "either": "7",
            "counts": "1", "count": "1.5", "mode": "true", "unknown": "1",
        });
        assert_eq!(tolerant(given.clone()), given);
        assert_eq!(tolerant(json!(["1"])), json!(["1"]));
    }

    #[test]
    fn schemas_that_fan_out_at_each_level_end() {
        let again = vec![json!({"$ref": "#/A"}); 8];
        let root = json!({"A": {
            "allOf": again, "anyOf": [{"properties": {"a": {"$ref": "#/A"}}}, {"properties": {"a": {"$ref": "#/A"}}}],
            "properties": {"n": {"type": "integer"}, "t": {"anyOf": [{"allOf": again}, {"type": "integer"}]}},
        }});
        let (mut value, mut wanted) = (json!({"n": "1", "t": "1"}), json!({"n": 1, "t": "1"}));
        for _ in 0..60 {
            (value, wanted) = (json!({"a": value}), json!({"a": wanted}));
        }
        super::coerce(&root, &root["A"], &mut value);
        assert_eq!(value, wanted);
    }

    #[test]
    fn beside_a_reference_keywords_count_since_3_1() {
        for (version, wanted) in [("3.0.3", json!({"n": "1"})), ("3.1.0", json!({"n": 1}))] {
            let root = json!({"openapi": version, "B": {}});
            let schema = json!({"$ref": "#/B", "properties": {"n": {"type": "integer"}}});
            let mut value = json!({"n": "1"});
            super::coerce(&root, &schema, &mut value);
            assert_eq!(value, wanted, "{version}");
        }
    }

    #[test]
    fn an_operation_without_a_body_changes_nothing() {
        let small = small();
        let body = json!({"sizeMib": "1"});
        assert_eq!(
            small.tolerant(operation(&small, "ListSystems"), body.clone()),
            body
        );
    }
}
