//! The definition: the document, read once, with its operations, routes and checks.

use std::fmt;

use serde_json::Value;
use thiserror::Error;

use crate::document::Document;
use crate::link::{self, Load};
use crate::location;
use crate::marks::{self, Marks};
use crate::operation::{self, Operation};
use crate::problem::{Position, Problem};
use crate::read::{self, ReadError};
use crate::reference;
use crate::route::Routes;
use crate::rules;
use crate::schema::{Checks, Violation};
use crate::tolerant;

/// An OpenAPI 3.0 or 3.1 definition.
pub struct Definition {
    document: Document,
    title: String,
    version: String,
    operations: Vec<Operation>,
    routes: Routes,
    checks: Checks,
    /// Where the operations of each definition that this one was joined from begin; empty when it is one.
    starts: Vec<usize>,
}

/// What a part of a definition is called in the whole: a name that the definition does not give, and
/// a version that is written as a number, cannot be seen in the part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Names<'a> {
    pub(crate) path: &'a str,
    pub(crate) operation: &'a str,
    pub(crate) title: &'a str,
    pub(crate) version: &'a str,
}

/// A definition and what is wrong with it.
#[derive(Debug)]
pub struct Reading {
    /// The definition, as far as it can be used.
    pub definition: Definition,
    /// Everything found, in the order of the text.
    pub problems: Vec<Problem>,
}

/// Why a name leads to no operation.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum LookupError {
    /// No operation is called this.
    #[error("there is no operation {name:?}{}", Listed("; similar names: ", near))]
    Unknown {
        /// The name asked for.
        name: String,
        /// Names that look like it, nearest first.
        near: Vec<String>,
    },
    /// Several operations are called this when letter case or the rest of the name is ignored.
    #[error("{name:?} can mean several operations{}", Listed(": ", candidates))]
    Ambiguous {
        /// The name asked for.
        name: String,
        /// What it can mean.
        candidates: Vec<String>,
    },
}

impl Definition {
    /// Reads JSON or YAML, told apart by content.
    ///
    /// Refused is only a text that is no object, has a syntax error or is no OpenAPI 3 document;
    /// everything else is a [`Problem`].
    ///
    /// References to other files and URLs are not followed; see [`Definition::read_from`].
    pub fn read(text: &str) -> Result<Reading, ReadError> {
        let no_others = "nothing is read besides this text".to_owned();
        Self::read_text("", text, &mut |_| Err(no_others.clone()))
    }

    /// Reads the bytes of a definition that comes from `location`, and what it refers to.
    ///
    /// A location is a path or a URL. References resolve against it (RFC 3986 section 5), and
    /// `load` gives the bytes at a resolved location, once for each, or says why not. What it may
    /// read is its own to decide: a definition may ask for `../../secret` and for any URL.
    pub fn read_from(
        location: &str,
        bytes: &[u8],
        load: &mut Load<'_>,
    ) -> Result<Reading, ReadError> {
        Self::read_text(location, read::decode(bytes)?, load)
    }

    fn read_text(location: &str, text: &str, load: &mut Load<'_>) -> Result<Reading, ReadError> {
        let parsed = read::read(text)?;
        let (document, mut problems) = link::link(parsed, location, load);
        let operations = operation::operations(document.value());
        let (routes, unreachable) = Routes::new(&operations);
        problems.extend(rules::check(&document, &operations, &unreachable));
        problems.sort_by(|one, other| {
            let place = |one: &Problem| (one.line, one.column);
            (&one.part, place(one)).cmp(&(&other.part, place(other)))
        });
        let mut definition = Definition {
            title: document.text("/info/title").unwrap_or_default(),
            version: document.text("/info/version").unwrap_or_default(),
            checks: Checks::new(document.value(), &operations),
            operations,
            routes,
            document,
            starts: Vec::new(),
        };
        let servers = definition.server_urls();
        definition.routes = definition.routes.below(&servers, &(0..usize::MAX));
        Ok(Reading {
            definition,
            problems,
        })
    }

    /// The definition of the one operation at `pointer` in a document that was cut out of another,
    /// with the names that operation and definition have there. Its parts have no places.
    ///
    /// The pointer alone does not say which: paths that share a path item share its operations.
    pub(crate) fn of_one(document: Value, pointer: &str, names: Names<'_>) -> Option<Self> {
        let operation = operation::operations(&document)
            .into_iter()
            .find(|one| one.pointer() == pointer && one.path() == names.path)?;
        let operations = vec![operation.alone(names.operation)];
        let (routes, _) = Routes::new(&operations);
        Some(Self {
            title: names.title.to_owned(),
            version: names.version.to_owned(),
            checks: Checks::new(&document, &operations),
            operations,
            routes,
            document: Document::without_places(document),
            starts: Vec::new(),
        })
    }

