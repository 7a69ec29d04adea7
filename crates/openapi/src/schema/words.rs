//! The words of messages: fields, types and values as people say them.

use serde_json::Value;

/// How much of a text is repeated.
const MAX_SHOWN: usize = 40;

/// How many values of an `enum` are worth reading.
const MAX_CHOICES: usize = 20;

/// The place in a value as people write it: `hosts[0].name`. The value itself is called `whole`.
pub(super) fn field(pointer: &str, whole: &str) -> String {
    let mut name = String::new();
    for token in pointer.split('/').skip(1) {
        if token.bytes().all(|byte| byte.is_ascii_digit()) && !token.is_empty() {
            if name.is_empty() {
                name.push_str(whole);
            }
            name = format!("{name}[{token}]");
            continue;
        }
        if !name.is_empty() {
            name.push('.');
        }
        name.push_str(&token.replace("~1", "/").replace("~0", "~"));
    }
    if name.is_empty() {
        whole.to_owned()
    } else {
        name
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

/// A type of JSON Schema as somebody who does not know JSON would say it.
pub(super) fn kind(word: &str) -> &'static str {
    match word {
        "array" => "a list",
        "boolean" => "true or false",
        "integer" => "a whole number",
        "null" => "null",
        "number" => "a number",
        "object" => "an object",
        _ => "text",
    }
}

/// `a`, `a or b`, `a, b or c`.
pub(super) fn either(words: &[&str]) -> String {
    joined(words, "or")
}

/// `a`, `a and b`, `a, b and c`.
pub(super) fn both(words: &[&str]) -> String {
    joined(words, "and")
}

fn joined(words: &[&str], last: &str) -> String {
    match words {
        [] => String::new(),
        [only] => (*only).to_owned(),
        [init @ .., end] => format!("{} {last} {end}", init.join(", ")),
    }
}

/// A value that was given where free text cannot be meant.
pub(super) fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => {
            let cut: String = text.chars().take(MAX_SHOWN).collect();
            let dots = if cut.len() < text.len() { "…" } else { "" };
            format!("{}{dots}", Value::String(cut))
        }
        other => what(other),
    }
}

/// A value that may be a secret if it is text.
pub(super) fn what(value: &Value) -> String {
    match value {
        Value::Object(_) => "an object".to_owned(),
        Value::Array(_) => "a list".to_owned(),
        Value::String(_) => "text".to_owned(),
        plain => plain.to_string(),
    }
}

/// The values of an `enum`.
pub(super) fn choices(options: &Value) -> String {
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
    match options {
        [_] => listed.concat(),
        _ => format!("one of {}{more}", listed.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_written_as_people_do() {
        assert_eq!(field("", "the body"), "the body");
        assert_eq!(field("/a~1b/0/c", "the body"), "a/b[0].c");
        assert_eq!(field("/1", "ids"), "ids[1]");
    }

    #[test]
    fn long_values_are_cut() {
        let many: Vec<u32> = (0..25).collect();
        assert!(choices(&json!(many)).ends_with("18, 19 or one of 5 more"));
        assert_eq!(choices(&json!(["a"])), "\"a\"");
        assert_eq!(shown(&json!("ä".repeat(41))).chars().count(), 43);
        assert_eq!(shown(&json!("a\"b")), "\"a\\\"b\"");
    }

    #[test]
    fn lists_of_words_end_in_a_word() {
        assert_eq!(either(&["a"]), "a");
        assert_eq!(both(&["a", "b", "c"]), "a, b and c");
    }
}
