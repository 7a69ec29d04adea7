//! Putting values in place of the `{{names}}` of a text. Pure: the values are given.

use std::collections::{HashMap, HashSet};

use hallpass_client::Secret;

use super::names::{Part, cut};
use super::{Piece, Resolved, Used, Value};

/// What stands in place of a secret that is shown.
pub(crate) const MASK: &str = "********";

/// Values within values: `{{a}}` may be `{{b}}/c`, and so on this often.
const DEEPEST: usize = 10;
/// The longest value, once the names in it are replaced.
const LONGEST_VALUE: usize = 64 * 1024;
/// How much all values together may add to a text.
const MOST_ADDED: usize = 8 * 1024 * 1024;

/// Puts values in place of names. What has none stays as it was typed.
pub(super) fn substitute(text: &str, values: &HashMap<String, Value>) -> Resolved {
    let mut substitution = Substitution {
        values,
        done: HashMap::new(),
        added: 0,
    };
    let mut used: Vec<Used> = Vec::new();
    let mut told: HashSet<&str> = HashSet::new();
    let mut pieces = Vec::new();
    let mut whole = Whole::default();
    for part in cut(text) {
        match part {
            Part::Text(text) => {
                whole.plain(text);
                pieces.push(Piece {
                    text: text.to_owned(),
                    name: None,
                });
            }
            Part::Name { name, typed } => {
                let outcome = substitution.outcome(name, &mut Vec::new());
                pieces.push(Piece {
                    text: outcome.shown(typed).to_owned(),
                    name: Some(name.to_owned()),
                });
                whole.put(&outcome, typed);
                if told.insert(name) {
                    used.push(outcome.used(name));
                }
            }
        }
    }
    let (text, masked) = whole.joined();
    Resolved {
        text,
        masked,
        used,
        pieces,
    }
}

/// What became of a name.
#[derive(Clone)]
enum Outcome {
    Value {
        text: Secret,
        masked: String,
        from: String,
        secret: bool,
    },
    Missing(String),
}

impl Outcome {
    fn shown<'a>(&'a self, typed: &'a str) -> &'a str {
        match self {
            Self::Value { masked, .. } => masked,
            Self::Missing(_) => typed,
        }
    }

    fn used(self, name: &str) -> Used {
        let name = name.to_owned();
        match self {
            Self::Value {
                masked,
                from,
                secret,
                ..
            } => Used {
                name,
                value: Some(masked),
                secret,
                from,
                missing: false,
            },
            Self::Missing(why) => Used {
                name,
                value: None,
                secret: false,
                from: why,
                missing: true,
            },
        }
    }
}

struct Substitution<'a> {
    values: &'a HashMap<String, Value>,
    /// What was worked out already.
    done: HashMap<&'a str, Outcome>,
    added: usize,
}

impl<'a> Substitution<'a> {
    /// The value of a name that stands in the values of `within`.
    fn outcome(&mut self, name: &str, within: &mut Vec<&'a str>) -> Outcome {
        let outcome = self.worked_out(name, within);
        if let Outcome::Value { text, .. } = &outcome {
            self.added += text.expose().len();
            if self.added > MOST_ADDED {
                return Outcome::Missing("the text becomes too long".to_owned());
            }
        }
        outcome
    }

    fn worked_out(&mut self, name: &str, within: &mut Vec<&'a str>) -> Outcome {
        if let Some(done) = self.done.get(name) {
            return done.clone();
        }
        let Some((name, value)) = self.values.get_key_value(name) else {
            return Outcome::Missing("there is no variable of this name".to_owned());
        };
        let outcome = match value {
            Value::Nothing(why) => Outcome::Missing(why.clone()),
            Value::Secret { value, from } => Outcome::Value {
                text: value.clone(),
                masked: MASK.to_owned(),
                from: from.clone(),
                secret: true,
            },
            Value::Plain { .. } if within.contains(&name.as_str()) => {
                return Outcome::Missing(format!("the value of {name} names {name} again"));
            }
            Value::Plain { .. } if within.len() >= DEEPEST => {
                return Outcome::Missing(format!(
                    "values name each other more than {DEEPEST} deep"
                ));
            }
            Value::Plain { value, from } => {
                within.push(name);
                let outcome = self.inside(value, from, within);
                within.pop();
                outcome
            }
        };
        // What depends on the way to it is not remembered.
        if within.is_empty() || !matches!(outcome, Outcome::Missing(_)) {
            self.done.insert(name, outcome.clone());
        }
        outcome
    }

    /// A value with the names in it replaced. It is missing when one of them is.
    fn inside(&mut self, value: &'a str, from: &str, within: &mut Vec<&'a str>) -> Outcome {
        let mut whole = Whole::default();
        let mut secret = false;
        for part in cut(value) {
            match part {
                Part::Text(text) => whole.plain(text),
                Part::Name { name, typed } => {
                    let outcome = self.outcome(name, within);
                    if let Outcome::Missing(why) = &outcome {
                        return Outcome::Missing(format!("{from} needs {typed}: {why}"));
                    }
                    secret |= matches!(outcome, Outcome::Value { secret: true, .. });
                    whole.put(&outcome, typed);
                }
            }
        }
        if whole.length > LONGEST_VALUE {
            return Outcome::Missing(format!("{from} is longer than {LONGEST_VALUE} bytes"));
        }
        let (text, masked) = whole.joined();
        Outcome::Value {
            text,
            masked,
            from: from.to_owned(),
            secret,
        }
    }
}

/// A text on its way. It is joined once, into memory of the right size, because a growing text leaves
/// copies of secrets behind.
#[derive(Default)]
struct Whole {
    parts: Vec<Secret>,
    length: usize,
    masked: String,
}

