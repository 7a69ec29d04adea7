//! JSON as it is kept: the same value in about a fifth of the memory.
//!
//! Objects of one kind have the same names in the same order, so the names are kept once, as the
//! objects' shape, and each object keeps its values only.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash as _, Hasher as _, RandomState};
use std::sync::Arc;

use serde::ser::{Serialize, SerializeMap, Serializer};
use serde_json::{Map, Number, Value};

/// A JSON value, packed. It cannot be changed, only replaced.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Stored {
    Null,
    Bool(bool),
    Number(Number),
    Text(Box<str>),
    List(Box<[Stored]>),
    /// Elsewhere, so that the values of an object, most of them plain, take no more room than those do.
    Object(Box<Packed>),
}

/// An object.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Packed {
    shape: Shape,
    /// As many as the shape has names, in its order.
    values: Box<[Stored]>,
}

impl Packed {
    fn fields(&self) -> impl Iterator<Item = (&str, &Stored)> {
        let names = self.shape.iter().map(|name| &**name);
        names.zip(&self.values)
    }
}

/// The names of an object's fields.
type Shape = Arc<[Box<str>]>;

/// The shapes in use, by a hash of their names. This crate's own kinds of object have few; a state that
/// was brought from outside may have as many as objects, and those beyond a bound are shared by none.
#[derive(Debug, Clone, Default)]
pub(crate) struct Shapes {
    known: HashMap<u64, Shape>,
    hashing: RandomState,
}

/// Most shapes that are known.
const MOST_SHAPES: usize = 4096;

/// Reading the fields of an object, packed or not.
pub(crate) trait Fields {
    /// A text field; the empty text when there is none.
    fn text(&self, name: &str) -> &str;
    /// A numeric field; nought when there is none.
    fn number(&self, name: &str) -> f64;
    /// Any field; null when there is none.
    fn field(&self, name: &str) -> Value;
}

impl Fields for Value {
    fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Self::as_str).unwrap_or_default()
    }

    fn number(&self, name: &str) -> f64 {
        self.get(name).and_then(Self::as_f64).unwrap_or_default()
    }

    fn field(&self, name: &str) -> Value {
        self.get(name).cloned().unwrap_or_default()
    }
}

impl Fields for Stored {
    fn text(&self, name: &str) -> &str {
        self.get(name).and_then(Self::as_str).unwrap_or_default()
    }

    fn number(&self, name: &str) -> f64 {
        self.get(name).and_then(Self::as_f64).unwrap_or_default()
    }

    fn field(&self, name: &str) -> Value {
        self.get(name).map(Self::unpack).unwrap_or_default()
    }
}

impl Stored {
    pub(crate) fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(object) = self else {
            return None;
        };
        let position = object.shape.iter().position(|known| **known == *name)?;
        object.values.get(position)
    }

    pub(crate) fn as_str(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Number(number) => number.as_f64(),
            _ => None,
        }
    }

    pub(crate) fn as_i64(&self) -> Option<i64> {
        match self {
            Self::Number(number) => number.as_i64(),
            _ => None,
        }
    }

    pub(crate) fn unpack(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(truth) => Value::Bool(*truth),
            Self::Number(number) => Value::Number(number.clone()),
            Self::Text(text) => Value::String(text.to_string()),
            Self::List(elements) => elements.iter().map(Self::unpack).collect(),
            Self::Object(object) => {
                let fields = object.fields();
                let unpacked = fields.map(|(name, value)| (name.to_owned(), value.unpack()));
                Value::Object(unpacked.collect::<Map<_, _>>())
            }
        }
    }
}

impl Shapes {
    pub(crate) fn pack(&mut self, value: Value) -> Stored {
        match value {
            Value::Null => Stored::Null,
            Value::Bool(truth) => Stored::Bool(truth),
            Value::Number(number) => Stored::Number(number),
            Value::String(text) => Stored::Text(text.into()),
            Value::Array(elements) => Stored::List(
                elements
                    .into_iter()
                    .map(|element| self.pack(element))
                    .collect(),
            ),
            Value::Object(object) => {
                let shape = self.shape(&object);
                let values = object.into_values().map(|value| self.pack(value));
                Stored::Object(Box::new(Packed {
                    shape,
                    values: values.collect(),
                }))
            }
        }
    }

    fn shape(&mut self, object: &Map<String, Value>) -> Shape {
        let mut hasher = self.hashing.build_hasher();
        for name in object.keys() {
            name.hash(&mut hasher);
        }
        let hash = hasher.finish();
        let same = |shape: &&Shape| {
            let names = shape.iter().map(|name| &**name);
            names.eq(object.keys().map(String::as_str))
        };
        if let Some(shape) = self.known.get(&hash).filter(same) {
            return Arc::clone(shape);
        }
        let shape: Shape = object.keys().map(|name| name.as_str().into()).collect();
        if self.known.len() < MOST_SHAPES {
            self.known.insert(hash, Arc::clone(&shape));
        }
        shape
    }
}

impl Serialize for Stored {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(truth) => serializer.serialize_bool(*truth),
            Self::Number(number) => number.serialize(serializer),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(elements) => serializer.collect_seq(elements),
            Self::Object(object) => {
                let mut map = serializer.serialize_map(Some(object.values.len()))?;
                for (name, value) in object.fields() {
                    map.serialize_entry(name, value)?;
                }
                map.end()
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn objects_of_one_kind_share_their_shape() {
        let mut shapes = Shapes::default();
        let one = shapes.pack(json!({"a": 1, "b": {"c": 1}}));
        let two = shapes.pack(json!({"a": 2, "b": {"c": 2}}));
        shapes.pack(json!({"b": {"c": 2}, "a": 2}));
        assert_eq!(shapes.known.len(), 3);
        let (Stored::Object(one), Stored::Object(two)) = (one, two) else {
            panic!("objects are packed as objects")
        };
        assert!(Arc::ptr_eq(&one.shape, &two.shape));
    }

    #[test]
    fn shapes_beyond_the_bound_are_not_remembered() {
        let mut shapes = Shapes::default();
        for n in 0..=MOST_SHAPES {
            let value = json!({ n.to_string(): n });
            assert_eq!(shapes.pack(value.clone()).unpack(), value);
        }
        assert_eq!(shapes.known.len(), MOST_SHAPES);
    }

    #[test]
    fn fields_are_read_alike_packed_or_not() {
        let value = json!({"name": "n", "size": 1.5, "list": [1, "x"], "none": null});
        let stored = Shapes::default().pack(value.clone());
        for name in ["name", "size", "list", "none", "missing"] {
            assert_eq!(stored.text(name), value.text(name));
            assert_eq!(stored.number(name).to_bits(), value.number(name).to_bits());
            assert_eq!(stored.field(name), value.field(name));
        }
        assert_eq!(stored.get("list").unwrap().as_i64(), None);
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            (-1e9..1e9).prop_map(|number: f64| Value::from(number)),
            "\\PC{0,8}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 32, 6, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec(("[a-d]", inner), 0..5)
                    .prop_map(|fields| Value::Object(fields.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn packing_loses_nothing_and_prints_the_same(value in any_json()) {
            let stored = Shapes::default().pack(value.clone());
            prop_assert_eq!(stored.unpack(), value.clone());
            let printed = serde_json::to_string(&stored).unwrap();
            prop_assert_eq!(printed, serde_json::to_string(&value).unwrap());
        }
    }
}
