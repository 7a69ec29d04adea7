//! A command line that calls an operation, with everything it cannot do without.

use hallpass_openapi::{Definition, Fill, Operation};
use serde_json::Value;

use super::plain;
use crate::output::shell_word;

/// The command line; `options` stand at its end.
pub(super) fn call(definition: &Definition, operation: &Operation, options: &[String]) -> String {
    let mut words = vec!["hallpass call".to_owned(), shell_word(operation.id())];
    for parameter in operation.parameters().iter().filter(|one| one.required) {
        match definition.example_value(parameter) {
            Value::Array(items) => {
                words.extend(items.iter().map(|item| argument(&parameter.name, item)));
            }
            value => words.push(argument(&parameter.name, &value)),
        }
    }
    match body(definition, operation) {
        Some(Value::Object(members))
            if !members.is_empty() && members.keys().all(|name| is_name(name)) =>
        {
            words.extend(members.iter().map(|(name, value)| argument(name, value)));
        }
        Some(body) if operation.needs_body() => {
            words.push(format!("--data {}", shell_word(&body.to_string())));
        }
        None if operation.needs_body() => words.push("--data @FILE".to_owned()),
        _ => {}
    }
    words.extend(options.iter().map(|word| shell_word(word)));
    words.join(" ")
}

/// The smallest body that says something: an edit may require no field and yet want one.
fn body(definition: &Definition, operation: &Operation) -> Option<Value> {
    let body = definition.example_body(operation, Fill::Required)?;
    let is_empty = body.as_object().is_some_and(serde_json::Map::is_empty);
    if !is_empty || !operation.needs_body() {
        return Some(body);
    }
    let whole = definition.example_body(operation, Fill::All)?;
    let first = whole.as_object()?.iter().next();
    Some(first.map_or(body, |(name, value)| serde_json::json!({ name: value })))
}

/// A dot in a name would lead into an object.
fn is_name(name: &str) -> bool {
    !name.is_empty() && !name.contains(['.', '=', ':', '\\'])
}

fn argument(name: &str, value: &Value) -> String {
    match value {
        Value::String(text) if text.starts_with('@') => shell_word(&format!("{name}:={value}")),
        Value::Object(_) | Value::Array(_) | Value::Null => shell_word(&format!("{name}:={value}")),
        single => shell_word(&format!("{name}={}", plain(single))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use hallpass_openapi::{Argument, Values};
    use serde_json::json;

    /// The words of a line that [`shell_word`] wrote.
    fn split(line: &str) -> Vec<String> {
        let mut words = vec![String::new()];
        let mut quoted = false;
        let mut letters = line.chars();
        while let Some(c) = letters.next() {
            let last = words.last_mut().unwrap();
            match c {
                '\'' => quoted = !quoted,
                ' ' if !quoted => words.push(String::new()),
                '\\' if !quoted => last.extend(letters.next()),
                _ => last.push(c),
            }
        }
        words
    }

    #[test]
    fn every_operation_can_be_called_as_shown() {
        let definition = crate::definition::load(None).unwrap().definition;
        for operation in definition.operations() {
            let line = call(&definition, operation, &[]);
            let words = split(&line);
            assert_eq!(words[..3], ["hallpass", "call", operation.id()]);
            let mut no_file = |_: &str| Err("there is none".to_owned());
            let arguments = words[3..]
                .iter()
                .map(|word| Argument::parse(word, &mut no_file));
            let arguments = arguments.collect::<Result<Vec<_>, _>>().unwrap();
            if let Err(error) = definition.request(operation, &Values::new(arguments)) {
                panic!("{line}: {error}");
            }
        }
    }

    #[test]
    fn arguments_survive_the_shell() {
        assert_eq!(argument("name", &json!("it's")), r"'name=it'\''s'");
        assert_eq!(argument("size", &json!(16384)), "size=16384");
        assert_eq!(argument("ids", &json!(["a b"])), r#"'ids:=["a b"]'"#);
        assert_eq!(argument("note", &json!("@home")), r#"'note:="@home"'"#);
    }
}
