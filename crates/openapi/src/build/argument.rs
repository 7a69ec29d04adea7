//! One argument as it is typed: `name=value`, `name:=JSON`, `name=@file`.
//!
//! What the name means is for the operation to say (`target`), what the value means for its schema
//! (`typed`). Files are read by a function that is passed in.

use serde_json::value::RawValue;
use thiserror::Error;

/// A name and what is given for it.
#[derive(Debug, Clone)]
pub struct Argument {
    written: String,
    steps: Vec<String>,
    /// Whether the first step is the place and the second the whole name, whatever else is called so.
    placed: bool,
    pub(crate) given: Given,
}

/// What is given for a name.
#[derive(Debug, Clone)]
pub(crate) enum Given {
    /// A text, to be read as the type that is wanted.
    Text(String),
    /// A JSON value, to be taken as it is.
    Json(Box<RawValue>),
    /// The content of a file, to be read as the type that is wanted.
    File {
        /// What the file is called, without its folder.
        name: String,
        /// Its bytes.
        content: Vec<u8>,
    },
}

/// Why a text is no argument.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ArgumentError {
    /// There is no name, or no `=`.
    #[error("`{0}` is no argument: write it as NAME=VALUE")]
    Form(String),
    /// A name with nothing before, after or between its dots.
    #[error(
        "`{0}` is no name: between dots there must be something; a dot that belongs to a name is written `\\.`"
    )]
    Name(String),
    /// What comes after `:=` is no JSON.
    #[error("`{name}` is given with `:=`, but its value is no JSON: {reason}")]
    Json {
        /// The name.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// The file cannot be read.
    #[error("`{name}` cannot be read from {file}: {reason}")]
    File {
        /// The name.
        name: String,
        /// The file.
        file: String,
        /// Why not.
        reason: String,
    },
}

impl Argument {
    /// Reads `name=value`. Dots in the name lead into objects and lists; a backslash before `.`,
    /// `=`, `:` or another backslash makes it part of the name. A value that begins with `@` names a
    /// file, which `read` reads; `\@` begins a value that really begins with `@`.
    pub fn parse(
        text: &str,
        read: &mut dyn FnMut(&str) -> Result<Vec<u8>, String>,
    ) -> Result<Self, ArgumentError> {
        let (written, steps, json, value) = split(text)?;
        let file = |file: &str, reason: String| ArgumentError::File {
            name: written.to_owned(),
            file: file.to_owned(),
            reason,
        };
        let given = match value.strip_prefix('@') {
            Some(path) => Given::File {
                content: read(path).map_err(|reason| file(path, reason))?,
                name: path.rsplit(['/', '\\']).next().unwrap_or(path).to_owned(),
            },
            None => Given::Text(without_escape(value).to_owned()),
        };
        let given = if json {
            as_json(written, &given)?
        } else {
            given
        };
        Ok(Self {
            written: written.to_owned(),
            steps,
            placed: false,
            given,
        })
    }

    /// A value by the whole name of what it is for: no sign in either has a meaning.
    pub fn literal(name: &str, text: &str) -> Self {
        Self {
            written: name.to_owned(),
            steps: vec![name.to_owned()],
            placed: false,
            given: Given::Text(text.to_owned()),
        }
    }

    /// The same where the place is known (`path`, `query`, `header` or `cookie`): it is a parameter
    /// there, whatever else has its name.
    pub fn placed(place: &str, name: &str, text: &str) -> Self {
        Self {
            written: name.to_owned(),
            steps: vec![place.to_owned(), name.to_owned()],
            placed: true,
            given: Given::Text(text.to_owned()),
        }
    }

    /// The name as it was written.
    pub fn name(&self) -> &str {
        &self.written
    }

    /// Whether the first step is the place and the second the whole name.
    pub(crate) fn is_placed(&self) -> bool {
        self.placed
    }

    /// The name without escapes, parted at its dots. Never empty.
    pub(crate) fn steps(&self) -> &[String] {
        &self.steps
    }
}

/// The name as written, its steps, whether JSON follows, and what follows.
fn split(text: &str) -> Result<(&str, Vec<String>, bool, &str), ArgumentError> {
    let mut steps = Vec::new();
    let mut step = String::new();
    let mut colon = false;
    let mut letters = text.char_indices().peekable();
    while let Some((at, letter)) = letters.next() {
        match letter {
            '\\' => {
                let escaped = letters.next_if(|(_, next)| matches!(next, '\\' | '.' | '=' | ':'));
                step.push(escaped.map_or('\\', |(_, letter)| letter));
                colon = false;
                continue;
            }
            '=' => {
                if colon {
                    step.pop();
                }
                let written = &text[..at - usize::from(colon)];
                if written.is_empty() {
                    break;
                }
                steps.push(step);
                if steps.iter().any(String::is_empty) {
                    return Err(ArgumentError::Name(written.to_owned()));
                }
                return Ok((written, steps, colon, &text[at + 1..]));
            }
            '.' => steps.push(std::mem::take(&mut step)),
            _ => step.push(letter),
        }
        colon = letter == ':';
    }
    Err(ArgumentError::Form(text.to_owned()))
}

