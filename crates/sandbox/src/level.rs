//! How faithfully a stand-in answers an operation. The levels are published: nobody is to take an
//! invented answer for a kept one.

use std::fmt;

/// How an operation is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// By rules written for it: kept, and consistent with everything that hangs together with it.
    Stateful,
    /// By what the definition tells of it: kept, but it changes nothing besides its own object.
    Generic,
    /// With a 501 that says why.
    Refused(Reason),
}

/// Why an operation is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum Reason {
    /// Its objects follow rules of their own, and it is not among them.
    #[error("its objects have rules of their own here, and this operation is none of them")]
    Ruled,
    /// There is nothing that it could act on.
    #[error("nothing that it acts on can be read by the definition")]
    Unknown,
    /// Nothing of what is sent can be seen in any answer.
    #[error("nothing of what it is sent is shown by any answer of the definition")]
    Unshown,
    /// It does something, and the definition does not tell what.
    #[error("the definition does not tell what it changes")]
    Effect,
    /// It answers with a result that is nowhere else.
    #[error("its result follows from nothing that is kept, and would have to be made up")]
    Result,
    /// Its path cannot be told apart into names and ids.
    #[error("a step of its path is an id and text at once")]
    Path,
    /// It has no JSON answer.
    #[error("the definition has no JSON answer for it")]
    Answer,
    /// Its method has no meaning for objects.
    #[error("its method does not say what it does")]
    Method,
}

impl Level {
    /// One word for it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Stateful => "stateful",
            Self::Generic => "generic",
            Self::Refused(_) => "refused",
        }
    }

    /// Why it is refused, if it is.
    pub fn reason(self) -> Option<Reason> {
        match self {
            Self::Refused(reason) => Some(reason),
            Self::Stateful | Self::Generic => None,
        }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}
