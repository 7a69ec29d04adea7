//! Objects by id, in the order in which they were added, with look-ups by some
//! of their fields.
//!
//! The order is kept by a number per object; the numbers, in a list, say which object is the nth. The look-ups are rebuilt when a snapshot is read and are never part of one.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use serde::de::{Error as _, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

use crate::stored::{Fields, Shapes, Stored};

/// The fields by which objects are found without looking at all of them, where they are texts. The
/// `of…` fields are never shown: they name the object that another belongs to, or is a copy of.
/// `from` and `to` are the ends of a relation.
pub(crate) const INDEXED: [&str; 11] = [
    "name",
    "systemId",
    "poolId",
    "ofVolume",
    "ofSnapshot",
    "ofGroup",
    "ofSet",
    "copyOf",
    "address",
    "from",
    "to",
];

/// The field whose texts have sums kept, so that how full a pool is need not be added up.
const SUMMED_BY: &str = "poolId";

/// The fields that are added up; a yes counts one.
const SUMMED: [&str; 3] = ["sizeMiB", "usedSizeMiB", "dataReduction"];

/// Objects by id, oldest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Collection {
    objects: BTreeMap<u64, (Box<str>, Stored)>,
    places: HashMap<Box<str>, u64>,
    /// The numbers of all objects, so that a page far behind the first is found without walking there.
    order: Vec<u64>,
    /// Per indexed field, the places of the objects by its text.
    index: [HashMap<Box<str>, Vec<u64>>; INDEXED.len()],
    /// Per text of the field [`SUMMED_BY`], the sums over its objects. They are exact: what is added
    /// up are whole numbers.
    sums: HashMap<Box<str>, [f64; SUMMED.len()]>,
    shapes: Shapes,
    next: u64,
}

impl Collection {
    pub(crate) fn len(&self) -> usize {
        self.objects.len()
    }

    pub(crate) fn get(&self, id: &str) -> Option<&Stored> {
        let place = self.places.get(id)?;
        self.objects.get(place).map(|(_, value)| value)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Stored)> {
        self.objects.values().map(|(id, value)| (&**id, value))
    }

    /// The objects behind the first `skipped` ones.
    pub(crate) fn iter_after(&self, skipped: usize) -> impl Iterator<Item = (&str, &Stored)> {
        self.at(self.order.get(skipped..).unwrap_or_default())
    }

    /// The objects whose indexed field is that text, oldest first, without the first `skipped` ones;
    /// none when it is not indexed.
    pub(crate) fn with<'s>(
        &'s self,
        field: &str,
        text: &str,
        skipped: usize,
    ) -> impl Iterator<Item = (&'s str, &'s Stored)> + use<'s> {
        let index = INDEXED.iter().position(|indexed| *indexed == field);
        let places = index.and_then(|index| self.index[index].get(text));
        let places = places.and_then(|places| places.get(skipped..));
        self.at(places.unwrap_or_default())
    }

    fn at<'s>(
        &'s self,
        places: &'s [u64],
    ) -> impl Iterator<Item = (&'s str, &'s Stored)> + use<'s> {
        let found = places.iter().filter_map(|place| self.objects.get(place));
        found.map(|(id, value)| (&**id, value))
    }

    /// The sum of a field over the objects with that pool; nought when it is not added up.
    pub(crate) fn sum(&self, pool: &str, field: &str) -> f64 {
        let position = SUMMED.iter().position(|summed| *summed == field);
        let sums = self.sums.get(pool);
        position
            .zip(sums)
            .map_or(0.0, |(position, sums)| sums[position])
    }

    /// How many objects have that text in an indexed field.
    pub(crate) fn count(&self, field: &str, text: &str) -> usize {
        let index = INDEXED.iter().position(|indexed| *indexed == field);
        let places = index.and_then(|index| self.index[index].get(text));
        places.map_or(0, Vec::len)
    }

    /// Adds the object at the end, or puts it in the place of the one that has its id.
    pub(crate) fn put(&mut self, id: &str, value: Value) {
        let place = self.places.get(id).copied().unwrap_or(self.next);
        self.forget(place);
        if place == self.next {
            self.next += 1;
            self.places.insert(id.into(), place);
            self.order.push(place);
        }
        let stored = self.shapes.pack(value);
        self.remember(place, &stored);
        self.objects.insert(place, (id.into(), stored));
    }

    pub(crate) fn remove(&mut self, id: &str) {
        if let Some(place) = self.places.remove(id) {
            self.forget(place);
            self.objects.remove(&place);
            if let Ok(position) = self.order.binary_search(&place) {
                self.order.remove(position);
            }
        }
    }

    fn remember(&mut self, place: u64, value: &Stored) {
        for (field, index) in INDEXED.iter().zip(&mut self.index) {
            if let Some(text) = value.get(field).and_then(Stored::as_str) {
                let places = index.entry(text.into()).or_default();
                let position = places.partition_point(|other| *other < place);
                places.insert(position, place);
            }
        }
        add_up(&mut self.sums, value, 1.0);
    }

    fn forget(&mut self, place: u64) {
        let Some((_, value)) = self.objects.get(&place) else {
            return;
        };
        for (field, index) in INDEXED.iter().zip(&mut self.index) {
            let Some(text) = value.get(field).and_then(Stored::as_str) else {
                continue;
            };
            let Some(places) = index.get_mut(text) else {
                continue;
            };
            if let Ok(position) = places.binary_search(&place) {
                places.remove(position);
            }
            if places.is_empty() {
                index.remove(text);
            }
        }
        add_up(&mut self.sums, value, -1.0);
    }
}

