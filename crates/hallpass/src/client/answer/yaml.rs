//! YAML that every reader takes for the same value, whether it knows YAML 1.1 or 1.2.
//!
//! The two differ in what a bare word means (`yes`, `012`, `1e3`, `2020-01-01`), so a bare string is
//! one that neither takes for anything else, and an exponent is written so that both take it for a
//! number. Everything else is in double quotes.

use std::fmt::Write as _;
use std::io::{self, Write};

use super::text::{Json, Quoted};

/// Writes a value as a document without a mark at its beginning.
pub(super) fn write(out: &mut dyn Write, value: &Json<'_>) -> io::Result<()> {
    block(out, value, 0, At::Beginning)?;
    Ok(())
}

/// Writes a value as an item of a list that stands at the left edge.
pub(super) fn write_item(out: &mut dyn Write, value: &Json<'_>) -> io::Result<()> {
    out.write_all(b"-")?;
    block(out, value, 1, At::AfterDash)
}

/// What stands before a value on its line.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    Beginning,
    AfterDash,
    AfterName,
}

fn block(out: &mut dyn Write, value: &Json<'_>, depth: usize, at: At) -> io::Result<()> {
    match value {
        Json::List(items) if !items.is_empty() => {
            // The items of a list that is a member stand at the member's own depth.
            let depth = if at == At::AfterName {
                depth - 1
            } else {
                depth
            };
            for (number, item) in items.iter().enumerate() {
                before(out, depth, at, number == 0)?;
                out.write_all(b"-")?;
                block(out, item, depth + 1, At::AfterDash)?;
            }
            Ok(())
        }
        Json::Object(members) if !members.is_empty() => {
            for (number, (name, value)) in value.members().enumerate() {
                before(out, depth, at, number == 0)?;
                member(out, name, value, depth)?;
            }
            Ok(())
        }
        single => {
            let space = if at == At::Beginning { "" } else { " " };
            writeln!(out, "{space}{}", scalar(single))
        }
    }
}

/// Brings a line to where an item or a member begins.
fn before(out: &mut dyn Write, depth: usize, at: At, first: bool) -> io::Result<()> {
    match (at, first) {
        (At::AfterDash, true) => return out.write_all(b" "),
        (At::AfterName, true) => out.write_all(b"\n")?,
        _ => {}
    }
    write!(out, "{:width$}", "", width = depth * 2)
}

fn member(out: &mut dyn Write, name: Quoted<'_>, value: &Json<'_>, depth: usize) -> io::Result<()> {
    let name = string(&name.decoded());
    if name.chars().count() > LONGEST_NAME {
        write!(out, "? {name}\n{:width$}", "", width = depth * 2)?;
    } else {
        out.write_all(name.as_bytes())?;
    }
    out.write_all(b":")?;
    block(out, value, depth + 1, At::AfterName)
}

fn scalar(value: &Json<'_>) -> String {
    match value {
        Json::Text(text) => string(&text.decoded()),
        Json::Number(text) => number(text),
        // `[]`, `{}`, `true`, `null` are YAML as they are.
        other => other.to_string(),
    }
}

/// YAML 1.1 takes an exponent only with a point before it and a sign in it.
fn number(text: &str) -> String {
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else {
        return text.to_owned();
    };
    let point = if digits.contains('.') { "" } else { ".0" };
    let sign = if exponent.starts_with(['+', '-']) {
        ""
    } else {
        "+"
    };
    format!("{digits}{point}e{sign}{exponent}")
}

