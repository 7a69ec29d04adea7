//! YAML 1.2 with the place of every value, straight from the parser's events.
//!
//! Anchors, aliases and merge keys (`<<`, which YAML 1.2 left out but authors use) are copied, within
//! a budget and no deeper than what is written out: a few lines of aliases to aliases would otherwise fill any memory.

use std::collections::HashMap;

use saphyr_parser::{Event, Marker, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::scalar;
use super::{
    EXPECTED, Flaw, MAX_DEPTH, Parsed, ReadError, position_in, refusal, refuse_deep_indentation,
    too_deep, too_many_flaws,
};
use crate::places::{Node, Places};
use crate::problem::{Position, Severity};

/// How much anchors and aliases may copy, in bytes of text with some for each value.
const MAX_COPIED: usize = 8 << 20;

/// What a value costs besides its text.
const VALUE_COST: usize = 32;

/// Reads the first document of a YAML text.
pub(super) fn parse(text: &str) -> Result<Parsed, ReadError> {
    refuse_deep_indentation(text)?;
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        places: Places::default(),
        flaws: Vec::new(),
        anchors: HashMap::new(),
        left_to_copy: MAX_COPIED,
        end: position_in(text, text.len()),
    };
    let value = reader.document()?;
    Ok(Parsed {
        value,
        places: reader.places,
        flaws: reader.flaws,
    })
}

struct Reader<'t> {
    parser: Parser<'t, StrInput<'t>>,
    places: Places,
    flaws: Vec<Flaw>,
    anchors: HashMap<usize, Anchored>,
    left_to_copy: usize,
    end: Position,
}

/// What an anchor stands for.
struct Anchored {
    value: Value,
    /// How many lists and objects are in each other in it.
    height: usize,
    places: Places,
}

