//! Attributes: how they are written, which ones may be used, and how they are found in an item.
//!
//! Does not know which attributes a resource has; see [`Attributes`].

use std::borrow::Cow;
use std::fmt;

use serde_json::{Map, Value};

use crate::lexer::{is_reserved, is_special, unescape};
use crate::syntax::{MAX_DEPTH, SyntaxError};

/// The way to an attribute: `name`, or nested `owner.name`, also written `owner/name`.
///
/// Has at least one step, and no empty one. Displayed as it must be written in a filter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct AttributePath {
    steps: Vec<String>,
}

impl AttributePath {
    /// Reads a path as it is written in a filter: steps apart by `.` or `/`, `\` before a
    /// character that is to lose its meaning. The column of an error counts from the path's start.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        let mut steps = Vec::new();
        let mut column = 1;
        for written in split_steps(text) {
            if written.is_empty() {
                return Err(SyntaxError::new(
                    column,
                    format!("`{text}` is no attribute: a name is missing around its `.` or `/`"),
                ));
            }
            steps.push(unescape(written));
            column += written.chars().count() + 1;
        }
        if steps.len() > MAX_DEPTH {
            let message = format!("the attribute has more than {MAX_DEPTH} steps");
            return Err(SyntaxError::new(1, message));
        }
        Ok(Self { steps })
    }

    /// The names on the way, outermost first.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        self.steps.iter().map(String::as_str)
    }

    /// The names joined with dots, which is how definitions and [`Attributes`] call it.
    pub fn dotted(&self) -> Cow<'_, str> {
        match self.steps.as_slice() {
            [only] => Cow::Borrowed(only),
            steps => Cow::Owned(steps.join(".")),
        }
    }

    /// Is this the attribute `name` (dotted)? Ignores case, as the last resort of every look-up
    /// does; meant for those who add virtual attributes.
    pub fn is(&self, name: &str) -> bool {
        self.dotted().eq_ignore_ascii_case(name)
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let [only] = self.steps.as_slice()
            && is_reserved(only)
        {
            // Any escape makes it a name; the first character is as good as the others.
            f.write_str("\\")?;
        }
        for (index, step) in self.steps.iter().enumerate() {
            if index > 0 {
                f.write_str(".")?;
            }
            for character in step.chars() {
                if is_special(character) || matches!(character, '.' | '/') {
                    f.write_str("\\")?;
                }
                write!(f, "{character}")?;
            }
        }
        Ok(())
    }
}

/// The attributes that may be used in one place: to filter by, to sort by, or to select.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// `None` means that every name is good.
    names: Option<Vec<String>>,
}

impl Attributes {
    /// Every attribute, for resources whose definition does not say.
    pub fn any() -> Self {
        Self { names: None }
    }

    /// These ones, nested names dotted: `["name", "owner.name"]`.
    pub fn of<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        Self {
            names: Some(names.into_iter().map(Into::into).collect()),
        }
    }

    /// May `path` be used? Exact, or ignoring case.
    pub fn contains(&self, path: &AttributePath) -> bool {
        let dotted = path.dotted();
        self.allows(|name| name.eq_ignore_ascii_case(&dotted))
    }

    /// May a part of an item be selected by `path`: a known attribute, a part of one, or an object
    /// that holds one?
    pub(crate) fn reaches(&self, path: &AttributePath) -> bool {
        let dotted = path.dotted();
        self.allows(|name| {
            name.eq_ignore_ascii_case(&dotted)
                || is_within(name, &dotted)
                || is_within(&dotted, name)
        })
    }

    /// The refusal of a path that is not among these.
    pub(crate) fn unknown(&self, path: &AttributePath, column: usize) -> UnknownAttribute {
        UnknownAttribute {
            name: path.dotted().into_owned(),
            column,
            known: self.names.clone().unwrap_or_default(),
        }
    }

    fn allows(&self, test: impl Fn(&str) -> bool) -> bool {
        self.names
            .as_ref()
            .is_none_or(|names| names.iter().any(|name| test(name)))
    }
}

/// An attribute that may not be used here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("column {column}: `{name}` cannot be used here; known are: {}", listed(.known))]
pub struct UnknownAttribute {
    /// As it was asked for, dotted.
    pub name: String,
    /// 1-based, in characters of the decoded text.
    pub column: usize,
    /// What may be used instead.
    pub known: Vec<String>,
}

/// An item whose attributes can be looked up.
///
/// Implemented for JSON values; a stand-in wraps one to add virtual attributes.
pub trait Lookup {
    /// The value at `path`, or nothing when the item has no such attribute. On the way through an
    /// array it is looked up in each element, and the answer is the array of what was found.
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>>;
}

impl Lookup for Value {
    fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
        find(self, &path.steps)
    }
}

/// The key under which `object` holds `name`: exactly that, else the first that differs only in
/// case. The definition has names that differ only in case, so exact comes first (domain.md 7.3).
pub(crate) fn key_of<'a>(object: &'a Map<String, Value>, name: &str) -> Option<&'a str> {
    if let Some((key, _)) = object.get_key_value(name) {
        return Some(key);
    }
    object
        .keys()
        .find(|key| key.eq_ignore_ascii_case(name))
        .map(String::as_str)
}

