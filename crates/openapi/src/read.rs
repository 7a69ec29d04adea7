//! Text (JSON or YAML) to values with positions.
//!
//! JSON has a reader of its own, strict and quick; YAML comes from a parser's events. Both give the
//! same: a value, the place of every part of it, and what was flawed but could be read. This module
//! does not know what the values mean, except for telling an OpenAPI 3 document from anything else.

mod json;
mod number;
mod scalar;
mod yaml;

use serde_json::Value;
use thiserror::Error;

use crate::document::join;
use crate::places::{Node, Places};
use crate::problem::{Position, Problem, Severity};

/// How deep values may be nested. The deepest real definitions need about forty.
const MAX_DEPTH: usize = 200;

/// How far a line may be indented: what the YAML parser does for each step of indentation must not
/// add up before [`MAX_DEPTH`] can end it.
const MAX_INDENTATION: usize = 500;

/// More flaws than this are not told one by one.
const MAX_FLAWS: usize = 1_000;

/// A text that is no OpenAPI 3 document.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}, column {column}: {message}")]
pub struct ReadError {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it, where there is something to say.
    pub hint: Option<String>,
}

/// A text as values.
#[derive(Debug, Default)]
pub(crate) struct Parsed {
    pub(crate) value: Value,
    pub(crate) places: Places,
    flaws: Vec<Flaw>,
}

/// What is wrong in a text that could be read all the same.
#[derive(Debug)]
struct Flaw {
    severity: Severity,
    rule: &'static str,
    /// The value it belongs to.
    node: Node,
    /// The member of that value.
    name: Option<String>,
    position: Position,
    message: String,
    advice: &'static str,
}

impl Parsed {
    /// The scalar at `pointer` as it is written, without quotes.
    pub(crate) fn text(&self, pointer: &str) -> Option<String> {
        let value = self.value.pointer(pointer)?;
        let node = self.places.find(&self.value, pointer);
        let written = self.places.written(node).map(str::to_owned);
        Some(written.unwrap_or_else(|| plain(value)))
    }

    /// The flaws as problems. `part` is where the text comes from, if it is not the main document.
    pub(crate) fn problems(&self, part: Option<&str>) -> Vec<Problem> {
        let problem = |flaw: &Flaw| {
            let pointer = self.places.pointer(&self.value, flaw.node);
            Problem {
                severity: flaw.severity,
                part: part.map(str::to_owned),
                pointer: match &flaw.name {
                    Some(name) => join(&pointer, name),
                    None => pointer,
                },
                line: flaw.position.line,
                column: flaw.position.column,
                message: flaw.message.clone(),
                advice: flaw.advice.to_owned(),
                rule: flaw.rule,
            }
        };
        self.flaws.iter().map(problem).collect()
    }
}

impl Flaw {
    fn twice(object: Node, name: String, position: Position) -> Self {
        Self {
            severity: Severity::Error,
            rule: "key-twice",
            node: object,
            message: format!("`{name}` is written twice in the same object; this one is left out"),
            name: Some(name),
            position,
            advice: "remove or rename one of the two: other programs take the other one",
        }
    }

    /// Moves the flaws of values that are dropped, from `first` on, to the object around them.
    fn forget(flaws: &mut [Flaw], first: Node, object: Node) {
        for flaw in flaws
            .iter_mut()
            .rev()
            .take_while(|flaw| flaw.node >= object)
        {
            if flaw.node >= first {
                flaw.node = object;
                flaw.name = None;
            }
        }
    }
}

fn too_many_flaws(flaws: &[Flaw], position: Position) -> Result<(), ReadError> {
    if flaws.len() <= MAX_FLAWS {
        return Ok(());
    }
    let message = format!("more than {MAX_FLAWS} keys are written twice or are no text");
    let hint = "this looks like no definition; check how the file was made";
    Err(refusal(position, message, Some(hint)))
}

/// Reads the text of an OpenAPI 3 document.
pub(crate) fn read(text: &str) -> Result<Parsed, ReadError> {
    let mut parsed = parse(text)?;
    refuse_other_documents(&parsed)?;
    let version = parsed.text("/openapi").unwrap_or_default();
    if version.starts_with(NEWEST) {
        let node = parsed.places.find(&parsed.value, "/openapi");
        parsed.flaws.push(Flaw {
            severity: Severity::Note,
            rule: "openapi-3-2",
            node,
            name: None,
            position: parsed.places.position(node),
            message: format!("OpenAPI {version} is read as if it were 3.1"),
            advice: "what 3.2 added is passed over: the method QUERY and `additionalOperations`, \
                     parameters in `querystring`, `itemSchema` and `$self`",
        });
    }
    Ok(parsed)
}

