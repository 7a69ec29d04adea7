//! JSON as text: the answer's own, checked once and then read as it stands.
//!
//! Numbers stay the digits the server wrote and members stay in its order, the repeated ones too,
//! because nothing is turned into another type on the way (RFC 8259 leaves the size and precision of
//! numbers open, section 6). What is printed is cut out of this text.

use std::borrow::Cow;
use std::collections::HashSet;
use std::fmt;

use serde_json::value::RawValue;

/// A whole JSON text whose grammar is known to be right.
#[derive(Clone, Copy)]
pub(super) struct JsonText<'a>(&'a str);

/// A piece of a JSON text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// `{` or `[`.
    Open(char),
    /// `}` or `]`.
    Close(char),
    Colon,
    Comma,
    /// With its quotes and escapes.
    Text(Quoted<'a>),
    Number(&'a str),
    /// `true`, `false` or `null`.
    Word(&'a str),
}

/// A string as it is written, with quotes and escapes.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Quoted<'a>(&'a str);

/// A value, and where it stands in the text.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Json<'a> {
    Null,
    Bool(bool),
    Number(&'a str),
    Text(Quoted<'a>),
    List(Vec<Json<'a>>),
    Object(Vec<(Quoted<'a>, Json<'a>)>),
}

impl<'a> JsonText<'a> {
    /// Checks a text. `None` when it is no JSON, and when it is nested deeper than any answer is.
    pub(super) fn read(bytes: &'a [u8]) -> Option<Self> {
        let raw: &RawValue = serde_json::from_slice(bytes).ok()?;
        let text = Self(raw.get());
        let mut depth = 0_usize;
        for token in text.tokens() {
            match token {
                Token::Open(_) => depth += 1,
                Token::Close(_) => depth -= 1,
                _ => {}
            }
            if depth > DEEPEST {
                return None;
            }
        }
        Some(text)
    }

    /// Its pieces, in order.
    pub(super) fn tokens(self) -> Tokens<'a> {
        Tokens(self.0)
    }

    /// Its value.
    pub(super) fn value(self) -> Json<'a> {
        let mut tokens = self.tokens();
        let first = tokens.next();
        value(first, &mut tokens)
    }
}

/// The pieces of a JSON text.
pub(super) struct Tokens<'a>(&'a str);

impl<'a> Iterator for Tokens<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let text = self.0.trim_start_matches([' ', '\t', '\n', '\r']);
        let first = text.chars().next()?;
        let length = match first {
            '"' => end_of_string(text),
            '{' | '}' | '[' | ']' | ':' | ',' => 1,
            _ => text
                .find([' ', '\t', '\n', '\r', ',', ':', ']', '}'])
                .unwrap_or(text.len()),
        };
        let (piece, rest) = text.split_at(length);
        self.0 = rest;
        Some(match first {
            '{' | '[' => Token::Open(first),
            '}' | ']' => Token::Close(first),
            ':' => Token::Colon,
            ',' => Token::Comma,
            '"' => Token::Text(Quoted(piece)),
            '-' | '0'..='9' => Token::Number(piece),
            _ => Token::Word(piece),
        })
    }
}

/// The length of a string with its quotes.
fn end_of_string(text: &str) -> usize {
    let mut escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn value<'a>(first: Option<Token<'a>>, rest: &mut Tokens<'a>) -> Json<'a> {
    match first {
        Some(Token::Text(text)) => Json::Text(text),
        Some(Token::Number(number)) => Json::Number(number),
        Some(Token::Word("true")) => Json::Bool(true),
        Some(Token::Word("false")) => Json::Bool(false),
        Some(Token::Open('[')) => Json::List(list(rest)),
        Some(Token::Open(_)) => Json::Object(object(rest)),
        _ => Json::Null,
    }
}

fn list<'a>(tokens: &mut Tokens<'a>) -> Vec<Json<'a>> {
    let mut items = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            Token::Close(_) => break,
            Token::Comma => {}
            first => items.push(value(Some(first), tokens)),
        }
    }
    items
}

fn object<'a>(tokens: &mut Tokens<'a>) -> Vec<(Quoted<'a>, Json<'a>)> {
    let mut members = Vec::new();
    while let Some(token) = tokens.next() {
        match token {
            Token::Close(_) => break,
            Token::Text(name) => {
                // The colon.
                tokens.next();
                let first = tokens.next();
                members.push((name, value(first, tokens)));
            }
            _ => {}
        }
    }
    members
}

impl<'a> Quoted<'a> {
    /// As it is written.
    pub(super) fn as_written(self) -> &'a str {
        self.0
    }

    /// What it says. Half a surrogate pair, which says nothing, becomes the replacement character.
    pub(super) fn decoded(self) -> Cow<'a, str> {
        let inside = &self.0[1..self.0.len() - 1];
        if !inside.contains('\\') {
            return Cow::Borrowed(inside);
        }
        let decoded = serde_json::from_str::<String>(self.0);
        Cow::Owned(decoded.unwrap_or_else(|_| with_halves(inside)))
    }
}

/// Decodes a string in which a half of a surrogate pair stands alone.
fn with_halves(inside: &str) -> String {
    let mut units = Vec::new();
    let mut rest = inside.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            units.extend(c.encode_utf16(&mut [0; 2]).iter());
            continue;
        }
        let unit = match rest.next() {
            Some('u') => {
                let digits: String = rest.by_ref().take(4).collect();
                u16::from_str_radix(&digits, 16).unwrap_or(0xfffd)
            }
            Some('b') => 8,
            Some('f') => 12,
            Some('n') => 10,
            Some('r') => 13,
            Some('t') => 9,
            // A quote, a backslash or a slash.
            other => other
                .and_then(|c| u16::try_from(u32::from(c)).ok())
                .unwrap_or(0xfffd),
        };
        units.push(unit);
    }
    String::from_utf16_lossy(&units)
}

