//! Filter text into a filter. The grammar, in EBNF over the lexer's tokens:
//!
//! ```ebnf
//! filter      = conjunction , { "or" , conjunction } ;
//! conjunction = term , { "and" , term } ;
//! term        = "not" , term
//!             | "(" , filter , ")"
//!             | call | comparison | list | member ;
//! comparison  = attribute , ( "eq" | "ne" | "gt" | "ge" | "lt" | "le" ) , value ;
//! list        = attribute , "in" , ( "(" , values , ")" | values ) ;
//! values      = value , { "," , value } ;
//! member      = value , "in" , attribute ;
//! call        = function , "(" , argument , "," , argument , ")" , [ "eq" , boolean ] ;
//! function    = "startswith" | "endswith" | "contains" | "substringof" ;
//! argument    = value | attribute ;              (* exactly one of each, in either order *)
//! attribute   = step , { ( "." | "/" ) , step } ;
//! step        = character , { character } ;      (* without an unescaped "." or "/" *)
//! value       = quoted | word ;                  (* the word null is no value at all *)
//! boolean     = "true" | "false" ;
//! word        = character , { character } ;
//! character   = "\" , ? any character ?
//!             | ? any character but blanks and ( ) , ' " ? ;
//! quoted      = "'" , { ? any but ' and \ ? | "''" | "\" , ? any ? } , "'"
//!             | '"' , { ? any but " and \ ? | '""' | "\" , ? any ? } , '"' ;
//! ```
//!
//! Words of the language are read in any case. `and or not eq ne gt ge lt le in` are neither
//! attributes nor bare values; quoted or escaped they are. Where two readings are possible:
//!
//! * An argument of a function is the literal when it is quoted. With two bare words it is the one
//!   that cannot be an attribute (steps begin with a letter or `_` and go on with letters, digits,
//!   `_` and `-`); when both can, that is an error rather than a guess.
//! * The left side of `in` is the literal when it is quoted, or when it cannot be an attribute and
//!   no parenthesis follows.
//!
//! What the input looked like is known from domain.md section 6.2; the tests go through its table.

mod refusal;

use std::iter::Peekable;
use std::vec;

use crate::attribute::{AttributePath, looks_like_attribute};
use crate::filter::{Attribute, Expression, Function, Operator};
use crate::lexer::{Kind, Token, is_reserved, tokens, unescape};
use crate::literal::{Literal, Text};
use crate::syntax::{MAX_DEPTH, SyntaxError, check_length};
use refusal::{no_operator, not_joined, operator_hint, quotes_hint, shown};

/// Reads a whole filter.
pub(crate) fn parse(text: &str) -> Result<Expression, SyntaxError> {
    check_length(text)?;
    let tokens = tokens(text)?.into_iter().peekable();
    let mut parser = Parser {
        tokens,
        end: text.chars().count() + 1,
        depth: 0,
    };
    let expression = parser.filter()?;
    match parser.take() {
        None => Ok(expression),
        Some(Token {
            kind: Kind::Close,
            column,
        }) => Err(SyntaxError::new(column, "this `)` closes nothing")),
        Some(token) => Err(not_joined(&token)),
    }
}

struct Parser<'a> {
    tokens: Peekable<vec::IntoIter<Token<'a>>>,
    /// The column behind the last character, where whatever is missing at the end is missing.
    end: usize,
    depth: usize,
}

/// What stands between `(` and `,`, and between `,` and `)`.
struct Argument<'a> {
    kind: ArgumentKind<'a>,
    column: usize,
}

enum ArgumentKind<'a> {
    Quoted(String),
    Bare(&'a str),
}

impl<'a> Parser<'a> {
    fn filter(&mut self) -> Result<Expression, SyntaxError> {
        let mut terms = vec![self.conjunction()?];
        while self.take_word("or") {
            terms.push(self.conjunction()?);
        }
        Ok(Expression::any(terms))
    }

    fn conjunction(&mut self) -> Result<Expression, SyntaxError> {
        let mut terms = vec![self.term()?];
        while self.take_word("and") {
            terms.push(self.term()?);
        }
        Ok(Expression::all(terms))
    }

