//! The compiled form of a definition: bytes that can be kept between two runs, and from which one
//! operation is had without reading the whole definition again.
//!
//! A definition is megabytes, an operation with everything it refers to a few kilobytes. So the form
//! holds the index of all operations and, for each, the list of the document's parts that it needs;
//! each part is stored once. [`Compiled::operation`] joins them under the JSON pointers they had, so
//! that references, and whatever is asked of the result, stay the same (`parts` says which those
//! are).
//!
//! Nothing in the bytes is believed before its digest is right, and nothing at all unless they were
//! made by this version from this text and the same other files: [`Compiled::read`] refuses, and
//! whoever asks reads the definition instead. Where the bytes are kept is not known here.

mod format;
mod parts;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use thiserror::Error;

use crate::definition::{Definition, Names};
use crate::document::join;
use crate::index::{Brief, Entry, Index};
use crate::operation::Operation;
use format::{Reader, Span, Writer};
use parts::Parts;

pub use format::{Bytes, Digest};

/// A definition in its compiled form.
#[derive(Debug)]
pub struct Compiled {
    reader: Reader,
    index: Index,
    records: Vec<Records>,
    frame: Span,
    parts: Span,
}

/// Another file that a definition was read from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Source {
    /// Where it is, in the words of the one who loaded it.
    pub location: String,
    /// What was in it.
    pub digest: Digest,
}

/// Why bytes are not taken for the compiled form of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Distrust {
    /// They are something else.
    #[error("it is no compiled definition")]
    Foreign,
    /// Another version made them.
    #[error("it was made by another version")]
    Version,
    /// They were made from another text, or one of the other files has changed.
    #[error("the definition has changed")]
    Changed,
    /// They are not as they were written.
    #[error("it is damaged")]
    Damaged,
}

/// One operation and a definition that knows at least that one.
#[derive(Debug)]
pub struct Chosen {
    definition: Definition,
    position: usize,
}

impl Chosen {
    /// The operation at `position` of a definition; `None` when there is no such.
    pub fn of(definition: Definition, position: usize) -> Option<Self> {
        definition.operations().get(position)?;
        Some(Self {
            definition,
            position,
        })
    }

    /// The definition, which need not know any other operation.
    pub fn definition(&self) -> &Definition {
        &self.definition
    }

    /// The operation.
    pub fn operation(&self) -> &Operation {
        &self.definition.operations()[self.position]
    }
}

/// What the form says of itself, and the index.
#[derive(Serialize, Deserialize)]
struct Head {
    made_by: String,
    text: Digest,
    sources: Vec<Source>,
    title: String,
    version: String,
    operations: Vec<Listed>,
    /// The document without paths and components.
    frame: Span,
    /// The list of the parts.
    parts: Span,
}

#[derive(Serialize, Deserialize)]
struct Listed {
    entry: Entry,
    records: Records,
}

/// Where the two records of an operation are.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Records {
    brief: Span,
    slice: Span,
}

/// What an operation needs.
#[derive(Serialize, Deserialize)]
struct Slice {
    pointer: String,
    /// The path item with this operation and no other.
    item: Value,
    /// Positions in the list of the parts, in the order of the document.
    needs: Vec<usize>,
    /// How many of them stand before the path item.
    before: usize,
}

/// A part of the document that operations refer to.
#[derive(Serialize, Deserialize)]
struct Part {
    pointer: String,
    at: Span,
}

impl Compiled {
    /// The compiled form of a definition that was read from a text with this digest, and from these
    /// other files. `None` when the form could not say all that the definition says; then there is
    /// none.
    pub fn compile(definition: &Definition, text: Digest, sources: &[Source]) -> Option<Vec<u8>> {
        let mut writer = Writer::default();
        let root = definition.document();
        let parts = Parts::of(definition)?;
        let mut listed = Vec::new();
        for operation in definition.operations() {
            let (needs, before) = parts.needed_by(operation);
            let slice = Slice {
                pointer: operation.pointer().to_owned(),
                item: parts.item(operation)?,
                needs: needs.to_vec(),
                before,
            };
            is_exact(&slice.item)?;
            let brief = Brief::of(definition, operation);
            listed.push(Listed {
                entry: Entry::of(operation),
                records: Records {
                    brief: writer.add(&brief)?,
                    slice: writer.add(&slice)?,
                },
            });
        }
        let mut list = Vec::new();
        for pointer in parts.pointers() {
            let value = root.pointer(pointer)?;
            is_exact(value)?;
            list.push(Part {
                pointer: pointer.to_owned(),
                at: writer.add(value)?,
            });
        }
        let frame = parts::frame(root);
        is_exact(&frame)?;
        let head = Head {
            made_by: MADE_BY.to_owned(),
            text,
            sources: sources.to_vec(),
            title: definition.title().to_owned(),
            version: definition.version().to_owned(),
            operations: listed,
            frame: writer.add(&frame)?,
            parts: writer.add(&list)?,
        };
        writer.finish(&head)
    }

