//! Strings where the schema wants a number or a boolean.
//!
//! One client in the field sends `"16384"`, `"true"` (domain.md section 8.4, point 7). The change
//! is made only where the schema leaves no doubt: a place that also allows strings keeps them.

use serde_json::{Number, Value};

use crate::marks::is_or_holds;
use crate::reference::resolve;

/// How many schemas may apply to one value on top of each other; it ends cyclic `allOf`s.
const MAX_LAYERS: usize = 16;

/// Turns strings in `value` into what `schema` wants.
pub(crate) fn coerce(root: &Value, schema: &Value, value: &mut Value) {
    apply(root, schema, value, 0);
}

fn apply(root: &Value, schema: &Value, value: &mut Value, layer: usize) {
    if layer > MAX_LAYERS {
        return;
    }
    let schema = resolve(root, schema);
    for member in list(schema, "allOf") {
        apply(root, member, value, layer + 1);
    }
    for choice in ["anyOf", "oneOf"] {
        if !value.is_string() || !list(schema, choice).any(|one| allows_text(root, one, layer + 1))
        {
            for member in list(schema, choice) {
                apply(root, member, value, layer + 1);
            }
        }
    }
    match value {
        Value::String(text) => {
            if let Some(wanted) = schema.get("type").and_then(|kind| parse(kind, text)) {
                *value = wanted;
            }
        }
        Value::Array(items) => {
            if let Some(schema) = schema.get("items") {
                for item in items {
                    apply(root, schema, item, 0);
                }
            }
        }
        Value::Object(members) => {
            let properties = schema.get("properties");
            for (name, member) in members.iter_mut() {
                let declared = properties.and_then(|properties| properties.get(name));
                if let Some(schema) = declared.or_else(|| schema.get("additionalProperties")) {
                    apply(root, schema, member, 0);
                }
            }
        }
        _ => {}
    }
}

fn list<'a>(schema: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> + use<'a> {
    schema
        .get(key)
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
}

fn allows_text(root: &Value, schema: &Value, layer: usize) -> bool {
    if layer > MAX_LAYERS {
        return true;
    }
    let schema = resolve(root, schema);
    if let Some(kind) = schema.get("type") {
        return is_or_holds(kind, "string");
    }
    let mut all = list(schema, "allOf").peekable();
    let mut any = list(schema, "anyOf")
        .chain(list(schema, "oneOf"))
        .peekable();
    let all_allow = all.peek().is_none() || all.all(|one| allows_text(root, one, layer + 1));
    let any_allows = any.peek().is_none() || any.any(|one| allows_text(root, one, layer + 1));
    all_allow && any_allows
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
    fn an_operation_without_a_body_changes_nothing() {
        let small = small();
        let body = json!({"sizeMib": "1"});
        assert_eq!(
            small.tolerant(operation(&small, "ListSystems"), body.clone()),
            body
        );
    }
}
