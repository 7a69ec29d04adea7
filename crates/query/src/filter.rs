//! The filter: what it is made of once it has been read, and what can be asked of it.
//!
//! Does not know how filters are written (the parser and the printer do) nor how items are judged
//! (the evaluation does).

use crate::attribute::{AttributePath, Attributes, Lookup, UnknownAttribute};
use crate::literal::{Literal, Text};
use crate::parser;
use crate::syntax::{MAX_TERMS, SyntaxError};

/// A condition on the items of a list.
///
/// Displayed in one canonical form, whatever dialect it was written in; that form reads back as an
/// equal filter unless it is longer than [`MAX_LENGTH`](crate::MAX_LENGTH).
#[derive(Clone, Debug, PartialEq)]
pub struct Filter {
    pub(crate) expression: Expression,
}

impl Filter {
    /// Reads a filter from percent-decoded text.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let filter = parser::parse(text).map(|expression| Self { expression })?;
        filter.bounded()
    }

    /// Reads a parameter that may be repeated: an item must pass all of them. Blank ones count as
    /// absent. With several, an error says which one it is in; its column counts within that one.
    pub fn parse_all<'a>(
        texts: impl IntoIterator<Item = &'a str>,
    ) -> Result<Option<Self>, SyntaxError> {
        let texts: Vec<_> = texts
            .into_iter()
            .filter(|text| !text.trim().is_empty())
            .collect();
        let mut all = Vec::with_capacity(texts.len());
        for (index, text) in texts.iter().enumerate() {
            let filter = Self::parse(text).map_err(|mut error| {
                if texts.len() > 1 {
                    error.message = format!("in filter {}: {}", index + 1, error.message);
                }
                error
            })?;
            all.push(filter.expression);
        }
        if all.is_empty() {
            return Ok(None);
        }
        let expression = Expression::all(all);
        Self { expression }.bounded().map(Some)
    }

    /// Refuses a filter with so many conditions that judging items would take too long.
    fn bounded(self) -> Result<Self, SyntaxError> {
        if let Some(surplus) = self.expression.attributes().get(MAX_TERMS) {
            let message = format!("more than {MAX_TERMS} conditions");
            return Err(SyntaxError::new(surplus.column, message)
                .hint("`attribute in (…)` compares with many values in one condition"));
        }
        Ok(self)
    }

    /// May one filter by all the attributes used here? The first one that is not known is refused.
    pub fn check(&self, filterable: &Attributes) -> Result<(), UnknownAttribute> {
        let unknown = self
            .expression
            .attributes()
            .into_iter()
            .find(|a| !filterable.contains(&a.path));
        unknown.map_or(Ok(()), |a| Err(filterable.unknown(&a.path, a.column)))
    }

    /// Does this item pass?
    pub fn matches(&self, item: &dyn Lookup) -> bool {
        self.expression.holds(item)
    }

    /// The attributes used, in the order of their appearance, each as often as it appears.
    pub fn attributes(&self) -> impl Iterator<Item = &AttributePath> {
        self.expression
            .attributes()
            .into_iter()
            .map(|attribute| &attribute.path)
    }

    /// The equality with a text that is all of this filter, if it is one.
    pub fn only_equality(&self) -> Option<(&AttributePath, &str)> {
        match &self.expression {
            Expression::All(_) => None,
            _ => self.equalities().next(),
        }
    }

    /// Equalities that every passing item fulfils: the `a eq b` terms that are joined by nothing
    /// but `and`. An index can narrow a list by one of them before [`Filter::matches`] judges the
    /// rest; it must expect that `b` equals numbers and instants by value, and elements of arrays.
    /// A parameter such as `range=startTime eq 1 and endTime eq 2` is read with it, too.
    pub fn equalities(&self) -> impl Iterator<Item = (&AttributePath, &str)> {
        let terms = match &self.expression {
            Expression::All(terms) => terms.as_slice(),
            single => std::slice::from_ref(single),
        };
        terms.iter().filter_map(|term| match term {
            Expression::Compare {
                attribute,
                operator: Operator::Eq,
                value: Literal::Text(text),
            } => Some((&attribute.path, text.as_str())),
            _ => None,
        })
    }
}

/// A filter, taken apart. Function arguments have found their order, `f(…) eq false` is a `Not`,
/// and `'x' in tags` is `tags eq 'x'`, which means the same.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Expression {
    /// Joined by `and`: two or more, none of them an `All`.
    All(Vec<Expression>),
    /// Joined by `or`: two or more, none of them an `Any`.
    Any(Vec<Expression>),
    Not(Box<Expression>),
    Compare {
        attribute: Attribute,
        operator: Operator,
        value: Literal,
    },
    /// Two or more; a list of one is read as an equality.
    OneOf {
        attribute: Attribute,
        values: Vec<Literal>,
    },
    Call {
        function: Function,
        attribute: Attribute,
        text: Text,
    },
}

/// An attribute where it is used. Two are equal wherever they stand.
#[derive(Clone, Debug)]
pub(crate) struct Attribute {
    pub(crate) path: AttributePath,
    pub(crate) column: usize,
}

impl PartialEq for Attribute {
    fn eq(&self, other: &Self) -> bool {
        self.path == other.path
    }
}

/// The comparisons with one value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
}

impl Operator {
    pub(crate) const ALL: [Self; 6] = [Self::Eq, Self::Ne, Self::Gt, Self::Ge, Self::Lt, Self::Le];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
        }
    }
}