/// Has the text of a word the shape of an attribute, so that it can hardly be a value?
pub(crate) fn looks_like_attribute(written: &str) -> bool {
    split_steps(written).all(|step| {
        step.starts_with(|c: char| c.is_alphabetic() || c == '_')
            && step
                .chars()
                .all(|c| c.is_alphanumeric() || matches!(c, '_' | '-'))
    })
}

fn find<'a>(value: &'a Value, steps: &[String]) -> Option<Cow<'a, Value>> {
    let Some((first, rest)) = steps.split_first() else {
        return Some(Cow::Borrowed(value));
    };
    match value {
        Value::Object(object) => find(object.get(key_of(object, first)?)?, rest),
        Value::Array(elements) => {
            let mut found = Vec::new();
            for part in elements.iter().filter_map(|element| find(element, steps)) {
                match part.into_owned() {
                    Value::Array(parts) => found.extend(parts),
                    part => found.push(part),
                }
            }
            (!found.is_empty()).then_some(Cow::Owned(Value::Array(found)))
        }
        _ => None,
    }
}

/// The still escaped steps of a path; a separator behind `\` is part of its name.
fn split_steps(text: &str) -> impl Iterator<Item = &str> {
    let mut escaped = false;
    text.split(move |character| {
        let separates = !escaped && matches!(character, '.' | '/');
        escaped = !escaped && character == '\\';
        separates
    })
}

/// Is `inner` a dotted name below `outer`?
fn is_within(inner: &str, outer: &str) -> bool {
    inner
        .split_at_checked(outer.len())
        .is_some_and(|(head, tail)| head.eq_ignore_ascii_case(outer) && tail.starts_with('.'))
}

fn listed(known: &[String]) -> String {
    if known.is_empty() {
        "none".to_owned()
    } else {
        known.join(", ")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn path(text: &str) -> AttributePath {
        AttributePath::parse(text).unwrap()
    }

    #[test]
    fn dots_and_slashes_separate_unless_escaped() {
        assert_eq!(path("owner.name"), path("owner/name"));
        assert_eq!(path("a\\.b/c").steps().collect::<Vec<_>>(), ["a.b", "c"]);
        assert_eq!(path("a\\.b/c").to_string(), "a\\.b.c");
        assert_eq!(path("\\and").to_string(), "\\and");
    }

    #[test]
    fn empty_steps_are_refused_at_their_place() {
        assert_eq!(AttributePath::parse("a..b").unwrap_err().column, 3);
        assert_eq!(AttributePath::parse("").unwrap_err().column, 1);
        assert_eq!(AttributePath::parse("a/").unwrap_err().column, 3);
    }

    #[test]
    fn the_number_of_steps_is_limited() {
        assert!(AttributePath::parse(&vec!["a"; MAX_DEPTH].join(".")).is_ok());
        assert!(AttributePath::parse(&vec!["a"; MAX_DEPTH + 1].join(".")).is_err());
    }

    #[test]
    fn exact_names_win_over_names_in_another_case() {
        let item = json!({"ID": 1, "id": 2, "Name": 3});
        assert_eq!(*item.lookup(&path("id")).unwrap(), json!(2));
        assert_eq!(*item.lookup(&path("ID")).unwrap(), json!(1));
        assert_eq!(*item.lookup(&path("NAME")).unwrap(), json!(3));
        assert_eq!(item.lookup(&path("size")), None);
    }

    #[test]
    fn arrays_on_the_way_are_mapped_through() {
        let item = json!({"hosts": [{"ids": [1, 2]}, {"ids": [3]}, {"other": 4}], "none": []});
        assert_eq!(*item.lookup(&path("hosts.ids")).unwrap(), json!([1, 2, 3]));
        assert_eq!(item.lookup(&path("hosts.name")), None);
        assert_eq!(item.lookup(&path("none.name")), None);
    }

    #[test]
    fn known_attributes_ignore_case_but_not_depth() {
        let known = Attributes::of(["name", "owner.name"]);
        assert!(known.contains(&path("NAME")));
        assert!(known.contains(&path("owner/name")));
        assert!(!known.contains(&path("owner")));
        assert!(!known.contains(&path("name.first")));
        assert!(Attributes::any().contains(&path("whatever")));
    }

    #[test]
    fn selection_reaches_above_and_below_a_known_attribute() {
        let known = Attributes::of(["owner.name"]);
        assert!(known.reaches(&path("owner")));
        assert!(known.reaches(&path("Owner.name.first")));
        assert!(!known.reaches(&path("own")));
        assert!(!known.reaches(&path("owner.id")));
    }

    #[test]
    fn the_refusal_lists_what_is_known() {
        let error = Attributes::of(["id", "name"]).unknown(&path("nmae"), 4);
        let text = "column 4: `nmae` cannot be used here; known are: id, name";
        assert_eq!(error.to_string(), text);
    }
}
