//! Does an item pass a filter?
//!
//! * A missing attribute and `null` are the same: no value. Only `eq null` and `ne` hold for it.
//! * An attribute that is an array passes when one of its elements does, so `eq` means "contains"
//!   (domain.md 6.2); `ne` is always the opposite of `eq`.
//! * Values of different kinds are unequal and in no order.

use std::borrow::Cow;
use std::cmp::Ordering;

use serde_json::Value;

use crate::attribute::Lookup;
use crate::filter::{Attribute, Expression, Function, Operator};
use crate::literal::Literal;

impl Expression {
    pub(crate) fn holds(&self, item: &dyn Lookup) -> bool {
        match self {
            Self::All(terms) => terms.iter().all(|term| term.holds(item)),
            Self::Any(terms) => terms.iter().any(|term| term.holds(item)),
            Self::Not(term) => !term.holds(item),
            Self::Compare {
                attribute,
                operator,
                value,
            } => compare(&value_of(attribute, item), *operator, value),
            Self::OneOf { attribute, values } => {
                let value = value_of(attribute, item);
                values
                    .iter()
                    .any(|literal| compare(&value, Operator::Eq, literal))
            }
            Self::Call {
                function,
                attribute,
                text,
            } => some(&value_of(attribute, item), &|value| {
                value
                    .as_str()
                    .is_some_and(|value| function.holds(value, text.as_str()))
            }),
        }
    }
}

impl Function {
    fn holds(self, value: &str, text: &str) -> bool {
        match self {
            Self::StartsWith => value.starts_with(text),
            Self::EndsWith => value.ends_with(text),
            Self::Contains => value.contains(text),
        }
    }
}

fn value_of<'a>(attribute: &Attribute, item: &'a dyn Lookup) -> Cow<'a, Value> {
    item.lookup(&attribute.path)
        .unwrap_or(Cow::Owned(Value::Null))
}

fn compare(value: &Value, operator: Operator, literal: &Literal) -> bool {
    let ordered = |wanted: fn(Ordering) -> bool| {
        some(value, &|value| literal.order(value).is_some_and(wanted))
    };
    match operator {
        Operator::Eq => some(value, &|value| literal.equals(value)),
        Operator::Ne => !some(value, &|value| literal.equals(value)),
        Operator::Gt => ordered(Ordering::is_gt),
        Operator::Ge => ordered(Ordering::is_ge),
        Operator::Lt => ordered(Ordering::is_lt),
        Operator::Le => ordered(Ordering::is_le),
    }
}

