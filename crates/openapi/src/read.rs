//! Text (JSON or YAML) to values with positions.
//!
//! JSON is read as the part of YAML that it is, by one reader, so that every node has a position
//! and a key written twice is an error in both. Numbers of 64 bits stay exact. This module does
//! not know what the values mean, except for telling an OpenAPI 3 document from anything else.

use std::fmt::Write as _;

use saphyr::{LoadableYamlNode, MarkedYaml, Scalar, ScanError, YamlData};
use serde_json::{Map, Number, Value};
use thiserror::Error;

use crate::document::{Document, Place};
use crate::problem::Position;

/// How deep values may be nested. The deepest real definitions need about forty.
const MAX_DEPTH: usize = 200;

/// How far a line may be indented. The reader's own structures are as deep as the indentation and
/// are freed by recursion, so this protects the stack before [`MAX_DEPTH`] can.
const MAX_INDENTATION: usize = 500;

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

/// Reads the text of an OpenAPI 3 document.
pub(crate) fn read(text: &str) -> Result<Document, ReadError> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let json = text.trim_start().starts_with('{');
    refuse_deep_indentation(text)?;
    let rewritten = if json { rewrite_surrogates(text) } else { None };
    let source = rewritten.as_deref().unwrap_or(text);

    let mut documents =
        MarkedYaml::load_from_str(source).map_err(|error| syntax_error(&error, json))?;
    if documents.len() > 1 {
        let position = position_of(&documents[1]);
        return Err(refusal(
            position,
            "the file holds more than one YAML document",
            Some("keep one definition per file"),
        ));
    }
    let Some(node) = documents.pop() else {
        return Err(refusal(START, "the file is empty", Some(EXPECTED)));
    };
    let mut converter = Converter {
        source,
        lines: None,
    };
    let (value, place) = converter.convert(&node, 0)?;
    refuse_other_documents(&value, &place)?;
    Ok(Document::new(value, place))
}

const START: Position = Position { line: 1, column: 1 };
const EXPECTED: &str = "expected an OpenAPI 3.0 or 3.1 document in JSON or YAML";

fn refusal(position: Position, message: impl Into<String>, hint: Option<&str>) -> ReadError {
    ReadError {
        line: position.line,
        column: position.column,
        message: message.into(),
        hint: hint.map(str::to_owned),
    }
}

fn syntax_error(error: &ScanError, json: bool) -> ReadError {
    let position = Position {
        line: error.marker().line().max(1),
        column: error.marker().col() + 1,
    };
    let message = error.info();
    if message.contains("duplicated key") {
        return refusal(
            position,
            "this key is written twice in the same object",
            Some("remove or rename one of the two: only one of them could be kept"),
        );
    }
    let hint = if json {
        "the text starts like JSON: look for a missing comma, quote or bracket just before this place"
    } else {
        "look at the indentation, and for a missing colon or quote, at or just before this place"
    };
    refusal(position, message, Some(hint))
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

/// JSON writes characters beyond U+FFFF as two escapes (RFC 8259 section 7), which YAML forbids;
/// YAML has its own escape for them. Nodes on the same line after the pair move two columns.
fn rewrite_surrogates(text: &str) -> Option<String> {
    let mut rewritten = String::new();
    let mut copied = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        let start = at + found;
        let Some(pair) = surrogate_pair(&text[start..]) else {
            // Skip the escaped character too: it may be a backslash itself.
            let escaped = text[start + 1..].chars().next().map_or(0, char::len_utf8);
            at = start + 1 + escaped;
            continue;
        };
        rewritten.push_str(&text[copied..start]);
        // Writing to a String cannot fail.
        let _ = write!(rewritten, "\\U{:08X}", u32::from(pair));
        at = start + 12;
        copied = at;
    }
    if copied == 0 {
        return None;
    }
    rewritten.push_str(&text[copied..]);
    Some(rewritten)
}

fn surrogate_pair(text: &str) -> Option<char> {
    let unit = |at: usize| {
        let digits = text.get(at..at + 6)?.strip_prefix("\\u")?;
        digits
            .bytes()
            .all(|byte| byte.is_ascii_hexdigit())
            .then_some(())?;
        u16::from_str_radix(digits, 16).ok()
    };
    let high = unit(0).filter(|unit| (0xD800..0xDC00).contains(unit))?;
    char::decode_utf16([high, unit(6)?]).next()?.ok()
}