    fn term(&mut self) -> Result<Expression, SyntaxError> {
        let Some(Token { kind, column }) = self.take() else {
            return Err(
                SyntaxError::new(self.end, "a condition is missing at the end")
                    .hint("a condition looks like `name eq 'V1'`"),
            );
        };
        match kind {
            Kind::Open => self.group(column),
            Kind::Quoted(value) => self.member(Literal::quoted(value)),
            Kind::Word(word) if word.eq_ignore_ascii_case("not") => self.negation(column),
            Kind::Word(word) if is_reserved(word) => Err(SyntaxError::new(
                column,
                format!("a condition is missing before `{word}`"),
            )
            .hint("if the word is an attribute, put a `\\` before it")),
            Kind::Word(word) if matches!(self.peek(), Some(Kind::Open)) => self.call(word, column),
            Kind::Word(word) => self.comparison(word, column),
            kind @ (Kind::Close | Kind::Comma) => {
                let message = format!("a condition is missing before {}", shown(&kind));
                Err(SyntaxError::new(column, message))
            }
        }
    }

    fn group(&mut self, opened: usize) -> Result<Expression, SyntaxError> {
        self.deeper(opened)?;
        let inner = self.filter()?;
        self.depth -= 1;
        match self.take() {
            Some(Token {
                kind: Kind::Close, ..
            }) => Ok(inner),
            Some(token) => Err(not_joined(&token)),
            None => Err(SyntaxError::new(
                opened,
                "the parenthesis that opens here is never closed",
            )),
        }
    }

    fn negation(&mut self, column: usize) -> Result<Expression, SyntaxError> {
        self.deeper(column)?;
        let inner = self.term()?;
        self.depth -= 1;
        Ok(Expression::Not(Box::new(inner)))
    }

    /// `attribute op value`, `attribute in list`, or `value in attribute` with a bare value.
    fn comparison(&mut self, left: &str, column: usize) -> Result<Expression, SyntaxError> {
        let Some(Token {
            kind,
            column: operator_column,
        }) = self.take()
        else {
            let message = format!("an operator and a value are missing after `{left}`");
            return Err(SyntaxError::new(self.end, message).hint(operator_hint(left)));
        };
        let word = match kind {
            Kind::Word(word) => word,
            other => return Err(no_operator(left, &shown(&other), operator_column)),
        };
        if word.eq_ignore_ascii_case("in") {
            if !looks_like_attribute(left) && !matches!(self.peek(), Some(Kind::Open)) {
                return self.member_of(Literal::bare(unescape(left)));
            }
            let attribute = attribute(left, column)?;
            return Ok(one_of(attribute, self.list()?));
        }
        let found = Operator::ALL
            .into_iter()
            .find(|o| o.word().eq_ignore_ascii_case(word));
        let Some(operator) = found else {
            return Err(no_operator(left, &format!("`{word}`"), operator_column));
        };
        let attribute = attribute(left, column)?;
        Ok(Expression::Compare {
            attribute,
            operator,
            value: self.value(operator.word())?,
        })
    }

    /// `'value' in attribute`, the value being read already.
    fn member(&mut self, value: Literal) -> Result<Expression, SyntaxError> {
        match self.take() {
            Some(Token {
                kind: Kind::Word(word),
                ..
            }) if word.eq_ignore_ascii_case("in") => self.member_of(value),
            other => {
                let column = other.map_or(self.end, |token| token.column);
                Err(SyntaxError::new(
                    column,
                    "only `in` and an attribute can follow a quoted value",
                )
                .hint("attributes stand on the left and without quotes: `name eq 'V1'`"))
            }
        }
    }

