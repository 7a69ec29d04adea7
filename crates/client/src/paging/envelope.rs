//! What stands around the items of a page (domain facts, section 6.1), in all its forms.
//!
//! Items stay the text that came, so that numbers keep every digit.

use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash as _, Hasher as _};

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::PagingError;
use crate::error::Error;
use crate::response::Response;

/// A page as the server describes it.
pub(super) struct Envelope {
    pub(super) items: Vec<Box<RawValue>>,
    /// How many items there are.
    pub(super) total: Option<u64>,
    /// How many items are before the page, as the server understood it.
    pub(super) offset: Option<u64>,
    /// How many items are after it.
    pub(super) remaining: Option<u64>,
    /// What leads to the next page.
    pub(super) cursor: Cursor,
}

/// The member `next`.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Cursor {
    /// The server knows none.
    Unknown,
    /// There is no further page.
    End,
    /// An address, or a word for the parameter `next`.
    To(String),
}

impl Envelope {
    pub(super) fn read(response: &Response) -> Result<Self, Error> {
        let body = response.body();
        let Ok(members) = serde_json::from_slice::<HashMap<String, &RawValue>>(body) else {
            // Tells what is no JSON from what is no list.
            serde_json::from_slice::<serde::de::IgnoredAny>(body).map_err(|error| {
                Error::NotJson {
                    status: response.status().as_u16(),
                    reason: error.to_string(),
                }
            })?;
            return Err(PagingError::NoList.into());
        };
        let number = |names: &[&str]| names.iter().find_map(|name| number(members.get(*name)?));
        Ok(Self {
            items: items(members.get("items").copied())?,
            total: number(&["total"]),
            offset: number(&["pageOffset", "offset"]),
            remaining: number(&["remainingRecords"]),
            cursor: cursor(members.get("next").copied()),
        })
    }
}

fn items(member: Option<&RawValue>) -> Result<Vec<Box<RawValue>>, PagingError> {
    // An empty list is written as null by some.
    let items = member.map(|items| serde_json::from_str::<Option<_>>(items.get()));
    match items {
        Some(Ok(items)) => Ok(items.unwrap_or_default()),
        _ => Err(PagingError::NoList),
    }
}

/// A number, also written as text.
fn number(member: &RawValue) -> Option<u64> {
    let text = member.get().trim_matches('"');
    text.parse().ok()
}

fn cursor(member: Option<&RawValue>) -> Cursor {
    let Some(member) = member else {
        return Cursor::Unknown;
    };
    match serde_json::from_str(member.get()) {
        Ok(Value::String(text)) if !text.is_empty() => Cursor::To(text),
        Ok(Value::Number(number)) => Cursor::To(number.to_string()),
        Ok(Value::String(_) | Value::Null) => Cursor::End,
        _ => Cursor::Unknown,
    }
}

/// What tells an item from others: its id, else all of it. A list that a server repeats has the same
/// ids, also when something else in the items changed meanwhile.
pub(super) fn key(item: &RawValue) -> u64 {
    match id(item) {
        Some(id) => hash(id.get()),
        None => hash(item.get()),
    }
}

/// Whether an item has an id.
pub(super) fn has_id(item: &RawValue) -> bool {
    id(item).is_some()
}

/// Tells texts apart while a list is read.
pub(super) fn hash(text: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    text.hash(&mut hasher);
    hasher.finish()
}

fn id(item: &RawValue) -> Option<&RawValue> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        id: &'a RawValue,
    }
    let named = serde_json::from_str::<Named<'_>>(item.get());
    named.ok().map(|named| named.id)
}

#[cfg(test)]
mod tests {
    use http::{HeaderMap, StatusCode};

    use super::*;

    fn read(body: &str) -> Result<Envelope, Error> {
        let body = body.as_bytes().to_vec();
        Envelope::read(&Response::new(StatusCode::OK, HeaderMap::new(), body))
    }

    #[test]
    fn numbers_beyond_floating_point_stay_exact() {
        let page = read(r#"{"items":[{"id":18446744073709551616,"x":1.10}],"total":"1"}"#).unwrap();
        assert_eq!(page.total, Some(1));
        assert_eq!(
            page.items[0].get(),
            r#"{"id":18446744073709551616,"x":1.10}"#
        );
    }

    #[test]
    fn only_items_make_a_list() {
        assert!(
            read(r#"{"items":null,"total":0}"#)
                .unwrap()
                .items
                .is_empty()
        );
        for body in ["{}", "[]", r#"{"items":{}}"#, "null", r#"{"items":"x"}"#] {
            let error = read(body).err().unwrap();
            assert!(
                matches!(error, Error::Paging(PagingError::NoList)),
                "{body}"
            );
        }
        assert!(matches!(read("<html>").err(), Some(Error::NotJson { .. })));
    }

    #[test]
    fn a_cursor_is_an_address_a_word_or_the_end() {
        let cursor = |next: &str| {
            read(&format!(r#"{{"items":[],"next":{next}}}"#))
                .unwrap()
                .cursor
        };
        assert_eq!(cursor(r#""abc""#), Cursor::To("abc".to_owned()));
        assert_eq!(cursor("17"), Cursor::To("17".to_owned()));
        assert_eq!(
            (cursor("null"), cursor(r#""""#)),
            (Cursor::End, Cursor::End)
        );
        assert_eq!(read(r#"{"items":[]}"#).unwrap().cursor, Cursor::Unknown);
    }

    #[test]
    fn items_are_told_apart_by_their_id() {
        let key = |text: &str| key(&RawValue::from_string(text.to_owned()).unwrap());
        assert_eq!(key(r#"{"id":"a","t":1}"#), key(r#"{"t":2,"id":"a"}"#));
        assert_ne!(key(r#"{"id":"a"}"#), key(r#"{"id":"b"}"#));
        assert_ne!(key(r#"{"name":"a"}"#), key(r#"{"name":"b"}"#));
    }
}