fn refuse_other_documents(value: &Value, place: &Place) -> Result<(), ReadError> {
    let Some(object) = value.as_object() else {
        let found = match value {
            Value::Array(_) => "a list",
            Value::Null => "nothing",
            _ => "a single value",
        };
        return Err(refusal(
            place.position(),
            format!("the document is {found}, not an object"),
            Some(EXPECTED),
        ));
    };
    let at = |key: &str| place.member(object, key).map_or(START, Place::position);
    if let Some(version) = object.get("swagger") {
        let message = format!(
            "this is a Swagger {} document, not OpenAPI 3",
            plain(version)
        );
        let hint =
            "convert it to OpenAPI 3 first, for example with swagger2openapi or the Swagger editor";
        return Err(refusal(at("swagger"), message, Some(hint)));
    }
    let Some(version) = object.get("openapi") else {
        let message = "there is no `openapi` member that says which version this is";
        return Err(refusal(START, message, Some(EXPECTED)));
    };
    let written = plain(version);
    if !["3.0", "3.1"].iter().any(|known| {
        written
            .strip_prefix(known)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    }) {
        let message = format!("OpenAPI version {written} is not supported");
        return Err(refusal(at("openapi"), message, Some(EXPECTED)));
    }
    Ok(())
}

/// A scalar as its author would say it: YAML makes a number of an unquoted `1.0`.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn position_of(node: &MarkedYaml<'_>) -> Position {
    Position {
        line: node.span.start.line().max(1),
        column: node.span.start.col() + 1,
    }
}

/// Turns the reader's nodes into values and their places.
struct Converter<'a> {
    source: &'a str,
    /// Made on first use: only odd numbers and odd keys need the source.
    lines: Option<Vec<&'a str>>,
}

impl<'a> Converter<'a> {
    fn convert(
        &mut self,
        node: &MarkedYaml<'_>,
        depth: usize,
    ) -> Result<(Value, Place), ReadError> {
        let position = position_of(node);
        if depth > MAX_DEPTH {
            return Err(too_deep(position));
        }
        match &node.data {
            YamlData::Mapping(members) => {
                let mut object = Map::with_capacity(members.len());
                let mut places = Vec::with_capacity(members.len());
                for (key, member) in members {
                    let name = self.key(key)?;
                    let (value, place) = self.convert(member, depth + 1)?;
                    if object.insert(name, value).is_some() {
                        // `1` and `"1"` are two keys in YAML and one in JSON.
                        let message = "this key is written twice in the same object";
                        return Err(refusal(position_of(key), message, None));
                    }
                    places.push(place.at(position_of(key)));
                }
                Ok((Value::Object(object), Place::new(position, places)))
            }
            YamlData::Sequence(items) => {
                let mut array = Vec::with_capacity(items.len());
                let mut places = Vec::with_capacity(items.len());
                for item in items {
                    let (value, place) = self.convert(item, depth + 1)?;
                    array.push(value);
                    places.push(place);
                }
                Ok((Value::Array(array), Place::new(position, places)))
            }
            YamlData::Tagged(_, inner) => self.convert(inner, depth + 1),
            YamlData::Value(scalar) => {
                Ok((self.scalar(scalar, node), Place::new(position, Vec::new())))
            }
            YamlData::Representation(text, ..) => Ok((
                Value::String(text.to_string()),
                Place::new(position, Vec::new()),
            )),
            YamlData::BadValue | YamlData::Alias(_) => Err(refusal(
                position,
                "this value does not fit its tag, or refers to an anchor that does not exist",
                Some("write the value out"),
            )),
        }
    }

    fn key(&mut self, node: &MarkedYaml<'_>) -> Result<String, ReadError> {
        match &node.data {
            YamlData::Value(Scalar::String(text)) => Ok(text.to_string()),
            YamlData::Value(Scalar::Boolean(flag)) => Ok(flag.to_string()),
            YamlData::Value(Scalar::Integer(number)) => Ok(self
                .written(node)
                .map_or_else(|| number.to_string(), str::to_owned)),
            YamlData::Value(_) => Ok(self.written(node).unwrap_or_default().to_owned()),
            _ => Err(refusal(
                position_of(node),
                "a key must be text",
                Some("lists and objects as keys exist in YAML but not in OpenAPI"),
            )),
        }
    }

