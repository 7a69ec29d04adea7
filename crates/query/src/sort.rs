//! Sort: `id asc,name desc`, in which order the items of a list come.
//!
//! ```ebnf
//! sort = key , { "," , key } ;
//! key  = attribute , [ "asc" | "desc" ] ;      (* attribute as in filters *)
//! ```
//!
//! Ascending, values come as: numbers by value, instants by time, other strings by code point,
//! `false` before `true`, arrays and objects in no particular order, and last what is missing or
//! `null`. Descending is exactly the reverse. Each kind has its own place, because comparing
//! instants with one another as instants but with other strings as strings would be no order at
//! all: with it, three values can each come before the next, in a circle.

use std::borrow::Cow;
use std::cmp::Ordering;

use jiff::Timestamp;
use serde_json::Value;

use crate::attribute::{AttributePath, Attributes, Lookup, UnknownAttribute};
use crate::literal::{Number, instant};
use crate::syntax::{SyntaxError, check_length};

/// How many attributes one may sort by. Each may cost a look-up per comparison, and nobody can
/// see the effect of the fourth.
pub const MAX_SORT_KEYS: usize = 16;

/// An order of items. Without keys (from a blank text) all items are equal, so that a stable sort
/// leaves them as they are.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sort {
    keys: Vec<Key>,
}

#[derive(Clone, Debug, PartialEq)]
struct Key {
    path: AttributePath,
    descending: bool,
    column: usize,
}

/// What an item is sorted by, of one [`Sort`].
#[derive(Clone, Debug, PartialEq)]
pub struct Place(Box<[Option<Value>]>);

impl Sort {
    /// Reads the parameter from percent-decoded text.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        check_length(text)?;
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let mut keys = Vec::new();
        let mut column = 1;
        for part in text.split(',') {
            let blanks = part.chars().take_while(|c| c.is_whitespace()).count();
            keys.push(key(part, column + blanks)?);
            if keys.len() > MAX_SORT_KEYS {
                let message = format!("more than {MAX_SORT_KEYS} attributes to sort by");
                return Err(SyntaxError::new(column + blanks, message));
            }
            column += part.chars().count() + 1;
        }
        Ok(Self { keys })
    }

    /// May one sort by all these attributes?
    pub fn check(&self, sortable: &Attributes) -> Result<(), UnknownAttribute> {
        let unknown = self.keys.iter().find(|key| !sortable.contains(&key.path));
        unknown.map_or(Ok(()), |key| Err(sortable.unknown(&key.path, key.column)))
    }

    /// The attributes to sort by, the first one deciding first. Some lists take only one.
    pub fn attributes(&self) -> impl Iterator<Item = &AttributePath> {
        self.keys.iter().map(|key| &key.path)
    }

    /// What an item is sorted by. Looking that up may cost much, so it is done once for each.
    pub fn place(&self, item: &dyn Lookup) -> Place {
        let look = |key: &Key| item.lookup(&key.path).map(Cow::into_owned);
        Place(self.keys.iter().map(look).collect())
    }

    /// Which of two items comes first. A total order, as sorting demands.
    pub fn compare(&self, a: &Place, b: &Place) -> Ordering {
        let both = std::iter::zip(&a.0, &b.0);
        let mut orders = self.keys.iter().zip(both).map(|(key, (a, b))| {
            let order = Rank::of(a.as_ref()).cmp(&Rank::of(b.as_ref()));
            if key.descending {
                order.reverse()
            } else {
                order
            }
        });
        orders
            .find(|order| order.is_ne())
            .unwrap_or(Ordering::Equal)
    }
}

/// What a value is sorted by; the kinds come in the order of the variants.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
enum Rank<'a> {
    Number(Number),
    Instant(Timestamp),
    Text(&'a str),
    Boolean(bool),
    Composite,
    Missing,
}

impl<'a> Rank<'a> {
    fn of(value: Option<&'a Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Missing,
            Some(Value::Bool(value)) => Self::Boolean(*value),
            Some(Value::Number(value)) => Self::Number(Number::of(value)),
            Some(Value::String(value)) => instant(value).map_or(Self::Text(value), Self::Instant),
            Some(Value::Array(_) | Value::Object(_)) => Self::Composite,
        }
    }
}