/// Reads JSON or YAML of any content, told apart by how it begins.
pub(crate) fn parse(text: &str) -> Result<Parsed, ReadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if let Some(at) = text.find('\0') {
        return Err(refusal(
            position_in(text, at),
            "there is a NUL character, so this is no text",
            Some("check that the file is text in UTF-8"),
        ));
    }
    let begins = text.trim_start();
    if !begins.starts_with(['{', '[']) {
        return yaml::parse(text);
    }
    let error = match json::parse(text) {
        Ok(parsed) => return Ok(parsed),
        Err(error) => error,
    };
    // Most JSON with a mistake in it is no YAML either; what is may have been meant as YAML.
    let Ok(mut parsed) = yaml::parse(text) else {
        return Err(error);
    };
    let meant_as_json = begins[1..]
        .trim_start()
        .starts_with(['"', '{', '[', '}', ']']);
    if meant_as_json {
        parsed.flaws.push(Flaw {
            severity: Severity::Error,
            rule: "json-invalid",
            node: 0,
            name: None,
            position: Position {
                line: error.line,
                column: error.column,
            },
            message: format!("this is no JSON: {}; it is read as YAML", error.message),
            advice: "correct it, or other programs refuse the file",
        });
    }
    Ok(parsed)
}

/// The text in a file's bytes, which must be UTF-8 (RFC 8259 section 8.1).
pub(crate) fn decode(bytes: &[u8]) -> Result<&str, ReadError> {
    const HINT: &str = "save it as UTF-8";
    let utf_16 = match bytes {
        [0xFE, 0xFF, ..] | [0xFF, 0xFE, ..] => true,
        [first, second, ..] => (*first == 0) != (*second == 0),
        _ => false,
    };
    if utf_16 {
        return Err(refusal(
            Position::START,
            "the file is UTF-16, not UTF-8",
            Some(HINT),
        ));
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => Ok(text),
        Err(error) => {
            let valid = String::from_utf8_lossy(&bytes[..error.valid_up_to()]);
            let position = position_in(&valid, valid.len());
            Err(refusal(
                position,
                "the file is not UTF-8 from here on",
                Some(HINT),
            ))
        }
    }
}

/// The place of a byte of a text.
fn position_in(text: &str, at: usize) -> Position {
    let before = &text[..at];
    let lines = before.replace("\r\n", "\n").replace('\r', "\n");
    let last = lines.rsplit('\n').next().unwrap_or_default();
    Position {
        line: lines.matches('\n').count() + 1,
        column: last.chars().count() + 1,
    }
}

impl Position {
    pub(crate) const START: Self = Self { line: 1, column: 1 };
}

/// The versions that are read; the newest as far as it is like the one before it.
const VERSIONS: [&str; 3] = ["3.0", "3.1", NEWEST];
const NEWEST: &str = "3.2";

const EXPECTED: &str = "expected an OpenAPI 3.0 or 3.1 document in JSON or YAML";

fn refusal(position: Position, message: impl Into<String>, hint: Option<&str>) -> ReadError {
    ReadError {
        line: position.line,
        column: position.column,
        message: message.into(),
        hint: hint.map(str::to_owned),
    }
}

fn refuse_deep_indentation(text: &str) -> Result<(), ReadError> {
    for (index, line) in text.lines().enumerate() {
        let indentation = line
            .bytes()
            .take_while(|byte| matches!(byte, b' ' | b'\t' | b'-' | b'?' | b':'))
            .count();
        // A line of blanks or a ruler of dashes nests nothing.
        let nests = indentation < line.len() || line.contains("- -") || line.contains("? ?");
        if indentation > MAX_INDENTATION && nests {
            return Err(too_deep(Position {
                line: index + 1,
                column: MAX_INDENTATION + 1,
            }));
        }
    }
    Ok(())
}

fn too_deep(position: Position) -> ReadError {
    refusal(
        position,
        format!("values are nested deeper than {MAX_DEPTH} levels"),
        Some("no API definition needs this; check how the file was made"),
    )
}

fn refuse_other_documents(parsed: &Parsed) -> Result<(), ReadError> {
    let at = |pointer: &str| {
        let node = parsed.places.find(&parsed.value, pointer);
        parsed.places.position(node)
    };
    let Some(object) = parsed.value.as_object() else {
        let found = match parsed.value {
            Value::Array(_) => "a list",
            Value::Null => "nothing",
            _ => "a single value",
        };
        let message = format!("the document is {found}, not an object");
        return Err(refusal(at(""), message, Some(EXPECTED)));
    };
    if let Some(version) = object.get("swagger") {
        let message = format!(
            "this is a Swagger {} document, not OpenAPI 3",
            plain(version)
        );
        let hint =
            "convert it to OpenAPI 3 first, for example with swagger2openapi or the Swagger editor";
        return Err(refusal(at("/swagger"), message, Some(hint)));
    }
    if !object.contains_key("openapi") {
        let message = "there is no `openapi` member that says which version this is";
        return Err(refusal(Position::START, message, Some(EXPECTED)));
    }
    let written = parsed.text("/openapi").unwrap_or_default();
    let is_known = |known: &&str| {
        let rest = written.strip_prefix(*known);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    if !VERSIONS.iter().any(is_known) {
        let message = format!("OpenAPI version {written} is not supported");
        return Err(refusal(at("/openapi"), message, Some(EXPECTED)));
    }
    Ok(())
}

/// A scalar as its author would say it: YAML makes a number of an unquoted `1.0`. A number that the
/// value does not say as it is written is in [`Parsed::text`].
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod properties;
#[cfg(test)]
mod tests;
