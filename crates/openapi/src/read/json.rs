//! JSON (RFC 8259) with the place of every value.
//!
//! Strict: what this takes, every JSON parser takes. One exception is made for authors: a name
//! written twice in an object is a flaw that is told, not an error.

use serde_json::map::Entry;
use serde_json::{Map, Value};

use super::number;
use super::{Flaw, MAX_DEPTH, Parsed, ReadError, refusal, too_deep, too_many_flaws};
use crate::places::{Node, Places};
use crate::problem::Position;

/// Reads one JSON text.
pub(super) fn parse(text: &str) -> Result<Parsed, ReadError> {
    let mut scanner = Scanner {
        text,
        at: 0,
        line: 1,
        line_start: 0,
        beyond_ascii: 0,
        places: Places::default(),
        flaws: Vec::new(),
    };
    scanner.skip_blanks();
    let position = scanner.position();
    let value = scanner.value(position, 0)?;
    scanner.skip_blanks();
    if scanner.at < text.len() {
        return Err(scanner.error("there is more text after the end of the document"));
    }
    Ok(Parsed {
        value,
        places: scanner.places,
        flaws: scanner.flaws,
    })
}

struct Scanner<'t> {
    text: &'t str,
    at: usize,
    line: usize,
    /// Where the line of `at` begins.
    line_start: usize,
    /// How many bytes of the line before `at` begin no character.
    beyond_ascii: usize,
    places: Places,
    flaws: Vec<Flaw>,
}

