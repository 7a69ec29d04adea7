//! A definition as YAML, for somebody who imported JSON. What could be taken for something else is in
//! double quotes, in which YAML reads a text as JSON does.

use serde_json::Value;

/// The document.
pub(super) fn write(value: &Value) -> String {
    let mut out = String::new();
    match value {
        Value::Object(members) if !members.is_empty() => object(&mut out, value, 0, true),
        Value::Array(items) if !items.is_empty() => list(&mut out, items, 0),
        single => {
            out.push_str(&scalar(single));
            out.push('\n');
        }
    }
    out
}

/// Members below each other; `indented` says whether the first one needs its indentation.
fn object(out: &mut String, value: &Value, depth: usize, mut indented: bool) {
    for (name, member) in value.as_object().into_iter().flatten() {
        if indented {
            indent(out, depth);
        }
        indented = true;
        out.push_str(&text(name));
        out.push(':');
        match member {
            Value::Object(members) if !members.is_empty() => {
                out.push('\n');
                object(out, member, depth + 1, true);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                list(out, items, depth + 1);
            }
            single => {
                out.push(' ');
                out.push_str(&scalar(single));
                out.push('\n');
            }
        }
    }
}

fn list(out: &mut String, items: &[Value], depth: usize) {
    for item in items {
        indent(out, depth);
        out.push('-');
        match item {
            Value::Object(members) if !members.is_empty() => {
                out.push(' ');
                object(out, item, depth + 1, false);
            }
            Value::Array(items) if !items.is_empty() => {
                out.push('\n');
                list(out, items, depth + 1);
            }
            single => {
                out.push(' ');
                out.push_str(&scalar(single));
                out.push('\n');
            }
        }
    }
}

fn indent(out: &mut String, depth: usize) {
    for _ in 0..depth {
        out.push_str("  ");
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::String(word) => text(word),
        other => other.to_string(),
    }
}

/// A text, bare when neither YAML 1.1 nor 1.2 takes it for anything else.
fn text(text: &str) -> String {
    const TAKEN: [&str; 12] = [
        "true", "false", "yes", "no", "on", "off", "y", "n", "null", "nan", "inf", "none",
    ];
    let inner = |letter: char| letter.is_ascii_alphanumeric() || "_-/. ".contains(letter);
    let is_plain = text.starts_with(|first: char| first.is_ascii_alphabetic() || first == '/')
        && text.chars().all(inner)
        && !text.ends_with(' ')
        && !TAKEN.contains(&text.to_ascii_lowercase().as_str());
    if is_plain {
        text.to_owned()
    } else {
        Value::from(text).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_openapi::Definition;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn members_and_items_stand_below_each_other() {
        let value =
            json!({"a": {"b": [1, {"c": "x y", "d": []}, [2]]}, "200": "yes", "/p/{q}": {}});
        let expected = "a:\n  b:\n    - 1\n    - c: x y\n      d: []\n    -\n      - 2\n\"200\": \"yes\"\n\
                        \"/p/{q}\": {}\n";
        assert_eq!(write(&value), expected);
    }

    fn value() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".*".prop_map(Value::from),
            "[a-z~: #-]{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::btree_map("[a-zA-Z0-9 /:{}-]{0,6}", inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_as_the_same(value in value()) {
            let document = json!({"openapi": "3.0.3", "x-value": value});
            let read = Definition::read(&write(&document)).unwrap().definition;
            prop_assert_eq!(read.document(), &document);
        }
    }
}