fn key(part: &str, column: usize) -> Result<Key, SyntaxError> {
    let mut words = part.split_whitespace();
    let name = words.next().unwrap_or_default();
    let path = AttributePath::parse(name).map_err(|error| error.moved(column - 1))?;
    let descending = match (words.next(), words.next()) {
        (None, _) => false,
        (Some(word), None) if word.eq_ignore_ascii_case("asc") => false,
        (Some(word), None) if word.eq_ignore_ascii_case("desc") => true,
        (Some(word), _) => {
            let message = format!("expected `asc`, `desc` or `,` after `{name}`, found `{word}`");
            return Err(SyntaxError::new(column, message).hint("write it as in `id asc,name desc`"));
        }
    };
    Ok(Key {
        path,
        descending,
        column,
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn sorted(sort: &str, mut items: Vec<Value>) -> Vec<Value> {
        let sort = Sort::parse(sort).unwrap();
        items.sort_by(|a, b| sort.compare(&sort.place(a), &sort.place(b)));
        items
    }

    /// Counts how often it is looked at.
    struct Counted(std::cell::Cell<usize>);

    impl Lookup for Counted {
        fn lookup(&self, _: &AttributePath) -> Option<Cow<'_, Value>> {
            self.0.set(self.0.get() + 1);
            Some(Cow::Owned(json!(1)))
        }
    }

    #[test]
    fn a_place_needs_no_second_look() {
        let (sort, item) = (Sort::parse("a,b desc").unwrap(), Counted(0.into()));
        let place = sort.place(&item);
        assert_eq!(sort.compare(&place, &place), Ordering::Equal);
        assert_eq!(item.0.get(), 2);
    }

    fn by_a(direction: &str, values: Value) -> Vec<Value> {
        let Value::Array(values) = values else {
            panic!("an array")
        };
        let items = values
            .into_iter()
            .map(|value| json!({"a": value}))
            .collect();
        sorted(&format!("a {direction}"), items)
            .into_iter()
            .map(|mut item| item["a"].take())
            .collect()
    }

    #[test]
    fn numbers_sort_by_value_and_not_as_text() {
        assert_eq!(
            by_a("asc", json!([10, 9, 9.5, u64::MAX])),
            [json!(9), json!(9.5), json!(10), json!(u64::MAX)]
        );
    }

    #[test]
    fn instants_sort_by_time_across_zones() {
        let (early, late) = ("2020-01-01T01:00:00+02:00", "2020-01-01T00:00:00Z");
        assert_eq!(by_a("asc", json!([late, early])), [early, late]);
    }

    #[test]
    fn what_is_missing_comes_last_and_first_in_descending_order() {
        let items = || {
            vec![
                json!({"i": 1}),
                json!({"i": 2, "a": null}),
                json!({"i": 3, "a": 5}),
            ]
        };
        assert_eq!(sorted("a", items())[0]["i"], 3);
        assert_eq!(sorted("a desc", items())[2]["i"], 3);
        // Both are equally missing, so the second key decides.
        assert_eq!(sorted("a asc,i desc", items())[1]["i"], 2);
    }

    #[test]
    fn each_kind_has_its_place() {
        let values = json!([null, [1], false, "b", "2020-01-01T00:00:00Z", 7]);
        let mut expected = values.as_array().unwrap().clone();
        expected.reverse();
        assert_eq!(by_a("asc", values), expected);
    }

    #[test]
    fn later_keys_decide_among_equals() {
        let items = vec![
            json!({"a": 1, "b": "x"}),
            json!({"a": 0, "b": "x"}),
            json!({"a": 0, "b": "y"}),
        ];
        let expected = [items[2].clone(), items[1].clone(), items[0].clone()];
        assert_eq!(sorted(" a ASC , b DESC ", items), expected);
    }

    #[test]
    fn nested_attributes_and_blank_texts() {
        let items = vec![json!({"o": {"n": 2}}), json!({"o": {"n": 1}})];
        assert_eq!(sorted("o.n", items.clone())[0], items[1]);
        assert_eq!(sorted(" ", items.clone()), items);
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (text, column) in [
            ("a,,b", 3),
            ("a,", 3),
            ("a, b up", 4),
            ("a asc desc", 1),
            ("a..b", 3),
            ("/a", 1),
        ] {
            assert_eq!(Sort::parse(text).unwrap_err().column, column, "{text}");
        }
        assert!(Sort::parse(&vec!["a"; MAX_SORT_KEYS].join(",")).is_ok());
        assert!(Sort::parse(&vec!["a"; MAX_SORT_KEYS + 1].join(",")).is_err());
    }

    #[test]
    fn only_sortable_attributes_pass() {
        let sort = Sort::parse("id, colour desc").unwrap();
        assert_eq!(sort.check(&Attributes::of(["id", "colour"])), Ok(()));
        let error = sort.check(&Attributes::of(["id"])).unwrap_err();
        assert_eq!((error.name.as_str(), error.column), ("colour", 5));
        assert_eq!(sort.attributes().count(), 2);
    }

    fn value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            (-3_i64..3).prop_map(Value::from),
            (-3.0..3.0).prop_map(|float: f64| Value::from(float)),
            proptest::sample::select(
                &[
                    "2020-01-01T00:00:00Z",
                    "2020-01-01T01:00:00+02:00",
                    "2020-01-01T00:30",
                    "a",
                    "B",
                    "",
                ][..]
            )
            .prop_map(Value::from),
            Just(json!([])),
        ]
    }

    proptest! {
        #[test]
        fn it_is_a_total_order(a in value(), b in value(), c in value()) {
            let sort = Sort::parse("v").unwrap();
            let place = |value: &Value| sort.place(&json!({"v": value}));
            let order = |a: &Value, b: &Value| sort.compare(&place(a), &place(b));
            prop_assert_eq!(order(&a, &b), order(&b, &a).reverse());
            if order(&a, &b).is_le() && order(&b, &c).is_le() {
                prop_assert!(order(&a, &c).is_le());
            }
        }

        #[test]
        fn no_text_makes_it_panic(text: String) {
            let _ = Sort::parse(&text);
        }
    }
}
