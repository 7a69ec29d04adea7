//! What can be wrong with a definition that is still read.
//!
//! Which rules there are is said in `rules`; this module only knows how a finding looks.

use std::fmt;

/// A place in the text of a definition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Position {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
}

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Something is missing or contradicts itself; part of the definition cannot be used.
    Error,
    /// It can be used, but not as its author may think.
    Warning,
    /// Worth knowing.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Note => "note",
        })
    }
}

/// One finding in a definition: what, where, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How much it matters.
    pub severity: Severity,
    /// The external part it is in; `None` for the main document.
    pub part: Option<String>,
    /// JSON pointer (RFC 6901) to the place.
    pub pointer: String,
    /// Line of the place, counted from 1.
    pub line: usize,
    /// Column of the place in characters, counted from 1.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub advice: String,
    /// Name of the rule, stable, in kebab-case.
    pub rule: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            part,
            severity,
            line,
            column,
            message,
            rule,
            ..
        } = self;
        if let Some(part) = part {
            write!(f, "{part}:")?;
        }
        write!(f, "{line}:{column}: {severity}: {message} [{rule}]")
    }
}