/// Does the test hold for the value or, when it is an array, for one of its elements?
fn some(value: &Value, test: &dyn Fn(&Value) -> bool) -> bool {
    match value {
        Value::Array(elements) => elements.iter().any(|element| some(element, test)),
        single => test(single),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::attribute::AttributePath;
    use crate::filter::Filter;

    fn holds(filter: &str, item: &Value) -> bool {
        Filter::parse(filter).unwrap().matches(item)
    }

    /// Each filter with whether it holds for the item.
    fn check(item: &Value, expected: &[(&str, bool)]) {
        for (filter, holds_it) in expected {
            assert_eq!(holds(filter, item), *holds_it, "{filter} on {item}");
        }
    }

    #[test]
    fn numbers_compare_as_numbers_and_all_operators_know_their_edge() {
        check(
            &json!({"size": 10}),
            &[
                ("size eq 10", true),
                ("size eq '10'", true),
                ("size eq 10.0", true),
                ("size eq 9", false),
                ("size ne 10", false),
                ("size ne 9", true),
                ("size gt 9", true),
                ("size gt 10", false),
                ("size ge 10", true),
                ("size ge 11", false),
                ("size lt 11", true),
                ("size lt 10", false),
                ("size le 10", true),
                ("size le 9", false),
                ("size in (9, 10)", true),
                ("size in (9, 11)", false),
                ("size gt ten", false),
                ("size ne ten", true),
            ],
        );
    }

    #[test]
    fn strings_are_exact() {
        check(
            &json!({"name": "Vol.1"}),
            &[
                ("name eq Vol.1", true),
                ("name eq vol.1", false),
                ("NAME eq Vol.1", true),
                ("name gt Vol.0", true),
                ("startswith(name,'Vol')", true),
                ("startswith(name,'vol')", false),
                ("startswith(name,'1')", false),
                ("endswith(name,'.1')", true),
                ("endswith(name,'Vol')", false),
                ("contains(name,'ol.')", true),
                ("contains(name,'ol1')", false),
                ("contains(name,'ol.') eq false", false),
                ("contains(name,'')", true),
            ],
        );
    }

    #[test]
    fn instants_compare_as_instants() {
        check(
            &json!({"at": "2024-03-01T00:30:00+01:00"}),
            &[
                ("at eq 2024-02-29T23:30:00Z", true),
                ("at lt 2024-03-01T00:00:00Z", true),
                ("at gt 2024-03-01T00:00:00Z", false),
            ],
        );
    }

    #[test]
    fn what_is_missing_or_null_has_no_value() {
        for item in [json!({}), json!({"a": null})] {
            check(
                &item,
                &[
                    ("a eq 1", false),
                    ("a eq ''", false),
                    ("a ne 1", true),
                    ("a lt 1", false),
                    ("a ge 1", false),
                    ("a in (1,2)", false),
                    ("a eq null", true),
                    ("a ne null", false),
                    ("a eq 'null'", false),
                    ("a in (1,null)", true),
                    ("a ge null", false),
                    ("contains(a,'')", false),
                    ("contains(a,'') eq false", true),
                ],
            );
        }
        check(
            &json!({"a": "null"}),
            &[("a eq null", false), ("a eq 'null'", true)],
        );
    }

    #[test]
    fn an_array_passes_by_one_of_its_elements() {
        check(
            &json!({"systems": ["A", "B"], "sizes": [1, 5], "hosts": [{"id": "x"}, {"id": "y"}], "no": []}),
            &[
                ("systems eq B", true),
                ("systems eq C", false),
                ("systems ne B", false),
                ("systems ne C", true),
                ("'A' in systems", true),
                ("'C' in systems", false),
                ("systems in (C, A)", true),
                ("sizes gt 4", true),
                ("sizes gt 5", false),
                ("5 in sizes", true),
                ("startswith(systems,'B')", true),
                ("hosts.id eq y", true),
                ("hosts.id eq z", false),
                ("no eq A", false),
                ("no ne A", true),
                ("no eq null", false),
            ],
        );
    }

    #[test]
    fn objects_are_neither_equal_nor_ordered() {
        check(
            &json!({"o": {"a": 1}}),
            &[("o eq a", false), ("o ne a", true), ("o le z", false)],
        );
    }

    #[test]
    fn and_binds_tighter_than_or_and_not_tightest() {
        let item = json!({"a": 1, "b": 2});
        check(
            &item,
            &[
                ("a eq 1 or a eq 9 and b eq 9", true),
                ("(a eq 1 or a eq 9) and b eq 9", false),
                ("not a eq 9 and b eq 9", false),
                ("not (a eq 9 and b eq 9)", true),
                ("not not a eq 1", true),
            ],
        );
    }

    #[test]
    fn an_item_may_have_virtual_attributes() {
        struct Host(Value);
        impl Lookup for Host {
            fn lookup(&self, path: &AttributePath) -> Option<Cow<'_, Value>> {
                if path.is("hostGroupId") {
                    return Some(Cow::Owned(json!(["g1", "g2"])));
                }
                self.0.lookup(path)
            }
        }
        let filter = Filter::parse("hostGroupId in (g2) and name eq h").unwrap();
        assert!(filter.matches(&Host(json!({"name": "h"}))));
        assert!(!filter.matches(&Host(json!({"name": "i"}))));
    }

    proptest! {
        #[test]
        fn comparisons_agree_with_rust(value: i64, literal: i64) {
            let item = json!({"n": value});
            for (word, expected) in [
                ("eq", value == literal),
                ("ne", value != literal),
                ("gt", value > literal),
                ("ge", value >= literal),
                ("lt", value < literal),
                ("le", value <= literal),
            ] {
                prop_assert_eq!(holds(&format!("n {word} {literal}"), &item), expected);
            }
        }

        #[test]
        fn every_string_equals_itself(text: String) {
            let filter = Filter::parse(&format!("s eq '{}'", text.replace('\\', "\\\\").replace('\'', "''")));
            let item = json!({"s": text});
            prop_assert!(filter.unwrap().matches(&item));
        }
    }
}
