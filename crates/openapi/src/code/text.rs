//! Texts as literals and as comments.

use std::fmt::Write as _;

/// A literal in double quotes, for the languages that write `\"`, `\\`, `\n`, `\r` and `\t` like C.
/// Letters and digits of all scripts stay readable; every other sign outside ASCII is written by
/// `escaped`, since it could be invisible or change the direction of the text (CVE-2021-42574).
pub(super) fn quoted(text: &str, escaped: impl Fn(char, &mut String)) -> String {
    let mut literal = String::with_capacity(text.len() + 2);
    literal.push('"');
    for letter in text.chars() {
        match letter {
            '"' => literal.push_str("\\\""),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            '\r' => literal.push_str("\\r"),
            '\t' => literal.push_str("\\t"),
            ' '..='~' => literal.push(letter),
            _ if letter.is_alphanumeric() => literal.push(letter),
            _ => escaped(letter, &mut literal),
        }
    }
    literal.push('"');
    literal
}

/// `\uXXXX`, or `\UXXXXXXXX` where four digits are not enough.
pub(super) fn four_or_eight_digits(letter: char, literal: &mut String) {
    let number = u32::from(letter);
    let _ = match number {
        0..=0xffff => write!(literal, "\\u{number:04x}"),
        _ => write!(literal, "\\U{number:08x}"),
    };
}

/// `\u{X}`.
pub(super) fn braces(letter: char, literal: &mut String) {
    let _ = write!(literal, "\\u{{{:x}}}", u32::from(letter));
}

/// Lines of comment, each after `mark`. What could end a line or hide what follows becomes a blank.
pub(super) fn comments(mark: &str, lines: &[String]) -> String {
    let mut comments = String::new();
    for line in lines {
        let shown: String = line.chars().map(harmless).collect();
        let _ = writeln!(comments, "{}", format!("{mark} {shown}").trim_end());
    }
    comments
}

fn harmless(letter: char) -> char {
    let plain = matches!(letter, ' '..='~') || letter.is_alphanumeric();
    if plain || PUNCTUATION.contains(letter) {
        letter
    } else {
        ' '
    }
}

/// Signs outside ASCII that are common in prose.
const PUNCTUATION: &str = "–—‘’“”…·×";

/// One value as a form has it: what is no letter, digit or `-._` as the bytes of UTF-8 in hexadecimal.
/// A blank too, since more servers read `%20` than `+`.
pub(super) fn form_encoded(text: &str) -> String {
    let mut encoded = String::new();
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                encoded.push(char::from(byte));
            }
            _ => drop(write!(encoded, "%{byte:02X}")),
        }
    }
    encoded
}

/// Lines, and an empty one after them if there are any.
pub(super) fn paragraph(lines: String) -> String {
    if lines.is_empty() {
        lines
    } else {
        lines + "\n"
    }
}

/// The text with `blanks` in front of each line but the empty ones.
pub(super) fn indented(text: &str, blanks: &str) -> String {
    let line = |line: &str| {
        if line.is_empty() {
            String::from("\n")
        } else {
            format!("{blanks}{line}\n")
        }
    };
    text.lines().map(line).collect()
}

/// A line for each item.
pub(super) fn lines<T>(items: impl IntoIterator<Item = T>, line: impl Fn(T) -> String) -> String {
    let lines = items.into_iter().map(|item| line(item) + "\n");
    lines.collect::<Vec<_>>().concat()
}
