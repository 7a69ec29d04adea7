//! The text of a definition as it is kept: one file as it came, or several that were imported
//! together, in a container that names them.
//!
//! The container is JSON: `{"hallpassFiles": 1, "main": NAME, "files": [{"name": …, "text": …}]}`. No
//! definition begins like this.

use std::ops::Range;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::answer::Failure;

/// How long a text may be, and several together.
pub(crate) const MOST_BYTES: usize = 32 << 20;

/// How many files may be imported together.
pub(crate) const MOST_FILES: usize = 500;

/// The texts of a definition.
pub(crate) struct Texts {
    /// What is kept.
    kept: Bytes,
    /// The main one first.
    all: Vec<Text>,
}

/// One text.
pub(crate) struct Text {
    /// Where it comes from: a file's name or an address.
    pub(crate) location: String,
    bytes: Bytes,
    /// Where its lines begin.
    lines: Vec<usize>,
}

/// Several files, as they are kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Container {
    hallpass_files: u32,
    main: String,
    files: Vec<File>,
}

/// A file of several.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct File {
    /// Its name, relative to the folder.
    pub(crate) name: String,
    /// What is in it.
    pub(crate) text: String,
}

const BEGINNING: &[u8] = br#"{"hallpassFiles":1,"#;

impl Texts {
    /// What was kept of a definition that came from `source`.
    pub(crate) fn read(source: &str, kept: impl Into<Bytes>) -> Result<Self, Failure> {
        let kept = kept.into();
        if !Self::is_joined(&kept) {
            let main = Text::new(source, kept.clone());
            return Ok(Self {
                kept,
                all: vec![main],
            });
        }
        let container: Container = serde_json::from_slice(&kept).map_err(|error| {
            let what = format!("the files of the definition cannot be told apart: {error}");
            Failure::wrong(what, "import them again")
        })?;
        let (main, others): (Vec<File>, Vec<File>) = container
            .files
            .into_iter()
            .partition(|file| file.name == container.main);
        let files = main.into_iter().take(1).chain(others);
        let all: Vec<Text> = files
            .map(|file| Text::new(&file.name, file.text.into()))
            .collect();
        if all
            .first()
            .is_none_or(|main| main.location != container.main)
        {
            let what = format!(
                "there is no file {:?} among those of the definition",
                container.main
            );
            return Err(Failure::wrong(what, "import them again"));
        }
        Ok(Self { kept, all })
    }

    /// Whether these are several files.
    pub(crate) fn is_joined(kept: &[u8]) -> bool {
        kept.starts_with(BEGINNING)
    }

    /// Several files of which `main` is the definition; as they are to be kept.
    pub(crate) fn join(main: &str, files: &[File]) -> Vec<u8> {
        let container = Container {
            hallpass_files: 1,
            main: main.to_owned(),
            files: files.to_vec(),
        };
        serde_json::to_vec(&container).unwrap_or_default()
    }

    /// What is kept.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.kept
    }

    /// The text of the definition itself.
    pub(crate) fn main(&self) -> &Text {
        &self.all[0]
    }

    /// Another text, by its location.
    pub(crate) fn part(&self, location: &str) -> Option<&Text> {
        self.all.iter().find(|text| text.location == location)
    }

    /// All of them, the main one first.
    pub(crate) fn all(&self) -> &[Text] {
        &self.all
    }
}

impl Text {
    fn new(location: &str, bytes: Bytes) -> Self {
        Self {
            location: location.to_owned(),
            lines: beginnings(&bytes),
            bytes,
        }
    }

    /// The text's bytes.
    pub(crate) fn bytes(&self) -> &Bytes {
        &self.bytes
    }

    /// How many lines it has.
    pub(crate) fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// Lines counted from 1, as far as there are any, each cut where it is too long to be shown.
    pub(crate) fn lines(&self, range: Range<usize>) -> Vec<String> {
        let known = range.start.max(1)..range.end.min(self.lines.len() + 1);
        known.map(|line| self.line(line)).collect()
    }

    fn line(&self, line: usize) -> String {
        let from = self.lines[line - 1];
        let to = self.lines.get(line).copied().unwrap_or(self.bytes.len());
        let bytes = self.bytes[from..to].trim_ascii_end();
        let text = String::from_utf8_lossy(&bytes[..bytes.len().min(MOST_OF_A_LINE)]);
        if bytes.len() > MOST_OF_A_LINE {
            format!("{text}…")
        } else {
            text.into_owned()
        }
    }
}

/// Where lines begin: behind `\n`, `\r\n` and a `\r` alone, as positions of problems count them.
fn beginnings(bytes: &[u8]) -> Vec<usize> {
    let mut lines = vec![0];
    let mut rest = bytes;
    let mut at = 0;
    while let Some(found) = rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')) {
        let wide = rest[found] == b'\r' && rest.get(found + 1) == Some(&b'\n');
        let step = found + 1 + usize::from(wide);
        at += step;
        rest = &rest[step..];
        if rest.is_empty() {
            break;
        }
        lines.push(at);
    }
    lines
}

/// A line longer than this is shown in part: a whole definition may stand in one.
const MOST_OF_A_LINE: usize = 4_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> Text {
        Text::new("a", Bytes::copy_from_slice(text.as_bytes()))
    }

    #[test]
    fn lines_end_in_three_ways() {
        let text = text("a\nb\r\nc\rd\n\ne\n");
        assert_eq!(text.line_count(), 6);
        assert_eq!(text.lines(0..100), ["a", "b", "c", "d", "", "e"]);
        assert_eq!(text.lines(2..4), ["b", "c"]);
        assert_eq!(text.lines(7..9), Vec::<String>::new());
    }

    #[test]
    fn a_long_line_is_cut() {
        let text = text(&"ä".repeat(MOST_OF_A_LINE));
        let line = &text.lines(1..2)[0];
        assert!(line.ends_with('…') && line.len() < MOST_OF_A_LINE + 10);
    }

    #[test]
    fn several_files_are_kept_in_one_text() {
        let file = |name: &str, text: &str| File {
            name: name.to_owned(),
            text: text.to_owned(),
        };
        let files = [file("a.yaml", "a: \"ä\"\n"), file("b.yaml", "b\n")];
        let kept = Texts::join("b.yaml", &files);
        let read = Texts::read("a folder", kept.clone()).unwrap();
        assert_eq!(*read.bytes(), kept);
        assert_eq!(read.main().location, "b.yaml");
        assert_eq!(
            read.part("a.yaml").unwrap().bytes(),
            "a: \"ä\"\n".as_bytes()
        );
        assert!(Texts::read("x", Texts::join("c.yaml", &files)).is_err());
        assert!(Texts::read("x", [BEGINNING, b"}"].concat()).is_err());
    }

    #[test]
    fn one_file_is_kept_as_it_came() {
        let read = Texts::read("a.json", b"{}".to_vec()).unwrap();
        assert_eq!(*read.bytes(), b"{}"[..]);
        assert_eq!(*read.main().bytes(), b"{}"[..]);
        assert_eq!(read.all().len(), 1);
    }
}