impl fmt::Debug for Quoted<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

impl<'a> Json<'a> {
    /// The members of an object, each name once, with the value that counts: the last one. A name is
    /// the same however it is escaped.
    pub(super) fn members(&self) -> impl Iterator<Item = (Quoted<'a>, &Self)> {
        let members = match self {
            Self::Object(members) => members.as_slice(),
            _ => &[],
        };
        let mut known = HashSet::with_capacity(members.len());
        let last = members.iter().rev();
        let mut last: Vec<_> = last
            .filter(|(name, _)| known.insert(name.decoded()))
            .map(|(name, value)| (*name, value))
            .collect();
        last.reverse();
        last.into_iter()
    }

    /// A member of an object.
    pub(super) fn member(&self, wanted: &str) -> Option<&Self> {
        let Self::Object(members) = self else {
            return None;
        };
        let mut members = members.iter().rev();
        let found = members.find(|(name, _)| name.decoded() == wanted);
        found.map(|(_, value)| value)
    }

    /// The value at a dotted path. A member whose own name has dots in it is found by it.
    pub(super) fn at(&self, path: &str) -> Option<&Self> {
        self.member(path).or_else(|| {
            path.match_indices('.')
                .find_map(|(dot, _)| self.member(&path[..dot])?.at(&path[dot + 1..]))
        })
    }

    /// Whether it is neither a list nor an object.
    pub(super) fn is_single(&self) -> bool {
        !matches!(self, Self::List(_) | Self::Object(_))
    }
}

/// In the shortest form, with numbers and strings as they were written.
impl fmt::Display for Json<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(value) => write!(f, "{value}"),
            Self::Number(number) => f.write_str(number),
            Self::Text(text) => f.write_str(text.0),
            Self::List(items) => {
                for (at, item) in items.iter().enumerate() {
                    let mark = if at == 0 { "[" } else { "," };
                    write!(f, "{mark}{item}")?;
                }
                f.write_str(if items.is_empty() { "[]" } else { "]" })
            }
            Self::Object(members) => {
                for (at, (name, value)) in members.iter().enumerate() {
                    let mark = if at == 0 { "{" } else { "," };
                    write!(f, "{mark}{name:?}:{value}")?;
                }
                f.write_str(if members.is_empty() { "{}" } else { "}" })
            }
        }
    }
}

/// How deep an answer may be nested; a deeper one is printed as it came.
pub(super) const DEEPEST: usize = 128;

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Json<'_> {
        JsonText::read(text.as_bytes()).expect(text).value()
    }

    #[test]
    fn numbers_strings_and_repeated_members_stay_as_they_are_written() {
        let text = r#"{"a":18446744073709551616,"b":[1.10,-0,1e400,1E+2],"a":"\u00e4\/","":null}"#;
        assert_eq!(value(text).to_string(), text);
        assert_eq!(value(text).member("a"), Some(&value(r#""\u00e4\/""#)));
        assert_eq!(value(text).members().count(), 3);
        let escaped = value(r#"{"a":1,"\u0061":2}"#);
        let values: Vec<String> = escaped
            .members()
            .map(|(_, value)| value.to_string())
            .collect();
        assert_eq!(values, ["2"], "a name is the same however it is escaped");
        let spaced = " {\t\"a\" : [ true , false ]\r\n, \"b\":{ } , \"c\":[ ]} \n";
        assert_eq!(
            value(spaced).to_string(),
            r#"{"a":[true,false],"b":{},"c":[]}"#
        );
    }

    #[test]
    fn what_is_no_json_or_endlessly_deep_is_not_read() {
        for text in ["", "<html>", "{", "[1,]", "01", "\"\u{1}\"", "1 2", "nul"] {
            assert!(JsonText::read(text.as_bytes()).is_none(), "{text:?}");
        }
        assert!(JsonText::read(b"\"\xff\"").is_none());
        let deep = |levels: usize| "[".repeat(levels) + &"]".repeat(levels);
        assert!(JsonText::read(deep(DEEPEST).as_bytes()).is_some());
        assert!(JsonText::read(deep(DEEPEST + 1).as_bytes()).is_none());
        assert!(JsonText::read(deep(1_000_000).as_bytes()).is_none());
    }

    #[test]
    fn strings_say_what_they_say() {
        let said = |text: &'static str| match value(text) {
            Json::Text(text) => text.decoded().into_owned(),
            other => panic!("{other}"),
        };
        assert_eq!(said(r#""a\"b\\\n\u0041\ud83d\ude00""#), "a\"b\\\nA😀");
        assert_eq!(
            said(r#""\ud800x\t\/\"\\ä\ud83d\ude00""#),
            "\u{fffd}x\t/\"\\ä😀"
        );
    }

    #[test]
    fn a_path_leads_through_objects_and_names_with_dots() {
        let item = value(r#"{"a":{"b":{"c":1},"b.c":2},"x.y":{"z":3},"l":[{"a":1}]}"#);
        let at = |path: &str| item.at(path).map(ToString::to_string);
        assert_eq!(at("a.b.c").as_deref(), Some("2"), "the longest name first");
        assert_eq!(at("a.b").as_deref(), Some(r#"{"c":1}"#));
        assert_eq!(at("x.y.z").as_deref(), Some("3"));
        for nowhere in ["", "a.", ".a", "l.a", "a.b.c.d"] {
            assert_eq!(at(nowhere), None, "{nowhere}");
        }
    }
}
