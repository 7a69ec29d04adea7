//! Where a name goes: which parameter of the operation it means, or which part of the body.

use crate::build::argument::Argument;
use crate::build::mistake::Mistake;
use crate::build::shape::Shape;
use crate::definition::near;
use crate::operation::{Location, Parameter};

/// What a name means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Target {
    /// The parameter at this position, and the steps into its value.
    Parameter(usize, Vec<String>),
    /// These steps into the body; whether they were said to be so.
    Body(Vec<String>, bool),
    /// A parameter of the query, a header or a cookie that the definition does not know.
    Extra(Location, String),
}

/// What an operation can be given.
pub(crate) struct Names<'a> {
    /// The operation.
    pub(crate) operation: &'a str,
    /// Its parameters.
    pub(crate) parameters: &'a [&'a Parameter],
    /// The shape of the body that is sent, if there is one that can be put together.
    pub(crate) body: Option<Shape<'a>>,
    /// Whether names that the definition does not know are mistakes.
    pub(crate) checked: bool,
}

/// Where a name can go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Place {
    Parameter(Location),
    Body,
}

/// The words that say so.
const PLACES: [(&str, Place); 5] = [
    ("path", Place::Parameter(Location::Path)),
    ("query", Place::Parameter(Location::Query)),
    ("header", Place::Parameter(Location::Header)),
    ("cookie", Place::Parameter(Location::Cookie)),
    ("body", Place::Body),
];

/// The place that a word says.
pub(crate) fn place(word: &str) -> Option<Place> {
    let known = PLACES.iter().find(|(name, _)| *name == word);
    known.map(|(_, place)| *place)
}

/// The word that says a place.
pub(crate) fn word(place: Place) -> &'static str {
    let known = PLACES.iter().find(|(_, one)| *one == place);
    known.map_or("body", |(word, _)| word)
}

impl Names<'_> {
    /// What the argument's name means. A name that is declared is that, even when it begins like a
    /// place; the longest declared name wins over one that its first steps make.
    pub(crate) fn target(&self, argument: &Argument) -> Result<Target, Mistake> {
        let steps = argument.steps();
        if let (true, [first, rest @ ..], Some(place)) =
            (argument.is_placed(), steps, place(&steps[0]))
        {
            return self.placed(argument, first, place, rest);
        }
        for length in (1..=steps.len()).rev() {
            let (name, rest) = (steps[..length].join("."), &steps[length..]);
            let mut found = self.parameters(&name, None);
            let body = self.body_property(&name, !found.is_empty());
            if let ([], true) = (found.as_slice(), body) {
                return Ok(Target::Body([&[name][..], rest].concat(), false));
            }
            match (found.as_slice(), body) {
                ([], _) => {}
                ([only], false) => return Ok(Target::Parameter(*only, rest.to_vec())),
                _ => {
                    found.sort_unstable();
                    return Err(self.ambiguous(argument, &name, &found, body));
                }
            }
        }
        if let ([first, rest @ ..], Some(place)) = (steps, place(&steps[0]))
            && !rest.is_empty()
        {
            return self.placed(argument, first, place, rest);
        }
        match self.body {
            Some(shape) if shape.takes_any_member() || !self.checked => {
                Ok(Target::Body(steps.to_vec(), false))
            }
            None if !self.checked => Ok(Target::Extra(Location::Query, steps.join("."))),
            _ => Err(unknown(self.operation, &steps.join("."), &self.known())),
        }
    }

    /// A name behind a word that says where it goes.
    fn placed(
        &self,
        argument: &Argument,
        word: &str,
        place: Place,
        steps: &[String],
    ) -> Result<Target, Mistake> {
        let Place::Parameter(location) = place else {
            return Ok(Target::Body(steps.to_vec(), true));
        };
        for length in (1..=steps.len()).rev() {
            let name = steps[..length].join(".");
            if let [only, ..] = self.parameters(&name, Some(location)).as_slice() {
                return Ok(Target::Parameter(*only, steps[length..].to_vec()));
            }
        }
        if !self.checked && location != Location::Path {
            return Ok(Target::Extra(location, steps.join(".")));
        }
        let known = self
            .parameters
            .iter()
            .filter(|one| one.location == location);
        let as_written = |name: &str| {
            if argument.is_placed() {
                name.to_owned()
            } else {
                format!("{word}.{name}")
            }
        };
        let known: Vec<String> = known.map(|one| as_written(&one.name)).collect();
        Err(unknown(self.operation, argument.name(), &known))
    }

    /// The parameters of this name; letter case does not count in headers (RFC 9110 section 5.1).
    fn parameters(&self, name: &str, location: Option<Location>) -> Vec<usize> {
        let fits = |one: &Parameter| match one.location {
            Location::Header => one.name.eq_ignore_ascii_case(name),
            _ => one.name == name,
        };
        let here = |one: &Parameter| location.is_none_or(|location| one.location == location);
        let all = self.parameters.iter().enumerate();
        all.filter(|(_, one)| here(one) && fits(one))
            .map(|(at, _)| at)
            .collect()
    }

    /// Whether the body has a property of this name. One that only the server sets is not meant
    /// where a parameter is called so too.
    fn body_property(&self, name: &str, is_parameter: bool) -> bool {
        let property = self.body.and_then(|shape| shape.declared(name));
        property.is_some_and(|property| !(is_parameter && property.is_read_only()))
    }

    fn ambiguous(&self, argument: &Argument, name: &str, found: &[usize], body: bool) -> Mistake {
        let parameters = found.iter().map(|at| self.parameters[*at]);
        let places = parameters.map(|one| word(Place::Parameter(one.location)));
        let candidates = places.chain(body.then_some("body"));
        Mistake::AmbiguousName {
            name: argument.name().to_owned(),
            candidates: candidates.map(|place| format!("{place}.{name}=")).collect(),
        }
    }

    fn known(&self) -> Vec<String> {
        let parameters = self.parameters.iter().map(|one| one.name.clone());
        let members = self
            .body
            .map(|shape| shape.members())
            .unwrap_or_default()
            .into_iter();
        let sent = members.filter(|(_, shape)| !shape.is_read_only());
        parameters
            .chain(sent.map(|(name, _)| name.to_owned()))
            .collect()
    }
}

fn unknown(owner: &str, name: &str, known: &[String]) -> Mistake {
    Mistake::UnknownName {
        owner: owner.to_owned(),
        name: name.to_owned(),
        near: near(&name.to_lowercase(), known.iter().map(String::as_str)),
        known: known.to_vec(),
    }
}
