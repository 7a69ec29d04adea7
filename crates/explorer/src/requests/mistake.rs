//! What is wrong with a draft, told at its place: the parameter, the spot in the body, the column.

use hallpass_openapi::{Mistake, RequestError};
use serde::Serialize;

use super::MASK;
use super::fill::{Filled, Missing, Place};
use crate::workspace::RowPlace;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Wrong {
    pub(super) what: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) parameter: Option<String>,
    #[serde(rename = "in", skip_serializing_if = "Option::is_none")]
    pub(super) place: Option<RowPlace>,
    /// The place in the body.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) pointer: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) line: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) column: Option<usize>,
    pub(super) hint: String,
    /// Whether nothing can be sent with it, whatever the person says.
    pub(super) stops: bool,
}

impl Wrong {
    /// Something about the whole.
    pub(super) fn new(what: impl Into<String>, hint: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            parameter: None,
            place: None,
            pointer: None,
            line: None,
            column: None,
            hint: hint.into(),
            stops: false,
        }
    }

    /// The same, so bad that nothing can be sent.
    pub(super) fn stopping(mut self) -> Self {
        self.stops = true;
        self
    }

    /// The same about a parameter or a header.
    pub(super) fn of_row(mut self, name: &str, place: RowPlace) -> Self {
        self.parameter = Some(name.to_owned());
        self.place = Some(place);
        self
    }

    /// The same at a place in the body.
    fn in_body(mut self, pointer: &str) -> Self {
        self.pointer = Some(pointer.to_owned());
        self
    }

    /// The same at a column of the value.
    pub(super) fn at(mut self, column: usize) -> Self {
        self.column = Some(column);
        self
    }

    /// A variable without a value.
    pub(super) fn missing(missing: &Missing) -> Self {
        let what = format!("{{{{{}}}}} has no value: {}", missing.name, missing.why);
        let hint =
            "give the variable a value in the active environment, or choose another environment";
        let wrong = Self::new(what, hint);
        match &missing.at {
            Place::Address => wrong.stopping(),
            Place::Row(name, place) => wrong.of_row(name, *place),
            Place::Body => wrong.in_body(""),
        }
    }
}

/// What the definition says against the values of a draft. What it says against a mask is not said:
/// the secret itself may be fine.
pub(super) fn of_request(error: &RequestError, filled: &Filled) -> Vec<Wrong> {
    let mistakes = error.mistakes().iter();
    mistakes.filter_map(|one| of_mistake(one, filled)).collect()
}

fn of_mistake(mistake: &Mistake, filled: &Filled) -> Option<Wrong> {
    let mut wrong = Wrong::new(mistake.to_string(), hint(mistake));
    wrong.stops = !mistake.could_be_sent();
    match mistake {
        Mistake::Violation {
            parameter: None,
            pointer,
            ..
        } => {
            let masked = filled
                .body
                .as_ref()
                .is_some_and(|body| is_masked(&body.text, pointer));
            (!masked).then(|| wrong.in_body(pointer))
        }
        Mistake::BodyIsNoJson { .. } => Some(no_json(filled, wrong)),
        other => match other.name() {
            None => Some(wrong.in_body("")),
            Some(name) if filled.is_secret(name) && other.could_be_sent() => None,
            Some(name) => Some(wrong.of_row(name, place(mistake, name, filled))),
        },
    }
}

/// Where the parameter goes; one that is in no row was typed into the address.
fn place(mistake: &Mistake, name: &str, filled: &Filled) -> RowPlace {
    if let Mistake::MissingParameter { in_path: true, .. } = mistake {
        return RowPlace::Path;
    }
    let mut rows = filled.parameters.iter();
    let row = rows.find(|row| row.name.eq_ignore_ascii_case(name));
    row.map_or(RowPlace::Query, |row| row.place)
}

/// Where the text of a body stops being JSON.
fn no_json(filled: &Filled, mut wrong: Wrong) -> Wrong {
    let text = filled.body.as_ref().map_or("", |body| &body.text);
    if let Err(error) = serde_json::from_str::<serde::de::IgnoredAny>(text) {
        let (line, column) = (error.line(), error.column());
        let reason = error.to_string();
        let reason = reason.split(" at line ").next().unwrap_or(&reason);
        wrong.what = format!("the body is no JSON: line {line}, column {column}: {reason}");
        wrong.line = Some(line);
        wrong.column = Some(column);
    }
    wrong.in_body("")
}

fn is_masked(text: &str, pointer: &str) -> bool {
    let body: Option<serde_json::Value> = serde_json::from_str(text).ok();
    let at = body
        .as_ref()
        .and_then(|body| body.pointer(pointer)?.as_str());
    at.is_some_and(|text| text.contains(MASK))
}

fn hint(mistake: &Mistake) -> String {
    match mistake {
        Mistake::MissingParameter { example, .. } => match example {
            Some(example) => format!("fill it in, for example {example}"),
            None => "fill it in".to_owned(),
        },
        Mistake::UnknownName { .. } => "switch it off, or correct its name".to_owned(),
        Mistake::MissingBody { .. } => "fill in the body".to_owned(),
        Mistake::UnwantedBody { .. } => "remove the body".to_owned(),
        Mistake::WrongMediaType { known, .. } => format!("choose {}", known.join(" or ")),
        Mistake::BodyIsNoJson { .. } => {
            "texts and names stand in double quotes, and commas between members".to_owned()
        }
        Mistake::BodyOfParts { .. } => {
            "use the command line for it: hallpass call takes NAME=@FILE".to_owned()
        }
        Mistake::WrongType { expected, .. } => format!("write {expected}"),
        Mistake::NoChoice { allowed, .. } => format!("choose one of: {}", allowed.join(", ")),
        Mistake::NullParameter { .. } => "switch it off instead".to_owned(),
        Mistake::Repeated { .. } => "switch one of them off".to_owned(),
        Mistake::NoSegment { .. } => "write an id or a name".to_owned(),
        Mistake::NoHeader { .. } => "write plain letters, digits and signs, in one line".to_owned(),
        _ => "correct the value, or send it all the same and let the server decide".to_owned(),
    }
}
