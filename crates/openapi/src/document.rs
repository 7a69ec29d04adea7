//! A document as it was written: its value, and where every part of it stands in the text.

use serde_json::{Map, Value};

use crate::problem::Position;

/// A value and the places of its parts.
#[derive(Debug)]
pub(crate) struct Document {
    value: Value,
    place: Place,
}

impl Document {
    pub(crate) fn new(value: Value, place: Place) -> Self {
        Self { value, place }
    }

    /// A value that was not read from a text: every part of it is at the beginning.
    pub(crate) fn without_places(value: Value) -> Self {
        let start = Position { line: 1, column: 1 };
        Self::new(value, Place::new(start, Vec::new()))
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// Where the part that `pointer` (RFC 6901) names begins: an object's member at its key. A
    /// part that does not exist has the place of the nearest one around it.
    pub(crate) fn position(&self, pointer: &str) -> Position {
        let mut value = &self.value;
        let mut place = &self.place;
        for token in pointer.split('/').skip(1) {
            let token = unescape(token);
            let Some((inner, inner_place)) = place.child(value, &token) else {
                break;
            };
            (value, place) = (inner, inner_place);
        }
        place.position()
    }
}

/// Where a value stands, with the places of its parts in the order of the value's own.
#[derive(Debug)]
pub(crate) struct Place {
    line: u32,
    column: u32,
    parts: Box<[Place]>,
}

impl Place {
    pub(crate) fn new(position: Position, parts: Vec<Place>) -> Self {
        Self {
            line: 0,
            column: 0,
            parts: parts.into_boxed_slice(),
        }
        .at(position)
    }

    /// The same with another beginning: members begin at their key.
    pub(crate) fn at(mut self, position: Position) -> Self {
        self.line = u32::try_from(position.line).unwrap_or(u32::MAX);
        self.column = u32::try_from(position.column).unwrap_or(u32::MAX);
        self
    }

    pub(crate) fn position(&self) -> Position {
        Position {
            line: self.line as usize,
            column: self.column as usize,
        }
    }

    pub(crate) fn member(&self, object: &Map<String, Value>, key: &str) -> Option<&Place> {
        self.parts.get(object.keys().position(|name| name == key)?)
    }

    fn child<'a>(&'a self, value: &'a Value, token: &str) -> Option<(&'a Value, &'a Place)> {
        match value {
            Value::Object(object) => Some((object.get(token)?, self.member(object, token)?)),
            Value::Array(array) => {
                let index: usize = token.parse().ok()?;
                Some((array.get(index)?, self.parts.get(index)?))
            }
            _ => None,
        }
    }
}

/// One more step of a JSON pointer.
pub(crate) fn join(pointer: &str, token: &str) -> String {
    format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"))
}

fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}