/// The tests for a part of a text. `substringof` is another name for `contains`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Function {
    StartsWith,
    EndsWith,
    Contains,
}

impl Function {
    pub(crate) const ALL: [Self; 3] = [Self::StartsWith, Self::EndsWith, Self::Contains];

    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::StartsWith => "startswith",
            Self::EndsWith => "endswith",
            Self::Contains => "contains",
        }
    }
}

impl Expression {
    /// Joins with `and`; terms that are themselves joined so are taken in.
    pub(crate) fn all(terms: Vec<Self>) -> Self {
        let flat = |term| match term {
            Self::All(terms) => terms,
            other => vec![other],
        };
        join(terms, flat, Self::All)
    }

    /// Joins with `or`; terms that are themselves joined so are taken in.
    pub(crate) fn any(terms: Vec<Self>) -> Self {
        let flat = |term| match term {
            Self::Any(terms) => terms,
            other => vec![other],
        };
        join(terms, flat, Self::Any)
    }

    fn attributes(&self) -> Vec<&Attribute> {
        match self {
            Self::All(terms) | Self::Any(terms) => {
                terms.iter().flat_map(Self::attributes).collect()
            }
            Self::Not(term) => term.attributes(),
            Self::Compare { attribute, .. }
            | Self::OneOf { attribute, .. }
            | Self::Call { attribute, .. } => vec![attribute],
        }
    }
}

fn join(
    mut terms: Vec<Expression>,
    flat: impl Fn(Expression) -> Vec<Expression>,
    joined: impl Fn(Vec<Expression>) -> Expression,
) -> Expression {
    if terms.len() == 1 {
        terms.remove(0)
    } else {
        joined(terms.into_iter().flat_map(flat).collect())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_repeated_parameter_is_a_conjunction() {
        let filter = Filter::parse_all(["a eq 1 or a eq 2", "", "  ", "b eq 3"])
            .unwrap()
            .unwrap();
        assert_eq!(filter.to_string(), "(a eq 1 or a eq 2) and b eq 3");
        assert!(filter.matches(&json!({"a": 2, "b": 3})));
        assert!(!filter.matches(&json!({"a": 2, "b": 4})));
    }

    #[test]
    fn the_number_of_conditions_is_limited() {
        let many = |count: usize| vec!["a eq 1"; count].join(" or ");
        assert!(Filter::parse(&many(MAX_TERMS)).is_ok());
        let error = Filter::parse(&many(MAX_TERMS + 1)).unwrap_err();
        assert_eq!(error.column, MAX_TERMS * 10 + 1);
        let texts = vec!["a eq 1"; MAX_TERMS + 1];
        assert!(Filter::parse_all(texts).is_err());
    }

    #[test]
    fn no_filter_and_blank_filters_are_none() {
        assert_eq!(Filter::parse_all([]), Ok(None));
        assert_eq!(Filter::parse_all(["", " \t"]), Ok(None));
    }

    #[test]
    fn an_error_in_one_of_several_names_which() {
        let error = Filter::parse_all(["a eq 1", "b eq"]).unwrap_err();
        assert!(error.message.starts_with("in filter 2: "), "{error}");
        assert_eq!(error.column, 5);
        assert!(
            !Filter::parse_all(["b eq"])
                .unwrap_err()
                .message
                .contains("filter 1")
        );
    }

    #[test]
    fn unknown_attributes_are_refused_where_they_stand() {
        let filter = Filter::parse("name eq a and not (contains('x', colour) eq true)").unwrap();
        assert_eq!(filter.check(&Attributes::any()), Ok(()));
        assert_eq!(filter.check(&Attributes::of(["Name", "colour"])), Ok(()));
        let error = filter.check(&Attributes::of(["name"])).unwrap_err();
        assert_eq!((error.name.as_str(), error.column), ("colour", 34));
        assert_eq!(error.known, ["name"]);
    }

    #[test]
    fn attributes_are_listed_in_order() {
        let filter = Filter::parse("b in (1) or a/c eq 2 and b eq 3").unwrap();
        let names: Vec<_> = filter
            .attributes()
            .map(|path| path.dotted().into_owned())
            .collect();
        assert_eq!(names, ["b", "a.c", "b"]);
    }

    #[test]
    fn only_equalities_that_must_hold_are_given_away() {
        let of = |text: &str| -> Vec<(String, String)> {
            let filter = Filter::parse(text).unwrap();
            filter
                .equalities()
                .map(|(path, value)| (path.to_string(), value.to_owned()))
                .collect()
        };
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(of("name eq 'V 1'"), [pair("name", "V 1")]);
        assert_eq!(
            of("startTime eq 1605063600 and endTime eq 1605186000 and (x gt 1 or y eq 2)"),
            [
                pair("startTime", "1605063600"),
                pair("endTime", "1605186000")
            ]
        );
        let only = |text: &str| Filter::parse(text).unwrap().only_equality().is_some();
        assert!(only("name eq 'V 1'"));
        assert!(only("name in ('V 1')"));
        assert!(!only("name eq a and id eq b"));
        for none in [
            "a eq 1 or b eq 2",
            "not a eq 1",
            "a ne 1",
            "a in (1, 2)",
            "a eq null",
        ] {
            assert_eq!(of(none), [], "{none}");
        }
    }
}
