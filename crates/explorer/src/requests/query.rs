//! Filter, sort and select of a list, checked before they are sent: with the grammar of the `query`
//! crate, and against what the definition marks (domain facts, sections 6.2 and 6.3).

use hallpass_openapi::{Definition, Operation, near};
use hallpass_query::{Attributes, Filter, Select, Sort, SyntaxError, UnknownAttribute};

use super::fill::{Filled, FilledRow};
use super::mistake::Wrong;
use crate::workspace::RowPlace;

/// What is wrong with the filter, sort and select of a request.
pub(super) fn check(definition: &Definition, operation: &Operation, filled: &Filled) -> Vec<Wrong> {
    if !operation.is_list() {
        return Vec::new();
    }
    let rows = filled.parameters.iter();
    let rows = rows.filter(|row| row.place == RowPlace::Query && !row.secret);
    rows.filter_map(|row| wrong(definition, operation, row))
        .collect()
}

fn wrong(definition: &Definition, operation: &Operation, row: &FilledRow) -> Option<Wrong> {
    let properties = definition.item_properties(operation);
    let marks = definition.marks(operation);
    let (known, refused) = match row.name.as_str() {
        "filter" => (
            &marks.filterable,
            checked(Filter::parse(&row.value), |filter| {
                filter.check(&attributes(&marks.filterable))
            }),
        ),
        "sort" => (
            &marks.sortable,
            checked(Sort::parse(&row.value), |sort| {
                sort.check(&attributes(&marks.sortable))
            }),
        ),
        "select" => (
            &properties,
            checked(Select::parse(&row.value), |select| {
                select.check(&attributes(&properties))
            }),
        ),
        _ => return None,
    };
    let wrong = match refused? {
        Refused::Syntax(error) => {
            let hint = "see the parts of the expression one by one with the builder".to_owned();
            let (what, hint) = (error.message, error.hint.unwrap_or(hint));
            Wrong::new(format!("column {}: {what}", error.column), hint).at(error.column)
        }
        Refused::Unknown(error) => unknown(&error, &row.name, known, &properties),
    };
    Some(wrong.of_row(&row.name, row.place))
}

/// A property that there is not, or that the list does not take here.
fn unknown(
    error: &UnknownAttribute,
    parameter: &str,
    known: &[String],
    properties: &[String],
) -> Wrong {
    let (name, column) = (&error.name, error.column);
    let first = name.split('.').next().unwrap_or(name);
    let exists = properties.iter().any(|one| one.eq_ignore_ascii_case(first));
    let what = match parameter {
        "filter" if exists => format!("the list cannot be filtered by {name:?}"),
        "sort" if exists => format!("the list cannot be sorted by {name:?}"),
        _ => format!("items of this list have no property {name:?}"),
    };
    let similar = near(&name.to_lowercase(), known.iter().map(String::as_str));
    let hint = match similar.as_slice() {
        [] => format!("it takes: {}", known.join(", ")),
        similar => format!("did you mean {}?", similar.join(" or ")),
    };
    Wrong::new(format!("column {column}: {what}"), hint).at(column)
}

enum Refused {
    Syntax(SyntaxError),
    Unknown(UnknownAttribute),
}

fn checked<T>(
    parsed: Result<T, SyntaxError>,
    check: impl FnOnce(&T) -> Result<(), UnknownAttribute>,
) -> Option<Refused> {
    match parsed {
        Err(error) => Some(Refused::Syntax(error)),
        Ok(parsed) => check(&parsed).err().map(Refused::Unknown),
    }
}

/// A definition that marks nothing says nothing against any.
fn attributes(names: &[String]) -> Attributes {
    if names.is_empty() {
        Attributes::any()
    } else {
        Attributes::of(names.iter().cloned())
    }
}
