//! A filter as text, in the one form of the language that every dialect can be brought to.
//!
//! The counterpart of the parser: what is printed here is read there as the same filter.

use std::fmt;

use crate::filter::{Expression, Filter};
use crate::literal::{Literal, Text};

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.expression.fmt(f)
    }
}

impl fmt::Display for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any(terms) => separated(f, terms, " or "),
            Self::All(terms) => {
                for (index, term) in terms.iter().enumerate() {
                    f.write_str(if index > 0 { " and " } else { "" })?;
                    grouped(f, term, matches!(term, Self::Any(_)))?;
                }
                Ok(())
            }
            Self::Not(term) => {
                f.write_str("not ")?;
                grouped(f, term, matches!(**term, Self::Any(_) | Self::All(_)))
            }
            Self::Compare {
                attribute,
                operator,
                value,
            } => {
                write!(f, "{} {} {value}", attribute.path, operator.word())
            }
            Self::OneOf { attribute, values } => {
                write!(f, "{} in (", attribute.path)?;
                separated(f, values, ", ")?;
                f.write_str(")")
            }
            Self::Call {
                function,
                attribute,
                text,
            } => {
                write!(f, "{}({}, ", function.word(), attribute.path)?;
                quoted(f, text.as_str())?;
                f.write_str(")")
            }
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.speaks_for_itself() {
            f.write_str(self.as_str())
        } else {
            quoted(f, self.as_str())
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    write!(f, "'{}'", text.replace('\\', r"\\").replace('\'', "''"))
}

fn grouped(f: &mut fmt::Formatter<'_>, term: &Expression, parentheses: bool) -> fmt::Result {
    if parentheses {
        write!(f, "({term})")
    } else {
        write!(f, "{term}")
    }
}

fn separated<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    separator: &str,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        f.write_str(if index > 0 { separator } else { "" })?;
        item.fmt(f)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::attribute::AttributePath;
    use crate::filter::{Attribute, Function, Operator};

    #[test]
    fn every_dialect_becomes_the_same_text() {
        for (written, printed) in [
            ("NAME EQ \"a\"", "NAME eq 'a'"),
            (
                "a eq b and (c eq d or e eq f)",
                "a eq 'b' and (c eq 'd' or e eq 'f')",
            ),
            (
                "a eq b or (c eq d and e eq f)",
                "a eq 'b' or c eq 'd' and e eq 'f'",
            ),
            (
                "((a eq b and c eq d) and e eq f)",
                "a eq 'b' and c eq 'd' and e eq 'f'",
            ),
            ("not(a eq b and c eq d)", "not (a eq 'b' and c eq 'd')"),
            ("startswith('x',a/b) eq true", "startswith(a.b, 'x')"),
            ("substringof('x',a) eq false", "not contains(a, 'x')"),
            ("'x' in tags", "tags eq 'x'"),
            ("a in 1,'2',null,'null'", "a in (1, 2, null, 'null')"),
            (r#"a eq "it's \\ here""#, r"a eq 'it''s \\ here'"),
            ("a ge '2024-01-01T00:00:00Z'", "a ge 2024-01-01T00:00:00Z"),
        ] {
            assert_eq!(
                Filter::parse(written).unwrap().to_string(),
                printed,
                "{written}"
            );
        }
    }

    /// Characters that matter to the language, and some that do not.
    fn text() -> impl Strategy<Value = String> {
        let word = "(and|or|NOT|in|eq|null|true|-?[0-9]{1,3}|2024-05-06T07:08:09Z)";
        prop_oneof![
            word.prop_map(String::from),
            r#"[a-c0-2 ._/\\'"(),:@\-é]{0,8}"#,
            any::<String>()
        ]
    }

    fn path() -> impl Strategy<Value = AttributePath> {
        proptest::collection::vec(text().prop_filter("a step", |step| !step.is_empty()), 1..4)
            .prop_map(|steps| {
                let escaped = steps.iter().map(|step| {
                    step.chars()
                        .flat_map(|character| ['\\', character])
                        .collect::<String>()
                });
                AttributePath::parse(&escaped.collect::<Vec<_>>().join(".")).unwrap()
            })
    }

    fn attribute() -> impl Strategy<Value = Attribute> {
        path().prop_map(|path| Attribute { path, column: 1 })
    }

    fn literal() -> impl Strategy<Value = Literal> {
        prop_oneof![1 => Just(Literal::Null), 5 => text().prop_map(Literal::quoted)]
    }

    fn expression() -> impl Strategy<Value = Expression> {
        let comparison = (
            attribute(),
            proptest::sample::select(&Operator::ALL),
            literal(),
        )
            .prop_map(|(attribute, operator, value)| Expression::Compare {
                attribute,
                operator,
                value,
            });
        let list = (attribute(), proptest::collection::vec(literal(), 2..4))
            .prop_map(|(attribute, values)| Expression::OneOf { attribute, values });
        let call = (
            attribute(),
            proptest::sample::select(&Function::ALL),
            text(),
        )
            .prop_map(|(attribute, function, text)| Expression::Call {
                function,
                attribute,
                text: Text::new(text),
            });
        prop_oneof![comparison, list, call].prop_recursive(5, 24, 4, |inner| {
            let terms = || proptest::collection::vec(inner.clone(), 2..4);
            prop_oneof![
                terms().prop_map(Expression::all),
                terms().prop_map(Expression::any),
                inner.prop_map(|term| Expression::Not(Box::new(term))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_printed_reads_back_the_same(expression in expression()) {
            let filter = Filter { expression };
            let printed = filter.to_string();
            prop_assert_eq!(Filter::parse(&printed), Ok(filter), "{}", printed);
        }

        #[test]
        fn attribute_paths_read_back_the_same(path in path()) {
            prop_assert_eq!(AttributePath::parse(&path.to_string()), Ok(path));
        }
    }
}
