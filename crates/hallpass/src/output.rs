//! The only place that writes to the terminal: data on stdout, words on stderr.

use std::io::{ErrorKind, IsTerminal as _, Write as _};

use crate::command::{CommandError, Exit};

/// Data: what a script reads.
pub(crate) fn data(text: &str) -> Result<(), CommandError> {
    bytes(format!("{text}\n").as_bytes())
}

/// Data as it came, without a line end of our own. A reader that went away (`| head`) is no error;
/// data that was lost otherwise is one: it may have been a secret that is shown once.
pub(crate) fn bytes(bytes: &[u8]) -> Result<(), CommandError> {
    let mut out = std::io::stdout().lock();
    match out.write_all(bytes).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(CommandError::caused(
            Exit::Refused,
            "the answer could not be written to standard output",
            &error,
        )),
        _ => Ok(()),
    }
}

/// Words: what a person reads.
pub(crate) fn words(text: &str) {
    let _ = writeln!(std::io::stderr().lock(), "{text}");
}

/// A word as a shell takes it, for a line that is to be copied.
pub(crate) fn shell_word(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

/// Asks a question that is answered with yes or no; no answer is a no. `None` where nobody can be
/// asked.
pub(crate) fn ask(question: &str) -> Option<bool> {
    if !std::io::stdin().is_terminal() || !std::io::stderr().is_terminal() {
        return None;
    }
    let _ = write!(std::io::stderr().lock(), "{question} ");
    let mut answer = String::new();
    // What cannot be read is no yes.
    let _ = std::io::stdin().read_line(&mut answer);
    Some(is_yes(&answer))
}

fn is_yes(answer: &str) -> bool {
    let answer = answer.trim();
    ["y", "yes"]
        .iter()
        .any(|yes| answer.eq_ignore_ascii_case(yes))
}

/// Whether words may be coloured (<https://no-color.org>).
pub(crate) fn colour_on_stderr() -> bool {
    std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// Whether data may be coloured.
pub(crate) fn colour_on_stdout() -> bool {
    std::io::stdout().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|v| v.is_empty())
}

/// How many letters fit into a line of the terminal that data goes to; `None` when it goes elsewhere.
pub(crate) fn terminal_width() -> Option<usize> {
    let (width, _) = terminal_size::terminal_size_of(std::io::stdout())?;
    // A terminal that does not know its size says 0.
    (width.0 > 0).then_some(width.0.into())
}

/// A value for people: `name: value` lines for an object, a table for a list of objects.
pub(crate) fn readable(value: &serde_json::Value) -> String {
    use serde_json::Value;
    match value {
        Value::Object(members) => match members.get("items") {
            Some(Value::Array(items)) => table(items),
            _ => lines(members),
        },
        Value::Array(items) => table(items),
        other => cell(other),
    }
}

fn lines(members: &serde_json::Map<String, serde_json::Value>) -> String {
    let width = members
        .keys()
        .map(|name| name.chars().count())
        .max()
        .unwrap_or_default();
    let line = |(name, value): (&String, &serde_json::Value)| {
        format!("{name:<width$}  {}", cell(value))
            .trim_end()
            .to_owned()
    };
    members.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Columns of a table: the members that hold single values, in the order of the first item.
fn table(items: &[serde_json::Value]) -> String {
    let mut columns: Vec<&str> = Vec::new();
    for item in items {
        for (name, value) in item.as_object().into_iter().flatten() {
            if !value.is_object() && !value.is_array() && !columns.contains(&name.as_str()) {
                columns.push(name);
            }
        }
    }
    if columns.is_empty() {
        return items.iter().map(cell).collect::<Vec<_>>().join("\n");
    }
    let mut table = comfy_table::Table::new();
    table.load_style(comfy_table::presets::NOTHING);
    table.set_header(&columns);
    for item in items {
        table.add_row(
            columns
                .iter()
                .map(|name| item.get(name).map_or_else(String::new, cell)),
        );
    }
    // Nothing before the first column, so that `cut` and `awk` find it where it is seen.
    for column in table.column_iter_mut() {
        column.set_padding((0, 2));
    }
    table
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

fn cell(value: &serde_json::Value) -> String {
    let text = match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    };
    printable(&text)
}

/// Text from outside may hold control characters that would drive the terminal.
pub(crate) fn printable(text: &str) -> String {
    text.chars()
        .flat_map(|c| {
            if c.is_control() {
                c.escape_default().collect()
            } else {
                vec![c]
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_become_tables_and_objects_lines() {
        let list =
            json!({"items": [{"id": "a", "size": 1, "links": []}, {"id": "bb", "name": "n"}]});
        let text = readable(&list);
        assert!(
            text.lines()
                .next()
                .unwrap()
                .split_whitespace()
                .eq(["id", "size", "name"]),
            "{text}"
        );
        assert_eq!(text.lines().count(), 3);
        assert!(text.lines().all(|line| !line.starts_with(' ')), "{text}");
        assert_eq!(
            readable(&json!({"id": "a", "long": true})),
            "id    a\nlong  true"
        );
    }

    #[test]
    fn only_a_yes_is_a_yes() {
        assert!(is_yes("y\n") && is_yes(" Yes \n"));
        assert!(!is_yes("") && !is_yes("\n") && !is_yes("n\n") && !is_yes("yesterday\n"));
    }

    #[test]
    fn text_from_outside_cannot_drive_the_terminal() {
        assert_eq!(printable("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\\n");
    }
}