impl<'t> Reader<'t> {
    fn document(&mut self) -> Result<Value, ReadError> {
        let (event, span) = loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamStart | Event::DocumentStart(_) => {}
                Event::StreamEnd => {
                    return Err(refusal(
                        Position::START,
                        "the file is empty",
                        Some(EXPECTED),
                    ));
                }
                first => break (first, span),
            }
        };
        let value = self.node(event, self.start(span), 0)?;
        loop {
            let (event, span) = self.next()?;
            match event {
                Event::StreamEnd => return Ok(value),
                Event::DocumentStart(_) => {
                    self.flaws.push(Flaw {
                        severity: Severity::Error,
                        rule: "several-documents",
                        node: 0,
                        name: None,
                        position: self.start(span),
                        message:
                            "the file holds more than one YAML document; only the first is read"
                                .to_owned(),
                        advice: "keep one definition per file",
                    });
                    return Ok(value);
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, Span), ReadError> {
        match self.parser.next_event() {
            Some(Ok(next)) => Ok(next),
            Some(Err(error)) => Err(self.syntax_error(&error)),
            None => Ok((Event::StreamEnd, Span::default())),
        }
    }

    /// Reads the value that begins with `event`; its place is `position`.
    fn node(
        &mut self,
        event: Event<'t>,
        position: Position,
        depth: usize,
    ) -> Result<Value, ReadError> {
        let node = self.places.next();
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, tag) => {
                (self.scalar(&text, style, tag.as_deref(), position), anchor)
            }
            Event::SequenceStart(..) | Event::MappingStart(..) if depth == MAX_DEPTH => {
                return Err(too_deep(position));
            }
            Event::SequenceStart(anchor, _) => (self.sequence(position, depth + 1)?, anchor),
            Event::MappingStart(anchor, _) => (self.mapping(position, depth + 1)?, anchor),
            Event::Alias(anchor) => return self.alias(anchor, position, depth),
            _ => (self.scalar("", ScalarStyle::Plain, None, position), 0),
        };
        if anchor > 0 {
            self.spend(&value, position)?;
            let anchored = Anchored {
                value: value.clone(),
                height: height(&value),
                places: self.places.copy(node),
            };
            self.anchors.insert(anchor, anchored);
        }
        Ok(value)
    }

    fn scalar(
        &mut self,
        text: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        position: Position,
    ) -> Value {
        let node = self.places.leaf(position);
        let scalar = scalar::resolve(text, style, tag);
        if scalar.inexact {
            self.places.number(text);
        }
        if scalar.misfit {
            self.flaws.push(Flaw {
                severity: Severity::Warning,
                rule: "tag-misfit",
                node,
                name: None,
                position,
                message: "this value does not fit its tag, so it is taken as text".to_owned(),
                advice: "remove the tag, or write a value of that kind",
            });
        }
        scalar.value
    }

    fn sequence(&mut self, position: Position, depth: usize) -> Result<Value, ReadError> {
        let node = self.places.open(position);
        let mut array = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::SequenceEnd {
                break;
            }
            array.push(self.node(event, self.start(span), depth)?);
        }
        self.places.close(node);
        array.shrink_to_fit();
        Ok(Value::Array(array))
    }

    fn mapping(&mut self, position: Position, depth: usize) -> Result<Value, ReadError> {
        let node = self.places.open(position);
        let mut object = Map::new();
        let mut merged = Vec::new();
        loop {
            let (event, span) = self.next()?;
            if event == Event::MappingEnd {
                break;
            }
            let position = self.start(span);
            let key = self.key(event, position, depth)?;
            let (event, _) = self.next()?;
            let first = self.places.next();
            let value = self.node(event, position, depth)?;
            match key {
                Key::Name(name) => match object.entry(name) {
                    Entry::Vacant(free) => {
                        free.insert(value);
                    }
                    Entry::Occupied(taken) => {
                        let name = taken.key().clone();
                        self.drop_from(first, node);
                        self.flaws.push(Flaw::twice(node, name, position));
                    }
                },
                Key::Merge => merged.push((value, self.places.split_off(first))),
                Key::NoText => {
                    self.drop_from(first, node);
                    self.flaws.push(no_text(node, position));
                }
            }
            too_many_flaws(&self.flaws, position)?;
        }
        for (value, places) in merged {
            self.merge(&mut object, &value, &places, 0);
        }
        self.places.close(node);
        Ok(Value::Object(object))
    }

    fn key(
        &mut self,
        event: Event<'t>,
        position: Position,
        depth: usize,
    ) -> Result<Key, ReadError> {
        let (text, anchor) = match event {
            Event::Scalar(text, ScalarStyle::Plain, ..) if text == "<<" => return Ok(Key::Merge),
            Event::Scalar(text, _, anchor, _) => (text, anchor),
            other => {
                let first = self.places.next();
                let value = self.node(other, position, depth)?;
                self.places.split_off(first);
                return Ok(match value {
                    Value::String(text) => Key::Name(text),
                    _ => Key::NoText,
                });
            }
        };
        if anchor > 0 {
            let value = Value::String(text.to_string());
            self.spend(&value, position)?;
            let mut places = Places::default();
            places.leaf(position);
            let anchored = Anchored {
                value,
                height: 0,
                places,
            };
            self.anchors.insert(anchor, anchored);
        }
        Ok(Key::Name(text.into_owned()))
    }

    fn alias(
        &mut self,
        anchor: usize,
        position: Position,
        depth: usize,
    ) -> Result<Value, ReadError> {
        let Some(Anchored {
            value,
            height,
            places,
        }) = self.anchors.get(&anchor)
        else {
            return Err(refusal(
                position,
                "this alias stands inside the very value that it refers to",
                Some("write the value out, or use `$ref`, which may turn in a circle"),
            ));
        };
        if depth + height > MAX_DEPTH {
            return Err(too_deep(position));
        }
        let value = value.clone();
        self.places.append(places, Some(position));
        self.spend(&value, position)?;
        Ok(value)
    }

    fn spend(&mut self, value: &Value, position: Position) -> Result<(), ReadError> {
        match self.left_to_copy.checked_sub(cost(value)) {
            Some(left) => {
                self.left_to_copy = left;
                Ok(())
            }
            None => Err(refusal(
                position,
                "anchors and aliases repeat too much",
                Some("use `$ref` for what occurs often"),
            )),
        }
    }

    /// Adds the members of `value`, or of each item of a list, that the object does not have yet.
    fn merge(&mut self, object: &mut Map<String, Value>, value: &Value, places: &Places, at: Node) {
        match value {
            Value::Object(members) => {
                for ((name, member), node) in members.iter().zip(places.members(at)) {
                    if let Entry::Vacant(free) = object.entry(name.as_str()) {
                        free.insert(member.clone());
                        self.places.append(&places.copy(node), None);
                    }
                }
            }
            Value::Array(items) => {
                for (item, node) in items.iter().zip(places.members(at)) {
                    if item.is_object() {
                        self.merge(object, item, places, node);
                    }
                }
            }
            _ => {}
        }
    }

    fn start(&self, span: Span) -> Position {
        self.position(span.start)
    }

    /// What is not written may be said to be on a line after the last.
    fn position(&self, marker: Marker) -> Position {
        let position = Position {
            line: marker.line().max(1),
            column: marker.col() + 1,
        };
        position.min(self.end)
    }

    fn syntax_error(&self, error: &ScanError) -> ReadError {
        let hint = "look at the indentation, and for a missing colon or quote, at or just before \
                    this place";
        refusal(self.position(*error.marker()), error.info(), Some(hint))
    }

    fn drop_from(&mut self, first: Node, object: Node) {
        self.places.split_off(first);
        Flaw::forget(&mut self.flaws, first, object);
    }
}

enum Key {
    Name(String),
    /// `<<`, unquoted.
    Merge,
    /// A list, an object or an alias to one.
    NoText,
}

fn no_text(object: Node, position: Position) -> Flaw {
    Flaw {
        severity: Severity::Error,
        rule: "key-no-text",
        node: object,
        name: None,
        position,
        message: "this key is a list or an object, so its member is left out".to_owned(),
        advice: "a key must be text: other keys exist in YAML but not in OpenAPI",
    }
}

fn height(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(height).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(height).max().unwrap_or(0),
        _ => 0,
    }
}

fn cost(value: &Value) -> usize {
    let inside: usize = match value {
        Value::String(text) => text.len(),
        Value::Array(items) => items.iter().map(cost).sum(),
        Value::Object(members) => members
            .iter()
            .map(|(name, member)| name.len() + VALUE_COST + cost(member))
            .sum(),
        _ => 0,
    };
    VALUE_COST + inside
}