    /// Opens the compiled form of a definition whose text has this digest. `is_unchanged` says
    /// whether another file that it was read from is still the same.
    pub fn read(
        bytes: impl Bytes + 'static,
        text: Digest,
        is_unchanged: impl FnMut(&Source) -> bool,
    ) -> Result<Self, Distrust> {
        let (reader, head): (Reader, Head) = Reader::open(Box::new(bytes))?;
        if head.made_by != MADE_BY {
            return Err(Distrust::Version);
        }
        if head.text != text || !head.sources.iter().all(is_unchanged) {
            return Err(Distrust::Changed);
        }
        let records = head.operations.iter().map(|one| one.records).collect();
        let entries = head.operations.into_iter().map(|one| one.entry).collect();
        Ok(Self {
            reader,
            index: Index::new(&head.title, &head.version, entries),
            records,
            frame: head.frame,
            parts: head.parts,
        })
    }

    /// The index of all operations.
    pub fn index(&self) -> &Index {
        &self.index
    }

    /// What the operation at this position of the index takes.
    pub fn brief(&self, position: usize) -> Result<Brief, Distrust> {
        self.reader.get(self.records(position)?.brief)
    }

    /// The operation at this position of the index, with all it refers to.
    pub fn operation(&self, position: usize) -> Result<Chosen, Distrust> {
        let slice: Slice = self.reader.get(self.records(position)?.slice)?;
        let entry = &self.index.entries()[position];
        let list: Vec<Part> = self.reader.get(self.parts)?;
        let mut document: Value = self.reader.get(self.frame)?;
        let (before, behind) = slice
            .needs
            .split_at_checked(slice.before)
            .ok_or(Distrust::Damaged)?;
        let put = |document: &mut Value, numbers: &[usize]| {
            numbers.iter().try_for_each(|number| {
                let part = list.get(*number).ok_or(Distrust::Damaged)?;
                parts::put(document, &part.pointer, self.reader.get(part.at)?);
                Ok(())
            })
        };
        put(&mut document, before)?;
        parts::put(&mut document, &join("/paths", entry.path()), slice.item);
        put(&mut document, behind)?;
        let definition = Definition::of_one(
            document,
            &slice.pointer,
            Names {
                path: entry.path(),
                operation: entry.id(),
                title: self.index.title(),
                version: self.index.version(),
            },
        );
        definition
            .and_then(|definition| Chosen::of(definition, 0))
            .ok_or(Distrust::Damaged)
    }

    fn records(&self, position: usize) -> Result<Records, Distrust> {
        self.records.get(position).copied().ok_or(Distrust::Damaged)
    }
}

/// What is in the records depends on the code that writes and reads them.
const MADE_BY: &str = env!("CARGO_PKG_VERSION");

/// Whether a value is the same after it was written and read: a number that is not, or nesting that
/// the reader of JSON does not take, must not go unnoticed.
fn is_exact(value: &Value) -> Option<()> {
    let written = serde_json::to_vec(value).ok()?;
    let read: Value = serde_json::from_slice(&written).ok()?;
    (read == *value && has_same_order(&read, value)).then_some(())
}

/// Objects are equal in any order of their members; a document is not.
fn has_same_order(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Object(one), Value::Object(other)) => in_order(one, other),
        (Value::Array(one), Value::Array(other)) => one
            .iter()
            .zip(other)
            .all(|(one, other)| has_same_order(one, other)),
        _ => true,
    }
}

fn in_order(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    let mut pairs = one.iter().zip(other);
    pairs.all(|((name, value), (other_name, other))| {
        name == other_name && has_same_order(value, other)
    })
}
