//! How the parser words what it found in place of what it expected, and what it advises people
//! who write the operators of other languages. Knows tokens, not the grammar.

use crate::lexer::{Kind, Token};
use crate::syntax::SyntaxError;

/// Something follows a complete condition without `and` or `or`.
pub(super) fn not_joined(token: &Token<'_>) -> SyntaxError {
    let message = format!(
        "expected `and`, `or` or the end, found {}",
        shown(&token.kind)
    );
    SyntaxError::new(token.column, message).hint(quotes_hint(&token.kind))
}

pub(super) fn no_operator(left: &str, found: &str, column: usize) -> SyntaxError {
    let message = format!("expected an operator after `{left}`, found {found}");
    SyntaxError::new(column, message).hint(operator_hint(found.trim_matches('`')))
}

/// What to write instead of the operators of other languages.
pub(super) fn operator_hint(written: &str) -> String {
    let instead = match written.to_ascii_lowercase().as_str() {
        "=" | "==" | "is" => "`eq`",
        "!=" | "<>" => "`ne`",
        ">" => "`gt`",
        ">=" => "`ge`",
        "<" => "`lt`",
        "<=" => "`le`",
        "like" | "~" | "=~" => "`contains(attribute, 'text')`",
        other if other.contains(['=', ':', '<', '>']) => {
            "blanks around the operator, as in `name eq 'V1'`"
        }
        _ => return "the operators are eq, ne, gt, ge, lt, le and in".to_owned(),
    };
    format!("write {instead}")
}

pub(super) fn quotes_hint(found: &Kind<'_>) -> &'static str {
    match found {
        Kind::Word("&&" | "&") => "write `and`",
        Kind::Word("||" | "|") => "write `or`",
        Kind::Comma => "put quotes around a value with a comma; a list needs `in`",
        _ => "put quotes around a value with blanks, quotes or parentheses: 'HPE Alletra 9060'",
    }
}

pub(super) fn shown(kind: &Kind<'_>) -> String {
    match kind {
        Kind::Word(word) => format!("`{word}`"),
        Kind::Quoted(value) => format!("the text '{value}'"),
        Kind::Open => "`(`".to_owned(),
        Kind::Close => "`)`".to_owned(),
        Kind::Comma => "`,`".to_owned(),
    }
}
