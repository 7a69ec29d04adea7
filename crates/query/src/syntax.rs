//! What every text of the query language has in common: its limits and how a refusal is worded.
//!
//! Knows nothing of what the texts mean; filter, sort and select each bring their own grammar.

/// How many characters a filter, sort or select may have. Servers and proxies cut request lines
/// at 8 to 64 KiB; 16,384 characters hold `id in (…)` with some 370 of the real system's 42-digit
/// ids, more than any list page of a client asks for, and keep the cost of one parse below a
/// millisecond.
pub const MAX_LENGTH: usize = 16_384;

/// How deeply parentheses and `not` may be nested, and how many steps an attribute path may have.
/// Parser, printer and evaluation recurse once per level, so this bounds the stack; people write
/// two or three levels, generators perhaps ten.
pub const MAX_DEPTH: usize = 64;

/// How many conditions a filter may have: each may cost a look-up in every item of a list.
pub const MAX_TERMS: usize = 256;

/// A text that is not in the language: where, what, and often what to write instead.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: {message}")]
pub struct SyntaxError {
    /// 1-based, in characters of the decoded text.
    pub column: usize,
    /// What was found, and what was expected in its place.
    pub message: String,
    /// What to write instead, where that can be guessed.
    pub hint: Option<String>,
}

impl SyntaxError {
    pub(crate) fn new(column: usize, message: impl Into<String>) -> Self {
        Self {
            column,
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Counts the column in a larger text, of which this one begins `by` characters further on.
    pub(crate) fn moved(mut self, by: usize) -> Self {
        self.column += by;
        self
    }
}

/// Refuses a text that is too long before any work is done on it.
pub(crate) fn check_length(text: &str) -> Result<(), SyntaxError> {
    if text.chars().nth(MAX_LENGTH).is_none() {
        return Ok(());
    }
    Err(SyntaxError::new(
        MAX_LENGTH + 1,
        format!("the text is longer than {MAX_LENGTH} characters"),
    )
    .hint("ask in several requests, each with a part of the list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn length_is_counted_in_characters_and_the_limit_itself_is_allowed() {
        assert_eq!(check_length(&"é".repeat(MAX_LENGTH)), Ok(()));
        let error = check_length(&"é".repeat(MAX_LENGTH + 1)).unwrap_err();
        assert_eq!(error.column, MAX_LENGTH + 1);
    }

    #[test]
    fn display_names_the_column() {
        let error = SyntaxError::new(3, "no").moved(2);
        assert_eq!(error.to_string(), "column 5: no");
    }
}
