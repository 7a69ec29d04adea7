//! A document as it was written: its value, and where every part of it stands in which text.
//!
//! A definition may be written in several files. The main one is the value itself; the others, as
//! far as something refers to them, are members of [`PARTS`] in it, under their locations. So one
//! pointer names any place in any of them, and whoever follows references knows one document only.

use serde_json::Value;

use crate::lean;
use crate::places::Places;
use crate::problem::Position;
use crate::read::{self, Parsed};

/// The member of the document that holds the external parts.
pub(crate) const PARTS: &str = "x-hallpass-parts";

/// A value and the places of its parts.
#[derive(Debug)]
pub(crate) struct Document {
    location: String,
    value: Value,
    places: Places,
    parts: Vec<Part>,
}

/// The places of an external part, whose value is under its location in [`PARTS`].
#[derive(Debug)]
struct Part {
    location: String,
    places: Places,
}

/// A place in a document of several texts.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Place<'a> {
    /// The external part, or `None` for the main document.
    pub(crate) part: Option<&'a str>,
    /// JSON pointer inside that text.
    pub(crate) pointer: String,
    pub(crate) position: Position,
}

impl Document {
    /// The main document and where it comes from, and the external parts under their locations.
    pub(crate) fn new(location: String, main: Parsed, externals: Vec<(String, Parsed)>) -> Self {
        let mut document = Self {
            location,
            value: main.value,
            places: main.places,
            parts: Vec::with_capacity(externals.len()),
        };
        let mut values = serde_json::Map::new();
        for (location, parsed) in externals {
            values.insert(location.clone(), parsed.value);
            document.parts.push(Part {
                location,
                places: parsed.places,
            });
        }
        if let (Value::Object(members), false) = (&mut document.value, values.is_empty()) {
            members.insert(PARTS.to_owned(), Value::Object(values));
        }
        document
    }

    /// A value that was not read from a text: every part of it is at the beginning.
    pub(crate) fn without_places(value: Value) -> Self {
        Self {
            value,
            places: Places::default(),
            location: String::new(),
            parts: Vec::new(),
        }
    }

    /// The same with no more than its value takes: every part is at the beginning of its text.
    pub(crate) fn lean(mut self) -> Self {
        lean::shrink(&mut self.value);
        self.places = Places::default();
        for part in &mut self.parts {
            part.places = Places::default();
        }
        self
    }

    /// Where the main document comes from; empty where that is not known.
    pub(crate) fn location(&self) -> &str {
        &self.location
    }

    pub(crate) fn value(&self) -> &Value {
        &self.value
    }

    /// The locations of the external parts, in the order in which they were first referred to.
    pub(crate) fn parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map(|part| part.location.as_str())
    }

    /// Where the part that `pointer` (RFC 6901) names begins: an object's member at its key. A
    /// part that does not exist has the place of the nearest one around it.
    pub(crate) fn place(&self, pointer: String) -> Place<'_> {
        let Some((part, value, inside)) = self.external(&pointer) else {
            return Place {
                part: None,
                position: self
                    .places
                    .position(self.places.find(&self.value, &pointer)),
                pointer,
            };
        };
        Place {
            part: Some(&part.location),
            position: part.places.position(part.places.find(value, inside)),
            pointer: inside.to_owned(),
        }
    }

    /// The scalar at `pointer` as it is written, without quotes.
    pub(crate) fn text(&self, pointer: &str) -> Option<String> {
        let value = self.value.pointer(pointer)?;
        let (root, places, inside) = match self.external(pointer) {
            Some((part, root, inside)) => (root, &part.places, inside),
            None => (&self.value, &self.places, pointer),
        };
        let written = places.written(places.find(root, inside));
        Some(written.map_or_else(|| read::plain(value), str::to_owned))
    }

    fn external<'a>(&self, pointer: &'a str) -> Option<(&Part, &Value, &'a str)> {
        if self.parts.is_empty() {
            return None;
        }
        let rest = pointer
            .strip_prefix('/')?
            .strip_prefix(PARTS)?
            .strip_prefix('/')?;
        let (location, inside) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let location = unescape(location);
        let part = self.parts.iter().find(|part| part.location == location)?;
        Some((part, self.value.get(PARTS)?.get(&location)?, inside))
    }
}

/// The pointer to an external part in the document.
pub(crate) fn pointer_to_part(location: &str) -> String {
    join(&["/", PARTS].concat(), location)
}

/// One more step of a JSON pointer.
pub(crate) fn join(pointer: &str, token: &str) -> String {
    if token.contains(['~', '/']) {
        return format!("{pointer}/{}", token.replace('~', "~0").replace('/', "~1"));
    }
    [pointer, "/", token].concat()
}

/// What a step of a JSON pointer names.
pub(crate) fn unescape(token: &str) -> String {
    token.replace("~1", "/").replace("~0", "~")
}
