//! What may happen to a state, written down: changes that are made at once, and steps planned for
//! later. Both are plain data, so that a journal can hold them and a replay comes out the same.
//!
//! Deliberately ignorant of what the objects mean.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// One change to a state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Change {
    /// Adds an object at the end of its collection, or puts it in the place of the one with its id.
    Put {
        /// The collection.
        collection: String,
        /// The object's id.
        id: String,
        /// The object.
        value: Value,
    },
    /// Sets some fields of an object and leaves the others alone; nothing happens when it is gone.
    Merge {
        /// The collection.
        collection: String,
        /// The object's id.
        id: String,
        /// The fields. A `generation` among them is raised above the one that is there.
        fields: Map<String, Value>,
    },
    /// Takes an object away; nothing happens when it is gone.
    Remove {
        /// The collection.
        collection: String,
        /// The object's id.
        id: String,
    },
    /// Takes away every object whose fields have these texts. The first field must be indexed.
    RemoveWhere {
        /// The collection.
        collection: String,
        /// Fields and their texts; all must be the same.
        fields: Vec<(String, String)>,
    },
    /// Takes away the oldest objects whose `field` is set, until `keep` are left in the collection.
    Trim {
        /// The collection.
        collection: String,
        /// The field that marks an object as done with.
        field: String,
        /// How many objects may stay.
        keep: usize,
    },
    /// Plans a step for later.
    Schedule(Planned),
}

/// A step that happens at its time, if its checks hold then.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Planned {
    /// When it is due.
    pub at: Timestamp,
    /// What must hold; the first that does not decides what happens instead.
    pub checks: Vec<Check>,
    /// What happens when everything holds.
    pub then: Vec<Change>,
}

/// A condition, and what happens when it does not hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Check {
    /// The condition.
    pub requirement: Requirement,
    /// What happens instead of the step.
    pub otherwise: Vec<Change>,
}

/// A condition on a state.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum Requirement {
    /// There is such an object.
    Exists {
        /// The collection.
        collection: String,
        /// The object's id.
        id: String,
    },
    /// No object of the collection has this name, apart from `except`; when `within` is given, only
    /// objects whose field has that text count.
    NameIsFree {
        /// The collection.
        collection: String,
        /// The name.
        name: String,
        /// A field and its text, such as the system that a volume lives on.
        within: Option<(String, String)>,
        /// The id of the object that is to get the name.
        except: Option<String>,
    },
    /// The object's numeric field is at most this; false when the object is gone.
    AtMost {
        /// The collection.
        collection: String,
        /// The object's id.
        id: String,
        /// The field.
        field: String,
        /// The number.
        limit: f64,
    },
    /// No object has these texts in its fields.
    NoneWhere {
        /// The collection.
        collection: String,
        /// Fields and their texts; all must be the same. The first field must be indexed.
        fields: Vec<(String, String)>,
        /// A numeric field and a number: only objects with more than that count.
        above: Option<(String, f64)>,
    },
    /// Some object has these texts in its fields. The first field must be indexed.
    SomeWhere {
        /// The collection.
        collection: String,
        /// Fields and their texts; all must be the same.
        fields: Vec<(String, String)>,
    },
    /// The object's field is another text than this, or the object is gone.
    Differs {
        /// The collection.
        collection: String,
        /// The object's id.
        id: String,
        /// The field.
        field: String,
        /// The text.
        text: String,
    },
    /// The objects of a pool have at most this sum in a field that is added up.
    SumAtMost {
        /// The collection.
        collection: String,
        /// The pool.
        pool: String,
        /// The field.
        field: String,
        /// The number.
        limit: f64,
    },
}
