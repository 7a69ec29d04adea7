//! Select: `id,owner.name`, which parts of an item are wanted.
//!
//! ```ebnf
//! select = attribute , { "," , attribute } ;      (* attribute as in filters *)
//! ```
//!
//! Only an item is projected; the envelope of a list is the caller's and is kept (domain.md 6.3).

use serde_json::{Map, Value};

use crate::attribute::{AttributePath, Attributes, UnknownAttribute, key_of};
use crate::syntax::{SyntaxError, check_length};

/// The wanted parts of an item. A blank text selects everything.
#[derive(Clone, Debug, PartialEq)]
pub struct Select {
    attributes: Vec<(AttributePath, usize)>,
    wanted: Wanted,
}

/// What is wanted of one value.
#[derive(Clone, Debug, PartialEq)]
enum Wanted {
    Whole,
    /// Only what is under these names; each name once.
    Parts(Vec<(String, Wanted)>),
}

impl Select {
    /// Reads the parameter from percent-decoded text.
    pub fn parse(text: &str) -> Result<Self, SyntaxError> {
        check_length(text)?;
        if text.trim().is_empty() {
            return Ok(Self {
                attributes: Vec::new(),
                wanted: Wanted::Whole,
            });
        }
        let mut select = Self {
            attributes: Vec::new(),
            wanted: Wanted::Parts(Vec::new()),
        };
        let mut column = 1;
        for part in text.split(',') {
            let blanks = part.chars().take_while(|c| c.is_whitespace()).count();
            select.add(part.trim(), column + blanks)?;
            column += part.chars().count() + 1;
        }
        Ok(select)
    }

    /// May one select all these? A known attribute, a part of one, or an object that holds one.
    pub fn check(&self, selectable: &Attributes) -> Result<(), UnknownAttribute> {
        let unknown = self
            .attributes
            .iter()
            .find(|(path, _)| !selectable.reaches(path));
        unknown.map_or(Ok(()), |(path, column)| {
            Err(selectable.unknown(path, *column))
        })
    }

    /// What was asked for, in that order; nothing when everything was.
    pub fn attributes(&self) -> impl Iterator<Item = &AttributePath> {
        self.attributes.iter().map(|(path, _)| path)
    }

    /// The item with nothing but the wanted parts, in the item's own order. What it does not have
    /// is left out, elements of arrays are projected one by one.
    pub fn project(&self, item: &Value) -> Value {
        project(&[&self.wanted], item).unwrap_or(Value::Null)
    }

    fn add(&mut self, written: &str, column: usize) -> Result<(), SyntaxError> {
        if let Some(at) = written.chars().position(char::is_whitespace) {
            return Err(
                SyntaxError::new(column + at, "attributes have no blanks in them")
                    .hint("put a `,` between two attributes: `id,name`"),
            );
        }
        let path = AttributePath::parse(written).map_err(|error| error.moved(column - 1))?;
        self.wanted.add(path.steps());
        self.attributes.push((path, column));
        Ok(())
    }
}

impl Wanted {
    fn add<'a>(&mut self, mut steps: impl Iterator<Item = &'a str>) {
        // The whole contains every part of it, whichever was asked for first.
        let Self::Parts(parts) = self else {
            return;
        };
        let Some(step) = steps.next() else {
            *self = Self::Whole;
            return;
        };
        let index = parts
            .iter()
            .position(|(name, _)| name == step)
            .unwrap_or_else(|| {
                parts.push((step.to_owned(), Self::Parts(Vec::new())));
                parts.len() - 1
            });
        parts[index].1.add(steps);
    }
}

/// What all of `wanted` want together. Nothing when a scalar stands where parts are wanted; `null`
/// stays, since it says that there are none.
fn project(wanted: &[&Wanted], value: &Value) -> Option<Value> {
    let mut parts = Vec::new();
    for wanted in wanted {
        match wanted {
            Wanted::Whole => return Some(value.clone()),
            Wanted::Parts(more) => parts.extend(more),
        }
    }
    match value {
        Value::Object(object) => Some(Value::Object(project_object(&parts, object))),
        Value::Array(elements) => Some(
            elements
                .iter()
                .filter_map(|element| project(wanted, element))
                .collect(),
        ),
        Value::Null => Some(Value::Null),
        _ => None,
    }
}