    /// The definition that was joined from several: `document` holds them, `starts` says where the
    /// operations of each begin.
    pub(crate) fn of_several(
        document: Value,
        (title, version): (String, String),
        operations: Vec<Operation>,
        routes: Routes,
        starts: Vec<usize>,
    ) -> Self {
        Self {
            title,
            version,
            checks: Checks::new(&document, &operations),
            operations,
            routes,
            document: Document::without_places(document),
            starts,
        }
    }

    /// The same in less memory, for a process that keeps it: nothing in it has a place any more, and
    /// numbers that JSON cannot hold exactly are not [`written`](Self::written) as they stood.
    #[must_use]
    pub fn lean(mut self) -> Self {
        self.document = self.document.lean();
        for operation in &mut self.operations {
            operation.shrink();
        }
        self
    }

    /// The title; may be empty.
    pub fn title(&self) -> &str {
        &self.title
    }

    /// The version of the API (not of OpenAPI); may be empty.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// The server URLs, in order, as written.
    pub fn servers(&self) -> impl Iterator<Item = &str> {
        let servers = self.document().get("servers").and_then(Value::as_array);
        servers
            .into_iter()
            .flatten()
            .filter_map(|server| server.get("url")?.as_str())
    }

    /// The server URLs as far as the definition alone can say them: variables have their default
    /// values, and a relative URL is resolved against the place that the definition comes from
    /// (OpenAPI 3.1.1, "Server Object"). A definition that names no server means the root of that
    /// place. They are absolute if the place is a URL.
    pub fn server_urls(&self) -> Vec<String> {
        let servers = self.document().get("servers").and_then(Value::as_array);
        let mut urls: Vec<String> = servers
            .into_iter()
            .flatten()
            .filter_map(server_url)
            .collect();
        if urls.is_empty() {
            urls.push("/".to_owned());
        }
        let from = self.document.location();
        urls.iter()
            .map(|url| location::resolve(from, url))
            .collect()
    }

    /// The whole document, as written.
    ///
    /// External parts that something refers to are in its member `x-hallpass-parts`, under their
    /// locations, and references to them are pointers to there. Likewise references by `$id` and
    /// `$anchor` have become pointers. So every reference that leads anywhere begins with `#`.
    pub fn document(&self) -> &Value {
        self.document.value()
    }

    /// The locations of the external parts, in the order in which they were loaded.
    pub fn parts(&self) -> impl Iterator<Item = &str> {
        self.document.parts()
    }

    /// Where the part that a JSON pointer names stands in its text.
    pub fn position(&self, pointer: &str) -> Position {
        self.document.place(pointer.to_owned()).position
    }

    /// The external part whose text [`Definition::position`] means; `None` for the main one.
    pub fn part(&self, pointer: &str) -> Option<String> {
        self.document
            .place(pointer.to_owned())
            .part
            .map(str::to_owned)
    }

    /// The scalar that a JSON pointer names as it is written, without quotes. It differs from the
    /// value for numbers that a 64-bit integer or floating point number does not say exactly, such
    /// as `1.10` and `18446744073709551616`.
    pub fn written(&self, pointer: &str) -> Option<String> {
        self.document.text(pointer)
    }

    /// All operations, in the order of the document.
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// The operation of this name: exactly, else the only one ignoring case, else the only one
    /// that begins so ignoring case. Names that differ in letter case only are kept apart, because
    /// such twins can do opposite things (domain.md section 7.3).
    pub fn operation(&self, name: &str) -> Result<&Operation, LookupError> {
        let ids = self.operations.iter().map(Operation::id);
        lookup(name, ids).map(|position| &self.operations[position])
    }

    /// Which of the definitions that this one was [joined](Self::join) from an operation is of, counted
    /// from 0; always 0 when it is one.
    pub fn origin(&self, operation: &Operation) -> usize {
        let begun = self
            .starts
            .partition_point(|start| *start <= operation.index());
        begun.saturating_sub(1)
    }

    /// The routes.
    pub fn routes(&self) -> &Routes {
        &self.routes
    }

    /// Follows `$ref` until there is none. What dangles or turns in a circle stays as it is.
    pub fn resolve<'a>(&'a self, value: &'a Value) -> &'a Value {
        reference::resolve(self.document(), value)
    }