    fn member_of(&mut self, value: Literal) -> Result<Expression, SyntaxError> {
        match self.take() {
            Some(Token {
                kind: Kind::Word(word),
                column,
            }) => {
                let attribute = attribute(word, column)?;
                Ok(Expression::Compare {
                    attribute,
                    operator: Operator::Eq,
                    value,
                })
            }
            other => {
                let column = other.map_or(self.end, |token| token.column);
                Err(
                    SyntaxError::new(column, "an attribute is missing after `in`")
                        .hint("either `'value' in attribute` or `attribute in ('value', 'value')`"),
                )
            }
        }
    }

    /// One or more values, the parentheses around them being optional.
    fn list(&mut self) -> Result<Vec<Literal>, SyntaxError> {
        let opened = self.take_if(|kind| matches!(kind, Kind::Open));
        let mut values = vec![self.value("in")?];
        while self.take_if(|kind| matches!(kind, Kind::Comma)).is_some() {
            values.push(self.value(",")?);
        }
        if let Some(opened) = opened {
            self.close(opened.column, "`,` or `)`")?;
        }
        Ok(values)
    }

    fn value(&mut self, after: &str) -> Result<Literal, SyntaxError> {
        let (column, found) = match self.take() {
            Some(Token {
                kind: Kind::Quoted(value),
                ..
            }) => return Ok(Literal::quoted(value)),
            Some(Token {
                kind: Kind::Word(word),
                ..
            }) if !is_reserved(word) => {
                return Ok(Literal::bare(unescape(word)));
            }
            Some(token) => (token.column, format!(", found {}", shown(&token.kind))),
            None => (self.end, String::new()),
        };
        Err(SyntaxError::new(column, format!("a value is missing after `{after}`{found}"))
            .hint("put quotes around a value that is empty, a word of the language or has parentheses"))
    }

    fn call(&mut self, name: &str, column: usize) -> Result<Expression, SyntaxError> {
        let function = function(name, column)?;
        let opened = self.take().map_or(column, |token| token.column);
        let first = self.argument(name)?;
        if self.take_if(|kind| matches!(kind, Kind::Comma)).is_none() {
            let column = self.tokens.peek().map_or(self.end, |token| token.column);
            let message = format!("`{name}` wants two arguments, with a `,` between them");
            return Err(SyntaxError::new(column, message).hint(format!(
                "`{name}(attribute, 'text')` or `{name}('text', attribute)`"
            )));
        }
        let second = self.argument(name)?;
        self.close(opened, "`)`")?;
        let (attribute, text) = sort_arguments(name, first, second)?;
        let call = Expression::Call {
            function,
            attribute,
            text,
        };
        if self.wanted()? {
            return Ok(call);
        }
        // Printed with a `not`, which must not be deeper than the parser reads.
        self.deeper(column)?;
        self.depth -= 1;
        Ok(Expression::Not(Box::new(call)))
    }

