//! What can be wrong with the values of a request, each naming the argument.

use std::fmt;

use thiserror::Error;

use crate::definition::Listed;

/// Everything that is wrong with the values given for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestError {
    mistakes: Vec<Mistake>,
}

impl RequestError {
    /// `None` when there are no mistakes.
    pub(crate) fn of(mistakes: Vec<Mistake>) -> Option<Self> {
        (!mistakes.is_empty()).then_some(Self { mistakes })
    }

    /// The mistakes; at least one.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// Whether it could be sent all the same, for the server to decide.
    pub fn could_be_sent(&self) -> bool {
        self.mistakes.iter().all(Mistake::could_be_sent)
    }
}

impl fmt::Display for RequestError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.mistakes.as_slice() {
            [only] => only.fmt(f),
            several => {
                write!(f, "{} mistakes:", several.len())?;
                several.iter().try_for_each(|one| write!(f, "\n- {one}"))
            }
        }
    }
}

impl std::error::Error for RequestError {}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Mistake {
    /// No parameter and no property of the body is called this.
    #[error(
        "{owner} takes no {name:?}{}{}",
        Listed("; similar names: ", near),
        Listed("; it takes: ", known)
    )]
    UnknownName {
        /// The operation, or the property that has no such member.
        owner: String,
        /// The name given.
        name: String,
        /// Names that look like it.
        near: Vec<String>,
        /// All names that exist, parameters first.
        known: Vec<String>,
    },
    /// A name that several things have.
    #[error(
        "{name:?} can mean several things; say which{}",
        Listed(": ", candidates)
    )]
    AmbiguousName {
        /// The name given.
        name: String,
        /// What it can mean, as it would have to be written.
        candidates: Vec<String>,
    },
    /// A property that only the server sets.
    #[error("{name:?} is read-only: the server sets it")]
    ReadOnly {
        /// The name given.
        name: String,
    },
    /// A parameter that must be given was not.
    #[error("{operation} needs {name:?}{}", Example(example.as_ref()))]
    MissingParameter {
        /// The operation.
        operation: String,
        /// The parameter.
        name: String,
        /// What it can look like.
        example: Option<String>,
        /// Whether there is no address without it.
        in_path: bool,
    },
    /// The operation needs a body and got nothing for it.
    #[error(
        "{operation} needs a body{}{}",
        Listed("; its required properties: ", required),
        Example(example.as_ref())
    )]
    MissingBody {
        /// The operation.
        operation: String,
        /// Properties the body must have.
        required: Vec<String>,
        /// What the body can look like.
        example: Option<String>,
    },
    /// The operation takes no body.
    #[error("{operation} takes no body")]
    UnwantedBody {
        /// The operation.
        operation: String,
    },
    /// The operation takes bodies, but none of this media type.
    #[error(
        "{operation} takes no body of {media_type}{}",
        Listed("; it takes: ", known)
    )]
    WrongMediaType {
        /// The operation.
        operation: String,
        /// The media type given.
        media_type: String,
        /// The media types it takes.
        known: Vec<String>,
    },
    /// The body is no JSON.
    #[error("the body is no JSON: {reason}")]
    BodyIsNoJson {
        /// What is wrong, with line and column.
        reason: String,
    },
    /// A body that cannot be put together from names and values.
    #[error(
        "{name:?} cannot be put into the body: a body of {media_type} is given whole, with --data @FILE"
    )]
    OpaqueBody {
        /// The first name given.
        name: String,
        /// The media type.
        media_type: String,
    },
    /// A body that can be put together from names and values only.
    #[error(
        "a body of {media_type} is put together from NAME=VALUE and NAME=@FILE; it cannot be given whole"
    )]
    BodyOfParts {
        /// The media type.
        media_type: String,
    },
    /// A name that leads into something that is neither an object nor a list.
    #[error("{name:?} leads into {inside}, which is no object and no list")]
    NoInside {
        /// The name given.
        name: String,
        /// The part of it that holds a single value.
        inside: String,
    },
    /// A place in a list that cannot be filled.
    #[error(
        "{name:?} leads into a list by {step:?}; its items are numbered from 0 without gaps, and the next is {next}"
    )]
    NoItem {
        /// The name given.
        name: String,
        /// The step that should be a number.
        step: String,
        /// How many items there are.
        next: usize,
    },
    /// A value does not have the type its property has.
    #[error("{name:?} must be {expected}, not {value}")]
    WrongType {
        /// The property.
        name: String,
        /// The type, in words.
        expected: String,
        /// The value given.
        value: String,
    },
    /// A value that is none of the few that there are.
    #[error(
        "{name:?} cannot be {value}{}; it is one of: {}",
        Listed("; similar: ", near),
        allowed.join(", ")
    )]
    NoChoice {
        /// The property or parameter.
        name: String,
        /// The value given.
        value: String,
        /// Values that look like it.
        near: Vec<String>,
        /// All values.
        allowed: Vec<String>,
    },
    /// A value that breaks the schema.
    #[error("{message}")]
    Violation {
        /// What is wrong, naming the field.
        message: String,
        /// The parameter; `None` when it is in the body.
        parameter: Option<String>,
        /// JSON pointer to the place in the value; empty for the whole value.
        pointer: String,
    },
    /// An item with the sign that parts items in the style of the parameter.
    #[error("an item of {name:?} holds {sign:?}, which parts the items of this parameter")]
    TornItem {
        /// The parameter.
        name: String,
        /// The sign.
        sign: char,
    },
    /// A parameter that was given as null.
    #[error("{name:?} is a parameter and cannot be null; leave it out")]
    NullParameter {
        /// The parameter.
        name: String,
    },
    /// A name that can have one value was given several.
    #[error("{name:?} is given more than once and can have one value only")]
    Repeated {
        /// The name.
        name: String,
    },
    /// A value that cannot stand in a path: empty, or a step up or nowhere, which every client
    /// and proxy on the way would remove (RFC 3986 section 5.2.4), percent-encoded or not.
    #[error(
        "{name:?} cannot be {value:?}: it is a segment of the path, which such a value would change"
    )]
    NoSegment {
        /// The parameter.
        name: String,
        /// The value given.
        value: String,
    },
    /// A value that cannot stand in a header.
    #[error("{name:?} is sent as a header and may hold visible characters and blanks only")]
    NoHeader {
        /// The parameter.
        name: String,
    },
}

