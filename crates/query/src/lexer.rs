//! Filter text into tokens: words, quoted values and punctuation, each with its column.
//!
//! Does not know which words are attributes, operators or values: that depends on their place and
//! is the parser's business. Words stay as written, so that an escaped one can be told apart.

use crate::syntax::SyntaxError;

/// The words that are never an attribute or a bare value.
const RESERVED: [&str; 10] = ["and", "or", "not", "eq", "ne", "gt", "ge", "lt", "le", "in"];

/// One token and where it starts.
#[derive(Debug)]
pub(crate) struct Token<'a> {
    pub(crate) kind: Kind<'a>,
    /// 1-based, in characters.
    pub(crate) column: usize,
}

#[derive(Debug)]
pub(crate) enum Kind<'a> {
    /// A run of ordinary characters, escapes still in it.
    Word(&'a str),
    /// What stood between quotes, escapes resolved.
    Quoted(String),
    Open,
    Close,
    Comma,
}

/// Cuts a text into tokens.
pub(crate) fn tokens(text: &str) -> Result<Vec<Token<'_>>, SyntaxError> {
    let mut lexer = Lexer {
        rest: text,
        column: 1,
    };
    let mut found = Vec::new();
    while let Some(token) = lexer.token()? {
        found.push(token);
    }
    Ok(found)
}

/// Is this word, as written, one of the language's own?
pub(crate) fn is_reserved(written: &str) -> bool {
    RESERVED
        .iter()
        .any(|word| word.eq_ignore_ascii_case(written))
}

/// Does this character end a word, or start an escape in it?
pub(crate) fn is_special(character: char) -> bool {
    ends_word(character) || character == '\\'
}

/// Takes the escapes out: `\` gives the next character without its meaning (domain.md 6.2).
pub(crate) fn unescape(written: &str) -> String {
    let mut plain = String::with_capacity(written.len());
    let mut characters = written.chars();
    while let Some(character) = characters.next() {
        if character == '\\' {
            plain.extend(characters.next());
        } else {
            plain.push(character);
        }
    }
    plain
}

struct Lexer<'a> {
    rest: &'a str,
    column: usize,
}

impl<'a> Lexer<'a> {
    fn token(&mut self) -> Result<Option<Token<'a>>, SyntaxError> {
        while self.rest.starts_with(char::is_whitespace) {
            self.next();
        }
        let column = self.column;
        let Some(first) = self.rest.chars().next() else {
            return Ok(None);
        };
        let kind = match first {
            '(' => self.punctuation(Kind::Open),
            ')' => self.punctuation(Kind::Close),
            ',' => self.punctuation(Kind::Comma),
            '\'' | '"' => self.quoted(first)?,
            _ => self.word()?,
        };
        Ok(Some(Token { kind, column }))
    }

    fn punctuation(&mut self, kind: Kind<'a>) -> Kind<'a> {
        self.next();
        kind
    }

    fn word(&mut self) -> Result<Kind<'a>, SyntaxError> {
        let start = self.rest;
        while let Some(character) = self.rest.chars().next() {
            if ends_word(character) {
                break;
            }
            let column = self.column;
            self.next();
            if character == '\\' && self.next().is_none() {
                return Err(dangling_escape(column));
            }
        }
        Ok(Kind::Word(&start[..start.len() - self.rest.len()]))
    }

    /// Both quotes, both ways to write the quote itself: doubled (OData) and escaped (Lucene).
    fn quoted(&mut self, quote: char) -> Result<Kind<'a>, SyntaxError> {
        let opened = self.column;
        self.next();
        let mut value = String::new();
        loop {
            let column = self.column;
            match self.next() {
                None => {
                    let message = format!("the quote {quote} that opens here is never closed");
                    return Err(SyntaxError::new(opened, message));
                }
                Some('\\') => value.push(self.next().ok_or_else(|| dangling_escape(column))?),
                Some(end) if end == quote => {
                    if !self.rest.starts_with(quote) {
                        return Ok(Kind::Quoted(value));
                    }
                    self.next();
                    value.push(quote);
                }
                Some(character) => value.push(character),
            }
        }
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let character = characters.next()?;
        self.rest = characters.as_str();
        self.column += 1;
        Some(character)
    }
}

fn ends_word(character: char) -> bool {
    character.is_whitespace() || matches!(character, '(' | ')' | ',' | '\'' | '"')
}

fn dangling_escape(column: usize) -> SyntaxError {
    SyntaxError::new(column, "nothing follows the `\\`")
        .hint("`\\` takes the next character as it is; write `\\\\` for the character itself")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &str) -> Vec<(usize, String)> {
        let show = |token: Token<'_>| {
            let text = match token.kind {
                Kind::Word(word) => format!("word {word}"),
                Kind::Quoted(value) => format!("quoted {value}"),
                Kind::Open => "(".to_owned(),
                Kind::Close => ")".to_owned(),
                Kind::Comma => ",".to_owned(),
            };
            (token.column, text)
        };
        tokens(text).unwrap().into_iter().map(show).collect()
    }

    #[test]
    fn columns_count_characters() {
        let expected = [
            (1, "word é"),
            (3, "word eq"),
            (6, "quoted ü ö"),
            (11, ","),
            (12, "("),
        ];
        let expected = expected.map(|(column, text)| (column, text.to_owned()));
        assert_eq!(cut("é eq 'ü ö',("), expected);
    }

    #[test]
    fn words_keep_their_escapes_and_may_hold_escaped_blanks() {
        assert_eq!(cut(r"a\ b\'c"), [(1, r"word a\ b\'c".to_owned())]);
        assert_eq!(unescape(r"DSCC\-API\-Vol\.0\\"), r"DSCC-API-Vol.0\");
    }

    #[test]
    fn quotes_are_doubled_or_escaped_and_the_other_kind_is_ordinary() {
        assert_eq!(cut("'it''s'"), [(1, "quoted it's".to_owned())]);
        assert_eq!(cut(r#""a\"b'c\\""#), [(1, r#"quoted a"b'c\"#.to_owned())]);
        assert_eq!(cut("''"), [(1, "quoted ".to_owned())]);
    }

    #[test]
    fn open_ends_are_refused_where_they_begin() {
        assert_eq!(tokens("a eq 'b").unwrap_err().column, 6);
        assert_eq!(tokens("a eq b\\").unwrap_err().column, 7);
        assert_eq!(tokens("a eq 'b\\").unwrap_err().column, 8);
    }
}
