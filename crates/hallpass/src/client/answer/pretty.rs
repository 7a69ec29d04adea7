//! JSON for people: indented, and coloured where somebody looks. Every piece stays as the server
//! wrote it.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::text::{JsonText, Token};

/// How JSON is written.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Pretty {
    /// Somebody looks: colours, and no character that would drive the terminal.
    pub(super) terminal: bool,
    pub(super) colour: bool,
}

impl Pretty {
    /// Writes a text indented, the lines after the first by `margin` levels more. No line end after
    /// the last.
    pub(super) fn write(
        self,
        out: &mut dyn Write,
        text: JsonText<'_>,
        margin: usize,
    ) -> io::Result<()> {
        let mut depth = margin;
        let mut tokens = text.tokens().peekable();
        while let Some(token) = tokens.next() {
            match token {
                Token::Open(mark) => {
                    write!(out, "{mark}")?;
                    if let Some(Token::Close(mark)) = tokens.peek() {
                        write!(out, "{mark}")?;
                        tokens.next();
                    } else {
                        depth += 1;
                        line_end(out, depth)?;
                    }
                }
                Token::Close(mark) => {
                    depth -= 1;
                    line_end(out, depth)?;
                    write!(out, "{mark}")?;
                }
                Token::Comma => {
                    out.write_all(b",")?;
                    line_end(out, depth)?;
                }
                Token::Colon => out.write_all(b": ")?,
                Token::Text(text) => {
                    let style = match tokens.peek() {
                        Some(Token::Colon) => NAME,
                        _ => TEXT,
                    };
                    self.single(out, style, text.as_written())?;
                }
                Token::Number(number) => self.single(out, NUMBER, number)?,
                Token::Word(word) => self.single(out, WORD, word)?,
            }
        }
        Ok(())
    }

    fn single(self, out: &mut dyn Write, style: Style, text: &str) -> io::Result<()> {
        if !self.terminal {
            return out.write_all(text.as_bytes());
        }
        let shown = without_controls(text);
        if self.colour {
            write!(out, "{style}{shown}{style:#}")
        } else {
            out.write_all(shown.as_bytes())
        }
    }
}

fn line_end(out: &mut dyn Write, depth: usize) -> io::Result<()> {
    write!(out, "\n{:width$}", "", width = depth * 2)
}

/// JSON keeps the control characters below U+0020 out of strings; the others, and the marks that
/// turn the direction of writing, are escaped the way JSON does it.
fn without_controls(text: &str) -> std::borrow::Cow<'_, str> {
    let drives = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(drives) {
        return text.into();
    }
    let escaped = text.chars().map(|c| {
        if drives(c) {
            format!("\\u{:04x}", u32::from(c))
        } else {
            c.to_string()
        }
    });
    escaped.collect::<String>().into()
}

const NAME: Style = AnsiColor::Blue.on_default().bold();
const TEXT: Style = AnsiColor::Green.on_default();
const NUMBER: Style = AnsiColor::Cyan.on_default();
const WORD: Style = AnsiColor::Magenta.on_default();

#[cfg(test)]
mod tests {
    use super::*;

    fn written(pretty: Pretty, text: &str) -> String {
        let mut out = Vec::new();
        let text = JsonText::read(text.as_bytes()).unwrap();
        pretty.write(&mut out, text, 0).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn it_is_indented_as_everybody_does_it() {
        let text = r#"{"a":[1,{"b":null}],"c":{},"d":[]}"#;
        let known: serde_json::Value = serde_json::from_str(text).unwrap();
        assert_eq!(
            written(Pretty::default(), text),
            serde_json::to_string_pretty(&known).unwrap()
        );
        assert_eq!(written(Pretty::default(), " 1.10 "), "1.10");
    }

    #[test]
    fn on_a_terminal_nothing_drives_it_and_the_value_is_the_same() {
        let text = "{\"a\u{9b}2J\":\"\u{202e}x\u{7f}\"}";
        let terminal = Pretty {
            terminal: true,
            colour: false,
        };
        let shown = written(terminal, text);
        assert_eq!(shown, "{\n  \"a\\u009b2J\": \"\\u202ex\\u007f\"\n}");
        let same: serde_json::Value = serde_json::from_str(&shown).unwrap();
        assert_eq!(
            same,
            serde_json::from_str::<serde_json::Value>(text).unwrap()
        );
        let coloured = written(
            Pretty {
                terminal: true,
                colour: true,
            },
            "[1]",
        );
        assert_eq!(coloured, "[\n  \u{1b}[36m1\u{1b}[0m\n]");
        assert!(
            written(Pretty::default(), text).contains('\u{9b}'),
            "exact where nobody looks"
        );
    }
}