fn string(text: &str) -> String {
    if is_plain(text) {
        return text.to_owned();
    }
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for c in text.chars() {
        match c {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            _ if !is_printable(c) => {
                let code = u32::from(c);
                // Writing to a string does not fail.
                let _ = if code <= 0xff {
                    write!(quoted, "\\x{code:02x}")
                } else if code <= 0xffff {
                    write!(quoted, "\\u{code:04x}")
                } else {
                    write!(quoted, "\\U{code:08x}")
                };
            }
            _ => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// What YAML allows unescaped (YAML 1.2.2 section 5.1), without line breaks of any version and what
/// turns the direction of writing.
fn is_printable(c: char) -> bool {
    matches!(c,
        '\u{20}'..='\u{7e}' | '\u{a0}'..='\u{200d}' | '\u{2010}'..='\u{2027}' | '\u{202f}'..='\u{2065}'
        | '\u{206a}'..='\u{d7ff}' | '\u{e000}'..='\u{fefe}' | '\u{ff00}'..='\u{fffd}'
        | '\u{10000}'..='\u{10ffff}')
}

/// Whether a string needs no quotes: words of letters, and nothing that means something else.
fn is_plain(text: &str) -> bool {
    let letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    let inside = |c: char| c.is_ascii_alphanumeric() || "_-./ ".contains(c);
    text.starts_with(letter)
        && !text.ends_with(' ')
        && text.chars().all(inside)
        && !MEANINGFUL
            .iter()
            .any(|word| text.eq_ignore_ascii_case(word))
}

/// Bare words that YAML 1.1 or 1.2 takes for something else than a string.
const MEANINGFUL: [&str; 9] = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"];

/// The longest name that may stand before a colon is 1024 characters (YAML 1.2.2 section 8.2.2).
const LONGEST_NAME: usize = 1000;

#[cfg(test)]
mod tests {
    use super::super::text::JsonText;
    use super::*;

    fn yaml(text: &str) -> String {
        let mut out = Vec::new();
        write(&mut out, &JsonText::read(text.as_bytes()).unwrap().value()).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_is_block_style() {
        assert_eq!(
            yaml(r#"{"a":{"b":[1,{"c":2,"d":[[3],[]]}],"e":{}},"f":"g h"}"#),
            "a:\n  b:\n  - 1\n  - c: 2\n    d:\n    - - 3\n    - []\n  e: {}\nf: g h\n"
        );
        assert_eq!(yaml("[]"), "[]\n");
        assert_eq!(
            yaml("[[1,2],[{\"a\":null}]]"),
            "- - 1\n  - 2\n- - a: null\n"
        );
        assert_eq!(yaml(r#"{"a":1,"a":2}"#), "a: 2\n", "the last one counts");
    }

    #[test]
    fn what_either_version_takes_for_something_else_is_quoted() {
        for text in [
            "yes",
            "No",
            "on",
            "OFF",
            "y",
            "N",
            "null",
            "Null",
            "~",
            "true",
            "FALSE",
            "",
            "1e3",
            "012",
            "0x1F",
            "1_000",
            "12:30:45",
            "2020-01-01",
            "-",
            "- a",
            "a: b",
            "a:",
            "a #b",
            "#a",
            "=",
            "<<",
            "*a",
            "&a",
            "!a",
            "@a",
            "`a",
            "%a",
            ".inf",
            "-.inf",
            ".nan",
            "a ",
            " a",
            "[a]",
            "{a}",
            "?",
            "ä",
            "a\tb",
            "a\nb",
            "\u{85}",
            "\u{2028}",
            "\u{feff}",
            "'",
            "0006b878a5a0",
            "---",
            "...",
        ] {
            let json = serde_json::to_string(text).unwrap();
            assert!(yaml(&json).starts_with('"'), "{text:?}: {}", yaml(&json));
        }
        for text in [
            "Create volume",
            "SSD_r6",
            "a/b",
            "online",
            "nullable",
            "v1.2",
        ] {
            assert_eq!(yaml(&format!("\"{text}\"")), format!("{text}\n"));
        }
    }

    #[test]
    fn numbers_keep_their_digits_and_both_versions_take_them_for_numbers() {
        for (json, written) in [
            ("18446744073709551616", "18446744073709551616"),
            ("1.10", "1.10"),
            ("-0", "-0"),
            ("1e400", "1.0e+400"),
            ("-1.5E-7", "-1.5e-7"),
            ("2E+3", "2.0e+3"),
        ] {
            assert_eq!(yaml(json), format!("{written}\n"));
        }
    }
}
