//! Texts of objects as lists show them, kept until the state changes.
//!
//! Whoever reads a list page by page has the same objects written again and again, and writing them is
//! most of what such a request costs. Nothing can be told from here that the state does not say: any
//! change forgets all of it.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, PoisonError};

/// Texts that were written since the last change. Part of no snapshot, and no copy takes them along.
#[derive(Default)]
pub(crate) struct Forms(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    /// For whom they were written; texts for somebody else take their place.
    reader: Box<str>,
    texts: HashMap<Box<str>, Box<[u8]>>,
    bytes: usize,
}

impl Forms {
    /// Adds the text of the object with this id, as this reader sees it, to `out`. `write` is asked for
    /// it when it is not at hand.
    pub(crate) fn write(
        &self,
        reader: &str,
        id: &str,
        out: &mut Vec<u8>,
        write: impl FnOnce(&mut Vec<u8>),
    ) {
        if let Some(text) = self.kept().of(reader, id) {
            out.extend_from_slice(text);
            return;
        }
        let from = out.len();
        write(out);
        self.kept().keep(reader, id, &out[from..]);
    }

    /// Forgets them all.
    pub(crate) fn forget(&mut self) {
        let kept = self.0.get_mut().unwrap_or_else(PoisonError::into_inner);
        kept.texts.clear();
        kept.bytes = 0;
    }

    fn kept(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn of(&self, reader: &str, id: &str) -> Option<&[u8]> {
        let texts = (*self.reader == *reader).then_some(&self.texts)?;
        texts.get(id).map(|text| &**text)
    }

    fn keep(&mut self, reader: &str, id: &str, text: &[u8]) {
        if *self.reader != *reader {
            *self = Self {
                reader: reader.into(),
                ..Self::default()
            };
        }
        if self.bytes + text.len() <= MOST_BYTES
            && self.texts.insert(id.into(), text.into()).is_none()
        {
            self.bytes += text.len();
        }
    }
}

/// Most bytes of texts: those of some ten thousand objects.
const MOST_BYTES: usize = 10 * 1024 * 1024;

impl Clone for Forms {
    fn clone(&self) -> Self {
        Self::default()
    }
}

impl fmt::Debug for Forms {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Forms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(forms: &Forms, reader: &str, id: &str, text: &str) -> String {
        let mut out = b"<".to_vec();
        forms.write(reader, id, &mut out, |out| {
            out.extend_from_slice(text.as_bytes());
        });
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn a_text_is_written_once_for_each_reader_until_all_are_forgotten() {
        let mut forms = Forms::default();
        assert_eq!(written(&forms, "ann", "1", "old"), "<old");
        assert_eq!(written(&forms, "ann", "1", "new"), "<old");
        assert_eq!(written(&forms, "ann", "2", "new"), "<new");
        assert_eq!(written(&forms, "bob", "1", "bob's"), "<bob's");
        assert_eq!(written(&forms, "ann", "1", "new"), "<new");
        forms.forget();
        assert_eq!(written(&forms, "ann", "1", "newer"), "<newer");
        assert_eq!(written(&forms.clone(), "ann", "1", "newest"), "<newest");
    }

    #[test]
    fn there_is_an_end_to_what_is_kept() {
        let forms = Forms::default();
        let large = "x".repeat(MOST_BYTES);
        assert_eq!(written(&forms, "ann", "1", &large).len(), MOST_BYTES + 1);
        assert_eq!(written(&forms, "ann", "2", "a"), "<a");
        assert_eq!(written(&forms, "ann", "2", "b"), "<b");
    }
}
