//! Giving back what only reading a definition needs: for a process that keeps one for as long as it
//! runs.

use serde_json::{Map, Value};

/// The same value without spare room: objects that grew while they were read have up to twice the
/// room that they need.
pub(crate) fn exact(value: Value) -> Value {
    match value {
        Value::Array(items) => {
            // Into a list of its own: collecting in place would keep the room of the old one.
            let mut exactly = Vec::with_capacity(items.len());
            exactly.extend(items.into_iter().map(exact));
            Value::Array(exactly)
        }
        Value::Object(members) => {
            let mut exactly = Map::with_capacity(members.len());
            for (mut name, member) in members {
                name.shrink_to_fit();
                exactly.insert(name, exact(member));
            }
            Value::Object(exactly)
        }
        Value::String(mut text) => {
            text.shrink_to_fit();
            Value::String(text)
        }
        plain => plain,
    }
}

/// [`exact`] in its place.
pub(crate) fn shrink(value: &mut Value) {
    *value = exact(value.take());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::schema::properties;

    proptest! {
        #[test]
        fn nothing_is_lost(value in properties::value()) {
            let exactly = exact(value.clone());
            prop_assert_eq!(exactly.to_string(), value.to_string());
        }
    }
}