impl Scanner<'_> {
    fn byte(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn position(&self) -> Position {
        Position {
            line: self.line,
            column: self.at - self.line_start - self.beyond_ascii + 1,
        }
    }

    fn error(&self, message: &str) -> ReadError {
        let before = &self.text[self.line_start..self.text.floor_char_boundary(self.at)];
        let position = Position {
            line: self.line,
            column: before.chars().count() + 1,
        };
        refusal(
            position,
            message,
            Some("the text is JSON as far as this place: look at it, and just before it"),
        )
    }

    fn unexpected(&self, wanted: &str) -> ReadError {
        let found = match self.text[self.text.floor_char_boundary(self.at)..]
            .chars()
            .next()
        {
            None => "the text ends".to_owned(),
            Some(found) if found.is_control() => format!("U+{:04X} is here", u32::from(found)),
            Some(found) => format!("`{found}` is here"),
        };
        self.error(&format!("{found} where {wanted} is expected"))
    }

    fn skip_blanks(&mut self) {
        while let Some(byte) = self.byte() {
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'\n' | b'\r' => {
                    let pair = self.text[self.at..].starts_with("\r\n");
                    self.at += if pair { 2 } else { 1 };
                    self.line += 1;
                    self.line_start = self.at;
                    self.beyond_ascii = 0;
                }
                _ => break,
            }
        }
    }

    /// Reads a value whose place is `position`: a member's is that of its name.
    fn value(&mut self, position: Position, depth: usize) -> Result<Value, ReadError> {
        match self.byte() {
            Some(b'{' | b'[') if depth == MAX_DEPTH => Err(too_deep(position)),
            Some(b'{') => self.object(position, depth + 1),
            Some(b'[') => self.array(position, depth + 1),
            Some(b'"') => {
                self.places.leaf(position);
                Ok(Value::String(self.string()?))
            }
            Some(b'-' | b'0'..=b'9') => {
                self.places.leaf(position);
                self.number()
            }
            _ => {
                self.places.leaf(position);
                self.word()
            }
        }
    }

    fn object(&mut self, position: Position, depth: usize) -> Result<Value, ReadError> {
        let node = self.places.open(position);
        let mut object = Map::new();
        self.at += 1;
        self.skip_blanks();
        if self.byte() == Some(b'}') {
            self.at += 1;
            return Ok(Value::Object(object));
        }
        loop {
            if self.byte() != Some(b'"') {
                return Err(self.unexpected("a name in double quotes"));
            }
            let position = self.position();
            let name = self.string()?;
            self.skip_blanks();
            if self.byte() != Some(b':') {
                return Err(self.unexpected("a colon"));
            }
            self.at += 1;
            self.skip_blanks();
            let first = self.places.next();
            let value = self.value(position, depth)?;
            match object.entry(name) {
                Entry::Vacant(free) => {
                    free.insert(value);
                }
                Entry::Occupied(taken) => {
                    let name = taken.key().clone();
                    self.twice(node, first, name, position)?;
                }
            }
            self.skip_blanks();
            match self.byte() {
                Some(b',') => self.at += 1,
                Some(b'}') => break,
                _ => return Err(self.unexpected("a comma or `}`")),
            }
            self.skip_blanks();
        }
        self.at += 1;
        self.places.close(node);
        Ok(Value::Object(object))
    }

    fn array(&mut self, position: Position, depth: usize) -> Result<Value, ReadError> {
        let node = self.places.open(position);
        let mut array = Vec::new();
        self.at += 1;
        self.skip_blanks();
        if self.byte() == Some(b']') {
            self.at += 1;
            return Ok(Value::Array(array));
        }
        loop {
            let position = self.position();
            array.push(self.value(position, depth)?);
            self.skip_blanks();
            match self.byte() {
                Some(b',') => self.at += 1,
                Some(b']') => break,
                _ => return Err(self.unexpected("a comma or `]`")),
            }
            self.skip_blanks();
        }
        self.at += 1;
        self.places.close(node);
        array.shrink_to_fit();
        Ok(Value::Array(array))
    }

    /// The first of two members with one name is kept.
    fn twice(
        &mut self,
        object: Node,
        second: Node,
        name: String,
        position: Position,
    ) -> Result<(), ReadError> {
        self.places.split_off(second);
        Flaw::forget(&mut self.flaws, second, object);
        self.flaws.push(Flaw::twice(object, name, position));
        too_many_flaws(&self.flaws, position)
    }

    fn word(&mut self) -> Result<Value, ReadError> {
        for (word, value) in [
            ("true", Value::Bool(true)),
            ("false", Value::Bool(false)),
            ("null", Value::Null),
        ] {
            if self.text.as_bytes()[self.at..].starts_with(word.as_bytes()) {
                self.at += word.len();
                return Ok(value);
            }
        }
        Err(self.unexpected("a value"))
    }

    /// RFC 8259 section 6.
    fn number(&mut self) -> Result<Value, ReadError> {
        let start = self.at;
        if self.byte() == Some(b'-') {
            self.at += 1;
        }
        if self.byte() == Some(b'0') {
            self.at += 1;
        } else {
            self.digits()?;
        }
        if self.byte() == Some(b'.') {
            self.at += 1;
            self.digits()?;
        }
        if let Some(b'e' | b'E') = self.byte() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.byte() {
                self.at += 1;
            }
            self.digits()?;
        }
        let written = &self.text[start..self.at];
        let Some(number) = number::parse(written) else {
            self.at = start;
            return Err(self.error("this number is too large"));
        };
        if !number::is_exact(&number, written) {
            self.places.number(written);
        }
        Ok(Value::Number(number))
    }

    fn digits(&mut self) -> Result<(), ReadError> {
        let start = self.at;
        while self.byte().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        if self.at == start {
            return Err(self.unexpected("a digit"));
        }
        Ok(())
    }

    /// RFC 8259 section 7. `at` is on the opening quote, and afterwards behind the closing one.
    fn string(&mut self) -> Result<String, ReadError> {
        self.at += 1;
        let mut string = String::new();
        loop {
            let start = self.at;
            let mut beyond_ascii = 0;
            let rest = &self.text.as_bytes()[start..];
            let stop = rest.iter().position(|byte| {
                beyond_ascii += usize::from(byte & 0xC0 == 0x80);
                matches!(byte, b'"' | b'\\' | 0..0x20)
            });
            self.at = stop.map_or(self.text.len(), |stop| start + stop);
            self.beyond_ascii += beyond_ascii;
            let piece = &self.text[start..self.at];
            match self.byte() {
                Some(b'"') => {
                    self.at += 1;
                    if string.is_empty() {
                        return Ok(piece.to_owned());
                    }
                    string.push_str(piece);
                    return Ok(string);
                }
                Some(b'\\') => {
                    string.push_str(piece);
                    self.at += 1;
                    string.push(self.escape()?);
                }
                Some(_) => {
                    return Err(self.error("a control character inside a string must be escaped"));
                }
                None => return Err(self.error("the text ends inside a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<char, ReadError> {
        let character = match self.byte() {
            Some(plain @ (b'"' | b'\\' | b'/')) => char::from(plain),
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.code_point(),
            _ => return Err(self.error("this escape does not exist in JSON")),
        };
        self.at += 1;
        Ok(character)
    }

    /// Characters beyond U+FFFF are written as two escapes.
    fn code_point(&mut self) -> Result<char, ReadError> {
        let first = self.code_unit()?;
        let second = if (0xD800..0xDC00).contains(&first) && self.byte() == Some(b'\\') {
            self.at += 1;
            Some(self.code_unit()?)
        } else {
            None
        };
        let units = [Some(first), second].into_iter().flatten();
        let mut characters = char::decode_utf16(units);
        match (characters.next(), characters.next()) {
            (Some(Ok(character)), None) => Ok(character),
            _ => Err(self.error("this escape is one half of a character")),
        }
    }

    /// The four digits after `\u`; `at` is on the `u`.
    fn code_unit(&mut self) -> Result<u16, ReadError> {
        let digits = self.text.get(self.at + 1..self.at + 5);
        let unit = digits
            .filter(|digits| {
                self.byte() == Some(b'u') && digits.bytes().all(|one| one.is_ascii_hexdigit())
            })
            .and_then(|digits| u16::from_str_radix(digits, 16).ok());
        let Some(unit) = unit else {
            return Err(self.error("`\\u` needs four hexadecimal digits"));
        };
        self.at += 5;
        Ok(unit)
    }
}
