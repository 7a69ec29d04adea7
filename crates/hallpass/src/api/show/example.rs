//! A command line that calls an operation, with everything it cannot do without.

use hallpass_openapi::{Definition, Fill, Operation};
use serde_json::Value;

use super::plain;

/// The command line.
pub(super) fn call(definition: &Definition, operation: &Operation) -> String {
    let mut words = vec!["hallpass call".to_owned(), quoted(operation.id())];
    for parameter in operation.parameters().iter().filter(|one| one.required) {
        match definition.example_value(parameter) {
            Value::Array(items) => {
                words.extend(items.iter().map(|item| argument(&parameter.name, item)))
            }
            value => words.push(argument(&parameter.name, &value)),
        }
    }
    match definition.example_body(operation, Fill::Required) {
        Some(Value::Object(members)) if members.keys().all(|name| is_name(name)) => {
            words.extend(members.iter().map(|(name, value)| argument(name, value)));
        }
        Some(body) if operation.needs_body() => {
            words.push(format!("--data {}", quoted(&body.to_string())));
        }
        None if operation.needs_body() => words.push("--data @FILE".to_owned()),
        _ => {}
    }
    words.join(" ")
}

/// A dot in a name would lead into an object.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['.', '=', ':', '\\'])
}

fn argument(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) if text.starts_with('@') => quoted(&format!("{name}:={value}")),
        Value::Object(_) | Value::Array(_) | Value::Null => quoted(&format!("{name}:={value}")),
        single => quoted(&format!("{name}={}", plain(single))),
    }
}

/// A word as a shell takes it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn arguments_survive_the_shell() {
        assert_eq!(argument("name", &json!("it's")), r"'name=it'\''s'");
        assert_eq!(argument("size", &json!(16384)), "size=16384");
        assert_eq!(argument("ids", &json!(["a b"])), r#"'ids:=["a b"]'"#);
        assert_eq!(argument("note", &json!("@home")), r#"'note:="@home"'"#);
    }
}