fn project_object(parts: &[&(String, Wanted)], object: &Map<String, Value>) -> Map<String, Value> {
    // Names in different case can lead to one key, which is why each key gathers what is wanted.
    let keys: Vec<_> = parts
        .iter()
        .filter_map(|(name, wanted)| Some((key_of(object, name)?, wanted)))
        .collect();
    let mut projected = Map::new();
    for (key, value) in object {
        let here = keys.iter().filter(|(wanted_key, _)| wanted_key == key);
        let wanted: Vec<_> = here.map(|(_, wanted)| *wanted).collect();
        if !wanted.is_empty()
            && let Some(part) = project(&wanted, value)
        {
            projected.insert(key.clone(), part);
        }
    }
    projected
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn project(select: &str, item: &Value) -> String {
        Select::parse(select).unwrap().project(item).to_string()
    }

    #[test]
    fn id_alone_is_returned_alone() {
        assert_eq!(
            project("id", &json!({"name": "a", "id": "1"})),
            r#"{"id":"1"}"#
        );
    }

    #[test]
    fn the_order_is_the_items() {
        let item = json!({"z": 1, "m": 2, "a": 3});
        assert_eq!(project("a, z", &item), r#"{"z":1,"a":3}"#);
    }

    #[test]
    fn nested_parts_and_arrays_of_objects() {
        let item = json!({
            "owner": {"id": 1, "name": "n", "mail": "m"},
            "hosts": [{"id": 1, "x": 2}, {"x": 3}, 4, [{"id": 5}]],
            "none": null,
            "text": "t",
        });
        assert_eq!(
            project("owner.name,owner/id", &item),
            r#"{"owner":{"id":1,"name":"n"}}"#
        );
        assert_eq!(
            project("hosts.id", &item),
            r#"{"hosts":[{"id":1},{},[{"id":5}]]}"#
        );
        assert_eq!(project("none.id,text.id", &item), r#"{"none":null}"#);
        assert_eq!(project("missing,text", &item), r#"{"text":"t"}"#);
    }

    #[test]
    fn the_whole_contains_its_parts_in_either_order() {
        let item = json!({"o": {"a": 1, "b": 2}});
        for select in ["o,o.a", "o.a,o", "o.a,o.b"] {
            assert_eq!(project(select, &item), item.to_string(), "{select}");
        }
    }

    #[test]
    fn exact_names_win_and_others_are_found_ignoring_case() {
        let item = json!({"id": 1, "ID": 2, "Name": 3});
        assert_eq!(project("ID,name", &item), r#"{"ID":2,"Name":3}"#);
        assert_eq!(project("name,NAME", &item), r#"{"Name":3}"#);
        let item = json!({"Owner": {"a": 1, "b": 2, "c": 3}});
        assert_eq!(
            project("owner.c,OWNER.a", &item),
            r#"{"Owner":{"a":1,"c":3}}"#
        );
    }

    #[test]
    fn blank_selects_everything() {
        let item = json!({"a": 1});
        assert_eq!(project("", &item), item.to_string());
        assert_eq!(Select::parse(" ").unwrap().attributes().count(), 0);
        assert_eq!(Select::parse("b,a").unwrap().attributes().count(), 2);
    }

    #[test]
    fn mistakes_are_pointed_at() {
        for (text, column) in [("id,", 4), ("id,,name", 4), ("id, na me", 7), ("a..b", 3)] {
            assert_eq!(Select::parse(text).unwrap_err().column, column, "{text}");
        }
    }

    #[test]
    fn only_known_attributes_pass() {
        let select = Select::parse("id, owner.name").unwrap();
        assert_eq!(select.check(&Attributes::of(["id", "owner"])), Ok(()));
        let error = select.check(&Attributes::of(["id"])).unwrap_err();
        assert_eq!((error.name.as_str(), error.column), ("owner.name", 5));
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text: String) {
            if let Ok(select) = Select::parse(&text) {
                select.project(&json!({"a": [{"b": 1}]}));
            }
        }
    }
}