    fn scalar(&mut self, scalar: &Scalar<'_>, node: &MarkedYaml<'_>) -> Value {
        match scalar {
            Scalar::Null => Value::Null,
            Scalar::Boolean(flag) => Value::Bool(*flag),
            Scalar::Integer(number) => Value::Number((*number).into()),
            Scalar::String(text) => Value::String(text.to_string()),
            Scalar::FloatingPoint(number) => self.floating_point(number.into_inner(), node),
        }
    }

    /// The reader makes floating point numbers of integers from 2^63 on; what is written decides.
    fn floating_point(&mut self, number: f64, node: &MarkedYaml<'_>) -> Value {
        let written = self.written(node);
        if let Some(exact) = written.and_then(|text| text.parse::<u64>().ok()) {
            return Value::Number(exact.into());
        }
        // Infinity and NaN exist in YAML only.
        Number::from_f64(number).map_or_else(
            || Value::String(written.unwrap_or_default().to_owned()),
            Value::Number,
        )
    }

    fn written(&mut self, node: &MarkedYaml<'_>) -> Option<&'a str> {
        let source = self.source;
        let lines = self.lines.get_or_insert_with(|| source.lines().collect());
        let (start, end) = (node.span.start, node.span.end);
        let line = lines.get(start.line().checked_sub(1)?)?;
        let byte = |column: usize| {
            line.char_indices()
                .map(|(at, _)| at)
                .chain([line.len()])
                .nth(column)
        };
        let length = end.index().checked_sub(start.index())?;
        Some(
            line.get(byte(start.col())?..byte(start.col() + length)?)?
                .trim_end(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn error(text: &str) -> ReadError {
        read(text).unwrap_err()
    }

    fn value(members: &str) -> Value {
        read(&format!("openapi: 3.1.0\n{members}"))
            .unwrap()
            .value()
            .clone()
    }

    #[test]
    fn json_and_yaml_give_the_same_value() {
        let json = read("{\"openapi\": \"3.0.3\", \"x\": [1, -2, 1.5, true, null, \"a\\/b\"]}");
        let yaml =
            read("openapi: 3.0.3\nx:\n  - 1\n  - -2\n  - 1.5\n  - true\n  - null\n  - a/b\n");
        assert_eq!(json.unwrap().value(), yaml.unwrap().value());
    }

    #[test]
    fn numbers_of_64_bits_are_exact() {
        let read =
            value("a: 18446744073709551615\nb: -9223372036854775808\nc: [9223372036854775808]");
        assert_eq!(read["a"], json!(u64::MAX));
        assert_eq!(read["b"], json!(i64::MIN));
        assert_eq!(read["c"], json!([9_223_372_036_854_775_808_u64]));
        // The place of the number counts in characters, not bytes.
        let umlaut = read_json("{\"openapi\":\"3.0.0\",\"ä😀\":18446744073709551615}");
        assert_eq!(umlaut["ä😀"], json!(u64::MAX));
    }

    fn read_json(text: &str) -> Value {
        let read = read(text).unwrap();
        assert_eq!(*read.value(), serde_json::from_str::<Value>(text).unwrap());
        read.value().clone()
    }

    #[test]
    fn json_escapes_beyond_the_first_plane_are_read() {
        let read = read_json(
            r#"{"openapi":"3.0.0","a":"x\ud83d\ude00y\\ud83d\\ude00\ud83d\ude01","b":18446744073709551615}"#,
        );
        assert_eq!(read["a"], "x😀y\\ud83d\\ude00😁");
        assert_eq!(rewrite_surrogates(r"\\ud83d\ude00"), None);
        assert_eq!(rewrite_surrogates(r"\ud83d \ude00"), None);
    }

    #[test]
    fn keys_and_scalars_of_yaml_are_what_is_written() {
        let read = value("responses: { 200: a, 007: b, 1.0: c, true: d, ~: e }\nf: .inf\ng: 0x10");
        let keys: Vec<&String> = read["responses"].as_object().unwrap().keys().collect();
        assert_eq!(keys, ["200", "007", "1.0", "true", "~"]);
        assert_eq!(read["f"], ".inf");
        assert_eq!(read["g"], 16);
    }

    #[test]
    fn places_are_those_of_keys_and_items() {
        let read =
            read("openapi: 3.0.0\npaths:\n  /a/b~c:\n    get:\n      tags: [x, y]\n").unwrap();
        let at = |pointer: &str| {
            let position = read.position(pointer);
            (position.line, position.column)
        };
        assert_eq!(at(""), (1, 1));
        assert_eq!(at("/paths/~1a~1b~0c/get"), (4, 5));
        assert_eq!(at("/paths/~1a~1b~0c/get/tags/1"), (5, 17));
        assert_eq!(
            at("/paths/~1a~1b~0c/put/tags"),
            (3, 3),
            "the nearest that exists"
        );
    }

    #[test]
    fn a_syntax_error_says_where() {
        let json = error(
            "{\n  \"openapi\": \"3.0.0\",\n  \"info\": {\n    \"title\": \"a\" \"b\"\n  }\n}",
        );
        assert_eq!(json.line, 4);
        assert!(json.hint.unwrap().contains("JSON"));
        let yaml = error("openapi: 3.0.0\ninfo:\n  title: a: b\n");
        assert_eq!((yaml.line, yaml.column), (3, 11));
        assert!(yaml.hint.unwrap().contains("indentation"));
    }

    #[test]
    fn a_key_written_twice_is_refused_in_both() {
        let json = error("{\"openapi\": \"3.0.0\",\n \"a\": 1,\n \"a\": 2}");
        assert_eq!((json.line, json.column), (3, 2));
        assert!(json.message.contains("twice"), "{json}");
        // Two keys in YAML, one in JSON.
        let yaml = error("openapi: 3.0.0\nresponses:\n  200: a\n  '200': b\n");
        assert_eq!((yaml.line, yaml.column), (4, 3));
    }

    #[test]
    fn what_is_no_openapi_3_says_what_it_is() {
        let swagger = error("info: {}\nswagger: '2.0'\n");
        assert_eq!((swagger.line, swagger.column), (2, 1));
        assert!(swagger.message.contains("Swagger 2.0"));
        assert!(swagger.hint.unwrap().contains("convert"));
        assert!(error("openapi: 4.0.0").message.contains("4.0.0"));
        assert!(error("openapi: 3.01").message.contains("3.01"));
        assert!(error("{}").message.contains("`openapi`"));
        assert!(error("[1]").message.contains("a list"));
        assert!(error("").message.contains("empty"));
        assert!(
            error("openapi: 3.0.0\n---\nopenapi: 3.0.0\n")
                .message
                .contains("more than one")
        );
        assert!(read("\u{feff}openapi: 3.1.0").is_ok());
    }

    #[test]
    fn deep_nesting_is_an_error_and_no_crash() {
        let flow = format!("openapi: 3.0.0\na: {}{}", "[".repeat(250), "]".repeat(250));
        assert!(
            error(&flow).message.contains("nested"),
            "{:?}",
            error(&flow)
        );
        let brackets = format!("{{\"openapi\":{}", "[".repeat(100_000));
        assert!(read(&brackets).is_err());
        let block = format!("openapi: 3.0.0\na:\n {}x", "- ".repeat(100_000));
        assert!(error(&block).message.contains("nested"));
        let mut indented = String::new();
        for depth in 0..2_000 {
            let _ = writeln!(indented, "{}a:", " ".repeat(depth));
        }
        assert!(error(&indented).message.contains("nested"));
    }

    #[test]
    fn aliases_cannot_blow_up() {
        let mut bomb = "openapi: 3.0.0\na0: &a0 [x]\n".to_owned();
        for level in 1..30 {
            let _ = writeln!(bomb, "a{level}: &a{level} [*a{0}, *a{0}]", level - 1);
        }
        assert!(read(&bomb).is_err());
        assert_eq!(value("a: &x {b: 1}\nc: *x")["c"], json!({"b": 1}));
    }
}
