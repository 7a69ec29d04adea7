//! JSON that keeps every number, blank and escape as it was written.
//!
//! A number that goes through a float loses digits: 1.10 becomes 1.1, and a 64-bit id another id. So
//! values stay text; only the objects and lists that something is put into are opened.

use std::fmt;

use serde::Deserializer as _;
use serde::de::{MapAccess, Visitor};
use serde_json::Value;
use serde_json::value::RawValue;

/// A value.
#[derive(Debug, Clone)]
pub(crate) enum Json {
    /// As it was written.
    Raw(Box<RawValue>),
    /// A list that was opened.
    List(Vec<Json>),
    /// An object that was opened, in its order.
    Object(Vec<(String, Json)>),
}

impl Json {
    /// A string.
    pub(crate) fn text(text: &str) -> Self {
        Self::raw(Value::from(text).to_string())
    }

    pub(crate) fn null() -> Self {
        Self::raw("null".to_owned())
    }

    /// A text that is JSON; one that is none becomes a string.
    pub(crate) fn raw(text: String) -> Self {
        match RawValue::from_string(text.clone()) {
            Ok(raw) => Self::Raw(raw),
            Err(_) => Self::text(&text),
        }
    }

    /// Opens a list or an object; what is neither stays.
    pub(crate) fn open(&mut self) {
        let Self::Raw(raw) = self else { return };
        match raw.get().as_bytes().first() {
            Some(b'[') => {
                if let Ok(items) = serde_json::from_str::<Vec<Box<RawValue>>>(raw.get()) {
                    *self = Self::List(items.into_iter().map(Self::Raw).collect());
                }
            }
            Some(b'{') => {
                let mut reader = serde_json::Deserializer::from_str(raw.get());
                if let Ok(members) = reader.deserialize_map(Members) {
                    *self = Self::Object(members);
                }
            }
            _ => {}
        }
    }

    /// The same, opened.
    pub(crate) fn opened(&self) -> Self {
        let mut opened = self.clone();
        opened.open();
        opened
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Raw(raw) if raw.get() == "null")
    }

    /// The value, for checks: numbers may lose digits.
    pub(crate) fn value(&self) -> serde_json::Result<Value> {
        serde_json::from_str(&self.to_string())
    }

    /// A string without its quotes; everything else as JSON.
    pub(crate) fn plain(&self) -> String {
        let text = self.to_string();
        serde_json::from_str::<String>(&text).unwrap_or(text)
    }
}

impl fmt::Display for Json {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw(raw) => f.write_str(raw.get()),
            Self::List(items) => {
                f.write_str("[")?;
                for (index, item) in items.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}{item}")?;
                }
                f.write_str("]")
            }
            Self::Object(members) => {
                f.write_str("{")?;
                for (index, (name, member)) in members.iter().enumerate() {
                    let comma = if index > 0 { "," } else { "" };
                    write!(f, "{comma}{}:{member}", Value::from(name.as_str()))?;
                }
                f.write_str("}")
            }
        }
    }
}

/// The members of an object; of a name that comes twice the last counts, as most readers have it.
struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Vec<(String, Json)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members: Self::Value = Vec::new();
        while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
            match members.iter_mut().find(|(known, _)| *known == name) {
                Some((_, known)) => *known = Json::Raw(value),
                None => members.push((name, Json::Raw(value))),
            }
        }
        Ok(members)
    }
}
