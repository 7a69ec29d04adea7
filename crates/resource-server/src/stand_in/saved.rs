//! A state as a document: what is saved, and what of a saved one is believed.

use std::collections::BTreeMap;
use std::fmt;

use hallpass_sandbox::State;
use jiff::Timestamp;
use serde::de::{IgnoredAny, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};

/// What the document says it is.
const FORMAT: &str = "hallpass-sandbox-state";

/// Goes up when an older program could not read it any more.
const VERSION: u32 = 1;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Document<'a> {
    format: &'static str,
    version: u32,
    saved_at: Timestamp,
    objects: usize,
    state: &'a State,
}

/// The first look: whether the rest is for this program at all.
#[derive(Deserialize)]
struct Head {
    format: String,
    version: u32,
}

#[derive(Deserialize)]
struct Content {
    state: State,
}

/// Why a document is not restored.
#[derive(Debug, thiserror::Error)]
pub enum Unrestorable {
    /// It is no such document, or broken.
    #[error("this is no saved state: {0}")]
    Unreadable(#[source] serde_json::Error),
    /// It is something else.
    #[error("this is no saved state: `format` is not `{FORMAT}`")]
    OtherFormat,
    /// Another program wrote it.
    #[error(
        "the state was saved in version {0} of the format; this program reads version {VERSION}"
    )]
    OtherVersion(u32),
    /// It is larger than the settings allow.
    #[error("the state has {objects} objects, and `sandbox.objects` allows {most}")]
    TooLarge {
        /// How many it has.
        objects: usize,
        /// How many there may be.
        most: usize,
    },
}

/// The document of a state.
pub(super) fn write(state: &State, now: Timestamp) -> Result<String, serde_json::Error> {
    serde_json::to_string(&Document {
        format: FORMAT,
        version: VERSION,
        saved_at: now,
        objects: state.len(),
        state,
    })
}

/// The state of a document.
pub(super) fn read(text: &[u8], most: usize) -> Result<State, Unrestorable> {
    let head: Head = serde_json::from_slice(text).map_err(Unrestorable::Unreadable)?;
    if head.format != FORMAT {
        return Err(Unrestorable::OtherFormat);
    }
    if head.version != VERSION {
        return Err(Unrestorable::OtherVersion(head.version));
    }
    // Counted before anything is built: the document may come from anywhere.
    let outline: Outline = serde_json::from_slice(text).map_err(Unrestorable::Unreadable)?;
    let counts = outline.state.collections.values();
    let objects = counts.map(|Count(objects)| objects).sum();
    if objects > most {
        return Err(Unrestorable::TooLarge { objects, most });
    }
    let content: Content = serde_json::from_slice(text).map_err(Unrestorable::Unreadable)?;
    let mut state = content.state;
    state.forget_time();
    state.unwatch();
    Ok(state)
}

/// The second look: how large it is.
#[derive(Deserialize)]
struct Outline {
    state: StateOutline,
}

#[derive(Deserialize)]
struct StateOutline {
    collections: BTreeMap<String, Count>,
}

/// How many elements a list has, whatever they are.
struct Count(usize);

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements)
    }
}

struct Elements;

impl<'de> Visitor<'de> for Elements {
    type Value = Count;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of objects")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Count, A::Error> {
        let mut count = 0;
        while elements.next_element::<IgnoredAny>()?.is_some() {
            count += 1;
        }
        Ok(Count(count))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_state_is_read_back_and_a_mistake_is_told_with_its_place() {
        let now = "2026-03-01T12:00:00Z".parse().unwrap();
        let text = write(&State::default(), now).unwrap();
        assert_eq!(read(text.as_bytes(), 10).unwrap(), State::default());
        for (text, said) in [
            ("", "line 1 column 0"),
            ("{\"format\": 1}", "line 1 column 12"),
            ("{}", "missing field `format`"),
            (&text.replace(FORMAT, "another"), "`format` is not"),
            (&text.replace("\"version\":1", "\"version\":2"), "version 2"),
            (
                &text.replace(
                    "\"collections\":{}",
                    "\"collections\":{\"volumes\":[[\"a\",{}],[\"a\",{}]]}",
                ),
                "`a` comes twice",
            ),
            // What is too much is told before what is wrong with it.
            (
                &text.replace(
                    "\"collections\":{}",
                    "\"collections\":{\"volumes\":[1,2,3,4,5,6],\"hosts\":[1,2,3,4,5]}",
                ),
                "has 11 objects",
            ),
        ] {
            let error = read(text.as_bytes(), 10).unwrap_err();
            assert!(error.to_string().contains(said), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in prop::collection::vec(any::<u8>(), 0..100)) {
            prop_assert!(read(&bytes, 10).is_err());
        }

        #[test]
        fn a_document_that_was_changed_anywhere_does_no_harm(at in 0_usize..200, byte in any::<u8>()) {
            let mut text = write(&State::default(), Timestamp::UNIX_EPOCH).unwrap().into_bytes();
            let at = at % text.len();
            text[at] = byte;
            if let Ok(state) = read(&text, 10) {
                prop_assert!(state.len() <= 10);
            }
        }
    }
}