impl Whole {
    fn plain(&mut self, text: &str) {
        self.length += text.len();
        self.parts.push(Secret::from(text.to_owned()));
        self.masked.push_str(text);
    }

    fn put(&mut self, outcome: &Outcome, typed: &str) {
        match outcome {
            Outcome::Missing(_) => self.plain(typed),
            Outcome::Value { text, masked, .. } => {
                self.length += text.expose().len();
                self.parts.push(text.clone());
                self.masked.push_str(masked);
            }
        }
    }

    fn joined(self) -> (Secret, String) {
        let mut text = String::with_capacity(self.length);
        for part in &self.parts {
            text.push_str(part.expose());
        }
        (Secret::from(text), self.masked)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plain(value: &str) -> Value {
        Value::Plain {
            value: value.to_owned(),
            from: "here".to_owned(),
        }
    }

    fn with(values: &[(&str, Value)], text: &str) -> Resolved {
        let values = values
            .iter()
            .map(|(name, value)| ((*name).to_owned(), value.clone()))
            .collect();
        substitute(text, &values)
    }

    #[test]
    fn values_stand_in_place_of_names_and_what_has_none_stays() {
        let url = [("baseUrl", plain("https://eu1.example"))];
        let resolved = with(&url, "{{ baseUrl }}/{id}?a={{nothing}}&b={{baseUrl}}");
        let expected = "https://eu1.example/{id}?a={{nothing}}&b=https://eu1.example";
        assert_eq!(resolved.text.expose(), expected);
        assert_eq!(resolved.masked, expected);
        let told: Vec<_> = resolved
            .used
            .iter()
            .map(|one| (&*one.name, one.missing))
            .collect();
        assert_eq!(told, [("baseUrl", false), ("nothing", true)]);
        assert_eq!(resolved.missing().unwrap().name, "nothing");
        let from: Vec<_> = resolved.pieces.iter().map(|one| one.name.clone()).collect();
        assert_eq!(from[..2], [Some("baseUrl".to_owned()), None]);
    }

    #[test]
    fn what_is_no_name_is_left_alone() {
        for text in [
            "{{}}",
            "{{ }}",
            "{{a",
            "{a}",
            "}}{{",
            "{\"a\":{\"b\":{}}}",
            "{{\"a\":1}}",
            "{{a\n}}",
            "{{a}",
            "{{a{b}}",
            "",
        ] {
            let resolved = with(&[("a", plain("x"))], text);
            assert_eq!(resolved.text.expose(), text);
            assert!(resolved.used.is_empty(), "{text}");
        }
        assert_eq!(with(&[("a", plain("x"))], "{{{a}}}").masked, "{x}");
        assert_eq!(with(&[("ä", plain("x"))], "{{ä}}ö").masked, "xö");
    }

    #[test]
    fn a_secret_is_in_the_text_and_masked_elsewhere_by_way_of_others_too() {
        let planted = Value::Secret {
            value: Secret::from("planted {{b}}".to_owned()),
            from: "kept".to_owned(),
        };
        let values = [("s", planted), ("a", plain("<{{s}}>")), ("b", plain("y"))];
        let resolved = with(&values, "{{a}}{{b}}");
        assert_eq!(resolved.text.expose(), "<planted {{b}}>y");
        assert_eq!(resolved.masked, "<********>y");
        assert!(resolved.used[0].secret && !resolved.used[1].secret);
        assert!(!format!("{resolved:?}").contains("planted"));
    }

    #[test]
    fn values_that_name_each_other_in_a_circle_are_missing() {
        let circle = [
            ("a", plain("{{b}}")),
            ("b", plain("x{{a}}")),
            ("c", plain("{{a}}")),
        ];
        let resolved = with(&circle, "{{c}} {{a}} {{b}}");
        assert_eq!(resolved.text.expose(), "{{c}} {{a}} {{b}}");
        assert!(resolved.used.iter().all(|one| one.missing));
        assert!(
            resolved.used[0].from.contains("again"),
            "{:?}",
            resolved.used
        );
        let deep: Vec<(String, Value)> = (0..20)
            .map(|at| (format!("v{at}"), plain(&format!("{{{{v{}}}}}", at + 1))))
            .chain([("v20".to_owned(), plain("end"))])
            .collect();
        let deep: Vec<(&str, Value)> = deep
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        assert_eq!(with(&deep, "{{v12}}").masked, "end");
        assert_eq!(with(&deep, "{{v0}}").masked, "{{v0}}");
    }

    #[test]
    fn a_text_does_not_grow_without_end() {
        let mut values = vec![("v0".to_owned(), plain(&"x".repeat(1000)))];
        for at in 1..10 {
            let ten = format!("{{{{v{}}}}}", at - 1).repeat(10);
            values.push((format!("v{at}"), plain(&ten)));
        }
        let values: Vec<(&str, Value)> = values
            .iter()
            .map(|(name, value)| (name.as_str(), value.clone()))
            .collect();
        assert_eq!(with(&values, "{{v1}}").masked.len(), 10_000);
        assert!(with(&values, "{{v9}}").missing().is_some());
        let many = "{{v1}}".repeat(2000);
        assert!(with(&values, &many).text.expose().len() < MOST_ADDED + many.len());
    }

    proptest::proptest! {
        #[test]
        fn any_text_without_values_stays_as_it_is(text in "[{}a \"\n\\\\ä]{0,40}") {
            let resolved = with(&[], &text);
            proptest::prop_assert_eq!(resolved.text.expose(), &text);
            proptest::prop_assert_eq!(&resolved.masked, &text);
            let joined: String = resolved.pieces.iter().map(|piece| piece.text.as_str()).collect();
            proptest::prop_assert_eq!(joined, text);
        }
    }
}
