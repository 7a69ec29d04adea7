//! What there is in a definition, in short: enough to find an operation, to complete a command line
//! and to route a request, without the definition itself.
//!
//! An [`Index`] names all operations; a [`Brief`] says what one of them takes. How both are kept
//! between two runs is said in `compiled`.

mod brief;

use std::sync::OnceLock;

use http::Method;
use serde::{Deserialize, Serialize};

use crate::definition::{Definition, LookupError, lookup};
use crate::operation::Operation;
use crate::route::{Route, Routes};

pub use brief::{Brief, Input, Place};

/// All operations of a definition, in its order.
#[derive(Debug)]
pub struct Index {
    title: String,
    version: String,
    entries: Vec<Entry>,
    routes: OnceLock<Routes>,
}

/// One operation, in short.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    id: String,
    #[serde(with = "method")]
    method: Method,
    path: String,
    tag: Option<String>,
    summary: String,
    deprecated: bool,
}

impl Index {
    /// The index of a definition.
    pub fn of(definition: &Definition) -> Self {
        let entries = definition.operations().iter().map(Entry::of).collect();
        Self::new(definition.title(), definition.version(), entries)
    }

    pub(crate) fn new(title: &str, version: &str, entries: Vec<Entry>) -> Self {
        Self {
            title: title.to_owned(),
            version: version.to_owned(),
            entries,
            routes: OnceLock::new(),
        }
    }

    /// The title of the definition; may be empty.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The version of the API; may be empty.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// All operations, in the order of the definition.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The position of the operation that `name` means, by the rules of
    /// [`Definition::operation`].
    pub fn find(&self, name: &str) -> Result<usize, LookupError> {
        lookup(name, self.entries.iter().map(Entry::id))
    }

    /// The operation for a method and a raw path, by the rules of [`Routes::find`]; its position is
    /// that in [`Self::entries`].
    pub fn route(&self, method: &Method, path: &str) -> Route {
        let routes = self.routes.get_or_init(|| {
            let outlines: Vec<Operation> = self
                .entries
                .iter()
                .enumerate()
                .map(|(at, entry)| Operation::outline(at, &entry.id, &entry.method, &entry.path))
                .collect();
            Routes::new(&outlines).0
        });
        routes.find(method, path)
    }
}

impl Entry {
    pub(crate) fn of(operation: &Operation) -> Self {
        Self {
            id: operation.id().to_owned(),
            method: operation.method().clone(),
            path: operation.path().to_owned(),
            tag: operation.tag().map(str::to_owned),
            summary: operation.summary().to_owned(),
            deprecated: operation.deprecated(),
        }
    }

    /// The name to call it by.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// The HTTP method.
    pub fn method(&self) -> &Method {
        &self.method
    }

    /// The path template, with `{names}`.
    pub fn path(&self) -> &str {
        &self.path
    }

    /// The first tag.
    pub fn tag(&self) -> Option<&str> {
        self.tag.as_deref()
    }

    /// One line on what it does; may be empty.
    pub fn summary(&self) -> &str {
        &self.summary
    }

    /// The definition advises against using it.
    pub fn deprecated(&self) -> bool {
        self.deprecated
    }
}

/// A method as its word.
mod method {
    use http::Method;
    use serde::de::Error as _;
    use serde::{Deserialize as _, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(method: &Method, to: S) -> Result<S::Ok, S::Error> {
        to.serialize_str(method.as_str())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Method, D::Error> {
        let word = std::borrow::Cow::<'de, str>::deserialize(from)?;
        word.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::small;

    #[test]
    fn the_index_finds_what_the_definition_finds() {
        let small = small();
        let index = Index::of(&small);
        assert_eq!(index.entries().len(), small.operations().len());
        for name in [
            "EditVolume",
            "edit",
            "starthandover",
            "list",
            "EditVolum3",
            "",
        ] {
            let known = small.operation(name).map(Operation::index);
            assert_eq!(index.find(name), known, "{name}");
        }
        for (method, path) in [
            (Method::GET, "/storage-systems/device-type1"),
            (Method::GET, "/storage-systems/a%2Fb"),
            (Method::PUT, "/hosts/1/volumes/2"),
            (Method::DELETE, "/hosts/1/volumes/2"),
            (Method::GET, "/nowhere"),
        ] {
            assert_eq!(
                index.route(&method, path),
                small.routes().find(&method, path),
                "{path}"
            );
        }
    }
}