/// Of the backslashes before an `@`, the first only keeps it from naming a file.
fn without_escape(value: &str) -> &str {
    match value.trim_start_matches('\\').strip_prefix('@') {
        Some(_) => &value[1..],
        None => value,
    }
}

fn as_json(name: &str, given: &Given) -> Result<Given, ArgumentError> {
    let text = given.text();
    let wrong = |reason: String| ArgumentError::Json {
        name: name.to_owned(),
        reason,
    };
    let text = text.ok_or_else(|| wrong("it is no UTF-8".to_owned()))?;
    serde_json::from_str(text)
        .map(Given::Json)
        .map_err(|error| wrong(error.to_string()))
}

impl Given {
    /// The text, when it is one. An editor ends a file with a line break that nobody means.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Json(json) => Some(json.get()),
            Self::File { content, .. } => {
                let text = std::str::from_utf8(content).ok()?;
                let text = text.strip_suffix('\n').unwrap_or(text);
                Some(text.strip_suffix('\r').unwrap_or(text))
            }
        }
    }

    /// The value as messages show it: the content of a file may be long or secret.
    pub(crate) fn shown(&self) -> String {
        match self {
            Self::Text(text) => format!("{text:?}"),
            Self::Json(json) => json.get().to_owned(),
            Self::File { name, .. } => format!("the content of {name}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn parse(text: &str) -> Result<Argument, ArgumentError> {
        Argument::parse(text, &mut |file| match file {
            "size" => Ok(b"12\r\n".to_vec()),
            _ => Err("no such file".to_owned()),
        })
    }

    fn parts(text: &str) -> (Vec<String>, String) {
        let argument = parse(text).unwrap();
        (argument.steps, argument.given.shown())
    }

    fn expected(steps: &[&str], shown: &str) -> (Vec<String>, String) {
        let steps = steps.iter().map(|step| (*step).to_owned()).collect();
        (steps, shown.to_owned())
    }

    #[test]
    fn the_first_free_equals_sign_ends_the_name() {
        assert_eq!(parts("a=b=c"), expected(&["a"], "\"b=c\""));
        assert_eq!(parts("a="), expected(&["a"], "\"\""));
        assert_eq!(parts("a.0.b=c"), expected(&["a", "0", "b"], "\"c\""));
        assert_eq!(parts(r"a\.b.c\=d=e"), expected(&["a.b", "c=d"], "\"e\""));
        assert_eq!(parts(r"a\b\\=\c"), expected(&[r"a\b\"], r#""\\c""#));
        for wrong in ["", "a", "=a", ":=1"] {
            assert!(
                matches!(parse(wrong), Err(ArgumentError::Form(_))),
                "{wrong}"
            );
        }
        for wrong in [".=a", "a.=1", "a..b=1"] {
            assert!(
                matches!(parse(wrong), Err(ArgumentError::Name(_))),
                "{wrong}"
            );
        }
    }

    #[test]
    fn json_is_kept_as_it_is_written() {
        assert_eq!(parts("a:=1.10"), expected(&["a"], "1.10"));
        assert_eq!(parts(r"a\:=1"), expected(&["a:"], "\"1\""));
        assert_eq!(parts("a:=@size"), expected(&["a"], "12"));
        let error = parse("a.b:={").unwrap_err().to_string();
        assert!(error.starts_with("`a.b` is given with `:=`"), "{error}");
    }

    #[test]
    fn files_are_named_with_an_at_sign() {
        let argument = parse("a=@size").unwrap();
        assert_eq!(argument.given.text(), Some("12"));
        assert_eq!(parts(r"a=\@size"), expected(&["a"], "\"@size\""));
        assert_eq!(parts(r"a=\\@x"), expected(&["a"], r#""\\@x""#));
        assert_eq!(parts("a=x@y"), expected(&["a"], "\"x@y\""));
        assert_eq!(
            parse("a=@none").unwrap_err().to_string(),
            "`a` cannot be read from none: no such file"
        );
    }

    proptest! {
        /// Whatever the name and the value are, they can be written.
        #[test]
        fn every_name_and_value_can_be_written(
            steps in proptest::collection::vec(".{1,6}", 1..4), value in r"[\\@=:.a]{0,6}|.{0,8}",
        ) {
            let escape = |step: &String| {
                step.replace('\\', r"\\").replace('.', r"\.").replace('=', r"\=").replace(':', r"\:")
            };
            let name = steps.iter().map(escape).collect::<Vec<_>>().join(".");
            let escaped = if value.trim_start_matches('\\').starts_with('@') {
                format!("\\{value}")
            } else {
                value.clone()
            };
            let argument = parse(&format!("{name}={escaped}")).unwrap();
            prop_assert_eq!(argument.steps(), &steps[..]);
            prop_assert_eq!(argument.given.text(), Some(value.as_str()));
            prop_assert_eq!(argument.name(), name);
        }

        #[test]
        fn no_text_breaks_the_reading(text in ".{0,20}") {
            let _ = parse(&text);
        }
    }
}