impl Mistake {
    /// The argument or the parameter that it is about; `None` when it is about the body as a whole,
    /// or a place in it.
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::UnknownName { name, .. }
            | Self::AmbiguousName { name, .. }
            | Self::ReadOnly { name }
            | Self::MissingParameter { name, .. }
            | Self::OpaqueBody { name, .. }
            | Self::NoInside { name, .. }
            | Self::NoItem { name, .. }
            | Self::WrongType { name, .. }
            | Self::NoChoice { name, .. }
            | Self::TornItem { name, .. }
            | Self::NullParameter { name }
            | Self::Repeated { name }
            | Self::NoSegment { name, .. }
            | Self::NoHeader { name } => Some(name),
            Self::Violation { parameter, .. } => parameter.as_deref(),
            Self::MissingBody { .. }
            | Self::UnwantedBody { .. }
            | Self::WrongMediaType { .. }
            | Self::BodyIsNoJson { .. }
            | Self::BodyOfParts { .. } => None,
        }
    }

    /// Whether a request can be built in spite of it.
    pub fn could_be_sent(&self) -> bool {
        match self {
            Self::UnknownName { .. }
            | Self::ReadOnly { .. }
            | Self::MissingBody { .. }
            | Self::UnwantedBody { .. }
            | Self::WrongMediaType { .. }
            | Self::BodyIsNoJson { .. }
            | Self::WrongType { .. }
            | Self::NoChoice { .. }
            | Self::Violation { .. } => true,
            Self::MissingParameter { in_path, .. } => !in_path,
            Self::AmbiguousName { .. }
            | Self::OpaqueBody { .. }
            | Self::BodyOfParts { .. }
            | Self::NoInside { .. }
            | Self::NoItem { .. }
            | Self::TornItem { .. }
            | Self::NullParameter { .. }
            | Self::Repeated { .. }
            | Self::NoSegment { .. }
            | Self::NoHeader { .. } => false,
        }
    }
}

/// An example in brackets, or nothing.
struct Example<'a>(Option<&'a String>);

impl fmt::Display for Example<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0
            .map_or(Ok(()), |example| write!(f, " (for example {example})"))
    }
}
