//! A state as a document: what is saved, and what of a saved one is believed.

use hallpass_sandbox::State;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};

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
    let content: Content = serde_json::from_slice(text).map_err(Unrestorable::Unreadable)?;
    let mut state = content.state;
    let objects = state.len();
    if objects > most {
        return Err(Unrestorable::TooLarge { objects, most });
    }
    state.forget_time();
    Ok(state)
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