    /// What the list that `operation` answers can be filtered and sorted by.
    pub fn marks(&self, operation: &Operation) -> Marks {
        match operation
            .responses()
            .iter()
            .find(|(status, _)| status == "200")
        {
            Some((_, Some(schema))) => marks::marks(self.document(), schema),
            _ => Marks::default(),
        }
    }

    /// What is wrong with the body of a request. An operation without a body allows any.
    pub fn check_body(&self, operation: &Operation, body: &Value) -> Vec<Violation> {
        self.checks.body(self.document(), operation, body)
    }

    /// What is wrong with the value of the parameter called `name` (letter case counts), which is
    /// given as the schema wants it: a number as a number. A name that is no parameter allows any.
    pub fn check_parameter(
        &self,
        operation: &Operation,
        name: &str,
        value: &Value,
    ) -> Vec<Violation> {
        self.checks
            .parameter(self.document(), operation, name, value)
    }

    /// What is wrong with the body of an answer. A status without a schema allows any.
    pub fn check_response(
        &self,
        operation: &Operation,
        status: u16,
        body: &Value,
    ) -> Vec<Violation> {
        self.checks
            .response(self.document(), operation, status, body)
    }

    /// The media type of the JSON body that is declared for a status, as written; nothing where none is
    /// declared, or one for any type.
    pub fn response_media_type(&self, operation: &Operation, status: u16) -> Option<&str> {
        let (name, _) = operation
            .responses()
            .get(operation.response_index(status)?)?;
        let responses = self
            .document()
            .pointer(operation.pointer())?
            .get("responses")?;
        let content = self.resolve(responses.get(name)?).get("content")?;
        crate::operation::json_media_type(content)
    }

    /// The body with strings turned into the numbers and booleans that the schema wants, as one
    /// client needs it (domain.md section 8.4, point 7). What does not fit is left as it is.
    pub fn tolerant(&self, operation: &Operation, mut body: Value) -> Value {
        if let Some(declared) = operation.body() {
            tolerant::coerce(self.document(), &declared.schema, &mut body);
        }
        body
    }
}

impl fmt::Debug for Definition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Definition")
            .field("title", &self.title)
            .field("version", &self.version)
            .field("operations", &self.operations.len())
            .finish_non_exhaustive()
    }
}

/// The position of the name that `name` means: itself, else the only one ignoring case, else the
/// only one that begins so ignoring case.
pub(crate) fn lookup<'a>(
    name: &str,
    ids: impl Iterator<Item = &'a str> + Clone,
) -> Result<usize, LookupError> {
    if let Some(exact) = ids.clone().position(|id| id == name) {
        return Ok(exact);
    }
    let wanted = name.to_lowercase();
    let lower: Vec<String> = ids.clone().map(str::to_lowercase).collect();
    let is_name = |id: &String| *id == wanted;
    let is_beginning = |id: &String| !wanted.is_empty() && id.starts_with(&wanted);
    for fits in [&is_name as &dyn Fn(&String) -> bool, &is_beginning] {
        let found: Vec<(usize, &str)> = ids
            .clone()
            .enumerate()
            .filter(|(position, _)| fits(&lower[*position]))
            .collect();
        match found.as_slice() {
            [] => {}
            [(only, _)] => return Ok(*only),
            several => {
                return Err(LookupError::Ambiguous {
                    name: name.to_owned(),
                    candidates: several.iter().map(|(_, id)| (*id).to_owned()).collect(),
                });
            }
        }
    }
    Err(LookupError::Unknown {
        name: name.to_owned(),
        near: near(&wanted, ids),
    })
}

/// The URL of a server, with the default values of its variables.
fn server_url(server: &Value) -> Option<String> {
    let mut url = server.get("url")?.as_str()?.to_owned();
    let variables = server.get("variables").and_then(Value::as_object);
    for (name, variable) in variables.into_iter().flatten() {
        if let Some(default) = variable.get("default").and_then(Value::as_str) {
            url = url.replace(&format!("{{{name}}}"), default);
        }
    }
    Some(url)
}

/// Names after a lead-in, or nothing.
pub(crate) struct Listed<'a>(pub(crate) &'static str, pub(crate) &'a [String]);

impl fmt::Display for Listed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.1.is_empty() {
            return Ok(());
        }
        write!(f, "{}{}", self.0, self.1.join(", "))
    }
}

/// How many similar names are worth reading.
const MAX_NEAR: usize = 5;