    fn argument(&mut self, function: &str) -> Result<Argument<'a>, SyntaxError> {
        match self.take() {
            Some(Token {
                kind: Kind::Quoted(value),
                column,
            }) => Ok(Argument {
                kind: ArgumentKind::Quoted(value),
                column,
            }),
            Some(Token {
                kind: Kind::Word(word),
                column,
            }) => Ok(Argument {
                kind: ArgumentKind::Bare(word),
                column,
            }),
            other => {
                let column = other.map_or(self.end, |token| token.column);
                Err(SyntaxError::new(
                    column,
                    format!("an argument of `{function}` is missing"),
                ))
            }
        }
    }

    /// The OData habit of comparing a function with `true`; left out it means the same.
    fn wanted(&mut self) -> Result<bool, SyntaxError> {
        if !self.take_word("eq") {
            return Ok(true);
        }
        let token = self.take();
        match &token {
            Some(Token {
                kind: Kind::Word(word),
                ..
            }) if word.eq_ignore_ascii_case("true") => Ok(true),
            Some(Token {
                kind: Kind::Word(word),
                ..
            }) if word.eq_ignore_ascii_case("false") => Ok(false),
            _ => {
                let column = token.map_or(self.end, |token| token.column);
                Err(SyntaxError::new(
                    column,
                    "a function is compared with `true` or `false` only",
                ))
            }
        }
    }

    fn close(&mut self, opened: usize, expected: &str) -> Result<(), SyntaxError> {
        match self.take() {
            Some(Token {
                kind: Kind::Close, ..
            }) => Ok(()),
            Some(token) => {
                let message = format!("expected {expected}, found {}", shown(&token.kind));
                Err(SyntaxError::new(token.column, message).hint(quotes_hint(&token.kind)))
            }
            None => Err(SyntaxError::new(
                opened,
                "the parenthesis that opens here is never closed",
            )),
        }
    }

    fn deeper(&mut self, column: usize) -> Result<(), SyntaxError> {
        self.depth += 1;
        if self.depth > MAX_DEPTH {
            let message = format!("more than {MAX_DEPTH} levels of parentheses and `not`");
            return Err(SyntaxError::new(column, message));
        }
        Ok(())
    }

    fn peek(&mut self) -> Option<&Kind<'a>> {
        self.tokens.peek().map(|token| &token.kind)
    }

    fn take(&mut self) -> Option<Token<'a>> {
        self.tokens.next()
    }

    fn take_if(&mut self, wanted: impl Fn(&Kind<'a>) -> bool) -> Option<Token<'a>> {
        self.tokens.next_if(|token| wanted(&token.kind))
    }

    fn take_word(&mut self, wanted: &str) -> bool {
        self.take_if(|kind| matches!(kind, Kind::Word(word) if word.eq_ignore_ascii_case(wanted)))
            .is_some()
    }
}

/// A list of one is an equality, which an index can answer.
fn one_of(attribute: Attribute, mut values: Vec<Literal>) -> Expression {
    match values.pop() {
        Some(value) if values.is_empty() => Expression::Compare {
            attribute,
            operator: Operator::Eq,
            value,
        },
        last => {
            values.extend(last);
            Expression::OneOf { attribute, values }
        }
    }
}

fn attribute(written: &str, column: usize) -> Result<Attribute, SyntaxError> {
    if is_reserved(written) {
        let message = format!("an attribute is missing, found `{written}`");
        return Err(SyntaxError::new(column, message)
            .hint("if the word is an attribute, put a `\\` before it"));
    }
    let path = AttributePath::parse(written).map_err(|error| error.moved(column - 1))?;
    Ok(Attribute { path, column })
}

fn function(name: &str, column: usize) -> Result<Function, SyntaxError> {
    if name.eq_ignore_ascii_case("substringof") {
        return Ok(Function::Contains);
    }
    let found = Function::ALL
        .into_iter()
        .find(|f| f.word().eq_ignore_ascii_case(name));
    found.ok_or_else(|| {
        SyntaxError::new(column, format!("there is no function `{name}`"))
            .hint("the functions are startswith, endswith, contains and substringof")
    })
}

/// Which argument is the attribute, and which the text? Clients use both orders (domain.md 6.2).
fn sort_arguments(
    name: &str,
    first: Argument<'_>,
    second: Argument<'_>,
) -> Result<(Attribute, Text), SyntaxError> {
    use ArgumentKind::{Bare, Quoted};

    let column = first.column;
    match (first.kind, second.kind) {
        (Bare(word), Quoted(text)) => Ok((attribute(word, column)?, Text::new(text))),
        (Quoted(text), Bare(word)) => Ok((attribute(word, second.column)?, Text::new(text))),
        (Quoted(_), Quoted(_)) => Err(SyntaxError::new(
            column,
            format!("both arguments of `{name}` are quoted, so neither is an attribute"),
        )
        .hint("take the quotes off the attribute")),
        (Bare(one), Bare(other)) => {
            match (looks_like_attribute(one), looks_like_attribute(other)) {
                (true, false) => Ok((attribute(one, column)?, Text::new(unescape(other)))),
                (false, true) => Ok((attribute(other, second.column)?, Text::new(unescape(one)))),
                _ => Err(SyntaxError::new(
                    column,
                    format!("cannot tell which argument of `{name}` is the attribute"),
                )
                .hint("put quotes around the text that is looked for")),
            }
        }
    }
}

#[cfg(test)]
mod tests;