fn add_up(sums: &mut HashMap<Box<str>, [f64; SUMMED.len()]>, value: &Stored, sign: f64) {
    let Some(pool) = value.get(SUMMED_BY).and_then(Stored::as_str) else {
        return;
    };
    let sums = sums.entry(pool.into()).or_default();
    for (field, sum) in SUMMED.iter().zip(sums) {
        let number = match value.get(field) {
            Some(Stored::Bool(truth)) => f64::from(u8::from(*truth)),
            _ => value.number(field),
        };
        *sum += sign * number;
    }
}

impl PartialEq for Collection {
    /// The same objects in the same order; the numbers behind the order do not matter.
    fn eq(&self, other: &Self) -> bool {
        self.objects.values().eq(other.objects.values())
    }
}

/// As a list of pairs of id and object, oldest first.
impl Serialize for Collection {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.objects.values())
    }
}

impl<'de> Deserialize<'de> for Collection {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Pairs)
    }
}

/// Packs each object as it is read, so that a large snapshot is never unpacked as a whole.
struct Pairs;

impl<'de> Visitor<'de> for Pairs {
    type Value = Collection;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of pairs of id and object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut pairs: A) -> Result<Collection, A::Error> {
        let mut collection = Collection::default();
        while let Some((id, value)) = pairs.next_element::<(String, Value)>()? {
            // A state may come from outside.
            if collection.get(&id).is_some() {
                return Err(A::Error::custom(format!("`{id}` comes twice")));
            }
            collection.put(&id, value);
        }
        Ok(collection)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn names(collection: &Collection) -> Vec<&str> {
        collection.iter().map(|(id, _)| id).collect()
    }

    #[test]
    fn replacing_keeps_the_place_and_moves_the_name() {
        let mut collection = Collection::default();
        collection.put("a", json!({"name": "one"}));
        collection.put("b", json!({"name": "two"}));
        collection.put("a", json!({"name": "two"}));
        assert_eq!(names(&collection), ["a", "b"]);
        assert_eq!(collection.with("name", "one", 0).count(), 0);
        let two: Vec<&str> = collection
            .with("name", "two", 0)
            .map(|(id, _)| id)
            .collect();
        assert_eq!(two, ["a", "b"]);
    }

    #[test]
    fn an_object_added_again_goes_to_the_end() {
        let mut collection = Collection::default();
        collection.put("a", json!({"name": "one"}));
        collection.put("b", json!({}));
        collection.remove("a");
        collection.put("a", json!({"name": "one"}));
        assert_eq!(names(&collection), ["b", "a"]);
        assert_eq!(collection.with("name", "one", 0).count(), 1);
        assert_eq!(collection.len(), 2);
    }

    #[test]
    fn what_is_behind_the_first_ones_is_what_remains_of_all() {
        let mut collection = Collection::default();
        for id in ["a", "b", "c", "d", "e"] {
            let name = if id == "b" { "other" } else { "same" };
            collection.put(id, json!({"name": name}));
        }
        collection.remove("c");
        for skipped in 0..7 {
            let all: Vec<_> = collection.iter().skip(skipped).collect();
            assert_eq!(collection.iter_after(skipped).collect::<Vec<_>>(), all);
            let same: Vec<_> = collection.with("name", "same", 0).skip(skipped).collect();
            assert_eq!(
                collection.with("name", "same", skipped).collect::<Vec<_>>(),
                same
            );
        }
        assert_eq!(collection.iter_after(3).count(), 1);
    }

    #[test]
    fn sums_follow_what_is_added_replaced_and_taken_away() {
        let mut collection = Collection::default();
        collection.put("a", json!({"poolId": "p", "sizeMiB": 10, "usedSizeMiB": 4}));
        collection.put(
            "b",
            json!({"poolId": "p", "sizeMiB": 5, "dataReduction": true}),
        );
        collection.put("c", json!({"sizeMiB": 100}));
        let sums = |collection: &Collection, pool| {
            ["sizeMiB", "usedSizeMiB", "dataReduction"]
                .map(|field| collection.sum(pool, field).to_string())
        };
        assert_eq!(sums(&collection, "p"), ["15", "4", "1"]);
        collection.put("a", json!({"poolId": "q", "sizeMiB": 11, "usedSizeMiB": 4}));
        collection.remove("b");
        assert_eq!(sums(&collection, "p"), ["0", "0", "0"]);
        assert_eq!(sums(&collection, "q"), ["11", "4", "0"]);
        assert_eq!(collection.count("poolId", "q"), 1);
        assert_eq!(collection.count("poolId", "p"), 0);
    }

    #[test]
    fn a_snapshot_is_a_list_of_pairs_and_comes_back_equal() {
        let mut collection = Collection::default();
        collection.put("gone", json!({"name": "x"}));
        collection.put("a", json!({"name": "one"}));
        collection.remove("gone");
        let text = serde_json::to_string(&collection).unwrap();
        assert_eq!(text, r#"[["a",{"name":"one"}]]"#);
        let back: Collection = serde_json::from_str(&text).unwrap();
        assert_eq!(back, collection);
        assert_eq!(back.with("name", "one", 0).count(), 1);
    }

    #[test]
    fn what_is_no_list_or_has_an_id_twice_is_not_read() {
        for (text, said) in [
            (r#"[["a", {}], ["a", {}]]"#, "`a` comes twice"),
            (r#"{"a": {}}"#, "list of pairs"),
        ] {
            let error = serde_json::from_str::<Collection>(text).unwrap_err();
            assert!(error.to_string().contains(said), "{error}");
        }
    }
}