/// The names nearest to `wanted` (lower case), nearest first: those within a few letters of it and
/// those that contain it.
pub fn near<'a>(wanted: &str, names: impl Iterator<Item = &'a str>) -> Vec<String> {
    let allowed = wanted.chars().count() / 3;
    let mut ranked: Vec<(usize, &str)> = names
        .filter_map(|name| {
            let lower = name.to_lowercase();
            let distance = distance(wanted, &lower);
            let contains = wanted.len() > 2 && lower.contains(wanted);
            (distance <= allowed || contains).then_some((distance, name))
        })
        .collect();
    ranked.sort_by_key(|(distance, _)| *distance);
    ranked
        .into_iter()
        .take(MAX_NEAR)
        .map(|(_, name)| name.to_owned())
        .collect()
}

/// Levenshtein distance in characters.
fn distance(from: &str, to: &str) -> usize {
    let to: Vec<char> = to.chars().collect();
    let mut row: Vec<usize> = (0..=to.len()).collect();
    for (line, letter) in from.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, other) in to.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(diagonal + 1).min(row[column] + 1);
        }
    }
    row[to.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{operation, small};

    #[test]
    fn the_head_of_the_document_is_there() {
        let small = small();
        assert_eq!(
            (small.title(), small.version()),
            ("A small storage API", "1.0")
        );
        assert_eq!(
            small.servers().collect::<Vec<_>>(),
            ["https://eu1.example.com", "https://us1.example.com"]
        );
        let unquoted = Definition::read("openapi: 3.0.3\ninfo: {version: 1.0}")
            .unwrap()
            .definition;
        assert_eq!((unquoted.title(), unquoted.version()), ("", "1.0"));
    }

    #[test]
    fn names_are_exact_then_alone_ignoring_case_then_a_beginning() {
        let small = small();
        let id = |name| operation(&small, name).id();
        assert_eq!(id("StartHandover"), "StartHandover");
        assert_eq!(id("Starthandover"), "Starthandover");
        assert_eq!(id("listsystems"), "ListSystems");
        assert_eq!(
            id("GetSystem"),
            "GetSystem",
            "exact although it is also a beginning"
        );
        assert_eq!(id("edit"), "EditVolume");
        assert_eq!(
            small.operation("starthandover").unwrap_err(),
            LookupError::Ambiguous {
                name: "starthandover".to_owned(),
                candidates: vec!["StartHandover".to_owned(), "Starthandover".to_owned()],
            }
        );
        let several = small.operation("list").unwrap_err().to_string();
        assert!(
            several.ends_with(": ListSystems, ListFirstSystems"),
            "{several}"
        );
    }

    #[test]
    fn an_unknown_name_names_near_ones() {
        let small = small();
        let Err(LookupError::Unknown { near, .. }) = small.operation("EditVolum3") else {
            panic!("found")
        };
        assert_eq!(near, ["EditVolume"]);
        let contained = small.operation("hostvolume").unwrap_err().to_string();
        assert!(
            contained.contains("getHostVolume, removeHostVolume"),
            "{contained}"
        );
        assert_eq!(
            small.operation("").unwrap_err().to_string(),
            "there is no operation \"\""
        );
    }

    #[test]
    fn references_are_followed_and_circles_end() {
        let text = "openapi: 3.0.3\ncomponents:\n  schemas:\n    A: {$ref: '#/components/schemas/B'}\n    \
                    B: {$ref: '#/components/schemas/A'}\n    C/d: {type: string}\n    \
                    E: {$ref: '#/components/schemas/C~1d'}\n    F: {$ref: '#/components/schemas/c~1D'}\n    \
                    G: {$ref: '#/components/schemas/C%7E1d'}\n";
        let definition = Definition::read(text).unwrap().definition;
        let schemas = &definition.document()["components"]["schemas"];
        assert_eq!(definition.resolve(&schemas["A"]), &schemas["A"]);
        assert_eq!(definition.resolve(&schemas["E"])["type"], "string");
        assert_eq!(definition.resolve(&schemas["G"])["type"], "string");
        assert_eq!(
            definition.resolve(&schemas["F"]),
            &schemas["F"],
            "letter case counts"
        );
    }

    #[test]
    fn distance_counts_changed_letters() {
        assert_eq!(distance("kitten", "sitting"), 3);
        assert_eq!(distance("", "abc"), 3);
    }

    #[test]
    fn a_definition_can_be_shared_between_threads() {
        fn assert_shared<T: Send + Sync>() {}
        assert_shared::<Definition>();
    }
}
